/**
 * In Linux: with the word at 0 an exported program does what the original does, on the same packets, with the same maps. SWANSONG_INPUTS tells how many
 * inputs each program gets. A run of loops that would take years ends when its word is written, when the word of its CPU is, and when its time is up.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { decodeAll } from '../../src/isa/decode.js';
import { contractOf } from '../../src/kernel/catalog.js';
import { exportObject } from '../../src/live/export.js';
import { KillableRun } from '../../src/live/run/killed-runs.js';
import { stamped, TIME, TIMES, wordsOf } from '../../src/live/run/stamps.js';
import { KILL_SECTION, LOOK, layoutOf, MOST_CPUS, placesOf } from '../../src/live/words.js';
import { readObject } from '../../src/object/load.js';
import type { Program } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import type { KernelMap } from '../../src/oracle/maps.js';
import { loadObject } from '../../src/oracle/object.js';
import { drainRingbuf } from '../../src/oracle/ringbuf.js';
import { refuseToRun, type TestInput, testRun } from '../../src/oracle/testrun.js';
import sound from '../../src/patch/sets/sound.js';
import { seededChooser } from '../../src/vm/state/chooser.js';
import { CORPUS } from '../support/cli.js';
import { isLoadable } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { pairOf, programOf } from '../support/live/killable.js';
import { LONG_ITERATOR, LONG_LOOPS } from '../support/live/long-loops.js';

const FOLDER = join(CORPUS, 'objects');
const INPUTS = Number(process.env.SWANSONG_INPUTS ?? 12);
const FILES = readdirSync(FOLDER).filter((name) => name.endsWith('.o'));

/** Functions whose answers no two runs have in common. */
const DIFFERS = /^bpf_(ktime|get_prandom|get_current|get_smp|jiffies)/;

const isTimed = (program: Program): boolean =>
  decodeAll(program.insns).some(
    (op) => op !== undefined && DIFFERS.test(contractOf(program, op)?.name ?? ''),
  );

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Everything that a map holds; a ring buffer is emptied. Pointers of the kernel's are left out; `timed`: values may be different each time. */
function contents(map: KernelMap, timed: boolean): unknown {
  const shown = (bytes: Uint8Array): string | number => (timed ? bytes.length : hex(bytes));
  if (map.def.type === 'ringbuf') return drainRingbuf(map).map(shown);
  if (!/array|hash|trie/.test(map.def.type) || /prog|maps|perf|of_/.test(map.def.type)) return undefined;
  const entries = map.entries().map(({ key, value }) => {
    for (const { offset, size } of map.def.fields) value.fill(0, offset, offset + size);
    return [
      hex(key),
      shown(map.def.type.includes('percpu') ? overCpus(value, map.def.valueSize) : value),
    ] as const;
  });
  return entries.sort(([one], [other]) => one.localeCompare(other));
}

/** The sum of what each CPU has: which of them a test run is on is for the scheduler to say. */
function overCpus(value: Uint8Array, size: number): Uint8Array {
  const words = Math.ceil(size / 8);
  const sums = new BigUint64Array(words);
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  for (let i = 0; i < value.length / 8; i++) sums[i % words]! += view.getBigUint64(8 * i, true);
  return new Uint8Array(sums.buffer);
}

function inputOf(program: Program, seed: number): TestInput {
  const chooser = seededChooser(seed);
  const bytes = (name: string, length: number): Uint8Array => chooser.bytes(name, length);
  if (program.type === 'syscall') return { ctx: bytes('ctx', 64) };
  if (program.type === 'raw_tracepoint') return { ctx: bytes('ctx', 96) };
  const data = Buffer.from(bytes('packet', 14 + (bytes('length', 1)[0]! % 180)));
  // Half of the packets are of IPv4 and IPv6: the programs look at little else.
  const [kind] = bytes('kind', 1);
  if (kind! % 4 === 0) data.writeUInt16BE(0x0800, 12);
  if (kind! % 4 === 1) data.writeUInt16BE(0x86dd, 12);
  return { data };
}

