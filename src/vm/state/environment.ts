/**
 * The outside world of a run: what it gives the program at the start, and every choice it makes at calls. All choices of a run are
 * recorded, so the environment alone replays the run. Choices that it leaves out are made by the default chooser.
 *
 * A choice is kept as the text of a case's `.env` directive, under the key `function#n` for its n-th call in the run (from 1):
 *
 *     bpf_sk_lookup_tcp#1=found          the outcome
 *     bpf_get_prandom_u32#2=ok:17        the outcome and r0
 *     bpf_probe_read_kernel#1=ok:0:0bad  the outcome, r0 and what was read (bytes as hex, the rest zero)
 *     bpf_get_prandom_u32#2=17           r0 alone, where the outcome follows from it
 *     may_goto#1=3                       iterations before the loop budget is spent
 *     later#1=1                          after the program, the first callback that it has set a timer or work queue for runs
 *     addresses#1=1                      other regions than without it have addresses whose low half is zero
 */
import { InputError } from '../../isa/errors.js';
import type { Chooser } from './chooser.js';

/** Everything that a run depends on besides the program and the kill. */
export interface Environment {
  /** Packet bytes, from the Ethernet header on. */
  readonly packet?: Uint8Array;
  /** Context bytes, laid out as the program type's context struct; or, of a syscall program, its argument. */
  readonly ctx?: Uint8Array;
  /** Context fields by name, over `ctx`. */
  readonly ctxFields?: ReadonlyMap<string, bigint>;
  /** Map contents at the start: by map name, values by key, both as lower-case hex. */
  readonly maps?: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The CPU that the program runs on, and how many there are; the only one unless told. */
  readonly cpu?: { readonly current: number; readonly count: number };
  /** Choices by `function#n`. */
  readonly choices: ReadonlyMap<string, string>;
}

export const EMPTY: Environment = { choices: new Map() };

/** A parsed choice. The chooser decides what is absent. */
export interface Choice {
  readonly outcome?: string;
  readonly value?: bigint;
  readonly bytes?: Uint8Array;
}

const NUMBER = /^-?(0x[0-9a-f]+|[0-9]+)$/i;

/** Reads the text of a choice. Throws InputError if the text is not one. */
export function parseChoice(text: string): Choice {
  const parts = text.split(':');
  const outcome = NUMBER.test(parts[0]!) ? undefined : parts.shift();
  if (parts.length > 2) throw new InputError(`choice '${text}': more than outcome, value and bytes`);
  if (outcome !== undefined && outcome !== '' && !/^[a-z_][a-z0-9_]*$/i.test(outcome)) {
    throw new InputError(`choice '${text}': '${outcome}' is no outcome`);
  }
  const [value, bytes] = parts;
  return {
    ...(outcome ? { outcome } : {}),
    ...(value ? { value: parseNumber(value) } : {}),
    ...(bytes ? { bytes: parseHex(bytes) } : {}),
  };
}

/** Writes a choice as the part of an `.env` line after `=`. Zero bytes at the end are left out. */
export function printChoice({ outcome, value, bytes }: Choice): string {
  if (value === undefined && bytes === undefined) return outcome ?? '';
  let length = bytes?.length ?? 0;
  while (length > 0 && bytes![length - 1] === 0) length--;
  const parts = [outcome ?? '', value?.toString() ?? '', length > 0 ? toHex(bytes!.subarray(0, length)) : ''];
  while (parts.at(-1) === '') parts.pop();
  return parts[0] === '' && parts.length === 2 ? parts[1]! : parts.join(':');
}

/** A number as people write it: decimal or hex, signed. */
export function parseNumber(text: string): bigint {
  if (!NUMBER.test(text)) throw new InputError(`'${text}' is not a number`);
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

/** Bytes from hex digits. */
export function parseHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text))
    throw new InputError(`'${text}' is not bytes in hex`);
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Writes bytes as hex digits, two for each, without spaces; the first byte comes first. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** What is recorded where nothing is. */
const NOTHING: Choice = {};

/**
 * The choices of one run: those recorded beforehand, then those of the chooser; and the record of all that were made. Of calls and of what was
 * chosen there are logs, which only grow. So a fork copies nothing: it reads the logs of the run that it was forked from, as long as they
 * were then.
 */
export class Choices {
  /** Counted calls, in order: how many of the same function there were with it, and which call was the last before it (-1: none). */
  private readonly counts: number[] = [];
  private readonly previous: number[] = [];
  /** The last call of each function. */
  private readonly latest = new Map<string, number>();
  /** Keys and texts of what was chosen, in order. */
  private readonly keys: string[] = [];
  private readonly texts: string[] = [];

  private constructor(
    private readonly given: ReadonlyMap<string, string>,
    readonly chooser: Chooser,
    /** The run that this one was forked from, and how long its logs were then. */
    private readonly from: Choices | undefined,
    private readonly calls: number,
    private readonly chosen: number,
  ) {}

  /** Those of a run that begins. */
  static of(given: ReadonlyMap<string, string>, chooser: Chooser): Choices {
    return new Choices(given, chooser, undefined, 0, 0);
  }

  fork(): Choices {
    return new Choices(this.given, this.chooser, this, this.counts.length, this.keys.length);
  }

  /** How often a function was called, as far as the first `calls` in this log and what was before them tell. */
  private countOf(name: string, calls: number): number {
    let at = this.latest.get(name) ?? -1;
    while (at >= calls) at = this.previous[at]!;
    if (at >= 0) return this.counts[at]!;
    return this.from === undefined ? 0 : this.from.countOf(name, this.calls);
  }

  /** Counts one more call of this function and answers its key. */
  next(name: string): string {
    const at = this.counts.length;
    const count = this.countOf(name, at) + 1;
    this.counts.push(count);
    this.previous.push(this.latest.get(name) ?? -1);
    this.latest.set(name, at);
    return `${name}#${count}`;
  }

  /** What was recorded beforehand under this key. */
  recorded(key: string): Choice {
    const text = this.given.get(key);
    return text === undefined ? NOTHING : parseChoice(text);
  }

  record(key: string, choice: Choice): void {
    const text = printChoice(choice);
    if (text === '') return;
    this.keys.push(key);
    this.texts.push(text);
  }

  /** What was chosen last under this key; the text of it is empty where nothing was. */
  made(key: string): string {
    const at = this.keys.lastIndexOf(key);
    return at >= 0 ? this.texts[at]! : (this.upTo(this.keys.length).get(key) ?? '');
  }

  /** Everything chosen so far, in order. */
  get all(): ReadonlyMap<string, string> {
    return this.upTo(this.keys.length);
  }

  /** Everything chosen so far, to be asked for later: what is chosen in the meantime is not among it. */
  soFar(): () => ReadonlyMap<string, string> {
    const chosen = this.keys.length;
    return () => this.upTo(chosen);
  }

  private upTo(chosen: number): Map<string, string> {
    const all = this.from === undefined ? new Map<string, string>() : this.from.upTo(this.chosen);
    for (let at = 0; at < chosen; at++) all.set(this.keys[at]!, this.texts[at]!);
    return all;
  }
}
