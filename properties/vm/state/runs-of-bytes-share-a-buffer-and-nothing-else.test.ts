/**
 * Small regions and registers are taken out of large buffers. Nothing but speed may tell: each run of bytes is zero when it is new, begins where a
 * 64-bit word may, and no other run sees what is written to it.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyOf, newBytes, newWords } from '../../../src/vm/state/slab.js';
import { seeded } from '../../support/seed.js';

/** Sizes of stacks and values, odd ones, and those that get a buffer of their own. */
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 70 }),
  fc.constantFrom(512, 2048, 2049, 4096),
  fc.integer({ min: 0, max: 3000 }),
);

it('new bytes are zero, aligned, and seen by nobody else', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(sizes, fc.integer({ min: 1, max: 255 })), { maxLength: 60 }), (wanted) => {
      const made = wanted.map(([size, mark]) => {
        const bytes = newBytes(size);
        expect([bytes.length, bytes.byteOffset % 8]).toEqual([size, 0]);
        expect(bytes.every((byte) => byte === 0)).toBe(true);
        bytes.fill(mark);
        return { bytes, mark };
      });
      for (const { bytes, mark } of made) expect(bytes.every((byte) => byte === mark)).toBe(true);
    }),
    seeded(100),
  );
});

it('a copy has the same bytes, and changes alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
      const before = [...bytes];
      const copy = copyOf(bytes);
      expect([...copy]).toEqual(before);
      copy.fill(0xff);
      expect([...bytes]).toEqual(before);
      const again = copyOf(copy);
      copy.fill(1);
      expect(again.every((byte) => byte === 0xff)).toBe(true);
    }),
    seeded(50),
  );
});

it('new words can be seen as 64-bit numbers, among runs of any size', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(sizes, fc.integer({ min: 1, max: 20 })), { maxLength: 40 }), (wanted) => {
      const words = wanted.map(([size, count]) => {
        newBytes(size).fill(0xee);
        const { buffer, at } = newWords(count);
        return new BigUint64Array(buffer, at, count);
      });
      for (const run of words) expect(run.every((word) => word === 0n)).toBe(true);
      words.forEach((run, i) => {
        run.fill(BigInt(i));
      });
      words.forEach((run, i) => {
        expect(run.every((word) => word === BigInt(i))).toBe(true);
      });
    }),
    seeded(50),
  );
});
