/** A comparison of strategies as rows: numbers for JSON, and a table for people. */
import { mostFirst, type Spread, spreadOf, type Words } from '../../design/counts.js';
import type { Comparison } from '../../design/design.js';
import type { Tally } from '../../design/tally.js';
import type { Strategy } from '../../strategies/strategy.js';
import type { Check } from '../../vm/state/trap.js';
import { table } from '../text/table.js';

/** A kind of failure under a strategy, with the smallest program that shows it. */
export interface DesignFailure {
  readonly check: Check;
  /** What leaked or was used wrongly. */
  readonly kind: string;
  /** Points at which it comes. */
  readonly points: number;
  /** Insns of the program that shows it. */
  readonly insns: number;
  /** Where that program comes from. */
  readonly from: string;
  /** The case that replays, as text. */
  readonly case: string;
  /** The file that it was written to, with --out. */
  readonly file?: string;
}

/** One strategy. Points are points of the programs that it takes. */
export interface DesignRow {
  readonly name: string;
  readonly does: string;
  /** Programs that it takes. */
  readonly programs: number;
  readonly points: number;
  /** Points at which something of a kind leaks. */
  readonly leaks: Readonly<Words>;
  readonly leakPoints: number;
  /** Points at which memory, an exit value or something held is used wrongly. */
  readonly faults: number;
  readonly faultKinds: Readonly<Words>;
  /** Points by check that breaks. */
  readonly broken: Readonly<Words>;
  /** Share of the points at which the kill takes effect at once, from 0 to 1. */
  readonly stopsAtOnce: number;
  /** Points at which it never does: the program comes to its own exit first, or to the bound. */
  readonly withoutEffect: number;
  /** Insns from a kill to where it takes effect, where it does; null where it never does. */
  readonly toEffect: Spread | null;
  /** Insns from a kill to the end of the run. */
  readonly toExit: Spread | null;
  /** Insns that it adds to a run that is not killed, on average, and those of the run itself. */
  readonly extraInsns: number;
  readonly ordinaryInsns: number;
  /** Bytes a program from its load on, on average. */
  readonly bytes: number;
  /** The most bytes that a run needs besides. */
  readonly runBytes: number;
  /** Milliseconds a program at load, on average. */
  readonly ms: number;
  /** Programs that it cannot take, by reason. */
  readonly refused: Readonly<Words>;
  readonly failures: readonly DesignFailure[];
}

const rounded = (value: number, digits = 2): number => Number(value.toFixed(digits));
const mean = (sum: number, of: number): number => (of === 0 ? 0 : rounded(sum / of));

/** One row for each strategy, in the order in which they were asked for; shares and means are rounded. */
export function designRows({
  strategies,
  part,
}: Pick<Comparison, 'strategies' | 'part'>): readonly DesignRow[] {
  return strategies.map((strategy, i) => rowOf(strategy, part.tallies[i]!));
}

function rowOf({ name, does }: Strategy, tally: Tally): DesignRow {
  return {
    name,
    does,
    programs: tally.programs,
    points: tally.points,
    leaks: mostFirst(tally.leaks),
    leakPoints: tally.leakPoints,
    faults: tally.faultPoints,
    faultKinds: mostFirst(tally.faults),
    broken: mostFirst(tally.broken),
    stopsAtOnce: tally.points === 0 ? 0 : rounded(tally.atOnce / tally.points, 4),
    withoutEffect: tally.never,
    toEffect: spreadOf(tally.toEffect),
    toExit: spreadOf(tally.toExit),
    extraInsns: mean(tally.extraInsns, tally.runs),
    ordinaryInsns: mean(tally.ordinaryInsns, tally.runs),
    bytes: mean(tally.bytes, tally.programs),
    runBytes: tally.runBytes,
    ms: mean(tally.ms, tally.programs),
    refused: mostFirst(tally.refused),
    failures: [...tally.witnesses.values()]
      .sort((a, b) => b.points - a.points || (a.check + a.kind < b.check + b.kind ? -1 : 1))
      .map(({ check, kind, points, insns, from, text }) => ({
        check,
        kind,
        points,
        insns,
        from,
        case: text,
      })),
  };
}

/** `12.3 %` of a share. */
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const spread = (one: Spread | null): string =>
  one === null ? '-' : `${one.median} / ${one.p99} / ${one.max}`;
const words = (all: Readonly<Words>, most = 3): string => {
  const entries = Object.entries(all);
  const told = entries.slice(0, most).map(([word, count]) => `${word} ${count}`);
  return [...told, ...(entries.length > most ? [`and ${entries.length - most} more`] : [])].join(', ');
};

/** The table that a terminal shows, and below it what leaks, what faults, and what each strategy cannot take. */
export function designInWords(
  rows: readonly DesignRow[],
  totals: {
    readonly programs: number;
    readonly runs: number;
    readonly points: number;
    readonly holdingPoints: number;
  },
): string {
  const { programs, runs, points, holdingPoints } = totals;
  const head = `${programs} programs, ${runs} runs, ${points} points; at ${holdingPoints} of them something is held\n\n`;
  const columns = [
    'strategy',
    'takes',
    'leaks',
    'faults',
    'at once',
    'to effect',
    'to exit',
    'extra insns',
    'bytes',
  ];
  const main = table(
    columns,
    rows.map((row) => [
      row.name,
      row.programs,
      row.leakPoints,
      row.faults,
      percent(row.stopsAtOnce),
      spread(row.toEffect),
      spread(row.toExit),
      row.extraInsns,
      row.bytes,
    ]),
    columns.slice(1),
  );
  const note =
    '\nto effect, to exit: insns, median / 99th of 100 / most; leaks, faults: points; bytes, extra insns: on average\n';
  const details = rows.flatMap((row) => [
    ...(row.leakPoints === 0 ? [] : [`${row.name} leaks ${words(row.leaks)}`]),
    ...(row.faults === 0 ? [] : [`${row.name} faults: ${words(row.faultKinds)}`]),
    ...(row.broken.bound === undefined
      ? []
      : [`${row.name} does not end in time at ${row.broken.bound} points`]),
    ...(Object.keys(row.refused).length === 0 ? [] : [`${row.name} cannot take: ${words(row.refused)}`]),
  ]);
  return `${head}${main}${note}\n${details.map((line) => `${line}\n`).join('')}`;
}
