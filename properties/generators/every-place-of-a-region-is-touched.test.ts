/** Every aligned place of a region that may be touched is, and no other: from its first byte to its last, with holes anywhere. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { place } from '../../generators/compile/touch.js';
import { seeded } from '../support/seed.js';

const hole = fc
  .tuple(fc.nat(40), fc.integer({ min: 1, max: 12 }))
  .map(([from, length]) => [from, from + length] as const);

it('of any size', () => {
  fc.assert(
    fc.property(
      fc.nat(40),
      fc.array(hole, { maxLength: 3 }),
      fc.constantFrom(1, 2, 4, 8),
      (size, holes, bytes) => {
        const free = (at: number): boolean => at < size && holes.every(([from, to]) => at < from || at >= to);
        const places = Array.from({ length: 41 }, (_, at) => at).filter(
          (at) => at % bytes === 0 && Array.from({ length: bytes }, (_, i) => at + i).every(free),
        );
        const region = { size, holes, readonly: false, full: true };
        const touched = new Set(Array.from({ length: 41 }, (_, at) => place(region, bytes, at)));
        expect([...touched]).toEqual(places.length === 0 ? [undefined] : places);
      },
    ),
    seeded(500),
  );
});
