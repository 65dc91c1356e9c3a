/** The one error for bad input: what a person gave us cannot be used. The command line prints it as one line and exits with 2. */

export interface Place {
  readonly file?: string;
  /** Counts from 1. */
  readonly line?: number;
  /** Counts from 1. */
  readonly column?: number;
}

/**
 * Input that a person gave and that cannot be used: the message says what was expected, `place` where. Everything else that is thrown
 * is a mistake of swansong.
 */
export class InputError extends Error {
  override readonly name = 'InputError';

  constructor(
    message: string,
    readonly place: Place = {},
  ) {
    super(message);
  }

  /** `file:line:column: message`, leaving out what is not known. */
  describe(): string {
    const { file, line, column } = this.place;
    const where = [file, line, column].filter((part) => part !== undefined).join(':');
    return where === '' ? this.message : `${where}: ${this.message}`;
  }
}
