/**
 * The unknowns of a run, as solver variables, and the way back: values of variables as an environment that the VM runs.
 *
 *     packet.length          bytes of the packet
 *     packet[5]              a byte of it
 *     ctx[16]                a byte of the context
 *     map m[00000000][4]     a byte of a map value at the start, by map, key and offset
 *     bpf_x#2.r0             the number that the second call of bpf_x returns
 *     bpf_x#2.bytes[3]       a byte that it writes, or of the object that it finds
 *     may_goto               how often may_goto goes on
 */
import { progType } from '../../kernel/progtypes.js';
import type { Program } from '../../object/program.js';
import {
  type Choice,
  type Environment,
  parseChoice,
  parseHex,
  printChoice,
  toHex,
} from '../../vm/state/environment.js';
import type { Assignment } from '../term/evaluate.js';
import type { Term } from '../term/term.js';
import type { Terms } from '../term/terms.js';

type Place =
  | { readonly kind: 'length' }
  | { readonly kind: 'packet' | 'ctx'; readonly offset: number }
  | { readonly kind: 'map'; readonly map: string; readonly key: string; readonly offset: number }
  | { readonly kind: 'r0'; readonly call: string }
  | { readonly kind: 'bytes'; readonly call: string; readonly offset: number }
  | { readonly kind: 'may_goto' };

/** The key under which the loop budget of may_goto is recorded. */
export const MAY_GOTO = 'may_goto#1';
/** Packet lengths that are tried, in bytes: from an Ethernet header to a full frame. */
const MIN_PACKET = 14n;
const MAX_PACKET = 1514n;
/** The most iterations of may_goto that are tried. */
const MAX_MAY_GOTO = 64n;

/** Makes the variable for every unknown, and remembers which part of the environment it stands for. */
export class Inputs {
  private readonly places = new Map<string, Place>();
  /** The range of each variable, in every run. */
  readonly ranges = new Map<string, Term>();

  constructor(
    readonly t: Terms,
    private readonly program: Program,
  ) {}

  private variable(name: string, width: number, place: Place): Term {
    this.places.set(name, place);
    return this.t.variable(width, name);
  }

  /** Bytes of the packet, 64 bits wide. */
  packetLength(): Term {
    const { t } = this;
    const length = this.variable('packet.length', 16, { kind: 'length' });
    this.ranges.set(
      'packet.length',
      t.all([t.ule(t.constant(16, MIN_PACKET), length), t.ule(length, t.constant(16, MAX_PACKET))]),
    );
    return t.zext(64, length);
  }

  packetByte(offset: number): Term {
    return this.variable(`packet[${offset}]`, 8, { kind: 'packet', offset });
  }

  contextByte(offset: number): Term {
    return this.variable(`ctx[${offset}]`, 8, { kind: 'ctx', offset });
  }

  /** `key` in lower-case hex. */
  mapByte(map: string, key: string, offset: number): Term {
    return this.variable(`map ${map}[${key}][${offset}]`, 8, { kind: 'map', map, key, offset });
  }

  /** The number that a call returns, between these signed bounds. */
  returned(call: string, min: bigint, max: bigint): Term {
    const { t } = this;
    const name = `${call}.r0`;
    const r0 = this.variable(name, 64, { kind: 'r0', call });
    this.ranges.set(name, t.all([t.sle(t.constant(64, min), r0), t.sle(r0, t.constant(64, max))]));
    return r0;
  }

  callByte(call: string, offset: number): Term {
    return this.variable(`${call}.bytes[${offset}]`, 8, { kind: 'bytes', call, offset });
  }

  mayGoto(): Term {
    const turns = this.variable('may_goto', 64, { kind: 'may_goto' });
    this.ranges.set('may_goto', this.t.ule(turns, this.t.constant(64, MAX_MAY_GOTO)));
    return turns;
  }

  /** The environment in which the variables have these values; the rest is as in `from`. */
  environment(model: Assignment, from: Environment): Environment {
    const draft = new Draft(this.program, from);
    for (const [name, place] of this.places) {
      const value = model.get(name);
      if (value !== undefined && place.kind === 'length') draft.resize(Number(value));
    }
    for (const [name, place] of this.places) {
      const value = model.get(name);
      if (value !== undefined) draft.set(place, value);
    }
    return draft.finish();
  }
}

