/**
 * A program that notes its runs (`export --running`) says from its first insn to its exit when the run began, killed or not, and 0 when it is gone; beside
 * that it does what the original does. So a watcher sees a run that goes on: one that is over its limit it kills.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { decodeAll } from '../../src/isa/decode.js';
import { exportObject } from '../../src/live/export.js';
import { Watched } from '../../src/live/watch/watched.js';
import { type WatchEvent, Watcher } from '../../src/live/watch/watcher.js';
import { KILL_SECTION, layoutOf, MOST_CPUS, placesOf } from '../../src/live/words.js';
import { loadObject } from '../../src/oracle/object.js';
import { testRunAside } from '../../src/oracle/testrun.js';
import sound from '../../src/patch/sets/sound.js';
import { seededChooser } from '../../src/vm/state/chooser.js';
import type { Vm } from '../../src/vm/vm.js';
import { CORPUS, here, scratch } from '../support/cli.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { isPoll, pairOf, programOf, runOf, wholeRun } from '../support/live/killable.js';
import { LONG_LOOPS } from '../support/live/long-loops.js';
import { LOOPS } from '../support/live/loops.js';

const FORM = { running: true } as const;
const PLACES = placesOf(layoutOf(1, FORM), 0, FORM);
const folder = scratch();

/** CPUs on which a run goes on, as the words say. */
function going({ machine, code }: Vm): number {
  const index = code.program.maps.findIndex(({ name }) => name === KILL_SECTION);
  const bytes = machine.maps.contents(machine.memory, index, new Uint8Array(4))!;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  let count = 0;
  for (let cpu = 0; cpu < MOST_CPUS; cpu++)
    if (view.getBigUint64(PLACES.running! + 8 * cpu, true) !== 0n) count++;
  return count;
}

const told = (outcome: unknown): unknown => {
  const { end, r0, broken, held } = outcome as Record<string, unknown>;
  return { end, r0, broken, held };
};

/** A run in a world whose clock is never at 0, and in which a run stays on its CPU. */
function started(program: Parameters<typeof runOf>[0]): Vm {
  const chooser = seededChooser(3);
  return runOf(program, 3, undefined, {
    ...chooser,
    number: (key, min, max) =>
      key.startsWith('bpf_ktime_get_ns')
        ? 12n
        : key.startsWith('bpf_get_smp')
          ? 1n
          : chooser.number(key, min, max),
  });
}

describe('in the VM a run is noted while it goes on', () => {
  it.each(Object.keys(LOOPS))('%s', (name) => {
    const pair = pairOf(programOf(LOOPS[name]!), { distance: 9, form: FORM });
    const { flat } = pair;
    const ops = decodeAll(flat.program.insns);
    const vm = started(flat.program);
    let noted = 0;
    let kills = 0;
    while (vm.running) {
      const { mode } = flat.origins[vm.machine.pc]!;
      if (mode === 'normal' && ops[vm.machine.pc]!.kind !== 'exit') {
        expect(going(vm)).toBe(1);
        noted++;
      }
      if (isPoll(flat, ops, vm.machine.pc) && kills < 12) {
        const killed = vm.fork();
        setOnlyWord(killed);
        expect(killed.run().end).toBe('exit');
        expect(going(killed)).toBe(0);
        kills++;
      }
      vm.step();
    }
    expect(going(vm)).toBe(0);
    expect(noted).toBeGreaterThan(5);
    expect(kills).toBeGreaterThan(0);
    const result = vm.result();
    const whole = wholeRun(pair, 3) as Record<string, unknown>;
    expect({ end: result.end, r0: result.r0, held: result.held.length }).toEqual({
      end: whole.end,
      r0: whole.r0,
      held: (told(whole) as { held: unknown[] }).held.length,
    });
  });
});

/** As `setWord`, with the other words left as they are. */
function setOnlyWord(vm: Vm): void {
  const { machine, code } = vm;
  const index = code.program.maps.findIndex(({ name }) => name === KILL_SECTION);
  const bytes = Uint8Array.from(machine.maps.contents(machine.memory, index, new Uint8Array(4))!);
  bytes[0] = 1;
  machine.maps.insert(machine.memory, index, new Uint8Array(4), bytes);
}

