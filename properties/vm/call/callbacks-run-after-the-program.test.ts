/**
 * The callbacks of timers and work queues run after the program that started them, if the environment says so: in a frame of their own, with map, key
 * and value as arguments, where the program can be killed as anywhere else. After a killed program, and of what was cancelled or deleted,
 * none runs.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { killedAt } from '../../../src/campaign/kill/kill-everywhere.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { verify } from '../../../src/verifier/verify.js';
import { runsLater } from '../../../src/vm/call/later.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { killEverywhere } from '../../../src/vm/kill.js';
import { KillPoints, killInClasses } from '../../../src/vm/kill-classes.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { prepare } from '../../../src/vm/state/code.js';
import { type RunResult, Vm } from '../../../src/vm/vm.js';
import { seeded } from '../../support/seed.js';
import { lines } from '../../support/vm/text.js';

const sound = shippedRuleSet('sound')!;

interface Shape {
  readonly of: 'timer' | 'wq';
  readonly map: 'array' | 'hash';
  /** What follows the start. */
  readonly undone?: 'cancel' | 'delete';
  readonly starts?: boolean;
  /** The callback starts itself again. */
  readonly again?: boolean;
}

/** A program whose callback counts its runs in bytes 16 to 19 of the value, and adds the key and 5 in the next four. */
function text({ of, map, undone, starts = true, again = false }: Shape): string {
  const [init, set, start] =
    of === 'timer'
      ? ['bpf_timer_init', 'bpf_timer_set_callback', 'bpf_timer_start']
      : ['bpf_wq_init', 'bpf_wq_set_callback_impl', 'bpf_wq_start'];
  const starting = (reg: string): readonly string[] =>
    of === 'timer'
      ? [`r1 = ${reg}`, 'r2 = 1000', 'r3 = 0', `call ${start}`]
      : [`r1 = ${reg}`, 'r2 = 0', `call ${start}`];
  const key = ['*(u32 *)(r10 -4) = 3', 'r1 = map m', 'r2 = r10', 'r2 += -4'];
  return `.type tc
.license GPL
.map m ${map} key=4 value=24 entries=4 ${of}@0
.env map m[03000000]=00
main:
${lines(
  ...key,
  'call bpf_map_lookup_elem',
  'if r0 == 0 goto out',
  'r6 = r0',
  'r1 = r6',
  'r2 = map m',
  'r3 = 0',
  `call ${init}`,
  'r1 = r6',
  'r2 = func later',
  ...(of === 'wq' ? ['r3 = 0', 'r4 = 0'] : []),
  `call ${set}`,
  ...(starts ? starting('r6') : []),
  ...(undone === 'cancel' ? ['r1 = r6', 'call bpf_timer_cancel'] : []),
  ...(undone === 'delete' ? [...key, 'call bpf_map_delete_elem'] : []),
)}out:
    r0 = 2
    exit
later:
${lines(
  'r6 = r3',
  'r1 = *(u32 *)(r6 +16)',
  'r1 += 1',
  '*(u32 *)(r6 +16) = r1',
  'r2 = *(u32 *)(r2 +0)',
  'r2 += 5',
  '*(u32 *)(r6 +20) = r2',
  ...(again ? starting('r6') : []),
  'r0 = 0',
  'exit',
)}`;
}

const LATER = runsLater(9);

/** The run in which all callbacks run that may; how often one did, and what it wrote last. */
function ran(shape: Shape, choices: ReadonlyMap<string, string> = LATER) {
  const { program, env } = parseCase(text(shape));
  const verdict = verify(program);
  if (!verdict.ok) throw new Error(verdict.message);
  const { facts } = verdict;
  const given = { ...env, choices: new Map([...env.choices, ...choices]) };
  const vm = new Vm(program, { env: given, facts, checkFacts: true });
  const result = vm.run();
  expect([result.violations, result.disagreement]).toEqual([[], undefined]);
  const { machine } = vm;
  const value = machine.maps.contents(machine.memory, 0, Uint8Array.of(3, 0, 0, 0));
  return { result, runs: value?.[16], wrote: value?.[20], env: given, program, facts };
}

/** Starts the timer of the same key in map n, and then deletes the entry of map m. */
const SECOND = `${lines(
  'r1 = map n',
  'r2 = r10',
  'r2 += -4',
  'call bpf_map_lookup_elem',
  'if r0 == 0 goto gone',
  'r6 = r0',
  'r1 = r6',
  'r2 = map n',
  'r3 = 0',
  'call bpf_timer_init',
  'r1 = r6',
  'r2 = func later',
  'call bpf_timer_set_callback',
  'r1 = r6',
  'r2 = 1000',
  'r3 = 0',
  'call bpf_timer_start',
)}gone:
${lines('r1 = map m', 'r2 = r10', 'r2 += -4', 'call bpf_map_delete_elem', 'r0 = 2', 'exit')}`;

const both = ['timer', 'wq'] as const;
const maps = ['array', 'hash'] as const;

