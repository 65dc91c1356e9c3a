/** What a campaign says: its document for programs, and the same in words. */

import type { KnownCase } from '../../campaign/check/known.js';
import { type Cause, causeKey, groupKey, messageOf } from '../../campaign/kill/cause.js';
import {
  type Diversity,
  type DiversitySize,
  matrixOf,
  sizeOfDiversity,
  sorted,
} from '../../campaign/kill/diversity.js';
import { type CampaignState, type Found, findings, type Unknown } from '../../campaign/shards/state.js';
import type { SavedFinding } from '../../campaign/storage/findings.js';
import type { HistoryView, Remembered, Run, Seen, Status } from '../../campaign/storage/history.js';
import { contracts } from '../../kernel/catalog.js';
import { CHECKS, type Check, gravity } from '../../vm/state/trap.js';

/** When a finding was seen, or was gone, and with which code and rules. */
export interface SeenWith {
  /** ISO 8601. */
  readonly at: string;
  readonly version: string;
  readonly code: string;
  /** Digest of what the rule set decided. */
  readonly rules: string;
  /** Program of the campaign that showed it; undefined where a saved case did. */
  readonly program?: number;
}

/** A finding whose saved case does not show it any more. */
export interface Gone {
  readonly check: Check;
  readonly rules: string;
  readonly rule: string;
  readonly function: string;
  /** Name of its file in the folder of the findings. */
  readonly file?: string;
  readonly firstSeen: SeenWith;
  readonly goneSince: SeenWith;
  /** This run is the first that misses it. */
  readonly new: boolean;
}

/** A function that a rule is wrong for, with its smallest case. */
export interface Instance extends SavedFinding {
  readonly function: string;
  /** What its run says, with its own functions and numbers. */
  readonly message: string;
  /** The first program of the campaign that shows it, and programs that do; null and 0 where only a saved case does. */
  readonly program: number | null;
  readonly hits: number;
  /** Shrinking was done, to its end or until its budget was spent. */
  readonly shrunk: boolean;
  /** Whether it was there before this run; undefined where nothing is remembered. */
  readonly status?: Status;
  /** When it was seen first, and with what. */
  readonly firstSeen?: SeenWith;
  /** The case itself, where it could not be written into a file; `file` is empty then. */
  readonly case?: string;
}

/** What is wrong with one rule: a check that it breaks, shown by the smallest case of all. */
export interface Finding extends Instance {
  readonly check: Check;
  readonly rules: string;
  readonly rule: string;
  /** Where the rule is written, for a rule set from a file. */
  readonly at?: { readonly file: string; readonly line: number };
  /** Other functions that it breaks the same check for, and other ways of it. */
  readonly also: readonly Instance[];
}

/** What a campaign exercised. `missed` names the functions with a contract that no run called. */
export interface CoverageSummary {
  /** Contracts whose function was called, of all contracts; and those that were not. */
  readonly called: number;
  readonly contracts: number;
  readonly missed: readonly string[];
  readonly types: Readonly<Record<string, number>>;
  readonly functions: Readonly<Record<string, number>>;
  readonly held: Readonly<Record<string, number>>;
  readonly checks: Readonly<Record<string, number>>;
  /** How many different things were met, in all and of each kind. */
  readonly diversity: DiversitySize;
  /** Termination points: by what is held, then by what becomes of the call there, depth and where. */
  readonly matrix: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Runs in which a stub really ran after a kill, and those in which a kept call did, by function. */
  readonly stubs: Diversity['stubs'];
  readonly kept: Diversity['kept'];
  /** Outcomes of calls where there was a choice, as `function outcome`. */
  readonly outcomes: Diversity['outcomes'];
  /** Termination points by pairs of kinds that are held together there. */
  readonly pairs: Diversity['pairs'];
}

/** What was seen under one rule set. */
export interface RulesSummary {
  /** What the set calls itself. */
  readonly rules: string;
  /** Equal for rule sets that decide the same. */
  readonly digest: string;
  readonly proven: number;
  readonly refuted: number;
  readonly unknown: number;
  /** Killed runs that broke a check, by check. */
  readonly broken: Readonly<Record<string, number>>;
  /** Causes found. */
  readonly causes: number;
}

