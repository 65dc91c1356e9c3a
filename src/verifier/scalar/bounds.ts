/**
 * Bounds of sums, differences, products and bit operations, 32 and 64 bits each: scalar_min_max_*() and
 * scalar32_min_max_*() of kernel/bpf/verifier.c. `r` comes in with the bounds of the destination, goes out with those
 * of the result. For mul, and, or, xor the tnum of `r` is already the result's; for add and sub it is not looked at.
 */
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../../isa/integer.js';
import type { Scalar } from './scalar.js';
import type { Bounds } from './sync.js';
import { boundsFromTnum64 } from './sync.js';

const LOW = 0xffff_ffffn;
const low32 = (x: bigint): number => Number(BigInt.asUintN(32, x));

/** JavaScript numbers are exact here: no intermediate result needs more than 34 bits. */
function signed32(r: Bounds, min: number, max: number): void {
  const fits = min >= S32_MIN && min <= S32_MAX && max >= S32_MIN && max <= S32_MAX;
  r.s32min = fits ? min : S32_MIN;
  r.s32max = fits ? max : S32_MAX;
}

function signed64(r: Bounds, min: bigint, max: bigint): void {
  const fits = min >= S64_MIN && min <= S64_MAX && max >= S64_MIN && max <= S64_MAX;
  r.smin = fits ? min : S64_MIN;
  r.smax = fits ? max : S64_MAX;
}

/** Unsigned bounds stay valid if both ends wrap around or neither does. */
function unsigned32(r: Bounds, min: number, max: number): void {
  const wraps = Math.floor(min / 2 ** 32) !== Math.floor(max / 2 ** 32);
  r.u32min = wraps ? 0 : min >>> 0;
  r.u32max = wraps ? U32_MAX : max >>> 0;
}

function unsigned64(r: Bounds, min: bigint, max: bigint): void {
  const wraps = min >> 64n !== max >> 64n;
  r.umin = wraps ? 0n : BigInt.asUintN(64, min);
  r.umax = wraps ? U64_MAX : BigInt.asUintN(64, max);
}

/** Adds 32-bit bounds. If a sum can overflow, nothing is known of that pair. Follows scalar32_min_max_add. */
export function add32(r: Bounds, b: Scalar): void {
  signed32(r, r.s32min + b.s32min, r.s32max + b.s32max);
  unsigned32(r, r.u32min + b.u32min, r.u32max + b.u32max);
}

/** Adds 64-bit bounds. If a sum can overflow, nothing is known of that pair. Follows scalar_min_max_add. */
export function add64(r: Bounds, b: Scalar): void {
  signed64(r, r.smin + b.smin, r.smax + b.smax);
  unsigned64(r, r.umin + b.umin, r.umax + b.umax);
}

/** Subtracts 32-bit bounds: the least minus the greatest, and the other way round. Follows scalar32_min_max_sub. */
export function sub32(r: Bounds, b: Scalar): void {
  signed32(r, r.s32min - b.s32max, r.s32max - b.s32min);
  unsigned32(r, r.u32min - b.u32max, r.u32max - b.u32min);
}

/** Subtracts 64-bit bounds: the least minus the greatest, and the other way round. Follows scalar_min_max_sub. */
export function sub64(r: Bounds, b: Scalar): void {
  signed64(r, r.smin - b.smax, r.smax - b.smin);
  unsigned64(r, r.umin - b.umax, r.umax - b.umin);
}

/** Products of 32-bit numbers may exceed 2^53, but whatever does is out of bounds anyway. */
export function mul32(r: Bounds, b: Scalar): void {
  const umax = r.u32max * b.u32max;
  const wraps = umax > U32_MAX;
  r.u32min = wraps ? 0 : r.u32min * b.u32min;
  r.u32max = wraps ? U32_MAX : umax;
  const ll = r.s32min * b.s32min;
  const lh = r.s32min * b.s32max;
  const hl = r.s32max * b.s32min;
  const hh = r.s32max * b.s32max;
  // Adding 0 turns -0 into 0.
  signed32(r, Math.min(ll, lh, hl, hh) + 0, Math.max(ll, lh, hl, hh) + 0);
}

