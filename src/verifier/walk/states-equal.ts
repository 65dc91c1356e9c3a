/**
 * Is everything that may happen from one state covered by another that was walked already? Follows states_equal, regsafe,
 * stacksafe and refsafe of kernel/bpf/verifier.c.
 *
 * Places that are dead at the insn where the states meet do not count: nothing reads them before they are written. Facts leave them out
 * (`clean-state.ts`), so that a fact is true of every state that its state covers.
 */

import { contains, equal } from '../scalar/scalar.js';
import type { PlaceSet } from '../state/places.js';
import { unknownReg } from '../state/regs.js';
import type { Frame, IterSlot, Reg, Slot, State } from '../state/state.js';
import { BYTE } from '../state/state.js';
import type { Code } from '../text/code.js';

/**
 * `range_within`: the old state contains the new one. `not_exact`: it does as far as numbers go that a check relied on; others may differ
 * (NOT_EXACT). `exact`: they are the same up to renaming of ids.
 */
export type ExactLevel = 'range_within' | 'not_exact' | 'exact';

/** Registers of the frame at `depth` that are needed when `slot` is to run next; one that waits for a callee needs them afterwards. */
export function liveRegs(code: Code, state: State, depth: number, slot: number): number {
  const inner = state.frames[depth + 1];
  if (inner === undefined) return code.live[slot]!;
  return code.live[inner.callsite]! | ((code.live[inner.callsite + 1] ?? 0) & ~CALLER_SAVED);
}

/** Registers that a call changes. */
const CALLER_SAVED = 0b111111;

/** A set of stack slots: the first 32 of a frame, and the rest. */
export type SlotWords = readonly [low: number, high: number];

const ALL: SlotWords = [-1, -1];

/** Stack slots of each frame that may be needed, as far as can be told without walking. */
export function liveSlots(code: Code, state: State, slot: number): readonly SlotWords[] {
  return state.frames.map((_, depth) => liveSlotsOf(code, state, depth, slot));
}

function liveSlotsOf(code: Code, state: State, depth: number, slot: number): SlotWords {
  const [low, high] = code.liveStack;
  const inner = state.frames[depth + 1];
  if (inner === undefined) return [low[slot]!, high[slot]!];
  const at = inner.callsite;
  return [low[at]! | (low[at + 1] ?? 0), high[at]! | (high[at + 1] ?? 0)];
}

/** What counts when two states are compared. */
export interface ComparedPlaces {
  /** The insn before which the states are. Registers that are dead there do not count; undefined: all do. */
  readonly at?: number;
  /** Numbers of the old state that checks relied on, for `not_exact`. */
  readonly precise?: PlaceSet | undefined;
  /** Stack slots that count, by depth of the frame; all unless told. */
  readonly slots?: readonly SlotWords[] | undefined;
}

export class StateComparison {
  /** The last comparison found states alike that differ in numbers that no check relied on. */
  imprecise = false;
  /** Scalars have to be the same (explore_alu_limits): what was masked against speculation depends on them. */
  exactScalars = false;
  private level: ExactLevel = 'range_within';
  private compared: ComparedPlaces = {};
  private depth = 0;
  private readonly olds: number[] = [];
  private readonly curs: number[] = [];
  private pairs = 0;
  private nextFresh = -1;

  constructor(
    private readonly code: Code,
    private readonly strict: boolean,
    /** Facts can be widened afterwards to hold for what was found alike (`facts.ts`). */
    private readonly forPruning: boolean,
  ) {}

  /** Does `old`, a state walked before at the same slot, cover `cur`? */
  covers(old: State, cur: State, mode: ExactLevel, counts: ComparedPlaces): boolean {
    if (old.frames.length !== cur.frames.length) return false;
    if (old.speculative === true && cur.speculative !== true) return false;
    this.level = mode;
    this.compared = counts;
    this.imprecise = false;
    this.pairs = 0;
    this.nextFresh = -1;
    if (!this.refsafe(old, cur)) return false;
    if (old.rcu !== cur.rcu || old.preempt !== cur.preempt) return false;
    for (let d = old.frames.length - 1; d >= 0; d--) {
      this.depth = d;
      if (!this.frameEqual(old, cur)) return false;
    }
    return true;
  }

  /** Does one stack slot hold what another does, as far as can be told of it alone? */
  slotCovers(old: Slot, cur: Slot | undefined): boolean {
    this.level = 'range_within';
    this.compared = {};
    this.pairs = 0;
    this.nextFresh = -1;
    return this.slot(old, cur, 0);
  }

