/**
 * Test runs of an exported program in the kernel, each killed after a while by a program that runs beside. Nothing is attached and nothing is
 * pinned.
 */
import { InputError } from '../../isa/errors.js';
import type { Program } from '../../object/program.js';
import type { Loaded } from '../../oracle/load.js';
import type { KernelMap } from '../../oracle/maps.js';
import { type LoadedObject, loadObject } from '../../oracle/object.js';
import { drainRingbuf, ringbufBacklog } from '../../oracle/ringbuf.js';
import { SharedMemory } from '../../oracle/syscall.js';
import { refuseToRun, type TestInput, testRunAside } from '../../oracle/testrun.js';
import { DIE, RUN, WORD } from '../words.js';
import { stamped, TIME, TIMES, wordsOf, writer } from './stamps.js';

const PAGE = 4096;
/** Nanoseconds that the writer waits for a run to begin, besides the delay. */
const PATIENCE = 5_000_000_000n;

/** One run and what came of it. Times in nanoseconds. */
export interface KilledRun {
  /** The word was written while it ran. */
  readonly killed: boolean;
  /** From just before the word was written to the end of the run; undefined: it was not killed. */
  readonly toExit: number | undefined;
  /** From its begin to its end. */
  readonly lasted: number;
  /** r0 at its exit. */
  readonly retval: number;
  /** Ring-buffer records that a consumer found behind it. */
  readonly records: number;
  /** Bytes in ring buffers that no consumer can take. */
  readonly stuck: number;
}

/** A program in the kernel that can be killed. Close it. */
export class KillableRun {
  private readonly times: SharedMemory;
  private readonly words: SharedMemory;
  private readonly ringbufs: readonly KernelMap[];

  private constructor(
    private readonly victim: Program,
    private readonly byWriter: Program,
    private readonly object: LoadedObject,
    private readonly word: number,
    readonly maps: readonly KernelMap[],
    words: KernelMap,
  ) {
    this.times = new SharedMemory(object.maps.get(TIMES.name)!.fd, 0, PAGE, true);
    this.words = new SharedMemory(words.fd, 0, Math.ceil(words.def.valueSize / PAGE) * PAGE, true);
    this.ringbufs = maps.filter(({ def }) => def.type === 'ringbuf');
  }

  /**
   * Loads an exported program whose word is `word` bytes into the section of words. Throws InputError for one that must not be run, has no words
   * or is refused.
   */
  static open(program: Program, word: number): KillableRun {
    const refusal = refuseToRun(program);
    if (refusal !== undefined) throw new InputError(`program '${program.name}' is not run: ${refusal}`);
    const words = wordsOf(program);
    if (words === undefined)
      throw new InputError(
        `program '${program.name}' does not poll: it ends soon by itself, or was not exported`,
      );
    const victim = stamped(program);
    const beside = writer(words, word, DIE);
    const object = loadObject([victim, beside]);
    try {
      for (const [i, result] of object.programs.entries())
        if (!result.ok)
          throw new InputError(
            `Linux refuses ${i === 0 ? `'${program.name}'` : 'the writer'}: ${result.message}`,
          );
      const maps = [...object.maps.values()].filter(({ def }) => def.name !== TIMES.name && def !== words);
      return new KillableRun(victim, beside, object, word, maps, object.maps.get(words.name)!);
    } catch (error) {
      object.close();
      throw error;
    }
  }

  /** Runs the program, and kills it `delay` nanoseconds after it began. */
  async run(delay: number, input: TestInput = {}): Promise<KilledRun> {
    const [victim, beside] = this.object.programs as readonly [Loaded, Loaded];
    this.setWord(RUN);
    this.times.write(0, Buffer.alloc(TIMES.valueSize));
    this.setTime(TIME.delay, BigInt(Math.round(delay)));
    this.setTime(TIME.latest, process.hrtime.bigint() + BigInt(Math.round(delay)) + PATIENCE);
    const [result] = await Promise.all([
      testRunAside(this.victim, victim, input),
      testRunAside(this.byWriter, beside),
    ]);
    this.setWord(RUN);
    if (!result.ok) throw new InputError(`program '${this.victim.name}' cannot be run: ${result.message}`);
    const [began, ended, written] = [TIME.began, TIME.ended, TIME.written].map((at) => this.timeAt(at));
    const killed = written! > began! && ended! > written!;
    const records = this.ringbufs.reduce((sum, map) => sum + drainRingbuf(map).length, 0);
    const stuck = this.ringbufs.reduce((sum, map) => sum + ringbufBacklog(map), 0);
    return {
      killed,
      toExit: killed ? Number(ended! - written!) : undefined,
      lasted: Number(ended! - began!),
      retval: result.retval,
      records,
      stuck,
    };
  }

  /** Runs the program with its word set: it dies at its first poll. */
  async runDead(input: TestInput = {}): Promise<boolean> {
    this.setWord(DIE);
    const result = await testRunAside(this.victim, this.object.programs[0] as Loaded, input);
    this.setWord(RUN);
    return result.ok;
  }

  close(): void {
    this.times.close();
    this.words.close();
    this.object.close();
  }

  private setWord(value: number): void {
    const bytes = Buffer.alloc(WORD);
    bytes.writeUInt32LE(value);
    this.words.write(this.word, bytes);
  }

  private setTime(at: number, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    this.times.write(at, bytes);
  }

  private timeAt(at: number): bigint {
    return this.times.read(at, 8).readBigUInt64LE();
  }
}
