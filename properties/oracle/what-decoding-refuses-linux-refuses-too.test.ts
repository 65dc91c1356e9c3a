/**
 * The line between defined and undefined encodings is where Linux draws it: its verifier takes no insn that decoding
 * refuses, and complains of no encoding that decoding takes. Needs bpf(2).
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { opArbitrary } from '../../generators/op.js';
import { assemble } from '../../src/isa/assemble.js';
import { decode } from '../../src/isa/decode.js';
import { encode } from '../../src/isa/encode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Insn, Op } from '../../src/isa/insn.js';
import { isJump } from '../../src/isa/target.js';
import { loadProgram } from '../../src/oracle/load.js';
import { profileHere } from '../../src/oracle/profile/running.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

/** All registers written, and a way around the insn, so that what follows it is reachable even after `exit`. */
const before = assemble(`
    r6 = r1
    call 7
    r1 = 0
    r2 = 1
    r3 = 2
    r4 = 3
    r5 = 4
    r7 = 7
    r8 = 8
    r9 = 9`).insns;
const after = assemble('r0 = 0\nexit').insns;

/** Jumps lead to the next insn, so that nothing is refused for where they lead. */
function straight(op: Op): Op {
  if (isJump(op)) return { ...op, off: 0 };
  return op;
}

/** A valid insn with at most one field replaced. */
const candidates = fc
  .tuple(
    opArbitrary,
    fc.constantFrom('opcode', 'dst', 'src', 'off', 'imm', 'none'),
    fc.oneof(fc.integer({ min: 0, max: 0x120 }), fc.integer({ min: -0x8000, max: 0x7fff })),
  )
  .map(([op, field, value]): Insn[] => {
    const [first, ...rest] = encode(straight(op));
    const mask = field === 'opcode' ? 0xff : field === 'dst' || field === 'src' ? 0xf : -1;
    const changed = { ...first, ...(field === 'none' ? {} : { [field]: value & mask }) } as Insn;
    return changed.opcode === first?.opcode ? [changed, ...rest] : [changed];
  });

/** What the verifier says of encodings rather than of values; `fd_idx` is about maps that are not there. */
const ENCODING =
  /reserved|unknown opcode|unrecognized|invalid bpf_ld_imm64|^R\d+ is invalid|BPF_.* opcode|address space|invalid may_goto|atomic operand size/;

/** Reserved by RFC 9669, but Linux does not look. */
const OVERLOOKED = /off is -?\d+; reserved in exit/;

type Refusal = (insns: readonly Insn[], index: number) => string | undefined;

/** The property that a judge of encodings agrees with Linux; `count` tells how often either side spoke. */
function agrees(refusal: Refusal, count = { bothTake: 0, bothRefuse: 0, valueOnly: 0 }) {
  return fc.property(candidates, (insn) => {
    const guard = assemble(`if r0 == 0x12345 goto pc+${insn.length}`).insns;
    const insns = [...before, ...guard, ...insn, ...after];
    const refused = refusal(insns, before.length + 1);
    const result = loadProgram({
      name: 'encoding',
      type: 'socket_filter',
      insns,
      maps: [],
      kfuncs: [],
      subprogs: [{ name: 'main', start: 0, linkage: 'static' }],
      localTypes: [],
    });
    if (result.ok) {
      result.close();
      count.bothTake++;
      if (refused !== undefined) expect(refused).toMatch(OVERLOOKED);
      return;
    }
    const complains = ENCODING.test(result.message);
    if (refused === undefined) {
      count.valueOnly++;
      expect(complains, `${JSON.stringify(insn)}: ${result.message}`).toBe(false);
    } else if (complains) count.bothRefuse++;
  });
}

const refusal: Refusal = (insns, index) => {
  try {
    const { kind } = decode(insns, index);
    const pad = kind === 'unwind_goto' || kind === 'unwind_exit';
    return pad && !profileHere().behaviour.landingPads ? 'an insn of later kernels' : undefined;
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
};

describeKnownKernel('against the verifier of Linux', () => {
  it('no insn is refused here and taken there, or taken here and called undefined there', () => {
    const count = { bothTake: 0, bothRefuse: 0, valueOnly: 0 };
    fc.assert(agrees(refusal, count), seeded(8000));
    // Most of what is refused must be refused for the encoding, or this would compare nothing.
    expect(count.bothTake).toBeGreaterThan(800);
    expect(count.bothRefuse).toBeGreaterThan(2000);
    expect(count.valueOnly).toBeGreaterThan(800);
  });

  it.each<[string, Refusal]>([
    [
      'overlooks a reserved imm',
      (...at) => (/imm is .*; reserved/.test(refusal(...at) ?? '') ? undefined : refusal(...at)),
    ],
    ['overlooks r11', (...at) => (/no register/.test(refusal(...at) ?? '') ? undefined : refusal(...at))],
    [
      'knows no signed division',
      (insns, at) => refusal(insns, at) ?? (insns[at]?.off === 1 ? 'off is 1' : undefined),
    ],
    ['knows no byte swap', (insns, at) => (insns[at]?.opcode === 0xd7 ? 'no opcode' : refusal(insns, at))],
  ])('a decoder that %s is caught', (_, broken) => {
    expect(fc.check(agrees(broken), seeded(8000)).failed).toBe(true);
  });
});