  /** Pairs up ids, one to one (check_ids). */
  private checkIds(old: number, cur: number): boolean {
    if (old === 0 || cur === 0) return old === cur;
    for (let i = 0; i < this.pairs; i++) {
      if (this.olds[i] === old) return this.curs[i] === cur;
      if (this.curs[i] === cur) return false;
    }
    this.olds[this.pairs] = old;
    this.curs[this.pairs] = cur;
    this.pairs++;
    return true;
  }

  /**
   * Links between scalars: what the old state knows to be equal must be equal in the new one. Where states are compared for pruning new
   * links count too, as in Linux 6.18, though they would do no harm.
   */
  private checkScalarIds(old: Reg, cur: Reg): boolean {
    if (!this.forPruning) return old.id === 0 || this.checkOldLink(old, cur);
    if (old.id === 0 && cur.id === 0) return true;
    if (old.id !== 0 && (old.off !== cur.off || old.size !== cur.size)) return false;
    return this.checkIds(old.id === 0 ? this.nextFresh-- : old.id, cur.id === 0 ? this.nextFresh-- : cur.id);
  }

  /** Numbers that the old state knows to be equal are equal in the new one; so may others be. */
  private checkOldLink(old: Reg, cur: Reg): boolean {
    if (old.off !== cur.off || old.size !== cur.size || cur.id === 0) return false;
    for (let i = 0; i < this.pairs; i++) if (this.olds[i] === old.id) return this.curs[i] === cur.id;
    this.olds[this.pairs] = old.id;
    this.curs[this.pairs] = cur.id;
    this.pairs++;
    return true;
  }

  private refsafe(old: State, cur: State): boolean {
    if (old.refs.length !== cur.refs.length) return false;
    for (let i = 0; i < old.refs.length; i++) {
      const a = old.refs[i]!;
      const b = cur.refs[i]!;
      if (a.kind !== b.kind || a.owner !== b.owner || !this.checkIds(a.id, b.id)) return false;
    }
    return this.checkIds(old.irq, cur.irq);
  }

  private frameEqual(oldState: State, curState: State): boolean {
    const old = oldState.frames[this.depth]!;
    const cur = curState.frames[this.depth]!;
    if (old.callsite !== cur.callsite || old.subprog !== cur.subprog) return false;
    if (old.callback?.stops !== cur.callback?.stops) return false;
    if (old.callbackDepth > cur.callbackDepth) return false;
    const { at, precise, slots } = this.compared;
    const live = at === undefined ? 0x3ff : liveRegs(this.code, curState, this.depth, at);
    for (let n = 0; n < 10; n++) {
      if ((live & (1 << n)) === 0) continue;
      const a = old.regs[n]!;
      const b = cur.regs[n]!;
      if (a === b && isAlone(a)) continue;
      const skip = precise !== undefined && !precise.hasReg(this.depth, n);
      if (!this.regsafe(a, b, skip)) return false;
    }
    return this.stacksafe(old, cur, slots === undefined ? ALL : slots[this.depth]!);
  }

  private stacksafe(old: Frame, cur: Frame, [low, high]: SlotWords): boolean {
    // What lies beyond the old stack does not count, whatever the mode.
    for (let i = 0; i < old.stack.length; i++) {
      const a = old.stack[i];
      const b = cur.stack[i];
      if (a === b && (a === undefined || isPlain(a))) continue;
      const counts = ((i < 32 ? low >> i : high >> (i - 32)) & 1) !== 0;
      // What must be given back stays, whoever reads it.
      if (!counts && !isObject(a) && !isObject(b)) {
        if (a !== undefined && a !== b) this.imprecise = true;
        continue;
      }
      if (!this.slot(a, b, i)) return false;
    }
    return true;
  }

