/** How far a campaign has come and all it has seen: plain data, made by adding one program's report after the other, in order of index. */
import { type Cause, causeKey } from './cause.js';
import type { ProgramReport, Suspect, WitnessDisagreement } from './check.js';
import type { CampaignSetting } from './job.js';
import type { SmallCase } from './shrink/shrink.js';

/** Disagreements that are kept in full; all are counted. */
const MOST_DISAGREEMENTS = 100;

/** The first hit of one cause, and its smallest case once there is one. */
export interface Found {
  readonly cause: Cause;
  /** Program it was first met in. */
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

/** Everything that a campaign keeps between two starts. Written as JSON, so fields are only added. */
export interface CampaignState {
  readonly version: string;
  readonly setting: CampaignSetting;
  /** Digests of rule files among `setting.rules`, so that an edited one is noticed. */
  readonly digests: Readonly<Record<string, string>>;
  /** Programs done: those with an index below. */
  done: number;
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
  readonly found: Found[];
  readonly disagreements: Disagreement[];
  disagreementCount: number;
  readonly coverage: Coverage;
  /** Time spent, in milliseconds; differs from run to run. */
  ms: number;
}

/** How often each thing was exercised, by its name. */
export interface Coverage {
  /** Programs by type. */
  readonly types: Record<string, number>;
  /** Calls made by runs, by function. */
  readonly functions: Record<string, number>;
  /** Termination points by what is held there. */
  readonly held: Record<string, number>;
  /** Killed runs that broke a check, by check. */
  readonly checks: Record<string, number>;
}

/** The state of a campaign that has not checked any program yet. `digests` are those of rule files among the setting's rules. */
export function newState(
  version: string,
  setting: CampaignSetting,
  digests: CampaignState['digests'],
): CampaignState {
  return {
    version,
    setting,
    digests,
    done: 0,
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
    found: [],
    disagreements: [],
    disagreementCount: 0,
    coverage: { types: {}, functions: {}, held: {}, checks: {} },
    ms: 0,
  };
}

/** Adds the report of the next program; answers what was found for the first time. Throws when a program was left out. */
export function add(state: CampaignState, report: ProgramReport): readonly Found[] {
  if (report.index !== state.done)
    throw new Error(`program ${report.index} is not the next one, ${state.done}`);
  state.done++;
  state.points += report.points;
  state.worst = Math.max(state.worst, report.worst);
  if (report.accepted) state.accepted++;
  if (report.accepted && report.everywhere) state.killedEverywhere++;
  for (const { verdict } of report.proofs) state[verdict]++;
  if (report.kernel?.accepted) state.kernelAccepted++;
  else if (report.kernel?.judged) state.kernelRejected++;
  else if (report.kernel) state.kernelUnjudged++;
  const { coverage } = state;
  addCounts(coverage.types, { [report.type]: 1 });
  addCounts(coverage.functions, report.calls);
  addCounts(coverage.held, report.held);
  addCounts(coverage.checks, report.broken);
  for (const message of report.disagreements) {
    state.disagreementCount++;
    if (state.disagreements.length < MOST_DISAGREEMENTS)
      state.disagreements.push({ program: report.index, ...message });
  }
  return report.suspects.flatMap((suspect) => addSuspect(state, report.index, suspect));
}

function addSuspect(
  state: CampaignState,
  index: number,
  { cause, world, text, insns }: Suspect,
): readonly Found[] {
  const key = causeKey(cause);
  const known = state.found.find((one) => causeKey(one.cause) === key);
  if (known !== undefined) {
    known.hits++;
    return [];
  }
  const found: Found = { cause, index, world, text, insns, hits: 1 };
  state.found.push(found);
  return [found];
}

function addCounts(into: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [word, count] of Object.entries(from)) into[word] = (into[word] ?? 0) + count;
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
  return findings(state).every(({ small }) => small !== undefined);
}

function sizeOf({ small, insns }: Found): number {
  return small?.insns ?? insns;
}
