/**
 * Seeded defects: ways in which this VM could be wrong, switched on one at a time by the properties that show that each is
 * noticed. No other code sets them.
 */
import type { LedgerDefects } from './ledger.js';

export interface Defects extends LedgerDefects {
  /** The kill takes effect one insn late. */
  readonly killsLate?: true;
  /** A stub leaves r1 to r5 as they were. */
  readonly stubKeepsRegisters?: true;
  /** Stubs are used before the kill as well. */
  readonly stubsAlways?: true;
  /** A stub does not write the memory that it should. */
  readonly stubWritesNothing?: true;
  /** Bytes that a stub leaves unwritten are not marked. */
  readonly forgetsSkipped?: true;
  /** A helper whose callback was killed goes on calling it. */
  readonly callbacksGoOn?: true;
  /** Objects stay accessible after their last reference is given back. */
  readonly neverDies?: true;
  /** The exit does not look at what is held. */
  readonly exitForgetsLeaks?: true;
  /** Shifts of the fast tier are not masked. */
  readonly shiftsUnmasked?: true;
}
