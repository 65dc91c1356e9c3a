/**
 * Scalars as kernel/bpf/verifier.c and tnum.c of Linux 6.18 compute them, line by line and with its casts: slow, plain, and written a second
 * time. Every number is a bigint in the range of its C type; nothing is shared with src/verifier.
 */
import type { BinaryOp, Comparison, Width } from '../../../src/isa/insn.js';
import type { Scalar } from '../../../src/verifier/scalar/scalar.js';

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);
const u32 = (x: bigint): bigint => BigInt.asUintN(32, x);
const s32 = (x: bigint): bigint => BigInt.asIntN(32, x);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const U64_MAX = u64(-1n);
const U32_MAX = u32(-1n);
const S64_MAX = U64_MAX >> 1n;
const S64_MIN = -S64_MAX - 1n;
const S32_MAX = U32_MAX >> 1n;
const S32_MIN = -S32_MAX - 1n;
const HIGH = u64(~U32_MAX);

interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}
const T = (value: bigint, mask: bigint): Tnum => ({ value: u64(value), mask: u64(mask) });

function tnumRange(low: bigint, high: bigint): Tnum {
  const chi = low ^ high;
  const bits = BigInt(chi === 0n ? 0 : chi.toString(2).length);
  if (bits > 63n) return T(0n, U64_MAX);
  const delta = (1n << bits) - 1n;
  return T(low & ~delta, delta);
}
const lshift = (a: Tnum, n: bigint): Tnum => T(a.value << n, a.mask << n);
const rshift = (a: Tnum, n: bigint): Tnum => T(a.value >> n, a.mask >> n);
const arshift = (a: Tnum, n: bigint, width: Width): Tnum =>
  width === 32 ? T(u32(s32(a.value) >> n), u32(s32(a.mask) >> n)) : T(s64(a.value) >> n, s64(a.mask) >> n);
function tnumAdd(a: Tnum, b: Tnum): Tnum {
  const sm = u64(a.mask + b.mask);
  const sv = u64(a.value + b.value);
  const mu = (u64(sm + sv) ^ sv) | a.mask | b.mask;
  return T(sv & ~mu, mu);
}
function tnumSub(a: Tnum, b: Tnum): Tnum {
  const dv = u64(a.value - b.value);
  const mu = (u64(dv + a.mask) ^ u64(dv - b.mask)) | a.mask | b.mask;
  return T(dv & ~mu, mu);
}
const tnumAnd = (a: Tnum, b: Tnum): Tnum => {
  const v = a.value & b.value;
  return T(v, (a.value | a.mask) & (b.value | b.mask) & ~v);
};
const tnumOr = (a: Tnum, b: Tnum): Tnum => {
  const v = a.value | b.value;
  return T(v, (a.mask | b.mask) & ~v);
};
const tnumXor = (a: Tnum, b: Tnum): Tnum => {
  const mu = a.mask | b.mask;
  return T((a.value ^ b.value) & ~mu, mu);
};
const tnumUnion = (a: Tnum, b: Tnum): Tnum => {
  const mu = a.mask | b.mask | (a.value ^ b.value);
  return T(a.value & b.value & ~mu, mu);
};
export function kernelTnumMul(first: Tnum, second: Tnum): Tnum {
  let [a, b, acc] = [first, second, T(0n, 0n)];
  while (a.value !== 0n || a.mask !== 0n) {
    if ((a.value & 1n) !== 0n) acc = tnumAdd(acc, b);
    else if ((a.mask & 1n) !== 0n) acc = tnumUnion(acc, tnumAdd(acc, b));
    a = rshift(a, 1n);
    b = lshift(b, 1n);
  }
  return acc;
}
const tnumIntersect = (a: Tnum, b: Tnum): Tnum => {
  const mu = a.mask & b.mask;
  return T((a.value | b.value) & ~mu, mu);
};
const subreg = (a: Tnum): Tnum => T(u32(a.value), u32(a.mask));
const withSubreg = (a: Tnum, low: Tnum): Tnum =>
  T((a.value & HIGH) | u32(low.value), (a.mask & HIGH) | u32(low.mask));

