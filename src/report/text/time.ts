/** Times in words and in documents. */

const UNITS: readonly (readonly [factor: number, unit: string])[] = [
  [3.6e12, 'h'],
  [6e10, 'min'],
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'us'],
];

/** Nanoseconds in a unit that suits them, with three digits: `12.3 us`; `no bound` for Infinity. */
export function nsInWords(ns: number): string {
  if (!Number.isFinite(ns)) return 'no bound';
  const [factor, unit] = UNITS.find(([least]) => ns >= least) ?? [1, 'ns'];
  return `${Number((ns / factor).toPrecision(3))} ${unit}`;
}

/** Nanoseconds for a document, with three digits behind the point: null for what has no bound. */
export const finite = (ns: number): number | null =>
  Number.isFinite(ns) ? Math.round(ns * 1000) / 1000 : null;
