/** How a path came to where it is: the insns since its last checkpoint, the checkpoints before that, and the loops that these lie on. */
import type { Places } from './marks.js';
import type { Visit } from './result.js';
import type { State } from './state.js';

/** One insn that a path has walked since its last checkpoint. */
export interface Step {
  readonly slot: number;
  /** Frame that ran it, 0 is the outermost. */
  readonly depth: number;
  readonly prev: Step | undefined;
  /** Stack slot that it read or wrote in full, as frame * 64 + index; -1: none. */
  access: number;
  /** Places whose numbers a jump learned about together, because they are known to be equal: see `place`. */
  linked: readonly number[] | undefined;
}

/** A state kept for pruning. */
export interface Checkpoint {
  readonly slot: number;
  readonly state: State;
  /** The fact that stands for it; undefined where no facts are kept. */
  readonly visit: Visit | undefined;
  /** Paths that started here and have not ended. While there are any, the state is not known to be safe. */
  branches: number;
  /** How often it covered a state, and how often it did not. */
  hits: number;
  misses: number;
  readonly parent: Checkpoint | undefined;
  /** The insns walked from the parent to here, last first. */
  readonly history: Step | undefined;
  /** Numbers that checks below relied on. */
  readonly marks: Places;
  /** The loop it lies on. */
  readonly round: Round | undefined;
}

/** A loop that is being walked, with the calls that lead to it (struct bpf_scc_visit). */
export interface Round {
  /** The first state in it; when all its paths have ended the loop is done with. */
  entry: Checkpoint | undefined;
  /** States found covered by one whose paths had not all ended, so that not all it relies on was known. */
  backedges: Backedge[];
}

export interface Backedge {
  readonly covered: Checkpoint;
  readonly step: Step | undefined;
  readonly parent: Checkpoint | undefined;
  readonly depth: number;
}
