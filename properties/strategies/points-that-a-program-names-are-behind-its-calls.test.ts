/**
 * A program may name the points where it is to be killed: just behind its calls of bpf_die_kfunc. They are the steps that one finds who runs it insn by
 * insn, in loops, functions and callbacks, however soon the run is given up. And a list of steps is asked as a list is: for the next one, and how many
 * there are from one to another.
 */
import { describe, expect, it } from 'vitest';
import { dieCalls } from '../../src/kernel/die.js';
import { NamedPoints, namedSteps } from '../../src/strategies/named-points.js';
import { parseCase } from '../../src/vm/case/case.js';
import { prepare } from '../../src/vm/state/code.js';
import { Vm } from '../../src/vm/vm.js';

const DIE = '    call bpf_die_kfunc\n';
const PROGRAMS: Readonly<Record<string, string>> = {
  'none at all': '    r0 = 0\n    exit\n',
  'one that is not reached': `    r0 = 0\n    exit\nnever:\n${DIE}    goto never\n`,
  'first and last': `${DIE}    r6 = 1\n${DIE}    r0 = 0\n    exit\n`,
  'three in a row': `    r6 = 0\n${DIE.repeat(3)}    r0 = 0\n    exit\n`,
  'in a loop, one of two ways': `    r6 = 0
again:
    r6 += 1
    r7 = r6
    r7 &= 1
    if r7 == 0 goto over
${DIE}over:
    if r6 < 9 goto again
    r0 = 0
    exit
`,
  'in a function that is called twice': `    call f\n${DIE}    call f\n    r0 = 0\n    exit\nf:\n${DIE}    r0 = 1\n    exit\n`,
  'in a callback': `    r1 = 4
    r2 = func round
    r3 = 0
    r4 = 0
    call bpf_loop
${DIE}    r0 = 0
    exit
round:
${DIE}    r0 = 0
    exit
`,
};

describe('the points that a program names', () => {
  it.each(Object.entries(PROGRAMS))('%s', (_, text) => {
    const code = prepare(parseCase(`.type tc\n${text}`).program);
    const calls = dieCalls(code);
    const whole = new Vm(code).run().steps;
    for (let maxSteps = 1; maxSteps <= whole + 2; maxSteps++) {
      const behind: number[] = [];
      const vm = new Vm(code);
      while (vm.running && vm.machine.steps < maxSteps) {
        const named = calls.has(vm.machine.pc);
        vm.step();
        if (named && vm.running) behind.push(vm.machine.steps);
      }
      expect([maxSteps, namedSteps(code, { maxSteps })]).toEqual([maxSteps, behind]);
    }
    expect(namedSteps(code, {}).length > 0).toBe(calls.size > 0 && !text.includes('never'));
  });

  it('are asked as a list', () => {
    for (const steps of [[], [0], [3], [3, 4, 9], [0, 1, 2, 30]]) {
      const points = new NamedPoints(steps);
      for (let first = 0; first < 32; first++) {
        const later = Array.from({ length: 40 }, (_, i) => first + i).filter((step) => steps.includes(step));
        expect(points.from(first)).toBe(later[0] ?? Number.POSITIVE_INFINITY);
        for (let last = first - 1; last < 32; last++)
          expect(points.count(first, last)).toBe(later.filter((step) => step <= last).length);
      }
    }
  });
});
