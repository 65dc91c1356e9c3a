/** What a campaign says: its document for programs, and the same in words. */
import { type Cause, groupKey } from '../campaign/cause.js';
import { type CampaignState, type Found, findings, type Unknown } from '../campaign/state.js';
import type { SavedFinding } from '../campaign/storage/findings.js';
import { contracts } from '../kernel/catalog.js';
import { CHECKS, type Check, gravity } from '../vm/trap.js';

/** A function that a rule is wrong for, with its smallest case. */
export interface Instance extends SavedFinding {
  readonly function: string;
  /** What its run says, with its own functions and numbers. */
  readonly message: string;
  /** Program of the campaign it was first met in, and programs that hit it. */
  readonly program: number;
  readonly hits: number;
  /** Shrinking was done, to its end or until its budget was spent. */
  readonly shrunk: boolean;
  /** The case itself, where it could not be written into a file; `file` is empty then. */
  readonly case?: string;
}

/** What is wrong with one rule: a check that it breaks, shown by the smallest case of all. */
export interface Finding extends Instance {
  readonly check: Check;
  readonly rules: string;
  readonly rule: string;
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
  readonly disagreementCount: number;
  readonly disagreements: CampaignState['disagreements'];
  readonly coverage: CoverageSummary;
  readonly ms: number;
  readonly programsPerSecond: number;
}

/**
 * The document of a campaign; `filed` says where each finding (in the order of `findings`) is kept: none where that could not be written. `failure`:
 * why it could not go on.
 */
export function summarize(
  state: CampaignState,
  finished: boolean,
  filed: readonly SavedFinding[],
  failure?: string,
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
    findings: grouped(findings(state), filed),
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

/** One finding for each rule and check that it breaks, those with the gravest check first. */
function grouped(all: readonly Found[], filed: readonly SavedFinding[]): readonly Finding[] {
  const groups = new Map<string, { readonly cause: Cause; readonly instances: Instance[] }>();
  for (const [i, found] of all.entries()) {
    const { cause, index, hits, small } = found;
    const group = groups.get(groupKey(cause)) ?? { cause, instances: [] };
    groups.set(groupKey(cause), group);
    group.instances.push({
      function: cause.function,
      message: messageOf(found),
      ...(filed[i] ?? unsaved(found)),
      program: index,
      hits,
      shrunk: small !== undefined,
    });
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

/** What breaks in the smallest case, in the words of its run, which are its first comment. Findings are grouped by its kind, which has no numbers. */
function messageOf({ cause, small, text }: Found): string {
  const told = `# ${cause.check}: `;
  const line = (small?.text ?? text).split('\n').find((one) => one.startsWith(told));
  return line === undefined ? cause.kind : line.slice(told.length);
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
  };
}

function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
