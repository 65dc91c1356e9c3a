/**
 * What arithmetic means on concrete values: the definition that every other machine is checked against.
 * RFC 9669, sections 4.1 to 4.3. A value is an unsigned bigint in [0, 2^64); results are in that range too.
 */
import type { BinaryOp, Comparison, Width } from '../isa/insn.js';
import type { Domain } from './machine.js';

const signed = (width: Width, a: bigint): bigint => BigInt.asIntN(width, a);

/**
 * `a op b`. At width 32 only the low halves count and the result is zero-extended. Shift counts are taken modulo the
 * width, x / 0 = 0, x % 0 = x, and the most negative number divided by -1 is itself (remainder 0).
 */
export function binary(op: BinaryOp, width: Width, a: bigint, b: bigint): bigint {
  const x = width === 64 ? a : BigInt.asUintN(32, a);
  const y = width === 64 ? b : BigInt.asUintN(32, b);
  switch (op) {
    case 'add':
      return BigInt.asUintN(width, x + y);
    case 'sub':
      return BigInt.asUintN(width, x - y);
    case 'mul':
      return BigInt.asUintN(width, x * y);
    case 'div':
      return y === 0n ? 0n : x / y;
    case 'sdiv':
      return y === 0n ? 0n : BigInt.asUintN(width, signed(width, x) / signed(width, y));
    case 'mod':
      return y === 0n ? x : x % y;
    case 'smod':
      return y === 0n ? x : BigInt.asUintN(width, signed(width, x) % signed(width, y));
    case 'or':
      return x | y;
    case 'and':
      return x & y;
    case 'xor':
      return x ^ y;
    case 'lsh':
      return BigInt.asUintN(width, x << (y & BigInt(width - 1)));
    case 'rsh':
      return x >> (y & BigInt(width - 1));
    case 'arsh':
      return BigInt.asUintN(width, signed(width, x) >> (y & BigInt(width - 1)));
  }
}

/** `0 - a`; at width 32 the low half, zero-extended. */
export function negate(width: Width, a: bigint): bigint {
  return BigInt.asUintN(width, -a);
}

/** The low `bits` of a, the rest zero. */
export function zeroExtend(bits: 8 | 16 | 32, a: bigint): bigint {
  return BigInt.asUintN(bits, a);
}

/** The low `bits` of a, sign-extended to 64. */
export function signExtend(bits: 8 | 16 | 32, a: bigint): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(bits, a));
}

/** Byte order on a little-endian host: `le` truncates to `bits`, `be` and `bswap` swap the low `bits` and zero the rest. */
export function swap(op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, a: bigint): bigint {
  let rest = BigInt.asUintN(bits, a);
  if (op === 'le') return rest;
  let swapped = 0n;
  for (let i = 0; i < bits; i += 8) {
    swapped = (swapped << 8n) | (rest & 0xffn);
    rest >>= 8n;
  }
  return swapped;
}

/** Whether the jump `if a op b` is taken. At width 32 only the low halves count. `set` is `(a & b) != 0`. */
export function compare(op: Comparison, width: Width, a: bigint, b: bigint): boolean {
  const x = width === 64 ? a : BigInt.asUintN(32, a);
  const y = width === 64 ? b : BigInt.asUintN(32, b);
  switch (op) {
    case 'eq':
      return x === y;
    case 'ne':
      return x !== y;
    case 'gt':
      return x > y;
    case 'ge':
      return x >= y;
    case 'lt':
      return x < y;
    case 'le':
      return x <= y;
    case 'sgt':
      return signed(width, x) > signed(width, y);
    case 'sge':
      return signed(width, x) >= signed(width, y);
    case 'slt':
      return signed(width, x) < signed(width, y);
    case 'sle':
      return signed(width, x) <= signed(width, y);
    case 'set':
      return (x & y) !== 0n;
  }
}

/** The machine's arithmetic on plain values. */
export const concrete: Domain<bigint> = {
  constant: (value) => BigInt.asUintN(64, value),
  binary,
  negate,
  zeroExtend,
  signExtend,
  swap,
};
