/**
 * Arithmetic on scalars: adjust_scalar_min_max_vals() and the coerce functions of kernel/bpf/verifier.c. Sound: if x is
 * admitted by a and y by b, then `x op y` is admitted by the result. As precise as Linux 6.18, neither more nor less.
 */
import type { BinaryOp, Width } from '../../isa/insn.js';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../../isa/integer.js';
import * as arith from '../../semantics/arith.js';
import type { Domain } from '../../semantics/machine.js';
import {
  add32,
  add64,
  and32,
  and64,
  mul32,
  mul64,
  or32,
  or64,
  sub32,
  sub64,
  xor32,
  xor64,
} from './bounds.js';
import { signExtend } from './extend.js';
import type { Scalar } from './scalar.js';
import { constant, equal, unknown } from './scalar.js';
import type { Bounds } from './sync.js';
import {
  boundsFromTnum32,
  boundsFromTnum64,
  forgetBounds32,
  forgetBounds64,
  mutableCopy,
  sanityChecked,
  syncBounds,
} from './sync.js';
import type { Tnum } from './tnum.js';
import {
  tnumAdd,
  tnumAnd,
  tnumArshift,
  tnumLshift,
  tnumMul,
  tnumNeg,
  tnumOr,
  tnumRshift,
  tnumSub,
  tnumSubreg,
  tnumXor,
} from './tnum.js';

const LOW = 0xffff_ffffn;
const HIGH = 0xffff_ffff_0000_0000n;
const ZERO = constant(0n);

function setTnum(r: Bounds, t: Tnum): void {
  r.value = t.value;
  r.mask = t.mask;
}

/** The low half stays, the high half becomes zero; bounds follow the 32-bit ones (zext_32_to_64). Not synced. */
function zeroHigh(r: Bounds): void {
  r.value &= LOW;
  r.mask &= LOW;
  r.umin = BigInt(r.u32min);
  r.umax = BigInt(r.u32max);
  if (r.s32min >= 0 && r.s32max >= 0) {
    r.smin = BigInt(r.s32min);
    r.smax = BigInt(r.s32max);
  } else {
    r.smin = 0n;
    r.smax = LOW;
  }
}

function finished(r: Bounds, width: Width): Scalar {
  if (width === 32) zeroHigh(r);
  syncBounds(r);
  return sanityChecked(r);
}

/** `a op b`; at width 32 of the low halves, zero-extended. Division, remainder and shifts by what is not a constant below the width are unknown, as on Linux 6.18. */
function binary(op: BinaryOp, width: Width, a: Scalar, b: Scalar): Scalar {
  switch (op) {
    case 'div':
    case 'sdiv':
    case 'mod':
    case 'smod':
      return unknown;
    case 'lsh':
    case 'rsh':
    case 'arsh':
      return shift(op, width, a, b);
    default:
  }
  if (a.mask === 0n && b.mask === 0n) return constant(arith.binary(op, width, a.value, b.value));
  const r = mutableCopy(a);
  switch (op) {
    case 'add':
      add32(r, b);
      add64(r, b);
      setTnum(r, tnumAdd(a, b));
      break;
    case 'sub':
      sub32(r, b);
      sub64(r, b);
      setTnum(r, tnumSub(a, b));
      break;
    case 'mul':
      setTnum(r, tnumMul(a, b));
      mul32(r, b);
      mul64(r, b);
      break;
    case 'and':
      setTnum(r, tnumAnd(a, b));
      and32(r, b);
      and64(r, b);
      break;
    case 'or':
      setTnum(r, tnumOr(a, b));
      or32(r, b);
      or64(r, b);
      break;
    case 'xor':
      setTnum(r, tnumXor(a, b));
      xor32(r, b);
      xor64(r, b);
      break;
  }
  return finished(r, width);
}

function shift(op: 'lsh' | 'rsh' | 'arsh', width: Width, a: Scalar, b: Scalar): Scalar {
  const isKnown = (width === 64 ? b.mask : b.mask & LOW) === 0n;
  if (!isKnown || b.umax >= width) return unknown;
  const by = Number(b.umax);
  if (a.mask === 0n) return constant(arith.binary(op, width, a.value, b.value));
  const r = mutableCopy(a);
  if (width === 32) {
    shift32(op, r, a, by);
    forgetBounds64(r);
    boundsFromTnum32(r);
  } else {
    shift64(op, r, a, by);
    boundsFromTnum32(r);
    boundsFromTnum64(r);
  }
  return finished(r, width);
}

function lsh32(r: Bounds, by: number): void {
  r.s32min = S32_MIN;
  r.s32max = S32_MAX;
  if (by > 31 || r.u32max > 2 ** (31 - by)) {
    r.u32min = 0;
    r.u32max = U32_MAX;
  } else {
    r.u32min = (r.u32min << by) >>> 0;
    r.u32max = (r.u32max << by) >>> 0;
  }
}

