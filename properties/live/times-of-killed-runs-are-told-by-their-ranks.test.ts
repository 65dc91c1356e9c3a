/** Of the times that killed runs took, the median lies in the middle, the second number where 99 in 100 are below, each between the two runs next to that, and none is above the third. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { toExitOf } from '../../src/live/run/session.js';
import { seeded } from '../support/seed.js';

it('times of killed runs are told by their ranks', () => {
  expect(toExitOf([])).toBeNull();
  expect(toExitOf([7])).toEqual({ median: 7, p99: 7, max: 7 });
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 500 }), { minLength: 1, maxLength: 400 }), (times) => {
      const given = [...times];
      const { median, p99, max } = toExitOf(times)!;
      expect(times).toEqual(given);
      const sorted = given.sort((a, b) => a - b);
      for (const [told, part] of [
        [median, 50],
        [p99, 99],
      ] as const) {
        const rank = ((times.length - 1) * part) / 100;
        expect(told).toBeGreaterThanOrEqual(sorted[Math.floor(rank)]!);
        expect(told).toBeLessThanOrEqual(sorted[Math.ceil(rank)]!);
      }
      expect(max).toBe(Math.max(...times));
    }),
    seeded(300),
  );
});
