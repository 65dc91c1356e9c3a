/**
 * How far a campaign has come and all it has seen: plain data, made by adding the reports of programs. It does not depend on the order in
 * which they are added, so that shards may end in any order, on any machine.
 */

import type { ProgramReport, Suspect, WitnessDisagreement } from '../check/check.js';
import { type Cause, causeKey } from '../kill/cause.js';
import { addCounts, DIVERSITY, type Diversity, noDiversity } from '../kill/diversity.js';
import type { SmallCase } from '../shrink/shrink.js';
import type { CampaignSetting } from '../threads/job.js';
import type { Identity } from './identity.js';
import { count, type Range, withRange } from './ranges.js';

/** One cause: its hit in the program with the lowest index, and its smallest case once there is one. */
export interface Found {
  readonly cause: Cause;
  /** The first program that shows it. */
  readonly index: number;
  readonly world: number;
  /** The case as it was met. */
  readonly text: string;
  readonly insns: number;
  /** Programs that break it. */
  hits: number;
  small?: SmallCase;
}

/** Two witnesses that say different things of one program, which is a bug of swansong. `program` is its index in the campaign. */
export interface Disagreement extends WitnessDisagreement {
  readonly program: number;
}

/** A program whose proof gave up. */
export interface Unknown {
  readonly program: number;
  readonly rules: string;
  readonly reason: string;
}

/** What was seen under one rule set. */
export interface RuleFigures {
  proven: number;
  refuted: number;
  unknown: number;
  /** Killed runs that broke a check, by check. */
  readonly broken: Record<string, number>;
}

/** Everything that a campaign keeps between two starts. Written as JSON, so fields are only added. */
export interface CampaignState {
  /** The campaign that it is of. */
  readonly identity: Identity;
  readonly setting: CampaignSetting;
  /** Programs done. */
  done: number;
  /** The indices of the programs that are done. */
  ranges: readonly Range[];
  accepted: number;
  points: number;
  /** Programs that were killed before every insn of each of their runs. */
  killedEverywhere: number;
  /** The most insns from a kill to the exit. */
  worst: number;
  /** Program proofs, each program counted once for each rule set. */
  proven: number;
  refuted: number;
  unknown: number;
  kernelAccepted: number;
  kernelRejected: number;
  /** Programs that the kernel was not able to judge (a kfunc that it lacks). */
  kernelUnjudged: number;
  /** The same and more for each rule set by itself, by the name of the set. */
  readonly byRules: Record<string, RuleFigures>;
  /** All proofs that gave up, in order of the programs. */
  readonly unknowns: Unknown[];
  /** In order of the programs. */
  readonly found: Found[];
  /** In order of the programs. */
  readonly disagreements: Disagreement[];
  disagreementCount: number;
  readonly coverage: Coverage;
  /** Time spent, in milliseconds; differs from run to run. */
  ms: number;
}

/** How often each thing was exercised, by its name. */
export interface Coverage extends Diversity {
  /** Programs by type. */
  readonly types: Record<string, number>;
  /** Calls made by runs, by function. */
  readonly functions: Record<string, number>;
  /** Termination points by what is held there. */
  readonly held: Record<string, number>;
  /** Killed runs that broke a check, by check. */
  readonly checks: Record<string, number>;
}

/** The state of a campaign that has not checked any program yet. */
export function newState(identity: Identity, setting: CampaignSetting): CampaignState {
  return {
    identity,
    setting,
    done: 0,
    ranges: [],
    accepted: 0,
    points: 0,
    killedEverywhere: 0,
    worst: 0,
    proven: 0,
    refuted: 0,
    unknown: 0,
    kernelAccepted: 0,
    kernelRejected: 0,
    kernelUnjudged: 0,
    byRules: Object.fromEntries(identity.rules.map(({ set }) => [set, noFigures()])),
    unknowns: [],
    found: [],
    disagreements: [],
    disagreementCount: 0,
    coverage: { types: {}, functions: {}, held: {}, checks: {}, ...noDiversity() },
    ms: 0,
  };
}

const noFigures = (): RuleFigures => ({ proven: 0, refuted: 0, unknown: 0, broken: {} });

/**
 * Adds the report of a program; answers the causes that no program with a lower index has shown so far. Throws for a program that was
 * added before.
 */
