/**
 * Programs with landing pads, generated for a kernel that has them. Each is accepted; under `sound` each is proven; and under rules that let
 * calls end in their pads, a proven one survives every kill within its bound, and a refuted one has a witness that replays.
 */
import { expect, test } from 'vitest';
import { sample } from '../../generators/sample.js';
import { runEnvironment } from '../../src/campaign/kill/environments.js';
import { rule, ruleSet } from '../../src/patch/define.js';
import { fastPath } from '../../src/patch/fast-path.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import type { ProgramProof } from '../../src/smt/proof.js';
import { Vm } from '../../src/vm/vm.js';
import { WITH_PADS } from '../support/pads/pads.js';
import { contradiction, type Subject, subjectOf } from '../support/smt/every-kill.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_261_130);
const PROGRAMS = 36;

const sound = shippedRuleSet('sound')!;

/** Calls end in their pads where they have one and give nothing back; the rest is as `sound` has it. */
const UNWINDING = ruleSet('unwinding', [
  rule('to the pad')
    .when((f) => !f.releases)
    .at((site) => site.hasPad)
    .unwind(),
  ...sound.rules,
]);

/** What takes something ends in its pad, and is kept where it has none. */
const EVERYWHERE = ruleSet('unwinding-everywhere', [
  rule('to the pad')
    .when((f) => !f.releases)
    .unwind(),
]);

/** Even what gives something back ends in its pad. */
const CARELESS = ruleSet('careless', [rule('all to the pad').unwind()]);

const subjects: readonly Subject[] = Array.from({ length: PROGRAMS }, (_, i) =>
  subjectOf(sample(SEED, i, { maxInsns: 70, landingPads: true }).program, WITH_PADS),
);

const prove = ({ program, verified }: Subject, rules: RuleSet): Promise<ProgramProof> =>
  proveProgram(program, rules, { kernel: WITH_PADS, verified, maxRuns: 20 });

/** Killed runs of a program that went to a pad from a call that a rule lets end there. */
function landed({ program, verified }: Subject, rules: RuleSet): number {
  const path = fastPath(program, verified.facts, rules);
  const vm = new Vm(program, {
    ...runEnvironment(program, SEED, 0, 0),
    facts: verified.facts,
    fastPath: path,
  });
  let count = 0;
  while (vm.running && vm.machine.steps < 200) {
    const killed = vm.fork();
    killed.kill();
    for (let steps = 0; steps < 200 && killed.running; steps++) {
      const slot = killed.machine.pc;
      killed.step();
      if (killed.machine.unwound && verified.code.contracts[slot] !== undefined) {
        count++;
        break;
      }
    }
    vm.step();
  }
  return count;
}

test('the programs have pads, and some are reached', () => {
  const padded = subjects.filter(({ verified }) =>
    verified.code.ops.some((op) => op?.kind === 'unwind_goto'),
  );
  const reached = padded.filter(({ verified }) =>
    verified.code.ops.some((_, slot) => verified.facts.at(slot).some(({ state }) => state.unwound === true)),
  );
  expect(padded.length).toBeGreaterThan(PROGRAMS / 6);
  expect(reached.length).toBeGreaterThan(PROGRAMS / 9);
});

test.each([
  ['sound', sound],
  ['calls end in their pads where they may', UNWINDING],
  ['calls end in their pads, or are kept', EVERYWHERE],
  ['even what gives back ends in its pad', CARELESS],
])('under rules: %s', async (name, rules) => {
  const counts = { proven: 0, refuted: 0, unknown: 0 };
  let landings = 0;
  for (const [index, one] of subjects.entries()) {
    const proof = await prove(one, rules);
    counts[proof.verdict]++;
    expect([index, contradiction(one, rules, proof)]).toEqual([index, undefined]);
    if (name === 'sound') expect([index, proof.verdict, proof.reason]).toEqual([index, 'proven', '']);
    else landings += landed(one, rules);
  }
  expect(counts.proven).toBeGreaterThan(0);
  if (name !== 'sound') expect(landings).toBeGreaterThan(20);
  if (name === 'even what gives back ends in its pad') expect(counts.refuted).toBeGreaterThan(0);
});
