/** Random programs of arithmetic, stack memory and jumps ahead: every operation there is, and numbers where operations break. */

import fc from 'fast-check';
import { binaryArbitrary, comparisonArbitrary, widthArbitrary } from '../../../generators/arithmetic.js';
import { encodeAll } from '../../../src/isa/encode.js';
import type { Op, Operand, Size } from '../../../src/isa/insn.js';
import type { Program } from '../../../src/object/program.js';

const size = fc.constantFrom<Size>(1, 2, 4, 8);
const word = fc.oneof(
  fc.constantFrom(0, 1, -1, 31, 32, 33, 63, 64, 0x7fffffff, -0x80000000, 0xff, -0x8000),
  fc.integer(),
);
/** r0 to r7 are numbers; r8 points to the stack and r10 is it; now and then a register that nobody wrote. */
const number = fc.integer({ min: 0, max: 7 });
const operand: fc.Arbitrary<Operand> = fc.oneof(
  number.map((reg) => ({ reg })),
  word.map((imm) => ({ imm })),
);
const off = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: -64, max: -8 }) },
  { weight: 1, arbitrary: fc.integer({ min: -600, max: 8 }) },
);

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('alu' as const),
      op: binaryArbitrary,
      width: widthArbitrary,
      dst: number,
      src: operand,
    }),
  },
  fc.record({ kind: fc.constant('mov' as const), width: widthArbitrary, dst: number, src: operand }),
  fc.record({
    kind: fc.constant('movsx' as const),
    bits: fc.constantFrom<8 | 16>(8, 16),
    width: widthArbitrary,
    dst: number,
    src: number,
  }),
  fc.record({ kind: fc.constant('neg' as const), width: widthArbitrary, dst: number }),
  fc.record({
    kind: fc.constant('end' as const),
    op: fc.constantFrom<'le' | 'be' | 'bswap'>('le', 'be', 'bswap'),
    bits: fc.constantFrom<16 | 32 | 64>(16, 32, 64),
    dst: number,
  }),
  fc.record({
    kind: fc.constant('ld_imm64' as const),
    dst: number,
    as: fc.constant('imm' as const),
    imm: word,
    hi: word,
  }),
  fc.record({ kind: fc.constant('stx' as const), size, dst: fc.constantFrom(8, 10), src: number, off }),
  fc.record({ kind: fc.constant('st' as const), size, dst: fc.constantFrom(8, 10), off, imm: word }),
  fc.record({
    kind: fc.constant('ldx' as const),
    size: fc.constantFrom<Size>(1, 2, 4),
    signed: fc.boolean(),
    dst: number,
    src: fc.constantFrom(8, 10),
    off,
  }),
  fc.record({
    kind: fc.constant('ldx' as const),
    size: fc.constant<Size>(8),
    signed: fc.constant(false),
    dst: number,
    src: fc.constantFrom(8, 10, 9),
    off,
  }),
  fc.record({
    kind: fc.constant('atomic' as const),
    op: fc.constantFrom<'add' | 'xor' | 'and' | 'or' | 'xchg' | 'cmpxchg'>(
      'add',
      'xor',
      'and',
      'or',
      'xchg',
      'cmpxchg',
    ),
    fetch: fc.constant(true),
    size: fc.constantFrom<4 | 8>(4, 8),
    dst: fc.constant(10),
    src: number,
    off: fc.integer({ min: -8, max: -1 }).map((n) => 8 * n),
  }),
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('jmp' as const),
      op: comparisonArbitrary,
      width: widthArbitrary,
      dst: number,
      src: operand,
      off: fc.integer({ min: 0, max: 3 }),
    }),
  },
);

/** Straight code with short jumps ahead; jumps that would land inside a wide insn go to the next one. */
function assembled(body: readonly Op[], end: readonly Op[]): Program {
  const start: Op[] = [];
  for (let dst = 0; dst < 8; dst++)
    start.push({ kind: 'mov', width: 64, dst, src: { imm: dst * 0x1111_1111 - 0x4000_0000 } });
  start.push({ kind: 'mov', width: 64, dst: 8, src: { reg: 10 } });
  for (let at = -64; at < 0; at += 8)
    start.push({ kind: 'st', size: 8, dst: 10, off: at, imm: at * 0x10101 });
  const straight = body.map((one) => (one.kind === 'jmp' ? { ...one, off: 0 } : one));
  const slots = straight.flatMap((one, index) => (one.kind === 'ld_imm64' ? [index, -1] : [index]));
  const jumps = slots.map((index, slot): Op | undefined => {
    const one = body[index];
    if (one?.kind !== 'jmp') return index < 0 ? undefined : straight[index];
    const target = slot + 1 + one.off;
    return {
      ...one,
      off:
        target < slots.length && slots[target] === -1
          ? one.off + 1
          : Math.min(one.off, slots.length - slot - 1),
    };
  });
  const ops = [...start, ...jumps.filter((one) => one !== undefined), ...end, { kind: 'exit' as const }];
  return {
    name: 'random',
    type: 'syscall',
    insns: encodeAll(ops),
    maps: [],
    kfuncs: [],
    subprogs: [{ name: 'main', start: 0, linkage: 'static' }],
    localTypes: [],
  };
}

/** Programs that may go wrong: stray accesses, registers that nobody wrote. */
export const anyProgram: fc.Arbitrary<Program> = fc
  .array(op, { maxLength: 40 })
  .map((body) => assembled(body, []));

/** The same operation as the kernel takes it: aligned, in bounds, no shift or division by an immediate that cannot be. */
function tame(one: Op): Op {
  if (one.kind === 'alu' && 'imm' in one.src) {
    const { imm } = one.src;
    if (one.op === 'lsh' || one.op === 'rsh' || one.op === 'arsh')
      return { ...one, src: { imm: imm & (one.width - 1) } };
    if (imm === 0) return { ...one, src: { imm: 3 } };
  }
  if (one.kind === 'ldx' || one.kind === 'st' || one.kind === 'stx') {
    const off = -(8 * (1 + (Math.abs(one.off) % 8))) + (Math.abs(one.off) & (8 - one.size));
    return one.kind === 'ldx' ? { ...one, off, src: one.src === 9 ? 10 : one.src } : { ...one, off };
  }
  return one;
}

/** What a program has computed, folded into r0. */
const folded: readonly Op[] = [
  ...[1, 2, 3, 4, 5, 6, 7].flatMap((reg): Op[] => [
    { kind: 'alu', op: 'mul', width: 64, dst: 0, src: { imm: 31 } },
    { kind: 'alu', op: 'xor', width: 64, dst: 0, src: { reg } },
  ]),
  ...[-8, -16, -24, -32, -40, -48, -56, -64].flatMap((off): Op[] => [
    { kind: 'ldx', size: 8, signed: false, dst: 1, src: 10, off },
    { kind: 'alu', op: 'mul', width: 64, dst: 0, src: { imm: 31 } },
    { kind: 'alu', op: 'xor', width: 64, dst: 0, src: { reg: 1 } },
  ]),
  { kind: 'mov', width: 64, dst: 1, src: { reg: 0 } },
  { kind: 'alu', op: 'rsh', width: 64, dst: 1, src: { imm: 32 } },
  { kind: 'alu', op: 'xor', width: 64, dst: 0, src: { reg: 1 } },
];

/** Programs that the kernel takes; the low half of r0 tells all that they computed. */
export const tameProgram: fc.Arbitrary<Program> = fc
  .array(op, { maxLength: 60 })
  .map((body) => assembled(body.map(tame), folded));
