/**
 * What is known of a 64-bit scalar: which bits are known (a tnum), and its bounds as signed and unsigned, 64- and 32-bit
 * number. The product of five domains, as in struct bpf_reg_state (include/linux/bpf_verifier.h). Here: the type,
 * constants and questions; `set.ts` builds and joins, `alu.ts` computes, `refine.ts` branches.
 */
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../../isa/integer.js';
import { tnumHas, tnumIn } from './tnum.js';

/** Immutable. `value`/`mask` is the tnum: a set mask bit is unknown. 64-bit bounds are bigints (umin, umax unsigned), 32-bit ones numbers. */
export interface Scalar {
  readonly value: bigint;
  readonly mask: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly s32min: number;
  readonly s32max: number;
  readonly u32min: number;
  readonly u32max: number;
}

/** The less of two; Math.min for bigints. */
export function lesser(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

/** The maximum of two numbers; `Math.max` takes no bigints. */
export function greater(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

/** Any 64-bit value. The one object for it: compare with `===` for a quick answer, with `equal` for a sure one. */
export const unknown: Scalar = {
  value: 0n,
  mask: U64_MAX,
  smin: S64_MIN,
  smax: S64_MAX,
  umin: 0n,
  umax: U64_MAX,
  s32min: S32_MIN,
  s32max: S32_MAX,
  u32min: 0,
  u32max: U32_MAX,
};

/** Small constants are made once: offsets, sizes, flags and error numbers are most of what programs use. */
const CACHE_LOW = -256;
const CACHE_HIGH = 4096;
const cache: (Scalar | undefined)[] = new Array<Scalar | undefined>(CACHE_HIGH - CACHE_LOW + 1).fill(
  undefined,
);

function known(signed: bigint, unsigned: bigint): Scalar {
  const low = Number(BigInt.asUintN(32, unsigned));
  return {
    value: unsigned,
    mask: 0n,
    smin: signed,
    smax: signed,
    umin: unsigned,
    umax: unsigned,
    s32min: low | 0,
    s32max: low | 0,
    u32min: low,
    u32max: low,
  };
}

/** The scalar with the one value `v`, given as signed or unsigned 64-bit number. */
export function constant(v: bigint): Scalar {
  const signed = BigInt.asIntN(64, v);
  if (signed < CACHE_LOW || signed > CACHE_HIGH) return known(signed, BigInt.asUintN(64, v));
  const index = Number(signed) - CACHE_LOW;
  const cached = cache[index];
  if (cached !== undefined) return cached;
  const made = known(signed, BigInt.asUintN(64, v));
  cache[index] = made;
  return made;
}

/** Whether it has exactly one value. */
export const isConst = (s: Scalar): boolean => s.mask === 0n;

/** The value of a constant, unsigned. Meaningless unless `isConst`. */
export const constValue = (s: Scalar): bigint => s.value;

/** Whether it is zero in every run. */
export const isZero = (s: Scalar): boolean => s.mask === 0n && s.value === 0n;

/** Whether all values are in [min, max] as signed 64-bit numbers. */
export const fitsSigned = (s: Scalar, min: bigint, max: bigint): boolean => s.smin >= min && s.smax <= max;

/** Whether the concrete value `v`, in [0, 2^64), is one of those that `s` stands for. */
export function admits(s: Scalar, v: bigint): boolean {
  if (!tnumHas(s, v) || v < s.umin || v > s.umax) return false;
  const signed = BigInt.asIntN(64, v);
  if (signed < s.smin || signed > s.smax) return false;
  const low = Number(BigInt.asUintN(32, v));
  if (low < s.u32min || low > s.u32max) return false;
  return (low | 0) >= s.s32min && (low | 0) <= s.s32max;
}

/** Whether every value of `inner` is one of `outer`, as far as bounds and tnum tell: range_within() and tnum_in(). */
export function contains(outer: Scalar, inner: Scalar): boolean {
  return (
    outer === inner ||
    outer === unknown ||
    (outer.u32min <= inner.u32min &&
      outer.u32max >= inner.u32max &&
      outer.s32min <= inner.s32min &&
      outer.s32max >= inner.s32max &&
      outer.umin <= inner.umin &&
      outer.umax >= inner.umax &&
      outer.smin <= inner.smin &&
      outer.smax >= inner.smax &&
      tnumIn(outer, inner))
  );
}

/** Whether the same is known of both, field by field. */
export function equal(a: Scalar, b: Scalar): boolean {
  return (
    a === b ||
    (a.u32min === b.u32min &&
      a.u32max === b.u32max &&
      a.s32min === b.s32min &&
      a.s32max === b.s32max &&
      a.value === b.value &&
      a.mask === b.mask &&
      a.umin === b.umin &&
      a.umax === b.umax &&
      a.smin === b.smin &&
      a.smax === b.smax)
  );
}
