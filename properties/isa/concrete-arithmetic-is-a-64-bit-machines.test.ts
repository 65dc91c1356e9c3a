/**
 * The definition of arithmetic (RFC 9669, section 4) against the machine's own: typed arrays for 64 bits, `| 0`, `>>> 0`
 * and Math.imul for 32, a DataView for byte order.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  binaryArbitrary,
  comparisonArbitrary,
  u64Arbitrary,
  widthArbitrary,
} from '../../generators/arithmetic.js';
import type { BinaryOp, Comparison, Width } from '../../src/isa/insn.js';
import { compare, concrete } from '../../src/semantics/arith.js';
import type { Domain } from '../../src/semantics/machine.js';
import { seeded } from '../support/seed.js';

const unsigned = new BigUint64Array(1);
const signed = new BigInt64Array(unsigned.buffer);
const halves = new Int32Array(unsigned.buffer);
const view = new DataView(unsigned.buffer);

function asSigned(x: bigint): bigint {
  unsigned[0] = x;
  return signed[0]!;
}

function wrapped(x: bigint): bigint {
  signed[0] = x;
  return unsigned[0]!;
}

function lowHalf(x: bigint): number {
  unsigned[0] = x;
  return halves[0]!;
}

function machine64(op: BinaryOp, a: bigint, b: bigint): bigint {
  const by = BigInt(lowHalf(b) & 63);
  switch (op) {
    case 'add':
      return wrapped(asSigned(a) + asSigned(b));
    case 'sub':
      return wrapped(asSigned(a) - asSigned(b));
    case 'mul':
      return wrapped(asSigned(a) * asSigned(b));
    case 'div':
      return b === 0n ? 0n : (a - (a % b)) / b;
    case 'mod':
      return b === 0n ? a : a - b * (a / b);
    case 'sdiv':
      return b === 0n ? 0n : wrapped(asSigned(a) / asSigned(b));
    case 'smod':
      return b === 0n ? a : wrapped(asSigned(a) - asSigned(b) * (asSigned(a) / asSigned(b)));
    case 'or':
      return wrapped(asSigned(a) | asSigned(b));
    case 'and':
      return wrapped(asSigned(a) & asSigned(b));
    case 'xor':
      return wrapped(asSigned(a) ^ asSigned(b));
    case 'lsh':
      return wrapped(a * 2n ** by);
    case 'rsh':
      return a / 2n ** by;
    case 'arsh': {
      const power = 2n ** by;
      const s = asSigned(a);
      return wrapped((s - (((s % power) + power) % power)) / power);
    }
  }
}

function machine32(op: BinaryOp, a: number, b: number): number {
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return Math.imul(a, b);
    case 'div':
      return b === 0 ? 0 : Math.floor((a >>> 0) / (b >>> 0));
    case 'mod':
      return b === 0 ? a : (a >>> 0) % (b >>> 0);
    case 'sdiv':
      return b === 0 ? 0 : Math.trunc(a / b);
    case 'smod':
      return b === 0 ? a : a % b;
    case 'or':
      return a | b;
    case 'and':
      return a & b;
    case 'xor':
      return a ^ b;
    case 'lsh':
      return a << b;
    case 'rsh':
      return a >>> b;
    case 'arsh':
      return a >> b;
  }
}

/** JavaScript shifts take their count modulo 32, `>>> 0` is the zero-extension. */
const machine = (op: BinaryOp, w: Width, a: bigint, b: bigint): bigint =>
  w === 64 ? machine64(op, a, b) : BigInt(machine32(op, lowHalf(a), lowHalf(b)) >>> 0);

function machineCompare(op: Comparison, w: Width, a: bigint, b: bigint): boolean {
  const isSigned = op.startsWith('s') && op !== 'set';
  const read = (x: bigint): bigint | number => {
    if (w === 64) return isSigned ? asSigned(x) : x;
    return isSigned ? lowHalf(x) : lowHalf(x) >>> 0;
  };
  const [x, y] = [read(a), read(b)];
  switch (op) {
    case 'eq':
      return !(x < y) && !(x > y);
    case 'ne':
      return x < y || x > y;
    case 'gt':
    case 'sgt':
      return y < x;
    case 'ge':
    case 'sge':
      return !(x < y);
    case 'lt':
    case 'slt':
      return y > x;
    case 'le':
    case 'sle':
      return !(y < x);
    case 'set':
      return w === 64 ? asSigned(a & b) !== 0n : (lowHalf(a) & lowHalf(b)) !== 0;
  }
}

const agrees = (domain: Domain<bigint>) =>
  fc.property(binaryArbitrary, widthArbitrary, u64Arbitrary, u64Arbitrary, (op, w, a, b) => {
    expect(domain.binary(op, w, a, b), `0x${a.toString(16)} ${op}${w} 0x${b.toString(16)}`).toBe(
      machine(op, w, a, b),
    );
  });

