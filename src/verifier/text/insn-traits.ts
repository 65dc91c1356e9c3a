/** Properties of insns that the walk needs at every step. They are computed once, because a walk comes to each insn many times. */
import type { BinaryOp, Op } from '../../isa/insn.js';
import { FP } from '../../isa/insn.js';

/** Bits of `traits`. */
export const TRAIT = {
  /** Counts as a jump where the kernel decides whether to keep a state (jmps_processed). */
  jumps: 1 << 0,
  /** Enters or leaves a function. */
  changesFrame: 1 << 1,
  /** A load of one register (BPF_LDX). */
  loads: 1 << 2,
  /** A store of a register or an immediate. */
  stores: 1 << 3,
  /** May read the stack. */
  readsStack: 1 << 4,
  /** Whether it is allowed, or what it does, may depend on numbers (`walk/precision/precise-operands.ts`). */
  relies: 1 << 5,
  /** Its form alone may be refused: it writes the frame pointer, shifts or divides by an immediate. */
  badForm: 1 << 6,
  /** An `and` or `or` by which compilers select a value: the walk may split here. */
  selects: 1 << 7,
} as const;

/** Operators for which some immediates are invalid. */
const CHECKED: ReadonlySet<BinaryOp> = new Set(['lsh', 'rsh', 'arsh', 'div', 'sdiv', 'mod', 'smod']);

/** The traits of an insn, one bit each. */
export function traits(op: Op | undefined): number {
  switch (op?.kind) {
    case undefined:
      return 0;
    case 'alu':
      return (
        ('reg' in op.src ? TRAIT.relies : CHECKED.has(op.op) ? TRAIT.badForm : 0) |
        (op.op === 'and' || op.op === 'or' ? TRAIT.selects : 0) |
        writes(op.dst)
      );
    case 'mov':
    case 'movsx':
    case 'neg':
    case 'end':
    case 'ld_imm64':
    case 'addr_space_cast':
      return writes(op.dst);
    case 'ldx':
      return TRAIT.loads | TRAIT.readsStack | writes(op.dst);
    case 'load_acquire':
      return TRAIT.readsStack | writes(op.dst);
    case 'st':
      return TRAIT.stores;
    case 'stx':
    case 'store_release':
      return TRAIT.stores | TRAIT.relies;
    case 'atomic':
      return TRAIT.readsStack;
    case 'jmp':
    case 'ja':
    case 'may_goto':
    case 'unwind_goto':
      return TRAIT.jumps;
    case 'call':
      return TRAIT.jumps | TRAIT.changesFrame | TRAIT.readsStack | TRAIT.relies;
    case 'exit':
    case 'unwind_exit':
      return TRAIT.jumps | TRAIT.changesFrame | TRAIT.relies;
    case 'ld_packet':
      return 0;
  }
}

const writes = (dst: number): number => (dst === FP ? TRAIT.badForm : 0);
