/**
 * Which numbers an insn relies on: those that decide whether it is allowed, or what it does besides computing. Gathers what is spread over
 * the callers of mark_chain_precision in kernel/bpf/verifier.c.
 */
import type { Op } from '../../../isa/insn.js';
import type { Arg, Contract, Outcome } from '../../../kernel/contract.js';
import { returnRange } from '../../../kernel/progtypes.js';
import { DYNPTR_SIZE, IRQ_FLAG_SIZE, ITER_WORDS } from '../../../kernel/structs.js';
import { keyOfArray } from '../../call/outcomes.js';
import { isConst } from '../../scalar/scalar.js';
import type { Path } from '../../state/path.js';
import { fixedOffset, hasFixedOffset, isNull, isPointer } from '../../state/regs.js';
import { slotOf } from '../../state/stack.js';
import type { Reg } from '../../state/state.js';

/** Registers of the running frame, one bit each, and stack slots as frame * 64 + index. */
export interface PreciseOperands {
  readonly regs: number;
  readonly slots: readonly number[];
}

const NO_SLOTS: readonly number[] = [];
const NOTHING: PreciseOperands = { regs: 0, slots: NO_SLOTS };

const only = (regs: number): PreciseOperands => (regs === 0 ? NOTHING : { regs, slots: NO_SLOTS });

/** What the insn relies on in the path's present state. What a jump relies on the walk knows when it has decided it. */
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
      return checksReturn(p) ? only(1) : NOTHING;
    default:
      return NOTHING;
  }
}

/** That a value is zero may be remembered byte by byte, or make it NULL. */
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
    if (isPreciseArg(arg)) regs |= 1 << (i + 1);
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

function checksReturn(p: Path): boolean {
  if (p.frame.callback !== undefined) return true;
  return p.depth === 0 && returnRange(p.program.type, p.program.attach) !== undefined;
}

/** The stack slot that a load or store reads or writes as a whole number, as frame * 64 + index; -1: none, or not known. */
export function stackAccess(p: Path, op: Op): number {
  switch (op.kind) {
    case 'ldx':
    case 'load_acquire':
      return fixedSlot(p.reg(op.src), op.off);
    case 'atomic':
      return op.fetch ? fixedSlot(p.reg(op.dst), op.off) : -1;
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

type Reads = (frame: number, low: number, high: number) => void;

/** Tells which stack slots the insn reads: those that it may read, where that is not known. */
export function stackReads(p: Path, op: Op, contract: Contract | undefined, reads: Reads): void {
  switch (op.kind) {
    case 'ldx':
    case 'load_acquire':
      readThrough(p.reg(op.src), op.off, op.size, reads);
      return;
    case 'atomic':
      readThrough(p.reg(op.dst), op.off, op.size, reads);
      return;
    case 'call':
      if (contract === undefined) return;
      for (let i = 0; i < contract.args.length; i++) argumentReads(p, contract, contract.args[i]!, i, reads);
      return;
    default:
  }
}

/** A function that is verified on its own may read all that it is given. */
export function globalCallReads(p: Path, reads: Reads): void {
  for (let n = 1; n <= 5; n++) readThrough(p.reg(n), 0, undefined, reads);
}

/** `size` bytes are read through this register; undefined: nobody knows how many. */
function readThrough(reg: Reg, off: number, size: number | undefined, reads: Reads): void {
  if (reg.type !== 'stack') return;
  const from = reg.off + Number(reg.num.smin) + off;
  const to = reg.off + Number(reg.num.smax) + off + (size ?? 0);
  if (size === undefined || !(from >= -512) || !(to <= 0)) {
    reads(reg.frame, -1, -1);
    return;
  }
  let low = 0;
  let high = 0;
  for (let i = slotOf(to - 1); i <= slotOf(from); i++) {
    if (i < 32) low |= 1 << i;
    else high |= 1 << (i - 32);
  }
  reads(reg.frame, low, high);
}

function argumentReads(p: Path, contract: Contract, arg: Arg, index: number, reads: Reads): void {
  const reg = p.reg(index + 1);
  if (reg.type !== 'stack') return;
  switch (arg.kind) {
    case 'dynptr':
      if (arg.state !== 'uninit') readThrough(reg, 0, DYNPTR_SIZE, reads);
      return;
    case 'iter':
      if (arg.state !== 'uninit') readThrough(reg, 0, ITER_WORDS[arg.type] * 8, reads);
      return;
    case 'irq_flag':
      if (arg.state !== 'uninit') readThrough(reg, 0, IRQ_FLAG_SIZE, reads);
      return;
    case 'map_key':
    case 'map_value': {
      const map = p.program.maps[p.reg(contract.args.findIndex((a) => a.kind === 'map') + 1).map];
      readThrough(reg, 0, arg.kind === 'map_key' ? map?.keySize : map?.valueSize, reads);
      return;
    }
    case 'mem': {
      if ('bytes' in arg.size) {
        if (arg.access !== 'write') readThrough(reg, 0, arg.size.bytes, reads);
        return;
      }
      const size = p.reg(arg.size.arg + 1);
      // What is sure to be written is not read.
      if (arg.access === 'write' && isConst(size.num)) return;
      readThrough(reg, 0, size.num.umax > 512n ? undefined : Number(size.num.umax), reads);
      return;
    }
    // What a callback reads through its context is told where it does.
    case 'stack_or_null':
    case 'anything':
    case 'ignored':
      return;
    default:
      readThrough(reg, 0, undefined, reads);
  }
}
