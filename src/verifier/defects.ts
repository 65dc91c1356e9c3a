/**
 * Seeded defects: ways in which this verifier could be wrong, switched on one at a time by the properties that show that each is
 * noticed. No other code sets them.
 */
export interface VerifierDefects {
  /** The exit does not look at references. */
  readonly exitForgetsReferences?: true;
  /** The exit does not look at open sections. */
  readonly exitForgetsSections?: true;
  /** Copies of a pointer stay good when its reference is given back. */
  readonly copiesSurviveRelease?: true;
  /** A slice stays good when its dynptr is given back. */
  readonly slicesSurviveSubmit?: true;
  /** On the way where a pointer is NULL its reference is still held. */
  readonly nullKeepsReference?: true;
  /** A NULL check settles every pointer that may be NULL. */
  readonly nullSettlesAll?: true;
  /** Memory may be read through a pointer that was not checked for NULL. */
  readonly nullMayBeRead?: true;
  /** Any lock of the same map is taken for the one that is held. */
  readonly anyLockWillDo?: true;
  /** What RCU protects stays protected after the section. */
  readonly rcuNeverEnds?: true;
  /** A narrow load of a spilled register gives all of it. */
  readonly fillsAreWhole?: true;
  /** A store at a variable offset changes nothing that is known of the stack. */
  readonly variableStoresAreLost?: true;
  /** A packet pointer that moves by an unknown amount stays checked. */
  readonly packetRangeKept?: true;
  /** A packet check is worth one byte more. */
  readonly packetRangeOneMore?: true;
  /** Memory is one byte longer than it is. */
  readonly regionsOneLonger?: true;
  /** A callback is followed once. */
  readonly callbacksRunOnce?: true;
  /** A lookup in an array never misses. */
  readonly lookupsNeverMiss?: true;
  /** A jump is taken to tell one value more than it does. */
  readonly jumpsTellTooMuch?: true;
  /** States are compared without what is held. */
  readonly coversIgnoresReferences?: true;
  /** States are compared without the ranges of scalars. */
  readonly coversIgnoresRanges?: true;
  /** States are compared without the states of iterators. */
  readonly coversIgnoresIterators?: true;
  /** States are compared without the sections that are open. */
  readonly coversIgnoresSections?: true;
  /** A left shift leaves unknown bits where they were. */
  readonly shiftsKeepMask?: true;
  /** A sign extension fills in zeroes. */
  readonly signExtensionsAreZero?: true;
  /** A comparison of 32 bits tells of all 64. */
  readonly wordsTellAll?: true;
  /** A signed comparison tells what the unsigned one would. */
  readonly signsIgnored?: true;
  /** The result of arithmetic stays linked to copies of what was there before. */
  readonly linksSurviveArithmetic?: true;
  /** A pointer that may be NULL gets the id of the one before it: a check of either settles both. */
  readonly nullIdsGoStale?: true;
  /** Iterators need not be destroyed. */
  readonly iteratorsNeedNoDestroying?: true;
  /** A store over a dynptr is not seen. */
  readonly dynptrsMayBeOverwritten?: true;
  /** Saved IRQ states may be restored in any order. */
  readonly irqOrderIgnored?: true;
  /** A global subprogram may be called with anything. */
  readonly globalsTakeAnything?: true;
  /** What is given back need not be owned. */
  readonly releasesNeedNoReference?: true;
  /** What was put into a list or tree still has to be given back. */
  readonly transfersKeepOwnership?: true;
  /** Nodes of a list or tree may be used after the unlock. */
  readonly nodesSurviveUnlock?: true;
  /** Functions that sleep may be called in any section. */
  readonly sectionsMaySleep?: true;
  /** A callback may return anything. */
  readonly callbacksReturnAnything?: true;
}