  /** `skip`: a number here may be any other. */
  private regsafe(old: Reg, cur: Reg, skip: boolean): boolean {
    if (old.type === 'uninit') return this.level !== 'exact' || cur.type === 'uninit';
    if (old.type !== cur.type) return false;
    if (old.type === 'scalar') return this.scalar(old, cur, skip);
    if (
      old.nullable !== cur.nullable ||
      old.off !== cur.off ||
      old.map !== cur.map ||
      old.size !== cur.size ||
      old.frame !== cur.frame ||
      old.struct !== cur.struct ||
      old.trust !== cur.trust ||
      old.readonly !== cur.readonly ||
      old.nonOwning !== cur.nonOwning ||
      old.percpu !== cur.percpu
    ) {
      return false;
    }
    // A negative range says that the pointer is not below the end of the packet.
    const sameRange = this.level === 'exact' || old.range < 0 || cur.range < 0;
    if (sameRange ? old.range !== cur.range : old.range > cur.range) return false;
    if (!(this.level === 'exact' ? equal(old.num, cur.num) : contains(old.num, cur.num))) return false;
    return (
      this.checkIds(old.id, cur.id) &&
      this.checkIds(old.ref, cur.ref) &&
      this.checkIds(old.dynptr, cur.dynptr)
    );
  }

  private scalar(old: Reg, cur: Reg, skip: boolean): boolean {
    if (this.level === 'exact')
      return (
        equal(old.num, cur.num) &&
        old.off === cur.off &&
        old.size === cur.size &&
        this.checkIds(old.id, cur.id)
      );
    if (this.exactScalars) return equal(old.num, cur.num) && this.checkScalarIds(old, cur);
    if (skip) {
      if (old.id !== 0 || !contains(old.num, cur.num)) this.imprecise = true;
      return true;
    }
    const covered = contains(old.num, cur.num);
    return covered && this.checkScalarIds(old, cur);
  }

  private slot(old: Slot | undefined, cur: Slot | undefined, index: number): boolean {
    if (isObject(old) || isObject(cur)) return this.object(old, cur);
    if (old === undefined) return this.level !== 'exact' || isBlank(cur);
    if (this.level === 'exact') {
      for (let i = 0; i < 8; i++) if (old.bytes[i] !== (cur?.bytes[i] ?? BYTE.invalid)) return false;
      return old.reg === undefined || (cur?.reg !== undefined && this.regsafe(old.reg, cur.reg, false));
    }
    const { precise } = this.compared;
    const skip = precise !== undefined && !precise.hasSlot(this.depth, index);
    const whole = this.numbers(old, cur, 8, skip);
    if (whole !== undefined) return whole;
    for (let i = 4; i < 8; i++) if (!this.byte(old.bytes[i]!, cur, i)) return false;
    const half = this.numbers(old, cur, 4, skip);
    if (half !== undefined) return half;
    for (let i = 0; i < 4; i++) if (!this.byte(old.bytes[i]!, cur, i)) return false;
    if (old.reg === undefined || old.bytes[0] !== BYTE.spill) return true;
    return cur?.reg !== undefined && this.regsafe(old.reg, cur.reg, skip);
  }

  /**
   * Compares the numbers that the first `size` bytes are, if they are numbers in both states: what was spilled, or bytes of which nothing
   * is known (scalar_reg_for_stack). Undefined where they are not.
   */
  private numbers(old: Slot, cur: Slot | undefined, size: 4 | 8, skip: boolean): boolean | undefined {
    const a = numberIn(old, size, this.strict);
    const b = numberIn(cur, size, this.strict);
    if (a === undefined || b === undefined) return undefined;
    if (old.reg !== undefined && cur?.bytes[0] !== BYTE.spill) {
      // The old state claims bytes that were written; where that is a fact it has to be taken back.
      if (!this.forPruning) return undefined;
      this.imprecise = true;
    }
    return this.scalar(a, b, skip && a === old.reg);
  }

  private byte(a: number, cur: Slot | undefined, i: number): boolean {
    const b = cur?.bytes[i] ?? BYTE.invalid;
    switch (a) {
      case BYTE.invalid:
        return true;
      case BYTE.misc:
        return (
          b === BYTE.misc ||
          b === BYTE.zero ||
          (b === BYTE.invalid && !this.strict) ||
          (b === BYTE.spill && (cur?.reg?.type === 'scalar' || !this.strict))
        );
      case BYTE.zero:
        return b === BYTE.zero || (b === BYTE.spill && isZeroSpill(cur));
      default:
        return a === b;
    }
  }

  /** Dynptrs, iterators, saved IRQ states. */
  private object(old: Slot | undefined, cur: Slot | undefined): boolean {
    if (old?.dynptr !== undefined || cur?.dynptr !== undefined) return this.dynptr(old, cur);
    const a = old?.irq;
    const b = cur?.irq;
    if (a !== undefined || b !== undefined)
      return a !== undefined && b !== undefined && a.by === b.by && this.checkIds(a.ref, b.ref);
    return this.iter(old?.iter, cur?.iter);
  }

