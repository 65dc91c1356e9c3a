/** Sets of whole numbers as ranges: which programs of a campaign are done, whatever the order in which shards ended. */

/** From (inclusive) and to (exclusive). */
export type Range = readonly [from: number, to: number];

/** The set with one more range: ascending, no two touch. Throws where it holds a number of `range` already, or `range` is empty. */
export function withRange(ranges: readonly Range[], [from, to]: Range): Range[] {
  if (from >= to) throw new Error(`no range: ${from} to ${to}`);
  const before = ranges.filter(([, end]) => end <= from);
  const behind = ranges.filter(([start]) => start >= to);
  if (before.length + behind.length !== ranges.length) throw new Error(`${from} to ${to} is done already`);
  const last = before.at(-1);
  const next = behind[0];
  const joined: Range = [last?.[1] === from ? last[0] : from, next?.[0] === to ? next[1] : to];
  return [
    ...(last?.[1] === from ? before.slice(0, -1) : before),
    joined,
    ...(next?.[0] === to ? behind.slice(1) : behind),
  ];
}

/** Whether the set holds a number. */
export function holds(ranges: readonly Range[], one: number): boolean {
  return ranges.some(([from, to]) => from <= one && one < to);
}

/** The first number at or above `from` that the set does not hold. */
export function firstMissing(ranges: readonly Range[], from = 0): number {
  return ranges.reduce((at, [start, end]) => (start <= at && at < end ? end : at), from);
}

/** How many numbers it holds. */
export function count(ranges: readonly Range[]): number {
  return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
}

/** Whether these are ranges as they are kept: ascending, not empty, no two touch. */
export function areRanges(value: unknown): value is readonly Range[] {
  if (!Array.isArray(value)) return false;
  let end = -1;
  for (const range of value) {
    if (!Array.isArray(range) || range.length !== 2 || !range.every(Number.isSafeInteger)) return false;
    if (range[0] < 0 || range[0] <= end || range[1] <= range[0]) return false;
    end = range[1];
  }
  return true;
}
