/** Turns a suspicion into a run that breaks a check, if there is one: killed at random first, which is cheap, then searched with Z3. */
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import type { Accepted } from '../verifier/result.js';
import type { Case } from '../vm/case.js';
import { defaultChooser, failingChooser, seededChooser } from '../vm/chooser.js';
import { prepare } from '../vm/code.js';
import type { Environment } from '../vm/environment.js';
import { killEverywhere, killRandomly } from '../vm/kill.js';
import { expectationOf } from '../vm/printcase.js';
import { replay } from '../vm/replay.js';
import type { Violation } from '../vm/trap.js';
import { Vm } from '../vm/vm.js';
import { explore } from './symbolic/explore.js';

export interface Suspect {
  /** Slot before which the kill is suspected to do harm. */
  readonly slot: number;
  readonly message: string;
}

export interface Witnessed {
  readonly witness: Case | undefined;
  readonly queries: number;
}

export interface FindOptions {
  readonly rlimit?: number;
  readonly maxRuns?: number;
}

/** Random worlds tried before the solver is asked. */
const WORLDS = 12;
const MAX_STEPS = 4_000;
/** Insns that the killed runs of one world may take together, roughly: a run too long for that is killed here and there. */
const MOST_INSNS = 4_000_000;
const FEWEST_KILLS = 16;

export async function findWitness(
  program: Program,
  verified: Accepted,
  rules: string,
  path: FastPath,
  suspects: readonly Suspect[],
  options: FindOptions,
): Promise<Witnessed> {
  const strict = verified.profile === 'strict';
  const code = prepare(program);
  const confirmed = (violation: Violation, kill: number, env: Environment): Case | undefined => {
    const one: Case = {
      program,
      profile: verified.profile,
      rules,
      kill,
      env,
      expect: expectationOf(violation),
      comments: [`${violation.check}: ${violation.message}`],
    };
    // What an unkilled run breaks too is not the fast path's doing.
    if (
      replay({ ...one, kill: Number.MAX_SAFE_INTEGER }, path, { facts: verified.facts }).result.violations
        .length > 0
    ) {
      return undefined;
    }
    return replay(one, path, { facts: verified.facts }).ok ? one : undefined;
  };
  for (let world = 0; world < WORLDS; world++) {
    const chooser = world === 0 ? defaultChooser : world === 1 ? failingChooser : seededChooser(world);
    const how = { strict, facts: verified.facts, chooser };
    const { steps } = new Vm(code, { ...how, fastPath: path }).run();
    const kills = Math.max(FEWEST_KILLS, Math.floor(MOST_INSNS / Math.max(1, steps)));
    const killed =
      kills < Math.min(steps, MAX_STEPS)
        ? killRandomly(code, path, undefined, { ...how, kills, seed: world })
        : killEverywhere(code, path, undefined, { ...how, maxSteps: MAX_STEPS });
    const [violation] = killed.violations;
    if (violation === undefined || killed.env === undefined) continue;
    const witness = confirmed(violation, violation.at, killed.env);
    if (witness !== undefined) return { witness, queries: 0 };
  }
  let queries = 0;
  for (const slot of new Set(suspects.map((s) => s.slot))) {
    const exploration = await explore(code, {
      fastPath: path,
      facts: verified.facts,
      strict,
      kill: slot,
      maxPaths: options.maxRuns ?? 300,
      ...(options.rlimit === undefined ? {} : { rlimit: options.rlimit }),
    });
    queries += exploration.solver.asked;
    for (const { violation, killStep, env } of exploration.findings) {
      if (killStep === undefined) continue;
      const witness = confirmed(violation, killStep, env);
      if (witness !== undefined) return { witness, queries };
    }
  }
  return { witness: undefined, queries };
}