/** The JSON document of `fuzz`. Other people's scripts read it: fields are added, never renamed. */
export interface Summary {
  readonly seed: number;
  readonly rules: readonly string[];
  readonly version: string;
  /** Digest of the code that answers depend on. */
  readonly code: string;
  readonly finished: boolean;
  /** Why it could not go on. */
  readonly error?: string;
  readonly programs: number;
  readonly points: number;
  readonly accepted: number;
  /** Programs killed before every insn of each of their runs. */
  readonly killedEverywhere: number;
  readonly kernelAccepted: number | null;
  readonly kernelRejected: number | null;
  readonly kernelUnjudged: number | null;
  readonly proven: number;
  readonly refuted: number;
  readonly unknown: number;
  /** The figures of each rule set by itself, in the order of `rules`. */
  readonly byRules: readonly RulesSummary[];
  /** The proofs that gave up: which program under which rule set, and why. */
  readonly unknowns: readonly Unknown[];
  readonly worst: number;
  readonly findings: readonly Finding[];
  /** Findings that were there before this run, and are not any more. */
  readonly gone: readonly Gone[];
  /** Starts of this campaign and of those that were in its folder before. */
  readonly runs: readonly Run[];
  readonly disagreementCount: number;
  readonly disagreements: CampaignState['disagreements'];
  readonly coverage: CoverageSummary;
  readonly ms: number;
  readonly programsPerSecond: number;
}

/** What is told of a campaign beside its state. */
export interface Told {
  /** Why it could not go on. */
  readonly failure?: string | undefined;
  /** Saved findings, replayed. */
  readonly known?: readonly KnownCase[];
  readonly history?: HistoryView;
}

/** The document of a campaign; `filed` says where each finding (in the order of `findings`) is kept: none where that could not be written. */
export function summarize(
  state: CampaignState,
  finished: boolean,
  filed: readonly SavedFinding[],
  { failure, known = [], history }: Told = {},
): Summary {
  const { setting } = state;
  const kernel = (count: number): number | null => (setting.kernel ? count : null);
  return {
    seed: setting.seed,
    rules: setting.rules,
    version: state.identity.version,
    code: state.identity.code,
    finished,
    ...(failure === undefined ? {} : { error: failure }),
    programs: state.done,
    points: state.points,
    accepted: state.accepted,
    killedEverywhere: state.killedEverywhere,
    kernelAccepted: kernel(state.kernelAccepted),
    kernelRejected: kernel(state.kernelRejected),
    kernelUnjudged: kernel(state.kernelUnjudged),
    proven: state.proven,
    refuted: state.refuted,
    unknown: state.unknown,
    byRules: byRules(state),
    unknowns: state.unknowns,
    worst: state.worst,
    findings: grouped(instancesOf(state, filed, known, history)),
    gone: history?.gone.map((one) => goneOf(one, history.history.runs)) ?? [],
    runs: history?.history.runs ?? [],
    disagreementCount: state.disagreementCount,
    disagreements: state.disagreements,
    coverage: coverageOf(state),
    ms: state.ms,
    programsPerSecond: state.ms === 0 ? 0 : Math.round((state.done / state.ms) * 1e5) / 100,
  };
}

function byRules(state: CampaignState): readonly RulesSummary[] {
  const all = findings(state);
  return state.identity.rules.map(({ set, digest }) => {
    const { proven, refuted, unknown, broken } = state.byRules[set]!;
    const causes = all.filter(({ cause }) => cause.rules === set).length;
    return { rules: set, digest, proven, refuted, unknown, broken: sorted(broken), causes };
  });
}

/** An instance and what it is an instance of. */
type Blamed = { readonly cause: Cause; readonly instance: Instance };

