/** Measures all that can be measured on the running kernel, and makes rows of it. */
import { median } from 'simple-statistics';
import { type CostRow, type CostTable, nameOnMap, type Source, type Span } from '../table.js';
import { PROBES } from './probes.js';
import {
  EFFORT,
  type Effort,
  type Measured,
  measureEmpty,
  measureProbe,
  type NotMeasured,
} from './rounds.js';

/**
 * Of the least that was measured, the part that is the best. A processor works on an insn before the one before it has ended, so the same call takes less between
 * other insns than in a row of its own kind.
 */
const OVERLAP = 0.8;

/** A round that was left out, because it took many times as long as the others. */
export interface Outlier {
  readonly name: string;
  /** Nanoseconds that the round would have made of it. */
  readonly ns: number;
}

/** What measuring gave. */
export interface Measurement {
  readonly rows: readonly CostRow[];
  readonly outliers: readonly Outlier[];
  /** What the kernel did not run, and why. */
  readonly left: readonly { readonly name: string; readonly reason: string }[];
}

/**
 * Measures every probe. `before` is the table whose factors of contention are kept, for one CPU alone cannot measure them. `told` hears how many probes are
 * done. The kernel must be there.
 */
export function measureCosts(
  before: CostTable,
  effort: Effort = EFFORT,
  told: (done: number) => void = () => {},
): Measurement {
  const empty = measureEmpty(effort);
  const answers: (Measured | NotMeasured)[] = PROBES.map((probe, done) => {
    told(done);
    return measureProbe(probe, effort);
  });
  const measured = answers.filter((one): one is Measured => !('reason' in one));
  const run: CostRow = {
    kind: 'event',
    name: 'run',
    per: 'call',
    best: OVERLAP * empty.best,
    usual: empty.usual,
    worst: empty.worst,
    contention: 1,
    source: 'measured',
  };
  return {
    rows: [run, ...rowsFrom(measured, before)],
    outliers: [
      ...empty.outliers.map((ns) => ({ name: 'run', ns })),
      ...measured.flatMap(({ probe, outliers }) => outliers.map((ns) => ({ name: probe.name, ns }))),
    ],
    left: answers.flatMap((one) => ('reason' in one ? [{ name: one.probe.name, reason: one.reason }] : [])),
  };
}

/** Rows from what was measured: variants of a row are joined, a pair is halved, and bytes are told from the call. */
export function rowsFrom(measured: readonly Measured[], before: CostTable): CostRow[] {
  const found = new Map<string, Joined>();
  const more = (name: string, { probe }: Measured, source: Source, span: Span): void => {
    const { kind, per, onlyWorst } = probe;
    const key = `${kind} ${name} ${per}`;
    const known = found.get(key) ?? { row: { kind, name, per, source }, usual: [], worst: [] };
    if (onlyWorst !== true) known.usual.push(span);
    known.worst.push(span);
    found.set(key, known);
  };
  for (const one of measured) {
    const { name, per, pairWith, mapType } = one.probe;
    if (per === 'byte') continue;
    if (mapType !== undefined) more(nameOnMap(name, mapType), one, 'measured', one);
    if (pairWith === undefined) more(name, one, 'measured', one);
    else for (const each of [name, pairWith]) more(each, one, 'pair', halved(one));
  }
  for (const { one, call, byte } of bytesApart(measured)) {
    const { name } = one.probe;
    more(name, { ...one, probe: { ...one.probe, per: 'call' } }, 'measured', call);
    more(name, one, 'measured', byte);
  }
  return [...found.values()].map(({ row, usual, worst }) => ({
    ...row,
    best: OVERLAP * Math.min(...usual.map((span) => span.best)),
    usual: median(usual.map((span) => span.usual)),
    worst: Math.max(...worst.map((span) => span.worst)),
    contention: before.of(row.kind, row.name).find(({ per }) => per === row.per)?.contention ?? 1,
  }));
}

/** What becomes one row: spans that say what is best and usual, and all of them for the worst. */
interface Joined {
  readonly row: Pick<CostRow, 'kind' | 'name' | 'per' | 'source'>;
  readonly usual: Span[];
  readonly worst: Span[];
}

const halved = ({ best, usual, worst }: Span): Span => ({
  best: best / 2,
  usual: usual / 2,
  worst: worst / 2,
});

/** The same function with few and with many bytes: what a byte takes, and what the call takes without them. */
function bytesApart(
  measured: readonly Measured[],
): { readonly one: Measured; readonly call: Span; readonly byte: Span }[] {
  const sized = measured.filter(({ probe }) => probe.per === 'byte');
  return [...new Set(sized.map(({ probe }) => probe.name))].flatMap((name) => {
    const [few, many] = sized
      .filter(({ probe }) => probe.name === name)
      .sort((a, b) => a.probe.times - b.probe.times);
    if (few === undefined || many === undefined) return [];
    const [least, most] = [few.probe.times, many.probe.times];
    const byteOf = (of: keyof Span): number =>
      Math.max(0, (many[of] * most - few[of] * least) / (most - least));
    const callOf = (of: keyof Span, byte: number): number => Math.max(0, few[of] * least - byte * least);
    const byte = ascending(byteOf('best'), byteOf('usual'), byteOf('worst'));
    const call = ascending(
      callOf('best', byte.best),
      callOf('usual', byte.usual),
      callOf('worst', byte.worst),
    );
    return [{ one: few, call, byte }];
  });
}

/** Differences of measured times need not keep their order. */
function ascending(...values: readonly [number, number, number]): Span {
  const [best, usual, worst] = [...values].sort((a, b) => a - b) as [number, number, number];
  return { best, usual, worst };
}
