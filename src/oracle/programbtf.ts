/**
 * The BTF that goes with a program when it is loaded: its own when it brings some, made for it when it needs some
 * (locks and kptrs in map values, subprograms, allocated structs), none otherwise, because BTF costs a call.
 */
import type { MapDef, Program } from '../object/program.js';
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
  const funcIds = program.subprogs.map((subprog) => subprog.btfId);
  return open(program, program.btf, program.maps, funcIds);
}

function open(
  program: Program,
  bytes: Uint8Array,
  maps: readonly Pick<MapDef, 'btfKey' | 'btfValue'>[],
  funcIds: readonly (number | undefined)[],
): ProgramBtf {
  const funcInfo = records(program, funcIds);
  const fd = loadBtf(bytes);
  let isOpen = true;
  return {
    fd,
    funcInfo,
    map(index) {
      const { btfKey = 0, btfValue = 0 } = maps[index] ?? {};
      return btfValue === 0 ? undefined : { fd, key: btfKey, value: btfValue };
    },
    close() {
      if (!isOpen) return;
      isOpen = false;
      closeFd(fd);
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
