/**
 * Writes a stub in plain BPF: insns with the same effect as the stub. They zero output memory, make r1 to r5 unreadable as any call does, and
 * set r0. No insn can make a dynptr. But if all that a call does is to make one, the call itself followed by the stub's r0 looks the same to a
 * verifier, which does not tell a null dynptr from another.
 */
import type { Op } from '../../isa/insn.js';
import { U64_MAX } from '../../isa/integer.js';
import type { Linked } from '../../isa/label.js';
import type { Contract } from '../../kernel/contract.js';
import type { Program } from '../../object/program.js';
import { greater, lesser } from '../../verifier/scalar/scalar.js';
import { frameOf, type Reg } from '../../verifier/state/state.js';
import type { Visit } from '../../verifier/walk/visit.js';
import type { Stub } from '../rule.js';
import type { Text } from './lines.js';
import { makeUnreadable } from './unwritten.js';

/** What is needed to write one stub. */
export interface StubSite {
  readonly program: Program;
  readonly slot: number;
  readonly contract: Contract;
  readonly stub: Stub;
  /** The call that the stub stands for. */
  readonly call: Op;
  /** The verifier's visits of the call; at least one. */
  readonly visits: readonly Visit[];
  /** Bit n: some insn behind the call may read register n before it is written. */
  readonly live: number;
  /** Where stack that the stub leaves unwritten is to be made unreadable; see unwritten.ts. */
  readonly unreadable?: { readonly windows: readonly number[]; readonly map: number };
}

/** The largest difference between the largest and the smallest size of a buffer that is zeroed byte by byte, with a test before each. */
const MAX_VARIABLE = 64;
/**
 * Bytes of a stack frame. A larger buffer is not on the stack, so no verifier tracks its contents. It is enough to write its first and its
 * last byte.
 */
const MAX_FILLED = 512;
const MAX_OFFSET = 32_767;

/** Memory that a stub zeroes. */
interface Fill {
  /** Register with the pointer. */
  readonly at: number;
  /** Register with the size in bytes; undefined where it is fixed. */
  readonly sizeIn: number | undefined;
  readonly min: number;
  readonly max: number;
  /** For a stack pointer, its low three bits if they are known: stores to the stack must be aligned. */
  readonly alignment: number | undefined;
  /** Never NULL, always NULL (there is nothing to fill), or one or the other. */
  readonly pointer: 'some' | 'none' | 'either';
}

/** A stub as insns, or the reason why there are none that do the same. */
export type StubText =
  | { readonly ok: true; write(text: Text, labels: StubLabels): void }
  /** Why plain BPF has no words for it. */
  | { readonly ok: false; readonly reason: string };

/** Labels of code that stubs share, and a prefix for the labels of one stub. */
export interface StubLabels {
  /** Label of a function that returns with r0 to r5 unreadable. Undefined: the stub leaves in them what they held. */
  readonly unreadable?: string;
  /** Label of insns that no verifier accepts. */
  readonly guard: string;
  /** Starts labels that nothing else uses. */
  readonly prefix: string;
}

const GT = 'gt' as const;

/** The text of a stub, or why there is none. */
export function stubText(site: StubSite): StubText {
  const { stub, contract } = site;
  if (stub.slots.length > 0 && !onlyMakesDynptrs(contract, stub)) {
    return { ok: false, reason: 'no insn makes a dynptr, and the call does more than that' };
  }
  const fills: Fill[] = [];
  for (const index of stub.writes) {
    const fill = fillOf(site, index);
    if (typeof fill === 'string') return { ok: false, reason: `argument ${index + 1}: ${fill}` };
    fills.push(fill);
  }
  return {
    ok: true,
    write(text, labels) {
      const add = (...items: (Op | Linked)[]): void => text.add('stub', site.slot, ...items);
      fills.forEach((fill, i) => {
        writeFill(text, add, fill, labels, `${labels.prefix} ${i}`);
      });
      if (stub.slots.length > 0) add(site.call);
      const { windows = [], map = 0 } = site.unreadable ?? {};
      for (const off of windows) add(...makeUnreadable(off, map));
      const called = stub.slots.length > 0 || windows.length > 0;
      const clobbers = called ? 0 : site.live & ARGUMENTS;
      const hides = stub.r0 === 'void' && (site.live & 1) !== 0;
      const { unreadable } = labels;
      if (unreadable !== undefined && (clobbers !== 0 || hides)) {
        add({ kind: 'linked', op: { kind: 'call', target: 'subprog', imm: 0 }, target: unreadable });
      }
      if (stub.r0 !== 'void') add(loadConstant(0, stub.r0));
    },
  };
}

const ARGUMENTS = 0b111110;

/** `rN = value`. */
function loadConstant(dst: number, value: bigint): Op {
  if (BigInt.asIntN(32, value) === value) {
    return { kind: 'mov', width: 64, dst, src: { imm: Number(value) } };
  }
  const imm = Number(BigInt.asIntN(32, value));
  return { kind: 'ld_imm64', dst, as: 'imm', imm, hi: Number(BigInt.asIntN(32, value >> 32n)) };
}

