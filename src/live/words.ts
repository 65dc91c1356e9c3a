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

/** Variable with words for the CPUs of each program: read where the program's own word is `LOOK`. */
export const CPU_VARIABLE = 'swansong_kill_cpu';
/** Variable with a limit for each program: nanoseconds that a run may last, 0 any time. */
export const LIMIT_VARIABLE = 'swansong_limit_ns';
/** Variable with the time at which the last run began, for each program and CPU. Programs write it. */
export const STARTED_VARIABLE = 'swansong_started';
/** Variable with the time at which the run that is going on began, for each program and CPU; 0: none is. Programs write it. */
export const RUNNING_VARIABLE = 'swansong_running';
/** What a program's word says: run, die, look at the words of the CPUs. */
export const RUN = 0;
export const DIE = 1;
export const LOOK = 2;
/** Words for CPUs that a program has. A machine with more counts them from 0 again. */
export const MOST_CPUS = 1024;

/** What words a program has besides its own. */
export interface WordForm {
  /** Words for CPUs. */
  readonly perCpu?: boolean;
  /** A limit, looked at every so many rounds of a loop: a power of two. */
  readonly deadline?: number;
  /** Runs note when they begin, and that they have ended. */
  readonly running?: boolean;
}

/** The variables for so many programs. */
export function layoutOf(programs: number, { perCpu, deadline, running }: WordForm = {}): WordLayout {
  const variables: WordVariable[] = [];
  let size = 0;
  const add = (name: string, element: 4 | 8, count: number): void => {
    size = Math.ceil(size / 8) * 8;
    variables.push({ name, element, count, offset: size });
    size += element * count;
  };
  add(KILL_VARIABLE, WORD, programs);
  if (perCpu === true) add(CPU_VARIABLE, WORD, programs * MOST_CPUS);
  if (deadline !== undefined) {
    add(LIMIT_VARIABLE, 8, programs);
    add(STARTED_VARIABLE, 8, programs * MOST_CPUS);
  }
  if (running === true) add(RUNNING_VARIABLE, 8, programs * MOST_CPUS);
  return { variables, size: Math.ceil(size / 8) * 8 };
}

/** Where the words of program number `index` are. */
export function placesOf(layout: WordLayout, index: number, { deadline }: WordForm = {}): Places {
  const at = (name: string, per: number): number | undefined => {
    const found = layout.variables.find((one) => one.name === name);
    return found && found.offset + found.element * per * index;
  };
  const cpuWords = at(CPU_VARIABLE, MOST_CPUS);
  const limit = at(LIMIT_VARIABLE, 1);
  const running = at(RUNNING_VARIABLE, MOST_CPUS);
  return {
    word: at(KILL_VARIABLE, 1)!,
    ...(cpuWords === undefined ? {} : { cpuWords }),
    ...(running === undefined ? {} : { running }),
    ...(limit === undefined
      ? {}
      : { deadline: { limit, started: at(STARTED_VARIABLE, MOST_CPUS)!, every: deadline! } }),
  };
}

/** Where in the section of words a program's own are, in bytes; what its form does not have is missing. */
export interface Places {
  readonly word: number;
  /** The first of its words for CPUs. */
  readonly cpuWords?: number;
  /** The first of the times at which the run that is going on began on each CPU. */
  readonly running?: number;
  /** Its limit, the first of the times at which a run began on each CPU, and how many rounds pass between looks. */
  readonly deadline?: { readonly limit: number; readonly started: number; readonly every: number };
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
