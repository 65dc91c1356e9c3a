/**
 * Seeded defects: ways in which the program proof could be wrong, switched on one at a time by the properties that show that each is
 * noticed. No other code sets them.
 */
export interface ProgramProofDefects {
  /** Every program is proven. */
  readonly provesAll?: true;
  /** Calls that are kept are not looked at. */
  readonly trustsKept?: true;
  /** The solver's answer for a call site leaves out what the guards say. */
  readonly sitesIgnoreGuards?: true;
  /** Only the first stub after the kill is one; calls after it are made. */
  readonly stubsOnce?: true;
  /** A stub writes all that the call would have written. */
  readonly stubFillsAll?: true;
  /** A callback that is called after the kill counts as interrupted, too: it runs once only. */
  readonly allInterrupted?: true;
  /** The walk stops at the first thing that looks wrong, and does not say so. */
  readonly dropsFailures?: true;
  /** A call of a global subprogram counts as one insn. */
  readonly callsAreFree?: true;
  /** A kill in a global subprogram is over where that returns. */
  readonly callersAreFree?: true;
  /** Every loop is gone round once. */
  readonly loopsOnce?: true;
}
