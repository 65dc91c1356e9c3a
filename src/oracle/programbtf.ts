/**
 * The BTF that goes with a program when it is loaded: its own when it brings some, made for it when it needs some
 * (locks and kptrs in map values, subprograms, allocated structs), none otherwise, because BTF costs a call.
 */
import type { Program } from '../object/program.js';
import { loadBtf } from './btf.js';
import type { MapBtf } from './maps.js';
import { closeFd } from './syscall.js';

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
  if (program.btf === undefined) return undefined;
  return ownBtf(program, loadBtf(program.btf), closeFd);
}

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
  );
}

function withTypes(
  fd: number,
  funcInfo: Buffer,
  maps: readonly (readonly [key: number, value: number])[],
  close: (fd: number) => void,
): ProgramBtf {
  let isOpen = true;
  return {
    fd,
    funcInfo,
    map(index) {
      const [key, value] = maps[index] ?? [0, 0];
      return value === 0 ? undefined : { fd, key, value };
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
