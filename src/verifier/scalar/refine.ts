/**
 * Refines the scalars that a conditional jump compares: is_scalar_branch_taken(), regs_refine_cond_op() and reg_set_min_max() of
 * kernel/bpf/verifier.c.
 */
import type { Comparison, Width } from '../../isa/insn.js';
import { U64_MAX } from '../../isa/integer.js';
import type { Scalar } from './scalar.js';
import { equal, greater, lesser } from './scalar.js';
import type { Bounds } from './sync.js';
import { forgetBounds32, forgetBounds64, mutableCopy, sanityChecked, syncBounds } from './sync.js';
import { tnumIntersect, tnumSubreg, tnumWithSubreg } from './tnum.js';

const LOW = 0xffff_ffffn;

/** A comparison. `clear` is the negation of `set`. */
type Condition = Comparison | 'clear';

const OPPOSITE: Readonly<Record<Comparison, Condition>> = {
  eq: 'ne',
  ne: 'eq',
  gt: 'le',
  ge: 'lt',
  lt: 'ge',
  le: 'gt',
  sgt: 'sle',
  sge: 'slt',
  slt: 'sge',
  sle: 'sgt',
  set: 'clear',
};

const isKnown = (width: Width, s: Scalar): boolean => (width === 64 ? s.mask : s.mask & LOW) === 0n;

/**
 * Whether `if a op b` is always taken, never taken, or (undefined) either. Sound: no run contradicts a definite answer.
 * Linux 6.18 does not see that a register is equal to itself, so neither is it seen here.
 */
export function branchTaken(op: Comparison, width: Width, a: Scalar, b: Scalar): boolean | undefined {
  switch (op) {
    case 'eq':
      return sameValue(width, a, b);
    case 'ne': {
      const same = sameValue(width, a, b);
      return same === undefined ? undefined : !same;
    }
    case 'set':
      return someBitSet(width, a, b);
    case 'gt':
    case 'ge':
    case 'lt':
    case 'le':
      return width === 64
        ? ordered(op, a.umin, a.umax, b.umin, b.umax)
        : ordered(op, a.u32min, a.u32max, b.u32min, b.u32max);
    case 'sgt':
      return signedOrder('gt', width, a, b);
    case 'sge':
      return signedOrder('ge', width, a, b);
    case 'slt':
      return signedOrder('lt', width, a, b);
    case 'sle':
      return signedOrder('le', width, a, b);
  }
}

function signedOrder(op: 'gt' | 'ge' | 'lt' | 'le', width: Width, a: Scalar, b: Scalar): boolean | undefined {
  return width === 64
    ? ordered(op, a.smin, a.smax, b.smin, b.smax)
    : ordered(op, a.s32min, a.s32max, b.s32min, b.s32max);
}

function ordered<T extends bigint | number>(
  op: 'gt' | 'ge' | 'lt' | 'le',
  min1: T,
  max1: T,
  min2: T,
  max2: T,
): boolean | undefined {
  switch (op) {
    case 'gt':
      return min1 > max2 ? true : max1 <= min2 ? false : undefined;
    case 'ge':
      return min1 >= max2 ? true : max1 < min2 ? false : undefined;
    case 'lt':
      return max1 < min2 ? true : min1 >= max2 ? false : undefined;
    case 'le':
      return max1 <= min2 ? true : min1 > max2 ? false : undefined;
  }
}

function sameValue(width: Width, a: Scalar, b: Scalar): boolean | undefined {
  const unknownBits = width === 64 ? a.mask | b.mask : (a.mask | b.mask) & LOW;
  const differ = width === 64 ? a.value ^ b.value : (a.value ^ b.value) & LOW;
  if (unknownBits === 0n) return differ === 0n;
  // Some bit is known in both and differs.
  if ((differ & (unknownBits ^ U64_MAX)) !== 0n) return false;
  if (width === 64 && (a.umin > b.umax || a.umax < b.umin || a.smin > b.smax || a.smax < b.smin))
    return false;
  if (a.u32min > b.u32max || a.u32max < b.u32min || a.s32min > b.s32max || a.s32max < b.s32min) return false;
  return undefined;
}

function someBitSet(width: Width, a: Scalar, b: Scalar): boolean | undefined {
  const [x, y] = isKnown(width, b) ? [a, b] : [b, a];
  if (!isKnown(width, y)) return undefined;
  const bits = width === 64 ? y.value : y.value & LOW;
  if ((x.value & bits) !== 0n) return true;
  if (((x.value | x.mask) & bits) === 0n) return false;
  return undefined;
}

/**
 * What is known of a and b after `if a op b` was taken (or not). Linux walks into a dead branch that `branchTaken` did not recognise, and
 * so does this: contradictory bounds are dropped (reg_bounds_sanity_check), the tnum is kept. A scalar that is not refined is returned as
 * the same object. `same`: a and b are one register, which gets both refinements.
 */
export function refine(
  op: Comparison,
  width: Width,
  taken: boolean,
  a: Scalar,
  b: Scalar,
  same = false,
): [Scalar, Scalar] {
  const x = mutableCopy(a);
  const y = same ? x : mutableCopy(b);
  refineBoth(taken ? op : OPPOSITE[op], width, x, y);
  return [checkedUnlessSame(a, synced(a, x)), checkedUnlessSame(b, synced(b, y))];
}

