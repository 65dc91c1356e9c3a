/** What a run can do wrong: the named checks, and how a broken one stops the insn that broke it. */

/** The checks of a terminated run, in the order in which they are reported. */
export const CHECKS = ['leak', 'misuse', 'fault', 'acquire', 'disclosure', 'return', 'bound'] as const;
/** A named check that a run may break: `leak` is one, `fault` another. */
export type Check = (typeof CHECKS)[number];

/** The checks, the gravest first: what stays held, what corrupts the kernel, what faults, and last what only takes longer than it must. */
const BY_GRAVITY: readonly Check[] = ['leak', 'misuse', 'fault', 'disclosure', 'return', 'acquire', 'bound'];

/** How grave a broken check is: 0 is the gravest. */
export const gravity = (check: Check): number => BY_GRAVITY.indexOf(check);

/** A check that broke: which, where, and what happened there. */
export interface Violation {
  readonly check: Check;
  readonly message: string;
  /** Slot of the insn at which it shows; for a leak the slot of the exit. */
  readonly slot: number;
  /** Insns executed before that insn. */
  readonly step: number;
  /** The helper or kfunc concerned: the one that is called, or for a leak the one that acquired. */
  readonly function?: string;
}

/**
 * Thrown inside one insn when it breaks a check after which the run cannot go on; the VM turns it into a Violation with
 * slot and step. Not an Error, because stack traces are slow and wrong rule sets throw many.
 */
export class Trap {
  constructor(
    readonly check: Check,
    readonly message: string,
    readonly function_?: string,
  ) {}
}

/** Shorthands, to be thrown. */
export const fault = (message: string): Trap => new Trap('fault', message);
/** A resource was given back wrongly or used after it was given back: `misuse` is the check that breaks. */
export const misuse = (message: string): Trap => new Trap('misuse', message);
