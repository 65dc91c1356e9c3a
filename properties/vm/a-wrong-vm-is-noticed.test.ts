import { describe, expect, test } from 'vitest';
import type { Stub } from '../../src/patch/rule.js';
import { seededChooser } from '../../src/vm/chooser.js';
import type { Defects } from '../../src/vm/defects.js';
import { Vm } from '../../src/vm/vm.js';
import { PAIRS, runBad, runGood, show } from '../support/vm/pairs.js';
import { fingerprint } from '../support/vm/runs.js';
import { SAMPLES, sampleCase } from '../support/vm/sample-cases.js';

/** What must hold of a VM; each answers for a VM with these defects seeded. */
const STATEMENTS: Readonly<Record<string, (defects: Defects) => boolean>> = {
  'each check fires on its own program': (defects) =>
    PAIRS.every((pair) => show(runBad(pair, { defects })).join() === pair.expected),
  'no check fires on a program put right': (defects) =>
    PAIRS.every((pair) => show(runGood(pair, { defects })).length === 0),
  'a program that is not killed breaks nothing': (defects) =>
    [...SAMPLES.values()].every(({ program }) =>
      [0, 1, 2, 3].every(
        (seed) => new Vm(program, { chooser: seededChooser(seed), defects }).run().violations.length === 0,
      ),
    ),
  'stubs mean nothing before the kill': (defects) => {
    const stub: Stub = { r0: 0n, writes: [], slots: [] };
    const { program } = sampleCase('record');
    const stubs = new Map(program.insns.map((_, slot) => [slot, stub]));
    const plain = new Vm(program, { defects });
    const patched = new Vm(program, { defects, fastPath: { rules: 'all', stubs } });
    return JSON.stringify(plain.run(), text) === JSON.stringify(patched.run(), text);
  },
  'a kill takes effect at once': (defects) => {
    const vm = new Vm(sampleCase('record').program, { defects });
    vm.advance(3);
    vm.kill();
    return vm.world.killedAt === 3 && vm.world.steps === 3;
  },
  'a stub that fills memory fills it': (defects) => {
    const { program } = sampleCase('probe');
    const stub: Stub = { r0: 0n, writes: [0], slots: [] };
    const vm = new Vm(program, {
      defects,
      strict: true,
      fastPath: { rules: 'one', stubs: new Map([[4, stub]]) },
    });
    vm.kill();
    // The buffer has 12 bytes, of which the program reads 8.
    return vm.run().violations.length === 0;
  },
  'a callback that was killed is not called again': (defects) => {
    const vm = new Vm(sampleCase('loop').program, { defects });
    while (vm.running && vm.world.frames.length === 1) vm.step();
    vm.kill();
    while (vm.running && vm.world.frames.length === 2) vm.step();
    return vm.running && vm.world.regs[0] === 1n;
  },
  'both tiers run alike': (defects) => {
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
      const vm = new Vm(shifted, { tier, defects });
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

const DEFECTS: readonly Defects[] = [
  { keepsReleased: true },
  { anyUnlock: true },
  { killsLate: true },
  { stubKeepsRegisters: true },
  { stubsAlways: true },
  { stubWritesNothing: true },
  { forgetsSkipped: true },
  { callbacksGoOn: true },
  { neverDies: true },
  { exitForgetsLeaks: true },
  { shiftsUnmasked: true },
];

describe('what must hold of a VM holds of this one', () => {
  for (const [name, holds] of Object.entries(STATEMENTS)) test(name, () => expect(holds({})).toBe(true));
});

describe('each seeded defect breaks one of these statements', () => {
  for (const defects of DEFECTS) {
    test(Object.keys(defects).join(), () => {
      const broken = Object.entries(STATEMENTS).filter(([, holds]) => !holds(defects));
      expect(broken.map(([name]) => name)).not.toEqual([]);
    });
  }
});
