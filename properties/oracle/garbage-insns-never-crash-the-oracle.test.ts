/** Any slots at all: the kernel refuses them with an error number and a message, or accepts them; nothing is thrown, nothing stays open. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeAll } from '../../src/isa/decode.js';
import type { Insn } from '../../src/isa/insn.js';
import { MAP_TYPES, PROG_TYPES } from '../../src/object/program.js';
import { openBpfFiles } from '../../src/oracle/files.js';
import { loadProgram } from '../../src/oracle/load.js';
import { rawProgram, smallMap } from '../support/kernel/programs.js';
import { describeKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

const anySlot: fc.Arbitrary<Insn> = fc.record({
  opcode: fc.oneof(fc.nat(255), fc.constantFrom(0x18, 0x85, 0x95, 0x05, 0xb7, 0xbf, 0x61, 0x7b)),
  dst: fc.nat(15),
  src: fc.nat(15),
  off: fc.oneof(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -0x8000, max: 0x7fff })),
  imm: fc.oneof(fc.integer({ min: -4, max: 220 }), fc.integer({ min: -0x80000000, max: 0x7fffffff })),
});

const exitSlot: Insn = { opcode: 0x95, dst: 0, src: 0, off: 0, imm: 0 };

describeKernel('garbage insns never crash the oracle', () => {
  it('slots of any value', () => {
    const before = openBpfFiles();
    const maps = MAP_TYPES.map((type) => smallMap(type));
    const program = fc.record({
      type: fc.constantFrom(...PROG_TYPES),
      insns: fc.array(anySlot, { maxLength: 24 }),
      exits: fc.boolean(),
      strictCaps: fc.boolean(),
      logLevel: fc.constantFrom(0 as const, 1 as const, 2 as const, 4 as const),
    });
    let refused = 0;
    fc.assert(
      fc.property(program, ({ type, insns, exits, strictCaps, logLevel }) => {
        const slots = exits ? [...insns, exitSlot] : insns;
        const result = loadProgram(
          rawProgram(type, slots, { maps, kfuncs: ['bpf_rcu_read_lock', 'nothing'] }),
          {
            strictCaps,
            logLevel,
          },
        );
        if (result.ok) {
          // Whatever Linux takes we can at least read.
          decodeAll(slots);
          result.close();
          return;
        }
        refused++;
        expect(result.errno).toMatch(/^E[A-Z0-9]+$/);
        expect(result.message).not.toBe('');
      }),
      seeded(2000),
    );
    expect(refused).toBeGreaterThan(1000);
    expect(openBpfFiles()).toBe(before);
  });
});