/** All that is found: by programs of the campaign, and by saved cases that still show something which no program has shown yet. */
function instancesOf(
  state: CampaignState,
  filed: readonly SavedFinding[],
  known: readonly KnownCase[],
  history: HistoryView | undefined,
): readonly Blamed[] {
  const met = findings(state).map((found, i): Blamed => {
    const { cause, index, hits, small } = found;
    const instance = {
      function: cause.function,
      message: messageOf(found.cause, found.small?.text ?? found.text),
      ...(filed[i] ?? unsaved(found)),
      program: index,
      hits,
      shrunk: small !== undefined,
      ...past(cause, history),
    };
    return { cause, instance };
  });
  const keys = new Set(met.map(({ cause }) => causeKey(cause)));
  const others = known.flatMap(({ cause, file, insns, minimal, message }): readonly Blamed[] => {
    if (cause === undefined || keys.has(causeKey(cause))) return [];
    keys.add(causeKey(cause));
    const told = {
      ...{ function: cause.function, message: message ?? cause.kind, checks: [cause.check] },
      ...{ file, insns, minimal },
    };
    return [
      { cause, instance: { ...told, program: null, hits: 0, shrunk: minimal, ...past(cause, history) } },
    ];
  });
  return [...met, ...others];
}

/** What is remembered of a cause. */
function past(cause: Cause, history: HistoryView | undefined): Pick<Instance, 'status' | 'firstSeen'> {
  const status = history?.statusOf(cause);
  const remembered = history?.remembered(cause);
  if (history === undefined || status === undefined || remembered === undefined) return {};
  return { status, firstSeen: seenWith(remembered.first, cause, history.history.runs) };
}

function seenWith(
  { at, run, program }: Seen & { program?: number },
  cause: Cause,
  runs: readonly Run[],
): SeenWith {
  const { version, code, rules } = runs[run]!;
  const digest = rules.find(({ set }) => set === cause.rules)?.digest ?? '';
  return { at, version, code, rules: digest, ...(program === undefined ? {} : { program }) };
}

function goneOf({ cause, file, first, gone }: Remembered, runs: readonly Run[]): Gone {
  const { check, rules, rule, function: name } = cause;
  return {
    check,
    rules,
    rule,
    function: name,
    ...(file === undefined ? {} : { file }),
    firstSeen: seenWith(first, cause, runs),
    goneSince: seenWith(gone!, cause, runs),
    new: gone!.run === runs.length - 1,
  };
}

/** One finding for each rule and check that it breaks, those with the gravest check first. */
function grouped(all: readonly Blamed[]): readonly Finding[] {
  const groups = new Map<string, { readonly cause: Cause; readonly instances: Instance[] }>();
  for (const { cause, instance } of all) {
    const group = groups.get(groupKey(cause)) ?? { cause, instances: [] };
    groups.set(groupKey(cause), group);
    group.instances.push(instance);
  }
  const found = [...groups.values()].map(({ cause: { check, rules, rule }, instances }) => {
    const [first, ...also] = instances.sort((a, b) => a.insns - b.insns || (a.file < b.file ? -1 : 1));
    return { check, rules, rule, ...first!, also };
  });
  return found.sort((a, b) => gravity(a.check) - gravity(b.check));
}

/** A finding that could not be written into a file: its case is told instead. */
function unsaved({ cause, small, text, insns }: Found): SavedFinding & { readonly case: string } {
  return {
    file: '',
    case: small?.text ?? text,
    insns: small?.insns ?? insns,
    minimal: false,
    checks: [cause.check],
  };
}

/** What was exercised, and which contracts were never called. */
function coverageOf({ coverage }: CampaignState): CoverageSummary {
  const names = contracts().map(({ name }) => name);
  const missed = names.filter((name) => coverage.functions[name] === undefined).sort();
  return {
    called: names.length - missed.length,
    contracts: names.length,
    missed,
    types: sorted(coverage.types),
    functions: sorted(coverage.functions),
    held: sorted(coverage.held),
    checks: Object.fromEntries(CHECKS.map((check) => [check, coverage.checks[check] ?? 0])),
    diversity: sizeOfDiversity(coverage),
    matrix: matrixOf(coverage),
    stubs: sorted(coverage.stubs),
    kept: sorted(coverage.kept),
    outcomes: sorted(coverage.outcomes),
    pairs: sorted(coverage.pairs),
  };
}
