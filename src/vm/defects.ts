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
  /** Atomic operations that fetch answer the new value. */
  readonly fetchesNew?: true;
  /** Loads that extend the sign do not. */
  readonly signLost?: true;
  /** bpf_loop calls back once too often. */
  readonly loopsOnceMore?: true;
  /** Elements that are deleted stay. */
  readonly deletesNothing?: true;
  /** Updates of a map do not look at their flags. */
  readonly updatesAlways?: true;
  /** Records that are submitted are lost. */
  readonly sendsNothing?: true;
  /** Results of kfuncs that are half a register fill all of it. */
  readonly wholeResults?: true;
  /** An iterator over numbers goes one too far. */
  readonly iteratesOnceMore?: true;
  /** The value of another CPU is that of this one. */
  readonly oneCpu?: true;
}
