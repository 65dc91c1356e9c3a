/**
 * A helper whose callback runs when the kill comes calls back no more: when that callback leaves, the helper returns. So it is for every
 * helper that calls back, at every insn of every callback, and for each of several that lie inside each other.
 */
import { expect, it } from 'vitest';
import type { Program } from '../../src/object/program.js';
import { Vm } from '../../src/vm/vm.js';
import { STATE_CASES } from '../support/vm/state-cases.js';

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