  private dynptr(old: Slot | undefined, cur: Slot | undefined): boolean {
    const a = old?.dynptr;
    const b = cur?.dynptr;
    // A dynptr that needs no destroying is no loss if the old state did not count on it.
    if (a === undefined) return this.level !== 'exact' && b!.ref === 0 && isBlank(old);
    if (b === undefined) return false;
    return (
      a.type === b.type && a.first === b.first && this.checkIds(a.ref, b.ref) && this.checkIds(a.id, b.id)
    );
  }

  /** The depth does not count: otherwise no loop would be seen to go round (see `iterDepthsDiffer`). */
  private iter(a: IterSlot | undefined, b: IterSlot | undefined): boolean {
    if (a === undefined || b === undefined) return false;
    return (
      a.type === b.type &&
      a.state === b.state &&
      a.first === b.first &&
      a.rcu === b.rcu &&
      a.stale === b.stale &&
      this.checkIds(a.ref, b.ref)
    );
  }
}

/** Known to be linked to nothing else: where both states have this very value there is nothing to compare. */
const isAlone = ({ id, ref, dynptr }: Reg): boolean => id === 0 && ref === 0 && dynptr === 0;

/** The same of a stack slot. */
const isPlain = (slot: Slot): boolean =>
  !isObject(slot) && (slot.reg === undefined || (slot.bytes[0] === BYTE.spill && isAlone(slot.reg)));

const isObject = (slot: Slot | undefined): boolean =>
  slot !== undefined && (slot.iter !== undefined || slot.dynptr !== undefined || slot.irq !== undefined);

const isBlank = (slot: Slot | undefined): boolean =>
  slot === undefined || slot.bytes.every((b) => b === BYTE.invalid);

const isZeroSpill = (slot: Slot | undefined): boolean =>
  slot?.reg?.type === 'scalar' && slot.reg.num.mask === 0n && slot.reg.num.value === 0n;

/** The number that the first `size` bytes of a slot hold; undefined if they hold something else, or parts of a number. */
export function numberIn(slot: Slot | undefined, size: 4 | 8, strict: boolean): Reg | undefined {
  if (slot === undefined) return strict ? undefined : unknownReg;
  if (slot.bytes[size - 1] === BYTE.spill) return slot.reg?.type === 'scalar' ? slot.reg : undefined;
  for (let i = 0; i < size; i++) {
    const kind = slot.bytes[i];
    if (kind !== BYTE.misc && (kind !== BYTE.invalid || strict)) return undefined;
  }
  return unknownReg;
}

/** The calls that lead to this state, outermost first: states are only compared where these agree. */
export function sameCallsites(a: State, b: State): boolean {
  const n = a.frames.length;
  if (n !== b.frames.length) return false;
  for (let i = 0; i < n; i++) {
    const f = a.frames[i]!;
    const g = b.frames[i]!;
    if (f !== g && (f.callsite !== g.callsite || f.subprog !== g.subprog)) return false;
  }
  return true;
}

/**
 * Could the path be going round without an end? The registers of the running frame are the same down to their ids
 * (states_maybe_looping).
 */
export function statesMaybeLooping(old: State, cur: State): boolean {
  const depth = cur.frames.length - 1;
  const a = old.frames[depth]!;
  const b = cur.frames[depth]!;
  for (let n = 0; n < 10; n++) {
    const x = a.regs[n]!;
    const y = b.regs[n]!;
    if (x === y) continue;
    if (x.type !== y.type || x.id !== y.id || x.ref !== y.ref || x.off !== y.off || x.range !== y.range)
      return false;
    if (x.nullable !== y.nullable || x.map !== y.map || x.size !== y.size || !equal(x.num, y.num))
      return false;
  }
  return true;
}

/** An iterator has gone on since: the round is another one (iter_active_depths_differ). */
export function iterDepthsDiffer(old: State, cur: State): boolean {
  for (let d = 0; d < old.frames.length; d++) {
    const { stack } = old.frames[d]!;
    for (let i = 0; i < stack.length; i++) {
      const iter = stack[i]?.iter;
      if (iter === undefined || !iter.first || iter.state !== 'active') continue;
      if (cur.frames[d]?.stack[i]?.iter?.depth !== iter.depth) return true;
    }
  }
  return false;
}
