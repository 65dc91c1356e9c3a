/** Sign extension of scalars: coerce_reg_to_size_sx() of kernel/bpf/verifier.c. */
import { U32_MAX, U64_MAX } from '../../isa/integer.js';
import * as arith from '../../semantics/arith.js';
import type { Scalar } from './scalar.js';
import { constant, greater, lesser } from './scalar.js';
import { tnumRange } from './tnum.js';

/** Signed bounds known, nothing else (set_sext64_default_val). */
function ofSigned(bits: 8 | 16 | 32): Scalar {
  const max = 2 ** (bits - 1) - 1;
  return {
    value: 0n,
    mask: U64_MAX,
    smin: BigInt(-max - 1),
    smax: BigInt(max),
    umin: 0n,
    umax: U64_MAX,
    s32min: -max - 1,
    s32max: max,
    u32min: 0,
    u32max: U32_MAX,
  };
}

const DEFAULTS = { 8: ofSigned(8), 16: ofSigned(16), 32: ofSigned(32) } as const;

/** The low `bits` of a, sign-extended to 64. */
export function signExtend(bits: 8 | 16 | 32, a: Scalar): Scalar {
  if (a.mask === 0n) return constant(arith.signExtend(bits, a.value));
  const n = BigInt(bits);
  // Bounds survive if nothing above the low bits differs between them.
  if (a.smax >> n !== a.smin >> n) return DEFAULTS[bits];
  const first = BigInt.asIntN(bits, a.smin);
  const second = BigInt.asIntN(bits, a.smax);
  const smin = lesser(first, second);
  const smax = greater(first, second);
  if (smax >= 0n !== smin >= 0n) return DEFAULTS[bits];
  const umin = BigInt.asUintN(64, smin);
  const umax = BigInt.asUintN(64, smax);
  const t = tnumRange(umin, umax);
  const s32min = Number(smin);
  const s32max = Number(smax);
  return {
    value: t.value,
    mask: t.mask,
    smin,
    smax,
    umin,
    umax,
    s32min,
    s32max,
    u32min: s32min >>> 0,
    u32max: s32max >>> 0,
  };
}