/** The next member of the tnum above z, found bit by bit; its greatest where there is none. */
function tnumStep(a: Tnum, z: bigint): bigint {
  const tmax = a.value | a.mask;
  if (z >= tmax) return tmax;
  if (z < a.value) return a.value;
  // The longest prefix that can be shared with z, after which an unknown bit becomes a one.
  let best = tmax;
  for (let bit = 63n; bit >= 0n; bit--) {
    const one = 1n << bit;
    const above = u64(~(one * 2n - 1n));
    const prefixFits = ((z ^ a.value) & ~a.mask & above) === 0n;
    const canRise = (z & one) === 0n && ((a.mask | a.value) & one) !== 0n;
    if (prefixFits && canRise) best = min(best, (z & above) | one | (a.value & (one - 1n)));
  }
  return best;
}

/** struct bpf_reg_state of a scalar. */
export interface KernelReg {
  t: Tnum;
  smin: bigint;
  smax: bigint;
  umin: bigint;
  umax: bigint;
  s32min: bigint;
  s32max: bigint;
  u32min: bigint;
  u32max: bigint;
}

export const toKernel = (s: Scalar): KernelReg => ({
  t: T(s.value, s.mask),
  smin: s.smin,
  smax: s.smax,
  umin: s.umin,
  umax: s.umax,
  s32min: BigInt(s.s32min),
  s32max: BigInt(s.s32max),
  u32min: BigInt(s.u32min),
  u32max: BigInt(s.u32max),
});
export const fromKernel = (r: KernelReg): Scalar => ({
  value: r.t.value,
  mask: r.t.mask,
  smin: r.smin,
  smax: r.smax,
  umin: r.umin,
  umax: r.umax,
  s32min: Number(r.s32min),
  s32max: Number(r.s32max),
  u32min: Number(r.u32min),
  u32max: Number(r.u32max),
});

const unbounded = (t: Tnum): KernelReg => ({ t, ...any64, ...any32 });
const any64 = { smin: S64_MIN, smax: S64_MAX, umin: 0n, umax: U64_MAX };
const any32 = { s32min: S32_MIN, s32max: S32_MAX, u32min: 0n, u32max: U32_MAX };
const known = (v: bigint): KernelReg => ({
  t: T(v, 0n),
  ...{ smin: s64(v), smax: s64(v), umin: u64(v), umax: u64(v) },
  ...{ s32min: s32(v), s32max: s32(v), u32min: u32(v), u32max: u32(v) },
});
const isConst = (r: KernelReg): boolean => r.t.mask === 0n;

// reg_bounds_sync and what it calls.

function updateReg32Bounds(r: KernelReg): void {
  const { value, mask } = subreg(r.t);
  r.s32min = max(r.s32min, s32(value | (mask & u32(S32_MIN))));
  r.s32max = min(r.s32max, s32(value | (mask & S32_MAX)));
  r.u32min = max(r.u32min, value);
  r.u32max = min(r.u32max, value | mask);
}

function updateReg64Bounds(r: KernelReg): void {
  const { value, mask } = r.t;
  r.smin = max(r.smin, s64(value | (mask & u64(S64_MIN))));
  r.smax = min(r.smax, s64(value | (mask & S64_MAX)));
  r.umin = max(r.umin, value);
  r.umax = min(r.umax, value | mask);
  const next = tnumStep(r.t, r.umin);
  const inTnum = (r.umin & ~mask) === value;
  const last = value | mask;
  if (inTnum && next > r.umax) Object.assign(r, known(r.umin));
  else if (!inTnum && next === last) Object.assign(r, known(last));
  else if (!inTnum && next <= r.umax && tnumStep(r.t, next) > r.umax) Object.assign(r, known(next));
}

