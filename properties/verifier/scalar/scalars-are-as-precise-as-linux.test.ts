/** What is known after lines of insns that compilers write, as Linux 6.18 prints it. */
import { describe, expect, test } from 'vitest';
import type { BinaryOp, Comparison, Width } from '../../../src/isa/insn.js';
import { scalarArithmetic } from '../../../src/verifier/scalar/alu.js';
import { branchTaken, refine } from '../../../src/verifier/scalar/refine.js';
import type { Scalar } from '../../../src/verifier/scalar/scalar.js';
import { constant, isConst, unknown } from '../../../src/verifier/scalar/scalar.js';
import { format, fromSigned, fromUnsigned } from '../../../src/verifier/scalar/set.js';

type Step = (s: Scalar) => Scalar;

const alu =
  (op: BinaryOp, imm: number, width: Width = 64): Step =>
  (s) =>
    scalarArithmetic.binary(op, width, s, constant(BigInt(imm)));
const when =
  (op: Comparison, imm: number, taken: boolean, width: Width = 64): Step =>
  (s) =>
    refine(op, width, taken, s, constant(BigInt(imm)))![0];
const u: Step = (s) => scalarArithmetic.zeroExtend(32, s);
const sx =
  (bits: 8 | 16 | 32): Step =>
  (s) =>
    scalarArithmetic.signExtend(bits, s);
const load = (bits: 8 | 16 | 32): Scalar => scalarArithmetic.zeroExtend(bits, unknown);

const outcome = (start: Scalar, ...steps: Step[]): string =>
  format(steps.reduce((s, step) => step(s), start));

