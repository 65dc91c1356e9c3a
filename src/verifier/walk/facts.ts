/**
 * Turns the visits of a walk with precision into facts. Such a walk ends a path at an earlier state that may differ in numbers no check
 * relied on, and in stack slots nothing reads. What that earlier state and the states after it say of these values need not be true for
 * the path that ended.
 *
 * So the visit that covers a path is widened until it holds for that path too: a number that differs becomes any number, and a slot that
 * differs becomes unknown. Then each widened visit is walked one insn on. The result must be covered by one of the visits that follow, so
 * these are widened in turn, until nothing changes. In the end the visits are closed: from every state that a visit covers, the next insn
 * leads to a state that a following visit covers. This does not rely on the marks of `precision/backtrack.ts`. If those missed something
 * that matters, an insn is refused here or leads to a slot without a visit, and the visits are no facts.
 */

import { contains } from '../scalar/scalar.js';
import { scalarReg, unknownReg } from '../state/regs.js';
import type { Frame, Reg, Slot, State } from '../state/state.js';
import { BYTE } from '../state/state.js';
import { Refusal } from '../text/refusal.js';
import type { Start } from './options.js';
import { numberIn } from './stacksafe.js';
import { StateComparison } from './states-equal.js';
import type { Visit } from './visit.js';
import type { Walk } from './walk.js';

type Writable = { -readonly [K in keyof Visit]: Visit[K] };

/** Widens the visits of a walk until they are facts. False: they cannot be made true this way. */
export function widenVisitsToFacts(walk: Walk): boolean {
  if (walk.imprecisePrunes.length === 0) return true;
  return new FactFixpoint(walk).run();
}

class FactFixpoint {
  private readonly comparison: StateComparison;
  private readonly strict: boolean;
  private readonly changed: Visit[] = [];
  private readonly waiting = new Set<Visit>();

  constructor(private readonly walk: Walk) {
    this.strict = walk.path.strict;
    this.comparison = new StateComparison(walk.code, this.strict, false);
  }

  run(): boolean {
    for (const { visit, state } of this.walk.imprecisePrunes) {
      if (!this.hold(visit, state)) return false;
    }
    while (this.changed.length > 0) {
      const visit = this.changed.pop()!;
      this.waiting.delete(visit);
      let next: readonly Start[];
      try {
        next = this.walk.stepFrom(visit.slot, visit.state);
      } catch (error) {
        if (error instanceof Refusal) return false;
        throw error;
      }
      for (const start of next) if (!this.follows(visit, start)) return false;
    }
    return true;
  }

  /** Whether one of the visits that follow covers this state, after widening if needed. */
  private follows(visit: Visit, { slot, state }: Start): boolean {
    for (const next of visit.next) if (next.slot === slot && this.holds(next, state)) return true;
    for (const next of visit.next) if (next.slot === slot && this.hold(next, state)) return true;
    // A callback that runs later starts a path of its own.
    return this.walk.startsAsyncCallback(slot, state);
  }

  private holds(visit: Visit, state: State): boolean {
    return this.comparison.covers(visit.state, state, 'range_within', {});
  }

  /** Widens the visit, if needed, so that it covers this state. False if they differ in more than numbers. */
  private hold(visit: Visit, state: State): boolean {
    if (this.holds(visit, state)) return true;
    const wider = new Widening(this.strict, this.comparison).state(visit.state, state);
    if (!this.comparison.covers(wider, state, 'range_within', {})) return false;
    (visit as Writable).state = wider;
    if (!this.waiting.has(visit)) {
      this.waiting.add(visit);
      this.changed.push(visit);
    }
    return true;
  }
}

/** Makes one state cover another, by knowing less of numbers and stack slots. */
class Widening {
  private readonly links = new Map<number, number>();

  constructor(
    private readonly strict: boolean,
    private readonly comparison: StateComparison,
  ) {}

  state(old: State, cur: State): State {
    return { ...old, frames: old.frames.map((frame, d) => this.frame(frame, cur.frames[d])) };
  }

  private frame(old: Frame, cur: Frame | undefined): Frame {
    if (cur === undefined) return old;
    return {
      ...old,
      regs: old.regs.map((reg, n) => this.reg(reg, cur.regs[n]!)),
      stack: Array.from(old.stack, (slot, i) =>
        slot === undefined ? undefined : this.slot(slot, cur.stack[i]),
      ),
    };
  }

  private reg(old: Reg, cur: Reg): Reg {
    if (old.type !== 'scalar' || cur.type !== 'scalar') return old;
    const alike = old.id === 0 || (old.off === cur.off && old.size === cur.size);
    const linked = alike && this.isLinked(old.id, cur.id);
    if (!contains(old.num, cur.num)) return unknownReg;
    return linked ? old : scalarReg(old.num);
  }

  /** Whether all values that are linked in the old state are equal in the other one. */
  private isLinked(old: number, cur: number): boolean {
    if (old === 0) return true;
    if (cur === 0) return false;
    const known = this.links.get(old);
    if (known !== undefined) return known === cur;
    this.links.set(old, cur);
    return true;
  }

  /** Numbers that differ become any number. A slot that differs in more becomes unknown. */
  private slot(old: Slot, cur: Slot | undefined): Slot | undefined {
    if (old === cur || old.iter !== undefined || old.dynptr !== undefined || old.irq !== undefined)
      return old;
    const wider = this.spilled(old, cur);
    return this.comparison.slotCovers(wider, cur) ? wider : undefined;
  }

  private spilled(old: Slot, cur: Slot | undefined): Slot {
    if (old.reg?.type !== 'scalar') return old;
    if (cur?.reg?.type === 'scalar' && cur.bytes[0] === BYTE.spill) {
      const reg = this.reg(old.reg, cur.reg);
      return reg === old.reg ? old : { ...old, reg };
    }
    const size = old.bytes[7] === BYTE.spill ? 8 : 4;
    if (numberIn(cur, size, this.strict) === undefined) return old;
    return { bytes: old.bytes.map((b) => (b === BYTE.spill ? BYTE.misc : b)) };
  }
}
