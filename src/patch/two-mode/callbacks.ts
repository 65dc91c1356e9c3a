/** Tells which functions a call may call back, from the insns that load the pointer. A killed run must be given patched ones instead. */
import type { Op } from '../../isa/insn.js';
import { subprogTarget, targetOf } from '../../isa/target.js';
import type { Contract } from '../../kernel/contract.js';

/** The callback argument of a function, if it takes one. */
export interface CallbackArgument {
  /** Register that holds the pointer. */
  readonly reg: number;
  /** Runs later, in a context of its own. */
  readonly async: boolean;
}

/**
 * Which of r1 to r5 takes a callback, and whether the callback runs after the call (a timer, a work queue). Undefined if the function
 * takes none.
 */
export function callbackArgument(contract: Contract | undefined): CallbackArgument | undefined {
  const index = contract?.args.findIndex(({ kind }) => kind === 'callback') ?? -1;
  const arg = contract?.args[index];
  if (arg?.kind !== 'callback') return undefined;
  return { reg: index + 1, async: arg.callback.async === true };
}

/**
 * First slots of the functions that `reg` may point to before `slot`. If a straight line of insns loads the pointer, that one function;
 * otherwise every function whose address is taken anywhere in the program.
 */
export function callbackTargets(
  ops: readonly (Op | undefined)[],
  slot: number,
  reg: number,
): readonly number[] {
  const joins = new Set<number>();
  const all = new Set<number>();
  ops.forEach((op, at) => {
    if (op === undefined) return;
    const target = targetOf(op, at);
    if (target !== undefined) joins.add(target);
    if (op.kind === 'ld_imm64' && op.as === 'func') all.add(subprogTarget(op, at)!);
  });
  let wanted = reg;
  for (let at = slot - 1; at >= 0 && !joins.has(at + 1); at--) {
    const op = ops[at];
    if (op === undefined) continue;
    if (op.kind === 'ja' || op.kind === 'exit' || (op.kind === 'call' && wanted < 6)) break;
    if (!('dst' in op) || op.dst !== wanted || op.kind === 'stx' || op.kind === 'st' || op.kind === 'jmp')
      continue;
    if (op.kind === 'ld_imm64' && op.as === 'func') return [subprogTarget(op, at)!];
    if (op.kind !== 'mov' || op.width !== 64 || !('reg' in op.src)) break;
    wanted = op.src.reg;
  }
  return [...all].sort((a, b) => a - b);
}
