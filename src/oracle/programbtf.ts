/**
 * The BTF that goes with a program when it is loaded: its own when it brings some, made for it when it needs some
 * (locks and kptrs in map values, subprograms, allocated structs), none otherwise, because BTF costs a call.
 */
import { InputError } from '../isa/errors.js';
import { mapType } from '../kernel/maptypes.js';
import { type SynthesizedBtf, synthesize } from '../object/btf/synthesize.js';
import type { MapDef, Program } from '../object/program.js';
import { loadBtf } from './btf.js';
import type { MapBtf } from './maps.js';
import { closeFd, KernelError } from './syscall.js';

/** Loaded BTF of one program. Close it; what was made with it keeps its own hold. */
export interface ProgramBtf {
  readonly fd: number;
  /** bpf_func_info records (slot, type id), 8 bytes each; empty when not every function has a type. */
  readonly funcInfo: Buffer;
  /** BTF for the map at `index` of `Program.maps`, if it has any. */
  map(index: number): MapBtf | undefined;
  close(): void;
}

/** Loads the BTF of `program`, or returns undefined when it goes without. Throws KernelError when the kernel refuses it. */
export function openProgramBtf(program: Program): ProgramBtf | undefined {
  if (program.btf !== undefined) return ownBtf(program, loadBtf(program.btf), closeFd);
  if (!needsBtf(program)) return undefined;
  const made = make(program);
  const maps = program.maps.map((map, i) =>
    // Only where it matters: a map without BTF can be lent from program to program.
    wantsTypes(map) ? ([made.mapKey[i] ?? 0, made.mapValue[i] ?? 0] as const) : NO_TYPES,
  );
  return withTypes(loadBtf(made.btf), records(program, made.funcIds), maps, closeFd);
}

function make(program: Program): SynthesizedBtf {
  try {
    return synthesize(program);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new KernelError('make BTF', 'EINVAL', error.message);
  }
}

/** Whether the kernel wants types: of special fields, of functions besides the main program, of what is allocated. */
function needsBtf(program: Program): boolean {
  return program.subprogs.length > 1 || program.localTypes.length > 0 || program.maps.some(wantsTypes);
}

/** Whether the kernel makes the map only, or makes it otherwise, with types for its key and value. */
const wantsTypes = (map: MapDef): boolean => map.fields.length > 0 || mapType(map.type).typed === true;

const NO_TYPES = [0, 0] as const;

/** The program's own BTF, loaded as `fd`. `close` is called with it once, when the BTF is closed. */
export function ownBtf(program: Program, fd: number, close: (fd: number) => void): ProgramBtf {
  return withTypes(
    fd,
    records(
      program,
      program.subprogs.map((subprog) => subprog.btfId),
    ),
    program.maps.map((map) => [map.btfKey ?? 0, map.btfValue ?? 0]),
    close,
    new Set(program.maps.flatMap((map, i) => (map.inner?.btfValue === undefined ? [] : [i]))),
  );
}

function withTypes(
  fd: number,
  funcInfo: Buffer,
  maps: readonly (readonly [key: number, value: number])[],
  close: (fd: number) => void,
  /** Maps whose entries are maps with BTF. */
  nested: ReadonlySet<number> = new Set(),
): ProgramBtf {
  let isOpen = true;
  return {
    fd,
    funcInfo,
    map(index) {
      const [key, value] = maps[index] ?? NO_TYPES;
      return value === 0 && !nested.has(index) ? undefined : { fd, key, value };
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      close(fd);
    },
  };
}

/** All functions or none: the kernel refuses func_info that does not name every one. */
function records(program: Program, ids: readonly (number | undefined)[]): Buffer {
  if (ids.some((id) => id === undefined)) return Buffer.alloc(0);
  const bytes = Buffer.alloc(8 * ids.length);
  for (const [i, subprog] of program.subprogs.entries()) {
    bytes.writeUInt32LE(subprog.start, 8 * i);
    bytes.writeUInt32LE(ids[i] ?? 0, 8 * i + 4);
  }
  return bytes;
}