const DEFAULT_PACKET = 64;

/** An environment while it is being made. */
class Draft {
  private packet: Uint8Array | undefined;
  private ctx: Uint8Array | undefined;
  private readonly fields: Map<string, bigint>;
  private readonly maps: Map<string, Map<string, string>>;
  private readonly choices: Map<string, string>;

  constructor(
    private readonly program: Program,
    from: Environment,
  ) {
    this.packet = from.packet?.slice();
    this.ctx = from.ctx?.slice();
    this.fields = new Map(from.ctxFields);
    this.maps = new Map([...(from.maps ?? [])].map(([map, values]) => [map, new Map(values)]));
    this.choices = new Map(from.choices);
  }

  resize(length: number): void {
    const packet = new Uint8Array(length);
    packet.set((this.packet ?? new Uint8Array(0)).subarray(0, length));
    this.packet = packet;
  }

  set(place: Place, value: bigint): void {
    switch (place.kind) {
      case 'length':
        return;
      // Bytes are zero anyway, so a zero is left out of the environment where that is possible.
      case 'packet':
        if (value === 0n && this.packet === undefined) return;
        this.packet ??= new Uint8Array(DEFAULT_PACKET);
        if (place.offset < this.packet.length) this.packet[place.offset] = Number(value);
        return;
      case 'ctx':
        this.setContext(place.offset, value);
        return;
      case 'map':
        this.setMap(place.map, place.key, place.offset, Number(value));
        return;
      case 'r0':
        this.setChoice(place.call, (old) => ({ ...old, value: BigInt.asIntN(64, value) }));
        return;
      case 'bytes':
        this.setChoice(place.call, (old) => {
          if (value === 0n && (old.bytes?.length ?? 0) <= place.offset) return old;
          const bytes = new Uint8Array(Math.max(old.bytes?.length ?? 0, place.offset + 1));
          bytes.set(old.bytes ?? []);
          bytes[place.offset] = Number(value);
          return { ...old, bytes };
        });
        return;
      case 'may_goto':
        this.choices.set(MAY_GOTO, value.toString());
        return;
    }
  }

  private setContext(offset: number, value: bigint): void {
    const { members, size } = progType(this.program.type);
    const member = members.find((one) => offset >= one.offset && offset < one.offset + one.size);
    if (member === undefined) {
      if (value === 0n && (this.ctx?.length ?? 0) <= offset) return;
      // Only as much of a large context as is looked at.
      const bytes = new Uint8Array(Math.min(size, Math.max(this.ctx?.length ?? 0, offset + 1)));
      bytes.set(this.ctx ?? []);
      bytes[offset] = Number(value);
      this.ctx = bytes;
      return;
    }
    const shift = BigInt(8 * (offset - member.offset));
    const old = this.fields.get(member.name) ?? this.givenMember(member);
    if (((old >> shift) & 0xffn) === value) return;
    this.fields.set(member.name, (old & ~(0xffn << shift)) | (value << shift));
  }

  /** A member as the bytes of the context have it; zero where none were given. */
  private givenMember({ offset, size }: { readonly offset: number; readonly size: number }): bigint {
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.ctx?.[offset + i] ?? 0);
    return value;
  }

  private setMap(map: string, key: string, offset: number, byte: number): void {
    const size = this.program.maps.find((one) => one.name === map)?.valueSize ?? 0;
    const values = this.maps.get(map) ?? new Map<string, string>();
    if (byte === 0 && !values.has(key)) return;
    const bytes = new Uint8Array(size);
    bytes.set(parseHex(values.get(key) ?? ''));
    bytes[offset] = byte;
    values.set(key, toHex(bytes));
    this.maps.set(map, values);
  }

  private setChoice(call: string, change: (old: Choice) => Choice): void {
    const text = printChoice(change(parseChoice(this.choices.get(call) ?? '')));
    if (text === '') this.choices.delete(call);
    else this.choices.set(call, text);
  }

  finish(): Environment {
    return {
      ...(this.packet === undefined ? {} : { packet: this.packet }),
      ...(this.ctx === undefined ? {} : { ctx: this.ctx }),
      ...(this.fields.size === 0 ? {} : { ctxFields: this.fields }),
      ...(this.maps.size === 0 ? {} : { maps: this.maps }),
      choices: this.choices,
    };
  }
}
