/** Programs that must not even be loaded. */
import { BPF_CALL, BPF_JMP, BPF_PSEUDO_KFUNC_CALL } from '../isa/opcodes.js';
import type { Program } from '../object/program.js';
import type { Profile } from '../verifier/result.js';
import { STRICTER } from '../verifier/stricter.js';
import { verify } from '../verifier/verify.js';

/**
 * Whether loading `program` may hurt the kernel. check_kfunc_args of Linux 6.18 takes whatever is the second argument of bpf_wq_init for a
 * map, memory and packets too, and follows it: the load does not return. Linux comes so far where our verifier does and refuses
 * the call, and where what stops ours before does not stop Linux.
 */
export function mayCrashLinux(program: Program, profile: Profile): boolean {
  const called = (slot: number): string | undefined => {
    const insn = program.insns[slot];
    const isCall = insn?.opcode === (BPF_JMP | BPF_CALL) && insn.src === BPF_PSEUDO_KFUNC_CALL;
    return isCall ? program.kfuncs[insn.imm] : undefined;
  };
  if (!program.insns.some((_, slot) => called(slot) === 'bpf_wq_init')) return false;
  const verdict = verify(program, { profile, facts: false });
  if (verdict.ok) return false;
  const { slot, message } = verdict;
  // Linux looks at what a type's maps may hold before it walks anything.
  if (slot < 0 && message.includes('progs cannot use')) return false;
  // It refuses calls under a lock before it looks at their arguments.
  if (message.includes('not allowed while holding a lock')) return false;
  return slot < 0 || called(slot) === 'bpf_wq_init' || STRICTER.some((words) => words.test(message));
}