function reg32DeduceBounds(r: KernelReg): void {
  const raise = (low: bigint, high: bigint): void => {
    r.s32min = max(r.s32min, s32(low));
    r.s32max = min(r.s32max, s32(high));
  };
  const raiseUnsigned = (low: bigint, high: bigint): void => {
    r.u32min = max(r.u32min, u32(low));
    r.u32max = min(r.u32max, u32(high));
  };
  if (r.umin >> 32n === r.umax >> 32n) {
    raiseUnsigned(r.umin, r.umax);
    if (s32(r.umin) <= s32(r.umax)) raise(r.umin, r.umax);
  }
  if (r.smin >> 32n === r.smax >> 32n) {
    if (u32(r.smin) <= u32(r.smax)) raiseUnsigned(r.smin, r.smax);
    if (s32(r.smin) <= s32(r.smax)) raise(r.smin, r.smax);
  }
  if (u32((r.umin >> 32n) + 1n) === u32(r.umax >> 32n) && s32(r.umin) < 0n && s32(r.umax) >= 0n)
    raise(r.umin, r.umax);
  if (u32((r.smin >> 32n) + 1n) === u32(r.smax >> 32n) && s32(r.smin) < 0n && s32(r.smax) >= 0n)
    raise(r.smin, r.smax);
  if (s32(r.u32min) <= s32(r.u32max)) raise(r.u32min, r.u32max);
  if (u32(r.s32min) <= u32(r.s32max)) raiseUnsigned(r.s32min, r.s32max);
  else if (r.u32max < u32(r.s32min)) {
    r.s32min = s32(r.u32min);
    r.u32max = min(r.u32max, u32(r.s32max));
  } else if (u32(r.s32max) < r.u32min) {
    r.s32max = s32(r.u32max);
    r.u32min = max(r.u32min, u32(r.s32min));
  }
}

function reg64DeduceBounds(r: KernelReg): void {
  if (s64(r.umin) <= s64(r.umax)) {
    r.smin = max(s64(r.umin), r.smin);
    r.smax = min(s64(r.umax), r.smax);
  }
  if (u64(r.smin) <= u64(r.smax)) {
    r.umin = max(u64(r.smin), r.umin);
    r.umax = min(u64(r.smax), r.umax);
  } else if (r.umax < u64(r.smin)) {
    r.smin = s64(r.umin);
    r.umax = min(r.umax, u64(r.smax));
  } else if (u64(r.smax) < r.umin) {
    r.smax = s64(r.umax);
    r.umin = max(r.umin, u64(r.smin));
  }
}

function regDeduceMixedBounds(r: KernelReg): void {
  r.umin = max(r.umin, (r.umin & HIGH) | r.u32min);
  r.umax = min(r.umax, (r.umax & HIGH) | r.u32max);
  r.smin = max(r.smin, s64((u64(r.smin) & HIGH) | r.u32min));
  r.smax = min(r.smax, s64((u64(r.smax) & HIGH) | r.u32max));
  if (r.s32min >= 0n && r.smin >= S32_MIN && r.smax <= S32_MAX) {
    r.smin = r.umin = r.s32min;
    r.smax = r.umax = r.s32max;
    r.t = tnumIntersect(r.t, tnumRange(r.umin, r.umax));
  }
}

function regBoundOffset(r: KernelReg): void {
  const whole = tnumIntersect(r.t, tnumRange(r.umin, r.umax));
  r.t = withSubreg(whole, tnumIntersect(subreg(whole), tnumRange(r.u32min, r.u32max)));
}

export function regBoundsSync(r: KernelReg): void {
  updateReg32Bounds(r);
  updateReg64Bounds(r);
  for (let i = 0; i < 3; i++) {
    reg32DeduceBounds(r);
    reg64DeduceBounds(r);
    regDeduceMixedBounds(r);
  }
  regBoundOffset(r);
  updateReg32Bounds(r);
  updateReg64Bounds(r);
}

/** reg_bounds_sanity_check: contradictory bounds are dropped, the tnum stays. */
export function regBoundsSanityCheck(r: KernelReg): KernelReg {
  const low = subreg(r.t);
  const v = r.t.value;
  const crossed = r.umin > r.umax || r.smin > r.smax || r.u32min > r.u32max || r.s32min > r.s32max;
  const constWrong =
    r.t.mask === 0n && (r.umin !== v || r.umax !== v || r.smin !== s64(v) || r.smax !== s64(v));
  const lowWrong =
    low.mask === 0n &&
    (r.u32min !== low.value || r.u32max !== low.value || r.s32min !== s32(v) || r.s32max !== s32(v));
  return crossed || constWrong || lowWrong ? unbounded(r.t) : r;
}

