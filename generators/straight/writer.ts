/**
 * Writes programs that compute: straight code, drawn at random from all forms of insns, on numbers that the verifier does not know.
 * Unlike the other generators it makes no trees that shrink, but programs for test runs.
 *
 * What always holds between two statements: r6 is the context; r0, r7, r8, r9 hold numbers; the stack from fp-64 up holds numbers.
 */
import type fc from 'fast-check';
import {
  callHelper,
  callKfunc,
  ldMap,
  ldMapValue,
  ldx,
  mov,
  type Reg,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r7,
  r8,
  r9,
  r10,
  registers,
  stx,
} from '../../src/isa/build.js';
import type { Size } from '../../src/isa/insn.js';
import type { Item } from '../../src/isa/label.js';
import { contractOf } from '../../src/kernel/catalog.js';
import type { MapDef, ProgType } from '../../src/object/program.js';
import { randomFor } from '../random.js';

/** Bytes of stack below the frame pointer that hold numbers. */
export const NUMBERS = 64;
/** Offsets of further stack: a key, a buffer, slots for dynptrs and iterators. */
export const KEY = -72;
export const BUFFER = -136;
export const BUFFER_SIZE = 64;
export const SLOTS = [-152, -168] as const;

/** Numbers where operations break. */
const EDGES: readonly number[] = [
  0, 1, -1, 2, 3, 7, 31, 32, 33, 63, 64, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff,
  -0x8000_0000, -128, -0x8000,
];

/** The program that is being written, and its source of random numbers: the same seed and index write the same program. */
export class Writer {
  readonly items: Item[] = [];
  readonly maps: MapDef[] = [];
  readonly kfuncs: string[] = [];
  /** Functions to be written after the main program, by label. */
  readonly functions: { readonly label: string; readonly write: () => void }[] = [];
  /** Paths through the program so far, about: a verifier walks all of them. */
  paths = 1;
  /** In the main program; a callee has no context and throws no exceptions. */
  main = true;
  /** Exceptions may be thrown here. */
  throwing = true;
  /** What is open here: nothing may be opened under it. */
  nested = 0;
  private readonly random: fc.Random;
  private labels = 0;

  constructor(
    readonly type: ProgType,
    seed: number,
    index: number,
  ) {
    this.random = randomFor(seed, index);
  }

  /** From 0 to `count`, exclusive. */
  below(count: number): number {
    return this.random.nextInt(0, count - 1);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** A signed 32-bit number, often one where operations break. */
  number(): number {
    const kind = this.below(4);
    if (kind < 2) return this.pick(EDGES);
    return kind === 2 ? this.below(512) - 256 : this.random.nextInt(-0x8000_0000, 0x7fff_ffff);
  }

  emit(...items: readonly Item[]): void {
    this.items.push(...items);
  }

  fresh(): string {
    return `l${this.labels++}`;
  }

  /** One of the registers that hold a number all the time. */
  scalar(): Reg<64> {
    return this.pick([r0, r7, r8, r9]);
  }

  /** A number into `reg`, from anywhere but r0, which may hold what a call has just returned. */
  load(reg: Reg<64>): void {
    const kind = this.below(4);
    if (kind === 0) this.emit(mov(reg, this.number()));
    else if (kind === 1) this.emit(mov(reg, this.pick([r7, r8, r9].filter((one) => one.reg !== reg.reg))));
    else {
      const size = this.pick<Size>([1, 2, 4, 8]);
      this.emit(ldx(size, reg, r10, this.place(size)));
    }
  }

  /** An aligned offset of the stack that holds numbers. */
  place(size: number): number {
    return -NUMBERS + size * this.below(NUMBERS / size);
  }

  /** r1 to r5 hold numbers again, after a call took them away. */
  refresh(): void {
    for (const reg of [r1, r2, r3, r4, r5]) this.load(reg);
  }

  /** Index of a map, which is made at its first mention. */
  map(def: MapDef): number {
    const known = this.maps.findIndex(({ name }) => name === def.name);
    if (known >= 0) return known;
    this.maps.push(def);
    return this.maps.length - 1;
  }

  loadMap(reg: Reg<64>, def: MapDef): void {
    this.emit(ldMap(reg, this.map(def)));
  }

  loadMapValue(reg: Reg<64>, def: MapDef, off = 0): void {
    this.emit(ldMapValue(reg, this.map(def), off));
  }

  /** `reg = fp + off` */
  address(reg: Reg<64>, off: number): void {
    this.emit(mov(reg, r10), { kind: 'alu', op: 'add', width: 64, dst: reg.reg, src: { imm: off } });
  }

  /** Calls a kernel function; its arguments are in place. r0 must be made a number afterwards, if it is none. */
  call(name: string): void {
    const contract = contractOf(name);
    if (contract === undefined) throw new Error(`no contract for ${name}`);
    if (contract.kind === 'helper') {
      this.emit(callHelper(contract.id));
      return;
    }
    let index = this.kfuncs.indexOf(name);
    if (index < 0) index = this.kfuncs.push(name) - 1;
    this.emit(callKfunc(index));
  }

  /** Whether this program's type may call it. */
  can(name: string): boolean {
    return contractOf(name)?.types.includes(this.type) === true;
  }

  /** Keeps r0 on the stack, and goes on with r1 to r5 as numbers. */
  keep(): void {
    this.emit(stx(8, r10, this.place(8), r0));
    this.refresh();
  }
}

/** All registers that hold numbers between statements, r1 to r5 included. */
export const SCALARS: readonly Reg<64>[] = [0, 1, 2, 3, 4, 5, 7, 8, 9].map((n) => registers[n]!);