describe.each(both)('a %s', (of) => {
  test.each(maps)(
    'runs its callback once after the program, with the key and the value in a map of type %s',
    (map) => {
      const { runs, wrote, result } = ran({ of, map });
      expect([runs, wrote, result.end]).toEqual([1, 8, 'exit']);
    },
  );

  test('that was only set, or of which the environment says nothing, does not run', () => {
    expect(ran({ of, map: 'array', starts: false }).runs).toBe(0);
    expect(ran({ of, map: 'array' }, new Map()).runs).toBe(0);
  });

  test('whose entry was deleted does not run', () => {
    const { result, runs } = ran({ of, map: 'hash', undone: 'delete' });
    const whole = ran({ of, map: 'hash' }).result;
    expect(runs).toBeUndefined();
    expect(result.env.choices.has('later#1') && result.steps > whole.steps).toBe(false);
  });

  test('that starts itself again runs again, as often as the environment says', () => {
    const { runs } = ran({ of, map: 'array', again: true });
    expect(runs).toBe(9);
    for (const n of [1, 2, 5]) expect(ran({ of, map: 'array', again: true }, runsLater(n)).runs).toBe(n);
  });
});

test('a timer whose entry was deleted does not keep another one from running', () => {
  const two = text({ of: 'timer', map: 'hash' })
    .replace(
      '.env map m[03000000]=00',
      '$&\n.map n hash key=4 value=24 entries=4 timer@0\n.env map n[03000000]=00',
    )
    .replace('out:\n', `    goto more\nout:\n`)
    .replace('later:\n', `more:\n${SECOND}later:\n`);
  const { program, env } = parseCase(two);
  const verdict = verify(program);
  expect(verdict.ok).toBe(true);
  const vm = new Vm(program, { env: { ...env, choices: LATER } });
  expect(vm.run().violations).toEqual([]);
  const { machine } = vm;
  expect(machine.maps.contents(machine.memory, 1, Uint8Array.of(3, 0, 0, 0))?.[16]).toBe(1);
});

test('after bpf_timer_cancel no callback runs', () => {
  expect(ran({ of: 'timer', map: 'array', undone: 'cancel' }).runs).toBe(0);
});

test('a callback returns 0, whatever the program may return', () => {
  const { program, env } = parseCase(text({ of: 'timer', map: 'array' }));
  const bad = { ...env, choices: new Map([...env.choices, ...LATER]) };
  const last = program.insns.length - 2;
  const insns = program.insns.map((insn, i) => (i === last ? { ...insn, imm: 1 } : insn));
  const { violations } = new Vm({ ...program, insns }, { env: bad }).run();
  expect(violations.map(({ check, message }) => [check, message])).toEqual([
    ['return', 'callback returns 1, allowed is 0 to 0'],
  ]);
});

test('a run is killed in the callback as anywhere else, and no callback runs after a kill', () => {
  for (const of of both) {
    const { program, env, facts, result } = ran({ of, map: 'array', again: true });
    const path = fastPath(program, facts, sound);
    const report = killEverywhere(program, path, env, { facts });
    expect(report.points).toBe(result.steps);
    expect(report.violations).toEqual([]);
    const steps = Array.from({ length: result.steps }, (_, i) => i);
    const one = killedAt(prepare(program), { env, fastPath: path, facts }, steps);
    // A class of kills has one end.
    const whole = { points: new KillPoints(), end: steps.length };
    killInClasses(new Vm(program, { env, fastPath: path, facts }), whole, ({ first, last, result: end }) => {
      for (let at = first; at <= last; at++) expect([at, one[at]!.steps]).toEqual([at, end.steps]);
    });
    // Killed before it comes to its exit, the program leaves; the callback is not entered.
    const entry = program.subprogs.find(({ start }) => start > 0)!.start;
    const entries = (run: RunResult): boolean => run.env.choices.has('later#1');
    const first = one.findIndex(entries);
    const vm = new Vm(program, { env });
    vm.advance(first);
    expect(vm.machine.pc).toBe(entry);
    expect(one.slice(0, first).some(entries)).toBe(false);
  }
});

test('generated programs keep the facts in their callbacks, and what they do there replays', () => {
  let later = 0;
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const { program } = sample(seed % 1000, seed >>> 10);
      const verdict = verify(program);
      if (!verdict.ok) return;
      const { facts } = verdict;
      const vm = new Vm(program, {
        ...{ facts, checkFacts: true, chooser: seededChooser(seed) },
        env: { choices: LATER },
      });
      const { disagreement, violations, env, r0, steps } = vm.run();
      expect([disagreement, violations]).toEqual([undefined, []]);
      if (![...env.choices.keys()].some((key) => key.startsWith('later'))) return;
      later++;
      const again = new Vm(program, { env }).run();
      expect([again.r0, again.steps]).toEqual([r0, steps]);
    }),
    seeded(120),
  );
  expect(later).toBeGreaterThan(0);
});
