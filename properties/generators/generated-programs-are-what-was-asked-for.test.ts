/** Sizes, types, functions and seeds: generated programs keep to what they were asked for, the same again for the same seed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LEAST_SLOTS } from '../../generators/compile/program.js';
import { isRefused } from '../../generators/compile/refused.js';
import { worldArbitrary, worldOf } from '../../generators/environment.js';
import { countFragments } from '../../generators/fragment.js';
import { BREAKS, breakProgram, nearMissArbitrary } from '../../generators/near-miss.js';
import { DEFAULT_MAX_INSNS, GENERATED_TYPES, programArbitrary } from '../../generators/program.js';
import { mix } from '../../generators/random.js';
import { isWrong, ruleArbitrary, wrongRuleArbitrary } from '../../generators/rule.js';
import { sample, sampleTree } from '../../generators/sample.js';
import { coverageOf, smallestCall } from '../../generators/smallest-call.js';
import { contracts } from '../../src/kernel/catalog.js';
import { imitableOutcomes } from '../../src/kernel/describe.js';
import { PROG_TYPES, type Program } from '../../src/object/program.js';
import { imitate } from '../../src/patch/imitate.js';
import { seeded } from '../support/seed.js';

const text = (program: Program): string => JSON.stringify(program);
const SEED = seeded(1).seed ?? 0;

describe('programs', () => {
  it('have at most the slots they were given', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: LEAST_SLOTS, max: 200 })
          .chain((maxInsns) => programArbitrary({ maxInsns }).map((made) => ({ made, maxInsns }))),
        ({ made, maxInsns }) =>
          made.program.insns.length >= LEAST_SLOTS && made.program.insns.length <= maxInsns,
      ),
      seeded(150),
    );
  });

  it('are mostly of 10 to 120 insns', () => {
    const sizes = Array.from({ length: 400 }, (_, index) => sample(SEED, index).program.insns.length);
    expect(sizes.filter((size) => size >= 10).length).toBeGreaterThan(350);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(DEFAULT_MAX_INSNS);
  });

  it('are the same for the same seed, whatever was drawn before', () => {
    const once = [3, 1, 200, 7].map((index) => text(sample(SEED, index).program));
    const again = [7, 200, 1, 3].map((index) => text(sample(SEED, index).program));
    expect(again.reverse()).toEqual(once);
  });

  it('differ between seeds and indices', () => {
    const texts = [...Array(30).keys()].flatMap((index) =>
      [1, 2].map((seed) => text(sample(seed, index).program)),
    );
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('are of the types that were asked for', () => {
    for (const type of PROG_TYPES) {
      for (const { program } of fc.sample(programArbitrary({ types: [type] }), { numRuns: 10, seed: SEED })) {
        expect(program.type).toBe(type);
      }
    }
  });

  it('call what they were asked to call', () => {
    const only = ['bpf_sk_lookup_tcp', 'bpf_sk_release'];
    const made = fc.sample(programArbitrary({ types: ['xdp'], only }), { numRuns: 20, seed: SEED });
    for (const { program } of made) expect(coverageOf(program)).toContain('bpf_sk_lookup_tcp');
  });

  it('call every function that can be called, within a few hundred', () => {
    const called = new Set<string>();
    for (let index = 0; index < 600; index++) {
      for (const name of coverageOf(sample(SEED, index).program)) called.add(name);
    }
    const missing = contracts().filter(
      ({ name, types }) =>
        !called.has(name) && types.some((type) => GENERATED_TYPES.includes(type) && !isRefused(name, type)),
    );
    expect(missing.map(({ name }) => name)).toEqual([]);
  });

  it('get smaller when they shrink', () => {
    for (let index = 0; index < 10; index++) {
      let current = sampleTree(SEED, index);
      for (let step = 0; step < 200; step++) {
        const [next] = current.shrinks();
        if (next === undefined) break;
        current = next;
      }
      expect(current.value.program.insns.length).toBeLessThanOrEqual(
        sample(SEED, index).program.insns.length,
      );
      expect(countFragments(current.value.tree.body)).toBeLessThanOrEqual(1);
    }
  });
});

describe('seeds', () => {
  it('do not collide over a campaign', () => {
    expect(new Set(Array.from({ length: 5000 }, (_, index) => mix(SEED, index))).size).toBeGreaterThan(4995);
  });
});

describe('smallest calls', () => {
  it('are small, and there is none of what does not exist', () => {
    for (const { name } of contracts()) expect(smallestCall(name)?.insns.length ?? 0).toBeLessThanOrEqual(40);
    expect(smallestCall('bpf_no_such_function')).toBeUndefined();
  });
});

describe('near misses', () => {
  it('differ from their originals', () => {
    fc.assert(
      fc.property(nearMissArbitrary(), ({ program, original }) => {
        expect(program.insns).not.toEqual(original.program.insns);
        expect(program.type).toBe(original.program.type);
      }),
      seeded(200),
    );
  });

  it('are made in every way', () => {
    const seen = new Set<string>();
    for (let index = 0; index < 60; index++) {
      const original = sample(SEED, index);
      for (const way of BREAKS) seen.add(breakProgram(original, way, index).what);
    }
    expect([...seen].sort()).toEqual([...BREAKS].sort());
  });
});

describe('rules', () => {
  it('that are wrong by construction are wrong', () => {
    fc.assert(
      fc.property(wrongRuleArbitrary(), ({ contract, stub }) => isWrong(contract, stub)),
      seeded(300),
    );
  });

  it('that imitate an outcome are not called wrong', () => {
    for (const contract of contracts()) {
      for (const outcome of imitableOutcomes(contract))
        expect(isWrong(contract, imitate(outcome)), contract.name).toBe(false);
    }
  });

  it('stub their function and no other', () => {
    fc.assert(
      fc.property(ruleArbitrary(), ({ rules, contract }) => rules.name === `stub-${contract.name}`),
      seeded(50),
    );
  });
});

describe('worlds', () => {
  it('have packets of at least a header, and decide the same way twice', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PROG_TYPES), worldArbitrary('xdp'), (_type, spec) => {
        const [one, two] = [worldOf(spec), worldOf(spec)];
        expect(one.env.packet?.length).toBeGreaterThanOrEqual(14);
        expect(one.chooser.index('a#1', 5)).toBe(two.chooser.index('a#1', 5));
        expect(one.chooser.number('a#1', -5n, 5n)).toBe(two.chooser.number('a#1', -5n, 5n));
      }),
      seeded(100),
    );
  });
});
