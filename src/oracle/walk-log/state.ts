/**
 * What the verifier's log prints of one frame: registers, stack slots, references. Follows print_verifier_state of
 * kernel/bpf/log.c, Linux 6.18.
 */
import { type LogValue, parseValue } from './value.js';

/** What a byte of a slot holds, as the log spells it: `?` nothing written, `m` anything, `0` zero, `r` spilled, `d` `i` `f` objects. */
export type LogByte = '?' | 'm' | '0' | 'r' | 'd' | 'i' | 'f' | 'p';

/** An 8-byte slot. Byte 0 is the lowest address, as in our facts; the log prints the highest first. */
export interface LogSlot {
  readonly bytes: readonly LogByte[];
  readonly reg?: LogValue;
  /** At the lower address of its two slots. */
  readonly dynptr?: {
    readonly type: string;
    readonly id: number;
    readonly ref: number;
    readonly slice: number;
  };
  /** At its lowest address; its other slots are not printed. */
  readonly iter?: {
    readonly type: string;
    readonly ref: number;
    readonly state: string;
    readonly depth: number;
  };
}

/** One printed state: of what is not mentioned, nothing is said, unless everything was printed. */
export interface LogState {
  readonly frame: number;
  readonly regs: ReadonlyMap<number, LogValue>;
  /** By offset from the frame pointer, -8, -16 and so on. */
  readonly slots: ReadonlyMap<number, LogSlot>;
  /** `refs=`: always all of them, but for locks without an id, and none at all where such a lock comes first. */
  readonly refs: readonly number[];
  readonly callback: 'none' | 'sync' | 'async';
  /** Words that were not understood. */
  readonly unparsed: readonly string[];
}

/** Splits at blanks that are in no brackets. */
function words(text: string): string[] {
  return text.trim() === '' ? [] : text.trim().split(/\s+(?![^(]*\))/);
}

const REGISTER = /^R(\d+)(?:_[a-z]+)?=(.+)$/;
const SLOT = /^fp(-\d+)(?:_[a-z]+)?=(.+)$/;

/** Reads a state as it is printed after an insn, after `from X to Y:`, `caller:` and the like. Never throws. */
export function parseState(text: string): LogState {
  let frame = 0;
  const regs = new Map<number, LogValue>();
  const slots = new Map<number, LogSlot>();
  let refs: readonly number[] = [];
  let callback: LogState['callback'] = 'none';
  const unparsed: string[] = [];
  for (const word of words(text)) {
    const inFrame = /^frame(\d+):$/.exec(word);
    const reg = REGISTER.exec(word);
    const slot = SLOT.exec(word);
    if (inFrame !== null) frame = Number(inFrame[1]);
    else if (reg !== null) {
      const value = parseValue(reg[2]!);
      if (value === undefined) unparsed.push(word);
      else regs.set(Number(reg[1]), value);
    } else if (slot !== null) {
      // Where only the lower half of a dynptr was touched, the log takes the slot below it for the dynptr.
      if (slot[2]!.startsWith('dynptr_<invalid>')) continue;
      const parsed = parseSlot(slot[2]!);
      if (parsed === undefined) unparsed.push(word);
      else slots.set(Number(slot[1]), parsed);
    } else if (/^refs=\d+(,\d+)*$/.test(word)) refs = word.slice(5).split(',').map(Number);
    else if (word === 'cb') callback = 'sync';
    else if (word === 'async_cb') callback = 'async';
    else unparsed.push(word);
  }
  return { frame, regs, slots, refs, callback, unparsed };
}

const filled = (byte: LogByte): LogByte[] => Array.from({ length: 8 }, () => byte);

function parseSlot(text: string): LogSlot | undefined {
  if (/^[?m0difpr]{8}$/.test(text)) return { bytes: [...text].reverse() as LogByte[] };
  const dynptr = /^dynptr_(\w+)\(((?:[a-z_]+=\d+,?)*)\)$/.exec(text);
  if (dynptr !== null) {
    const of = numbersOf(dynptr[2]!);
    return {
      bytes: filled('d'),
      dynptr: {
        type: dynptr[1]!,
        id: of.get('id') ?? 0,
        ref: of.get('ref_id') ?? 0,
        slice: of.get('dynptr_id') ?? 0,
      },
    };
  }
  const iter = /^iter_(\w+)\(ref_id=(\d+),state=(\w+),depth=(\d+)\)$/.exec(text);
  if (iter !== null) {
    const [, type, ref, state, depth] = iter;
    return {
      bytes: filled('i'),
      iter: { type: type!, ref: Number(ref), state: state!, depth: Number(depth) },
    };
  }
  // What lies above a spill of fewer than eight bytes comes first.
  for (const above of [0, 4, 6, 7]) {
    const kinds = text.slice(0, above);
    if (!/^[?m0p]*$/.test(kinds)) break;
    const reg = parseValue(text.slice(above));
    if (reg === undefined) continue;
    const bytes = filled('r');
    [...kinds].forEach((kind, i) => {
      bytes[7 - i] = kind as LogByte;
    });
    return { bytes, reg };
  }
  return undefined;
}

function numbersOf(text: string): ReadonlyMap<string, number> {
  return new Map(
    text
      .split(',')
      .filter((piece) => piece !== '')
      .map((piece): [string, number] => {
        const [name, value] = piece.split('=');
        return [name!, Number(value)];
      }),
  );
}
