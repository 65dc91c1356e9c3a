/** Which row of the table an insn or a function is charged to. */
import { FP, type Op } from '../isa/insn.js';
import type { Contract } from '../kernel/contract.js';
import type { FunctionClass, InsnClass } from './table.js';

/** The frame pointer is the base: the stack is in the cache. */
const onStack = (base: number): boolean => base === FP;

/** The class of an insn. A call of a helper or kfunc is a `call`, and the function comes on top. */
export function insnClass(op: Op): InsnClass {
  switch (op.kind) {
    case 'alu':
      if (op.op === 'mul') return 'mul';
      return /div|mod/.test(op.op) ? 'div' : 'alu';
    case 'mov':
    case 'movsx':
    case 'neg':
    case 'end':
    case 'addr_space_cast':
      return 'alu';
    case 'ld_imm64':
      return 'imm64';
    case 'ldx':
    case 'load_acquire':
      return onStack(op.src) ? 'stack' : 'load';
    case 'stx':
    case 'st':
    case 'store_release':
      return onStack(op.dst) ? 'stack' : 'store';
    case 'atomic':
      return 'atomic';
    case 'ld_packet':
      return 'packet_load';
    case 'ja':
    case 'jmp':
    case 'unwind_goto':
      return 'jump';
    case 'may_goto':
      return 'may_goto';
    case 'call':
      return 'call';
    case 'exit':
    case 'unwind_exit':
      return 'exit';
  }
}

/**
 * The class of a function without a row of its own. Nothing bounds the time of one that may sleep, or that waits for another CPU or for a list of the
 * kernel to end.
 */
export function functionClass({ sleeps, outcomes }: Contract): FunctionClass {
  if (sleeps === true) return 'sleeps';
  return outcomes.some(({ blocks }) => blocks === true) ? 'blocks' : 'plain';
}
