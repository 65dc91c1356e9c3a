/**
 * Small programs with the verdict Linux 6.18 gave on them, held as code that reads like assembly, one family a file.
 * Layouts follow those of the measured ones, so that slots in messages agree.
 */
import {
  add,
  callHelper,
  callKfunc,
  exit,
  jmp,
  ldMap,
  ldMapValue,
  mov,
  type Reg,
  r0,
  r1,
  r2,
  r6,
  r10,
  st,
} from '../../../src/isa/build.js';
import type { Op } from '../../../src/isa/insn.js';
import { type Item, label, link } from '../../../src/isa/label.js';
import { subprogStarts } from '../../../src/isa/target.js';
import type { LocalType, MapDef, Program, ProgType } from '../../../src/object/program.js';

export interface KernelCase {
  readonly family: string;
  readonly name: string;
  readonly program: Program;
  /** Name of the error number, or `LOADS`. */
  readonly verdict: string;
  /** Of a refused program: as `Refused.message`. */
  readonly message?: string;
  /** r0 of a test run on 64 zero bytes (or an empty context), where it is always the same. */
  readonly retval?: number;
}

/** What the body of a case may name; each is put into the program's lists when first used. */
export interface Names {
  /** Call of a kfunc. */
  kfunc(name: string): Op;
  /** `reg = map`. */
  map(reg: Reg<64>, def: MapDef): Op;
  /** `reg = address of the value of the map, off bytes into it`. */
  value(reg: Reg<64>, def: MapDef, off?: number): Op;
}

export interface Expected {
  readonly verdict?: string;
  readonly message?: string;
  readonly retval?: number;
  /** Labels of functions that are global; others are static. */
  readonly globals?: readonly string[];
  readonly localTypes?: readonly LocalType[];
}

/** Makes a case. Without `verdict` in `expected` the program loads. */
export function kernelCase(
  title: string,
  type: ProgType,
  expected: Expected,
  body: (names: Names) => readonly Item[],
): KernelCase {
  const [family, name] = title.split(': ') as [string, string];
  const kfuncs: string[] = [];
  const maps: MapDef[] = [];
  const items = body({
    kfunc: (wanted) => callKfunc(indexOf(kfuncs, wanted)),
    map: (reg, def) => ldMap(reg, indexOf(maps, def)),
    value: (reg, def, off = 0) => ldMapValue(reg, indexOf(maps, def), off),
  });
  const { insns, labels } = link(items);
  const subprogs = subprogStarts(insns).map((start) => {
    const label = [...labels].find(([, slot]) => slot === start)?.[0] ?? `f${start}`;
    const isGlobal = start === 0 || expected.globals?.includes(label) === true;
    return {
      name: start === 0 ? 'main' : label,
      start,
      linkage: isGlobal ? ('global' as const) : ('static' as const),
    };
  });
  const program: Program = {
    name: 'case',
    type,
    insns,
    maps,
    kfuncs,
    subprogs,
    localTypes: expected.localTypes ?? [],
  };
  return {
    family,
    name,
    program,
    verdict: expected.verdict ?? 'LOADS',
    ...(expected.message === undefined ? {} : { message: expected.message }),
    ...(expected.retval === undefined ? {} : { retval: expected.retval }),
  };
}

function indexOf<T>(list: T[], wanted: T): number {
  const at = list.indexOf(wanted);
  return at >= 0 ? at : list.push(wanted) - 1;
}

/** `reg = r10 + offset`. */
export function stackPointer(reg: Reg<64>, offset: number): Item[] {
  return [mov(reg, r10), add(reg, offset)];
}

/** Where `lookedUp` puts the key, what it looks for, and where it goes if there is no value. */
export interface Lookup {
  readonly key?: number;
  /** Offset from the frame pointer of the four bytes of the key. */
  readonly at?: number;
  /** The value's address. */
  readonly into?: Reg<64>;
  readonly otherwise?: string;
}

/** `into` = the value of a key of `map`: r6, key 0 at fp-4, and to `out` where there is no value, unless told. */
export function lookedUp(
  names: Names,
  map: MapDef,
  { key = 0, at = -4, into = r6, otherwise = 'out' }: Lookup = {},
): Item[] {
  return [
    st(4, r10, at, key),
    names.map(r1, map),
    ...stackPointer(r2, at),
    callHelper(1),
    jmp('eq', r0, 0, otherwise),
    mov(into, r0),
  ];
}

/** Takes the spin lock at r6. */
export const lockR6: Item[] = [mov(r1, r6), callHelper(93)];
/** Gives it back. */
export const unlockR6: Item[] = [mov(r1, r6), callHelper(94)];

/** `return 0`. */
export const done: Item[] = [mov(r0, 0), exit()];
/** The label `out`, and `return 0`. */
export const out: Item[] = [label('out'), ...done];

/** A leak as the kernel tells of it at the exit of the main program. */
export function leak(alloc: number, id = 2, what = 'BPF_EXIT instruction in main prog'): string {
  return `Unreleased reference id=${id} alloc_insn=${alloc} // ${what} would lead to reference leak`;
}

/** An array map of `entries` values without special fields. */
export function arrayMap(valueSize: number, entries = 1): MapDef {
  return { name: 'm', type: 'array', keySize: 4, valueSize, maxEntries: entries, flags: 0, fields: [] };
}

export const ringbufMap: MapDef = {
  name: 'rb',
  type: 'ringbuf',
  keySize: 0,
  valueSize: 0,
  maxEntries: 4096,
  flags: 0,
  fields: [],
};