describe('concrete arithmetic', () => {
  test('binary operations', () => {
    fc.assert(agrees(concrete), seeded(20_000));
  });

  test('comparisons', () => {
    fc.assert(
      fc.property(comparisonArbitrary, widthArbitrary, u64Arbitrary, u64Arbitrary, (op, w, a, b) => {
        expect(compare(op, w, a, b)).toBe(machineCompare(op, w, a, b));
        expect(compare(op, w, a, a)).toBe(machineCompare(op, w, a, a));
      }),
      seeded(20_000),
    );
  });

  test('negation, extension, byte order', () => {
    fc.assert(
      fc.property(u64Arbitrary, (a) => {
        expect(concrete.negate(64, a)).toBe(wrapped(asSigned(a) === 0n ? 0n : ~asSigned(a) + 1n));
        expect(concrete.negate(32, a)).toBe(BigInt(-lowHalf(a) >>> 0));
        expect(concrete.constant(asSigned(a))).toBe(a);
        unsigned[0] = a;
        expect(concrete.zeroExtend(8, a)).toBe(BigInt(view.getUint8(0)));
        expect(concrete.zeroExtend(16, a)).toBe(BigInt(view.getUint16(0, true)));
        expect(concrete.zeroExtend(32, a)).toBe(BigInt(view.getUint32(0, true)));
        const extended = [view.getInt8(0), view.getInt16(0, true), view.getInt32(0, true)] as const;
        const swapped = [view.getUint16(0), view.getUint32(0), view.getBigUint64(0)] as const;
        for (const [i, bits] of ([8, 16, 32] as const).entries()) {
          expect(concrete.signExtend(bits, a)).toBe(wrapped(BigInt(extended[i]!)));
        }
        for (const [i, bits] of ([16, 32, 64] as const).entries()) {
          expect(concrete.swap('be', bits, a)).toBe(BigInt(swapped[i]!));
          expect(concrete.swap('bswap', bits, a)).toBe(BigInt(swapped[i]!));
          expect(concrete.swap('le', bits, a)).toBe(a % 2n ** BigInt(bits));
        }
      }),
      seeded(10_000),
    );
  });

  test.each<[string, BinaryOp, Width, bigint, bigint, bigint]>([
    ['x / 0 is 0', 'div', 64, 7n, 0n, 0n],
    ['x % 0 is x', 'mod', 64, 7n, 0n, 7n],
    ['32-bit x % 0 is the low half of x', 'mod', 32, 0xffff_ffff_0000_0007n, 0n, 7n],
    ['32-bit signed x % 0 too', 'smod', 32, 0xffff_ffff_8000_0007n, 1n << 32n, 0x8000_0007n],
    ['the least divided by -1 is itself', 'sdiv', 64, 1n << 63n, 0xffff_ffff_ffff_ffffn, 1n << 63n],
    ['with no remainder', 'smod', 64, 1n << 63n, 0xffff_ffff_ffff_ffffn, 0n],
    ['32 bits alike', 'sdiv', 32, 1n << 31n, 0xffff_ffffn, 1n << 31n],
    ['signed division truncates', 'sdiv', 64, 0xffff_ffff_ffff_fff3n, 3n, 0xffff_ffff_ffff_fffcn],
    [
      'the remainder has the sign of the dividend',
      'smod',
      64,
      0xffff_ffff_ffff_fff3n,
      3n,
      0xffff_ffff_ffff_ffffn,
    ],
    ['a shift by 64 is by 0', 'lsh', 64, 5n, 64n, 5n],
    ['a 32-bit shift by 33 is by 1', 'lsh', 32, 0x8000_0001n, 33n, 2n],
    ['a 32-bit arithmetic shift is zero-extended', 'arsh', 32, 0x8000_0000n, 31n, 0xffff_ffffn],
  ])('%s', (_, op, w, a, b, result) => {
    expect(concrete.binary(op, w, a, b)).toBe(result);
  });

  test.each<[string, Domain<bigint>['binary']]>([
    [
      'signed division rounds down',
      (op, w, a, b) => (op === 'sdiv' ? concrete.binary('arsh', w, a, b / 2n) : concrete.binary(op, w, a, b)),
    ],
    ['x % 0 is 0', (op, w, a, b) => (op === 'mod' && b === 0n ? 0n : concrete.binary(op, w, a, b))],
    [
      '32-bit results are not zero-extended',
      (op, w, a, b) =>
        BigInt.asUintN(
          64,
          w === 32 ? BigInt.asIntN(32, concrete.binary(op, w, a, b)) : concrete.binary(op, w, a, b),
        ),
    ],
    [
      'shift counts are not masked',
      (op, w, a, b) => (op === 'rsh' && b >= BigInt(w) ? 0n : concrete.binary(op, w, a, b)),
    ],
    ['arithmetic shifts are logical', (op, w, a, b) => concrete.binary(op === 'arsh' ? 'rsh' : op, w, a, b)],
  ])('is seen to be wrong where %s', (_, binary) => {
    expect(fc.check(agrees({ ...concrete, binary }), seeded(20_000)).failed).toBe(true);
  });
});
