import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import type { Program } from '../../../src/object/program.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { Vm } from '../../../src/vm/vm.js';
import { seeded } from '../../support/seed.js';
import { anyProgram } from '../../support/vm/random-programs.js';
import { fingerprint } from '../../support/vm/runs.js';
import { SAMPLES } from '../../support/vm/sample-cases.js';

function both(one: Program, seed: number): [unknown, unknown] {
  const run = (tier: 'fast' | 'definitional'): unknown => {
    const vm = new Vm(one, { tier, chooser: seededChooser(seed), maxSteps: 2000 });
    vm.run();
    return fingerprint(vm);
  };
  return [run('fast'), run('definitional')];
}

describe('the fast tier does what the definitional one does', () => {
  test('on random arithmetic, memory and jumps', () => {
    fc.assert(
      fc.property(anyProgram, (one) => {
        const [fast, definitional] = both(one, 1);
        expect(fast).toEqual(definitional);
      }),
      seeded(800),
    );
  });

  test('step by step, also right before a fault', () => {
    fc.assert(
      fc.property(anyProgram, (one) => {
        const fast = new Vm(one, { tier: 'fast' });
        const slow = new Vm(one, { tier: 'definitional' });
        while (fast.running || slow.running) {
          fast.step();
          slow.step();
          expect([fast.machine.pc, fast.machine.readable, ...fast.machine.regs]).toEqual([
            slow.machine.pc,
            slow.machine.readable,
            ...slow.machine.regs,
          ]);
        }
      }),
      seeded(150),
    );
  });

  test('on the samples', () => {
    for (const [name, { program: one }] of SAMPLES) {
      for (let seed = 0; seed < 8; seed++) {
        const [fast, definitional] = both(one, seed);
        expect(fast, name).toEqual(definitional);
      }
    }
  });

  test('on generated programs', () => {
    for (let index = 0; index < 60; index++) {
      const [fast, definitional] = both(sample(11, index).program, index);
      expect(fast, `program ${index}`).toEqual(definitional);
    }
  });
});
