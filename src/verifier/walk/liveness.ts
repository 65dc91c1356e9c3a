/**
 * Which stack slots are live, as far as the walk has seen: some path from the insn reads them before they are written in full. This is
 * kept for each chain of calls, and grows as the walk goes on. Once all paths from a state have ended, all reads on them are known.
 * Follows kernel/bpf/liveness.c.
 */
import type { Code } from '../text/code.js';
import { callsSyncCallback } from '../text/code.js';

/** Stack slots of one frame that the insns of one function read, write and need. Indexed by insn, from the function's first. */
class FrameMasks {
  /** Two words an insn: slots 0 to 31, and 32 to 63. */
  readonly reads: Int32Array;
  readonly writes: Int32Array;
  readonly live: Int32Array;

  constructor(size: number) {
    this.reads = new Int32Array(2 * size);
    this.writes = new Int32Array(2 * size);
    this.live = new Int32Array(2 * size);
  }
}

/** A function as it is called by one chain of calls. */
export class FuncInstance {
  /** By depth: the function's own frame is the last, those before it belong to its callers. */
  readonly frames: (FrameMasks | undefined)[] = [];
  readonly visited: Uint8Array;
  private readonly callees = new Map<number, FuncInstance>();

  constructor(
    readonly start: number,
    readonly size: number,
    /** The instance that it was called from, and the slot of the call. */
    readonly outer: FuncInstance | undefined,
    readonly callsite: number,
  ) {
    this.visited = new Uint8Array(size);
  }

  get depth(): number {
    return this.outer === undefined ? 0 : this.outer.depth + 1;
  }

  masks(frame: number): FrameMasks {
    let masks = this.frames[frame];
    if (masks === undefined) {
      masks = new FrameMasks(this.size);
      this.frames[frame] = masks;
    }
    return masks;
  }

  callee(start: number, size: number, callsite: number): FuncInstance {
    const key = callsite * 0x200000 + start;
    let callee = this.callees.get(key);
    if (callee === undefined) {
      callee = new FuncInstance(start, size, this, callsite);
      this.callees.set(key, callee);
    }
    return callee;
  }
}

/** A slot as frame * 64 + index. */
type SlotNumber = number;

/**
 * The reads and writes of stack slots by insn, for every chain of calls that was walked, and what follows from them: which slots are
 * live before an insn.
 */
export class StackLiveness {
  private readonly roots = new Map<number, FuncInstance>();
  private readonly before: readonly (readonly number[])[];
  private readonly changed: { readonly of: FuncInstance; readonly slot: number }[] = [];
  private readonly ends = new Map<number, number>();

  constructor(private readonly code: Code) {
    const before: number[][] = code.ops.map(() => []);
    code.next.forEach((next, at) => {
      for (const to of next) before[to]?.push(at);
    });
    this.before = before;
    let end = code.ops.length;
    for (let at = code.ops.length - 1; at >= 0; at--) {
      if (code.subprogStart[at] !== at) continue;
      this.ends.set(at, end);
      end = at;
    }
  }

  private sizeOf(start: number): number {
    return (this.ends.get(start) ?? this.code.ops.length) - start;
  }

  /** The function that starts at this slot, as the outermost one of a walk. */
  root(start: number): FuncInstance {
    let root = this.roots.get(start);
    if (root === undefined) {
      root = new FuncInstance(start, this.sizeOf(start), undefined, -1);
      this.roots.set(start, root);
    }
    return root;
  }

  callee(of: FuncInstance, start: number, callsite: number): FuncInstance {
    return of.callee(start, this.sizeOf(start), callsite);
  }

  /** The insn is walked for the first time in this instance: `writes` is the slot that it writes in full, -1 for none. */
  visit(of: FuncInstance, slot: number, writes: SlotNumber): void {
    of.visited[slot - of.start] = 1;
    if (writes >= 0) {
      const at = 2 * (slot - of.start) + ((writes >> 5) & 1);
      of.masks(writes >> 6).writes[at]! |= 1 << (writes & 31);
    }
    this.changed.push({ of, slot });
  }

