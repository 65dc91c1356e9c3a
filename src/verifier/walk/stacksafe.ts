/**
 * Does the stack of one frame cover that of another: bytes, spilled registers, dynptrs, iterators, saved IRQ states? Follows stacksafe of
 * kernel/bpf/verifier.c.
 */
import { unknownReg } from '../state/regs.js';
import type { Frame, IterSlot, Reg, Slot } from '../state/state.js';
import { BYTE } from '../state/state.js';
import type { ComparedPlaces, SlotWords } from './live-places.js';
import { isAlone, type RegComparison } from './regsafe.js';

const ALL: SlotWords = [-1, -1];

/**
 * Compares stack frames slot by slot. Slots that nothing reads any more do not count, unless they hold an object that must be given
 * back.
 */
export class StackComparison {
  constructor(
    private readonly regs: RegComparison,
    /** The loader may not read stack that was never written. */
    private readonly strict: boolean,
    private readonly forPruning: boolean,
  ) {}

  /** Does the stack of the frame at `depth` cover that of another state? */
  stacksafe(old: Frame, cur: Frame, depth: number, { precise, slots }: ComparedPlaces): boolean {
    const [low, high] = slots === undefined ? ALL : slots[depth]!;
    if (this.forPruning && this.regs.level !== 'not_exact' && old.stack.length > cur.stack.length)
      return false;
    // Slots beyond the old stack do not count, in any mode.
    for (let i = 0; i < old.stack.length; i++) {
      const a = old.stack[i];
      const b = cur.stack[i];
      if (a === b && (a === undefined || isPlain(a))) continue;
      const counts = ((i < 32 ? low >> i : high >> (i - 32)) & 1) !== 0;
      // An object that must be given back counts, even if nothing reads the slot.
      if (!counts && !isObject(a) && !isObject(b)) {
        if (a !== undefined && a !== b) this.regs.imprecise = true;
        continue;
      }
      const skip = precise !== undefined && !precise.hasSlot(depth, i);
      if (!this.slot(a, b, skip, i < cur.stack.length)) return false;
    }
    return true;
  }

  /** `skip`: a number here may be any other. `allocated`: the current stack reaches as far down as this slot. */
  slot(old: Slot | undefined, cur: Slot | undefined, skip: boolean, allocated: boolean): boolean {
    // Where a loop is compared with itself, Linux wants the same kind of byte everywhere, also where the old state has none.
    if (this.forPruning && this.regs.level !== 'not_exact' && !sameBytes(old, cur)) return false;
    if (isObject(old) || isObject(cur)) return this.object(old, cur);
    if (old === undefined) return this.regs.level !== 'exact' || isBlank(cur);
    if (this.regs.level === 'exact') {
      if (!sameBytes(old, cur)) return false;
      return old.reg === undefined || (cur?.reg !== undefined && this.regs.regsafe(old.reg, cur.reg, false));
    }
    return this.forPruning ? this.bytesSafe(old, cur, skip, allocated) : this.contained(old, cur, skip);
  }

  /**
   * Compares as Linux does, and must not accept more. A spilled zero has the same bytes as old zero bytes. But nothing would mark the
   * spilled zero as precise, so an earlier state would wrongly cover states without a zero there.
   */
  private bytesSafe(old: Slot, cur: Slot | undefined, skip: boolean, allocated: boolean): boolean {
    let compared = false;
    for (let i = 7; i >= 0; i--) {
      const a = old.bytes[i]!;
      if (a === BYTE.invalid || (a === BYTE.misc && !this.strict)) continue;
      if (!allocated) return false;
      if (!compared) {
        const whole = this.numbers(old, cur, 8, skip);
        if (whole !== undefined) return whole;
        compared = true;
      }
      const b = cur?.bytes[i] ?? BYTE.invalid;
      if (a !== b && !(a === BYTE.misc && b === BYTE.zero)) return false;
    }
    if (old.reg === undefined || old.bytes[0] !== BYTE.spill) return true;
    return cur?.reg !== undefined && this.regs.regsafe(old.reg, cur.reg, skip);
  }

  /** Whether everything that the old slot says is true of the other slot. */
  private contained(old: Slot, cur: Slot | undefined, skip: boolean): boolean {
    const whole = this.numbers(old, cur, 8, skip);
    if (whole !== undefined) return whole;
    for (let i = 4; i < 8; i++) if (!this.byte(old.bytes[i]!, cur, i)) return false;
    const half = this.numbers(old, cur, 4, skip);
    if (half !== undefined) return half;
    for (let i = 0; i < 4; i++) if (!this.byte(old.bytes[i]!, cur, i)) return false;
    if (old.reg === undefined || old.bytes[0] !== BYTE.spill) return true;
    return cur?.reg !== undefined && this.regs.regsafe(old.reg, cur.reg, skip);
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
      // The old state says that bytes were written. If it is a fact, the fact must be widened.
      if (!this.forPruning) return undefined;
      this.regs.imprecise = true;
    }
    return this.regs.scalar(a, b, skip && a === old.reg);
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
      return a !== undefined && b !== undefined && a.by === b.by && this.regs.ids.checkIds(a.ref, b.ref);
    return this.iter(old?.iter, cur?.iter);
  }

  private dynptr(old: Slot | undefined, cur: Slot | undefined): boolean {
    const a = old?.dynptr;
    const b = cur?.dynptr;
    // A dynptr that needs no destroying may be missing from the old state.
    if (a === undefined) return this.regs.level !== 'exact' && b!.ref === 0 && isBlank(old);
    if (b === undefined) return false;
    return (
      a.type === b.type &&
      a.first === b.first &&
      this.regs.ids.checkIds(a.ref, b.ref) &&
      this.regs.ids.checkIds(a.id, b.id)
    );
  }

  /** The iterator's depth is not compared, or no loop would ever be found (see `iterDepthsDiffer`). */
  private iter(a: IterSlot | undefined, b: IterSlot | undefined): boolean {
    if (a === undefined || b === undefined) return false;
    return (
      a.type === b.type &&
      a.state === b.state &&
      a.first === b.first &&
      a.rcu === b.rcu &&
      a.stale === b.stale &&
      this.regs.ids.checkIds(a.ref, b.ref)
    );
  }
}

/** A slot that is linked to nothing else. */
const isPlain = (slot: Slot): boolean =>
  !isObject(slot) && (slot.reg === undefined || (slot.bytes[0] === BYTE.spill && isAlone(slot.reg)));

const isObject = (slot: Slot | undefined): boolean =>
  slot !== undefined && (slot.iter !== undefined || slot.dynptr !== undefined || slot.irq !== undefined);

function sameBytes(a: Slot | undefined, b: Slot | undefined): boolean {
  for (let i = 0; i < 8; i++)
    if ((a?.bytes[i] ?? BYTE.invalid) !== (b?.bytes[i] ?? BYTE.invalid)) return false;
  return true;
}

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
