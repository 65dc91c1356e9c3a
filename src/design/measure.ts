/** Kills one program everywhere, in some worlds, under each strategy: the same worlds and the same points for all of them. */
import type { RunEnvironment } from '../campaign/kill/environments.js';
import { disagreementOf } from '../campaign/kill/kill-everywhere.js';
import type { PreparedProgram } from '../campaign/kill/prepared-program.js';
import { insnCount } from '../campaign/shrink/size.js';
import { NamedPoints, namedSteps } from '../strategies/named-points.js';
import type { Prepared, Strategy } from '../strategies/strategy.js';
import { type Usage, usageOf } from '../strategies/usage.js';
import { printCase } from '../vm/case/print.js';
import { kernelOfCase } from '../vm/case/profile.js';
import { KillPoints } from '../vm/kill-classes.js';
import { brokenLines } from '../vm/state/trap.js';
import type { VmOptions } from '../vm/vm.js';
import { addWord } from './counts.js';
import { killEverywhereUnder, type PointsAlike } from './kills.js';
import { addPoints, addWitness, brokenKinds, emptyTally, type Tally } from './tally.js';

/** Steps of a run up to which it is killed before every insn; beyond, only before one in `STRIDE`. */
const DENSE_STEPS = 4_000;
const STRIDE = 97;
/** Beyond this many steps the run is not killed any more. */
const LONGEST_RUN = 40_000;

const POINTS = new KillPoints(DENSE_STEPS, STRIDE);

/** What the kills of one program came to. */
export interface Measured {
  /** By strategy, in order. */
  readonly tallies: readonly Tally[];
  /** Worlds in which it ran. */
  readonly worlds: number;
  /** Points over all worlds, and those before which something is held. */
  readonly points: number;
  readonly holdingPoints: number;
  /** Runs without a kill that break a check: they are left out. */
  readonly disagreements: readonly string[];
}

/** One program, verified, with its number among all. */
export interface Measurable {
  readonly prepared: PreparedProgram;
  readonly number: number;
  readonly worlds: readonly RunEnvironment[];
  /** Where it comes from, for the head of a witness. */
  readonly from: string;
  /** It is killed only where it names termination points itself. */
  readonly named?: boolean;
}

/** Kills it under each strategy. */
export function measure(one: Measurable, strategies: readonly Strategy[]): Measured {
  const { code, verdict, profile } = one.prepared;
  const subject = { code, facts: verdict.facts };
  const ready = strategies.map((strategy) => prepareFor(strategy, subject));
  let [points, holdingPoints, worlds] = [0, 0, 0];
  const disagreements: string[] = [];
  for (const world of one.worlds) {
    const options: VmOptions = { ...world, strict: profile === 'strict', facts: verdict.facts };
    const usage = usageOf(code, options);
    const trouble = disagreementOf(usage.run);
    if (trouble !== undefined) {
      disagreements.push(trouble);
      continue;
    }
    worlds++;
    const end = Math.min(LONGEST_RUN, usage.run.steps);
    const where = one.named === true ? new NamedPoints(namedSteps(code, options)) : POINTS;
    points += where.count(0, end - 1);
    holdingPoints += usage.heldBefore.filter((step) => step < end && where.from(step) === step).length;
    for (const [i, { tally, prepared }] of ready.entries())
      if (prepared !== undefined)
        killUnder(one, strategies[i]!, prepared, tally, { options, usage, end, where });
  }
  return { tallies: ready.map(({ tally }) => tally), worlds, points, holdingPoints, disagreements };
}

function prepareFor(
  strategy: Strategy,
  subject: Parameters<Strategy['prepare']>[0],
): { readonly tally: Tally; readonly prepared?: Prepared } {
  const tally = emptyTally();
  const start = performance.now();
  const prepared = strategy.prepare(subject);
  tally.ms = performance.now() - start;
  if ('cannot' in prepared) {
    addWord(tally.refused, prepared.cannot);
    return { tally };
  }
  tally.programs = 1;
  tally.bytes = prepared.bytes;
  return { tally, prepared };
}

/** One world of a program. */
interface World {
  readonly options: VmOptions;
  readonly usage: Usage;
  /** No point is at this step or later. */
  readonly end: number;
  readonly where: KillPoints;
}

function killUnder(
  one: Measurable,
  strategy: Strategy,
  prepared: Prepared,
  tally: Tally,
  { options, usage, end, where }: World,
): void {
  const { code } = one.prepared;
  tally.runs++;
  tally.ordinaryInsns += usage.run.steps;
  tally.extraInsns += prepared.extra?.(usage) ?? 0;
  tally.runBytes = Math.max(tally.runBytes, prepared.runBytes?.(usage) ?? 0);
  killEverywhereUnder(prepared, code, options, { points: where, end }, (alike) => {
    addPoints(tally, alike, where, code);
    if (alike.result.violations.length > 0) addWitnesses(one, strategy, tally, alike, where);
  });
}

function addWitnesses(
  one: Measurable,
  strategy: Strategy,
  tally: Tally,
  alike: PointsAlike,
  points: KillPoints,
): void {
  const { prepared, number, from } = one;
  const { violations, env } = alike.result;
  const count = points.count(alike.first, alike.last);
  for (const { check, kind, violation } of brokenKinds(violations, prepared.code)) {
    const key = `${check} ${kind}`;
    const known = tally.witnesses.get(key);
    const kernel = kernelOfCase(prepared.program, prepared.verdict.kernel);
    // Points are told together of which the same comes, at insns of their own.
    const { function: by } = violation;
    const expect = { kind: 'breaks' as const, check, ...(by === undefined ? {} : { function: by }) };
    const text =
      known?.text ??
      printCase({
        program: prepared.program,
        profile: prepared.profile,
        ...(kernel === undefined ? {} : { kernel }),
        strategy: strategy.name,
        kill: alike.first,
        env,
        expect,
        comments: [...brokenLines(violations, violation), `${strategy.name}: ${strategy.does}`, from],
      });
    const insns = insnCount(prepared.program);
    addWitness(tally, key, { check, kind, insns, program: number, from, points: count, text });
  }
}
