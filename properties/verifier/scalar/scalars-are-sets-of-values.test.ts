/** Containment, union and intersection of scalars mean what they say for values; ranges admit what is in them. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { u64Arbitrary } from '../../../generators/arithmetic.js';
import type { Scalar } from '../../../src/verifier/scalar/scalar.js';
import {
  admits,
  constant,
  constValue,
  contains,
  equal,
  fitsSigned,
  isConst,
  isZero,
  unknown,
} from '../../../src/verifier/scalar/scalar.js';
import { fromSigned, fromUnsigned, intersect, union } from '../../../src/verifier/scalar/set.js';
import { isConsistent } from '../../../src/verifier/scalar/sync.js';
import { tnumIn } from '../../../src/verifier/scalar/tnum.js';
import type { Sample } from '../../support/scalars.js';
import { samples } from '../../support/scalars.js';
import { seeded } from '../../support/seed.js';

type Contains = typeof contains;
type Join = (a: Scalar, b: Scalar) => Scalar | undefined;

/** Scalars that often contain one another: the second is the first, or joined with it, or a value of it. */
const related: fc.Arbitrary<readonly [Sample, Sample]> = fc
  .tuple(samples, samples, fc.nat(5))
  .map(([a, b, how]) => {
    const wide = { scalar: union(a.scalar, b.scalar), values: [...a.values, ...b.values] };
    const point = { scalar: constant(b.values[0]!), values: [b.values[0]!] };
    if (how === 0) return [wide, a] as const;
    if (how === 1) return [b, point] as const;
    if (how === 2) return [a, wide] as const;
    return [a, b] as const;
  });

const containmentIsSound = (f: Contains) =>
  fc.property(related, ([outer, inner]) => {
    if (!f(outer.scalar, inner.scalar)) return true;
    return inner.values.every((v) => admits(outer.scalar, v));
  });

const joinIsSound = (f: Join) =>
  fc.property(related, ([a, b]) => {
    const joined = f(a.scalar, b.scalar);
    return joined !== undefined && [...a.values, ...b.values].every((v) => admits(joined, v));
  });

const meetIsSound = (f: Join) =>
  fc.property(related, ([a, b]) => {
    const common = [...a.values, ...b.values].filter((v) => admits(a.scalar, v) && admits(b.scalar, v));
    const met = f(a.scalar, b.scalar);
    return common.every((v) => met !== undefined && admits(met, v));
  });

