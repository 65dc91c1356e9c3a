/**
 * The kernel's verifier and ours know the same about scalars: random lines of arithmetic and branches go through both,
 * and after every insn the kernel's log must print what `format` prints, and take the branches that we take.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binaryArbitrary, comparisonArbitrary, widthArbitrary } from '../../../generators/arithmetic.js';
import type { BinaryOp, Comparison, Op, Operand, Width } from '../../../src/isa/insn.js';
import { forkScalar, scalarArithmetic } from '../../../src/verifier/scalar/alu.js';
import { branchTaken, refine } from '../../../src/verifier/scalar/refine.js';
import type { Scalar } from '../../../src/verifier/scalar/scalar.js';
import { constant, unknown } from '../../../src/verifier/scalar/scalar.js';
import { format } from '../../../src/verifier/scalar/set.js';
import type { Printed } from '../../support/kernel/scalars.js';
import { FIRST, kernelScalars, LAST } from '../../support/kernel/scalars.js';
import { describeKernel, messagesKnown } from '../../support/kernel/skip.js';
import { seeded } from '../../support/seed.js';

/** What we expect the kernel to print: the registers an insn touches. Undefined: the kernel does not go there. */
interface Expected {
  readonly after: Printed | undefined;
  readonly jumped: Printed | undefined;
}

const register = fc.integer({ min: FIRST, max: LAST });
const immediate = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    7,
    8,
    31,
    32,
    63,
    127,
    128,
    255,
    -128,
    -129,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    -0x8000_0000,
    0xff00,
  ),
  fc.integer({ min: -300, max: 300 }),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
);
const operand: fc.Arbitrary<Operand> = fc.oneof(
  { arbitrary: immediate.map((imm) => ({ imm })), weight: 2 },
  { arbitrary: register.map((reg) => ({ reg })), weight: 1 },
);

const isShift = (op: BinaryOp): boolean => op.endsWith('sh');

/** The kernel refuses shifts by an immediate that is not below the width, and division by an immediate 0. */
function acceptable(op: BinaryOp, w: Width, src: Operand): Operand {
  if ('reg' in src) return src;
  if (isShift(op)) return { imm: Math.abs(src.imm) % w };
  return src.imm === 0 && (op.endsWith('div') || op.endsWith('mod')) ? { imm: 1 } : src;
}

/** The sign of a register, all bits of it, and then some of those. */
const selects: fc.Arbitrary<Op[]> = fc
  .tuple(widthArbitrary, widthArbitrary, fc.constantFrom<BinaryOp>('and', 'or'), register, immediate)
  .map(([w, w2, op, dst, imm]): Op[] => [
    { kind: 'alu', op: 'arsh', width: w, dst, src: { imm: w - 1 } },
    { kind: 'alu', op, width: w2, dst, src: { imm } },
  ]);

const ops: fc.Arbitrary<Op> = fc.oneof(
  {
    arbitrary: fc
      .tuple(binaryArbitrary, widthArbitrary, register, operand)
      .map(([op, w, dst, src]): Op => ({ kind: 'alu', op, width: w, dst, src: acceptable(op, w, src) })),
    weight: 8,
  },
  {
    arbitrary: fc
      .tuple(comparisonArbitrary, widthArbitrary, register, operand)
      .map(([op, w, dst, src]): Op => ({ kind: 'jmp', op, width: w, dst, src, off: 0 })),
    weight: 8,
  },
  fc.tuple(widthArbitrary, register).map(([w, dst]): Op => ({ kind: 'neg', width: w, dst })),
  fc
    .tuple(fc.constantFrom<8 | 16 | 32>(8, 16, 32), widthArbitrary, register)
    .filter(([bits, w]) => bits < w)
    .map(([bits, w, dst]): Op => ({ kind: 'movsx', bits, width: w, dst, src: dst })),
  register.map((dst): Op => ({ kind: 'mov', width: 32, dst, src: { reg: dst } })),
  fc
    .tuple(
      fc.constantFrom<'le' | 'be' | 'bswap'>('le', 'be', 'bswap'),
      fc.constantFrom<16 | 32 | 64>(16, 32, 64),
      register,
    )
    .map(([op, bits, dst]): Op => ({ kind: 'end', op, bits, dst })),
);

const lines = fc
  .array(fc.oneof({ arbitrary: ops.map((op) => [op]), weight: 20 }, { arbitrary: selects, weight: 1 }), {
    minLength: 1,
    maxLength: 14,
    size: 'max',
  })
  .map((parts) => parts.flat());

interface Model {
  readonly refine: typeof refine;
  readonly taken: typeof branchTaken;
  readonly domain: typeof scalarArithmetic;
  readonly split: typeof forkScalar;
}