  /** The insn is walked again and writes this slot in full. A slot counts as written only if the insn writes it each time. */
  visitAgain(of: FuncInstance, slot: number, writes: SlotNumber): void {
    const at = 2 * (slot - of.start);
    for (let frame = 0; frame < of.frames.length; frame++) {
      const masks = of.frames[frame];
      if (masks === undefined) continue;
      const mine = writes >> 6 === frame ? writes & 63 : -1;
      const low = mine >= 0 && mine < 32 ? 1 << mine : 0;
      const high = mine >= 32 ? 1 << (mine - 32) : 0;
      const lost = (masks.writes[at]! & ~low) | (masks.writes[at + 1]! & ~high);
      if (lost === 0) continue;
      masks.writes[at]! &= low;
      masks.writes[at + 1]! &= high;
      this.changed.push({ of, slot });
    }
  }

  /** The insn reads these slots of a frame. */
  read(of: FuncInstance, slot: number, frame: number, low: number, high: number): void {
    const { reads } = of.masks(frame);
    const at = 2 * (slot - of.start);
    if ((low & ~reads[at]!) === 0 && (high & ~reads[at + 1]!) === 0) return;
    reads[at]! |= low;
    reads[at + 1]! |= high;
    this.changed.push({ of, slot });
  }

  /** Brings `live` up to date. It only grows: insns that were not visited yet contribute nothing. */
  private update(): void {
    const { changed } = this;
    while (changed.length > 0) {
      const { of, slot } = changed.pop()!;
      for (let frame = 0; frame < of.frames.length; frame++) {
        const masks = of.frames[frame];
        if (masks === undefined || !this.insn(of, masks, slot)) continue;
        for (const before of this.before[slot]!) {
          if (of.visited[before - of.start] === 1) changed.push({ of, slot: before });
        }
        const { outer } = of;
        if (slot === of.start && outer !== undefined && frame < of.depth)
          this.read(outer, of.callsite, frame, masks.live[0]!, masks.live[1]!);
      }
    }
  }

  private insn(of: FuncInstance, masks: FrameMasks, slot: number): boolean {
    const at = 2 * (slot - of.start);
    const [low, high] = this.after(of, masks, slot);
    const nowLow = (low & ~masks.writes[at]!) | masks.reads[at]!;
    const nowHigh = (high & ~masks.writes[at + 1]!) | masks.reads[at + 1]!;
    if (nowLow === masks.live[at] && nowHigh === masks.live[at + 1]) return false;
    masks.live[at]! |= nowLow;
    masks.live[at + 1]! |= nowHigh;
    return true;
  }

  private after(of: FuncInstance, masks: FrameMasks, slot: number): readonly [number, number] {
    let low = 0;
    let high = 0;
    for (const next of this.code.next[slot]!) {
      const at = 2 * (next - of.start);
      low |= masks.live[at] ?? 0;
      high |= masks.live[at + 1] ?? 0;
    }
    return [low, high];
  }

  /**
   * Slots of the frame at depth `frame` that are needed before the insn at `slot` of instance `of`, or by its callers afterwards: the
   * first 32 and the rest (bpf_stack_slot_alive).
   */
  aliveSlots(of: FuncInstance, slot: number, frame: number): readonly [low: number, high: number] {
    if (this.changed.length > 0) this.update();
    let low = 0;
    let high = 0;
    let at = slot;
    let depth = of.depth;
    for (let a: FuncInstance | undefined = of; a !== undefined && depth >= frame; a = a.outer, depth--) {
      const live = a.frames[frame]?.live;
      if (live !== undefined) {
        low |= live[2 * (at - a.start)] ?? 0;
        high |= live[2 * (at - a.start) + 1] ?? 0;
      }
      const contract = this.code.contracts[a.callsite];
      // A callback returns to its call.
      at = contract !== undefined && callsSyncCallback(contract) ? a.callsite : a.callsite + 1;
    }
    return [low, high];
  }
}