function zext32to64(r: KernelReg): void {
  r.t = subreg(r.t);
  r.umin = r.u32min;
  r.umax = r.u32max;
  const positive = r.s32min >= 0n && r.s32max >= 0n;
  r.smin = positive ? r.s32min : 0n;
  r.smax = positive ? r.s32max : U32_MAX;
}

// Arithmetic.

function addSub(op: 'add' | 'sub', d: KernelReg, s: KernelReg): void {
  const sign = op === 'add' ? 1n : -1n;
  const [low, high] = op === 'add' ? (['min', 'max'] as const) : (['max', 'min'] as const);
  const fits = (v: bigint, type: (x: bigint) => bigint): boolean => type(v) === v;
  const s32s = [d.s32min + sign * s[`s32${low}`], d.s32max + sign * s[`s32${high}`]] as const;
  const ok32 = s32s.every((v) => fits(v, s32));
  [d.s32min, d.s32max] = ok32 ? s32s : [S32_MIN, S32_MAX];
  const u32s = [d.u32min + sign * s[`u32${low}`], d.u32max + sign * s[`u32${high}`]] as const;
  const wraps32 = fits(u32s[0], u32) !== fits(u32s[1], u32);
  [d.u32min, d.u32max] = wraps32 ? [0n, U32_MAX] : [u32(u32s[0]), u32(u32s[1])];
  const s64s = [d.smin + sign * s[`s${low}`], d.smax + sign * s[`s${high}`]] as const;
  [d.smin, d.smax] = s64s.every((v) => fits(v, s64)) ? s64s : [S64_MIN, S64_MAX];
  const u64s = [d.umin + sign * s[`u${low}`], d.umax + sign * s[`u${high}`]] as const;
  const wraps = fits(u64s[0], u64) !== fits(u64s[1], u64);
  [d.umin, d.umax] = wraps ? [0n, U64_MAX] : [u64(u64s[0]), u64(u64s[1])];
  d.t = op === 'add' ? tnumAdd(d.t, s.t) : tnumSub(d.t, s.t);
}

function product(d: KernelReg, s: KernelReg): void {
  d.t = kernelTnumMul(d.t, s.t);
  const corners = (a: bigint, b: bigint, c: bigint, e: bigint): bigint[] => [a * c, a * e, b * c, b * e];
  const fits = (list: bigint[], low: bigint, high: bigint): boolean =>
    list.every((v) => v >= low && v <= high);
  const least = (list: bigint[]): bigint => list.reduce(min);
  const most = (list: bigint[]): bigint => list.reduce(max);
  const u32s = [d.u32min * s.u32min, d.u32max * s.u32max];
  [d.u32min, d.u32max] = u32s[1]! > U32_MAX ? [0n, U32_MAX] : [u32s[0]!, u32s[1]!];
  const s32s = corners(d.s32min, d.s32max, s.s32min, s.s32max);
  [d.s32min, d.s32max] = fits(s32s, S32_MIN, S32_MAX) ? [least(s32s), most(s32s)] : [S32_MIN, S32_MAX];
  const u64s = [d.umin * s.umin, d.umax * s.umax];
  [d.umin, d.umax] = u64s[1]! > U64_MAX ? [0n, U64_MAX] : [u64s[0]!, u64s[1]!];
  const s64s = corners(d.smin, d.smax, s.smin, s.smax);
  [d.smin, d.smax] = fits(s64s, S64_MIN, S64_MAX) ? [least(s64s), most(s64s)] : [S64_MIN, S64_MAX];
}

