/**
 * Every arithmetic and memory insn on the numbers where it could go wrong: in both tiers of the VM, in Linux where it can be asked, and by
 * a second account of atomics in plain BigInt.
 */
import { describe, expect, test } from 'vitest';
import { assemble } from '../../../src/isa/assemble.js';
import { toBytes } from '../../../src/isa/bytes.js';
import { profileHere } from '../../../src/oracle/profile/running.js';
import { verify } from '../../../src/verifier/verify.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { runConformance } from '../../../src/vm/conformance.js';
import { toHex } from '../../../src/vm/state/environment.js';
import { describeKernel } from '../../support/kernel/skip.js';
import { inVm, sameInBoth } from '../../support/vm/linux.js';
import { answer, lines, note } from '../../support/vm/text.js';

const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x8000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1_0000_0001n,
  0x7fff_ffff_8000_0000n,
  0x8000_0000_0000_0000n,
  0xffff_ffff_8000_0001n,
  0xffff_ffff_ffff_ffffn,
];
const FEW = [
  0n,
  1n,
  5n,
  31n,
  32n,
  33n,
  63n,
  64n,
  0x8000_0000n,
  0xffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
];
const load = (reg: string, value: bigint): string => `${reg} = 0x${value.toString(16)} ll`;

/** One program over all first and second operands. */
function programs(
  ops: (a: bigint, b: bigint) => readonly string[],
  second: readonly bigint[] = FEW,
): readonly string[] {
  const all = EDGES.flatMap((a) => second.map((b) => lines(...ops(a, b)) + note));
  return [`.type syscall\n${lines('r9 = 0')}${all.join('')}${answer}`];
}

const BINARY = ['+=', '-=', '*=', '/=', 's/=', '%=', 's%=', '|=', '&=', '^=', '<<=', '>>=', 's>>='];
const COMPARE = ['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<=', '&'];
const TABLE: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    BINARY.flatMap((op) =>
      ['r', 'w'].map((w) => [
        `${w}0 ${op} ${w}1`,
        programs((a, b) => [load('r0', a), load('r1', b), `${w}0 ${op} ${w}1`]),
      ]),
    ),
  ),
  ...Object.fromEntries(
    COMPARE.flatMap((op) =>
      ['r', 'w'].map((w) => [
        `if ${w}0 ${op} ${w}1`,
        programs((a, b) => [
          load('r0', a),
          load('r1', b),
          'r2 = 1',
          `if ${w}0 ${op} ${w}1 goto +1`,
          'r2 = 2',
          'r0 = r2',
        ]),
      ]),
    ),
  ),
  negation: programs((a) => [load('r0', a), 'r0 = -r0', 'r9 ^= r0', load('r0', a), 'w0 = -w0'], [0n]),
  'byte swaps': programs(
    (a) =>
      ['be', 'le', 'bswap'].flatMap((op) =>
        [16, 32, 64].flatMap((bits) => [load('r0', a), `r0 = ${op}${bits} r0`, 'r9 *= 3', 'r9 ^= r0']),
      ),
    [0n],
  ),
  'moves that extend the sign': programs(
    (a) =>
      [
        'r0 = (s8)r1',
        'r0 = (s16)r1',
        'r0 = (s32)r1',
        'w0 = (s8)w1',
        'w0 = (s16)w1',
        'w0 = w1',
        'r0 = r1',
      ].flatMap((op) => [load('r1', a), load('r0', ~a & 0xffff_ffff_ffff_ffffn), op, 'r9 *= 3', 'r9 ^= r0']),
    [0n],
  ),
  'loads of each size': programs(
    (a) => [
      load('r1', a),
      '*(u64 *)(r10 -8) = r1',
      ...['u8', 'u16', 'u32', 'u64', 's8', 's16', 's32'].flatMap((size) =>
        [0, 4]
          .filter((off) => off === 0 || size !== 'u64')
          .flatMap((off) => [`r0 = *(${size} *)(r10 ${off - 8})`, 'r9 *= 3', 'r9 ^= r0']),
      ),
    ],
    [0n],
  ),
  'stores of each size': programs(
    (a) =>
      [8, 16, 32, 64].flatMap((bits) => [
        load('r1', a),
        '*(u64 *)(r10 -8) = -2',
        `*(u${bits} *)(r10 -8) = r1`,
        'r0 = *(u64 *)(r10 -8)',
        'r9 *= 3',
        'r9 ^= r0',
        '*(u64 *)(r10 -8) = 0',
        `*(u${bits} *)(r10 -8) = -77`,
        'r0 = *(u64 *)(r10 -8)',
        'r9 *= 3',
        'r9 ^= r0',
      ]),
    [0n],
  ),
};