/** Runs a program on all inputs; what came of each, and what was in the maps in the end. */
function runs(programs: readonly Program[], name: string, timed: boolean): unknown {
  const object = loadObject(programs);
  try {
    const at = programs.findIndex((one) => one.name === name);
    const loaded = object.programs[at]!;
    if (!loaded.ok) return `refused: ${loaded.message}`;
    const results = Array.from({ length: INPUTS }, (_, seed) => {
      const result = testRun(programs[at]!, loaded, inputOf(programs[at]!, seed));
      const rings = loaded.maps
        .filter(({ def }) => def.type === 'ringbuf')
        .map((map) => contents(map, timed));
      return result.ok ? { ...result, durationNs: 0, rings } : result;
    });
    return {
      results,
      maps: loaded.maps
        .filter(({ def }) => def.name !== KILL_SECTION)
        .map((map) => [map.def.name, contents(map, timed)] as const)
        .sort(([a], [b]) => a.localeCompare(b)),
    };
  } finally {
    object.close();
  }
}

describeKnownKernel('Linux runs an exported program as the original', () => {
  it.each(FILES)('%s', (file) => {
    const bytes = readFileSync(join(FOLDER, file));
    const original = readObject(bytes, file).programs;
    for (const distance of [3, 4096]) {
      // Where this kernel lacks a struct that a program stands in for, it is not asked.
      const load = original.every(isLoadable);
      const made = exportObject(bytes, file, sound, { distance, entry: distance === 3, load });
      expect(made.programs.map(({ name, verdict, message }) => [name, verdict, message])).toEqual(
        original.map(({ name }) =>
          load ? [name, 'exported', ''] : [name, 'unchecked', 'no kernel was asked'],
        ),
      );
      const exported = readObject(made.bytes!, file).programs;
      for (const program of original) {
        if (!isLoadable(program) || refuseToRun(program) !== undefined) continue;
        const timed = isTimed(program);
        const [before, after] = [runs(original, program.name, timed), runs(exported, program.name, timed)];
        expect(after, `${program.name}, ${distance} insns`).toEqual(before);
      }
    }
  });

  it('ends loops of years when the word is written', async () => {
    const { flat } = pairOf(programOf(LONG_LOOPS), {});
    const run = KillableRun.open(flat.program, 0);
    try {
      for (let i = 0; i < 3; i++) {
        const one = await run.run(100_000 * i);
        // The program that writes may have been kept waiting by the machine, but the word was written while this one ran.
        expect(one).toMatchObject({ killed: true, retval: 7, records: 1, stuck: 0 });
        // Far more than it takes, and far less than a round of the inner loop.
        expect(one.toExit).toBeLessThan(5_000_000);
      }
    } finally {
      run.close();
    }
  });

  it.each([
    ['nested loops', LONG_LOOPS],
    ['an iterator in a function', LONG_ITERATOR],
  ])('ends %s after the limit, with nobody else', (_name, text) => {
    const form = { deadline: 1024 };
    const { flat } = pairOf(programOf(text), { form });
    const program = stamped(flat.program);
    const loaded = loadProgram(program);
    if (!loaded.ok) throw new Error(loaded.message);
    try {
      const layout = layoutOf(1, form);
      const words = loaded.maps.find(({ def }) => def.name === KILL_SECTION)!;
      const value = Buffer.alloc(layout.size);
      const limit = 5_000_000;
      value.writeBigUInt64LE(BigInt(limit), placesOf(layout, 0, form).deadline!.limit);
      words.update(Buffer.alloc(4), value);
      expect(testRun(program, loaded)).toMatchObject({ ok: true });
      const times = loaded.maps.find(({ def }) => def.name === TIMES.name)!.lookup(Buffer.alloc(4))!;
      const at = (offset: number): bigint => Buffer.from(times).readBigUInt64LE(offset);
      const lasted = Number(at(TIME.ended) - at(TIME.began));
      expect(lasted).toBeGreaterThan(limit * 0.99);
      // The machine may be busy with others.
      expect(lasted).toBeLessThan(limit * 20);
    } finally {
      loaded.close();
    }
  });

  it('looks at the words of CPUs where the word says so', () => {
    const form = { perCpu: true };
    const { flat } = pairOf(programOf(LONG_LOOPS), { form });
    const loaded = loadProgram(flat.program);
    if (!loaded.ok) throw new Error(loaded.message);
    try {
      const words = loaded.maps.find(({ def }) => def.name === wordsOf(flat.program)!.name)!;
      const value = Buffer.alloc(layoutOf(1, form).size);
      value.writeUInt32LE(LOOK, 0);
      for (let cpu = 0; cpu < MOST_CPUS; cpu++)
        value.writeUInt32LE(1, placesOf(layoutOf(1, form), 0).cpuWords! + 4 * cpu);
      words.update(Buffer.alloc(4), value);
      // It ends at all.
      expect(testRun(flat.program, loaded)).toMatchObject({ ok: true, retval: 7 });
    } finally {
      loaded.close();
    }
  });
});
