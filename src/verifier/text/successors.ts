/** The control flow of one subprogram: which slots may run after one. */
import type { Op } from '../../isa/insn.js';
import { slots } from '../../isa/insn.js';

/** Slots that may run after this one, in the same subprogram. */
export function successors(op: Op, at: number): number[] {
  const after = at + slots(op);
  switch (op.kind) {
    case 'ja':
      return [after + op.off];
    case 'jmp':
    case 'may_goto':
    case 'unwind_goto':
      return [after, after + op.off];
    case 'exit':
    case 'unwind_exit':
      return [];
    default:
      return [after];
  }
}