describe('scalars as sets', () => {
  test('what is contained is admitted', () => {
    fc.assert(containmentIsSound(contains), seeded(20_000));
  });

  test('containment is an order', () => {
    fc.assert(
      fc.property(related, samples, ([a, b], c) => {
        expect(contains(a.scalar, a.scalar)).toBe(true);
        expect(contains(unknown, a.scalar)).toBe(true);
        const both = contains(a.scalar, b.scalar) && contains(b.scalar, a.scalar);
        expect(both).toBe(equal(a.scalar, b.scalar));
        if (contains(a.scalar, b.scalar) && contains(b.scalar, c.scalar))
          expect(contains(a.scalar, c.scalar)).toBe(true);
        for (const v of a.values) expect(contains(a.scalar, constant(v))).toBe(true);
      }),
      seeded(5_000),
    );
  });

  test('a union has both', () => {
    fc.assert(joinIsSound(union), seeded(15_000));
    fc.assert(
      fc.property(related, ([a, b]) => {
        const joined = union(a.scalar, b.scalar);
        expect(contains(joined, a.scalar) && contains(joined, b.scalar)).toBe(true);
      }),
      seeded(5_000),
    );
  });

  test('an intersection has what both have', () => {
    fc.assert(meetIsSound(intersect), seeded(15_000));
  });

  test('an intersection is within both, and there is none where bounds do not meet', () => {
    let [met32, wider] = [0, 0];
    fc.assert(
      fc.property(related, ([{ scalar: a }, { scalar: b }]) => {
        const met = intersect(a, b);
        const apart =
          a.umin > b.umax ||
          b.umin > a.umax ||
          a.smin > b.smax ||
          b.smin > a.smax ||
          a.u32min > b.u32max ||
          b.u32min > a.u32max ||
          a.s32min > b.s32max ||
          b.s32min > a.s32max;
        if (apart) expect(met).toBeUndefined();
        if (met === undefined) return;
        expect(isConsistent(met)).toBe(true);
        met32++;
        const isWithin = [a, b].every(
          (outer) =>
            met.u32min >= outer.u32min &&
            met.u32max <= outer.u32max &&
            met.s32min >= outer.s32min &&
            met.s32max <= outer.s32max &&
            tnumIn(outer, met),
        );
        if (!isWithin) wider++;
      }),
      seeded(6_000),
    );
    // Where nothing is in both, and the domains do not see it, one of them may overrule the others.
    expect(wider).toBeLessThan(met32 / 100);
  });

  test('a union is the least that has both, field by field', () => {
    fc.assert(
      fc.property(samples, samples, ({ scalar: a }, { scalar: b }) => {
        const { value, mask, ...bounds } = union(a, b);
        for (const low of ['smin', 'umin', 's32min', 'u32min'] as const)
          expect(
            [a[low], b[low]].includes(bounds[low]) && bounds[low] <= a[low] && bounds[low] <= b[low],
          ).toBe(true);
        for (const high of ['smax', 'umax', 's32max', 'u32max'] as const)
          expect(
            [a[high], b[high]].includes(bounds[high]) && bounds[high] >= a[high] && bounds[high] >= b[high],
          ).toBe(true);
        expect(mask).toBe(a.mask | b.mask | (a.value ^ b.value));
        expect(value).toBe(a.value & b.value & ~mask);
      }),
      seeded(5_000),
    );
  });

  test('ranges', () => {
    fc.assert(
      fc.property(u64Arbitrary, u64Arbitrary, u64Arbitrary, (x, y, z) => {
        const [a, b, c] = [x, y, z].sort((p, q) => (p < q ? -1 : 1)) as [bigint, bigint, bigint];
        expect(admits(fromUnsigned(a, c), b)).toBe(true);
        expect(fromUnsigned(a, c)).toMatchObject({ umin: a, umax: c });
        const signed = [x, y, z].map((v) => BigInt.asIntN(64, v)).sort((p, q) => (p < q ? -1 : 1));
        const [low, middle, high] = signed as [bigint, bigint, bigint];
        expect(admits(fromSigned(low, high), BigInt.asUintN(64, middle))).toBe(true);
        expect(fromSigned(low, high)).toMatchObject({ smin: low, smax: high });
        expect(fitsSigned(fromSigned(low, high), low, high)).toBe(true);
      }),
      seeded(5_000),
    );
    expect(fromSigned(3n, 3n)).toBe(constant(3n));
    expect(fromSigned(3n, 2n)).toBe(unknown);
  });

  test('constants', () => {
    fc.assert(
      fc.property(u64Arbitrary, u64Arbitrary, (x, y) => {
        const s = constant(BigInt.asIntN(64, x));
        expect(isConst(s)).toBe(true);
        expect(constValue(s)).toBe(x);
        expect(admits(s, x)).toBe(true);
        expect(admits(s, y)).toBe(x === y);
        expect(isZero(s)).toBe(x === 0n);
        expect(equal(s, constant(x))).toBe(true);
      }),
      seeded(5_000),
    );
  });
});

describe('a slip in the sets is seen', () => {
  const wrongContains: [string, Contains][] = [
    ['by its bounds alone', (a, b) => contains({ ...a, value: 0n, mask: unknown.mask }, b)],
    ['by its tnum alone', (a, b) => tnumIn(a, b)],
    ['the other way round', (a, b) => contains(b, a)],
    [
      'without its 32-bit half',
      (a, b) =>
        contains(
          {
            ...unknown,
            value: a.value,
            mask: a.mask,
            smin: a.smin,
            smax: a.smax,
            umin: a.umin,
            umax: a.umax,
          },
          b,
        ),
    ],
  ];
  test.each(wrongContains)('containment %s', (_, wrong) => {
    expect(fc.check(containmentIsSound(wrong), seeded(30_000)).failed).toBe(true);
  });

  const wrongUnions: [string, Join][] = [
    ['with the tnum of the first', (a, b) => ({ ...union(a, b), value: a.value, mask: a.mask })],
    ['with the greatest of the first', (a, b) => ({ ...union(a, b), umax: a.umax })],
    ['with the 32-bit least of the second', (a, b) => ({ ...union(a, b), s32min: b.s32min })],
  ];
  test.each(wrongUnions)('a union %s', (_, wrong) => {
    expect(fc.check(joinIsSound(wrong), seeded(10_000)).failed).toBe(true);
  });

  const wrongMeets: [string, Join][] = [
    ['that is empty where the least differ', (a, b) => (a.umin === b.umin ? intersect(a, b) : undefined)],
    [
      'with the least one too great',
      (a, b) => {
        const met = intersect(a, b);
        return met && { ...met, umin: met.umin + 1n };
      },
    ],
  ];
  test.each(wrongMeets)('an intersection %s', (_, wrong) => {
    expect(fc.check(meetIsSound(wrong), seeded(10_000)).failed).toBe(true);
  });
});
