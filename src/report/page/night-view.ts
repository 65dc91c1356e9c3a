/** A campaign as data of the page. */
import type { NamedRules } from '../../campaign/naming/rules.js';
import type { History } from '../../campaign/storage/history.js';
import type { Sample } from '../../campaign/storage/samples.js';
import { contracts } from '../../kernel/catalog.js';
import { proveRules } from '../../smt/rule-proof.js';
import type { Gone, SeenWith, Summary } from '../campaign/summary.js';
import type { PageCase, PageCell, PageNight, PageNightRun, PageSeen } from './shape.js';

/** What is told of a campaign beside its summary. */
export interface ToldOfNight {
  readonly history: History | undefined;
  readonly samples: readonly Sample[];
  /** Its rule sets; those that cannot be loaded any more are missing. */
  readonly sets: readonly NamedRules[];
  /** Its cases, as they are on the page. */
  readonly cases: readonly PageCase[];
}

/** The data of a campaign. The rules are proven anew, for every function that is modelled: it takes about a second for each set. */
export async function nightOf(summary: Summary, told: ToldOfNight): Promise<PageNight> {
  const { coverage } = summary;
  const { types, held, checks, outcomes, pairs, functions } = coverage;
  return {
    seed: summary.seed,
    rules: summary.rules,
    finished: summary.finished,
    programs: summary.programs,
    accepted: summary.accepted,
    points: summary.points,
    killedEverywhere: summary.killedEverywhere,
    kernelAccepted: summary.kernelAccepted,
    kernelRejected: summary.kernelRejected,
    kernelUnjudged: summary.kernelUnjudged,
    proven: summary.proven,
    refuted: summary.refuted,
    unknown: summary.unknown,
    worst: summary.worst,
    seconds: Math.round(summary.ms / 1000),
    programsPerSecond: summary.programsPerSecond,
    byRules: summary.byRules.map(({ digest: _, ...figures }) => figures),
    unknowns: summary.unknowns,
    disagreements: summary.disagreements.map(({ program, between, message }) => ({
      program,
      between,
      message,
    })),
    disagreementCount: summary.disagreementCount,
    runs: runsOf(told.history),
    samples: told.samples,
    matrix: await matrixOf(summary, told),
    gone: summary.gone.map((one) => goneOf(one, told.cases)),
    called: coverage.called,
    contracts: coverage.contracts,
    missed: coverage.missed,
    counts: { types, held, checks, outcomes, pairs, functions },
  };
}

/** When a finding was seen, for the page. */
export const seenOf = ({ at, version, code, program }: SeenWith): PageSeen => ({
  ...{ at, version, code },
  program: program ?? null,
});

function goneOf(one: Gone, cases: readonly PageCase[]): PageNight['gone'][number] {
  const { check, rules, rule, function: name, file, firstSeen, goneSince } = one;
  const there = file === undefined ? undefined : cases.find((each) => each.file.endsWith(file));
  return {
    ...{ check, rules, rule, function: name },
    firstSeen: seenOf(firstSeen),
    goneSince: seenOf(goneSince),
    new: one.new,
    case: there?.id ?? null,
  };
}

/** The starts of the campaign, with what each saw first, had, and missed first. */
function runsOf(history: History | undefined): readonly PageNightRun[] {
  if (history === undefined) return [];
  return history.runs.map(({ begun, ended, how, version, code, seed, rules, programs }, run) => {
    const first = history.findings.filter((one) => one.first.run === run);
    return {
      begun,
      ended: ended ?? null,
      how: how ?? null,
      ...{ version, code, seed, programs },
      rules: rules.map(({ set }) => set),
      new: first.filter((one) => one.first.before !== true).length,
      there: history.findings.filter(
        (one) =>
          one.first.run <= run && one.last.run >= run && (one.gone === undefined || one.gone.run > run),
      ).length,
      gone: history.findings.filter((one) => one.gone?.run === run).length,
    };
  });
}

/** Function by rule set: what the rules do, whether that is proven, how often it ran after a kill, and the cases that blame it. */
async function matrixOf({ coverage }: Summary, { sets, cases }: ToldOfNight): Promise<readonly PageCell[]> {
  const cells: PageCell[] = [];
  for (const { rules, declared } of sets) {
    const { functions } = await proveRules(rules, contracts(declared));
    for (const { name, rule, action, verdict } of functions) {
      const ran = (action === 'stub' ? coverage.stubs : coverage.kept)[name] ?? 0;
      const blaming = cases.filter(
        (one) =>
          one.rules === rules.name &&
          one.function?.split('+').includes(name) === true &&
          (one.rule ?? '').split('+').includes(rule ?? 'no rule'),
      );
      cells.push({
        function: name,
        rules: rules.name,
        rule: rule ?? null,
        action,
        verdict,
        ran,
        cases: blaming.map(({ id }) => id),
      });
    }
  }
  return cells;
}