/** Syncs the bounds. Returns the given object if nothing changed. A constant needs no sync. */
function synced(before: Scalar, r: Bounds): Scalar {
  if (before.mask === 0n && equal(before, r)) return before;
  syncBounds(r);
  return equal(before, r) ? before : r;
}

const checkedUnlessSame = (before: Scalar, after: Scalar): Scalar =>
  after === before ? before : sanityChecked(after);

/** Puts `x condition y` into the bounds of both (regs_refine_cond_op). Not synced. */
function refineBoth(condition: Condition, width: Width, x: Bounds, y: Bounds): void {
  switch (condition) {
    case 'eq':
      if (width === 64) refineEqual64(x, y);
      else refineEqual32(x, y);
      break;
    case 'ne':
      if (isKnown(width, y)) refineNotEqual(width, x, y.value);
      else if (isKnown(width, x)) refineNotEqual(width, y, x.value);
      break;
    case 'set':
    case 'clear':
      if (isKnown(width, y)) refineBits(condition, width, x, y.value);
      else if (isKnown(width, x)) refineBits(condition, width, y, x.value);
      break;
    case 'lt':
    case 'le':
      refineBelow(width, x, y, condition === 'lt');
      break;
    case 'gt':
    case 'ge':
      refineBelow(width, y, x, condition === 'gt');
      break;
    case 'slt':
    case 'sle':
      refineSignedBelow(width, x, y, condition === 'slt');
      break;
    case 'sgt':
    case 'sge':
      refineSignedBelow(width, y, x, condition === 'sgt');
      break;
  }
}

function refineEqual64(x: Bounds, y: Bounds): void {
  x.umin = y.umin = greater(x.umin, y.umin);
  x.umax = y.umax = lesser(x.umax, y.umax);
  x.smin = y.smin = greater(x.smin, y.smin);
  x.smax = y.smax = lesser(x.smax, y.smax);
  const t = tnumIntersect(x, y);
  x.value = y.value = t.value;
  x.mask = y.mask = t.mask;
}

function refineEqual32(x: Bounds, y: Bounds): void {
  x.u32min = y.u32min = Math.max(x.u32min, y.u32min);
  x.u32max = y.u32max = Math.min(x.u32max, y.u32max);
  x.s32min = y.s32min = Math.max(x.s32min, y.s32min);
  x.s32max = y.s32max = Math.min(x.s32max, y.s32max);
  const t = tnumIntersect(tnumSubreg(x), tnumSubreg(y));
  const tx = tnumWithSubreg(x, t);
  const ty = tnumWithSubreg(y, t);
  x.value = tx.value;
  x.mask = tx.mask;
  y.value = ty.value;
  y.mask = ty.mask;
}

/** x != v: a bound equal to v moves by one. */
function refineNotEqual(width: Width, x: Bounds, v: bigint): void {
  if (width === 64) {
    const signed = BigInt.asIntN(64, v);
    if (x.umin === v) x.umin += 1n;
    if (x.umax === v) x.umax -= 1n;
    if (x.smin === signed) x.smin += 1n;
    if (x.smax === signed) x.smax -= 1n;
  } else {
    const low = Number(BigInt.asUintN(32, v));
    if (x.u32min === low) x.u32min += 1;
    if (x.u32max === low) x.u32max -= 1;
    if (x.s32min === (low | 0)) x.s32min += 1;
    if (x.s32max === (low | 0)) x.s32max -= 1;
  }
}

/** `x & v` has a bit set (which one is known only if v has just one), or none. */
function refineBits(condition: 'set' | 'clear', width: Width, x: Bounds, v: bigint): void {
  const tested = width === 64 ? v : v & LOW;
  if (condition === 'clear') {
    // The kernel forgets the bounds here, so that they do not contradict the tnum on a dead branch.
    forgetBounds32(x);
    forgetBounds64(x);
    x.value &= tested ^ U64_MAX;
    x.mask &= tested ^ U64_MAX;
  } else if (tested !== 0n && (tested & (tested - 1n)) === 0n) {
    x.value |= tested;
    x.mask &= tested ^ U64_MAX;
  }
}

/** x < y or x <= y, unsigned. */
function refineBelow(width: Width, x: Bounds, y: Bounds, strict: boolean): void {
  if (width === 64) {
    const gap = strict ? 1n : 0n;
    if (y.umax - gap < x.umax) x.umax = y.umax - gap;
    if (x.umin + gap > y.umin) y.umin = x.umin + gap;
  } else {
    const gap = strict ? 1 : 0;
    if (y.u32max - gap < x.u32max) x.u32max = y.u32max - gap;
    if (x.u32min + gap > y.u32min) y.u32min = x.u32min + gap;
  }
}

/** x < y or x <= y, signed. */
function refineSignedBelow(width: Width, x: Bounds, y: Bounds, strict: boolean): void {
  if (width === 64) {
    const gap = strict ? 1n : 0n;
    if (y.smax - gap < x.smax) x.smax = y.smax - gap;
    if (x.smin + gap > y.smin) y.smin = x.smin + gap;
  } else {
    const gap = strict ? 1 : 0;
    if (y.s32max - gap < x.s32max) x.s32max = y.s32max - gap;
    if (x.s32min + gap > y.s32min) y.s32min = x.s32min + gap;
  }
}