function bitwise(op: 'and' | 'or' | 'xor', d: KernelReg, s: KernelReg): void {
  d.t = (op === 'and' ? tnumAnd : op === 'or' ? tnumOr : tnumXor)(d.t, s.t);
  const { value, mask } = d.t;
  const low = subreg(d.t);
  if (subreg(s.t).mask === 0n && low.mask === 0n) {
    const { s32min, s32max, u32min, u32max } = known(low.value);
    Object.assign(d, { s32min, s32max, u32min, u32max });
  } else {
    d.u32min = op === 'or' ? max(d.u32min, s.u32min) : low.value;
    d.u32max = op === 'and' ? min(d.u32max, s.u32max) : low.value | low.mask;
    const crosses = s32(d.u32min) > s32(d.u32max);
    d.s32min = crosses ? S32_MIN : s32(d.u32min);
    d.s32max = crosses ? S32_MAX : s32(d.u32max);
  }
  if (s.t.mask === 0n && mask === 0n) {
    Object.assign(d, known(value));
    return;
  }
  d.umin = op === 'or' ? max(d.umin, s.umin) : value;
  d.umax = op === 'and' ? min(d.umax, s.umax) : value | mask;
  const crosses = s64(d.umin) > s64(d.umax);
  d.smin = crosses ? S64_MIN : s64(d.umin);
  d.smax = crosses ? S64_MAX : s64(d.umax);
  updateReg64Bounds(d);
}

function lsh32(d: KernelReg, n: bigint): void {
  d.s32min = S32_MIN;
  d.s32max = S32_MAX;
  const loses = n > 31n || d.u32max > 1n << (31n - n);
  d.u32min = loses ? 0n : u32(d.u32min << n);
  d.u32max = loses ? U32_MAX : u32(d.u32max << n);
}

function shift(op: 'lsh' | 'rsh' | 'arsh', width: Width, d: KernelReg, n: bigint): void {
  if (width === 32) {
    const low = subreg(d.t);
    if (op === 'lsh') {
      lsh32(d, n);
      d.t = subreg(lshift(low, n));
    } else if (op === 'rsh') {
      Object.assign(d, { s32min: S32_MIN, s32max: S32_MAX, u32min: d.u32min >> n, u32max: d.u32max >> n });
      d.t = rshift(low, n);
    } else {
      Object.assign(d, { s32min: d.s32min >> n, s32max: d.s32max >> n, u32min: 0n, u32max: U32_MAX });
      d.t = arshift(low, n, 32);
    }
    Object.assign(d, any64);
    updateReg32Bounds(d);
    return;
  }
  if (op === 'lsh') {
    d.smin = n === 32n ? d.s32min << 32n : S64_MIN;
    d.smax = n === 32n ? d.s32max << 32n : S64_MAX;
    const loses = d.umax > 1n << (63n - n);
    d.umin = loses ? 0n : d.umin << n;
    d.umax = loses ? U64_MAX : d.umax << n;
    lsh32(d, n);
    d.t = lshift(d.t, n);
  } else if (op === 'rsh') {
    Object.assign(d, { smin: S64_MIN, smax: S64_MAX, umin: d.umin >> n, umax: d.umax >> n, ...any32 });
    d.t = rshift(d.t, n);
  } else {
    Object.assign(d, { smin: d.smin >> n, smax: d.smax >> n, umin: 0n, umax: U64_MAX, ...any32 });
    d.t = arshift(d.t, n, 64);
  }
  updateReg32Bounds(d);
  updateReg64Bounds(d);
}

/** adjust_scalar_min_max_vals, and the sanity check after it. */
export function kernelBinary(op: BinaryOp, width: Width, a: Scalar, b: Scalar): Scalar {
  const d = toKernel(a);
  const s = toKernel(b);
  const isShift = op === 'lsh' || op === 'rsh' || op === 'arsh';
  const fixed = width === 64 ? isConst(s) : subreg(s.t).mask === 0n;
  if (op.endsWith('div') || op.endsWith('mod') || (isShift && (!fixed || s.umax >= BigInt(width))))
    return fromKernel(unbounded(T(0n, U64_MAX)));
  if (op === 'add' || op === 'sub') addSub(op, d, s);
  else if (op === 'mul') product(d, s);
  else if (op === 'and' || op === 'or' || op === 'xor') bitwise(op, d, s);
  else if (isShift) shift(op, width, d, s.umax);
  if (width === 32) zext32to64(d);
  regBoundsSync(d);
  return fromKernel(regBoundsSanityCheck(d));
}

/** BPF_NEG: zero, less the number. */
export function kernelNegate(width: Width, a: Scalar): Scalar {
  return kernelBinary('sub', width, fromKernel(known(0n)), a);
}

