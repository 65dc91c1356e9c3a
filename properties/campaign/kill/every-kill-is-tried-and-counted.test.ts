/**
 * A run is killed before every one of its insns, once: what comes of it is what comes of one fresh run for each kill. Runs that are too long
 * are killed before their first 20,000 insns and before every 97th from there, up to 100,000, and are said to be.
 */
import { describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { disagreementOf, killBeforeEveryInsn, killedAt } from '../../../src/campaign/kill/kill-everywhere.js';
import { pathOf, prepareProgram, runOptions } from '../../../src/campaign/kill/prepared-program.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { prepare } from '../../../src/vm/state/code.js';
import { Vm, type VmOptions } from '../../../src/vm/vm.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const code = (text: string) => prepare(parseCase(`.type xdp\n\n${text}`).program);

/** One fresh run for each step, killed there. */
function oneByOne(program: ReturnType<typeof prepare>, options: VmOptions, steps: readonly number[]) {
  return steps.map((step) => {
    const vm = new Vm(program, options);
    vm.advance(step);
    vm.kill();
    return vm.run();
  });
}

describe('a run', () => {
  it.each(['naive', 'rfc-v1', 'sound'])(
    'killed before every insn is as many runs, each killed once (%s)',
    (name) => {
      let broken = 0;
      for (let index = 0; index < 12; index++) {
        const { program } = sample(SEED, index, { maxInsns: 60 });
        const prepared = prepareProgram(program, 'privileged');
        if (typeof prepared === 'string') throw new Error(prepared);
        const path = pathOf(prepared, shippedRuleSet(name)!);
        for (const k of [0, 1]) {
          const options = {
            ...runOptions(prepared, path),
            ...runEnvironment(program, SEED, index, k),
            maxSteps: 400,
          };
          const ordinary = new Vm(prepared.code, options).run();
          const steps = Array.from({ length: ordinary.steps }, (_, step) => step);
          const expected = oneByOne(prepared.code, options, steps);
          let watched = 0;
          const result = killBeforeEveryInsn(prepared.code, options, (_, points) => {
            watched += points;
          });
          expect(watched).toBe(steps.length);
          expect(result).toMatchObject({
            points: steps.length,
            everywhere: true,
            worst: Math.max(0, ...expected.map((one, step) => one.steps - step)),
            broken: expected.flatMap(({ violations, env }, step) =>
              violations.map((violation) => ({ violation, all: violations, step, env })),
            ),
            ordinary: { steps: ordinary.steps, end: ordinary.end, r0: ordinary.r0 },
          });
          broken += result.broken.length;
          // A few kills alone, the last one of them after the end.
          const few = steps.filter((step) => step % 3 === 1);
          expect(killedAt(prepared.code, options, [...few, steps.length, steps.length + 5])).toEqual(
            few.map((step) => expected[step]),
          );
        }
      }
      expect(broken > 0).toBe(name !== 'sound');
    },
  );

  it('in which a check breaks without a kill, or that leaves the facts, disagrees with the verifier', () => {
    const fine = new Vm(code('    r0 = 0\n    exit\n')).run();
    expect(disagreementOf(fine)).toBeUndefined();
    const bad = new Vm(code('    r1 = 0\n    r0 = *(u8 *)(r1 +0)\n    exit\n')).run();
    expect(disagreementOf(bad)).toMatch(/^fault at insn 1 of a run that was not killed: /);
    const excluded = { ...fine, disagreement: { slot: 3, step: 4, message: 'no' } };
    expect(disagreementOf(excluded)).toBe('the facts exclude the state at insn 3, step 4: no');
  });
});

describe('a long run', () => {
  /** A loop of `rounds` rounds of two insns, one insn before it and two after it. */
  const loop = (rounds: number) =>
    code(`    r1 = 0\nagain:\n    r1 += 1\n    if r1 != ${rounds} goto again\n    r0 = 0\n    exit\n`);
  /** Few steps after a kill, so that this takes no time. */
  const bound = 1;
  const pointsOf = (length: number): number =>
    length <= 20_000 ? length : 20_000 + Math.ceil((length - 20_000) / 97);

  it.each([
    [1, true],
    [9_998, true],
    [9_999, false],
    [10_046, false],
    [10_047, false],
    [12_000, false],
  ])('of %i rounds is killed before every insn: %s', (rounds, everywhere) => {
    const length = 2 * rounds + 3;
    const result = killBeforeEveryInsn(loop(rounds), { bound, stopsAtFirst: true });
    expect(result.ordinary).toMatchObject({ end: 'exit', steps: length });
    expect([result.points, result.everywhere]).toEqual([pointsOf(length), everywhere]);
    expect(result.broken.every(({ violation }) => violation.check === 'bound')).toBe(true);
    // Only the last insn is one insn from the exit.
    const [last] = result.broken.slice(-1);
    expect(last!.step).toBeLessThan(length - 1);
    expect(result.worst).toBe(1);
  });

  it('is left alone after 100,000 insns, or after as many as it may take', () => {
    const endless = loop(60_000);
    const result = killBeforeEveryInsn(endless, { bound, stopsAtFirst: true });
    expect(result).toMatchObject({ points: pointsOf(100_000), everywhere: false });
    const limited = killBeforeEveryInsn(endless, { bound, stopsAtFirst: true, maxSteps: 777 });
    expect(limited).toMatchObject({ points: 777, everywhere: true, ordinary: { end: 'limit', steps: 777 } });
    const steps = limited.broken.map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: 777 }, (_, step) => step));
  });
});
