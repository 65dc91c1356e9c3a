/** What `policy` says: programs under their limits, and simulations as tables, CSV and charts. */
import type { CheckedProgram } from '../../policy/check.js';
import type { HookResult } from '../../policy/simulate/simulate.js';
import type { Point } from '../../policy/simulate/sweep.js';
import type { Action } from '../../policy/words.js';
import { type Chart, chartInSvg } from '../text/chart.js';
import { table } from '../text/table.js';
import { finite, nsInWords } from '../text/time.js';
import { type ContributionInDocument, type EstimateRow, estimateFields } from './costs.js';

/** One program of `policy check`. Nanoseconds. */
export interface PolicyRow {
  readonly file: string;
  readonly name: string;
  /** Null: no limit is for it. */
  readonly limit: {
    readonly hook: string;
    readonly program: string;
    readonly time: number;
    readonly action: Action;
  } | null;
  readonly verdict: CheckedProgram['verdict'];
  readonly ok: boolean;
  readonly reason: string;
  readonly best: number | null;
  /** Null: nothing bounds it, or it is not known. */
  readonly worst: number | null;
  /** Of a program whose runs are to be killed: nanoseconds from the first patched insn to the exit. Null: not known, or not bounded. */
  readonly timeToDie: number | null;
  readonly makes: readonly ContributionInDocument[];
  readonly path: EstimateRow['path'];
  readonly assumed: readonly string[];
}

/** The row of a program that was checked. */
export function policyRow(
  file: string,
  name: string,
  { limit, estimate, dies, verdict, reason }: CheckedProgram,
): PolicyRow {
  const fields = estimate && estimateFields(estimate);
  return {
    file,
    name,
    limit:
      limit === undefined
        ? null
        : { hook: limit.hook, program: limit.program, time: limit.time, action: limit.action },
    verdict,
    ok: verdict === 'within' || verdict === 'killable',
    reason,
    best: fields?.best ?? null,
    worst: fields?.worst ?? null,
    timeToDie: dies === undefined ? null : finite(dies.run),
    makes: fields?.makes ?? [],
    path: fields?.path ?? [],
    assumed: fields?.assumed ?? [],
  };
}

const ns = (value: number | null): string => (value === null ? '-' : nsInWords(value));
/** Contributions that are shown of a program that is not within its limit. */
const SHOWN = 4;

/** A row a program, and below it of each that is not within its limit what makes the worst, and the way of it. */
export function policyInWords(rows: readonly PolicyRow[]): string {
  const body = rows.map(({ file, name, limit, verdict, best, worst, timeToDie, reason }) => [
    `${file}:${name}`,
    limit === null ? '-' : nsInWords(limit.time),
    limit?.action ?? '-',
    ns(best),
    ns(worst),
    ns(timeToDie),
    verdict,
    reason,
  ]);
  const head = ['program', 'limit', 'action', 'best', 'worst', 'dies in', 'verdict', ''];
  const below = rows.flatMap((row) => (row.ok ? [] : whyInWords(row)));
  return [table(head, body, ['limit', 'best', 'worst', 'dies in']), ...below].join('');
}

function whyInWords({ file, name, makes, path }: PolicyRow): string[] {
  const parts = makes.slice(0, SHOWN).map(({ slot, what, ns: time, loops }) => {
    const rounds = loops.map((one) => `${one.by} at ${one.slot}, ${one.rounds ?? 'any number of'} rounds`);
    return `  ${ns(time)}  ${what} at ${slot}${rounds.length === 0 ? '' : ` (${rounds.join('; ')})`}\n`;
  });
  const way = path.map(({ slot, what }) => `${slot} ${what}`).join(', ');
  return [`\n${file}:${name}: what makes the worst\n`, ...parts, way === '' ? '' : `  way: ${way}\n`];
}

/** Figures of a hook that a chart may show. */
export const MEASURES = [
  'throughput',
  'p99',
  'median',
  'mean',
  'kills',
  'timeLost',
  'denied',
  'leaked',
  'runTime',
] as const;
/** One of them. */
export type Measure = (typeof MEASURES)[number];

