/** What a verification answers. */

import type { State } from './state/state.js';
import type { Code } from './text/code.js';

/** `privileged`: a loader with all capabilities. `strict`: no uninitialised stack reads, no pointer leaks. */
export type Profile = 'privileged' | 'strict';

/** One visit of one insn on one path: the state before it, and where the walk went from there. */
export interface Visit {
  readonly slot: number;
  readonly state: State;
  /** Visits that follow; filled in as the walk goes on. A pruned path leads to the visit that covers it. */
  readonly next: Visit[];
  /** The visit before this one on the path that first led here. */
  readonly from: Visit | undefined;
}

export interface Facts {
  /** Every visit of this slot. Empty: the insn is not reachable. */
  at(slot: number): readonly Visit[];
  /** Number of visits kept. */
  readonly size: number;
}

export interface Accepted {
  readonly ok: true;
  readonly profile: Profile;
  /** Insns walked, and states kept for pruning, as the kernel's `processed N insns ... total_states`. */
  readonly walked: number;
  readonly states: number;
  readonly facts: Facts;
  /** The program as it was prepared, and the last id given out: for a walk that goes on from one of its states. */
  readonly code: Code;
  readonly lastId: number;
}

export interface Refused {
  readonly ok: false;
  readonly profile: Profile;
  /** The kernel's words where we know them. */
  readonly message: string;
  /** Slot of the insn that is at fault, -1 for the program as a whole. */
  readonly slot: number;
  readonly walked: number;
  readonly states: number;
  /** `unsupported`: the program uses something that is not modelled; that is no statement about the program. */
  readonly reason: 'rejected' | 'unsupported' | 'budget';
}

export type Verdict = Accepted | Refused;
