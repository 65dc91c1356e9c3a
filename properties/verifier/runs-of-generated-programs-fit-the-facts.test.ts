/** Runs of generated programs, in worlds kind and unkind, are in no state that the verifier's facts exclude. */
import { expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { verify } from '../../src/verifier/verify.js';
import { defaultChooser, failingChooser, seededChooser } from '../../src/vm/state/chooser.js';
import { Vm } from '../../src/vm/vm.js';

const PROGRAMS = 200;
const SEED = Number(process.env.SWANSONG_SEED ?? 20);
const CHOOSERS = [defaultChooser, failingChooser, seededChooser(1), seededChooser(2)];

it(`runs of ${PROGRAMS} generated programs fit the facts`, () => {
  for (let index = 0; index < PROGRAMS; index++) {
    const { program } = sample(SEED, index);
    const verdict = verify(program, { budget: 20_000 });
    expect([index, verdict.ok ? '' : verdict.message]).toEqual([index, '']);
    if (!verdict.ok) continue;
    for (const chooser of CHOOSERS) {
      const vm = new Vm(program, { facts: verdict.facts, checkFacts: true, chooser, maxSteps: 2000 });
      expect([index, vm.run().disagreement]).toEqual([index, undefined]);
    }
  }
});
