/**
 * Tells which numbers an insn relies on: they decide whether it is allowed, or what it does besides computing. Gathers what is spread
 * over the callers of mark_chain_precision in kernel/bpf/verifier.c.
 */

import type { Op } from '../../../isa/insn.js';
import type { Arg, Contract, Outcome } from '../../../kernel/contract.js';
import { returnRange } from '../../../kernel/progtypes.js';
import { isKptr } from '../../../object/program.js';
import { keyOfArray } from '../../call/outcomes.js';
import type { Path } from '../../state/path.js';
import { fixedOffset, isNull, isPointer } from '../../state/regs.js';
import type { Reg } from '../../state/state.js';
import { fixedSlot } from './stack-access.js';

/** Registers of the running frame, one bit each, and stack slots as frame * 64 + index. */
export interface PreciseOperands {
  readonly regs: number;
  readonly slots: readonly number[];
}

const NO_SLOTS: readonly number[] = [];
const NOTHING: PreciseOperands = { regs: 0, slots: NO_SLOTS };

const only = (regs: number): PreciseOperands => (regs === 0 ? NOTHING : { regs, slots: NO_SLOTS });

/**
 * What the insn relies on in the path's present state. Jumps are not asked here: the walk knows what a jump relies on once it has decided
 * it.
 */
export function preciseOperands(p: Path, op: Op, contract: Contract | undefined): PreciseOperands {
  switch (op.kind) {
    case 'alu': {
      if (!('reg' in op.src)) return NOTHING;
      // How far a pointer moves.
      const dst = isPointer(p.reg(op.dst));
      const src = isPointer(p.reg(op.src.reg));
      return dst === src ? NOTHING : only(1 << (dst ? op.src.reg : op.dst));
    }
    case 'stx':
    case 'store_release':
      return preciseStore(p, op);
    case 'call':
      return contract === undefined ? preciseSubprogArgs(p, op) : preciseArgs(p, contract);
    case 'exit':
    case 'unwind_exit':
      return checksReturn(p) ? only(1) : NOTHING;
    default:
      return NOTHING;
  }
}

/** A stored zero may be remembered as zero bytes, or stand for NULL. Then the number counts as precise. */
function preciseStore(p: Path, op: Extract<Op, { kind: 'stx' | 'store_release' }>): PreciseOperands {
  const to = p.reg(op.dst);
  const value = p.reg(op.src);
  if (to.type !== 'stack') return holdsPointers(p, to) && isNull(value) ? only(1 << op.src) : NOTHING;
  const access = fixedSlot(to, op.off);
  if (access < 0) return isNull(value) ? only(1 << op.src) : NOTHING;
  const aligned = ((fixedOffset(to) + op.off) & 7) === 0;
  return !aligned && isNull(value) ? only(1 << op.src) : NOTHING;
}

/** Zero stored there may be the NULL of a kernel pointer. */
function holdsPointers(p: Path, to: Reg): boolean {
  if (to.type === 'object') return true;
  return to.type === 'map_value' && p.program.maps[to.map]?.fields.some(isKptr) === true;
}

/** Zero as an argument of a global function stands for NULL. */
function preciseSubprogArgs(p: Path, op: Extract<Op, { kind: 'call' }>): PreciseOperands {
  if (op.target !== 'subprog') return NOTHING;
  let regs = 0;
  for (let n = 1; n <= 5; n++) if (isNull(p.reg(n))) regs |= 1 << n;
  return only(regs);
}

function preciseArgs(p: Path, contract: Contract): PreciseOperands {
  let regs = 0;
  let slots = NO_SLOTS;
  const { args } = contract;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg.kind === 'callback' && arg.callback.countArg !== undefined)
      regs |= 1 << (arg.callback.countArg + 1);
    if (isPreciseArg(arg) || isCheckedWhole(contract, i)) regs |= 1 << (i + 1);
    if (arg.kind !== 'map_key' || !contract.outcomes.some(dependsOnKey)) continue;
    const passed = p.frame.regs.slice(1, 6);
    if (keyOfArray(p.program, passed, (reg, index) => p.slot(reg.frame, index)) !== undefined)
      slots = [fixedSlot(p.reg(i + 1), 0)];
  }
  return { regs, slots };
}

const dependsOnKey = ({ guard }: Outcome): boolean => guard?.kind === 'key_may_miss';

/** A number passed here is a size, a constant, or stands for NULL. */
function isPreciseArg(arg: Arg): boolean {
  switch (arg.kind) {
    case 'anything':
    case 'ignored':
      return false;
    case 'scalar':
      return arg.constant === true;
    default:
      return true;
  }
}

/** The argument may be any number by its kind, but the call depends on its value: flags that must be 0, the number that is thrown. */
function isCheckedWhole(contract: Contract, index: number): boolean {
  if (contract.name === 'bpf_get_local_storage') return index === 1;
  return contract.outcomes.some(({ effects }) => effects.some(({ kind }) => kind === 'throw'));
}

function checksReturn(p: Path): boolean {
  if (p.frame.callback !== undefined) return true;
  return p.depth === 0 && returnRange(p.program.type, p.program.attach) !== undefined;
}