/** Why the running kernel cannot be asked about these insns, if it does not know them. */
function unknownHere(texts: readonly string[]): string | undefined {
  for (const text of texts) {
    const verdict = verify(parseCase(text).program, { facts: false, kernel: profileHere() });
    if (!verdict.ok && verdict.message.startsWith('this kernel does not know')) return verdict.message;
  }
  return undefined;
}

describeKernel('Linux computes the same', () => {
  test.for(Object.keys(TABLE))('%s', (name, { skip }) => {
    const unknown = unknownHere(TABLE[name]!);
    if (unknown !== undefined) skip(unknown);
    for (const text of TABLE[name]!) sameInBoth(text);
  });
});

describe('both tiers compute the same', () => {
  test.each(Object.keys(TABLE))('%s', (name) => {
    for (const text of TABLE[name]!) {
      const { program } = parseCase(text);
      expect(inVm(program).retval).toBe(inVm(program, {}, 'definitional').retval);
    }
  });
});

type Atomic = readonly [
  text: (w: string, size: string) => string,
  apply: (old: bigint, b: bigint, r0: bigint) => bigint,
  back: 'none' | 'r1' | 'r0',
];
const plus = (a: bigint, b: bigint): bigint => a + b;
const ATOMICS: Readonly<Record<string, Atomic>> = {
  add: [(_, size) => `lock *(${size} *)(r10 -8) += r1`, plus, 'none'],
  or: [(_, size) => `lock *(${size} *)(r10 -8) |= r1`, (a, b) => a | b, 'none'],
  and: [(_, size) => `lock *(${size} *)(r10 -8) &= r1`, (a, b) => a & b, 'none'],
  xor: [(_, size) => `lock *(${size} *)(r10 -8) ^= r1`, (a, b) => a ^ b, 'none'],
  fetch_add: [(w, size) => `r1 = atomic${w}_fetch_add((${size} *)(r10 -8), r1)`, plus, 'r1'],
  fetch_or: [(w, size) => `r1 = atomic${w}_fetch_or((${size} *)(r10 -8), r1)`, (a, b) => a | b, 'r1'],
  fetch_and: [(w, size) => `r1 = atomic${w}_fetch_and((${size} *)(r10 -8), r1)`, (a, b) => a & b, 'r1'],
  fetch_xor: [(w, size) => `r1 = atomic${w}_fetch_xor((${size} *)(r10 -8), r1)`, (a, b) => a ^ b, 'r1'],
  xchg: [(w, size) => `r1 = atomic${w}_xchg((${size} *)(r10 -8), r1)`, (_a, b) => b, 'r1'],
  cmpxchg: [
    (w, size) => `r0 = atomic${w}_cmpxchg((${size} *)(r10 -8), r0, r1)`,
    (old, b, r0) => (old === r0 ? b : old),
    'r0',
  ],
};

/** What is left of an atomic: the memory, r1 and r0 afterwards, in one number. */
const left = lines('r9 = r0', 'r9 *= 7', 'r9 += r1', 'r9 *= 7', 'r0 = *(u64 *)(r10 -8)', 'r0 += r9');
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

describe('atomics do what they say', () => {
  for (const [name, [text, apply, back]] of Object.entries(ATOMICS)) {
    for (const bits of [32, 64] as const) {
      test(`${name} of ${bits} bits`, () => {
        for (const old of EDGES) {
          for (const b of FEW) {
            for (const r0 of name === 'cmpxchg' ? [old, old ^ 1n, old ^ (1n << 40n)] : [3n]) {
              const insn = text(bits === 64 ? '64' : '', `u${bits}`);
              const start = lines(load('r0', old), '*(u64 *)(r10 -8) = r0', load('r0', r0), load('r1', b));
              const hex = toHex(toBytes(assemble(`${start}${lines(insn)}${left}${lines('exit')}`).insns));
              const low = (value: bigint): bigint => BigInt.asUintN(bits, value);
              const kept = old & ~(2n ** BigInt(bits) - 1n);
              const memory = kept | low(apply(low(old), low(b), low(r0)));
              const r0After = back === 'r0' ? low(old) : r0;
              const r1After = back === 'r1' ? low(old) : b;
              const expected = u64((r0After * 7n + r1After) * 7n + memory);
              expect(runConformance(hex), `${insn} on ${old} with ${b} and ${r0}`).toBe(expected);
            }
          }
        }
      });
    }
  }
});
