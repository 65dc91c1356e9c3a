/**
 * Tristate numbers: 64 bits, each 0, 1 or unknown. `value` has the known ones, `mask` the unknown bits; they share none.
 * Follows kernel/bpf/tnum.c. All bigints are in [0, 2^64). A scalar is a tnum, so these take scalars as they are.
 */
import { U64_MAX, u64 } from '../../isa/integer.js';

/** A set of 64-bit numbers: those that have all bits of `value` and none outside of `value | mask`. */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

const U32 = 0xffff_ffffn;
const HIGH = 0xffff_ffff_0000_0000n;

const tnum = (value: bigint, mask: bigint): Tnum => ({ value, mask });

/** No bit is known. */
export const tnumUnknown: Tnum = tnum(0n, U64_MAX);

/** Every bit is known. */
export const tnumConst = (value: bigint): Tnum => tnum(value, 0n);

/** The smallest tnum that has all of [min, max], unsigned; min <= max. */
export function tnumRange(min: bigint, max: bigint): Tnum {
  const differ = min ^ max;
  if (differ === 0n) return tnum(min, 0n);
  const unknown = bitsBelow(differ);
  return tnum(min & (unknown ^ U64_MAX), unknown);
}

/** Sets all bits below the highest 1 bit of x: 0b0010100 -> 0b0011111. 0 gives 0. */
function bitsBelow(x: bigint): bigint {
  if (x <= U32) {
    const n = Number(x);
    return n === 0 ? 0n : BigInt(0xffff_ffff >>> Math.clz32(n));
  }
  const high = Number(x >> 32n);
  return (BigInt(0xffff_ffff >>> Math.clz32(high)) << 32n) | U32;
}

/** a << shift; 0 <= shift <= 63. */
export function tnumLshift(a: Tnum, shift: number): Tnum {
  const n = BigInt(shift);
  return tnum(u64(a.value << n), u64(a.mask << n));
}

/** a >> shift, zeros come in; 0 <= shift <= 63. */
export function tnumRshift(a: Tnum, shift: number): Tnum {
  const n = BigInt(shift);
  return tnum(a.value >> n, a.mask >> n);
}

/** a >> shift, copies of the sign bit come in. At width 32 the low half only, zero-extended. 0 <= shift < width. */
export function tnumArshift(a: Tnum, shift: number, width: 32 | 64): Tnum {
  const n = BigInt(shift);
  const value = BigInt.asIntN(width, a.value) >> n;
  const mask = BigInt.asIntN(width, a.mask) >> n;
  return tnum(BigInt.asUintN(width, value), BigInt.asUintN(width, mask));
}

/** a + b modulo 2^64. */
export function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const values = u64(a.value + b.value);
  const masks = u64(a.mask + b.mask);
  const carries = u64(values + masks) ^ values;
  const unknown = carries | a.mask | b.mask;
  return tnum(values & (unknown ^ U64_MAX), unknown);
}

/** a - b modulo 2^64. */
export function tnumSub(a: Tnum, b: Tnum): Tnum {
  const difference = u64(a.value - b.value);
  const borrows = u64(difference + a.mask) ^ u64(difference - b.mask);
  const unknown = borrows | a.mask | b.mask;
  return tnum(difference & (unknown ^ U64_MAX), unknown);
}

/** -a modulo 2^64. */
export const tnumNeg = (a: Tnum): Tnum => tnumSub(tnumConst(0n), a);

/** Bitwise AND: a bit is unknown only if it may be 1 in both and is not known to be 1 in both (tnum_and). */
export function tnumAnd(a: Tnum, b: Tnum): Tnum {
  const ones = a.value & b.value;
  return tnum(ones, ((a.value | a.mask) & (b.value | b.mask)) ^ ones);
}

/** Bitwise OR: a bit is unknown only if neither has it as a known 1 (tnum_or). */
export function tnumOr(a: Tnum, b: Tnum): Tnum {
  const ones = a.value | b.value;
  return tnum(ones, (a.mask | b.mask) & (ones ^ U64_MAX));
}

/** Bitwise XOR: a bit is unknown if it is unknown in either (tnum_xor). */
export function tnumXor(a: Tnum, b: Tnum): Tnum {
  const unknown = a.mask | b.mask;
  return tnum((a.value ^ b.value) & (unknown ^ U64_MAX), unknown);
}

