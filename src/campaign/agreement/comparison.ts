/**
 * What a comparison of swansong with Linux is: a generated program in, counts and differences out.
 *
 * One file here a comparison (verdicts, facts, values, certificates). The properties run a few of each; `npm run agree` runs as
 * many as it is asked for and writes what it saw to reports/.
 */

import type { KernelProfile } from '../../kernel/profile.js';
import type { Profile } from '../../verifier/state/profile.js';

/** Takes down what a comparison sees. */
export interface Tally {
  /** Adds `by` (1 unless told) to what is counted under `what`. */
  count(what: string, by?: number): void;
  /**
   * A difference. `kind` groups alike ones, worst first in the reader's eye (`looser: ...`, `stricter: ...`, `value: ...`);
   * `about` says how to see this one again.
   */
  differ(kind: string, about: string): void;
}

/** Judges program `index` of the stream of `seed`. Depends on nothing else, so that every difference can be seen again. */
export type Comparison = (seed: number, index: number, tally: Tally) => void | Promise<void>;

/** Whom programs are judged for. */
export interface JudgedFor {
  /** What the kernel is; the running one's profile unless told. */
  readonly kernel?: KernelProfile;
  /** Who loads the programs, where a comparison is about that; one with all capabilities and one without CAP_PERFMON unless told. */
  readonly profiles?: readonly Profile[];
}

/** A comparison that holds on to something of the kernel's (maps, descriptors) until it is closed. */
export interface OpenComparison {
  readonly compare: Comparison;
  close(): void;
}
