/**
 * Programs are accepted by construction: the kernel loads every generated program, every program that fast-check would shrink one to, and
 * the smallest call of every function, in every program type that may make it.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { whyRefused } from '../../generators/compile/refused.js';
import { outline } from '../../generators/fragment.js';
import { nearMissArbitrary } from '../../generators/near-miss.js';
import { GENERATED_TYPES, type GeneratedProgram, programArbitrary } from '../../generators/program.js';
import { type Shrinkable, sample, sampleTree } from '../../generators/sample.js';
import { coverageOf, smallestCall } from '../../generators/smallest-call.js';
import { contracts } from '../../src/kernel/catalog.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

describeKnownKernel('Linux accepts', () => {
  let judge: KernelJudge;
  beforeAll(() => {
    judge = new KernelJudge();
  });
  afterAll(() => judge.close());

  function expectAccepted({ program, tree }: GeneratedProgram): void {
    const { accepted, message, insn } = judge.judge(program);
    if (!accepted) throw new Error(`${program.type} at ${insn}: ${message}\n${outline(tree.body)}`);
  }

  it('every generated program', () => {
    fc.assert(fc.property(programArbitrary(), expectAccepted), seeded(600));
  });

  it('every program of a campaign', () => {
    for (let index = 0; index < 1500; index++) expectAccepted(sample(seeded(1).seed ?? 0, index));
  });

  it('what generated programs shrink to', () => {
    for (let index = 0; index < 40; index++) {
      let current: Shrinkable = sampleTree(seeded(1).seed ?? 0, index);
      // A few of the shrinks of each step, and one of them is gone on from.
      for (let step = 0; step < 6; step++) {
        const smaller: Shrinkable[] = [];
        for (const shrink of current.shrinks()) {
          expectAccepted(shrink.value);
          if (smaller.push(shrink) >= 12) break;
        }
        const next = smaller[(index + step) % Math.max(1, smaller.length)];
        if (next === undefined) break;
        current = next;
      }
    }
  });

  it('the smallest call of every function, in every program type that can make it', () => {
    for (const { name, types } of contracts()) {
      for (const type of types.filter((one) => GENERATED_TYPES.includes(one))) {
        const program = smallestCall(name, type);
        if (program === undefined) {
          expect(whyRefused(name, type), `${name} in ${type}`).toBeDefined();
          continue;
        }
        expect(coverageOf(program)).toContain(name);
        const { accepted, message } = judge.judge(program);
        expect(accepted, `${name} in ${type}: ${message}`).toBe(true);
      }
    }
  });

  it('not most near misses, so acceptance says something', () => {
    let refused = 0;
    const nearMisses = fc.sample(nearMissArbitrary({ maxInsns: 60 }), { numRuns: 300, seed: seeded(1).seed });
    for (const { program } of nearMisses) if (!judge.judge(program).accepted) refused++;
    expect(refused).toBeGreaterThan(120);
    expect(refused).toBeLessThan(300);
  });
});
