/** Insns that some kernels do not know, and features that need the JIT. */
import type { Op } from '../../isa/insn.js';
import type { Behaviour } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import type { Code } from './code.js';
import { Refusal } from './refusal.js';

/**
 * What a kernel without landing pads says of an insn of theirs, which it takes for a may_goto or an exit with a reserved field that is not 0
 * (check_cond_jmp_op and do_check_insn of kernel/bpf/verifier.c).
 */
function padRefusal(op: Op, kernel: Behaviour): string | undefined {
  if (kernel.landingPads) return undefined;
  if (op.kind === 'unwind_goto') return 'invalid may_goto imm 0';
  return op.kind === 'unwind_exit' ? 'BPF_EXIT uses reserved fields' : undefined;
}

/** Names an insn that the kernel does not know; undefined if it knows it. */
function unknownInsn(op: Op, kernel: Behaviour): string | undefined {
  switch (op.kind) {
    case 'may_goto':
      return kernel.mayGoto ? undefined : 'may_goto';
    case 'load_acquire':
    case 'store_release':
      return kernel.orderedAccess ? undefined : op.kind;
    case 'movsx':
      return kernel.signedInsns ? undefined : 'a move that extends the sign';
    case 'ldx':
      return kernel.signedInsns || !op.signed ? undefined : 'a load that extends the sign';
    case 'alu':
      return kernel.signedInsns || (op.op !== 'sdiv' && op.op !== 'smod') ? undefined : 'a signed division';
    case 'end':
      return kernel.signedInsns || op.op !== 'bswap' ? undefined : 'bswap';
    case 'ja':
      return kernel.signedInsns || !op.long ? undefined : 'a jump of 32 bits';
    default:
      return undefined;
  }
}

/**
 * Refuses a program with insns that the kernel does not know. If the kernel has no JIT, also refuses callbacks, and tail calls in
 * programs with subprograms (jit_subprogs and do_misc_fixups of kernel/bpf/verifier.c).
 */
export function checkInsns({ ops, contracts }: Code, program: Program, kernel: Behaviour): void {
  ops.forEach((op, slot) => {
    if (op === undefined) return;
    const pad = padRefusal(op, kernel);
    if (pad !== undefined) throw new Refusal(pad, 'rejected', slot);
    const unknown = unknownInsn(op, kernel);
    if (unknown !== undefined) throw new Refusal(`this kernel does not know ${unknown}`, 'rejected', slot);
    if (kernel.compiled) return;
    if (op.kind === 'ld_imm64' && op.as === 'func')
      throw new Refusal('callbacks are not allowed in non-JITed programs', 'rejected', slot);
    if (contracts[slot]?.name === 'bpf_tail_call' && program.subprogs.length > 1)
      throw new Refusal(
        'tail_calls are not allowed in non-JITed programs with bpf-to-bpf calls',
        'rejected',
        slot,
      );
  });
}
