/**
 * Decides whether a state that was walked before covers another: everything that may happen from the new state was then seen already.
 * Follows states_equal, func_states_equal and refsafe of kernel/bpf/verifier.c.
 *
 * Places that are dead at the insn where the states meet do not count: nothing reads them before they are written. Facts leave them out
 * (`clean-state.ts`), so that a fact is true of every state that its state covers.
 */
import type { Slot, State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { IdPairs } from './id-pairs.js';
import { type ComparedPlaces, liveRegs } from './live-places.js';
import { type ExactLevel, isAlone, RegComparison } from './regsafe.js';
import { StackComparison } from './stacksafe.js';

/**
 * Compares whole states: frames, references, sections. One object serves a whole walk, because comparing is frequent and its tables
 * are used again.
 */
export class StateComparison {
  private readonly ids: IdPairs;
  private readonly regs: RegComparison;
  private readonly stack: StackComparison;

  constructor(
    private readonly code: Code,
    strict: boolean,
    /** True: states are compared for pruning; `facts.ts` widens the facts afterwards. False: facts are compared. */
    forPruning: boolean,
  ) {
    this.ids = new IdPairs(forPruning);
    this.regs = new RegComparison(this.ids);
    this.stack = new StackComparison(this.regs, strict, forPruning);
  }

  /** Whether the last comparison accepted states that differ in numbers no check relied on, or in stack slots nothing reads. */
  get imprecise(): boolean {
    return this.regs.imprecise;
  }

  /** From now on scalars that differ in anything are not the same (explore_alu_limits). */
  compareExactly(): void {
    this.regs.exactScalars = true;
  }

  /** Does `old`, a state walked before at the same slot, cover `cur`? */
  covers(old: State, cur: State, level: ExactLevel, compared: ComparedPlaces): boolean {
    if (old.frames.length !== cur.frames.length) return false;
    if (old.speculative === true && cur.speculative !== true) return false;
    if (old.unwound !== cur.unwound) return false;
    this.regs.level = level;
    this.regs.imprecise = false;
    this.ids.clear();
    if (!this.refsafe(old, cur)) return false;
    if (old.rcu !== cur.rcu || old.preempt !== cur.preempt) return false;
    for (let depth = old.frames.length - 1; depth >= 0; depth--) {
      if (!this.frameEqual(old, cur, depth, compared)) return false;
    }
    return true;
  }

  /** Whether one stack slot covers another, without regard to links between places. */
  slotCovers(old: Slot, cur: Slot | undefined): boolean {
    this.regs.level = 'range_within';
    this.ids.clear();
    return this.stack.slot(old, cur, false, true);
  }

  private refsafe(old: State, cur: State): boolean {
    if (old.refs.length !== cur.refs.length) return false;
    for (let i = 0; i < old.refs.length; i++) {
      const a = old.refs[i]!;
      const b = cur.refs[i]!;
      if (a.kind !== b.kind || a.owner !== b.owner || !this.ids.checkIds(a.id, b.id)) return false;
    }
    return this.ids.checkIds(old.irq, cur.irq);
  }

  private frameEqual(oldState: State, curState: State, depth: number, compared: ComparedPlaces): boolean {
    const old = oldState.frames[depth]!;
    const cur = curState.frames[depth]!;
    if (old.callsite !== cur.callsite || old.subprog !== cur.subprog) return false;
    if (old.callback?.stops !== cur.callback?.stops) return false;
    if (old.callbackDepth > cur.callbackDepth) return false;
    const { at, precise } = compared;
    const live = at === undefined ? 0x3ff : liveRegs(this.code, curState, depth, at);
    for (let n = 0; n < 10; n++) {
      if ((live & (1 << n)) === 0) continue;
      const a = old.regs[n]!;
      const b = cur.regs[n]!;
      if (a === b && isAlone(a)) continue;
      const skip = precise !== undefined && !precise.hasReg(depth, n);
      if (!this.regs.regsafe(a, b, skip)) return false;
    }
    return this.stack.stacksafe(old, cur, depth, compared);
  }
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
