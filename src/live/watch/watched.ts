/** A loaded program and its words, as a policy names them. Nothing is attached, nothing is pinned: both are there already. */
import { closeSync } from 'node:fs';
import { InputError } from '../../isa/errors.js';
import { BPF_F_MMAPABLE } from '../../object/map-types.js';
import { countRuns, mapInfo, openPinned, programInfo } from '../../oracle/info.js';
import { KernelError, SharedMemory } from '../../oracle/syscall.js';
import { MOST_CPUS } from '../words.js';
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
    const { name, kill, program, word, limit, runningAt } = limits;
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
      const used: (readonly [at: number, size: number])[] = [[word, 4]];
      if (limit !== undefined) used.push([limit.at, 8]);
      if (runningAt !== undefined) used.push([runningAt, 8 * MOST_CPUS]);
      for (const [at, size] of used)
        if (at + size > valueSize)
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
    const begun = this.begun();
    return { at: process.hrtime.bigint(), runs, runTime, ...(begun === undefined ? {} : { begun }) };
  }

  /** When the run began that is going on for the longest, by the clock of `sample`; undefined: none is, or they do not note it. */
  private begun(): bigint | undefined {
    const { runningAt } = this.limits;
    if (runningAt === undefined) return undefined;
    const times = this.words.read(runningAt, 8 * MOST_CPUS);
    let oldest: bigint | undefined;
    for (let cpu = 0; cpu < MOST_CPUS; cpu++) {
      const time = times.readBigUInt64LE(8 * cpu);
      if (time !== 0n && (oldest === undefined || time < oldest)) oldest = time;
    }
    return oldest;
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
