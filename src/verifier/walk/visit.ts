/** A visit: one insn on one path of the walk. Visits are what facts are made of. */
import type { State } from '../state/state.js';

/** An insn that a path came to. One slot has as many visits as paths came to it and were not covered. */
export interface Visit {
  /** Its number in the graph of visits. */
  readonly node: number;
  readonly slot: number;
  /** What is known before the insn. Facts that were asked for only some insns throw for others. */
  readonly state: State;
  /** Visits that follow. A path that ended because a visit covers it leads to that visit. */
  readonly next: readonly Visit[];
  /** The visit before this one on the path that first led here. */
  readonly from: Visit | undefined;
}
