/**
 * Loads all programs of one object into the kernel with the maps that they share. So a value that one program writes is read by another,
 * and tail calls work.
 */
import type { Program } from '../object/program.js';
import { loadBtf } from './btf.js';
import { type LoadOptions, type LoadResult, loadWith } from './load.js';
import { closeMaps, createMap, type KernelMap, type MapBtf } from './maps.js';
import { openProgramBtf, ownBtf, type ProgramBtf } from './programbtf.js';
import { closeFd } from './syscall.js';

/** An object's programs in the kernel, and their shared maps, which stay open until `close`. */
export interface LoadedObject {
  /** One for each program, in their order. */
  readonly programs: readonly LoadResult[];
  /** By name; only those that a program names. */
  readonly maps: ReadonlyMap<string, KernelMap>;
  /** Closes all programs and maps; more than once does nothing. */
  close(): void;
}

/**
 * Loads the programs of one object. Maps of the same name are one map; BTF is loaded once where programs have the same bytes, so that
 * types in maps and programs are the same types. Programs that are refused do not keep others from being loaded. Close the result.
 * Throws InputError where bpf(2) cannot be called at all.
 */
export function loadObject(
  programs: readonly Program[],
  options: Omit<LoadOptions, 'lend'> = {},
): LoadedObject {
  const maps = new Map<string, KernelMap>();
  const btfs = new Map<Uint8Array, number>();
  const results: LoadResult[] = [];
  const closeAll = (): void => {
    for (const result of results) if (result.ok) result.close();
    closeMaps([...maps.values()]);
  };
  const openBtf = (program: Program): ProgramBtf | undefined => {
    if (program.btf === undefined) return openProgramBtf(program);
    const fd = btfs.get(program.btf) ?? loadBtf(program.btf);
    btfs.set(program.btf, fd);
    return ownBtf(program, fd, () => undefined);
  };
  const lend = (program: Program, index: number, btf: MapBtf | undefined): KernelMap => {
    const def = program.maps[index]!;
    const map = maps.get(def.name) ?? createMap(def, btf);
    maps.set(def.name, map);
    return map;
  };
  try {
    for (const program of programs) {
      results.push(loadWith(program, () => openBtf(program), { ...options, lend }));
    }
    return { programs: results, maps, close: closeAll };
  } catch (error) {
    closeAll();
    throw error;
  } finally {
    for (const fd of btfs.values()) closeFd(fd);
  }
}
