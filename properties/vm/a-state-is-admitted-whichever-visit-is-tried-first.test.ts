/**
 * A check of a run tries the visit first that follows the one before. What it answers is what trying all visits one by one answers, also where some of them are
 * taken out of the facts.
 */
import { expect, it } from 'vitest';
import { mix } from '../../generators/random.js';
import { sample } from '../../generators/sample.js';
import { runEnvironment } from '../../src/campaign/kill/environments.js';
import type { Facts } from '../../src/verifier/result.js';
import { verify } from '../../src/verifier/verify.js';
import { FactCheck, stateAdmits } from '../../src/vm/facts.js';
import type { MachineState } from '../../src/vm/state/machine.js';
import { cannotRun } from '../../src/vm/state/runnable.js';
import { Vm } from '../../src/vm/vm.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 1);

/** What trying all visits answers, the last one's reason among it. */
function ofAll(facts: Facts, machine: MachineState): true | string {
  const visits = facts.at(machine.pc);
  if (visits.length === 0) return 'the verifier holds this insn to be unreachable';
  const answers = visits.map(({ state }) => stateAdmits(state, machine));
  if (answers.includes(true)) return true;
  const last = answers.at(-1)!;
  return visits.length === 1 ? last : `${visits.length} visits; of the last: ${last}`;
}

/** The facts without about one visit in three of every insn that has several. */
function thinned(facts: Facts, seed: number): Facts {
  const at = (slot: number): ReturnType<Facts['at']> => {
    const visits = facts.at(slot);
    return visits.length < 2 ? visits : visits.filter(({ node }) => mix(seed, node) % 3 !== 0);
  };
  return { ...facts, at };
}

it('of generated programs, with all facts and with some of them', () => {
  let [choices, excluded] = [0, 0];
  for (let index = 0; index < 30; index++) {
    const { program } = sample(SEED, index);
    const verdict = verify(program);
    if (!verdict.ok || cannotRun(program) !== undefined) continue;
    for (const facts of [verdict.facts, thinned(verdict.facts, index)]) {
      const vm = new Vm(program, { ...runEnvironment(program, SEED, index, 1), facts: verdict.facts });
      const check = new FactCheck(facts);
      while (vm.running && vm.machine.steps < 2000) {
        const answer = check.admits(vm.machine);
        expect(answer).toBe(ofAll(facts, vm.machine));
        if (facts.at(vm.machine.pc).length > 1) choices++;
        if (answer !== true) excluded++;
        if (facts === verdict.facts) expect(answer).toBe(true);
        vm.step();
      }
    }
  }
  expect(choices).toBeGreaterThan(50);
  expect(excluded).toBeGreaterThan(5);
});
