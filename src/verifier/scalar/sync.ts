/**
 * Syncs the five domains of a scalar: what one domain knows narrows the others. Follows reg_bounds_sync() and what it calls in
 * kernel/bpf/verifier.c. No step removes a possible value.
 */
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, s64, U32_MAX, U64_MAX, u64 } from '../../isa/integer.js';
import type { Scalar } from './scalar.js';
import { constant, equal, unknown } from './scalar.js';
import { tnumHas, tnumRange, tnumStep } from './tnum.js';

/** The domains of a scalar while they are being computed. Can be changed in place. */
export type Bounds = { -readonly [K in keyof Scalar]: Scalar[K] };

const LOW = 0xffff_ffffn;
const HIGH = 0xffff_ffff_0000_0000n;
const BIG_S32_MIN = BigInt(S32_MIN);
const BIG_S32_MAX = BigInt(S32_MAX);

/** The low half, unsigned. */
const low32 = (x: bigint): number => (x >= 0n && x <= LOW ? Number(x) : Number(BigInt.asUintN(32, x)));
/** The high half; signed if x is. */
const high32 = (x: bigint): number => (x >= 0n && x <= LOW ? 0 : Number(x >> 32n));

/** Copies a scalar into an object that can be changed in place; scalars themselves are never changed. */
export function mutableCopy(s: Scalar): Bounds {
  return {
    value: s.value,
    mask: s.mask,
    smin: s.smin,
    smax: s.smax,
    umin: s.umin,
    umax: s.umax,
    s32min: s.s32min,
    s32max: s.s32max,
    u32min: s.u32min,
    u32max: s.u32max,
  };
}

/** Sets the 32-bit bounds to the whole range (__mark_reg32_unbounded). The tnum stays. */
export function forgetBounds32(r: Bounds): void {
  r.s32min = S32_MIN;
  r.s32max = S32_MAX;
  r.u32min = 0;
  r.u32max = U32_MAX;
}

/** Sets the 64-bit bounds to the whole range (__mark_reg64_unbounded). The tnum and the 32-bit bounds stay. */
export function forgetBounds64(r: Bounds): void {
  r.smin = S64_MIN;
  r.smax = S64_MAX;
  r.umin = 0n;
  r.umax = U64_MAX;
}

/** 32-bit bounds from the tnum (__update_reg32_bounds). */
export function boundsFromTnum32(r: Bounds): void {
  const value = low32(r.value);
  const mask = low32(r.mask);
  const smin = value | (mask & S32_MIN);
  const smax = value | (mask & S32_MAX);
  const umax = (value | mask) >>> 0;
  if (smin > r.s32min) r.s32min = smin;
  if (smax < r.s32max) r.s32max = smax;
  if (value > r.u32min) r.u32min = value;
  if (umax < r.u32max) r.u32max = umax;
}

/** 64-bit bounds from the tnum (__update_reg64_bounds). */
export function boundsFromTnum64(r: Bounds): void {
  const { value, mask } = r;
  const umax = value | mask;
  // If the sign bit is unknown, the least value has it set and the greatest has it clear.
  if (mask > S64_MAX) {
    const smin = s64(value) + S64_MIN;
    const smax = value | (mask & S64_MAX);
    if (smin > r.smin) r.smin = smin;
    if (smax < r.smax) r.smax = smax;
  } else {
    const smin = s64(value);
    const smax = s64(umax);
    if (smin > r.smin) r.smin = smin;
    if (smax < r.smax) r.smax = smax;
  }
  if (value > r.umin) r.umin = value;
  if (umax < r.umax) r.umax = umax;
  // Bounds that came from the tnum alone cannot select one of its numbers.
  if (r.umin !== value || r.umax !== umax) pinSingleValue(r, umax);
}

/** Where [umin, umax] has just one number of the tnum, that is the value. A constant tnum overrules contradictory bounds. */
function pinSingleValue(r: Bounds, last: bigint): void {
  const next = tnumStep(r, r.umin);
  if (tnumHas(r, r.umin)) {
    if (next > r.umax) setKnown(r, r.umin);
  } else if (next === last) {
    setKnown(r, last);
  } else if (next <= r.umax && tnumStep(r, next) > r.umax) {
    setKnown(r, next);
  }
}

function setKnown(r: Bounds, v: bigint): void {
  const low = low32(v);
  r.value = v;
  r.mask = 0n;
  r.umin = r.umax = v;
  r.smin = r.smax = s64(v);
  r.u32min = r.u32max = low;
  r.s32min = r.s32max = low | 0;
}

