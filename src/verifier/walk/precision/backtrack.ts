/**
 * Finds where the numbers come from that a check has just relied on. Goes back along the path, insn by insn, to the places that they were
 * made from, and marks those in the explored states on the way. Follows mark_chain_precision and backtrack_insn of kernel/bpf/verifier.c.
 *
 * If a number of an explored state is not marked when all its paths have ended, it did not matter. A state that differs only in such
 * numbers is just as safe.
 */
import type { Op } from '../../../isa/insn.js';
import { FP, MOST_FRAMES } from '../../../isa/insn.js';
import { PlaceSet } from '../../state/places.js';
import type { Code } from '../../text/code.js';
import type { ExploredState } from '../history.js';
import { JumpHistory, LINKED, NO_STEP } from '../history.js';

const ARGS = 0b111110;

/**
 * Goes back along a path from a check that relied on a number. Put what is asked for into `wanted`, then call `markChainPrecision`;
 * places found are marked in the explored states on the way.
 */
export class Backtracker {
  /** What is asked for; empty between two calls of `mark`. */
  readonly wanted = new PlaceSet();
  readonly steps = new JumpHistory();
  /** By slot, the registers that the insn changes or depends on, one bit each; see `concerns`. */
  private readonly changedBy: Uint16Array;

  constructor(private readonly code: Code) {
    this.changedBy = Uint16Array.from(code.ops, changedBy);
  }

  /**
   * Marks what `wanted` was made from, for a path whose last insns are `step` and what is before it, and that came through `from` before
   * that. The next insn is the one at `slot`, in frame `depth`. True if any mark is new.
   */
  markChainPrecision(step: number, from: ExploredState | undefined, slot: number, depth: number): boolean {
    const { wanted, steps } = this;
    let changed = false;
    let at = step;
    let next = slot;
    let nextDepth = depth;
    let parent = from;
    while (!wanted.empty) {
      for (; at !== NO_STEP; at = steps.prev(at)) {
        const before = steps.slot(at);
        const depth = steps.depth(at);
        if (depth !== nextDepth || this.concerns(at, before, depth)) {
          this.backtrackInsn(at, next, nextDepth);
          if (wanted.empty) return changed;
        }
        next = before;
        nextDepth = depth;
      }
      if (parent === undefined) {
        // The start of the path. The arguments of a global function may have any value.
        wanted.clear();
        return changed;
      }
      if (this.markState(parent)) changed = true;
      at = parent.history;
      parent = parent.parent;
    }
    return changed;
  }

  /** Whether going back over this step can change what is wanted. Most steps have nothing to do with the numbers that are followed. */
  private concerns(step: number, slot: number, depth: number): boolean {
    const touched = this.changedBy[slot]!;
    if ((touched & this.wanted.regs(depth)) !== 0) return true;
    const access = this.steps.access(step);
    return access === LINKED || (access >= 0 && (touched & STORES) !== 0);
  }

  /** Marks what is wanted in a checkpoint; what is marked there already, or is no number, is wanted no longer. */
  private markState(explored: ExploredState): boolean {
    const { wanted } = this;
    const { frames } = explored.state;
    const { precise } = explored;
    let changed = false;
    for (let d = 0; d < MOST_FRAMES; d++) {
      const frame = frames[d];
      if (frame === undefined) {
        wanted.dropFrame(d);
        continue;
      }
      for (let regs = wanted.regs(d); regs !== 0; regs &= regs - 1) {
        const n = 31 - Math.clz32(regs & -regs);
        if (frame.regs[n]!.type !== 'scalar' || precise.hasReg(d, n)) wanted.dropReg(d, n);
        else {
          precise.addReg(d, n);
          changed = true;
        }
      }
      if ((wanted.low(d) | wanted.high(d)) === 0) continue;
      for (let i = 0; i < 64; i++) {
        if (!wanted.hasSlot(d, i)) continue;
        if (frame.stack[i]?.reg?.type !== 'scalar' || precise.hasSlot(d, i)) wanted.dropSlot(d, i);
        else {
          precise.addSlot(d, i);
          changed = true;
        }
      }
    }
    return changed;
  }

  /** One insn back. `next`: the slot that ran after it, in frame `nextDepth`. */
  private backtrackInsn(step: number, next: number, nextDepth: number): void {
    const { wanted, steps } = this;
    const slot = steps.slot(step);
    const op = this.code.ops[slot];
    if (op === undefined) return;
    const d = steps.depth(step);
    if (nextDepth > d) {
      this.toCaller(slot, op, d, nextDepth);
      return;
    }
    if (nextDepth < d) {
      this.toCallee(next, nextDepth, d);
      return;
    }
    const linked = steps.access(step) === LINKED ? steps.linked(step) : undefined;
    if (linked !== undefined) this.syncLinkedRegs(linked);
    this.insn(op, steps.access(step), d);
    if (linked !== undefined) this.syncLinkedRegs(linked);
    wanted.dropReg(d, FP);
  }

