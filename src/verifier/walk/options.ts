/** The options of a walk, and its start. */
import type { Contract } from '../../kernel/contract.js';
import type { KernelProfile } from '../../kernel/profile.js';
import type { Path } from '../state/path.js';
import type { Profile } from '../state/profile.js';
import type { Reg, State } from '../state/state.js';
import type { Heads } from './heads.js';
import type { Target, VisitGraph } from './visit-graph.js';

/** For whom a walk judges, how far it goes, and what it keeps. */
export interface WalkOptions {
  readonly profile: Profile;
  /** Insns to walk at the most (BPF_COMPLEXITY_LIMIT_INSNS: 1,000,000). */
  readonly budget: number;
  /** Where a visit of every insn is added; none unless told. */
  readonly visits?: VisitGraph;
  /** Whether the state before the insn at this slot is kept with its visits; at every slot unless told. */
  readonly keepsState?: (slot: number) => boolean;
  /** Paths end at these heads too, if they were walked from: facts of another walk. */
  readonly heads?: Heads;
  /** Paths end only where this says so: the walk makes the facts of a walk that has ended before (`facts.ts`). */
  readonly closing?: Closing;
  /** Drop what changes from one round of an open-ended loop to the next; without it such a loop is unrolled. */
  readonly widening: boolean;
  /**
   * Compare states as Linux does: numbers that no check relied on may differ. The visits of such a walk are facts only
   * as long as each path ends at a state that contains it (`contained.ts`); else `facts.ts` makes them. Without precision the visits are facts.
   */
  readonly precision?: boolean;
  /** Keep more states than Linux, and for good, and drop stack slots that nothing reads wherever states are compared: more paths end. */
  readonly economical?: boolean;
  /** False: no path ends because another covers it, unless that is what ends a loop. */
  readonly pruning?: boolean;
  /** The kernel that the program is for. */
  readonly kernel: KernelProfile;
  /** Where insns that are walked are counted, by slot. */
  readonly tally?: Uint32Array;
  /** CPUs of the machine, if that is known (nr_cpu_ids). */
  readonly cpus?: number;
  /** What to do in place of the call at a slot; undefined: make the call. */
  readonly stubAt?: (slot: number) => StubEffect | undefined;
  /** Where the call at a slot goes in this state, if it leaves its frame early; `none` unless told: it is made. */
  readonly landingAt?: (slot: number, state: State) => Landing;
}

/**
 * Where a function goes on whose frame is left early: in the landing pad of its call; in the pad of some of its calls, while others have none (a
 * global function, verified alone); nowhere.
 */
export type Landing = 'pad' | 'some' | 'none';

/** A stub's work on the path. It leaves r0 and memory as the stub does; argument registers are dropped by the walk. */
export type StubEffect = (p: Path, args: readonly Reg[], contract: Contract) => Reg;

/** A state that a walk begins in, and the slot of the first insn to walk. */
export interface Start {
  readonly slot: number;
  readonly state: State;
}

/** Where a walk that makes facts may end a path. */
export interface Closing {
  /** The path has come to a place where states are compared. A visit that covers it, if there is one. */
  meet(slot: number, state: State): Target | undefined;
}
