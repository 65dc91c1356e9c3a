/** A loaded program and its words, as a policy names them. Nothing is attached, nothing is pinned: both are there already. */
import { closeSync } from 'node:fs';
import { InputError } from '../../isa/errors.js';
import { BPF_F_MMAPABLE } from '../../object/map-types.js';
import { countRuns, mapInfo, openPinned, programInfo } from '../../oracle/info.js';
import { KernelError, SharedMemory } from '../../oracle/syscall.js';
import type { Handle, ProgramLimits } from './policy.js';
import type { Sample } from './watcher.js';

const PAGE = 4096;

/** Descriptors and memory of one program. Close it. */
export class Watched {
  private readonly opened: number[] = [];
  private readonly program: number;
  private readonly words: SharedMemory;

  /** Throws InputError where the policy names what is no program and no map of words. */
  constructor(private readonly limits: ProgramLimits) {
    const { name, kill, program, word, limit } = limits;
    try {
      this.program = this.open(program);
      programInfo(this.program);
      const map = this.open(kill);
      const { type, valueSize, flags } = mapInfo(map);
      // BPF_MAP_TYPE_ARRAY
      if (type !== 2 || (flags & BPF_F_MMAPABLE) === 0)
        throw new InputError(
          `program '${name}': its map of words cannot be mapped into memory, expected that of an exported object`,
        );
      for (const [at, size] of [[word, 4], ...(limit === undefined ? [] : [[limit.at, 8]])] as const)
        if (at! + size! > valueSize)
          throw new InputError(
            `program '${name}': offset ${at} is outside its map of words, which has ${valueSize} bytes`,
          );
      this.words = new SharedMemory(map, 0, Math.ceil(valueSize / PAGE) * PAGE, true);
    } catch (error) {
      this.closeAll();
      if (error instanceof KernelError) throw new InputError(`program '${name}': ${error.message}`);
      throw error;
    }
    if (limit !== undefined) {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(BigInt(limit.ns));
      this.words.write(limit.at, bytes);
    }
  }

  sample(): Sample {
    const { runs, runTime } = programInfo(this.program);
    return { at: process.hrtime.bigint(), runs, runTime };
  }

  setWord(value: 0 | 1): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    this.words.write(this.limits.word, bytes);
  }

  close(): void {
    this.words.close();
    this.closeAll();
  }

  private open(handle: Handle): number {
    if ('fd' in handle) return handle.fd;
    const fd = openPinned(handle.pinned);
    this.opened.push(fd);
    return fd;
  }

  private closeAll(): void {
    for (const fd of this.opened.splice(0)) closeSync(fd);
  }
}

/** Has the kernel count runs until the answer is called. Throws InputError where it does not. */
export function countingRuns(): () => void {
  try {
    const fd = countRuns();
    return () => closeSync(fd);
  } catch (error) {
    if (error instanceof KernelError) throw new InputError(error.message);
    throw error;
  }
}
