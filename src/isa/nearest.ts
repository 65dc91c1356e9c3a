/** What was meant by a name that nobody has: "did you mean". */

/** Edits between two words: letters put in, left out, replaced, or two swapped (restricted Damerau-Levenshtein). */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/** Names that are shown at the most. */
const MOST = 3;

/** The names nearest to a word, at most three, all equally near; none where none is within a third of its letters. */
export function nearest(word: string, names: Iterable<string>): readonly string[] {
  let best = Math.floor(Math.max(word.length, 3) / 3);
  let found: string[] = [];
  for (const name of new Set(names)) {
    const edits = editDistance(word, name);
    if (edits > best) continue;
    if (edits < best) found = [];
    best = edits;
    found.push(name);
  }
  return found.sort().slice(0, MOST);
}

/** `; did you mean 'a' or 'b'?`, or nothing where no name is near. */
export function didYouMean(word: string, names: Iterable<string>): string {
  const found = nearest(word, names).map((name) => `'${name}'`);
  return found.length === 0 ? '' : `; did you mean ${found.join(' or ')}?`;
}
