/** A visit: one insn on one path of the walk. Visits are what facts are made of. */
import type { State } from '../state/state.js';

/** An insn that a path came to. One slot has as many visits as paths came to it and were not covered. */
export interface Visit {
  readonly slot: number;
  /** What is known before the insn. */
  readonly state: State;
  /** Visits that follow; filled in as the walk goes on. A pruned path leads to the visit that covers it. */
  readonly next: Visit[];
  /** The visit before this one on the path that first led here. */
  readonly from: Visit | undefined;
}
