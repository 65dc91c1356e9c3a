/** Counts of lengths, from which medians and percentiles are read; and counts by word. Both are plain data and add up in any order. */

/** How often each length occurred. */
export type Lengths = Map<number, number>;

/** Adds one length, or so many of it. */
export function addLength(lengths: Lengths, length: number, times = 1): void {
  lengths.set(length, (lengths.get(length) ?? 0) + times);
}

/** Adds all of `more`. */
export function addLengths(lengths: Lengths, more: ReadonlyMap<number, number>): void {
  for (const [length, times] of more) addLength(lengths, length, times);
}

/** The middle, the 99th of a hundred and the longest of some lengths. */
export interface Spread {
  readonly median: number;
  readonly p99: number;
  readonly max: number;
}

/** The spread of these lengths; null where there are none. A percentile is the least length that so many of a hundred do not pass. */
export function spreadOf(lengths: ReadonlyMap<number, number>): Spread | null {
  if (lengths.size === 0) return null;
  const sorted = [...lengths].sort(([a], [b]) => a - b);
  const total = sorted.reduce((sum, [, times]) => sum + times, 0);
  const at = (percent: number): number => {
    let left = Math.ceil((total * percent) / 100);
    return (sorted.find(([, times]) => {
      left -= times;
      return left <= 0;
    }) ?? sorted[sorted.length - 1]!)[0];
  };
  return { median: at(50), p99: at(99), max: sorted[sorted.length - 1]![0] };
}

/** How often each word was counted: a plain object, so that it prints as JSON. */
export type Words = Record<string, number>;

/** Counts a word once more, or `times` more. The object is changed in place. */
export function addWord(words: Words, word: string, times = 1): void {
  words[word] = (words[word] ?? 0) + times;
}

/** Adds all of `more`. */
export function addWords(words: Words, more: Readonly<Words>): void {
  for (const [word, times] of Object.entries(more)) addWord(words, word, times);
}

/** The same, the most frequent first, and equally frequent ones by name. */
export function mostFirst(words: Readonly<Words>): Words {
  return Object.fromEntries(
    Object.entries(words).sort(([a, x], [b, y]) => y - x || (a < b ? -1 : a > b ? 1 : 0)),
  );
}
