import { describe, expect, test } from 'vitest';
import type { Stub } from '../../../src/patch/rule.js';
import { seededChooser } from '../../../src/vm/state/chooser.js';
import { Vm } from '../../../src/vm/vm.js';
import { PAIRS, runBad, runGood, show } from '../../support/vm/pairs.js';
import { fingerprint } from '../../support/vm/runs.js';
import { SAMPLES, sampleCase } from '../../support/vm/sample-cases.js';

/** What must hold of a VM that is killed, and of one that is not. */
const STATEMENTS: Readonly<Record<string, () => boolean>> = {
  'each check fires on its own program': () =>
    PAIRS.every((pair) => show(runBad(pair)).join() === pair.expected),
  'no check fires on a program put right': () => PAIRS.every((pair) => show(runGood(pair)).length === 0),
  'a program that is not killed breaks nothing': () =>
    [...SAMPLES.values()].every(({ program }) =>
      [0, 1, 2, 3].every(
        (seed) => new Vm(program, { chooser: seededChooser(seed) }).run().violations.length === 0,
      ),
    ),
  'stubs mean nothing before the kill': () => {
    const stub: Stub = { r0: 0n, writes: [], slots: [] };
    const { program } = sampleCase('record');
    const stubs = new Map(program.insns.map((_, slot) => [slot, stub]));
    const plain = new Vm(program);
    const patched = new Vm(program, { fastPath: { rules: 'all', stubs } });
    return JSON.stringify(plain.run(), text) === JSON.stringify(patched.run(), text);
  },
  'a kill takes effect at once': () => {
    const vm = new Vm(sampleCase('record').program);
    vm.advance(3);
    vm.kill();
    return vm.machine.killedAt === 3 && vm.machine.steps === 3;
  },
  'a stub that fills memory fills it': () => {
    const { program } = sampleCase('probe');
    const stub: Stub = { r0: 0n, writes: [0], slots: [] };
    const vm = new Vm(program, {
      strict: true,
      fastPath: { rules: 'one', stubs: new Map([[4, stub]]) },
    });
    vm.kill();
    // The buffer has 12 bytes, of which the program reads 8.
    return vm.run().violations.length === 0;
  },
  'a callback that was killed is not called again': () => {
    const vm = new Vm(sampleCase('loop').program);
    while (vm.running && vm.machine.frames.length === 1) vm.step();
    vm.kill();
    while (vm.running && vm.machine.frames.length === 2) vm.step();
    return vm.running && vm.machine.regs[0] === 1n;
  },
  'both tiers run alike': () => {
    const { program } = sampleCase('loop');
    const shifted = {
      ...program,
      insns: [
        { opcode: 0xb7, dst: 0, src: 0, off: 0, imm: 3 },
        { opcode: 0xb7, dst: 2, src: 0, off: 0, imm: 66 },
        { opcode: 0x6f, dst: 0, src: 2, off: 0, imm: 0 },
        { opcode: 0x95, dst: 0, src: 0, off: 0, imm: 0 },
      ],
    };
    const [fast, slow] = (['fast', 'definitional'] as const).map((tier) => {
      const vm = new Vm(shifted, { tier });
      vm.run();
      return JSON.stringify(fingerprint(vm), text);
    });
    return fast === slow;
  },
};

const text = (_key: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Map ? [...value] : value;
};

describe('what must hold of a VM holds of this one', () => {
  for (const [name, holds] of Object.entries(STATEMENTS)) test(name, () => expect(holds()).toBe(true));
});
