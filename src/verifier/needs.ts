/**
 * Which numbers an insn relies on: those that decide whether it is allowed, or what it does besides computing. Gathers what is spread over
 * the callers of mark_chain_precision in kernel/bpf/verifier.c.
 */
import type { Op } from '../isa/insn.js';
import type { Arg, Contract } from '../kernel/contract.js';
import { returnRange } from '../kernel/progtypes.js';
import type { Path } from './path.js';
import { fixedOffset, hasFixedOffset, isNull, isPointer } from './regs.js';
import { slotOf } from './stack.js';
import type { Reg } from './state.js';

/** Registers of the running frame, one bit each, and stack slots as frame * 64 + index. */
export interface Needs {
  readonly regs: number;
  readonly slots: readonly number[];
}

const NO_SLOTS: readonly number[] = [];
const NOTHING: Needs = { regs: 0, slots: NO_SLOTS };

const only = (regs: number): Needs => (regs === 0 ? NOTHING : { regs, slots: NO_SLOTS });

/** What the insn relies on in the path's present state. What a jump relies on the walk knows when it has decided it. */
export function relied(p: Path, op: Op, contract: Contract | undefined): Needs {
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
      return stored(p, op);
    case 'call':
      return contract === undefined ? called(p, op) : passed(p, contract);
    case 'exit':
      return returned(p) ? only(1) : NOTHING;
    default:
      return NOTHING;
  }
}

/** That a value is zero may be remembered byte by byte, or make it NULL; that what is written over was zero, too. */
function stored(p: Path, op: Extract<Op, { kind: 'stx' | 'store_release' }>): Needs {
  const to = p.reg(op.dst);
  const value = p.reg(op.src);
  if (to.type !== 'stack') return holdsPointers(p, to) && isNull(value) ? only(1 << op.src) : NOTHING;
  const access = fixedSlot(to, op.off);
  if (access < 0) return isNull(value) ? only(1 << op.src) : NOTHING;
  if (op.size === 8) return NOTHING;
  const aligned = ((fixedOffset(to) + op.off) & 7) === 0;
  const regs = !aligned && isNull(value) ? 1 << op.src : 0;
  const before = p.slot(access >> 6, access & 63)?.reg;
  if (before === undefined || !isNull(before)) return only(regs);
  return { regs, slots: [access] };
}

/** Zero stored there may be the NULL of a kernel pointer. */
function holdsPointers(p: Path, to: Reg): boolean {
  if (to.type === 'object') return true;
  return (
    to.type === 'map_value' &&
    p.program.maps[to.map]?.fields.some((f) => f.kind === 'kptr' || f.kind === 'kptr_untrusted') === true
  );
}

/** Slot as frame * 64 + index that an access through `to` touches; -1 if that is not known. */
function fixedSlot(to: Reg, off: number): number {
  if (to.type !== 'stack' || !hasFixedOffset(to)) return -1;
  const at = fixedOffset(to) + off;
  return at < 0 && at >= -512 ? to.frame * 64 + slotOf(at) : -1;
}

/** Zero as an argument of a global function stands for NULL. */
function called(p: Path, op: Extract<Op, { kind: 'call' }>): Needs {
  if (op.target !== 'subprog') return NOTHING;
  let regs = 0;
  for (let n = 1; n <= 5; n++) if (isNull(p.reg(n))) regs |= 1 << n;
  return only(regs);
}

function passed(p: Path, contract: Contract): Needs {
  let regs = 0;
  let slots = NO_SLOTS;
  contract.args.forEach((arg, i) => {
    if (arg.kind === 'callback' && arg.callback.countArg !== undefined)
      regs |= 1 << (arg.callback.countArg + 1);
    if (isValueNeeded(arg)) regs |= 1 << (i + 1);
    if (arg.kind !== 'map_key' || !contract.outcomes.some((o) => o.guard?.kind === 'key_may_miss')) return;
    const key = fixedSlot(p.reg(i + 1), 0);
    if (key >= 0) slots = [key];
  });
  return { regs, slots };
}

/** A number passed here is a size, a constant, or stands for NULL. */
function isValueNeeded(arg: Arg): boolean {
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

function returned(p: Path): boolean {
  if (p.frame.callback !== undefined) return true;
  return p.depth === 0 && returnRange(p.program.type, p.program.attach) !== undefined;
}

/** The stack slot that a load or store reads or writes as a whole number, as frame * 64 + index; -1: none, or not known. */
export function stackAccess(p: Path, op: Op): number {
  switch (op.kind) {
    case 'ldx':
    case 'load_acquire':
      return fixedSlot(p.reg(op.src), op.off);
    case 'st':
    case 'stx':
    case 'store_release': {
      const to = p.reg(op.dst);
      const slot = fixedSlot(to, op.off);
      return slot >= 0 && ((fixedOffset(to) + op.off) & 7) === 0 ? slot : -1;
    }
    default:
      return -1;
  }
}
