/**
 * The rule language: which calls keep running after the kill, and which are replaced by a stub. A rule set is a list of rules;
 * the first that matches decides. The words a rule is written in are `FunctionView` (the function) and `SiteView` (one call site).
 */
import type { Contract, Outcome } from '../kernel/contract.js';

/** What a stub leaves behind in place of a call. It acquires nothing and calls nothing. */
export interface Stub {
  /** r0 after the stub, as a signed 64-bit number; `void` leaves r0 unreadable as after a void function. */
  readonly r0: bigint | 'void';
  /** Arguments (index from 0) whose output memory the stub fills with zero bytes. */
  readonly writes: readonly number[];
  /** Stack objects that the stub leaves in their slots. */
  readonly slots: readonly StubSlot[];
}

/** A stack object that the stub leaves behind the pointer in argument `arg` (from 0). */
export interface StubSlot {
  readonly arg: number;
  /** A dynptr that points to nothing (all zero bytes). */
  readonly as: 'null_dynptr';
}

/**
 * What becomes of a call after the kill: it runs as before; a stub takes its place; or it ends in its landing pad: the function that makes the
 * call is left as by `unwind_exit`, with 0 in r0, and the run goes on in the pad of the call of that function. Where that call has no pad, in
 * callbacks and in the main program, the call runs as before.
 */
export type Action =
  | { readonly kind: 'keep' }
  | { readonly kind: 'stub'; readonly stub: Stub }
  | { readonly kind: 'unwind' };

/** A function, as a rule sees it. */
export interface FunctionView {
  readonly name: string;
  readonly kind: 'helper' | 'kfunc';
  readonly contract: Contract;
  /** KF_* flags. */
  readonly flags: readonly string[];
  /** Return type in the kernel's words: RET_INTEGER, RET_VOID, RET_PTR_TO_MAP_VALUE_OR_NULL, ...; for kfuncs the C type. */
  readonly ret: string;
  readonly returnsVoid: boolean;
  readonly returnsInteger: boolean;
  readonly returnsPointer: boolean;
  readonly mayReturnNull: boolean;
  readonly acquires: boolean;
  /** Gives something back: a reference, a lock, a section, an iterator, a dynptr. */
  readonly releases: boolean;
  readonly takesLock: boolean;
  readonly opensSection: boolean;
  readonly iterator: 'new' | 'next' | 'destroy' | undefined;
  readonly callsBack: boolean;
  readonly blocks: boolean;
  /** Some outcome has no effect that a stub could not write. */
  readonly canFailWithoutEffect: boolean;
  /** The stub for that outcome; throws InputError when there is none. */
  readonly failure: Stub;
}

/** One call site: what the verifier knows there, over all paths that reach it. */
export interface SiteView {
  readonly slot: number;
  /**
   * Outcomes that are possible in every state that reaches the site. An outcome that acquires counts if it is possible in any of them.
   */
  readonly enabled: readonly Outcome[];
  /** An enabled outcome has no effect that a stub could not write. */
  readonly canFail: boolean;
  /** The stub for it; throws InputError when there is none. */
  readonly failure: Stub;
  /** In every state that reaches the site the function that makes the call has a landing pad. Never so on kernels without them. */
  readonly hasPad: boolean;
}

/** One line of a rule set: to which functions and call sites it applies, and what it does there. */
export interface Rule {
  readonly name: string;
  readonly matches: (f: FunctionView) => boolean;
  /** Absent: the rule applies at every site of the function. */
  readonly matchesSite?: (site: SiteView, f: FunctionView) => boolean;
  readonly action: (f: FunctionView, site: SiteView | undefined) => Action;
}

/** Rules in order; the first that matches decides. A call that none matches is kept. */
export interface RuleSet {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** Calls that end in a landing pad, and where there are pads. */
export interface Unwinding {
  /** Slots of the calls of helpers and kfuncs that end in a pad. */
  readonly calls: ReadonlySet<number>;
  /** Slots of the calls of subprograms that have a pad which ordinary runs may come to (`livePads` of `unwinding.ts`). */
  readonly pads: ReadonlySet<number>;
}

/** A program's fast path: same insns at the same slots, with these call sites replaced. A slot that is in neither is kept. */
export interface FastPath {
  readonly rules: string;
  readonly stubs: ReadonlyMap<number, Stub>;
  /** Calls that end in a landing pad; absent: none. */
  readonly unwinds?: Unwinding;
}
