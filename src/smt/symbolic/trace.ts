/** The record of a symbolic run: the points at which it could have gone another way, and the conditions that hold on its path. */
import type { KillViolation } from '../../vm/kill.js';
import type { RunResult } from '../../vm/vm.js';
import type { Assignment } from '../term/evaluate.js';
import type { Term } from '../term/term.js';

/**
 * Something that holds on the path. `branch`: otherwise the run would have gone the other way. `concretization`: an address, a size or a key
 * was replaced by the number that it is in this run; other numbers are other paths. `range`: the values that a variable may have on
 * any path.
 */
export interface Condition {
  readonly kind: 'branch' | 'concretization' | 'range';
  /** Slot of the insn, and how many insns were executed before it. */
  readonly slot: number;
  readonly step: number;
  readonly holds: Term;
}

/** A choice of the outside world. It could have been different with the same inputs. */
export interface Selection {
  readonly kind: 'choice';
  readonly slot: number;
  readonly step: number;
  /** `function#n`. */
  readonly call: string;
  /** The outcome it had. */
  readonly chosen: string;
  /** What else could be recorded for the call: an outcome's name, or an error number. */
  readonly others: readonly string[];
}

/** A point at which the run could have gone another way: a condition, or a value that was picked for a term. */
export type Event = Condition | Selection;

/** One symbolic run, from its start to its end. */
export interface Trace {
  /** In the order of the run. */
  readonly events: readonly Event[];
  /** Slots executed, one for each step. */
  readonly slots: readonly number[];
  /** Outcomes of kernel calls, by step; missing for those that were patched, trapped, or called back. */
  readonly outcomes: ReadonlyMap<number, string>;
  /** What the variables are in this run. */
  readonly values: Assignment;
  readonly result: RunResult;
  readonly violations: readonly KillViolation[];
  /** r0 at the end, as a term; undefined if it was not written. */
  readonly r0: Term | undefined;
  /**
   * What the terms do not describe, so that a path which they exclude may still exist: `bpf_x is not modelled as terms`. Empty: the path
   * condition is exact.
   */
  readonly gaps: ReadonlySet<string>;
}
