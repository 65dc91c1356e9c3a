/** The distance of two words is the least number of edits, found here by trying all ways; the nearest names are all those at the least distance within a third of the letters. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { didYouMean, editDistance, nearest } from '../../src/isa/nearest.js';
import { seeded } from '../support/seed.js';

/** Edits by their definition: over all ways to end the two words. */
function edits(a: string, b: string): number {
  if (a === '' || b === '') return a.length + b.length;
  const [x, y] = [a.slice(0, -1), b.slice(0, -1)];
  const ways = [edits(x, b) + 1, edits(a, y) + 1, edits(x, y) + (a.at(-1) === b.at(-1) ? 0 : 1)];
  if (a.length > 1 && b.length > 1 && a.at(-1) === b.at(-2) && a.at(-2) === b.at(-1))
    ways.push(edits(a.slice(0, -2), b.slice(0, -2)) + 1);
  return Math.min(...ways);
}

/** Two letters make swaps frequent. */
const word = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 6 });
const short = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 5 });

it('edits are as few as can be', () => {
  fc.assert(
    fc.property(fc.oneof(word, short), fc.oneof(word, short), (a, b) => {
      expect(editDistance(a, b)).toBe(edits(a, b));
    }),
    seeded(300),
  );
});

it('the nearest are all at the least distance, at most three, in order', () => {
  fc.assert(
    fc.property(word, fc.array(word, { maxLength: 8 }), (wanted, names) => {
      const limit = Math.floor(Math.max(wanted.length, 3) / 3);
      const distances = names.map((name) => edits(wanted, name));
      const least = Math.min(...distances);
      const all = [...new Set(names.filter((_, i) => distances[i] === least && least <= limit))].sort();
      expect(nearest(wanted, names)).toEqual(all.slice(0, 3));
      const said = didYouMean(wanted, names);
      expect(said).toBe(
        all.length === 0
          ? ''
          : `; did you mean ${all
              .slice(0, 3)
              .map((name) => `'${name}'`)
              .join(' or ')}?`,
      );
    }),
    seeded(300),
  );
});
