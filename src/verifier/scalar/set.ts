/** Scalars as sets: made from ranges, joined, met, printed. */
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../../isa/integer.js';
import type { Scalar } from './scalar.js';
import { contains, equal, greater, lesser, unknown } from './scalar.js';
import type { Bounds } from './sync.js';
import { isConsistent, isEmpty, mutableCopy, sanityChecked, syncBounds } from './sync.js';
import { tnumFormat, tnumIntersect, tnumOverlap, tnumUnion } from './tnum.js';

/** All values in [min, max], signed 64-bit. An empty range gives what Linux makes of contradictory bounds: unknown. */
export function fromSigned(min: bigint, max: bigint): Scalar {
  const r = mutableCopy(unknown);
  r.smin = min;
  r.smax = max;
  syncBounds(r);
  return isConsistent(r) ? sanityChecked(r) : unknown;
}

/** All values in [min, max], unsigned 64-bit. */
export function fromUnsigned(min: bigint, max: bigint): Scalar {
  const r = mutableCopy(unknown);
  r.umin = min;
  r.umax = max;
  syncBounds(r);
  return isConsistent(r) ? sanityChecked(r) : unknown;
}

/** The union: the smallest scalar that has every value of a and of b. */
export function union(a: Scalar, b: Scalar): Scalar {
  if (contains(a, b)) return a;
  if (contains(b, a)) return b;
  const t = tnumUnion(a, b);
  return {
    value: t.value,
    mask: t.mask,
    smin: lesser(a.smin, b.smin),
    smax: greater(a.smax, b.smax),
    umin: lesser(a.umin, b.umin),
    umax: greater(a.umax, b.umax),
    s32min: Math.min(a.s32min, b.s32min),
    s32max: Math.max(a.s32max, b.s32max),
    u32min: Math.min(a.u32min, b.u32min),
    u32max: Math.max(a.u32max, b.u32max),
  };
}

/** The intersection: a scalar with every value that is in both. Undefined only if there is none. */
export function intersect(a: Scalar, b: Scalar): Scalar | undefined {
  if (a === b) return a;
  if (!tnumOverlap(a, b)) return undefined;
  const t = tnumIntersect(a, b);
  const r: Bounds = {
    value: t.value,
    mask: t.mask,
    smin: greater(a.smin, b.smin),
    smax: lesser(a.smax, b.smax),
    umin: greater(a.umin, b.umin),
    umax: lesser(a.umax, b.umax),
    s32min: Math.max(a.s32min, b.s32min),
    s32max: Math.min(a.s32max, b.s32max),
    u32min: Math.max(a.u32min, b.u32min),
    u32max: Math.min(a.u32max, b.u32max),
  };
  if (isEmpty(r)) return undefined;
  syncBounds(r);
  if (!isConsistent(r)) return undefined;
  return equal(r, a) ? a : equal(r, b) ? b : sanityChecked(r);
}

/** Prints up to 16 bits in decimal and longer numbers in hexadecimal; long negative ones as their 64- or 32-bit pattern. */
function printed(v: bigint, signed: boolean): string {
  const low = signed ? -32_768n : 0n;
  const high = signed ? 32_767n : 65_535n;
  return v >= low && v <= high ? v.toString() : `0x${BigInt.asUintN(64, v).toString(16)}`;
}

/** Prints a 32-bit signed bound: in decimal, or in hexadecimal without sign extension. */
function unextended(v: number): bigint {
  return BigInt(v >= -32_768 && v <= 32_767 ? v : v >>> 0);
}

/**
 * As the kernel's log prints a scalar register (print_reg_state): `5`, `scalar()`, `scalar(smin=0,umax=7,var_off=(0x0; 0x7))`.
 * Bounds at the limit of their type are left out, equal ones joined. Without `P` and ids.
 */
export function format(s: Scalar): string {
  if (s.mask === 0n) return printed(BigInt.asIntN(64, s.value), true);
  const entries = [
    { name: 'smin', v: s.smin, omit: s.smin === S64_MIN },
    { name: 'smax', v: s.smax, omit: s.smax === S64_MAX },
    { name: 'umin', v: s.umin, omit: s.umin === 0n },
    { name: 'umax', v: s.umax, omit: s.umax === U64_MAX },
    { name: 'smin32', v: unextended(s.s32min), omit: s.s32min === S32_MIN },
    { name: 'smax32', v: unextended(s.s32max), omit: s.s32max === S32_MAX },
    { name: 'umin32', v: BigInt(s.u32min), omit: s.u32min === 0 },
    { name: 'umax32', v: BigInt(s.u32max), omit: s.u32max === U32_MAX },
  ];
  const parts: string[] = [];
  for (const [i, entry] of entries.entries()) {
    if (entry.omit) continue;
    let names = entry.name;
    for (let j = i + 2; j < entries.length; j += 2) {
      const other = entries[j]!;
      // A negative signed bound is not joined with an unsigned bound of the same bit pattern.
      if (other.omit || other.v !== entry.v) continue;
      other.omit = true;
      names += `=${other.name}`;
    }
    parts.push(`${names}=${printed(entry.v, entry.name.startsWith('s'))}`);
  }
  if (s.mask !== U64_MAX) parts.push(`var_off=${tnumFormat(s)}`);
  return `scalar(${parts.join(',')})`;
}
