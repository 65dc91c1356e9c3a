/**
 * No run takes less than the best or more than the worst that is estimated of its program: generated programs, in worlds of every kind, timed insn by insn with
 * the same table.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { worldArbitrary, worldOf } from '../../generators/environment.js';
import { sample } from '../../generators/sample.js';
import { actualTime, TimedRun } from '../../src/cost/actual.js';
import { defaultCosts } from '../../src/cost/default-costs.js';
import { estimate } from '../../src/cost/estimate.js';
import type { CostOptions } from '../../src/cost/span.js';
import { verify } from '../../src/verifier/verify.js';
import { Vm } from '../../src/vm/vm.js';
import { seeded } from '../support/seed.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const STEPS = 20_000;
/** Sums of floating point numbers in another order differ in their last digits. */
const DIGITS = 1e-6;

describe('a run takes a time within its estimate', () => {
  const costs: CostOptions = { costs: defaultCosts() };
  const subjects = Array.from({ length: 120 }, (_, index) => {
    const { program } = sample(SEED, index, { maxInsns: 70 });
    const verified = verify(program);
    if (!verified.ok) throw new Error(verified.message);
    return { program, verified, found: estimate(program, verified, costs) };
  });

  it('in any world', () => {
    let ran = 0;
    fc.assert(
      fc.property(
        fc
          .constantFrom(...subjects)
          .chain((one) => fc.tuple(fc.constant(one), worldArbitrary(one.program.type))),
        ([{ program, verified, found }, spec]) => {
          const vm = new Vm(program, { ...worldOf(spec), facts: verified.facts });
          const time = actualTime(new TimedRun(vm, costs), STEPS);
          if (time === undefined || vm.machine.end === 'trap') return;
          ran++;
          expect(time.best).toBeGreaterThanOrEqual(found.best - DIGITS);
          expect(time.usual).toBeGreaterThanOrEqual(time.best);
          // What runs later is no part of the run; neither is another program.
          expect(time.worst).toBeLessThanOrEqual(found.worst + DIGITS);
        },
      ),
      seeded(400),
    );
    expect(ran).toBeGreaterThan(200);
  });

  it('and the estimate is no wider than the table', () => {
    const ratios = subjects.flatMap(({ found }) =>
      Number.isFinite(found.worst) ? [found.worst / found.best] : [],
    );
    expect(ratios.length).toBeGreaterThan(subjects.length / 4);
    for (const { found } of subjects) expect(found.best).toBeLessThanOrEqual(found.worst);
  });
});