/** coerce_reg_to_size: a load of fewer than 8 bytes, or `w = w`. */
export function kernelZeroExtend(bits: 8 | 16 | 32, a: Scalar): Scalar {
  const r = toKernel(a);
  if (bits === 32) {
    zext32to64(r);
  } else {
    const mask = (1n << BigInt(bits)) - 1n;
    r.t = T(r.t.value & mask, r.t.mask & mask);
    const agree = (r.umin & ~mask) === (r.umax & ~mask);
    r.umin = agree ? r.umin & mask : 0n;
    r.umax = agree ? r.umax & mask : mask;
    r.smin = r.umin;
    r.smax = r.umax;
    Object.assign(r, any32);
  }
  regBoundsSync(r);
  return fromKernel(regBoundsSanityCheck(r));
}

/** coerce_reg_to_size_sx. */
export function kernelSignExtend(bits: 8 | 16 | 32, a: Scalar): Scalar {
  const r = toKernel(a);
  if (isConst(r)) return fromKernel(known(BigInt.asIntN(bits, r.t.value)));
  const half = 1n << BigInt(bits - 1);
  const unknown = {
    ...unbounded(T(0n, U64_MAX)),
    smin: -half,
    smax: half - 1n,
    s32min: -half,
    s32max: half - 1n,
  };
  const n = BigInt(bits);
  const top = (v: bigint): bigint => u64((u64(v) >> n) << n);
  if (top(r.smax) !== top(r.smin)) return fromKernel(unknown);
  const ends = [BigInt.asIntN(bits, r.smax), BigInt.asIntN(bits, r.smin)];
  const high = ends.reduce(max);
  const low = ends.reduce(min);
  if (high >= 0n !== low >= 0n) return fromKernel(unknown);
  return fromKernel({
    t: tnumRange(u64(low), u64(high)),
    ...{ smin: low, smax: high, umin: u64(low), umax: u64(high) },
    ...{ s32min: s32(low), s32max: s32(high), u32min: u32(low), u32max: u32(high) },
  });
}

// Branches.

/** is_scalar_branch_taken: 1, 0, or undefined. */
export function kernelBranchTaken(op: Comparison, width: Width, a: Scalar, b: Scalar): boolean | undefined {
  const x = toKernel(a);
  const y = toKernel(b);
  const wide = width === 64;
  const t1 = wide ? x.t : subreg(x.t);
  const t2 = wide ? y.t : subreg(y.t);
  const u1 = wide ? [x.umin, x.umax] : [x.u32min, x.u32max];
  const u2 = wide ? [y.umin, y.umax] : [y.u32min, y.u32max];
  const s1 = wide ? [x.smin, x.smax] : [x.s32min, x.s32max];
  const s2 = wide ? [y.smin, y.smax] : [y.s32min, y.s32max];
  const order = (p: bigint[], q: bigint[], strict: boolean): boolean | undefined => {
    // p < q, or p <= q.
    if (strict ? p[1]! < q[0]! : p[1]! <= q[0]!) return true;
    return (strict ? p[0]! >= q[1]! : p[0]! > q[1]!) ? false : undefined;
  };
  switch (op) {
    case 'eq':
    case 'ne': {
      let equal: boolean | undefined;
      const apart = (p: bigint[], q: bigint[]): boolean => p[0]! > q[1]! || p[1]! < q[0]!;
      if (t1.mask === 0n && t2.mask === 0n) equal = t1.value === t2.value;
      else if (((t1.value ^ t2.value) & ~(t1.mask | t2.mask)) !== 0n) equal = false;
      else if (apart(u1, u2) || apart(s1, s2)) equal = false;
      else if (
        wide &&
        (apart([x.u32min, x.u32max], [y.u32min, y.u32max]) ||
          apart([x.s32min, x.s32max], [y.s32min, y.s32max]))
      )
        equal = false;
      return equal === undefined ? undefined : equal === (op === 'eq');
    }
    case 'set': {
      const [p, q] = t2.mask === 0n ? [t1, t2] : [t2, t1];
      if (q.mask !== 0n) return undefined;
      if ((p.value & q.value) !== 0n) return true;
      return ((p.value | p.mask) & q.value) === 0n ? false : undefined;
    }
    case 'lt':
      return order(u1, u2, true);
    case 'le':
      return order(u1, u2, false);
    case 'gt':
      return order(u2, u1, true);
    case 'ge':
      return order(u2, u1, false);
    case 'slt':
      return order(s1, s2, true);
    case 'sle':
      return order(s1, s2, false);
    case 'sgt':
      return order(s2, s1, true);
    case 'sge':
      return order(s2, s1, false);
  }
}

