/**
 * Our scalar arithmetic, refinement and bounds, fast as they are, against the kernel's functions written down a second time, line by line and
 * slow: the same in every field. Unlike the kernel's log it needs no kernel, and goes through a hundred thousand operations in a second.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  binaryArbitrary,
  comparisonArbitrary,
  u64Arbitrary,
  widthArbitrary,
} from '../../../generators/arithmetic.js';
import { forkScalar, scalarArithmetic } from '../../../src/verifier/scalar/alu.js';
import { branchTaken, refine } from '../../../src/verifier/scalar/refine.js';
import { constant, isConst, type Scalar } from '../../../src/verifier/scalar/scalar.js';
import { fromSigned, fromUnsigned } from '../../../src/verifier/scalar/set.js';
import { isConsistent, mutableCopy, sanityChecked, syncBounds } from '../../../src/verifier/scalar/sync.js';
import { tnumMul } from '../../../src/verifier/scalar/tnum.js';
import { samples, unsynced } from '../../support/scalars.js';
import { seeded } from '../../support/seed.js';
import {
  fromKernel,
  kernelBinary,
  kernelBranchTaken,
  kernelNegate,
  kernelRefine,
  kernelSignExtend,
  kernelTnumMul,
  kernelZeroExtend,
  regBoundsSanityCheck,
  regBoundsSync,
  toKernel,
} from '../../support/verifier/kernel-scalars.js';

const BITS = [8, 16, 32] as const;

/** Where constants meet, the kernel computes with them; ours takes the concrete result, which another property compares. */
const someUnknown = fc.tuple(samples, samples).filter(([a, b]) => !isConst(a.scalar) || !isConst(b.scalar));

/** A count for a shift as often as another number. */
const operands = fc
  .tuple(someUnknown, fc.nat(70), fc.boolean())
  .map(([[a, b], by, isShift]): [Scalar, Scalar] => {
    if (isShift && !isConst(a.scalar)) return [a.scalar, constant(BigInt(by))];
    return [a.scalar, b.scalar];
  });

/** Two scalars that are compared: often one is a constant at the other's edge, or near it. */
const compared = fc
  .tuple(samples, samples, fc.nat(11), fc.integer({ min: -1, max: 1 }))
  .map(([a, b, how, by]): [Scalar, Scalar] => {
    const { umin, umax, smin, smax, s32min, s32max, u32min, u32max } = a.scalar;
    const edges = [umin, umax, smin, smax, BigInt(s32min), BigInt(s32max), BigInt(u32min), BigInt(u32max)];
    const edge = edges[how];
    if (edge === undefined) return [a.scalar, b.scalar];
    return how % 2 === 0 ? [a.scalar, constant(edge + BigInt(by))] : [constant(edge + BigInt(by)), a.scalar];
  });

describe('as in the kernel`s source', () => {
  test('domains teach each other', () => {
    fc.assert(
      fc.property(unsynced, ({ bounds }) => {
        const made = mutableCopy(bounds);
        syncBounds(made);
        const theirs = toKernel(bounds);
        regBoundsSync(theirs);
        expect(made).toEqual(fromKernel(theirs));
        expect(sanityChecked(made)).toEqual(fromKernel(regBoundsSanityCheck(theirs)));
      }),
      seeded(8_000),
    );
  });

  test('contradictory bounds are seen', () => {
    const any = fc.tuple(unsynced, unsynced, fc.nat(9)).map(([a, b, field]) => {
      const key = (Object.keys(a.bounds) as (keyof Scalar)[])[field]!;
      return { ...a.bounds, [key]: b.bounds[key] } as Scalar;
    });
    fc.assert(
      fc.property(any, (bounds) => {
        const checked = regBoundsSanityCheck(toKernel(bounds));
        const kept = fromKernel(checked);
        expect(isConsistent(bounds)).toBe(
          Object.entries(kept).every(([k, v]) => bounds[k as keyof Scalar] === v),
        );
      }),
      seeded(8_000),
    );
  });

  test('binary operations', () => {
    fc.assert(
      fc.property(binaryArbitrary, widthArbitrary, operands, (op, w, [a, b]) => {
        expect(scalarArithmetic.binary(op, w, a, b)).toEqual(kernelBinary(op, w, a, b));
      }),
      seeded(12_000),
    );
  });

  test('what is split in two: 0 and -1, and nothing else', () => {
    for (let low = -3n; low <= 3n; low++) {
      for (let high = low; high <= 3n; high++) {
        const isSign = low === -1n && high === 0n;
        const whole = fromSigned(low, high);
        const half = scalarArithmetic.zeroExtend(32, whole);
        for (const op of ['and', 'or'] as const) {
          expect(forkScalar(op, whole, constant(5n))).toEqual(
            isSign ? [constant(-1n), constant(0n)] : undefined,
          );
          const halves = forkScalar(op, half, constant(5n));
          expect(halves?.map(({ u32min, u32max }) => [u32min, u32max])).toEqual(
            isSign
              ? [
                  [0xffff_ffff, 0xffff_ffff],
                  [0, 0],
                ]
              : undefined,
          );
          expect(forkScalar(op, whole, fromUnsigned(0n, 1n))).toBeUndefined();
        }
      }
    }
  });

  test('negation and extension', () => {
    fc.assert(
      fc.property(samples, fc.constantFrom(...BITS), widthArbitrary, ({ scalar }, bits, w) => {
        expect(scalarArithmetic.negate(w, scalar)).toEqual(kernelNegate(w, scalar));
        expect(scalarArithmetic.zeroExtend(bits, scalar)).toEqual(kernelZeroExtend(bits, scalar));
        expect(scalarArithmetic.signExtend(bits, scalar)).toEqual(kernelSignExtend(bits, scalar));
      }),
      seeded(8_000),
    );
  });

  test('products of tnums', () => {
    fc.assert(
      fc.property(samples, samples, ({ scalar: a }, { scalar: b }) => {
        const { value, mask } = kernelTnumMul(a, b);
        expect(tnumMul(a, b)).toEqual({ value, mask });
      }),
      seeded(3_000),
    );
    fc.assert(
      fc.property(u64Arbitrary, u64Arbitrary, u64Arbitrary, (x, m, y) => {
        const a = { value: x & ~m, mask: m };
        expect(tnumMul(a, { value: y, mask: 0n })).toEqual(kernelTnumMul(a, { value: y, mask: 0n }));
      }),
      seeded(2_000),
    );
  });

  test('which way a jump goes', () => {
    fc.assert(
      fc.property(comparisonArbitrary, widthArbitrary, compared, (op, w, [a, b]) => {
        expect(branchTaken(op, w, a, b)).toBe(kernelBranchTaken(op, w, a, b));
      }),
      seeded(12_000),
    );
  });

  test('what a jump teaches', () => {
    fc.assert(
      fc.property(comparisonArbitrary, widthArbitrary, fc.boolean(), compared, (op, w, taken, [a, b]) => {
        // A way that is never gone teaches nothing.
        if (branchTaken(op, w, a, b) !== undefined) return;
        expect(refine(op, w, taken, a, b)).toEqual(kernelRefine(op, w, taken, a, b));
      }),
      seeded(12_000),
    );
  });
});
