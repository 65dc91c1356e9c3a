/**
 * The visits that a walk keeps: one for every insn of every path, with what is known before it. They become the facts of the program.
 * A path that an explored state covers has no visits of its own from there on; it leads to the visit of that state.
 */
import type { State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { DeadRegs } from './clean-state.js';
import type { Visit } from './visit.js';

/** Where a path is among the visits. */
export interface VisitsPosition {
  /** The visit before the path's next insn. */
  readonly current: Visit | undefined;
  /** Registers that facts leave out on this path, by frame, one bit each. */
  readonly deadRegs: readonly number[];
}

/** A path that no visit leads to. */
export const NO_VISITS: VisitsPosition = { current: undefined, deadRegs: [] };

/** Collects the visits of a walk by slot, and links each to the ones that follow it. */
export class Visits {
  readonly bySlot: Visit[][] = [];
  current: Visit | undefined;
  /** The first visit since this was last set to undefined, or the visit that covers the start. */
  first: Visit | undefined;
  private readonly deadRegs: DeadRegs;

  constructor(code: Code) {
    this.deadRegs = new DeadRegs(code);
  }

  save(): VisitsPosition {
    return { current: this.current, deadRegs: this.deadRegs.save() };
  }

  restore({ current, deadRegs }: VisitsPosition): void {
    this.current = current;
    this.deadRegs.restore(deadRegs);
  }

  /** The path comes to the insn at `slot` in this state. `meets`: states are compared there. */
  add(slot: number, state: State, meets: boolean): Visit {
    const { current } = this;
    const visit: Visit = {
      slot,
      state: this.deadRegs.withoutDead(state, slot, meets),
      next: [],
      from: current,
    };
    current?.next.push(visit);
    this.current = visit;
    this.first ??= visit;
    const list = this.bySlot[slot];
    if (list === undefined) this.bySlot[slot] = [visit];
    else list.push(visit);
    return visit;
  }

  /** The path ends because this visit covers it. */
  leadTo(visit: Visit): void {
    this.current?.next.push(visit);
    this.first ??= visit;
  }
}
