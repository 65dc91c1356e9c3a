/** The words of a directive line, each with the column it starts at, and errors that point at them. */
import { InputError } from '../../isa/errors.js';

/** A piece of a directive between white space, and the column it starts at. */
export interface Word {
  readonly text: string;
  /** Counts from 1. */
  readonly column: number;
}

/** One directive line of a case, cut at white space. Its errors carry file, line and column. */
export class Line {
  readonly words: readonly Word[];

  constructor(
    private readonly text: string,
    readonly file: string | undefined,
    /** Counts from 1. */
    readonly line: number,
  ) {
    this.words = [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], column: match.index + 1 }));
  }

  /** Throws InputError at a word, or at a place inside of it; at the end of the line without one. */
  fail(message: string, word: Word | undefined, inside = 0): never {
    const last = this.words.at(-1)!;
    const column = word ? word.column + inside : last.column + last.text.length;
    const place = { line: this.line, column };
    throw new InputError(message, this.file === undefined ? place : { file: this.file, ...place });
  }

  /** Word number `index`, which must be there. */
  need(index: number, what: string): Word {
    return this.words[index] ?? this.fail(`expected ${what}`, undefined);
  }

  /** The line from a word to its end. */
  from(word: Word): string {
    return this.text.slice(word.column - 1).trimEnd();
  }

  /** No words after number `count - 1`. */
  end(count: number): void {
    const extra = this.words[count];
    if (extra !== undefined) this.fail(`unexpected '${extra.text}'`, extra);
  }

  /** What `read` makes of a word; its InputError gets this word's place. */
  at<T>(word: Word, read: () => T, inside = 0): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof InputError && error.place.line === undefined)
        return this.fail(error.message, word, inside);
      throw error;
    }
  }
}

/** A decimal or hex number that is not negative and fits 32 bits. */
export function count(text: string): number {
  if (!/^(0x[0-9a-f]+|[0-9]+)$/i.test(text)) throw new InputError(`'${text}' is not a number`);
  const value = Number(text);
  if (value > 0xffff_ffff) throw new InputError(`${text} is too large`);
  return value;
}
