/** Values of options, read strictly: what is no whole number in range, or no known word, is refused. */
import { InvalidArgumentError } from 'commander';
import { GROWING } from '../../report/compare/change.js';
import { ALLOWED, type Allowed } from '../../report/compare/changes.js';

/** A reader for whole numbers in [min, max], decimal or hex. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
    throw new InvalidArgumentError(`It must be a whole number ${range}.`);
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration such as `90s`, `10m` or `1h`, in milliseconds. */
export function duration(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const value = Number(amount) * (UNITS[unit ?? ''] ?? Number.NaN);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a duration such as 90s, 10m or 1h.');
}

const SHORT_UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1000, ms: 1_000_000, s: 1_000_000_000 };

/** A short time such as `500us` or `10ms`, in nanoseconds. */
export function shortTime(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ns|us|ms|s)$/.exec(text) ?? [];
  const value = Math.round(Number(amount) * (SHORT_UNITS[unit ?? ''] ?? Number.NaN));
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a time such as 500us, 10ms or 2s.');
}

/** A reader for powers of two in [min, max]. */
export function powerOfTwo(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max && Number.isInteger(Math.log2(value))) return value;
    throw new InvalidArgumentError(`It must be a power of two from ${min} to ${max}.`);
  };
}

/** Bytes as hex digits, spaces aside. */
export function hexBytes(text: string): Uint8Array {
  const digits = text.replace(/\s/g, '');
  if (/^(?:[0-9a-f]{2})+$/i.test(digits)) return Buffer.from(digits, 'hex');
  throw new InvalidArgumentError('It must be bytes as hex digits, two for each.');
}

/** A reader for one of a few words. */
export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`It must be one of ${words.join(', ')}.`);
  };
}

/** One of n parts, as `i/n` with i from 1 to n: `2/3`. */
export function partOf(text: string): { readonly nth: number; readonly of: number } {
  const [, i, n] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  if (Number(i) >= 1 && Number(i) <= Number(n)) return { nth: Number(i) - 1, of: Number(n) };
  throw new InvalidArgumentError('It must be i/n with i from 1 to n, such as 2/3.');
}

/** Words between commas, none of them empty or twice. */
export function list(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim());
  if (words.every((word) => word !== '') && new Set(words).size === words.length) return words;
  throw new InvalidArgumentError('It must be one or more different names between commas.');
}

/** A command that takes functions that no kernel has yet. */
export interface WithFunctions {
  /** Files that declare them. */
  readonly functions?: readonly string[];
}

export const FUNCTIONS_HELP = 'files between commas that declare functions no kernel has yet';

export const INVARIANTS_HELP = 'a .ts or .js file that says what must hold of the maps after every run';

export const ALLOW_HELP = `percent that figures may grow before that is worse, such as bound=5,ms=400; unless told ${GROWING.map((one) => `${one}=${ALLOWED[one]}`).join(',')}`;

/** Reads `bound=5,ms=200`. Throws InvalidArgumentError. */
export function allowance(text: string, before: Allowed = ALLOWED): Allowed {
  let allowed = before;
  for (const word of text.split(',')) {
    const [, field, percent] = /^\s*(\w+)=(\d+(?:\.\d+)?)%?\s*$/.exec(word) ?? [];
    const known = GROWING.find((one) => one === field);
    if (known === undefined)
      throw new InvalidArgumentError(
        `It must be FIELD=PERCENT between commas, with a field of ${GROWING.join(', ')}.`,
      );
    allowed = { ...allowed, [known]: Number(percent) };
  }
  return allowed;
}
