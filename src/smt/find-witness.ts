/**
 * Searches for a run that breaks a check: first by killing runs in random environments, which is cheap, then by symbolic execution with Z3.
 */
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import type { Accepted } from '../verifier/result.js';
import type { Case } from '../vm/case/case.js';
import { expectationOf } from '../vm/case/expectation.js';
import { kernelOfCase } from '../vm/case/profile.js';
import { killEverywhere, killRandomly } from '../vm/kill.js';
import { replay } from '../vm/replay.js';
import { defaultChooser, failingChooser, seededChooser } from '../vm/state/chooser.js';
import { prepare } from '../vm/state/code.js';
import { EMPTY, type Environment } from '../vm/state/environment.js';
import { filled, isFillable } from '../vm/state/fill.js';
import { brokenLines, type Violation, worstFirst } from '../vm/state/trap.js';
import { Vm } from '../vm/vm.js';
import { explore } from './symbolic/explore.js';

/** A reason to search: a kill before this insn may break a check. */
export interface Concern {
  /** Slot before which a kill may do harm. */
  readonly slot: number;
  readonly message: string;
}

/** The case that was found, if any, and what the search cost. */
export interface WitnessSearch {
  readonly witness: Case | undefined;
  /** What breaks in the run of the witness: `insn 4: ...`; '' without one. */
  readonly broken: string;
  readonly queries: number;
  /** The search would have gone on, had it been allowed more insns. */
  readonly cut?: true;
  /** The search was given up because Z3 left too many questions open. */
  readonly givenUp?: true;
}

type Found = Pick<WitnessSearch, 'witness' | 'broken'>;

/** How much effort the search may take. More effort may find a witness that less does not. */
export interface FindOptions {
  readonly rlimit?: number;
  readonly maxRuns?: number;
  /** Questions that Z3 may leave open, over all concerns together; any number unless told. */
  readonly maxUnanswered?: number;
  /** Insns that all runs may take together, roughly; unless told as many as the kinds of search need. */
  readonly maxInsns?: number;
  /** Entries in maps that begin empty, where maps are to be full; 2 unless told, 0 for no such runs. */
  readonly fill?: number;
}

/**
 * Environments that are tried before the solver is asked: the default one, one in which all fails, and random ones. Where there are maps that begin
 * empty, each is tried with empty maps and with full ones: over an empty map no callback runs.
 */
const ENVIRONMENTS = 12;
/** Entries of full maps. */
const FILL = 2;
const MAX_STEPS = 4_000;
/** Insns that the killed runs of one environment may take together, roughly. A run that is too long for that is killed at random points. */
const MAX_INSNS = 4_000_000;
const MIN_KILLS = 16;
/** Symbolic runs for each concern, unless told otherwise. */
const RUNS = 300;
/** Insns that as many runs may take together, for all concerns about a program; a run follows some 100,000 in a second. */
const SYMBOLIC_INSNS = 600_000;

/**
 * Looks for a case that breaks a check when killed and breaks none when not killed. Kills runs in a few environments first, then
 * explores each concern with Z3. No witness only means that none was found.
 */
export async function findWitness(
  program: Program,
  verified: Accepted,
  rules: string,
  path: FastPath,
  concerns: readonly Concern[],
  options: FindOptions,
): Promise<WitnessSearch> {
  const strict = verified.profile === 'strict';
  const code = prepare(program);
  const kernel = kernelOfCase(program, verified.kernel);
  const confirmed = (violation: Violation, kill: number, env: Environment): Found | undefined => {
    const one = {
      program,
      profile: verified.profile,
      ...(kernel === undefined ? {} : { kernel }),
      rules,
      kill,
      env,
      comments: [],
    };
    // If the run also breaks a check without a kill, the fast path is not at fault.
    const { kill: _, ...unkilled } = one;
    if (replay(unkilled, path, { facts: verified.facts }).result.violations.length > 0) return undefined;
    const expect = expectationOf(violation);
    const { ok, result } = replay({ ...one, expect }, path, { facts: verified.facts });
    const [worst] = worstFirst(result.violations);
    if (!ok || worst === undefined) return undefined;
    const comments = brokenLines(result.violations, worst);
    return { witness: { ...one, expect: expectationOf(worst), comments }, broken: inWords(worst) };
  };
  const fill = options.fill ?? FILL;
  const full = fill > 0 && isFillable(program) ? filled(program, EMPTY, fill) : EMPTY;
  const worlds = full === EMPTY ? [EMPTY] : [EMPTY, full];
  let left = options.maxInsns ?? Number.POSITIVE_INFINITY;
  let isCut = false;
  for (let each = 0; each < ENVIRONMENTS * worlds.length; each++) {
    const index = Math.floor(each / worlds.length);
    const env = worlds[each % worlds.length]!;
    const chooser = index === 0 ? defaultChooser : index === 1 ? failingChooser : seededChooser(index);
    const how = { strict, facts: verified.facts, chooser };
    const { steps } = new Vm(code, { ...how, env, fastPath: path }).run();
    const kills = Math.max(MIN_KILLS, Math.floor(Math.min(MAX_INSNS, left) / Math.max(1, steps)));
    // Each killed run goes through as many insns as the whole one, on the average half of them killed.
    left -= steps * (1 + Math.min(kills, steps, MAX_STEPS));
    if (left < 0) {
      isCut = true;
      break;
    }
    const killed =
      kills < Math.min(steps, MAX_STEPS)
        ? killRandomly(code, path, env, { ...how, kills, seed: index })
        : killEverywhere(code, path, env, { ...how, maxSteps: MAX_STEPS });
    if (killed.worst === undefined) continue;
    const { violation, env: of } = killed.worst;
    const found = confirmed(violation, violation.at, of);
    if (found !== undefined) return { ...found, queries: 0 };
  }
  let queries = 0;
  let insns = 0;
  let unanswered = 0;
  const { maxUnanswered = Number.POSITIVE_INFINITY } = options;
  const maxPaths = options.maxRuns ?? RUNS;
  // More runs than usual may take more insns.
  const usual = Math.floor((SYMBOLIC_INSNS * Math.max(maxPaths, RUNS)) / RUNS);
  const allInsns = Math.max(0, Math.min(usual, left));
  if (allInsns < usual) isCut = true;
  const slots = [...new Set(concerns.map((s) => s.slot))];
  for (const [i, slot] of slots.entries()) {
    // Each concern gets its share of what those before it left over.
    const maxInsns = Math.floor((allInsns - insns) / (slots.length - i));
    if (maxInsns <= 0 || unanswered >= maxUnanswered) break;
    const exploration = await explore(code, {
      fastPath: path,
      facts: verified.facts,
      strict,
      kill: slot,
      maxPaths,
      maxInsns,
      env: full,
      ...(options.rlimit === undefined ? {} : { rlimit: options.rlimit }),
      maxUnanswered: maxUnanswered - unanswered,
    });
    queries += exploration.solver.asked;
    unanswered += exploration.solver.unknown;
    insns += exploration.insns;
    for (const { violation, killStep, env } of exploration.findings) {
      if (killStep === undefined) continue;
      const found = confirmed(violation, killStep, env);
      if (found !== undefined) return { ...found, queries };
    }
  }
  const givenUp = unanswered >= maxUnanswered;
  const why = { ...(givenUp && { givenUp: true as const }), ...(isCut && { cut: true as const }) };
  return { witness: undefined, broken: '', queries, ...why };
}

const inWords = ({ slot, message }: Violation): string => `insn ${slot}: ${message}`;