describe('precision', () => {
  test.each<[string, string, string]>([
    [
      'a byte',
      outcome(unknown, alu('and', 0xff)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))',
    ],
    [
      'a loaded byte',
      outcome(load(8)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))',
    ],
    ['a loaded word', outcome(load(32)), 'scalar(smin=0,smax=umax=0xffffffff,var_off=(0x0; 0xffffffff))'],
    [
      'a byte times four',
      outcome(unknown, alu('and', 0xff), alu('lsh', 2)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=1020,var_off=(0x0; 0x3fc))',
    ],
    [
      'a byte less one',
      outcome(unknown, alu('and', 0xff), alu('add', -1)),
      'scalar(smin=smin32=-1,smax=smax32=254)',
    ],
    [
      '`if r > 7` falls through',
      outcome(unknown, when('gt', 7, false)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))',
    ],
    ['`if r > 7` jumps', outcome(unknown, when('gt', 7, true)), 'scalar(umin=8)'],
    ['`if r s> 7` falls through', outcome(unknown, when('sgt', 7, false)), 'scalar(smax=7)'],
    [
      'a range from below and above',
      outcome(unknown, when('slt', 0, false), when('sgt', 100, false)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=100,var_off=(0x0; 0x7f))',
    ],
    [
      '`if w > 7` falls through, high half unknown',
      outcome(unknown, when('gt', 7, false, 32)),
      'scalar(smax=0x7fffffff00000007,umax=0xffffffff00000007,smin32=0,smax32=umax32=7,var_off=(0x0; 0xffffffff00000007))',
    ],
    [
      '`if w > 7` falls through, high half zero',
      outcome(unknown, u, when('gt', 7, false, 32)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))',
    ],
    [
      '`if w > 7` and then `w = w`',
      outcome(unknown, when('gt', 7, false, 32), u),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=7,var_off=(0x0; 0x7))',
    ],
    [
      '`if r == 0` falls through',
      outcome(load(8), when('eq', 0, false)),
      'scalar(smin=umin=smin32=umin32=1,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))',
    ],
    ['`if r == 5` jumps', outcome(unknown, when('eq', 5, true)), '5'],
    [
      '`if r & 1` falls through',
      outcome(load(8), when('set', 1, false)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=254,var_off=(0x0; 0xfe))',
    ],
    [
      '`if r & 4` jumps',
      outcome(load(8), when('set', 4, true)),
      'scalar(smin=umin=smin32=umin32=4,smax=umax=smax32=umax32=255,var_off=(0x4; 0xfb))',
    ],
    ['a sign-extended byte', outcome(unknown, sx(8)), 'scalar(smin=smin32=-128,smax=smax32=127)'],
    [
      'a sign-extended byte that is not negative',
      outcome(unknown, alu('and', 0x7f), sx(8)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=127,var_off=(0x0; 0x7f))',
    ],
    [
      'a sign-extended word that fits',
      outcome(fromSigned(-5n, -1n), sx(32)),
      'scalar(smin=smin32=-5,smax=smax32=-1,umin=0xfffffffffffffffb,umin32=0xfffffffb,var_off=(0xfffffffffffffff8; 0x7))',
    ],
    [
      'sign extension by shifts',
      outcome(unknown, alu('lsh', 32), alu('arsh', 32)),
      'scalar(smin=0xffffffff80000000,smax=0x7fffffff)',
    ],
    [
      'words below what is printed in decimal',
      outcome(fromSigned(-100_000n, -70_000n)),
      'scalar(smin=0xfffffffffffe7960,smax=0xfffffffffffeee90,umin=0xfffffffffffe7960,umax=0xfffffffffffeee90,smin32=umin32=0xfffe7960,smax32=umax32=0xfffeee90,var_off=(0xfffffffffffe0000; 0xffff))',
    ],
    ['the sign of a number', outcome(unknown, alu('arsh', 63)), 'scalar(smin=smin32=-1,smax=smax32=0)'],
    [
      'the top bits',
      outcome(unknown, alu('rsh', 48)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=0xffff,var_off=(0x0; 0xffff))',
    ],
    [
      'a flag set',
      outcome(load(8), alu('or', 0x100)),
      'scalar(smin=umin=smin32=umin32=256,smax=umax=smax32=umax32=511,var_off=(0x100; 0xff))',
    ],
    [
      'a flag flipped',
      outcome(load(8), alu('xor', 0x0f)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))',
    ],
    [
      'a byte times three',
      outcome(load(8), alu('mul', 3)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=765,var_off=(0x0; 0x3ff))',
    ],
    [
      'negation',
      outcome(load(8), (s) => scalarArithmetic.negate(64, s)),
      'scalar(smin=smin32=-255,smax=smax32=0)',
    ],
    [
      'a 16-bit number in network order',
      outcome(load(16), (s) => scalarArithmetic.swap('be', 16, s)),
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=0xffff,var_off=(0x0; 0xffff))',
    ],
    ['division: nothing', outcome(load(8), alu('div', 4)), 'scalar()'],
    ['a bit between two bounds', outcome(unknown, alu('and', 32), when('gt', 0, true)), '32'],
  ])('%s', (_, ours, linux) => {
    expect(ours).toBe(linux);
  });

  test('a 32-bit result is zero-extended', () => {
    for (const op of ['add', 'sub', 'mul', 'and', 'or', 'xor', 'lsh', 'rsh', 'arsh'] as const) {
      const result = scalarArithmetic.binary(op, 32, unknown, constant(7n));
      expect(result.umax <= 0xffff_ffffn, op).toBe(true);
      expect(result.smin >= 0n, op).toBe(true);
    }
  });

  test('a shift by an unknown count gives up', () => {
    expect(scalarArithmetic.binary('lsh', 64, constant(1n), fromUnsigned(0n, 3n))).toBe(unknown);
    expect(scalarArithmetic.binary('rsh', 32, load(8), constant(32n))).toBe(unknown);
  });

  test('verdicts', () => {
    const byte = load(8);
    expect(branchTaken('gt', 64, byte, constant(255n))).toBe(false);
    expect(branchTaken('le', 64, byte, constant(255n))).toBe(true);
    expect(branchTaken('gt', 64, byte, constant(254n))).toBeUndefined();
    expect(branchTaken('slt', 64, byte, constant(0n))).toBe(false);
    expect(branchTaken('eq', 64, byte, constant(256n))).toBe(false);
    expect(branchTaken('set', 64, byte, constant(0x300n))).toBe(false);
    expect(branchTaken('set', 64, scalarArithmetic.binary('or', 64, byte, constant(2n)), constant(6n))).toBe(
      true,
    );
    // Even against odd.
    const even = scalarArithmetic.binary('and', 64, unknown, constant(-2n));
    expect(branchTaken('eq', 64, even, constant(7n))).toBe(false);
    expect(branchTaken('ne', 32, even, constant(7n))).toBe(true);
    expect(isConst(refine('eq', 32, true, load(32), constant(9n))![0])).toBe(true);
  });

  test('two registers teach each other', () => {
    const [x, y] = refine('lt', 64, true, unknown, fromUnsigned(0n, 10n))!;
    expect([format(x), format(y)]).toEqual([
      'scalar(smin=smin32=0,smax=umax=smax32=umax32=9,var_off=(0x0; 0xf))',
      'scalar(smin=umin=smin32=umin32=1,smax=umax=smax32=umax32=10,var_off=(0x0; 0xf))',
    ]);
  });
});