  /** The insn was a call. Argument registers that the callee wants are now wanted in the caller. */
  private toCaller(slot: number, op: Op, outer: number, inner: number): void {
    const { wanted } = this;
    if (op.kind === 'call' && op.target === 'subprog') wanted.addRegs(outer, wanted.regs(inner) & ARGS);
    for (const arg of this.code.contracts[slot]?.args ?? []) {
      if (arg.kind !== 'callback' || arg.callback.contextArg === undefined) continue;
      const { args, contextArg } = arg.callback;
      args.forEach((what, i) => {
        if (what === 'context' && wanted.hasReg(inner, i + 1)) wanted.addReg(outer, contextArg + 1);
      });
    }
    wanted.dropFrame(inner);
  }

  /** The insn was an exit to frame `outer`. If the caller wants r0, it is now wanted in the callee; a callback's r0 is not passed on. */
  private toCallee(next: number, outer: number, inner: number): void {
    const { wanted } = this;
    const call = this.code.ops[next - 1];
    const fromCall = call?.kind === 'call' && call.target === 'subprog';
    if (fromCall && wanted.hasReg(outer, 0)) wanted.addReg(inner, 0);
    wanted.dropRegs(outer, fromCall ? ARGS | 1 : 1);
  }

  private syncLinkedRegs(places: readonly number[]): void {
    const { wanted } = this;
    let any = false;
    for (const place of places) {
      const depth = place >> 7;
      const rest = place & 127;
      if (rest < 16 ? wanted.hasReg(depth, rest) : wanted.hasSlot(depth, rest - 16)) any = true;
    }
    if (!any) return;
    for (const place of places) {
      const rest = place & 127;
      if (rest < 16) wanted.addReg(place >> 7, rest);
      else wanted.addSlot(place >> 7, rest - 16);
    }
  }

  /** What is in the register was loaded from the stack slot `access`, if that is not -1. */
  private loaded(reg: number, access: number, d: number): void {
    const { wanted } = this;
    if (!wanted.hasReg(d, reg)) return;
    wanted.dropReg(d, reg);
    if (access >= 0) wanted.addSlot(access >> 6, access & 63);
  }

  private insn(op: Op, access: number, d: number): void {
    const { wanted } = this;
    switch (op.kind) {
      case 'alu':
        if (wanted.hasReg(d, op.dst) && 'reg' in op.src) wanted.addReg(d, op.src.reg);
        return;
      case 'mov':
        if (!wanted.hasReg(d, op.dst)) return;
        wanted.dropReg(d, op.dst);
        if ('reg' in op.src) wanted.addReg(d, op.src.reg);
        return;
      case 'movsx':
        if (!wanted.hasReg(d, op.dst)) return;
        wanted.dropReg(d, op.dst);
        wanted.addReg(d, op.src);
        return;
      case 'ld_imm64':
      case 'addr_space_cast':
        wanted.dropReg(d, op.dst);
        return;
      case 'ldx':
      case 'load_acquire':
        this.loaded(op.dst, access, d);
        return;
      case 'atomic':
        if (op.fetch) this.loaded(op.op === 'cmpxchg' ? 0 : op.src, access, d);
        return;
      case 'st':
      case 'stx':
      case 'store_release': {
        if (access < 0) return;
        const frame = access >> 6;
        const index = access & 63;
        if (!wanted.hasSlot(frame, index)) return;
        wanted.dropSlot(frame, index);
        if (op.kind !== 'st') wanted.addReg(d, op.src);
        return;
      }
      case 'jmp':
        // Each side of the comparison is refined by the other.
        if (!('reg' in op.src)) return;
        if (!wanted.hasReg(d, op.dst) && !wanted.hasReg(d, op.src.reg)) return;
        wanted.addReg(d, op.dst);
        wanted.addReg(d, op.src.reg);
        return;
      case 'call':
      case 'ld_packet':
        wanted.dropRegs(d, ARGS | 1);
        return;
      case 'neg':
      case 'end':
      case 'ja':
      case 'may_goto':
      case 'unwind_goto':
      case 'exit':
      case 'unwind_exit':
        return;
    }
  }
}

/** A bit beyond the registers, for insns that store: they concern stack slots. */
const STORES = 1 << 15;

/** The registers that `insn` asks whether they are wanted, one bit each. */
function changedBy(op: Op | undefined): number {
  switch (op?.kind) {
    case 'alu':
      return 'reg' in op.src ? 1 << op.dst : 0;
    case 'mov':
    case 'movsx':
    case 'ld_imm64':
    case 'addr_space_cast':
    case 'ldx':
    case 'load_acquire':
      return 1 << op.dst;
    case 'atomic':
      return op.fetch ? 1 << (op.op === 'cmpxchg' ? 0 : op.src) : 0;
    case 'st':
    case 'stx':
    case 'store_release':
      return STORES;
    case 'jmp':
      return 'reg' in op.src ? (1 << op.dst) | (1 << op.src.reg) : 0;
    case 'call':
    case 'ld_packet':
      return ARGS | 1;
    default:
      return 0;
  }
}
