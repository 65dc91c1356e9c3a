/**
 * Where operations lead: jump, call and function-reference targets as slots, and where subprograms start. All
 * offsets count from the slot after the operation's first slot, also those of the two-slot function reference.
 */
import { decodeAll } from './decode.js';
import type { Insn, Op } from './insn.js';

/** The operations that lead to another slot of the same subprogram. */
export type Jump = Extract<Op, { readonly kind: 'ja' | 'jmp' | 'may_goto' | 'unwind_goto' }>;

/** Whether an operation leads to another slot of the same subprogram, always or in some runs. */
export function isJump(op: Op): op is Jump {
  return op.kind === 'ja' || op.kind === 'jmp' || op.kind === 'may_goto' || op.kind === 'unwind_goto';
}

/** The slot that a jump leads to, `undefined` for what is not a jump. It may lie outside of the program. */
export function jumpTarget(op: Op, slot: number): number | undefined {
  return isJump(op) ? slot + 1 + op.off : undefined;
}

/** The slot of the subprogram that a call or a function reference names, `undefined` for all others. */
export function subprogTarget(op: Op, slot: number): number | undefined {
  if (op.kind === 'call' && op.target === 'subprog') return slot + 1 + op.imm;
  if (op.kind === 'ld_imm64' && op.as === 'func') return slot + 1 + op.imm;
  return undefined;
}

/** Either of both: the slot an operation refers to. */
export function targetOf(op: Op, slot: number): number | undefined {
  return jumpTarget(op, slot) ?? subprogTarget(op, slot);
}

/**
 * The first slots of all subprograms, in order, with 0: the targets of subprogram calls and function references.
 * Targets outside of the program are left out (a verifier refuses them). Throws InputError as `decode`.
 */
export function subprogStarts(insns: readonly Insn[]): number[] {
  const starts = new Set([0]);
  decodeAll(insns).forEach((op, slot) => {
    const target = op && subprogTarget(op, slot);
    if (target !== undefined && target >= 0 && target < insns.length) starts.add(target);
  });
  return [...starts].sort((a, b) => a - b);
}