/** In every outcome, the call does nothing but make the dynptrs that the stub makes. */
function onlyMakesDynptrs({ outcomes }: Contract, { slots, writes }: Stub): boolean {
  if (writes.length > 0) return false;
  return outcomes.every(
    ({ effects, r0 }) =>
      (r0.kind === 'scalar' || r0.kind === 'void') &&
      effects.length === slots.length &&
      effects.every((effect) => effect.kind === 'init_dynptr' && slots.some(({ arg }) => arg === effect.arg)),
  );
}

/** What a stub fills through this argument, or why that cannot be written. */
function fillOf(site: StubSite, index: number): Fill | string {
  const { contract, visits } = site;
  const arg = contract.args[index];
  const size = arg?.kind === 'mem' ? arg.size : valueSize(site);
  if (size === undefined) return 'how many bytes it has depends on the map';
  const argument = (n: number): Reg[] => visits.map(({ state }) => frameOf(state).regs[n + 1]!);
  const pointers = argument(index);
  let [min, max] = 'bytes' in size ? [size.bytes, size.bytes] : [0, 0];
  if (!('bytes' in size)) {
    const sizes = argument(size.arg);
    if (sizes.some(({ type }) => type !== 'scalar')) return 'its size is no number';
    const smallest = sizes.reduce((least, { num }) => lesser(num.umin, least), U64_MAX);
    const largest = sizes.reduce((most, { num }) => greater(num.umax, most), 0n);
    if (largest > BigInt(MAX_OFFSET)) return `it may have more than ${MAX_OFFSET} bytes`;
    [min, max] = [Number(smallest), Number(largest)];
  }
  if (max > MAX_OFFSET) return `it has more than ${MAX_OFFSET} bytes`;
  if (max <= MAX_FILLED && max - min > MAX_VARIABLE)
    return `how many bytes it has is known to within ${max - min} only`;
  const stack = pointers.every(({ type, num }) => type === 'stack' && num.umin === num.umax);
  const offsets = new Set(pointers.map(({ off, num }) => (off + Number(BigInt.asIntN(32, num.umin))) & 7));
  const isNull = (reg: Reg): boolean => reg.type === 'scalar' && reg.num.umin === 0n && reg.num.umax === 0n;
  const pointer = pointers.every(isNull)
    ? 'none'
    : pointers.every(({ type, nullable }) => type !== 'scalar' && !nullable)
      ? 'some'
      : 'either';
  return {
    at: index + 1,
    sizeIn: 'bytes' in size ? undefined : size.arg + 1,
    min,
    max,
    alignment: stack && offsets.size === 1 ? [...offsets][0] : undefined,
    pointer,
  };
}

/** The size of a value, where every map that the call can be given has the same. */
function valueSize({ program, contract }: StubSite): { readonly bytes: number } | undefined {
  const arg = contract.args.find(({ kind }) => kind === 'map');
  const types = arg?.kind === 'map' ? arg.types : undefined;
  const sizes = program.maps
    .filter(({ type }) => types === undefined || types.includes(type))
    .map((map) => map.valueSize);
  const [bytes] = sizes;
  return bytes !== undefined && sizes.every((size) => size === bytes) ? { bytes } : undefined;
}

/**
 * Writes the stores of zeroes. The fill relies on what the verifier knew at the call. In a killed run the registers may hold something else;
 * then the text jumps to the guard, which no verifier accepts.
 */
function writeFill(
  text: Text,
  add: (...items: (Op | Linked)[]) => void,
  fill: Fill,
  labels: StubLabels,
  prefix: string,
): void {
  const { at, sizeIn, min, max } = fill;
  const jump = (op: 'eq' | 'ne' | 'gt' | 'lt' | 'le', dst: number, imm: number, target: string): void =>
    add({ kind: 'linked', op: { kind: 'jmp', op, width: 64, dst, src: { imm }, off: 0 }, target });
  if (fill.pointer === 'none') {
    jump('ne', at, 0, labels.guard);
    return;
  }
  const done = `${prefix} done`;
  if (fill.pointer === 'either') jump('eq', at, 0, done);
  if (sizeIn !== undefined) {
    jump(GT, sizeIn, max, labels.guard);
    if (min > 0) jump('lt', sizeIn, min, labels.guard);
  }
  if (max > MAX_FILLED) {
    for (const offset of [0, max - 1]) add({ kind: 'st', size: 1, dst: at, off: offset, imm: 0 });
    text.label(done);
    return;
  }
  for (let offset = 0; offset < min; ) {
    const size = widestStore(fill.alignment, offset, min - offset);
    add({ kind: 'st', size, dst: at, off: offset, imm: 0 });
    offset += size;
  }
  for (let offset = min; offset < max; offset++) {
    jump('le', sizeIn!, offset, done);
    add({ kind: 'st', size: 1, dst: at, off: offset, imm: 0 });
  }
  text.label(done);
}

/** The widest store at this offset that is aligned and fits in the bytes that are left. */
function widestStore(alignment: number | undefined, offset: number, left: number): 1 | 2 | 4 | 8 {
  if (alignment === undefined) return 1;
  const place = alignment + offset;
  for (const size of [8, 4, 2] as const) if (place % size === 0 && size <= left) return size;
  return 1;
}
