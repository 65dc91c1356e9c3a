/**
 * The section of words that kills are written to. Loaders make a map of it that user space can map into memory; with libbpf and cilium/ebpf
 * it bears the section's name, and the variables in it can be set by name.
 */

import type { Btf } from '../object/btf/read.js';
import type { BtfType } from '../object/btf/types.js';
import { BtfAppender, BtfWriter } from '../object/btf/write.js';

/** Section, and so map, that holds the words. A linker for C gives no other name to memory that insns can read without a call. */
export const KILL_SECTION = '.data.swansong_kill';
/** Variable with a word for each program: 0 run, anything else die. */
export const KILL_VARIABLE = 'swansong_kill';
/** Bytes of a word. */
export const WORD = 4;

/** One variable of the section. Sizes and offsets in bytes. */
export interface WordVariable {
  readonly name: string;
  readonly element: 4 | 8;
  readonly count: number;
  readonly offset: number;
}

/** What the section holds. */
export interface WordLayout {
  readonly variables: readonly WordVariable[];
  readonly size: number;
}

/** The variables for so many programs. */
export function layoutOf(programs: number): WordLayout {
  const words: WordVariable = { name: KILL_VARIABLE, element: WORD, count: programs, offset: 0 };
  return { variables: [words], size: Math.ceil((WORD * programs) / 8) * 8 };
}

/** Adds the types of the section to BTF, or makes BTF of them alone; answers what adds types and strings. */
export function describeWords(btf: Btf | undefined, layout: WordLayout): Types {
  const types = btf === undefined ? new FreshTypes() : new BtfAppender(btf);
  const ints = new Map<number, number>();
  const int = (size: 4 | 8): number => {
    const known = ints.get(size);
    if (known !== undefined) return known;
    const name = size === 4 ? 'unsigned int' : 'unsigned long long';
    const id =
      (btf === undefined ? undefined : btf.find(name, 'int')) ??
      types.add({ kind: 'int', name, size, bits: 8 * size, bitOffset: 0, encoding: 'unsigned' });
    ints.set(size, id);
    return id;
  };
  const vars = layout.variables.map(({ name, element, count, offset }) => {
    const array = types.add({ kind: 'array', element: int(element), index: int(4), count });
    const type = types.add({ kind: 'var', name, type: array, linkage: 1 });
    return { type, offset, size: element * count };
  });
  types.add({ kind: 'datasec', name: KILL_SECTION, size: layout.size, vars });
  return types;
}

/** BTF that grows. */
export interface Types {
  add(type: BtfType): number;
  string(text: string): number;
  bytes(): Uint8Array;
}

/** BTF of an object that had none. */
class FreshTypes implements Types {
  private readonly writer = new BtfWriter();

  add(type: BtfType): number {
    return this.writer.add(type);
  }

  string(text: string): number {
    throw new RangeError(`there are no records that name '${text}'`);
  }

  bytes(): Uint8Array {
    return this.writer.bytes();
  }
}
