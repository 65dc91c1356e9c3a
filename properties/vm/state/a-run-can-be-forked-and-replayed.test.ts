import { describe, expect, test } from 'vitest';
import { sample } from '../../../generators/sample.js';
import type { Program } from '../../../src/object/program.js';
import { fastPath } from '../../../src/patch/fast-path.js';
import sound from '../../../src/patch/sets/sound.js';
import { verify } from '../../../src/verifier/verify.js';
import { killEverywhere, killRandomly } from '../../../src/vm/kill.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { Vm } from '../../../src/vm/vm.js';
import { fingerprint } from '../../support/vm/runs.js';
import { SAMPLES } from '../../support/vm/sample-cases.js';

const PROGRAMS: readonly (readonly [string, Program])[] = [
  ...[...SAMPLES].map(([name, { program }]) => [name, program] as const),
  ...Array.from({ length: 40 }, (_, index) => [`program ${index}`, sample(5, index).program] as const),
];
const LIMIT = 1500;
const KEEP = { rules: 'keep', stubs: new Map() };

describe('a fork goes on like its original, and neither sees the other', () => {
  for (const killed of [false, true]) {
    test(killed ? 'killed' : 'unkilled', () => {
      for (const [name, program] of PROGRAMS) {
        const options = { chooser: seededChooser(3), maxSteps: LIMIT, bound: LIMIT };
        const alone = new Vm(program, options);
        const { steps } = new Vm(program, options).run();
        for (let at = 0; at < Math.min(steps, 60); at += 1 + Math.floor(steps / 12)) {
          const original = new Vm(program, options);
          original.advance(at);
          const before = fingerprint(original);
          const first = original.fork();
          const second = original.fork();
          if (killed) for (const one of [first, second]) one.kill();
          first.run();
          expect(fingerprint(original), name).toEqual(before);
          second.run();
          expect(fingerprint(second), name).toEqual(fingerprint(first));
          if (killed) continue;
          original.run();
          expect(fingerprint(first), name).toEqual(fingerprint(original));
        }
        if (!killed) alone.run();
      }
    });
  }
});

describe('a recorded environment replays the run alone', () => {
  test('run to its end', () => {
    for (const [name, program] of PROGRAMS) {
      for (let seed = 0; seed < 4; seed++) {
        const first = new Vm(program, { chooser: seededChooser(seed), maxSteps: LIMIT });
        const { env } = first.run();
        const again = new Vm(program, { env, maxSteps: LIMIT });
        again.run();
        expect(fingerprint(again), `${name}, seed ${seed}`).toEqual(fingerprint(first));
      }
    }
  });

  test('and killed on its way', () => {
    for (const [name, program] of PROGRAMS) {
      const chooser = seededChooser(9);
      const first = new Vm(program, { chooser, maxSteps: LIMIT, bound: LIMIT });
      first.advance(7);
      if (!first.running) continue;
      first.kill();
      const { env } = first.run();
      const again = new Vm(program, { env, maxSteps: LIMIT, bound: LIMIT });
      again.advance(7);
      again.kill();
      again.run();
      expect(fingerprint(again), name).toEqual(fingerprint(first));
    }
  });

  test('different seeds do make different runs', () => {
    const ends = new Set<string>();
    const { program } = SAMPLES.get('record')!;
    for (let seed = 0; seed < 20; seed++) {
      const { env } = new Vm(program, { chooser: seededChooser(seed) }).run();
      ends.add([...env.choices].join());
    }
    expect(ends.size).toBeGreaterThan(5);
  });
});

describe('killing everywhere is killing at each step', () => {
  test('with the same results as runs that start over', () => {
    for (const [name, program] of PROGRAMS) {
      const chooser = seededChooser(1);
      const verdict = verify(program, { budget: 20_000 });
      if (!verdict.ok) continue;
      const path = name.length % 2 === 0 ? fastPath(program, verdict.facts, sound) : KEEP;
      const { points, run, violations, worstSteps } = killEverywhere(program, path, undefined, {
        chooser,
        maxSteps: 150,
      });
      expect(points, name).toBe(run.steps);
      const direct: unknown[] = [];
      let worst = 0;
      for (let at = 0; at < points; at++) {
        const vm = new Vm(program, { chooser, fastPath: path });
        vm.advance(at);
        const from = vm.machine.pc;
        vm.kill();
        const result = vm.run();
        worst = Math.max(worst, result.steps - at);
        direct.push(...result.violations.map((violation) => ({ ...violation, at, from })));
      }
      expect(violations, name).toEqual(direct);
      expect(worstSteps, name).toBe(worst);
    }
  });

  test('killing at random points finds no others', () => {
    for (const [name, program] of PROGRAMS) {
      const options = { chooser: seededChooser(2), maxSteps: 300 };
      const all = killEverywhere(program, KEEP, undefined, options).violations.map((one) =>
        JSON.stringify(one),
      );
      const some = killRandomly(program, KEEP, undefined, { ...options, kills: 6, seed: 4 });
      expect(some.points, name).toBeGreaterThan(0);
      expect(some.points, name).toBeLessThanOrEqual(6);
      for (const one of some.violations) expect(all, name).toContain(JSON.stringify(one));
    }
  });
});
