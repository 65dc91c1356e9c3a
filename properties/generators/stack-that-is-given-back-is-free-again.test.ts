/** The stack of a generated function: what is taken does not overlap, and what is given back can be taken again, all of it. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Allocator } from '../../generators/compile/frame.js';
import { seeded } from '../support/seed.js';

const LIMIT = 128;

it('stack that is given back is free again', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 }), (sizes) => {
      const allocator = new Allocator(LIMIT);
      const whole = allocator.stack(LIMIT);
      allocator.releaseStack(whole, LIMIT);
      const taken: { off: number; bytes: number }[] = [];
      for (const bytes of sizes) {
        const words = 8 * Math.ceil(bytes / 8);
        if (taken.reduce((sum, one) => sum + 8 * Math.ceil(one.bytes / 8), words) > LIMIT) break;
        const off = allocator.stack(bytes);
        expect([off >= -LIMIT, off % 8, off + words <= 0]).toEqual([true, -0, true]);
        for (const one of taken)
          expect(off + words <= one.off || one.off + 8 * Math.ceil(one.bytes / 8) <= off).toBe(true);
        taken.push({ off, bytes });
      }
      for (const { off, bytes } of taken) allocator.releaseStack(off, bytes);
      expect(allocator.stack(LIMIT)).toBe(whole);
    }),
    seeded(200),
  );
});
