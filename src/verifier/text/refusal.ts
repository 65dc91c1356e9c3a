/** Why a walk stops: thrown inside the verifier, turned into a `Refused` verdict by `verify`. */

/** What a refusal says besides its message. */
export interface Told {
  /** Lines that Linux prints before its last one. */
  readonly before?: readonly string[];
  /** Call sites from the outermost function to where the fault lies, for a fault that no single insn has. */
  readonly calls?: readonly number[];
  /** First slot of the subprogram that the fault lies in, where no insn has it. */
  readonly subprog?: number;
}

/**
 * Ends a walk. `rejected`: Linux refuses the program; `unsupported`: swansong cannot judge it; `budget`: too many insns were walked.
 * The message is the kernel's own where there is one.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    message: string,
    readonly reason: 'rejected' | 'unsupported' | 'budget' = 'rejected',
    /** Overrides the slot at fault: -1 for the program as a whole. */
    readonly at?: number,
    readonly told: Told = {},
  ) {
    super(message);
  }

  /** All that Linux prints, line by line; the last is the message, or its end. */
  get lines(): readonly string[] {
    return [...(this.told.before ?? []), ...this.message.split(' // ')];
  }

  /** The same refusal, with a last line that tells what the fault means for the caller. */
  followedBy(message: string): Refusal {
    return new Refusal(message, this.reason, this.at, { ...this.told, before: this.lines });
  }
}

/**
 * Refuses a program whose code is undefined behaviour for the compiler. A barrier does not help: not even a speculative path may lead
 * there.
 */
export const TRAPPED = 'unexpected __bpf_trap() due to uninitialized variable?';

/** `before`: lines that Linux prints before this one. */
export function refuse(message: string, ...before: readonly string[]): never {
  throw new Refusal(message, 'rejected', undefined, { before });
}

/** Ends the walk because the program uses something that is not modelled. That says nothing about the program itself. */
export function unsupported(message: string): never {
  throw new Refusal(message, 'unsupported');
}

/** Runs something that may refuse. If it does, adds a last line that says what the refusal means for the caller, as Linux does. */
export function refusedAs(message: () => string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (error instanceof Refusal && error.reason === 'rejected') throw error.followedBy(message());
    throw error;
  }
}
