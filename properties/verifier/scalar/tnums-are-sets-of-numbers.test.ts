/**
 * Tristate numbers against the sets they stand for. All tnums of four bits, at the low end and at the high end of 64, are
 * gone through: operations must cover every result of every pair of members, and those known to be optimal no more than
 * the smallest tnum that does.
 */

import { describe, expect, test } from 'vitest';
import { u64 } from '../../../src/isa/integer.js';
import type { Tnum } from '../../../src/verifier/scalar/tnum.js';
import {
  tnumAdd,
  tnumAnd,
  tnumArshift,
  tnumCast,
  tnumConst,
  tnumFormat,
  tnumHas,
  tnumIn,
  tnumIntersect,
  tnumIsAligned,
  tnumLshift,
  tnumMul,
  tnumNeg,
  tnumOr,
  tnumOverlap,
  tnumRange,
  tnumRshift,
  tnumStep,
  tnumSub,
  tnumSubreg,
  tnumUnion,
  tnumUnknown,
  tnumWithSubreg,
  tnumXor,
} from '../../../src/verifier/scalar/tnum.js';

const ALL = u64(-1n);

/** All 81 tnums of four bits, moved up by `shift`, the other bits those of `rest`. */
function all(shift: bigint, rest = 0n): Tnum[] {
  const made: Tnum[] = [];
  for (let mask = 0n; mask < 16n; mask++) {
    for (let value = 0n; value < 16n; value++) {
      if ((value & mask) === 0n) made.push({ value: (value << shift) | rest, mask: mask << shift });
    }
  }
  return made;
}

const LOW = all(0n);
const HIGH = all(60n);
/** Bits 30 to 33: across the middle. */
const MIDDLE = all(30n);
const FAMILIES = [LOW, MIDDLE, HIGH, all(2n, u64(-1n << 6n))];

const cache = new Map<Tnum, readonly bigint[]>();

function members(t: Tnum): readonly bigint[] {
  const kept = cache.get(t);
  if (kept !== undefined) return kept;
  const found: bigint[] = [];
  // Counts through the submasks.
  let bits = 0n;
  do {
    found.push(t.value | bits);
    bits = u64(bits - t.mask) & t.mask;
  } while (bits !== 0n);
  cache.set(t, found);
  return found;
}

/** The smallest tnum with all these numbers. */
function hull(numbers: readonly bigint[]): Tnum {
  const mask = numbers.reduce((bits, n) => bits | (n ^ numbers[0]!), 0n);
  return { value: numbers[0]! & ~mask & ALL, mask };
}

type Binary = (a: Tnum, b: Tnum) => Tnum;
type Concrete = (x: bigint, y: bigint) => bigint;

/** The first pair for which the operation misses a result, or says more than it must; undefined if there is none. */
function mistake(op: Binary, meaning: Concrete, optimal: boolean, families = FAMILIES): string | undefined {
  for (const family of families) {
    for (const a of family) {
      for (const b of family) {
        const got = op(a, b);
        const results = members(a).flatMap((x) => members(b).map((y) => meaning(x, y)));
        const text = `${tnumFormat(a)}, ${tnumFormat(b)} -> ${tnumFormat(got)}`;
        if ((got.value & got.mask) !== 0n) return `known and unknown: ${text}`;
        if (!results.every((n) => tnumHas(got, n))) return `misses a result: ${text}`;
        const best = hull(results);
        if (optimal && (got.mask !== best.mask || got.value !== best.value)) return `not the best: ${text}`;
      }
    }
  }
  return undefined;
}

const BINARY: readonly (readonly [string, Binary, Concrete, boolean])[] = [
  ['add', tnumAdd, (x, y) => u64(x + y), true],
  ['sub', tnumSub, (x, y) => u64(x - y), true],
  ['and', tnumAnd, (x, y) => x & y, true],
  ['or', tnumOr, (x, y) => x | y, true],
  ['xor', tnumXor, (x, y) => x ^ y, true],
  ['mul', tnumMul, (x, y) => u64(x * y), false],
];

