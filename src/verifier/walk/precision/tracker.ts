/**
 * Records what a walk needs for comparing states by what matters: the insns since the last explored state, the numbers that checks relied
 * on, and the stack slots that were read and written.
 */
import type { Op } from '../../../isa/insn.js';
import { subprogTarget } from '../../../isa/target.js';
import type { Path } from '../../state/path.js';
import type { Code } from '../../text/code.js';
import { TRAIT } from '../../text/insn-traits.js';
import type { ExploredState } from '../history.js';
import { NO_STEP } from '../history.js';
import { type FuncInstance, StackLiveness } from '../liveness.js';
import { Backtracker } from './backtrack.js';
import { preciseOperands } from './precise-operands.js';
import { globalCallReads, stackAccess, stackReads } from './stack-access.js';

/** How far the history of a path has come, so that the walk can go back to it. */
export interface HistoryPosition {
  readonly step: number;
  readonly entries: number;
}

/** The position of a path without history. */
export const NO_HISTORY: HistoryPosition = { step: NO_STEP, entries: 0 };

/** The history of the path at hand since its last explored state. The walk saves and restores it when it changes paths. */
export class PrecisionTracker {
  readonly backtracker: Backtracker;
  readonly liveness: StackLiveness;
  /** The last insn walked since the last explored state. */
  step = NO_STEP;
  /** The last insn walked before that checkpoint. */
  private origin = NO_STEP;
  /** How many entries the kernel's history has of those insns (jmp_history_cnt). */
  entries = 0;
  /** The function that runs now, by the calls that led to it. */
  instance: FuncInstance | undefined;

  constructor(
    private readonly path: Path,
    private readonly code: Code,
  ) {
    this.backtracker = new Backtracker(code);
    this.liveness = new StackLiveness(code);
  }

  save(): HistoryPosition {
    return { step: this.step, entries: this.entries };
  }

  /** Restores the history of another path. The path's state was restored before. */
  restore({ step, entries }: HistoryPosition): void {
    this.step = step;
    this.origin = NO_STEP;
    this.entries = entries;
    this.findInstance();
  }

  /** To be called when a state is kept. The insns that led to it belong to that state now. */
  stateKept(): void {
    this.origin = this.step;
    this.step = NO_STEP;
    this.entries = 0;
  }

  /** Looks up the function that runs now. To be called when a frame was entered or left. */
  findInstance(): void {
    const { liveness, path } = this;
    let instance = liveness.root(path.frameAt(0).subprog);
    for (let d = 1; d <= path.depth; d++) {
      const { subprog, callsite } = path.frameAt(d);
      instance = liveness.callee(instance, subprog, callsite);
    }
    this.instance = instance;
  }

  /**
   * The insn at `slot` is about to run, on a path that came through the checkpoint `from` last: notes what it relies on, and where on the
   * stack it reads and writes.
   */
  before(op: Op, slot: number, from: ExploredState | undefined): void {
    const { path, backtracker, code } = this;
    const traits = code.traits[slot]!;
    this.step = backtracker.steps.add(slot, path.depth, this.step, this.origin);
    const landed = code.jumpPoints[slot] === 1;
    const access =
      (traits & (TRAIT.loads | TRAIT.stores | TRAIT.readsStack)) === 0 ? -1 : stackAccess(path, op);
    if (access >= 0) backtracker.steps.setAccess(this.step, access);
    if (landed || access >= 0) this.entries++;
    this.stackUse(op, slot, access, traits);
    if ((traits & TRAIT.relies) === 0) return;
    const needs = preciseOperands(path, op, code.contracts[slot]);
    for (const place of needs.slots) backtracker.wanted.addSlot(place >> 6, place & 63);
    if (needs.regs !== 0 || needs.slots.length > 0) this.markPrecise(needs.regs, from);
  }

  /** Notes which stack slots the insn reads, and which one it writes in full. `access`: the one that it reads or writes whole. */
  private stackUse(op: Op, slot: number, access: number, traits: number): void {
    const { liveness, instance } = this;
    if (instance === undefined) return;
    const stores = (traits & TRAIT.stores) !== 0;
    const writes = stores && access >= 0 && 'size' in op && op.size === 8 ? access : -1;
    if (instance.visited[slot - instance.start] === 0) liveness.visit(instance, slot, writes);
    else if (stores) liveness.visitAgain(instance, slot, writes);
    if (access >= 0 && (traits & TRAIT.loads) !== 0) {
      const bit = 1 << (access & 31);
      const first = (access & 32) === 0;
      liveness.read(instance, slot, access >> 6, first ? bit : 0, first ? 0 : bit);
      return;
    }
    if ((traits & TRAIT.readsStack) !== 0) this.stackReads(op, slot, instance);
  }

  private stackReads(op: Op, slot: number, instance: FuncInstance): void {
    const reads = (frame: number, low: number, high: number): void => {
      this.liveness.read(instance, slot, frame, low, high);
    };
    const callee = op.kind === 'call' ? subprogTarget(op, slot) : undefined;
    if (callee === undefined) stackReads(this.path, op, this.code.contracts[slot], reads);
    else if (this.code.subprogAt(callee)?.linkage === 'global') globalCallReads(this.path, reads);
  }

  /** A check relied on the numbers in these registers of the running frame, one bit each. */
  markPrecise(regs: number, from: ExploredState | undefined): void {
    const { backtracker, path, step } = this;
    const { frame, depth } = path;
    for (let n = 0; n < 10; n++) {
      if ((regs & (1 << n)) !== 0 && frame.regs[n]!.type === 'scalar') backtracker.wanted.addReg(depth, n);
    }
    const { steps } = backtracker;
    backtracker.markChainPrecision(steps.prev(step), from, steps.slot(step), depth);
  }

  /** Notes that the jump refines the numbers in these places together. */
  link(places: readonly number[]): void {
    const { steps } = this.backtracker;
    if (places.length < 2) return;
    steps.link(this.step, places);
    if (this.code.jumpPoints[steps.slot(this.step)] !== 1) this.entries++;
  }
}
