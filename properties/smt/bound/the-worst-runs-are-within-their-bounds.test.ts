/**
 * For each construct that goes round under the control of the kernel: its worst run, in the VM and as a test run of Linux, takes no more insns than
 * the bound promises, from the start and from every insn on the way; and the bound is not much more than the worst run where rounds are counted.
 */
import { describe, expect, it } from 'vitest';
import type { Program } from '../../../src/object/program.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { testRun } from '../../../src/oracle/testrun.js';
import { rule, ruleSet } from '../../../src/patch/define.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import type { FastPath } from '../../../src/patch/rule.js';
import { bounds } from '../../../src/smt/bound.js';
import { walkPatched } from '../../../src/smt/patched.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { EMPTY } from '../../../src/vm/state/environment.js';
import { filled } from '../../../src/vm/state/fill.js';
import { Vm } from '../../../src/vm/vm.js';
import { describeKnownKernel } from '../../support/kernel/skip.js';

const KEEPS = ruleSet('keeps', [rule('everything runs').keep()]);

/** Counts a round in the first word of map c. */
const COUNT = ` r6 = mapvalue c
 r7 = *(u64 *)(r6 +0)
 r7 += 1
 *(u64 *)(r6 +0) = r7
`;
const RESULT = ` r6 = mapvalue c
 r0 = *(u64 *)(r6 +0)
 exit
`;
const callLoop = (count: number, each: string): string => ` r1 = ${count}
 r2 = func ${each}
 r3 = 0
 r4 = 0
 call bpf_loop
`;
const iterate = (name: string, make: string): string => `main:
${make} r1 = r10
 r1 += -64
 call ${name}_new
next:
 r1 = r10
 r1 += -64
 call ${name}_next
 if r0 == 0 goto done
${COUNT} goto next
done:
 r1 = r10
 r1 += -64
 call ${name}_destroy
${RESULT}`;

const NODES = 500;
/** Puts nodes into a tree, each behind all others; map c counts the comparisons. */
const TREE = `.map t array key=4 value=24 entries=1 spin_lock@0 rb_root:item:node@8
.struct item size=40 rb_node@8
main:
${callLoop(NODES, 'insert')}${RESULT}insert:
 r1 = 1
 r2 = 0
 call bpf_obj_new_impl
 if r0 == 0 goto full
 r8 = r0
 r1 = mapvalue t
 call bpf_spin_lock
 r1 = mapvalue t +8
 r2 = r8
 r2 += 8
 r3 = func less
 r4 = 0
 r5 = 0
 call bpf_rbtree_add_impl
 r1 = mapvalue t
 call bpf_spin_unlock
full:
 r0 = 0
 exit
less:
${COUNT} r0 = 0
 exit
`;
/** Puts nodes into a list, and takes them out again. */
const LIST = `.map t array key=4 value=24 entries=1 spin_lock@0 list_head:item:node@8
.struct item size=40 list_node@8
main:
${callLoop(NODES, 'put')}${callLoop(NODES + 1, 'take')}${RESULT}put:
 r1 = 1
 r2 = 0
 call bpf_obj_new_impl
 if r0 == 0 goto full
 r8 = r0
 r1 = mapvalue t
 call bpf_spin_lock
 r1 = mapvalue t +8
 r2 = r8
 r2 += 8
 r3 = 0
 r4 = 0
 call bpf_list_push_front_impl
 r1 = mapvalue t
 call bpf_spin_unlock
full:
 r0 = 0
 exit
take:
 r1 = mapvalue t
 call bpf_spin_lock
 r1 = mapvalue t +8
 call bpf_list_pop_front
 r8 = r0
 r1 = mapvalue t
 call bpf_spin_unlock
 if r8 == 0 goto empty
 r8 += -8
 r1 = r8
 r2 = 0
 call bpf_obj_drop_impl
${COUNT} r0 = 0
 exit
empty:
 r0 = 1
 exit
`;
const NESTED = `main:
${callLoop(40, 'outer')}${RESULT}outer:
${callLoop(50, 'inner')} r0 = 0
 exit
inner:
${COUNT} r0 = 0
 exit
`;
const INNER_ARRAY = `.map in array key=4 value=8 entries=50
.map out array_of_maps key=4 value=4 entries=2 inner=in
main:
 *(u32 *)(r10 -4) = 1
 r1 = map out
 r2 = r10
 r2 += -4
 call bpf_map_lookup_elem
 if r0 == 0 goto over
 r1 = r0
 r2 = func each
 r3 = 0
 r4 = 0
 call bpf_for_each_map_elem
over:
${RESULT}each:
${COUNT} r0 = 0
 exit
`;
const BITS = 511;
const numbers = (count: number): string => iterate('bpf_iter_num', ` r2 = 0\n r3 = ${count}\n`);

