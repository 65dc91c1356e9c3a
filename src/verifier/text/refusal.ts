/** Why a walk stops: thrown inside the verifier, turned into a `Refused` verdict by `verify`. */

export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    message: string,
    readonly reason: 'rejected' | 'unsupported' | 'budget' = 'rejected',
    /** Overrides the slot at fault: -1 for the program as a whole. */
    readonly at?: number,
  ) {
    super(message);
  }
}

/** What is said of a place where a compiler knows no meaning of the program. No barrier helps: not even a wrong guess may lead there. */
export const TRAPPED = 'unexpected __bpf_trap() due to uninitialized variable?';

export function refuse(message: string): never {
  throw new Refusal(message);
}

/** The program uses something that is not modelled: no statement about the program itself. */
export function unsupported(message: string): never {
  throw new Refusal(message, 'unsupported');
}
