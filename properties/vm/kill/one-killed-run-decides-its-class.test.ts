/**
 * A run that is killed class by class shows what killing it before every insn shows: for each point the same end, steps, checks, what is held,
 * and choices. So it is under every rule set, in runs that must be prompt, that may take only few steps, that leave the facts, that end in
 * any way, and in both tiers. And the classes are no smaller than they must be.
 */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { pathOf, prepareProgram, runOptions } from '../../../src/campaign/kill/prepared-program.js';
import type { FastPath } from '../../../src/patch/rule.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import type { Facts } from '../../../src/verifier/result.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { pausesAt } from '../../../src/vm/insn/pauses.js';
import {
  type KilledAlike,
  KillPoints,
  killInClasses,
  whereKillsDiffer,
} from '../../../src/vm/kill-classes.js';
import { type Code, prepare } from '../../../src/vm/state/code.js';
import type { MachineState } from '../../../src/vm/state/machine.js';
import { type RunResult, Vm, type VmOptions } from '../../../src/vm/vm.js';
import { STATE_CASES } from '../../support/vm/state-cases.js';
import { call, lines } from '../../support/vm/text.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const LONGEST = 400;
const KEEP: FastPath = { rules: 'keep', stubs: new Map() };

/** What a killed run shows besides the point of its kill. */
const shown = ({ end, r0, steps, held, violations, env }: RunResult): unknown => ({
  end,
  r0,
  steps,
  held,
  violations,
  env,
});

/** What is counted at the points of a run: calls, and what is held. */
class Counts {
  readonly all = new Map<string, number>();

  add(machine: MachineState, points: number, here: boolean): void {
    const name = machine.code.contracts[machine.pc]?.name;
    if (here && name !== undefined) this.count(`call ${name}`, 1);
    this.count(`held ${machine.ledger.holds.map((hold) => hold.kind).join()}`, points);
  }

  private count(what: string, times: number): void {
    this.all.set(what, (this.all.get(what) ?? 0) + times);
  }
}

interface Killed {
  readonly results: ReadonlyMap<number, unknown>;
  readonly counts: ReadonlyMap<string, number>;
  readonly ordinary: unknown;
}

/** Kills a copy before every insn. `differing`: how many insns may differ by whether the kill is before or behind them. */
function oneByOne(
  code: Code,
  options: VmOptions,
  points: KillPoints,
): Killed & { readonly differing: number } {
  const vm = new Vm(code, options);
  const results = new Map<number, unknown>();
  const counts = new Counts();
  const differ = whereKillsDiffer(code, options);
  let differing = 0;
  while (vm.running && vm.machine.steps < LONGEST) {
    const { steps } = vm.machine;
    if (points.from(steps) === steps) {
      counts.add(vm.machine, 1, true);
      const killed = vm.fork();
      killed.kill();
      results.set(steps, shown(killed.run()));
    }
    if (pausesAt(vm.machine, vm.machine.pc, differ)) differing++;
    vm.step();
  }
  return { results, counts: counts.all, ordinary: vm.result(), differing };
}

function byClass(code: Code, options: VmOptions, points: KillPoints): Killed & { readonly classes: number } {
  const vm = new Vm(code, options);
  const results = new Map<number, unknown>();
  const counts = new Counts();
  let classes = 0;
  const tell = ({ first, last, result }: KilledAlike): void => {
    classes++;
    const before = results.size;
    const one = shown(result);
    for (let step = first; step <= last; step = points.from(step + 1)) results.set(step, one);
    if (results.size - before !== points.count(first, last)) throw new Error(`points ${first} to ${last}`);
  };
  const watch = (machine: MachineState, many: number, here: boolean) => counts.add(machine, many, here);
  killInClasses(vm, { points, end: LONGEST, watch }, tell);
  return { results, counts: counts.all, ordinary: vm.result(), classes };
}

const ALL = new KillPoints();

/** Both, and whether one killed run was enough for each class. */
function alike(
  code: Code,
  options: VmOptions,
  points = ALL,
): { readonly runs: number; readonly points: number } {
  const { differing, ...expected } = oneByOne(code, options, points);
  const { classes, ...got } = byClass(code, options, points);
  // Much quicker than `toEqual`, which is asked only to show what differs.
  const inOrder = isDeepStrictEqual([...got.results], [...expected.results]);
  if (!inOrder || !isDeepStrictEqual(got, expected)) {
    expect([...got.results]).toEqual([...expected.results]);
    expect(got).toEqual(expected);
    throw new Error('what killing by classes shows differs');
  }
  if (options.bound === undefined) expect(classes).toBeLessThanOrEqual(differing + 1);
  // Told of no points, it kills the same.
  const quiet: number[] = [];
  killInClasses(new Vm(code, options), { points, end: LONGEST }, ({ first }) => quiet.push(first));
  expect(quiet.length).toBe(classes);
  return { runs: classes, points: expected.results.size };
}

