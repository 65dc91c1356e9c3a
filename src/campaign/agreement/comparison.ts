/**
 * The interface of a comparison of swansong with Linux: a generated program in, counts and differences out.
 *
 * There is one file for each comparison (verdicts, facts, values, certificates). The properties run a few of each; `npm run agree` runs
 * as many as it is asked for and writes what it saw to reports/.
 */

import type { KernelProfile } from '../../kernel/profile.js';
import type { Profile } from '../../verifier/state/profile.js';

/** Collects what a comparison sees. */
export interface Tally {
  /** Adds `by` (1 unless told) to what is counted under `what`. */
  count(what: string, by?: number): void;
  /**
   * Records a difference. `kind` groups similar ones and starts with how bad they are (`looser: ...`, `stricter: ...`, `value: ...`).
   * `about` says how to see this one again.
   */
  differ(kind: string, about: string): void;
}

/** Judges program `index` of the stream of `seed`. Depends on nothing else, so that every difference can be seen again. */
export type Comparison = (seed: number, index: number, tally: Tally) => void | Promise<void>;

/** For which kernel and loaders programs are judged. */
export interface JudgedFor {
  /** What the kernel is; the running one's profile unless told. */
  readonly kernel?: KernelProfile;
  /** Who loads the programs, where a comparison is about that; one with all capabilities and one without CAP_PERFMON unless told. */
  readonly profiles?: readonly Profile[];
}

/** A comparison that keeps kernel objects open (maps, descriptors) until it is closed. */
export interface OpenComparison {
  readonly compare: Comparison;
  close(): void;
}
