/**
 * Ways to stop a running program, each in a file of its own. A strategy says what it prepares at load, what it adds to a run that nobody stops,
 * before which insns a kill takes effect, and what happens from there on. All of them act on the one VM, so the same kill of the same run can be
 * looked at under each of them.
 */

import type { FastPath } from '../patch/rule.js';
import type { Facts } from '../verifier/result.js';
import type { Pauses } from '../vm/insn/pauses.js';
import type { Code } from '../vm/state/code.js';
import type { MachineState, Sampling } from '../vm/state/machine.js';
import type { Usage } from './usage.js';

/** A program as a strategy gets it when it is loaded: decoded, and verified. */
export interface Subject {
  readonly code: Code;
  readonly facts: Facts;
}

/** One way to stop programs. */
export interface Strategy {
  readonly name: string;
  /** What it does to a program that is killed, in one sentence. */
  readonly does: string;
  /** Makes a program ready to be killed, or says why it cannot. */
  prepare(subject: Subject): Prepared | Untaken;
}

/** The strategy cannot take the program. */
export interface Untaken {
  /** Why, in words that programs with the same trouble share: `a spin_lock is held at a throw site`. */
  readonly cannot: string;
}

/** What it costs to have a program ready to be killed. */
export interface Costs {
  /** Bytes that are kept for the program from its load on. */
  readonly bytes: number;
  /** Insns that the mechanism adds to a run which is not killed; none unless told. */
  readonly extra?: (usage: Usage) => number;
  /** Bytes that it needs while the program runs, besides `bytes`; none unless told. */
  readonly runBytes?: (usage: Usage) => number;
}

/** A killed run is ended at the first place where that is possible; until then nothing about it is different. */
export interface EndsTheRun extends Costs {
  readonly kind: 'ends the run';
  /** Insns before which the run can be ended, as far as that depends on the insn alone. */
  readonly sites: 'every insn' | Pauses;
  /** Whether the run, which stands at one of `sites`, can be ended there; every one of them can unless told. */
  readonly canStop?: (machine: MachineState) => boolean;
  /** Ends the run, which stands at one of `sites`, or sends it to the program's own code that ends it. */
  readonly stop: (machine: MachineState) => void;
}

/** A killed run goes on, to the program's own exit, with some of its insns doing something else. */
export interface RunsOut extends Costs {
  readonly kind: 'runs out';
  readonly fastPath: FastPath;
  /** What the kill reaches besides the call sites of `fastPath`. */
  readonly sampled?: Sampling;
}

/** A program that is ready to be killed by a strategy. */
export type Prepared = EndsTheRun | RunsOut;