it('a program whose runs end elsewhere is not exported so, and says why', () => {
  const file = join(CORPUS, 'objects/tail_call.o');
  const { programs } = exportObject(readFileSync(file), file, sound, { load: false, form: FORM });
  expect(programs.find(({ message }) => message !== '' && message !== 'no kernel was asked')).toMatchObject({
    verdict: 'inexpressible',
    message: expect.stringMatching(/^bpf_tail_call leaves it without its exit/),
  });
});

const limits = {
  name: 'p',
  program: { fd: 3 },
  kill: { fd: 4 },
  word: 0,
  runTime: 1000,
  runningAt: 8,
  backoff: 1,
};

describe('a watcher', () => {
  it('holds the run that goes on against the limit of runs, although none has ended', () => {
    const watcher = new Watcher({ ...limits, action: 'kill' });
    const words: number[] = [];
    const look = (at: bigint, begun?: bigint): readonly WatchEvent[] =>
      watcher.look({ at, runs: 0n, runTime: 0n, ...(begun === undefined ? {} : { begun }) }, (word) =>
        words.push(word),
      );
    expect(look(1000n)).toEqual([]);
    expect(look(3000n, 2500n)).toEqual([]);
    expect(look(3400n, 2500n)).toEqual([]);
    expect(look(3600n, 2500n)).toMatchObject([
      { event: 'over', runs: 0, runningNs: 1100 },
      { event: 'killed', runningNs: 1100 },
    ]);
    expect(words).toEqual([1]);
  });
});

describeKnownKernel('in Linux', () => {
  it('every sample is exported so, or says why not', () => {
    for (const name of ['ringbuf_event.o', 'socket_tc.o', 'loop_lookup.o', 'lock_counter.o', 'iter_num.o']) {
      const file = join(CORPUS, 'objects', name);
      const { programs } = exportObject(readFileSync(file), file, sound, { form: FORM });
      expect(programs.map(({ verdict, message, running }) => [verdict, message, running >= 0])).toEqual(
        programs.map(() => ['exported', '', true]),
      );
    }
  });

  it('a run of years is seen while it goes on, killed, and seen to be gone', async () => {
    const { flat } = pairOf(programOf(LONG_LOOPS), { form: FORM });
    const object = loadObject([flat.program]);
    try {
      const [loaded] = object.programs;
      if (loaded?.ok !== true) throw new Error(loaded?.message);
      const watched = new Watched({
        name: 'p',
        program: { fd: loaded.fd },
        kill: { fd: object.maps.get(KILL_SECTION)!.fd },
        word: PLACES.word,
        runTime: 5e6,
        runningAt: PLACES.running!,
        action: 'kill',
        backoff: 1e9,
      });
      const watcher = new Watcher({ ...limits, runTime: 5e6, action: 'kill' });
      expect(watched.sample().begun).toBeUndefined();
      const before = process.hrtime.bigint();
      const running = testRunAside(flat.program, loaded);
      const events: WatchEvent[] = [];
      while (events.length === 0) {
        events.push(...watcher.look(watched.sample(), (word) => watched.setWord(word)));
        await pause(1);
      }
      expect(events.map(({ event }) => event)).toEqual(['over', 'killed']);
      expect(events[0]!.runningNs).toBeGreaterThan(5e6);
      expect(events[0]!.runningNs).toBeLessThan(Number(process.hrtime.bigint() - before));
      expect((await running).ok).toBe(true);
      expect(watched.sample().begun).toBeUndefined();
      watched.close();
    } finally {
      object.close();
    }
  });

  it('export tells where, and watch takes it', async () => {
    const out = join(folder, 'running.o');
    const made = await here([
      'export',
      join(CORPUS, 'objects/socket_tc.o'),
      '-o',
      out,
      '--running',
      '--json',
    ]);
    expect(made.exit).toBe(0);
    const { running, programs } = JSON.parse(made.out) as {
      running: boolean;
      programs: { running: number }[];
    };
    expect([running, programs[0]!.running]).toEqual([true, PLACES.running]);
  });
});
