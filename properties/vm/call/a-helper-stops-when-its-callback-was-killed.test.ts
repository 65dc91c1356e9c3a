/**
 * A helper whose callback runs when the kill comes calls back no more: when that callback leaves, the helper returns. So it is for every
 * helper that calls back, at every insn of every callback, and for each of several that lie inside each other.
 */
import { expect, it } from 'vitest';
import type { Program } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { Vm } from '../../../src/vm/vm.js';
import { STATE_CASES } from '../../support/vm/state-cases.js';

/** Depths at which callbacks run, the innermost last. */
const callbackDepths = (vm: Vm): number[] =>
  vm.machine.frames.flatMap((frame, i) => (frame.helper === undefined ? [] : [i + 1]));

/** Whether the insn that comes next leaves its frame. */
const leaves = (vm: Vm): boolean => vm.machine.code.ops[vm.machine.pc]?.kind === 'exit';

/** Names of the helpers that were stopped in this way. */
function stopped(program: Program): ReadonlySet<string> {
  const vm = new Vm(program);
  const names = new Set<string>();
  while (vm.running) {
    const depths = callbackDepths(vm);
    if (depths.length > 0) {
      for (const { helper } of vm.machine.frames) if (helper !== undefined) names.add(helper.name);
      const killed = vm.fork();
      killed.kill();
      runOut(killed, depths);
    }
    vm.step();
  }
  return names;
}

function runOut(vm: Vm, depths: number[]): void {
  while (vm.running) {
    const depth = vm.machine.frames.length;
    const innermost = depths.at(-1);
    const last = depth === innermost && leaves(vm);
    vm.step();
    if (!last) continue;
    depths.pop();
    expect([vm.machine.steps, vm.machine.frames.length]).toEqual([vm.machine.steps, depth - 1]);
  }
}

it('every helper that calls back', () => {
  const names = new Set<string>();
  for (const program of STATE_CASES.values()) for (const name of stopped(program)) names.add(name);
  expect([...names].sort()).toEqual(
    expect.arrayContaining(['bpf_for_each_map_elem', 'bpf_loop', 'bpf_rbtree_add_impl']),
  );
});

it('but one that is called after the kill makes all its rounds, at the same depth or deeper', () => {
  const rounds = (first: string, second: string): string => `.type xdp
main:
    *(u64 *)(r10 -8) = 0
    r6 = r10
    r6 += -8
${first}${second}    r0 = *(u64 *)(r10 -8)
    exit
round:
    r1 = *(u64 *)(r2 +0)
    r1 += 1
    *(u64 *)(r2 +0) = r1
    r0 = 0
    exit
inside:
    r6 = r2
    r1 = 3
    r2 = func round
    r3 = r6
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
`;
  const loop = (count: number, callback: string): string =>
    `    r1 = ${count}\n    r2 = func ${callback}\n    r3 = r6\n    r4 = 0\n    call bpf_loop\n`;
  for (const [second, more] of [
    [loop(5, 'round'), 5n],
    [loop(2, 'inside'), 6n],
  ] as const) {
    const vm = new Vm(parseCase(rounds(loop(4, 'round'), second)).program);
    while (vm.machine.frames.length < 2) vm.step();
    // Killed in its first round, the first helper makes no other.
    vm.kill();
    expect(vm.run().r0).toBe(1n + more);
  }
});
