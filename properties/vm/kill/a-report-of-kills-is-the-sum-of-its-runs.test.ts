/**
 * What is reported of a program that is killed before every insn is what one finds who kills it before each by hand: so many points, the longest killed run
 * counted from its kill, each broken check with the point and the insn before which the kill came, and the gravest of the earliest kill first.
 */
import { expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { runEnvironment } from '../../../src/campaign/kill/environments.js';
import { pathOf, prepareProgram } from '../../../src/campaign/kill/prepared-program.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import { killEverywhere, killRandomly } from '../../../src/vm/kill.js';
import { gravity } from '../../../src/vm/state/trap.js';
import { Vm } from '../../../src/vm/vm.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const LONGEST = 300;

it('points, longest run, broken checks', () => {
  let broken = 0;
  for (let index = 0; index < 30; index++) {
    const made = prepareProgram(sample(SEED, index, { maxInsns: 60 }).program, 'privileged');
    if (typeof made === 'string') continue;
    const fastPath = pathOf(made, shippedRuleSet('naive')!);
    const { env } = runEnvironment(made.program, SEED, index, 0);
    const options = { facts: made.verdict.facts, maxSteps: LONGEST };
    const report = killEverywhere(made.code, fastPath, env, options);
    const whole = new Vm(made.code, { ...options, env, fastPath });
    const expected = { points: 0, worstSteps: 0 };
    const violations: string[] = [];
    let worst: { check: string; at: number; grave: number } | undefined;
    for (; whole.running && whole.machine.steps < LONGEST; whole.step()) {
      const at = whole.machine.steps;
      const killed = whole.fork();
      killed.kill();
      const result = killed.run();
      expected.points++;
      expected.worstSteps = Math.max(expected.worstSteps, result.steps - at);
      for (const { check, slot } of result.violations) {
        violations.push(`${check} at ${slot}, killed at ${at} before ${whole.machine.pc}`);
        const grave = gravity(check);
        if (worst === undefined || grave < worst.grave) worst = { check, at, grave };
      }
    }
    const { points, worstSteps } = report;
    expect({ points, worstSteps }).toEqual(expected);
    const found = report.violations.map(
      (one) => `${one.check} at ${one.slot}, killed at ${one.at} before ${one.from}`,
    );
    expect(found.sort()).toEqual(violations.sort());
    expect(report.worst && [report.worst.violation.check, report.worst.violation.at]).toEqual(
      worst && [worst.check, worst.at],
    );
    broken += violations.length;
    const some = killRandomly(made.code, fastPath, env, { ...options, kills: 400, seed: index });
    expect(some.points).toBeLessThanOrEqual(points);
    expect(some.worstSteps).toBeLessThanOrEqual(worstSteps);
    // So many draws from a short run meet its first and its last insn.
    if (points < 40) expect(some.points).toBe(points);
  }
  expect(broken).toBeGreaterThan(20);
});
