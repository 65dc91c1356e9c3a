/**
 * Random lines that copy numbers, add constants to copies, spill and fill them, and jump on any of them: before each insn our verifier knows of
 * every register exactly what the log of Linux 6.18 prints.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { comparisonArbitrary, widthArbitrary } from '../../../generators/arithmetic.js';
import { add, callHelper, exit, mov, r0, r6, registers } from '../../../src/isa/build.js';
import type { BinaryOp, Op, Operand, Size } from '../../../src/isa/insn.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { readWalk } from '../../../src/oracle/walk-log/walk.js';
import { isConst } from '../../../src/verifier/scalar/scalar.js';
import { format } from '../../../src/verifier/scalar/set.js';
import { verify } from '../../../src/verifier/verify.js';
import { programOf } from '../../support/kernel/programs.js';
import { describeKernel, messagesKnown } from '../../support/kernel/skip.js';
import { seeded } from '../../support/seed.js';

const FIRST = 2;
const LAST = 9;
/** Every register but r0 and r1 takes part, so that more than six can be linked. */
const register = fc.integer({ min: FIRST, max: LAST });
const constantImm = fc.constantFrom(0, 1, 8, -8, 100, 0x7fff_ffff, -0x8000_0000, -1);
const near = fc.constantFrom(0, 1, 8, 16, 100, 255, -1, -100, 0x7fff_ffff, -0x8000_0000);
const operand: fc.Arbitrary<Operand> = fc.oneof(
  { arbitrary: near.map((imm) => ({ imm })), weight: 4 },
  { arbitrary: register.map((reg) => ({ reg })), weight: 1 },
);
const place = fc.constantFrom(-8, -16, -24);
const size = fc.constantFrom<Size>(8, 8, 8, 4, 2, 1);

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    arbitrary: fc
      .tuple(register, register)
      .map(([dst, src]): Op => ({ kind: 'mov', width: 64, dst, src: { reg: src } })),
    weight: 6,
  },
  {
    arbitrary: fc
      .tuple(widthArbitrary, register, register)
      .map(([width, dst, src]): Op => ({ kind: 'mov', width, dst, src: { reg: src } })),
    weight: 2,
  },
  {
    arbitrary: fc
      .tuple(fc.constantFrom<BinaryOp>('add', 'add', 'sub'), widthArbitrary, register, constantImm)
      .map(([o, width, dst, imm]): Op => ({ kind: 'alu', op: o, width, dst, src: { imm } })),
    weight: 6,
  },
  fc
    .tuple(widthArbitrary, register)
    .map(([width, dst]): Op => ({ kind: 'alu', op: 'and', width, dst, src: { imm: 255 } })),
  fc
    .tuple(fc.constantFrom<8 | 16 | 32>(8, 16, 32), register, register)
    .map(([bits, dst, src]): Op => ({ kind: 'movsx', bits, width: 64, dst, src })),
  {
    arbitrary: fc
      .tuple(comparisonArbitrary, widthArbitrary, register, operand)
      .filter(([, , dst, src]) => !('reg' in src) || src.reg !== dst)
      .map(([o, width, dst, src]): Op => ({ kind: 'jmp', op: o, width, dst, src, off: 0 })),
    weight: 8,
  },
  {
    arbitrary: fc
      .tuple(size, place, register)
      .map(([s, off, src]): Op => ({ kind: 'stx', size: s, dst: 10, src, off })),
    weight: 3,
  },
  {
    arbitrary: fc
      .tuple(size, place, register)
      .map(([s, off, dst]): Op => ({ kind: 'ldx', size: s, signed: false, dst, src: 10, off })),
    weight: 3,
  },
);
const lines = fc.array(op, { minLength: 4, maxLength: 24, size: 'max' });