/** Low halves from 64-bit bounds whose high halves agree or follow each other; then s32 and u32 from each other. */
function deduce32(r: Bounds): void {
  deduce32FromUnsigned64(r);
  deduce32FromSigned64(r);
  if ((r.u32min | 0) <= (r.u32max | 0)) narrowSigned32(r, r.u32min | 0, r.u32max | 0);
  if (r.s32min >>> 0 <= r.s32max >>> 0) {
    const min = r.s32min >>> 0;
    const max = r.s32max >>> 0;
    if (min > r.u32min) r.u32min = min;
    if (max < r.u32max) r.u32max = max;
  } else if (r.u32max < r.s32min >>> 0) {
    // The signed range wraps around; the unsigned one meets only its non-negative end.
    r.s32min = r.u32min | 0;
    r.u32max = Math.min(r.u32max, r.s32max >>> 0);
  } else if (r.s32max >>> 0 < r.u32min) {
    // Only its negative end.
    r.s32max = r.u32max | 0;
    r.u32min = Math.max(r.u32min, r.s32min >>> 0);
  }
}

function deduce32FromUnsigned64(r: Bounds): void {
  // The most frequent case: no bounds are known.
  if (r.umin === 0n && r.umax === U64_MAX) return;
  const uminLow = low32(r.umin);
  const umaxLow = low32(r.umax);
  const uminHigh = high32(r.umin);
  const umaxHigh = high32(r.umax);
  if (uminHigh === umaxHigh) {
    if (uminLow > r.u32min) r.u32min = uminLow;
    if (umaxLow < r.u32max) r.u32max = umaxLow;
    if ((uminLow | 0) <= (umaxLow | 0)) narrowSigned32(r, uminLow | 0, umaxLow | 0);
  } else if ((uminHigh + 1) >>> 0 === umaxHigh && (uminLow | 0) < 0 && (umaxLow | 0) >= 0) {
    narrowSigned32(r, uminLow | 0, umaxLow | 0);
  }
}

function deduce32FromSigned64(r: Bounds): void {
  if (r.smin === S64_MIN && r.smax === S64_MAX) return;
  const sminLow = low32(r.smin);
  const smaxLow = low32(r.smax);
  const sminHigh = high32(r.smin);
  const smaxHigh = high32(r.smax);
  if (sminHigh === smaxHigh) {
    if (sminLow <= smaxLow) {
      if (sminLow > r.u32min) r.u32min = sminLow;
      if (smaxLow < r.u32max) r.u32max = smaxLow;
    }
    if ((sminLow | 0) <= (smaxLow | 0)) narrowSigned32(r, sminLow | 0, smaxLow | 0);
  } else if (((sminHigh + 1) | 0) === smaxHigh && (sminLow | 0) < 0 && (smaxLow | 0) >= 0) {
    narrowSigned32(r, sminLow | 0, smaxLow | 0);
  }
}

function narrowSigned32(r: Bounds, min: number, max: number): void {
  if (min > r.s32min) r.s32min = min;
  if (max < r.s32max) r.s32max = max;
}

/** Signed and unsigned 64-bit bounds from each other, as the 32-bit ones above (__reg64_deduce_bounds). */
function deduce64(r: Bounds): void {
  const uminSigned = s64(r.umin);
  const umaxSigned = s64(r.umax);
  if (uminSigned <= umaxSigned) {
    if (uminSigned > r.smin) r.smin = uminSigned;
    if (umaxSigned < r.smax) r.smax = umaxSigned;
  }
  const smin = u64(r.smin);
  const smax = u64(r.smax);
  if (smin <= smax) {
    if (smin > r.umin) r.umin = smin;
    if (smax < r.umax) r.umax = smax;
  } else if (r.umax < smin) {
    r.smin = s64(r.umin);
    if (smax < r.umax) r.umax = smax;
  } else if (smax < r.umin) {
    r.smax = s64(r.umax);
    if (smin > r.umin) r.umin = smin;
  }
}

/** 64-bit bounds from 32-bit ones: known low halves go into both ends (__reg_deduce_mixed_bounds). */
function deduceMixed(r: Bounds): void {
  if (r.u32min !== 0 || r.u32max !== U32_MAX) refine64FromLowHalf(r);
  // After a sign-extending load: the low half is not negative, so the high half is not all ones.
  if (r.s32min >= 0 && r.smin >= BIG_S32_MIN && r.smax <= BIG_S32_MAX) {
    r.smin = BigInt(r.s32min);
    r.smax = BigInt(r.s32max);
    r.umin = r.smin;
    r.umax = r.smax;
    intersectTnumWithRange(r, r.umin, r.umax);
  }
}

