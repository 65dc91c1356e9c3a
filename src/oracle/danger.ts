/** Programs that must not even be loaded. */

import { BPF_CALL, BPF_JMP, BPF_PSEUDO_KFUNC_CALL } from '../isa/opcodes.js';
import { LAXEST } from '../kernel/profile.js';
import { exceptionCallbackOf, type Program } from '../object/program.js';
import type { Refused } from '../verifier/result.js';
import type { Profile } from '../verifier/state/profile.js';
import { inStricterWords } from '../verifier/stricter.js';
import { verify } from '../verifier/verify.js';

/** Why loading `program` may hurt the kernel, undefined where it may not: Linux 6.18 then follows a wild pointer, and the load does not return. */
export function mayCrashLinux(program: Program, profile: Profile): string | undefined {
  if (mayTakeAnythingForMap(program, profile))
    return 'where bpf_wq_init is given another map than that of the work queue';
  if (mayLoseExceptionCallback(program, profile))
    return 'where a function in front of the exception callback is never called';
  return undefined;
}

/** Whether Linux may go on where we refuse. In doubt it does, so the words are enough. */
const mayGoOn = (verdict: Refused, program: Program): boolean =>
  inStricterWords(verdict, program) || verdict.message.startsWith('infinite loop');

/**
 * jit_subprogs goes to the exception callback by the number that its function had before functions that are never called were removed
 * (opt_remove_dead_code): if one in front of it is, another function runs or none is there. The first function behind the main program keeps
 * its number.
 */
function mayLoseExceptionCallback(program: Program, profile: Profile): boolean {
  const callback = exceptionCallbackOf(program);
  if (callback === undefined) return false;
  const before = program.subprogs.filter(({ start }) => start > 0 && start < callback.start);
  if (before.length === 0) return false;
  const verdict = verify(program, { profile, kernel: LAXEST });
  if (verdict.ok) return before.some(({ start }) => verdict.facts.at(start).length === 0);
  return mayGoOn(verdict, program);
}

/**
 * check_kfunc_args takes any second argument of bpf_wq_init for a map, also memory and packets. Linux reaches this check if our verifier
 * reaches the call and refuses it, or if our verifier stopped earlier for a reason that does not stop Linux.
 */
function mayTakeAnythingForMap(program: Program, profile: Profile): boolean {
  const called = (slot: number): string | undefined => {
    const insn = program.insns[slot];
    const isCall = insn?.opcode === (BPF_JMP | BPF_CALL) && insn.src === BPF_PSEUDO_KFUNC_CALL;
    return isCall ? program.kfuncs[insn.imm] : undefined;
  };
  if (!program.insns.some((_, slot) => called(slot) === 'bpf_wq_init')) return false;
  const verdict = verify(program, { profile, facts: false, kernel: LAXEST });
  if (verdict.ok) return false;
  const { slot, message } = verdict;
  // Linux looks at what a type's maps may hold before it walks anything.
  if (slot < 0 && message.includes('progs cannot use')) return false;
  // It refuses calls under a lock before it looks at their arguments.
  if (message.includes('not allowed while holding a lock')) return false;
  return slot < 0 || called(slot) === 'bpf_wq_init' || mayGoOn(verdict, program);
}