/** Facts that hold nowhere at one slot: a run that comes there leaves them. */
const without = (facts: Facts, slot: number): Facts => ({
  ...facts,
  at: (at) => (at === slot ? [] : facts.at(at)),
});

describe('generated programs', () => {
  it.each(['keep', 'naive', 'rfc-v3', 'sound'])('under %s', (name) => {
    let [runs, points] = [0, 0];
    for (let index = 0; index < 15; index++) {
      const { program } = sample(SEED, index, { maxInsns: 80 });
      const prepared = prepareProgram(program, 'privileged');
      if (typeof prepared === 'string') throw new Error(prepared);
      const { code } = prepared;
      const path = name === 'keep' ? KEEP : pathOf(prepared, shippedRuleSet(name)!);
      const run = { ...runOptions(prepared, path), ...runEnvironment(program, SEED, index, index % 3) };
      const all = alike(code, run);
      runs += all.runs;
      points += all.points;
      const facts = without(prepared.verdict.facts, index % code.ops.length);
      const others: readonly (() => unknown)[] = [
        () => alike(code, { ...run, prompt: true, checkFacts: true }),
        () => alike(code, { ...run, bound: 1 + index, tier: 'definitional' }),
        () => alike(code, { ...run, checkFacts: true, facts }),
        () => alike(code, run, new KillPoints(index, 5)),
      ];
      others[index % others.length]!();
    }
    // That is what it is for.
    expect(runs).toBeLessThan(points / 3);
  });
});

describe('programs that', () => {
  const each: Readonly<Record<string, string>> = {
    'load from beyond the packet in a callback': `.type tc
${lines('r6 = r1', '*(u64 *)(r10 -8) = r1')}${call('bpf_loop', '4', 'func round', 'r6', '0')}${lines('r0 = 0', 'exit')}
round:
${lines('r6 = r2', 'r0 = *(u8 *)skb[r1]', 'r0 = *(u32 *)skb[5000]', 'r0 = 0', 'exit')}`,
    'call another program': `.type xdp
.map p prog_array key=4 value=4 entries=1
.env bpf_tail_call#1=jumped
${lines('r6 = r1', 'r7 = 1')}${call('bpf_tail_call', 'r6', 'map p', '0')}${lines('r0 = 0', 'exit')}`,
    'wait for something': `.type syscall
.env bpf_sys_close#1=done
${lines('r6 = 1', 'r7 = 1')}${call('bpf_sys_close', '3')}${lines('r6 = 2', 'r0 = 0', 'exit')}`,
    throw: `.type tc
${lines('r6 = 1', 'r6 += 1')}${call('bpf_throw', '0')}${lines('r0 = 0', 'exit')}`,
    'trap on their way': `.type tc
${lines('r6 = 1', 'r7 = 0', 'r8 = 2')}${call('bpf_get_prandom_u32')}${lines('r7 = *(u64 *)(r7 +0)', 'r0 = 0', 'exit')}`,
    'never end': `.type tc
again:
${lines('r6 = 1', 'goto again')}`,
    recurse: `.type tc
main:
${lines('r1 = 0', 'call down', 'exit')}
down:
${lines('r1 += 1', 'call down', 'exit')}`,
  };
  const programs = [
    ...Object.entries(each).map(([name, text]) => [name, parseCase(text)] as const),
    ...[...STATE_CASES].map(([name, program]) => [`change ${name}`, { program, env: undefined }] as const),
  ];

  it.each(programs)('%s', (_, { program, env }) => {
    const code = prepare(program);
    const stub = { r0: 0n, writes: [], slots: [] };
    const calls = code.contracts.flatMap((contract, slot) => (contract === undefined ? [] : [slot]));
    for (const stubs of [[], calls, calls.filter((_slot, nth) => nth % 2 === 0)]) {
      const fastPath = { rules: 'some', stubs: new Map(stubs.map((slot) => [slot, stub])) };
      const run = { fastPath, ...(env === undefined ? {} : { env }), bound: 50 };
      alike(code, { ...run, prompt: true });
      alike(code, { ...run, bound: 3 });
      alike(code, { ...run, bound: 0 }, new KillPoints(7, 3));
    }
  });
});

it('points are counted as they are gone through', () => {
  for (const [dense, stride] of [
    [0, 1],
    [3, 2],
    [5, 7],
  ] as const) {
    const points = new KillPoints(dense, stride);
    const is = (step: number): boolean => step < dense || (step - dense) % stride === 0;
    for (let first = 0; first < 30; first++) {
      let next = first;
      while (!is(next)) next++;
      expect(points.from(first)).toBe(next);
      for (let last = first - 1; last < 30; last++) {
        const steps = Array.from({ length: last - first + 1 }, (_, i) => first + i);
        expect(points.count(first, last)).toBe(steps.filter(is).length);
      }
    }
  }
});