interface Worst {
  readonly text: string;
  /** Rounds of the worst run. */
  readonly rounds: number;
  /** Another program for the VM, of fewer rounds, that is promised no more. */
  readonly inVm?: { readonly text: string; readonly rounds: number };
  /** The bound may be so many times the insns of the worst run. */
  readonly within: number;
  /** Entries of maps that begin empty. */
  readonly fill?: number;
  /** Why no test run of Linux is the worst. */
  readonly notInLinux?: string;
}

/** A red-black tree's depth hangs on how it grew: of 500 nodes it is at most 2 * log2(501). */
const MOST_COMPARED = NODES * 2 * Math.ceil(Math.log2(NODES + 1));

const WORST: Readonly<Record<string, Worst>> = {
  'nested loops': { text: NESTED, rounds: 2000, within: 1.4 },
  'an iterator over numbers': {
    text: numbers(2 ** 23),
    rounds: 2 ** 23,
    within: 1.2,
    inVm: { text: numbers(10_000), rounds: 10_000 },
  },
  'an iterator over bits': {
    text: `.map b array key=4 value=${8 * BITS} entries=1 initial=${'ff'.repeat(8 * BITS)}
${iterate('bpf_iter_bits', ` r2 = mapvalue b\n r3 = ${BITS}\n`)}`,
    rounds: 64 * BITS,
    within: 1.2,
  },
  'a list that is filled and emptied': { text: LIST, rounds: NODES, within: 1.2 },
  // A tree may have any number of nodes, so 120 comparisons are promised; 500 nodes take no more than 18.
  'a tree that grows': { text: TREE, rounds: MOST_COMPARED, within: 120 },
  'an array in a map of maps': {
    text: INNER_ARRAY,
    rounds: 50,
    within: 1.4,
    fill: 2,
    notInLinux: 'a map of maps is filled by user space',
  },
};

const read = (text: string) =>
  parseCase(`.type syscall\n.license GPL\n.map c array key=4 value=8 entries=1\n${text}`).program;

/** What is promised of a program that goes on as it is, from the start and from each insn. */
function promised(program: Program): {
  readonly path: FastPath;
  readonly bound: number;
  readonly bySlot: ReadonlyMap<number, number>;
} {
  const verified = verify(program);
  if (!verified.ok) throw new Error(verified.message);
  const { code, facts, lastId, kernel, profile } = verified;
  const path = fastPath(program, facts, KEEPS);
  const patched = walkPatched(program, code, facts, path, lastId, {
    profile,
    kernel,
    budget: 1_000_000,
    failures: 1,
  });
  expect(patched.failures).toEqual([]);
  const { worst, bySlot, notes } = bounds(program, code, facts, path, patched, kernel);
  expect([worst.ms, notes]).toEqual([0, []]);
  return { path, bound: worst.insns, bySlot: new Map([...bySlot].map(([slot, { insns }]) => [slot, insns])) };
}

describe('the worst run in the VM is within the bound', () => {
  it.each(Object.entries(WORST))('%s', (_, { text, rounds, within, fill = 0, inVm }) => {
    const program = read(inVm?.text ?? text);
    const { path, bound, bySlot } = promised(program);
    const vm = new Vm(program, { env: filled(program, EMPTY, fill), fastPath: path, maxSteps: 10_000_000 });
    // The first steps of the run, and where they stood: what is left from there is promised as well.
    const slots: number[] = [];
    while (vm.running && slots.length < 20_000) {
      slots.push(vm.machine.pc);
      vm.step();
    }
    const { end, steps, r0, violations } = vm.run();
    expect([end, violations]).toEqual(['exit', []]);
    const most = inVm?.rounds ?? rounds;
    expect(Number(r0)).toBeLessThanOrEqual(most);
    expect(Number(r0)).toBeGreaterThanOrEqual(most === MOST_COMPARED ? NODES : most);
    expect(steps).toBeLessThanOrEqual(bound);
    expect(bound / steps).toBeLessThanOrEqual((within * rounds) / most);
    const broken = slots.filter((slot, step) => steps - step > (bySlot.get(slot) ?? -1));
    expect(broken).toEqual([]);
  });
});

describeKnownKernel('Linux goes round as often', () => {
  const run = Object.entries(WORST).filter(([, { notInLinux }]) => notInLinux === undefined);
  it.each(run)('%s', { timeout: 60_000 }, (_, { text, rounds }) => {
    const program = read(text);
    const { bound } = promised(program);
    const loaded = loadProgram(program);
    if (!loaded.ok) throw new Error(loaded.message);
    try {
      const result = testRun(program, loaded);
      if (!result.ok) throw new Error(result.message);
      const went = Number(result.retval);
      expect(went).toBeLessThanOrEqual(rounds);
      expect(went).toBeGreaterThanOrEqual(rounds === MOST_COMPARED ? NODES : rounds);
      // A round takes four insns at the least: those that count it.
      expect(4 * went).toBeLessThanOrEqual(bound);
    } finally {
      loaded.close();
    }
  });
});