describe('tnums', () => {
  test.each(BINARY)('%s covers every result', (_, op, meaning, optimal) => {
    expect(mistake(op, meaning, optimal)).toBeUndefined();
  });

  test('shifts and negation', () => {
    for (const a of FAMILIES.flat()) {
      for (const by of [0, 1, 3, 31, 32, 59, 63]) {
        const n = BigInt(by);
        expect(tnumLshift(a, by)).toEqual(hull(members(a).map((x) => u64(x << n))));
        expect(tnumRshift(a, by)).toEqual(hull(members(a).map((x) => x >> n)));
        expect(tnumArshift(a, by, 64)).toEqual(hull(members(a).map((x) => u64(BigInt.asIntN(64, x) >> n))));
        if (by < 32) {
          const low = members(a).map((x) => BigInt.asUintN(32, BigInt.asIntN(32, x) >> n));
          expect(tnumArshift(a, by, 32)).toEqual(hull(low));
        }
      }
      expect(tnumNeg(a)).toEqual(hull(members(a).map((x) => u64(-x))));
      expect(tnumSubreg(a)).toEqual(hull(members(a).map((x) => x & 0xffff_ffffn)));
      for (const bytes of [1, 2, 4, 8] as const)
        expect(tnumCast(a, bytes)).toEqual(hull(members(a).map((x) => BigInt.asUintN(8 * bytes, x))));
      for (const size of [1, 2, 4, 8, 16])
        expect(tnumIsAligned(a, size)).toBe(members(a).every((x) => x % BigInt(size) === 0n));
      expect(tnumIsAligned(a, 0)).toBe(true);
    }
  });

  test('sets: in, overlap, intersection, union, low half replaced', () => {
    for (const family of FAMILIES) {
      for (const a of family) {
        for (const b of family) {
          const common = members(a).filter((x) => tnumHas(b, x));
          expect(tnumIn(a, b)).toBe(members(b).every((x) => tnumHas(a, x)));
          expect(tnumOverlap(a, b)).toBe(common.length > 0);
          if (common.length > 0) expect(tnumIntersect(a, b)).toEqual(hull(common));
          expect(tnumUnion(a, b)).toEqual(hull([...members(a), ...members(b)]));
        }
      }
    }
    for (const a of MIDDLE) {
      expect(tnumWithSubreg(a, { value: 5n, mask: 2n })).toEqual({
        value: ((a.value >> 32n) << 32n) | 5n,
        mask: ((a.mask >> 32n) << 32n) | 2n,
      });
    }
  });

  test('a range is the hull of its ends and all between', () => {
    for (const base of [0n, 0xffff_fff8n, u64(-16n), (1n << 63n) - 8n]) {
      for (let i = 0n; i < 16n; i++) {
        const between: bigint[] = [];
        for (let j = i; j < 16n; j++) {
          between.push(base + j);
          expect(tnumRange(base + i, base + j)).toEqual(hull(between));
        }
      }
    }
    expect(tnumRange(0n, ALL)).toEqual(tnumUnknown);
  });

  test('a step goes to the next number', () => {
    for (const a of FAMILIES.flat()) {
      const sorted = [...members(a)].sort((x, y) => (x < y ? -1 : 1));
      const probes = sorted.flatMap((x) => [x - 1n, x, x + 1n]).filter((z) => z >= 0n && z <= ALL);
      for (const z of [0n, ALL, ...probes]) {
        expect(tnumStep(a, z)).toBe(sorted.find((x) => x > z) ?? sorted.at(-1));
      }
    }
    expect(tnumStep(tnumUnknown, 41n)).toBe(42n);
  });

  test.each<[string, Tnum, Tnum, string]>([
    ['a constant', tnumConst(6n), tnumConst(7n), '(0x2a; 0x0)'],
    ['a power of two shifts', { value: 0n, mask: 0xffn }, tnumConst(8n), '(0x0; 0x7f8)'],
    ['the other way round', tnumConst(8n), { value: 0n, mask: 0xffn }, '(0x0; 0x7f8)'],
    ['three times a bit', { value: 0n, mask: 1n }, tnumConst(3n), '(0x0; 0x3)'],
    ['an odd number of threes', { value: 1n, mask: 2n }, tnumConst(3n), '(0x1; 0xa)'],
    ['anything', tnumUnknown, tnumConst(3n), '(0x0; 0xffffffffffffffff)'],
    ['anything even', tnumUnknown, tnumConst(6n), '(0x0; 0xfffffffffffffffe)'],
  ])('products: %s', (_, a, b, product) => {
    expect(tnumFormat(tnumMul(a, b))).toBe(product);
  });
});

const shiftedTooFar: Binary = (a, b) => tnumLshift(tnumAdd(a, b), 1);
const SLIPS: readonly (readonly [string, Binary, Concrete])[] = [
  ['a sum one bit too far', shiftedTooFar, (x, y) => u64(x + y)],
  ['a sum without carries', (a, b) => ({ ...tnumXor(a, b) }), (x, y) => u64(x + y)],
  ['a difference that is a sum', tnumAdd, (x, y) => u64(x - y)],
  [
    'an and that forgets what is unknown',
    (a, b) => ({ value: a.value & b.value, mask: a.mask & b.mask }),
    (x, y) => x & y,
  ],
  [
    'an or that keeps unknown bits known',
    (a, b) => ({ value: a.value | b.value, mask: a.mask | b.mask }),
    (x, y) => x | y,
  ],
  [
    'a product without the unknown bits of one side',
    (a, b) => tnumMul(tnumConst(a.value), b),
    (x, y) => u64(x * y),
  ],
];

describe('a slip in the tnums is seen', () => {
  test.each(SLIPS)('%s', (_, op, meaning) => {
    expect(mistake(op, meaning, false)).toBeDefined();
  });
  test('precision lost is seen', () => {
    expect(
      mistake(
        (a, b) => tnumUnion(tnumAdd(a, b), tnumUnknown),
        (x, y) => u64(x + y),
        true,
      ),
    ).toMatch(/not the best/);
  });
});