/**
 * Multiplies 64-bit bounds. The signed result lies between the least and the greatest of the four products of the ends. Follows
 * scalar_min_max_mul.
 */
export function mul64(r: Bounds, b: Scalar): void {
  const umax = r.umax * b.umax;
  const wraps = umax > U64_MAX;
  r.umin = wraps ? 0n : r.umin * b.umin;
  r.umax = wraps ? U64_MAX : umax;
  const products = [r.smin * b.smin, r.smin * b.smax, r.smax * b.smin, r.smax * b.smax];
  let min = products[0]!;
  let max = min;
  for (const p of products) {
    if (p < min) min = p;
    if (p > max) max = p;
  }
  signed64(r, min, max);
}

/** Signed bounds of a bitwise result: its unsigned ones, unless they cross the sign boundary. */
function signedFromUnsigned32(r: Bounds): void {
  const fits = (r.u32min | 0) <= (r.u32max | 0);
  r.s32min = fits ? r.u32min | 0 : S32_MIN;
  r.s32max = fits ? r.u32max | 0 : S32_MAX;
}

function signedFromUnsigned64(r: Bounds): void {
  const min = BigInt.asIntN(64, r.umin);
  const max = BigInt.asIntN(64, r.umax);
  r.smin = min <= max ? min : S64_MIN;
  r.smax = min <= max ? max : S64_MAX;
}

/** Source and result both known in the low half: bounds are the value. */
function known32(r: Bounds, b: Scalar): boolean {
  if (((r.mask | b.mask) & LOW) !== 0n) return false;
  const low = low32(r.value);
  r.u32min = low;
  r.u32max = low;
  r.s32min = low | 0;
  r.s32max = low | 0;
  return true;
}

function known64(r: Bounds, b: Scalar): boolean {
  if ((r.mask | b.mask) !== 0n) return false;
  r.umin = r.value;
  r.umax = r.value;
  r.smin = BigInt.asIntN(64, r.value);
  r.smax = r.smin;
  known32(r, b);
  return true;
}

/** The least comes from the tnum, which is bitwise by nature; the greatest is at most either operand's. */
export function and32(r: Bounds, b: Scalar): void {
  if (known32(r, b)) return;
  r.u32min = low32(r.value);
  if (b.u32max < r.u32max) r.u32max = b.u32max;
  signedFromUnsigned32(r);
}

/** Bounds of a 64-bit AND: at least the known ones, at most the lesser of both maxima. Follows scalar_min_max_and. */
export function and64(r: Bounds, b: Scalar): void {
  if (known64(r, b)) return;
  r.umin = r.value;
  if (b.umax < r.umax) r.umax = b.umax;
  signedFromUnsigned64(r);
  boundsFromTnum64(r);
}

/** The greatest comes from the tnum; the least is at least either operand's. */
export function or32(r: Bounds, b: Scalar): void {
  if (known32(r, b)) return;
  if (b.u32min > r.u32min) r.u32min = b.u32min;
  r.u32max = low32(r.value | r.mask);
  signedFromUnsigned32(r);
}

/** Bounds of a 64-bit OR: at least the greater of both minima, at most all bits that may be 1. Follows scalar_min_max_or. */
export function or64(r: Bounds, b: Scalar): void {
  if (known64(r, b)) return;
  if (b.umin > r.umin) r.umin = b.umin;
  r.umax = r.value | r.mask;
  signedFromUnsigned64(r);
  boundsFromTnum64(r);
}

/** Both ends come from the tnum. */
export function xor32(r: Bounds, b: Scalar): void {
  if (known32(r, b)) return;
  r.u32min = low32(r.value);
  r.u32max = low32(r.value | r.mask);
  signedFromUnsigned32(r);
}

/** Bounds of a 64-bit XOR, which only the known bits give. Follows scalar_min_max_xor. */
export function xor64(r: Bounds, b: Scalar): void {
  if (known64(r, b)) return;
  r.umin = r.value;
  r.umax = r.value | r.mask;
  signedFromUnsigned64(r);
  boundsFromTnum64(r);
}