/** Runs the line through the model: the insns that are kept, and what each must print. */
function run(line: readonly Op[], m: Model): { kept: Op[]; expected: Expected[] } {
  const regs = new Map<number, Scalar>();
  for (let r = FIRST; r <= LAST; r++) regs.set(r, unknown);
  const kept: Op[] = [];
  const expected: Expected[] = [];
  for (const op of line) {
    if (!('dst' in op)) continue;
    const a = regs.get(op.dst)!;
    const src = op.kind === 'alu' || op.kind === 'jmp' ? op.src : undefined;
    const b = src === undefined ? undefined : 'reg' in src ? regs.get(src.reg)! : constant(BigInt(src.imm));
    // A register compared with itself is refined twice over, in an order of no interest.
    if (op.kind === 'jmp' && 'reg' in op.src && op.src.reg === op.dst) continue;
    kept.push(op);
    if (op.kind !== 'jmp') {
      const result = compute(op, m, a, b);
      regs.set(op.dst, result);
      expected.push({ after: new Map([[op.dst, format(result)]]), jumped: undefined });
      continue;
    }
    const verdict = m.taken(op.op, op.width, a, b!);
    const print = (pair: readonly [Scalar, Scalar]): Printed =>
      new Map([
        [op.dst, format(pair[0])],
        ...('reg' in op.src ? [[op.src.reg, format(pair[1])] as const] : []),
      ]);
    const way = (taken: boolean): [Scalar, Scalar] | undefined =>
      verdict === !taken ? undefined : verdict === taken ? [a, b!] : m.refine(op.op, op.width, taken, a, b!);
    const [fell, jumped] = [way(false), way(true)];
    expected.push({ after: fell && print(fell), jumped: jumped && print(jumped) });
    if (fell === undefined) break;
    regs.set(op.dst, fell[0]);
    if ('reg' in op.src) regs.set(op.src.reg, fell[1]);
  }
  return { kept, expected };
}

function compute(op: Op, m: Model, a: Scalar, b: Scalar | undefined): Scalar {
  const d = m.domain;
  switch (op.kind) {
    case 'alu':
      // Where the kernel splits the destination, its first walk goes on with -1.
      return d.binary(op.op, op.width, m.split(op.op, a, b!)?.[0] ?? a, b!);
    case 'neg':
      return d.negate(op.width, a);
    case 'mov':
      return d.zeroExtend(32, a);
    case 'movsx': {
      const extended = d.signExtend(op.bits, op.width === 64 ? a : d.zeroExtend(32, a));
      return op.width === 64 ? extended : d.zeroExtend(32, extended);
    }
    case 'end':
      return d.swap(op.op, op.bits, a);
    default:
      throw new Error(`not part of a line: ${op.kind}`);
  }
}

/** The log leaves out registers that did not change, so only what is printed is compared. */
function same(ours: Printed | undefined, theirs: Printed | undefined): boolean {
  if (ours === undefined || theirs === undefined) return ours === theirs;
  return [...ours].every(([r, text]) => (theirs.get(r) ?? text) === text);
}

const agrees = (m: Model, count: { compared: number }) =>
  fc.property(lines, (line) => {
    const { kept, expected } = run(line, m);
    const seen = kernelScalars(kept);
    for (const [i, ours] of expected.entries()) {
      const theirs = seen[i]!;
      count.compared += (theirs.after?.size ?? 0) + (theirs.jumped?.size ?? 0);
      if (!same(ours.after, theirs.after) || !same(ours.jumped, theirs.jumped)) {
        expect({ op: kept[i], after: ours.after, jumped: ours.jumped }).toEqual({ op: kept[i], ...theirs });
        throw new Error(`${JSON.stringify(kept[i])} is not taken the same way`);
      }
    }
  });

const real: Model = { refine, taken: branchTaken, domain: scalarArithmetic, split: forkScalar };

describeKernel('scalars in the log of the kernel, Linux 6.18', () => {
  test.skipIf(!messagesKnown())('are printed as ours, along random lines of insns', () => {
    const count = { compared: 0 };
    fc.assert(agrees(real, count), seeded(1_500));
    // The comparison must not be empty: at least several registers a line.
    expect(count.compared).toBeGreaterThan(5_000);
  });

  const slips: [string, Model][] = [
    [
      'an or that does not raise the least',
      {
        ...real,
        domain: {
          ...scalarArithmetic,
          binary: (op, w, a, b) =>
            op === 'or'
              ? { ...scalarArithmetic.binary(op, w, a, b), umin: 0n }
              : scalarArithmetic.binary(op, w, a, b),
        },
      },
    ],
    ['a byte swap that forgets', { ...real, domain: { ...scalarArithmetic, swap: () => unknown } }],
    [
      'a division that folds constants',
      {
        ...real,
        domain: {
          ...scalarArithmetic,
          binary: (op, w, a, b) => scalarArithmetic.binary(op === 'mod' ? 'and' : op, w, a, b),
        },
      },
    ],
    ['a refinement that learns nothing', { ...real, refine: (_op: Comparison, _w, _taken, a, b) => [a, b] }],
    ['a sign that is not split', { ...real, split: () => undefined }],
    ['a branch never decided', { ...real, taken: () => undefined }],
  ];
  test.skipIf(!messagesKnown()).each(slips)('%s is seen', (_, wrong) => {
    expect(fc.check(agrees(wrong, { compared: 0 }), seeded(300)).failed).toBe(true);
  });
});
