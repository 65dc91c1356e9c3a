/**
 * Tells where on the stack an insn reads and writes. Backtracking needs the one slot that it reads or writes whole; liveness needs all
 * slots that it may read.
 */
import type { Op } from '../../../isa/insn.js';
import type { Arg, Contract } from '../../../kernel/contract.js';
import { DYNPTR_SIZE, IRQ_FLAG_SIZE, ITER_WORDS } from '../../../kernel/structs.js';
import { isConst } from '../../scalar/scalar.js';
import type { Path } from '../../state/path.js';
import { fixedOffset, hasFixedOffset } from '../../state/regs.js';
import { slotOf } from '../../state/stack.js';
import type { Reg } from '../../state/state.js';

/** Slot as frame * 64 + index that an access through `to` touches; -1 if that is not known. */
export function fixedSlot(to: Reg, off: number): number {
  if (to.type !== 'stack' || !hasFixedOffset(to)) return -1;
  const at = fixedOffset(to) + off;
  return at < 0 && at >= -512 ? to.frame * 64 + slotOf(at) : -1;
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

/** `size` bytes are read through this register; undefined if the number is not known. */
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
      // Memory that the function surely overwrites does not count as read.
      if (arg.access === 'write' && isConst(size.num)) return;
      readThrough(reg, 0, size.num.umax > 512n ? undefined : Number(size.num.umax), reads);
      return;
    }
    // Reads of a callback through its context are noted at the insns of the callback.
    case 'stack_or_null':
    case 'anything':
    case 'ignored':
      return;
    default:
      readThrough(reg, 0, undefined, reads);
  }
}
