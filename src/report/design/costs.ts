/** What `costs` says: a table of costs, what measuring left out, and the estimates of programs. */
import type { Estimate } from '../../cost/estimate.js';
import type { CostRow } from '../../cost/table.js';
import { table } from '../text/table.js';
import { finite, nsInWords } from '../text/time.js';

/** One row of a table of costs. Nanoseconds. */
export interface CostInDocument extends Omit<CostRow, 'worst'> {
  /** Null: nothing bounds it. */
  readonly worst: number | null;
}

/** The row, as a document has it. */
export const costInDocument = (row: CostRow): CostInDocument => ({
  ...row,
  best: finite(row.best)!,
  usual: finite(row.usual)!,
  worst: finite(row.worst),
});

/** What makes the worst of a program, at one insn or loop. */
export interface ContributionInDocument {
  readonly slot: number;
  readonly what: string;
  /** Null: no bound. */
  readonly ns: number | null;
  /** What controls the loop, and the rounds of each at the most; null where nothing limits them. */
  readonly loops: readonly { readonly slot: number; readonly by: string; readonly rounds: number | null }[];
}

/** One program of `costs estimate`. Nanoseconds. */
export interface EstimateRow {
  readonly file: string;
  readonly name: string;
  /** Null where there is no estimate. */
  readonly best: number | null;
  /** Null: nothing bounds it, or there is no estimate. */
  readonly worst: number | null;
  /** The worst over the best; null where there is no worst. */
  readonly ratio: number | null;
  /** Why there is no worst, or no estimate; '' where there is one. */
  readonly reason: string;
  /** What the run in the VM takes, where everything goes well; null where it has no end within the limit of a run. */
  readonly actual: number | null;
  /** With --kernel: the median of test runs, and whether it lies within the estimate. Null: the kernel does not run or time it. */
  readonly kernel?: {
    readonly median: number | null;
    readonly least: number | null;
    readonly most: number | null;
    readonly outliers: number;
    readonly inside: boolean | null;
    /** Why there is none; '' where there is one. */
    readonly reason: string;
  };
  readonly makes: readonly ContributionInDocument[];
  readonly path: Estimate['path'];
  /** Functions whose cost is assumed. */
  readonly assumed: readonly string[];
}

/** The parts of a row that come from the estimate. */
export function estimateFields(
  found: Estimate,
): Pick<EstimateRow, 'best' | 'worst' | 'ratio' | 'reason' | 'makes' | 'path' | 'assumed'> {
  return {
    best: finite(found.best),
    worst: finite(found.worst),
    ratio: finite(found.worst / found.best),
    reason: found.endless,
    makes: found.makes.map(({ slot, what, ns, loops }) => ({
      slot,
      what,
      ns: finite(ns),
      loops: loops.map((loop) => ({ slot: loop.slot, by: loop.by, rounds: finite(loop.rounds) })),
    })),
    path: found.path,
    assumed: found.assumed,
  };
}

const ns = (value: number | null): string => (value === null ? '-' : nsInWords(value));

/** The table for people. */
export function costsInWords(rows: readonly CostInDocument[]): string {
  const cell = (value: number | null): string => (value === null ? '-' : `${Number(value.toPrecision(3))}`);
  return table(
    ['kind', 'name', 'per', 'best', 'usual', 'worst', 'contention', 'source'],
    rows.map((row) => [
      row.kind,
      row.name,
      row.per,
      cell(row.best),
      cell(row.usual),
      cell(row.worst),
      row.contention,
      row.source,
    ]),
    ['best', 'usual', 'worst', 'contention'],
  );
}

/** What was left out of a measurement, a line for each function. */
export function leftOutOfCosts(
  outliers: readonly { readonly name: string; readonly ns: number }[],
  left: readonly { readonly name: string; readonly reason: string }[],
): string {
  const names = [...new Set(outliers.map(({ name }) => name))];
  const rounds = names.map((name) => {
    const all = outliers.filter((one) => one.name === name).map((one) => nsInWords(one.ns));
    return `outliers: ${name}: ${all.join(', ')}, left out as interrupted\n`;
  });
  return [...rounds, ...left.map(({ name, reason }) => `not measured: ${name}: ${reason}\n`)].join('');
}

/** How many contributions a person is shown. */
const SHOWN = 4;

/** Estimates for people: a row a program, and below what makes the worst of each. */
export function estimatesInWords(rows: readonly EstimateRow[]): string {
  const kernel = rows.some((row) => row.kernel !== undefined);
  const head = [
    'program',
    'best',
    'worst',
    'ratio',
    'in the VM',
    ...(kernel ? ['in Linux', 'inside'] : []),
    '',
  ];
  const body = rows.map((row) => [
    `${row.file}:${row.name}`,
    ns(row.best),
    ns(row.worst),
    row.ratio === null ? '-' : row.ratio.toFixed(1),
    ns(row.actual),
    ...(kernel ? [ns(row.kernel?.median ?? null), insideInWords(row.kernel?.inside ?? null)] : []),
    row.reason === '' ? (row.kernel?.reason ?? '') : row.reason,
  ]);
  const makes = rows.map((row) => makesInWords(row)).join('');
  return `${table(head, body, ['best', 'worst', 'ratio', 'in the VM', 'in Linux'])}${makes === '' ? '' : `\n${makes}`}`;
}

const insideInWords = (inside: boolean | null): string => (inside === null ? '-' : inside ? 'yes' : 'NO');

/** `name: what makes the worst: 2.3 ms loop at 5 (bpf_loop at 9, 10000 rounds), 120 ns bpf_trace_printk at 7`. */
function makesInWords({ name, makes, assumed }: EstimateRow): string {
  if (makes.length === 0) return '';
  const parts = makes.slice(0, SHOWN).map(({ slot, what, ns: time, loops }) => {
    const rounds = loops.map((one) => `${one.by} at ${one.slot}, ${one.rounds ?? 'any number of'} rounds`);
    const where = what === 'insns' || what === 'entry and exit' ? '' : ` at ${slot}`;
    return `${ns(time)} ${what}${where}${rounds.length === 0 ? '' : ` (${rounds.join('; ')})`}`;
  });
  const more = makes.length > SHOWN ? `, ${makes.length - SHOWN} more` : '';
  const guess = assumed.length === 0 ? '' : `; assumed: ${assumed.join(', ')}`;
  return `${name}: ${parts.join(', ')}${more}${guess}\n`;
}