/** The figure of a hook; 0 where nothing ended. */
export function measureOf(hook: HookResult, measure: Measure): number {
  switch (measure) {
    case 'p99':
    case 'median':
    case 'mean':
      return hook.latency?.[measure] ?? 0;
    case 'runTime':
      return hook.runTime ?? 0;
    default:
      return hook[measure];
  }
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

/** Columns of the table and the CSV behind the values that are swept. */
const COLUMNS: readonly (readonly [name: string, of: (hook: HookResult) => number | string])[] = [
  ['hook', (h) => h.name],
  ['throughput', (h) => rounded(h.throughput)],
  ['latency_mean_ns', (h) => (h.latency === null ? '' : rounded(h.latency.mean))],
  ['latency_median_ns', (h) => (h.latency === null ? '' : rounded(h.latency.median))],
  ['latency_p99_ns', (h) => (h.latency === null ? '' : rounded(h.latency.p99))],
  ['latency_max_ns', (h) => (h.latency === null ? '' : rounded(h.latency.max))],
  ['runs', (h) => h.runs],
  ['run_ns', (h) => (h.runTime === null ? '' : rounded(h.runTime))],
  ['kills', (h) => h.kills],
  ['overruns', (h) => h.overruns],
  ['time_lost_ns', (h) => rounded(h.timeLost)],
  ['denied', (h) => h.denied],
  ['leaked', (h) => h.leaked],
  ['refused', (h) => (h.refused ? 1 : 0)],
  ['detached_at_ns', (h) => (h.detachedAt === null ? '' : rounded(h.detachedAt))],
];

const quoted = (cell: number | string): string =>
  /[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : String(cell);

/** A line for each hook of each point, under a head. */
export function pointsInCsv(points: readonly Point[]): string {
  const swept = Object.keys(points[0]?.values ?? {});
  const lines = points.flatMap(({ values, hooks }) =>
    hooks.map((hook) => [...swept.map((name) => values[name]!), ...COLUMNS.map(([, of]) => of(hook))]),
  );
  return [[...swept, ...COLUMNS.map(([name]) => name)], ...lines]
    .map((cells) => `${cells.map(quoted).join(',')}\n`)
    .join('');
}

/** The same as a table for people. */
export function pointsInWords(points: readonly Point[]): string {
  const swept = Object.keys(points[0]?.values ?? {});
  const columns = ['hook', 'ops/s', 'median', 'p99', 'run', 'kills', 'overruns', 'lost', 'denied', 'leaked'];
  const rows = points.flatMap(({ values, hooks }) =>
    hooks.map((h) => [
      ...swept.map((name) => values[name]!),
      h.name,
      Math.round(h.throughput),
      ns(h.latency?.median ?? null),
      ns(h.latency?.p99 ?? null),
      ns(h.runTime),
      h.kills,
      h.overruns,
      nsInWords(h.timeLost),
      h.denied,
      h.leaked,
    ]),
  );
  const cannot = new Set(points.flatMap(({ hooks }) => hooks.flatMap((hook) => hook.cannot ?? [])));
  const told = [...cannot].map((one) => `not loaded: ${one}\n`);
  return [table([...swept, ...columns], rows, columns.slice(1)), ...told].join('');
}

/** A chart of one figure over one of the values that are swept; a line for each combination of the others, and each hook. */
export function pointsInSvg(points: readonly Point[], measure: Measure, x: string | undefined): string {
  const swept = Object.keys(points[0]?.values ?? {});
  const along = x ?? swept[0];
  const lines = new Map<string, (readonly [number | string, number])[]>();
  const several = (points[0]?.hooks.length ?? 0) > 1;
  for (const { values, hooks } of points) {
    for (const hook of hooks) {
      const others = swept.filter((name) => name !== along).map((name) => `${name} ${values[name]}`);
      const name = [...(several || others.length === 0 ? [hook.name] : []), ...others].join(', ');
      const at = along === undefined ? hook.name : values[along]!;
      lines.set(name, [...(lines.get(name) ?? []), [at, measureOf(hook, measure)]]);
    }
  }
  const chart: Chart = {
    title: `${measure}${along === undefined ? '' : ` by ${along}`}`,
    x: along ?? 'hook',
    y: measure,
    lines: [...lines].map(([name, at]) => ({ name, points: at })),
  };
  return chartInSvg(chart);
}
