/** Reads the fields of a declaration: each has a form, unknown ones are refused, and what is still to be said is gathered into one line. */
import { InputError, type Place } from '../../isa/errors.js';

/** What JSON holds: all that a declaration is made of. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** Fields by name. */
export type JsonObject = { readonly [key: string]: Json };

/** Tells objects from lists and everything else. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Anything a person may have put where text was expected, in few words and on one line. */
export function show(value: unknown): string {
  const text =
    typeof value === 'string'
      ? `'${value}'`
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);
  const line = text.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** Nothing is wrong with a declaration, but something is still to be said. */
export class Unsaid extends InputError {
  constructor(
    message: string,
    place: Place,
    /** What, each as a person would write it. */
    readonly asks: readonly string[],
  ) {
    super(message, place);
  }
}

/** The fields of one declaration. */
export class Fields {
  /** What cannot be inferred and is not there, each as a person would write it. */
  private readonly missing: string[] = [];
  private readonly used = new Set<string>();

  constructor(
    /** What the declaration is called in messages. */
    readonly name: string,
    private readonly from: JsonObject,
    private readonly place: Place,
  ) {}

  /** Throws InputError: `declaration NAME: message`. */
  fail(message: string): never {
    throw new InputError(`declaration ${this.name}: ${message}`, this.place);
  }

  get(key: string): Json | undefined {
    this.used.add(key);
    return Object.hasOwn(this.from, key) ? this.from[key] : undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** `true`, or left out. */
  flag(key: string): boolean {
    const value = this.boolean(key);
    return value === true;
  }

  boolean(key: string): boolean | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    return this.fail(`${key} is true or false, not ${show(value)}`);
  }

  text(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === 'string') return value;
    return this.fail(`${key} is a text, not ${show(value)}`);
  }

  /** One of these words. */
  word<T extends string>(key: string, words: readonly T[]): T | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    return (
      words.find((word) => word === value) ??
      this.fail(`${key} is one of ${words.join(', ')}, not ${show(value)}`)
    );
  }

  /** Words as a list, or as a text with `|`, commas or blanks between them. */
  words(key: string): readonly string[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value === 'string') return value.split(/[|,\s]+/).filter((word) => word !== '');
    if (Array.isArray(value) && value.every((one): one is string => typeof one === 'string')) return value;
    return this.fail(`${key} is a list of words, not ${show(value)}`);
  }

  object(key: string): JsonObject | undefined {
    const value = this.get(key);
    if (value === undefined || isObject(value)) return value;
    return this.fail(`${key} is an object, not ${show(value)}`);
  }

  /** Notes that a field is wanted and not there. */
  ask(what: string): void {
    if (!this.missing.includes(what)) this.missing.push(what);
  }

  /** Throws InputError for fields that nobody asked for, and for what is still to be said. */
  end(known: readonly string[]): void {
    const stray = Object.keys(this.from).find((key) => !known.includes(key));
    if (stray !== undefined) this.fail(`there is no field ${show(stray)}; there are ${known.join(', ')}`);
    if (this.missing.length > 0) {
      const message = `declaration ${this.name}: still to be said: ${this.missing.join('; ')}`;
      throw new Unsaid(message, this.place, this.missing);
    }
    const idle = Object.keys(this.from).find((key) => !this.used.has(key));
    if (idle !== undefined) this.fail(`${idle} says nothing about such a function`);
  }
}