export function add(state: CampaignState, report: ProgramReport): readonly Found[] {
  const { index } = report;
  state.ranges = withRange(state.ranges, [index, index + 1]);
  state.done = count(state.ranges);
  state.points += report.points;
  state.worst = Math.max(state.worst, report.worst);
  if (report.accepted) state.accepted++;
  if (report.accepted && report.everywhere) state.killedEverywhere++;
  addProofs(state, report);
  if (report.kernel?.accepted) state.kernelAccepted++;
  else if (report.kernel?.judged) state.kernelRejected++;
  else if (report.kernel) state.kernelUnjudged++;
  const { coverage } = state;
  addCounts(coverage.types, { [report.type]: 1 });
  addCounts(coverage.functions, report.calls);
  addCounts(coverage.held, report.held);
  addCounts(coverage.checks, report.broken);
  for (const kind of DIVERSITY) addCounts(coverage[kind], report.diversity[kind]);
  state.disagreementCount += report.disagreements.length;
  insert(
    state.disagreements,
    report.disagreements.map((one) => ({ program: index, ...one })),
    ({ program }) => program,
  );
  const found = report.suspects.flatMap((suspect) => addSuspect(state, index, suspect));
  insert(state.found, found, (one) => one.index);
  return found;
}

function addProofs(state: CampaignState, { index, proofs, brokenUnder }: ProgramReport): void {
  const figures = (set: string): RuleFigures => {
    state.byRules[set] ??= noFigures();
    return state.byRules[set];
  };
  for (const { rules, verdict } of proofs) {
    state[verdict]++;
    figures(rules)[verdict]++;
  }
  for (const [rules, broken] of Object.entries(brokenUnder)) addCounts(figures(rules).broken, broken);
  const unknown = proofs.filter(({ verdict }) => verdict === 'unknown');
  insert(
    state.unknowns,
    unknown.map(({ rules, reason }) => ({ program: index, rules, reason: reason ?? '' })),
    ({ program }) => program,
  );
}

/** Puts what one program gave behind all that comes from earlier ones. */
function insert<T>(into: T[], some: readonly T[], indexOf: (one: T) => number): void {
  if (some.length === 0) return;
  let at = into.length;
  while (at > 0 && indexOf(into[at - 1]!) > indexOf(some[0]!)) at--;
  into.splice(at, 0, ...some);
}

/** A cause that is new, or whose first program is this one; the hit is counted in any case. */
function addSuspect(
  state: CampaignState,
  index: number,
  { cause, world, text, insns }: Suspect,
): readonly Found[] {
  const key = causeKey(cause);
  const at = state.found.findIndex((one) => causeKey(one.cause) === key);
  const known = state.found[at];
  if (known !== undefined && known.index < index) {
    known.hits++;
    return [];
  }
  if (known !== undefined) state.found.splice(at, 1);
  return [{ cause, index, world, text, insns, hits: 1 + (known?.hits ?? 0) }];
}

/**
 * A report without the texts of cases that `add` would not take, now or later: their causes have a program with a lower index already. So
 * it can be kept in little space.
 */
export function slim(state: CampaignState, report: ProgramReport): ProgramReport {
  const known = new Map(state.found.map(({ cause, index }) => [causeKey(cause), index]));
  const suspects = report.suspects.map((one) =>
    (known.get(causeKey(one.cause)) ?? Number.POSITIVE_INFINITY) < report.index ? { ...one, text: '' } : one,
  );
  return { ...report, suspects };
}

/** The finding with this cause, by its key. */
export function foundBy(state: CampaignState, key: string): Found | undefined {
  return state.found.find(({ cause }) => causeKey(cause) === key);
}

/** Keeps the smallest case of a finding; answers false where the finding is no longer the first of its cause. */
export function keepSmall(state: CampaignState, found: Found, small: SmallCase): boolean {
  if (!state.found.includes(found)) return false;
  found.small = small;
  return true;
}

/** One finding for each cause that is left after shrinking. Shrinking may show that one function of several is to blame alone. */
export function findings(state: CampaignState): readonly Found[] {
  const byCause = new Map<string, Found>();
  for (const one of state.found) {
    const cause = one.small?.cause ?? one.cause;
    const key = causeKey(cause);
    const known = byCause.get(key);
    const hits = one.hits + (known?.hits ?? 0);
    const best = known !== undefined && sizeOf(known) <= sizeOf(one) ? known : one;
    byCause.set(key, { ...best, cause, hits });
  }
  return [...byCause].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, found]) => found);
}

/** Whether every finding has its smallest case: of a campaign that was interrupted some may not. */
export function isShrunk(state: CampaignState): boolean {
  return state.found.every(({ small }) => small !== undefined);
}

function sizeOf({ small, insns }: Found): number {
  return small?.insns ?? insns;
}
