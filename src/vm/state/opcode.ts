/**
 * The fast tier's own operation numbers. Bit 0 says that the operand is an immediate, bit 1 that the width is 32; the rest is the
 * operation. Numbers are literal in the switch of fast.ts, where a constant expression would cost the engine its jump table.
 */
import type { BinaryOp, Comparison, Size } from '../../isa/insn.js';

export const FAST = {
  /** Not done by the fast tier: one step of the definitional interpreter. */
  slow: 0,
  width32: 2,
  mov: 4,
  imm64: 8,
  ja: 9,
  /** Loads and stores: plus the logarithm of the size. */
  ldx: 12,
  stx: 16,
  st: 20,
} as const;

export const SIZE_SHIFT: Readonly<Record<Size, number>> = { 1: 0, 2: 1, 4: 2, 8: 3 };

export const OP_CODE: Readonly<Record<BinaryOp, number>> = {
  add: 32,
  sub: 36,
  mul: 40,
  div: 44,
  sdiv: 48,
  mod: 52,
  smod: 56,
  or: 60,
  and: 64,
  xor: 68,
  lsh: 72,
  rsh: 76,
  arsh: 80,
};

export const COMPARE_CODE: Readonly<Record<Comparison, number>> = {
  eq: 96,
  ne: 100,
  gt: 104,
  ge: 108,
  lt: 112,
  le: 116,
  sgt: 120,
  sge: 124,
  slt: 128,
  sle: 132,
  set: 136,
};
