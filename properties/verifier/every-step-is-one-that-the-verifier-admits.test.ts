import { describe, expect, test } from 'vitest';
import { sample } from '../../generators/sample.js';
import type { Program } from '../../src/object/program.js';
import { fastPath } from '../../src/patch/fast-path.js';
import sound from '../../src/patch/sets/sound.js';
import type { Accepted } from '../../src/verifier/result.js';
import type { Profile } from '../../src/verifier/state/profile.js';
import { verify } from '../../src/verifier/verify.js';
import { killEverywhere } from '../../src/vm/kill.js';
import { defaultChooser, failingChooser, seededChooser } from '../../src/vm/state/chooser.js';
import { type RunResult, Vm } from '../../src/vm/vm.js';
import { SAMPLES } from '../support/vm/sample-cases.js';

const MAX_STEPS = 2000;
const CHOOSERS = [defaultChooser, failingChooser, seededChooser(1), seededChooser(2)];

function accepted(program: Program, profile: Profile): Accepted | undefined {
  const verdict = verify(program, { profile, budget: 20_000 });
  return verdict.ok ? verdict : undefined;
}

/** Runs a program against facts, each step checked. */
function checked(program: Program, { facts, profile }: Accepted, chooser = defaultChooser): RunResult {
  return new Vm(program, {
    facts,
    checkFacts: true,
    strict: profile === 'strict',
    chooser,
    maxSteps: MAX_STEPS,
  }).run();
}

describe('no run leaves what the verifier holds possible, and none breaks a check', () => {
  for (const profile of ['privileged', 'strict'] as const) {
    test(`samples, ${profile}`, () => {
      let count = 0;
      for (const [name, { program }] of SAMPLES) {
        const verdict = accepted(program, profile);
        if (verdict === undefined) continue;
        count++;
        for (const chooser of CHOOSERS) {
          const { disagreement, violations } = checked(program, verdict, chooser);
          expect({ disagreement, violations }, name).toEqual({ disagreement: undefined, violations: [] });
        }
      }
      // One calls a helper that takes CAP_PERFMON.
      expect(count).toBe(SAMPLES.size - (profile === 'strict' ? 1 : 0));
    });

    test(`generated programs, ${profile}, killed everywhere under the sound rules too`, () => {
      let count = 0;
      for (let index = 0; index < 120; index++) {
        const { program } = sample(profile === 'strict' ? 21 : 20, index);
        const verdict = accepted(program, profile);
        if (verdict === undefined) continue;
        count++;
        const chooser = CHOOSERS[index % CHOOSERS.length]!;
        const { disagreement, violations } = checked(program, verdict, chooser);
        expect({ disagreement, violations }, `program ${index}`).toEqual({
          disagreement: undefined,
          violations: [],
        });
        const path = fastPath(program, verdict.facts, sound);
        const options = { chooser, facts: verdict.facts, strict: profile === 'strict', maxSteps: 400 };
        const report = killEverywhere(program, path, undefined, options);
        expect(report.violations, `program ${index}`).toEqual([]);
      }
      // The strict profile refuses what calls, reads or compares without CAP_PERFMON.
      expect(count).toBeGreaterThan(profile === 'strict' ? 20 : 110);
    });
  }
});

describe('a run that the facts are not about is told apart', () => {
  /** The program with another constant in the `which`-th insn that moves one into a register. */
  function changed(program: Program, which: number): Program | undefined {
    const moves = program.insns.flatMap((insn, slot) =>
      insn.opcode === 0xb7 || insn.opcode === 0x7a ? [slot] : [],
    );
    const at = moves[which];
    if (at === undefined) return undefined;
    const insns = program.insns.map((insn, slot) => (slot === at ? { ...insn, imm: insn.imm + 1 } : insn));
    return { ...program, insns };
  }

  test('constants changed behind the verifier', () => {
    for (const name of ['loop', 'socket', 'dynptr', 'numbers']) {
      const { program } = SAMPLES.get(name)!;
      const verdict = accepted(program, 'privileged')!;
      expect(checked(changed(program, 0)!, verdict).disagreement, name).toBeDefined();
    }
  });

  test('facts of another program', () => {
    const names = [...SAMPLES.keys()];
    names.forEach((name, index) => {
      const other = SAMPLES.get(names[(index + 1) % names.length]!)!.program;
      const { program } = SAMPLES.get(name)!;
      const result = checked(program, accepted(other, 'privileged')!);
      expect(result.disagreement, name).toBeDefined();
    });
  });

  test('registers, stack, references and sections changed under way', () => {
    const { program } = SAMPLES.get('task')!;
    const { facts } = accepted(program, 'privileged')!;
    const spoilers: readonly (readonly [string, RegExp, (vm: Vm) => void])[] = [
      ['a reference more', /references/, (vm) => vm.machine.ledger.take('task', 99, 0, 0, 'nobody')],
      ['a lock more', /locks/, (vm) => vm.machine.ledger.take('spin_lock', 99, 0, 0, 'nobody')],
      ['a section more', /RCU/, (vm) => vm.machine.ledger.take('rcu', 0, 0, 0, 'nobody')],
      ['preemption', /preemption/, (vm) => vm.machine.ledger.take('preempt', 0, 0, 0, 'nobody')],
      ['the section gone', /RCU|preemption/, (vm) => vm.machine.ledger.leave('preempt', 'nobody')],
      ['r10 for the pointer', /r1/, (vm) => vm.machine.write(1, 5n)],
    ];
    for (const [name, why, spoil] of spoilers) {
      const vm = new Vm(program, { facts, checkFacts: true });
      // Right before bpf_local_irq_save, inside of nothing; or, to lose a section, inside of it.
      vm.advance(name === 'the section gone' ? 8 : 11);
      spoil(vm);
      expect(vm.run().disagreement?.message, name).toMatch(why);
    }
  });
});
