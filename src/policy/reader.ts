/** Reads values of a policy file, and says of what is no value where it stands: the file, the line, and what was expected. */
import { parse, TomlError } from 'smol-toml';
import { InputError } from '../isa/errors.js';
import { didYouMean } from '../isa/nearest.js';

/** A table of a file that was read: its members, and where it begins. */
export type Members = Readonly<Record<string, unknown>>;

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9, min: 6e10 };

/** Nanoseconds of a duration such as `10us`; undefined for what is none. */
export function nanoseconds(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*(ns|us|ms|s|min)$/.exec(text) ?? [];
  return unit === undefined ? undefined : Number(amount) * UNITS[unit]!;
}

/** The text of a TOML file, and the tables in it. */
export class TomlFile {
  readonly root: Members;
  private readonly lines: readonly string[];

  /** Throws InputError for what is no TOML. */
  constructor(
    text: string,
    readonly file: string,
  ) {
    this.lines = text.split('\n');
    try {
      this.root = parse(text);
    } catch (error) {
      if (!(error instanceof TomlError)) throw error;
      const [first] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
      throw new InputError(first!, { file, line: error.line, column: error.column });
    }
  }

  /** The table itself. */
  whole(): Table {
    return new Table(this, this.root, '', 0);
  }

  /** The line (from 1) where the `nth` table with this header begins; undefined where there is none. */
  headerLine(header: string, nth: number): number | undefined {
    let seen = 0;
    for (const [index, line] of this.lines.entries()) {
      const name = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line)?.[1];
      if (name === header && seen++ === nth) return index + 1;
    }
    return undefined;
  }

  /** The line of a key in that table; that of its header where the key is written in another way. */
  keyLine(header: string, nth: number, key: string): number | undefined {
    const start = header === '' ? 0 : this.headerLine(header, nth);
    if (start === undefined) return undefined;
    for (let index = start; index < this.lines.length; index++) {
      const line = this.lines[index]!;
      if (/^\s*\[/.test(line)) break;
      if (line.trim().startsWith(key) && /^["'\s]*[=.]/.test(line.trim().slice(key.length))) return index + 1;
    }
    return start === 0 ? undefined : start;
  }
}

/** One table, whose members are asked for one by one. */
export class Table {
  private readonly asked = new Set<string>();

  /** `header`: its name in brackets, '' for the file itself; `nth`: how many of that name are before it. */
  constructor(
    private readonly source: TomlFile,
    private readonly members: Members,
    private readonly header: string,
    private readonly nth: number,
  ) {}

  /** Whether there is such a member. */
  has(key: string): boolean {
    return key in this.members;
  }

  /** The error that says what was expected of a member. */
  wrong(key: string, expected: string): InputError {
    const name = this.header === '' ? key : `${this.header}.${key}`;
    const line = this.source.keyLine(this.header, this.nth, key);
    const place = { file: this.source.file, ...(line === undefined ? {} : { line }) };
    const found = key in this.members ? `, found ${JSON.stringify(this.members[key])}` : ', which is missing';
    return new InputError(`${name}: expected ${expected}${found}`, place);
  }

  private read<T>(key: string, expected: string, of: (value: unknown) => T | undefined, usual?: T): T {
    this.asked.add(key);
    if (!(key in this.members) && usual !== undefined) return usual;
    const value = of(this.members[key]);
    if (value === undefined) throw this.wrong(key, expected);
    return value;
  }

  /** Text that is not empty. */
  text(key: string, usual?: string): string {
    return this.read(key, 'text', (one) => (typeof one === 'string' && one !== '' ? one : undefined), usual);
  }

  /** One of a few words. */
  word<T extends string>(key: string, words: readonly T[], usual?: T): T {
    const given = this.members[key];
    const hint = typeof given === 'string' ? didYouMean(given, words) : '';
    return this.read(
      key,
      `one of ${words.join(', ')}${hint}`,
      (one) => words.find((word) => word === one),
      usual,
    );
  }

  /** Nanoseconds, above 0 unless `zero`. */
  time(key: string, usual?: number, zero = false): number {
    const expected = `a duration such as 500ns, 10us or 2ms${zero ? '' : ', above 0'}`;
    const of = (one: unknown): number | undefined => {
      const ns = typeof one === 'string' ? nanoseconds(one) : undefined;
      return ns === undefined || (ns === 0 && !zero) ? undefined : ns;
    };
    return this.read(key, expected, of, usual);
  }

  /** A number in [min, max]; `whole`: without a fraction. */
  number(key: string, [min, max]: readonly [number, number], whole: boolean, usual?: number): number {
    const expected = `a ${whole ? 'whole ' : ''}number from ${min} to ${max}`;
    const of = (one: unknown): number | undefined => {
      const fits = typeof one === 'number' && one >= min && one <= max;
      return fits && (!whole || Number.isInteger(one)) ? one : undefined;
    };
    return this.read(key, expected, of, usual);
  }

  /** True or false. */
  flag(key: string, usual: boolean): boolean {
    return this.read(key, 'true or false', (one) => (typeof one === 'boolean' ? one : undefined), usual);
  }

  /** A list of numbers or words, not empty. */
  values(key: string): readonly (number | string)[] {
    const fits = (one: unknown): one is number | string => typeof one === 'number' || typeof one === 'string';
    const of = (one: unknown): readonly (number | string)[] | undefined =>
      Array.isArray(one) && one.length > 0 && one.every(fits) ? one : undefined;
    return this.read(key, 'a list of numbers or words, not empty', of);
  }

  /** A table in it; an empty one where there is none. */
  table(key: string): Table {
    const of = (one: unknown): Members | undefined =>
      typeof one === 'object' && one !== null && !Array.isArray(one) ? (one as Members) : undefined;
    const members = this.read(key, 'a table', of, {});
    return new Table(this.source, members, this.below(key), this.nth);
  }

  /** Tables under the same name, `[[name]]`. */
  tables(key: string): readonly Table[] {
    const of = (one: unknown): readonly Members[] | undefined => {
      const isTable = (each: unknown): each is Members => typeof each === 'object' && each !== null;
      return Array.isArray(one) && one.every(isTable) ? one : undefined;
    };
    return this.read(key, `tables, each under [[${this.below(key)}]]`, of, []).map(
      (members, nth) => new Table(this.source, members, this.below(key), nth),
    );
  }

  /** The names of all members. They count as asked for. */
  keys(): readonly string[] {
    const names = Object.keys(this.members);
    for (const name of names) this.asked.add(name);
    return names;
  }

  /** Throws InputError for a member that nobody asked for. */
  end(known: readonly string[]): void {
    for (const key of Object.keys(this.members)) {
      if (this.asked.has(key) || known.includes(key)) continue;
      const all = [...this.asked, ...known];
      const line =
        this.source.keyLine(this.header, this.nth, key) ?? this.source.headerLine(this.below(key), 0);
      throw new InputError(
        `there is no '${this.below(key)}', expected one of ${all.join(', ')}${didYouMean(key, all)}`,
        { file: this.source.file, ...(line === undefined ? {} : { line }) },
      );
    }
  }

  private below(key: string): string {
    return this.header === '' ? key : `${this.header}.${key}`;
  }
}