const prologue: readonly Op[] = [
  callHelper(7),
  ...[2, 3, 6].map((n) => mov(registers[n]!, r0)),
  // Sums of 32 bits stay linked where the number fits in 32 bits.
  ...[4, 5].map((dst): Op => ({ kind: 'mov', width: 32, dst, src: { reg: 0 } })),
  { kind: 'alu', op: 'and', width: 64, dst: 6, src: { imm: 0xffff } },
  ...[7, 8, 9].map((n) => mov(registers[n]!, r6)),
];
/** Every register is read in the end, wherever the line was left: few are dead before, of which a fact says nothing. */
const tail: readonly Op[] = [
  ...Array.from({ length: LAST - FIRST + 1 }, (_, n) => add(r0, registers[FIRST + n]!)),
  mov(r0, 0),
  exit(),
];

function programWith(line: readonly Op[]) {
  const end = prologue.length + line.length;
  const body = line.map(
    (one, i): Op => (one.kind === 'jmp' ? { ...one, off: end - (prologue.length + i) - 1 } : one),
  );
  return programOf('socket_filter', [...prologue, ...body, ...tail]);
}

/** Copies of one number, some with a constant added in 32 or 64 bits, and then jumps on any of them at the edges of what they can be. */
const sums: fc.Arbitrary<readonly Op[]> = fc
  .tuple(
    fc.integer({ min: 4, max: 6 }),
    fc.array(
      fc.tuple(fc.constantFrom(2, 3, 7, 8, 9), widthArbitrary, constantImm, fc.constantFrom(0, 1, 2)),
      {
        minLength: 1,
        maxLength: 4,
      },
    ),
    fc.array(fc.tuple(comparisonArbitrary, widthArbitrary, fc.integer({ min: FIRST, max: LAST }), near), {
      minLength: 1,
      maxLength: 5,
    }),
  )
  .map(([base, copies, jumps]) => [
    ...copies.flatMap(([dst, width, imm, how]): Op[] => [
      { kind: 'mov', width: 64, dst, src: { reg: base } },
      ...(how === 0
        ? []
        : [{ kind: 'alu', op: how === 1 ? 'add' : 'sub', width, dst, src: { imm } } as const]),
    ]),
    // The log tells of a register where it is used.
    ...jumps.flatMap(([o, width, dst, imm]): Op[] => [
      { kind: 'jmp', op: o, width, dst, src: { imm }, off: 0 },
      ...[base, ...copies.map(([copy]) => copy)].map(
        (n): Op => ({ kind: 'mov', width: 64, dst: n, src: { reg: n } }),
      ),
    ]),
  ]);

describeKernel('copies and sums learn what Linux says they do', () => {
  it.skipIf(!messagesKnown()).each([
    ['random lines', lines],
    ['jumps on sums', sums],
  ])('along %s', { timeout: 60_000 }, (_, drawn) => {
    let compared = 0;
    fc.assert(
      fc.property(drawn, (line) => {
        const program = programWith(line);
        const verdict = verify(program);
        expect(verdict.ok ? '' : verdict.message).toBe('');
        if (!verdict.ok) return;
        const loaded = loadProgram(program, { logLevel: 2 });
        expect(loaded.ok).toBe(true);
        if (!loaded.ok) return;
        loaded.close();
        let last = program.insns.length;
        readWalk(loaded.log, program, ({ slot, from, regs }) => {
          const visits = verdict.facts.at(slot);
          // Where paths meet again, or a register is split in two, it is not told which of the visits this is.
          if (visits.length !== 1 || slot >= prologue.length + line.length || from !== slot - 1) return;
          const ours = visits[0]!.state.frames[0]!.regs;
          // Linux counts a number that became a constant among the six that are linked, and here it is linked no more: from there on more is known.
          const jump = line[slot - prologue.length];
          if (
            jump?.kind === 'jmp' &&
            'reg' in jump.src &&
            [jump.dst, jump.src.reg].some((n) => isConst(ours[n]!.num))
          )
            last = Math.min(last, slot);
          if (slot > last) return;
          for (const [n, { type, num }] of regs) {
            const isLive = (verdict.code.live[slot]! & (1 << n)) !== 0;
            if (n < FIRST || n > LAST || type !== 'scalar' || !isLive) continue;
            compared++;
            expect([slot, n, format(ours[n]!.num)]).toEqual([slot, n, format(num)]);
          }
        });
      }),
      seeded(300),
    );
    expect(compared).toBeGreaterThan(5_000);
  });
});