function shift32(op: 'lsh' | 'rsh' | 'arsh', r: Bounds, a: Scalar, by: number): void {
  const low = tnumSubreg(a);
  switch (op) {
    case 'lsh':
      lsh32(r, by);
      setTnum(r, tnumSubreg(tnumLshift(low, by)));
      break;
    case 'rsh':
      r.s32min = S32_MIN;
      r.s32max = S32_MAX;
      setTnum(r, tnumRshift(low, by));
      r.u32min >>>= by;
      r.u32max >>>= by;
      break;
    case 'arsh':
      r.s32min >>= by;
      r.s32max >>= by;
      setTnum(r, tnumArshift(low, by, 32));
      r.u32min = 0;
      r.u32max = U32_MAX;
      break;
  }
}

function shift64(op: 'lsh' | 'rsh' | 'arsh', r: Bounds, a: Scalar, by: number): void {
  const n = BigInt(by);
  switch (op) {
    case 'lsh':
      // `<< 32, s>> 32` is how compilers sign-extend a low half.
      r.smin = by === 32 ? BigInt(a.s32min) << 32n : S64_MIN;
      r.smax = by === 32 ? BigInt(a.s32max) << 32n : S64_MAX;
      if (r.umax > 1n << (63n - n)) {
        r.umin = 0n;
        r.umax = U64_MAX;
      } else {
        r.umin <<= n;
        r.umax <<= n;
      }
      lsh32(r, by);
      setTnum(r, tnumLshift(a, by));
      break;
    case 'rsh':
      r.smin = S64_MIN;
      r.smax = S64_MAX;
      setTnum(r, tnumRshift(a, by));
      r.umin >>= n;
      r.umax >>= n;
      forgetBounds32(r);
      break;
    case 'arsh':
      r.smin >>= n;
      r.smax >>= n;
      setTnum(r, tnumArshift(a, by, 64));
      r.umin = 0n;
      r.umax = U64_MAX;
      forgetBounds32(r);
      break;
  }
}

function negate(width: Width, a: Scalar): Scalar {
  if (a.mask === 0n) return constant(arith.negate(width, a.value));
  const r = mutableCopy(ZERO);
  sub32(r, a);
  sub64(r, a);
  setTnum(r, tnumNeg(a));
  return finished(r, width);
}

/** The low `bits`, the rest zero: zext_32_to_64() for 32, coerce_reg_to_size() for less. */
function zeroExtend(bits: 8 | 16 | 32, a: Scalar): Scalar {
  if (a.mask === 0n) return constant(arith.zeroExtend(bits, a.value));
  if (bits === 32) {
    // The bounds came from the tnum alone, so the two cannot refine each other.
    if (a.umax <= LOW && a.umin === a.value && a.umax === (a.value | a.mask)) return a;
    const r = finished(mutableCopy(a), 32);
    return equal(r, a) ? a : r;
  }
  const r = mutableCopy(a);
  const mask = bits === 8 ? 0xffn : 0xffffn;
  const high = mask ^ U64_MAX;
  r.value &= mask;
  r.mask &= mask;
  if ((a.umin & high) === (a.umax & high)) {
    r.umin &= mask;
    r.umax &= mask;
  } else {
    r.umin = 0n;
    r.umax = mask;
  }
  r.smin = r.umin;
  r.smax = r.umax;
  forgetBounds32(r);
  return finished(r, 64);
}

/** Known bits move with their bytes; bounds do not survive a swap and come back from the bits (scalar_byte_swap). */
function swap(op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, a: Scalar): Scalar {
  if (op === 'le') return bits === 64 ? a : zeroExtend(bits, a);
  const r = mutableCopy(unknown);
  r.value = arith.swap(op, bits, a.value);
  r.mask = arith.swap(op, bits, a.mask);
  syncBounds(r);
  return sanityChecked(r);
}

/**
 * Tells whether the walk splits here. Compilers select between two values with `and` or `or` of a constant and a number that is 0 or -1.
 * The kernel walks both (maybe_fork_scalars): the -1 first, the 0 later. Undefined: no split.
 */
export function forkScalar(
  op: BinaryOp,
  a: Scalar,
  b: Scalar,
): readonly [minusOne: Scalar, zero: Scalar] | undefined {
  if ((op !== 'and' && op !== 'or') || b.mask !== 0n) return undefined;
  if (a.smin === -1n && a.smax === 0n) return [constant(-1n), ZERO];
  if (a.s32min !== -1 || a.s32max !== 0) return undefined;
  return [withLow(a, U32_MAX), withLow(a, 0)];
}

/** a with its low half known (__mark_reg32_known). Not synced: the operation that follows does that. */
function withLow(a: Scalar, low: number): Scalar {
  const r = mutableCopy(a);
  r.value = (a.value & HIGH) | BigInt(low);
  r.mask = a.mask & HIGH;
  r.u32min = low;
  r.u32max = low;
  r.s32min = low | 0;
  r.s32max = low | 0;
  return r;
}

/** Arithmetic of the abstract machine, by operator. */
export const scalarArithmetic: Domain<Scalar> = {
  constant,
  binary,
  negate,
  zeroExtend,
  signExtend,
  swap,
};