/**
 * a * b modulo 2^64: long multiplication over the bits of a. Where a bit is unknown, both partial sums are united.
 * Not commutative in precision: the kernel walks the bits of the destination, so callers pass it first. A factor that is
 * a power of two needs no walk.
 */
export function tnumMul(a: Tnum, b: Tnum): Tnum {
  if ((a.mask | b.mask) === 0n) return tnum(u64(a.value * b.value), 0n);
  if (b.mask === 0n && (b.value & (b.value - 1n)) === 0n) {
    return tnum(u64(a.value * b.value), u64(a.mask * b.value));
  }
  // Only bits of a that may be 1 add to the product.
  let sum = tnumConst(0n);
  for (let rest = a.value | a.mask; rest !== 0n; rest &= rest - 1n) {
    const bit = rest & -rest;
    const shifted = tnum(u64(b.value * bit), u64(b.mask * bit));
    if ((shifted.value | shifted.mask) === 0n) return sum;
    const more = tnumAdd(sum, shifted);
    sum = (a.value & bit) !== 0n ? more : tnumUnion(sum, more);
    if (sum.mask === U64_MAX) return sum;
  }
  return sum;
}

/** Whether some number is in both. */
export function tnumOverlap(a: Tnum, b: Tnum): boolean {
  return ((a.value ^ b.value) & ((a.mask | b.mask) ^ U64_MAX)) === 0n;
}

/** The numbers in both. Where a and b contradict each other the result is meaningless: ask `tnumOverlap` first. */
export function tnumIntersect(a: Tnum, b: Tnum): Tnum {
  const unknown = a.mask & b.mask;
  return tnum((a.value | b.value) & (unknown ^ U64_MAX), unknown);
}

/** The smallest tnum with every number of a and of b. */
export function tnumUnion(a: Tnum, b: Tnum): Tnum {
  const unknown = (a.value ^ b.value) | a.mask | b.mask;
  return tnum(a.value & b.value & (unknown ^ U64_MAX), unknown);
}

/** The low `bytes` bytes, the rest zero. */
export function tnumCast(a: Tnum, bytes: 1 | 2 | 4 | 8): Tnum {
  return tnum(BigInt.asUintN(bytes * 8, a.value), BigInt.asUintN(bytes * 8, a.mask));
}

/** The low 32 bits, zero-extended. */
export const tnumSubreg = (a: Tnum): Tnum => tnum(a.value & U32, a.mask & U32);

/** a with its low 32 bits replaced by those of b. */
export function tnumWithSubreg(a: Tnum, b: Tnum): Tnum {
  return tnum((a.value & HIGH) | (b.value & U32), (a.mask & HIGH) | (b.mask & U32));
}

/** Whether every number of `inner` is in `outer`. */
export function tnumIn(outer: Tnum, inner: Tnum): boolean {
  if ((inner.mask & (outer.mask ^ U64_MAX)) !== 0n) return false;
  return outer.value === (inner.value & (outer.mask ^ U64_MAX));
}

/** Whether x is one of the numbers of a. */
export const tnumHas = (a: Tnum, x: bigint): boolean => (x & (a.mask ^ U64_MAX)) === a.value;

/**
 * The smallest number of a that is greater than z; if there is none, the greatest of a.
 * Think of z - value as a counter over the unknown bits. A 1 at a known bit cannot be matched: all bits below it become 1, and the carry
 * goes to the next unknown bit.
 */
export function tnumStep(a: Tnum, z: bigint): bigint {
  const max = a.value | a.mask;
  if (z >= max) return max;
  if (z < a.value) return a.value;
  const above = z - a.value;
  const fixed = a.mask ^ U64_MAX;
  const filled = above | bitsBelow(above & fixed) | fixed;
  return a.value | (u64(filled + 1n) & a.mask);
}

/** Whether every number of a is a multiple of `size`, a power of two (0 counts as 1). */
export function tnumIsAligned(a: Tnum, size: number): boolean {
  return size === 0 || ((a.value | a.mask) & BigInt(size - 1)) === 0n;
}

/** `(0x10; 0xf)`, as the kernel's log prints var_off. */
export const tnumFormat = (a: Tnum): string => `(0x${a.value.toString(16)}; 0x${a.mask.toString(16)})`;
