/** The time to die that a proof promises holds wherever the program is killed: generated programs under the shipped rules, timed from the kill to the exit. */
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { TimedRun } from '../../src/cost/actual.js';
import { defaultCosts } from '../../src/cost/default-costs.js';
import { ZERO } from '../../src/cost/span.js';
import { timeToDie, weighTime } from '../../src/cost/time-to-die.js';
import { fastPath } from '../../src/patch/fast-path.js';
import { shippedRuleSet } from '../../src/patch/sets/index.js';
import { proveProgram } from '../../src/smt/program-proof.js';
import { verify } from '../../src/verifier/verify.js';
import { seededChooser } from '../../src/vm/state/chooser.js';
import { Vm } from '../../src/vm/vm.js';
import { accepted, plainCosts, row } from '../support/cost/plain.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 20_250_907);
const PROGRAMS = 40;
const WORLDS = 3;
/** Killed runs of one program in one world. */
const KILLS = 12;
const STEPS = 5_000;

describe('a killed run dies within its time', () => {
  const sound = shippedRuleSet('sound')!;

  it('wherever it is killed', async () => {
    const how = { costs: defaultCosts() };
    let killed = 0;
    for (let index = 0; index < PROGRAMS; index++) {
      const { program } = sample(SEED, index, { maxInsns: 60 });
      const verified = verify(program);
      if (!verified.ok) throw new Error(verified.message);
      const proof = await proveProgram(program, sound, { verified, weigh: weighTime(how) });
      const time = timeToDie(proof, how);
      if (time === undefined || program.weakKfuncs !== undefined) continue;
      const path = fastPath(program, verified.facts, sound);
      for (let world = 0; world < WORLDS; world++) {
        const chooser = seededChooser(world);
        const run = new TimedRun(new Vm(program, { chooser, facts: verified.facts, fastPath: path }), how);
        const length = new Vm(program, { chooser, facts: verified.facts, maxSteps: STEPS }).run().steps;
        const every = Math.max(1, Math.floor(length / KILLS));
        while (run.vm.running && run.vm.machine.steps < STEPS) {
          if (run.vm.machine.steps % every === 0) {
            const dying = run.fork();
            dying.elapsed = ZERO;
            const slot = dying.vm.machine.pc;
            dying.vm.kill();
            while (dying.vm.running && dying.vm.machine.steps < 2 * STEPS) dying.step();
            if (dying.vm.machine.end === 'exit') {
              killed++;
              const took = dying.elapsed.worst;
              expect([index, slot, took <= (time.bySlot.get(slot) ?? -1) + 1e-6]).toEqual([
                index,
                slot,
                true,
              ]);
              expect(took).toBeLessThanOrEqual(time.run + 1e-6);
            }
          }
          run.step();
        }
      }
    }
    expect(killed).toBeGreaterThan(300);
  });

  it('also a helper that is in flight completes, and a stub takes its own time', async () => {
    const how = plainCosts(row('helper', 'bpf_get_prandom_u32', 500), row('helper', 'bpf_ktime_get_ns', 70));
    const { program, verified } = accepted(
      'main:\n call bpf_get_prandom_u32\n call bpf_ktime_get_ns\n r0 = 0\n exit\n',
    );
    const time = timeToDie(await proveProgram(program, sound, { verified, weigh: weighTime(how) }), how)!;
    // Killed before the first call: two stubs of 2 ns. Killed in it: its 500 ns, and one stub.
    expect(time.bySlot.get(0)).toBe(500 + 2 + 2);
    expect(time.bySlot.get(1)).toBe(70 + 2);
    expect(time.bySlot.get(2)).toBe(2);
    expect([time.run, time.kill]).toEqual([504, 5]);
  });

  it('a loop that only the clock ends', async () => {
    const { program, verified } = accepted(`main:
 w0 = 0
again:
 may_goto over
 w0 += 1
 goto again
over:
 w0 = 0
 exit
`);
    const how = plainCosts();
    const time = timeToDie(await proveProgram(program, sound, { verified, weigh: weighTime(how) }), how)!;
    expect(time.run).toBeGreaterThan(250e6);
    expect(time.run).toBeLessThan(260e6);
  });
});