const NEGATED: Readonly<Record<Comparison, Comparison | 'clear'>> = {
  eq: 'ne',
  ne: 'eq',
  lt: 'ge',
  ge: 'lt',
  gt: 'le',
  le: 'gt',
  slt: 'sge',
  sge: 'slt',
  sgt: 'sle',
  sle: 'sgt',
  set: 'clear',
};

/** regs_refine_cond_op with reg_set_min_max around it: both registers after the jump was taken, or was not. */
export function kernelRefine(
  op: Comparison,
  width: Width,
  taken: boolean,
  a: Scalar,
  b: Scalar,
): [Scalar, Scalar] {
  const x = toKernel(a);
  const y = toKernel(b);
  refineCondOp(taken ? op : NEGATED[op], width, x, y);
  return [x, y].map((r) => {
    regBoundsSync(r);
    return fromKernel(regBoundsSanityCheck(r));
  }) as [Scalar, Scalar];
}

function refineCondOp(op: Comparison | 'clear', width: Width, x: KernelReg, y: KernelReg): void {
  const wide = width === 64;
  const constant = (r: KernelReg): boolean => (wide ? r.t.mask : subreg(r.t).mask) === 0n;
  const [umin, umax] = wide ? (['umin', 'umax'] as const) : (['u32min', 'u32max'] as const);
  const [smin, smax] = wide ? (['smin', 'smax'] as const) : (['s32min', 's32max'] as const);
  switch (op) {
    case 'eq': {
      for (const low of [umin, smin]) x[low] = y[low] = max(x[low], y[low]);
      for (const high of [umax, smax]) x[high] = y[high] = min(x[high], y[high]);
      if (wide) x.t = y.t = tnumIntersect(x.t, y.t);
      else {
        const t = tnumIntersect(subreg(x.t), subreg(y.t));
        x.t = withSubreg(x.t, t);
        y.t = withSubreg(y.t, t);
      }
      return;
    }
    case 'ne': {
      const [r, c] = constant(y) ? [x, y] : [y, x];
      if (!constant(c)) return;
      const v = wide ? c.t.value : u32(c.t.value);
      const signed = wide ? s64(v) : s32(v);
      if (r[umin] === v) r[umin] += 1n;
      if (r[umax] === v) r[umax] -= 1n;
      if (r[smin] === signed) r[smin] += 1n;
      if (r[smax] === signed) r[smax] -= 1n;
      return;
    }
    case 'set':
    case 'clear': {
      const [r, c] = constant(y) ? [x, y] : [y, x];
      if (!constant(c)) return;
      const v = wide ? c.t.value : u32(c.t.value);
      if (op === 'clear') {
        r.t = T(r.t.value & ~v, r.t.mask & ~v);
        Object.assign(r, any64, any32);
      } else if (v !== 0n && (v & (v - 1n)) === 0n) r.t = T(r.t.value | v, r.t.mask & ~v);
      return;
    }
    case 'le':
      x[umax] = min(x[umax], y[umax]);
      y[umin] = max(x[umin], y[umin]);
      return;
    case 'lt':
      x[umax] = min(x[umax], y[umax] - 1n);
      y[umin] = max(x[umin] + 1n, y[umin]);
      return;
    case 'sle':
      x[smax] = min(x[smax], y[smax]);
      y[smin] = max(x[smin], y[smin]);
      return;
    case 'slt':
      x[smax] = min(x[smax], y[smax] - 1n);
      y[smin] = max(x[smin] + 1n, y[smin]);
      return;
    case 'ge':
      refineCondOp('le', width, y, x);
      return;
    case 'gt':
      refineCondOp('lt', width, y, x);
      return;
    case 'sge':
      refineCondOp('sle', width, y, x);
      return;
    case 'sgt':
      refineCondOp('slt', width, y, x);
      return;
  }
}
