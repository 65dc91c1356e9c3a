/**
 * A model does what a function really does where its contract leaves that open: which outcome follows from the state of the run, and
 * which value is returned. Without a model, the environment picks the outcome and only the outcome's effects happen.
 */
import type { Outcome } from '../../../kernel/contract.js';
import type { Call } from '../call.js';

/** What the VM knows of one function beyond its contract. Both parts may be left out. */
export interface Model {
  /** Picks an outcome among the possible ones (at least one); the environment's choice unless told. */
  readonly pick?: (call: Call, outcomes: readonly Outcome[]) => Outcome;
  /**
   * Carries the outcome out and answers r0, unsigned, or undefined for void. `rest` does what would be done without a model: the
   * effects, then r0 by the contract.
   */
  readonly run?: (call: Call, outcome: Outcome, rest: () => bigint | undefined) => bigint | undefined;
  /** `run` only notes what the function did: what the program sees of it is what the contract says. */
  readonly watches?: true;
}

/** Models by the name of the helper or kfunc. */
export type Models = Readonly<Record<string, Model>>;

/** A negative error number or any signed value, as r0. */
export const signed = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The outcome that returns NULL, or the one that returns a pointer; the first one if there is no such outcome. */
export function byPointer(outcomes: readonly Outcome[], pointer: boolean): Outcome {
  return outcomes.find((outcome) => (outcome.r0.kind === 'pointer') === pointer) ?? outcomes[0]!;
}