function refine64FromLowHalf(r: Bounds): void {
  const low = BigInt(r.u32min);
  const high = BigInt(r.u32max);
  const umin = (r.umin & HIGH) | low;
  const umax = (r.umax & HIGH) | high;
  if (umin > r.umin) r.umin = umin;
  if (umax < r.umax) r.umax = umax;
  const smin = s64((u64(r.smin) & HIGH) | low);
  const smax = s64((u64(r.smax) & HIGH) | high);
  if (smin > r.smin) r.smin = smin;
  if (smax < r.smax) r.smax = smax;
}

/** Intersects the tnum with that of the unsigned range [min, max]. Meaningless where min > max: no value is left then. */
function intersectTnumWithRange(r: Bounds, min: bigint, max: bigint): void {
  if (min === 0n && max === U64_MAX) return;
  const range = tnumRange(min, max);
  const mask = r.mask & range.mask;
  r.value = (r.value | range.value) & (mask ^ U64_MAX);
  r.mask = mask;
}

/** The tnum from the unsigned bounds (__reg_bound_offset). */
function tnumFromBounds(r: Bounds): void {
  intersectTnumWithRange(r, r.umin, r.umax);
  if (r.u32min === 0 && r.u32max === U32_MAX) return;
  const range = tnumRange(BigInt(r.u32min), BigInt(r.u32max));
  const lowMask = r.mask & LOW & range.mask;
  const lowValue = ((r.value & LOW) | range.value) & (lowMask ^ LOW);
  r.value = (r.value & HIGH) | lowValue;
  r.mask = (r.mask & HIGH) | lowMask;
}

/** Narrows each domain by the others (reg_bounds_sync). */
export function syncBounds(r: Bounds): void {
  boundsFromTnum32(r);
  boundsFromTnum64(r);
  for (let round = 0; round < 3; round++) {
    const { smin, smax, umin, umax, s32min, s32max, u32min, u32max } = r;
    deduce32(r);
    deduce64(r);
    deduceMixed(r);
    const same32 = s32min === r.s32min && s32max === r.s32max && u32min === r.u32min && u32max === r.u32max;
    if (same32 && smin === r.smin && smax === r.smax && umin === r.umin && umax === r.umax) break;
  }
  tnumFromBounds(r);
  boundsFromTnum32(r);
  boundsFromTnum64(r);
}

/** Whether the domains contradict each other before syncing, so that no value is left. */
export function isEmpty(r: Scalar): boolean {
  if (r.umin > r.umax || r.smin > r.smax || r.u32min > r.u32max || r.s32min > r.s32max) return true;
  if (tnumHas(r, r.umin)) return false;
  const next = tnumStep(r, r.umin);
  return next < r.umin || next > r.umax;
}

/** Whether the domains agree that some value is left, by the rules of reg_bounds_sanity_check(). */
export function isConsistent(r: Scalar): boolean {
  if (r.umin > r.umax || r.smin > r.smax || r.u32min > r.u32max || r.s32min > r.s32max) return false;
  if (r.mask === 0n) {
    if (r.umin !== r.value || r.umax !== r.value) return false;
    const signed = s64(r.value);
    if (r.smin !== signed || r.smax !== signed) return false;
  }
  if ((r.mask & LOW) === 0n) {
    const low = low32(r.value);
    if (r.u32min !== low || r.u32max !== low) return false;
    if (r.s32min !== (low | 0) || r.s32max !== (low | 0)) return false;
  }
  return true;
}

/** Makes the scalar. Contradictory bounds are dropped, as the kernel does. */
export function sanityChecked(r: Scalar): Scalar {
  if (!isConsistent(r)) return { ...unknown, value: r.value, mask: r.mask };
  return r.mask === 0n ? constant(r.value) : canonical(r);
}

/** Numbers of which only the size is known. Each of them is one shared object. */
const ANY = [unsigned(8), unsigned(16), unsigned(32)] as const;

function unsigned(bits: 8 | 16 | 32): Scalar {
  const max = (1n << BigInt(bits)) - 1n;
  const whole = bits === 32;
  return {
    value: 0n,
    mask: max,
    smin: 0n,
    smax: max,
    umin: 0n,
    umax: max,
    s32min: whole ? S32_MIN : 0,
    s32max: whole ? S32_MAX : Number(max),
    u32min: 0,
    u32max: Number(max),
  };
}

function canonical(r: Scalar): Scalar {
  if (r.value !== 0n) return r;
  if (r.mask === U64_MAX) return equal(r, unknown) ? unknown : r;
  for (const any of ANY) if (r.mask === any.mask) return equal(r, any) ? any : r;
  return r;
}
