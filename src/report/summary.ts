/** What a campaign says: its document for programs, and the same in words. */
import { type Cause, groupKey } from '../campaign/cause.js';
import { type CampaignState, type Found, findings } from '../campaign/state.js';
import type { SavedFinding } from '../campaign/storage/findings.js';
import { contracts } from '../kernel/catalog.js';
import type { Check } from '../vm/trap.js';
import { CHECKS } from '../vm/trap.js';

/** A function that a rule is wrong for, with its smallest case. */
export interface Instance extends SavedFinding {
  readonly function: string;
  /** What its run says, with its own functions and numbers. */
  readonly message: string;
  /** Program of the campaign it was first met in, and programs that hit it. */
  readonly program: number;
  readonly hits: number;
  readonly shrunk: boolean;
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

/** The JSON document of `fuzz`. Other people's scripts read it: fields are added, never renamed. */
export interface Summary {
  readonly seed: number;
  readonly rules: readonly string[];
  readonly version: string;
  readonly finished: boolean;
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
  readonly worst: number;
  readonly findings: readonly Finding[];
  readonly disagreementCount: number;
  readonly disagreements: CampaignState['disagreements'];
  readonly coverage: CoverageSummary;
  readonly ms: number;
  readonly programsPerSecond: number;
}

/** The document of a campaign; `filed` says where each finding (in the order of `findings`) is kept. */
export function summarize(state: CampaignState, finished: boolean, filed: readonly SavedFinding[]): Summary {
  const { setting } = state;
  const kernel = (count: number): number | null => (setting.kernel ? count : null);
  return {
    seed: setting.seed,
    rules: setting.rules,
    version: state.version,
    finished,
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
    worst: state.worst,
    findings: grouped(findings(state), filed),
    disagreementCount: state.disagreementCount,
    disagreements: state.disagreements,
    coverage: coverageOf(state),
    ms: state.ms,
    programsPerSecond: state.ms === 0 ? 0 : Math.round((state.done / state.ms) * 1e5) / 100,
  };
}

/** One finding for each rule and check that it breaks. */
function grouped(all: readonly Found[], filed: readonly SavedFinding[]): readonly Finding[] {
  const groups = new Map<string, { readonly cause: Cause; readonly instances: Instance[] }>();
  for (const [i, found] of all.entries()) {
    const { cause, index, hits, small } = found;
    const group = groups.get(groupKey(cause)) ?? { cause, instances: [] };
    groups.set(groupKey(cause), group);
    group.instances.push({
      function: cause.function,
      message: messageOf(found),
      ...filed[i]!,
      program: index,
      hits,
      shrunk: small !== undefined,
    });
  }
  return [...groups.values()].map(({ cause: { check, rules, rule }, instances }) => {
    const [first, ...also] = instances.sort((a, b) => a.insns - b.insns || (a.file < b.file ? -1 : 1));
    return { check, rules, rule, ...first!, also };
  });
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

/** Writes the summary for a person, several lines: counts, then findings, then at most 20 disagreements. */
export function inWords(one: Summary): string {
  const lines = [
    `seed ${one.seed}, rules ${one.rules.join(', ')}${one.finished ? '' : ' (stopped before its end)'}`,
    `${one.programs} programs, ${one.accepted} accepted, ${one.killedEverywhere} killed everywhere (${one.points} points)`,
    `${one.proven} proven, ${one.refuted} refuted, ${one.unknown} unknown; at most ${one.worst} insns from a kill to the exit`,
  ];
  if (one.kernelAccepted !== null) {
    const unjudged = one.kernelUnjudged === 0 ? '' : `, ${one.kernelUnjudged} it cannot judge`;
    lines.push(`Linux accepts ${one.kernelAccepted}, refuses ${one.kernelRejected}${unjudged}`);
  }
  lines.push(`${one.findings.length} findings${one.findings.length > 0 ? ':' : ''}`);
  for (const found of one.findings) {
    lines.push(
      `    ${found.check} under ${found.rules}, rule '${found.rule}'`,
      `        ${found.function}: ${found.message}: ${found.insns} insns, ${found.hits} hits: ${found.file}`,
      ...found.also.map(
        (other) => `        also ${other.function}: ${other.insns} insns, ${other.hits} hits: ${other.file}`,
      ),
    );
  }
  if (one.disagreementCount > 0) {
    lines.push(`${one.disagreementCount} disagreements, which are bugs of swansong's own:`);
    for (const { program, between, message } of one.disagreements.slice(0, 20)) {
      lines.push(`    program ${program}, ${between}: ${message}`);
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}
