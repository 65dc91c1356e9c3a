/**
 * What a campaign counts beside calls: termination points by what stands there, what is held, how deep and where; stubs that really ran after a
 * kill; outcomes; pairs held together. For programs that were worked out by hand, and for generated ones against a count made here
 * a second time, by other means.
 */
import { expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { checkOne } from '../../../src/campaign/check/check.js';
import { matrixOf, sizeOfDiversity } from '../../../src/campaign/kill/diversity.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { pathOf, prepareProgram, runOptions } from '../../../src/campaign/kill/prepared-program.js';
import { loadRuleSets } from '../../../src/campaign/naming/rules.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { Vm } from '../../../src/vm/vm.js';
import { seeded } from '../../support/seed.js';

const SEED = seeded(1).seed ?? 0;
const [sound, naive] = await loadRuleSets(['sound', 'naive']);
const options = { seed: SEED, rules: [sound!], worlds: 1, prove: false };

const diversityOf = async (text: string) => (await checkOne(parseCase(text).program, 0, options)).diversity;

it('points of nested sections, and the calls that run after a kill', async () => {
  const { cells, stubs, kept, outcomes, pairs } = await diversityOf(`
.type   xdp
    call bpf_rcu_read_lock
    call bpf_preempt_disable
    call bpf_preempt_disable
    call bpf_preempt_enable
    call bpf_preempt_enable
    call bpf_rcu_read_unlock
    r0 = 0
    if r0 == 1 goto on
on:
    exit
`);
  expect(cells).toEqual({
    'bpf_preempt_disable, keep, preempt+rcu, depth 1, main': 1,
    'bpf_preempt_disable, keep, rcu, depth 1, main': 1,
    'bpf_preempt_enable, keep, preempt+rcu, depth 1, main': 2,
    'bpf_rcu_read_lock, keep, nothing, depth 1, main': 1,
    'bpf_rcu_read_unlock, keep, rcu, depth 1, main': 1,
    'no call, nothing, depth 1, main': 3,
  });
  // Two sections of one kind at one point, of three points where two kinds are held.
  expect(pairs).toEqual({ 'preempt+preempt': 1, 'preempt+rcu': 3 });
  expect(stubs).toEqual({});
  expect(Object.keys(kept).sort()).toEqual([
    'bpf_preempt_disable',
    'bpf_preempt_enable',
    'bpf_rcu_read_lock',
    'bpf_rcu_read_unlock',
  ]);
  expect(outcomes).toEqual({});
});

it('points in a subprogram and in a callback', async () => {
  const { cells, stubs } = await diversityOf(`
.type   xdp
    call sub
    r1 = 1
    r2 = func round
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
sub:
    r0 = 0
    exit
round:
    call sub
    *(u32 *)(r10 -4) = 0
    exit
`);
  // The call of the loop, its round, and what stands before no call of a kernel function: up to the loop, then a round, then the rest.
  expect(cells).toEqual({
    'bpf_loop, stub, nothing, depth 1, main': 1,
    'no call, nothing, depth 1, main': 9,
    'no call, nothing, depth 2, callback': 5,
  });
  expect(stubs).toEqual({ bpf_loop: 1 });
});

it('outcomes that the world chose, and references of one kind held together', async () => {
  const { outcomes, pairs, stubs, kept } = await diversityOf(`
.type   tracepoint
    r1 = 1
    call bpf_task_from_pid
    if r0 == 0 goto out
    r6 = r0
    r1 = 2
    call bpf_task_from_pid
    if r0 == 0 goto first
    r1 = r0
    call bpf_task_release
first:
    r1 = r6
    call bpf_task_release
out:
    r0 = 0
    exit
`);
  expect(outcomes).toEqual({ 'bpf_task_from_pid found': 2 });
  // The test, the move and the release.
  expect(pairs).toEqual({ 'task+task': 3 });
  expect(stubs).toEqual({ bpf_task_from_pid: 1 });
  expect(kept).toEqual({ bpf_task_release: 1 });
});

it('every point is in one cell, and the matrix has them all', async () => {
  for (let index = 0; index < 12; index++) {
    const { program } = sample(SEED, index);
    const report = await checkOne(program, index, { ...options, worlds: 2, rules: [sound!, naive!] });
    const { cells } = report.diversity;
    const sum = (counts: object): number =>
      Object.values(counts).reduce<number>((all, count) => all + (count as number), 0);
    expect(sum(cells)).toBe(report.points);
    expect(Object.values(matrixOf({ cells })).reduce((all, row) => all + sum(row), 0)).toBe(report.points);
    const size = sizeOfDiversity(report.diversity);
    expect(size.features).toBe(size.cells + size.stubs + size.kept + size.outcomes + size.pairs);
    expect(size.cells).toBe(Object.keys(cells).length);
  }
});

it('stubs and kept calls that ran are those that stand where killed runs come by', async () => {
  for (let index = 0; index < 12; index++) {
    const { program } = sample(SEED, index, { maxInsns: 60 });
    const prepared = prepareProgram(program, 'privileged');
    if (typeof prepared === 'string') throw new Error(prepared);
    const path = pathOf(prepared, naive!.rules);
    const passed = { stubs: new Set<string>(), kept: new Set<string>() };
    const vm = new Vm(prepared.code, {
      ...runOptions(prepared, path),
      ...runEnvironment(program, SEED, index, 0),
    });
    for (let steps = 0; vm.running && steps < 20_000; steps++, vm.step()) {
      const killed = vm.fork();
      killed.kill();
      for (let left = 100_000; killed.running && left > 0; left--, killed.step()) {
        const name = prepared.code.contracts[killed.machine.pc]?.name;
        if (name !== undefined) passed[path.stubs.has(killed.machine.pc) ? 'stubs' : 'kept'].add(name);
      }
    }
    const { diversity } = await checkOne(program, index, { ...options, rules: [naive!] });
    expect(Object.keys(diversity.stubs).sort()).toEqual([...passed.stubs].sort());
    expect(Object.keys(diversity.kept).sort()).toEqual([...passed.kept].sort());
  }
});
