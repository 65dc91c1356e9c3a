/** What comparisons counted and found: plain data, which threads send and files keep. */
import type { Tally } from './comparison.js';

/** Differences of one kind. */
export interface Differences {
  count: number;
  /** The first few, as they can be seen again. */
  readonly examples: string[];
}

/** How often each answer came, and the differences by their kind, with examples. */
export interface Counts {
  readonly counts: Record<string, number>;
  readonly differences: Record<string, Differences>;
}

/** Examples that are kept of a kind. */
const KEPT_EXAMPLES = 5;

/** Counts to start with: nothing compared, no difference found. */
export function emptyCounts(): Counts {
  return { counts: {}, differences: {} };
}

/** A tally that writes to `into`. */
export function tallyFor(into: Counts): Tally {
  return {
    count(what, by = 1) {
      into.counts[what] = (into.counts[what] ?? 0) + by;
    },
    differ(kind, about) {
      addDifferences(into, kind, { count: 1, examples: [about] });
    },
  };
}

/** Adds what another stretch of programs gave. In order of the programs, so that the examples kept are the first ones. */
export function addCounts(into: Counts, more: Counts): void {
  for (const [what, by] of Object.entries(more.counts)) into.counts[what] = (into.counts[what] ?? 0) + by;
  for (const [kind, found] of Object.entries(more.differences)) addDifferences(into, kind, found);
}

function addDifferences(into: Counts, kind: string, { count, examples }: Differences): void {
  into.differences[kind] ??= { count: 0, examples: [] };
  const known = into.differences[kind];
  known.count += count;
  known.examples.push(...examples.slice(0, KEPT_EXAMPLES - known.examples.length));
}

/** Whether a difference of this kind is only a lack of precision: we refuse what Linux accepts. */
export function isLostPrecision(kind: string): boolean {
  return kind.startsWith('stricter');
}
