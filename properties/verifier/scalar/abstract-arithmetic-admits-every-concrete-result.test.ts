/** Soundness of the scalar domain: if x is admitted by a and y by b, then the concrete `x op y` is admitted by `a op b`. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binaryArbitrary, u64Arbitrary, widthArbitrary } from '../../../generators/arithmetic.js';
import { BINARY_OPS, type BinaryOp, type Width } from '../../../src/isa/insn.js';
import { S64_MAX, S64_MIN, U64_MAX } from '../../../src/isa/integer.js';
import { concrete } from '../../../src/semantics/arith.js';
import type { Domain } from '../../../src/semantics/machine.js';
import { forkScalar, scalarArithmetic } from '../../../src/verifier/scalar/alu.js';
import type { Scalar } from '../../../src/verifier/scalar/scalar.js';
import { admits, constant, isConst, unknown } from '../../../src/verifier/scalar/scalar.js';
import { isConsistent, mutableCopy, sanityChecked, syncBounds } from '../../../src/verifier/scalar/sync.js';
import { tnumLshift, tnumXor } from '../../../src/verifier/scalar/tnum.js';
import type { Sample } from '../../support/scalars.js';
import { samples, shown, unsynced } from '../../support/scalars.js';
import { seeded } from '../../support/seed.js';

type Unary = <V>(d: Domain<V>, a: V) => V;

const UNARY: readonly (readonly [string, Unary])[] = [
  ['neg64', (d, a) => d.negate(64, a)],
  ['neg32', (d, a) => d.negate(32, a)],
  ...([8, 16, 32] as const).flatMap((bits): [string, Unary][] => [
    [`zeroExtend${bits}`, (d, a) => d.zeroExtend(bits, a)],
    [`signExtend${bits}`, (d, a) => d.signExtend(bits, a)],
    [`signExtend${bits} to 32`, (d, a) => d.zeroExtend(32, d.signExtend(bits, a))],
  ]),
  ...(['le', 'be', 'bswap'] as const).flatMap((op) =>
    ([16, 32, 64] as const).map((bits): [string, Unary] => [`${op}${bits}`, (d, a) => d.swap(op, bits, a)]),
  ),
];

function mustAdmit(s: Scalar, v: bigint, what: string): void {
  if (!isConsistent(s)) throw new Error(`bounds contradict each other: ${shown(what, s, v)}`);
  if (!admits(s, v)) throw new Error(`not admitted: ${shown(what, s, v)}`);
}

function checkBinary(d: Domain<Scalar>, op: BinaryOp, w: Width, a: Sample, b: Sample): Sample {
  const scalar = d.binary(op, w, a.scalar, b.scalar);
  const values: bigint[] = [];
  for (const x of a.values) {
    for (const y of b.values) {
      const v = concrete.binary(op, w, x, y);
      mustAdmit(scalar, v, `0x${x.toString(16)} ${op}${w} 0x${y.toString(16)}`);
      values.push(v);
    }
  }
  return { scalar, values: values.slice(0, 4) };
}

const binaryIsSound = (d: Domain<Scalar>, ops: readonly BinaryOp[] = BINARY_OPS) =>
  fc.property(fc.constantFrom(...ops), widthArbitrary, samples, samples, (op, w, a, b) => {
    checkBinary(d, op, w, a, b);
  });

const shiftsAreSound = (d: Domain<Scalar>) =>
  fc.property(
    fc.constantFrom<BinaryOp>('lsh', 'rsh', 'arsh'),
    widthArbitrary,
    samples,
    fc.nat(70),
    (op, w, a, by) => {
      checkBinary(d, op, w, a, point(by));
    },
  );

const unaryIsSound = (d: Domain<Scalar>) =>
  fc.property(fc.constantFrom(...UNARY), samples, ([name, f], a) => {
    const result = f(d, a.scalar);
    for (const x of a.values) mustAdmit(result, f(concrete, x), `${name} of 0x${x.toString(16)}`);
  });

const point = (n: number): Sample => ({ scalar: constant(BigInt(n)), values: [BigInt(n)] });

describe('abstract arithmetic', () => {
  test('what the domains teach each other loses no value', () => {
    fc.assert(
      fc.property(unsynced, ({ bounds, values }) => {
        const made = { ...bounds };
        syncBounds(made);
        for (const v of values) mustAdmit(sanityChecked(made), v, 'sync');
        // Nothing is forgotten either; save the 64-bit bounds, which Linux takes from the 32-bit ones where it can.
        expect(made.u32min >= bounds.u32min && made.u32max <= bounds.u32max).toBe(true);
        expect(made.s32min >= bounds.s32min && made.s32max <= bounds.s32max).toBe(true);
        expect(made.mask & (bounds.mask ^ U64_MAX)).toBe(0n);
      }),
      seeded(20_000),
    );
  });

  test('binary operations', () => {
    fc.assert(binaryIsSound(scalarArithmetic), seeded(30_000));
  });

  test('shifts by a constant', () => {
    fc.assert(shiftsAreSound(scalarArithmetic), seeded(15_000));
  });

  test('negation, extension, byte order', () => {
    fc.assert(unaryIsSound(scalarArithmetic), seeded(20_000));
  });

  test('one after the other', () => {
    const steps = fc.array(fc.tuple(binaryArbitrary, widthArbitrary, fc.constantFrom(...UNARY), samples), {
      minLength: 2,
      maxLength: 8,
    });
    fc.assert(
      fc.property(samples, steps, (first, rest) => {
        let now = first;
        for (const [op, w, [name, f], b] of rest) {
          now = checkBinary(scalarArithmetic, op, w, now, b);
          const scalar = f(scalarArithmetic, now.scalar);
          const values = now.values.map((v) => f(concrete, v));
          for (const v of values) mustAdmit(scalar, v, name);
          now = { scalar, values };
        }
      }),
      seeded(5_000),
    );
  });

  test('a split register is one half or the other', () => {
    const signs = fc
      .tuple(samples, widthArbitrary)
      .map(([a, w]) => checkBinary(scalarArithmetic, 'arsh', w, a, point(w - 1)));
    fc.assert(
      fc.property(
        signs,
        fc.constantFrom<BinaryOp>('and', 'or'),
        widthArbitrary,
        u64Arbitrary,
        (a, op, w, k) => {
          const halves = forkScalar(op, a.scalar, constant(k));
          if (halves === undefined) return;
          const results = halves.map((half) => scalarArithmetic.binary(op, w, half, constant(k)));
          for (const x of a.values) {
            const v = concrete.binary(op, w, x, k);
            if (!results.some((result) => admits(result, v)))
              throw new Error(shown(`0x${x.toString(16)} ${op}${w}`, results[0]!, v));
          }
        },
      ),
      seeded(5_000),
    );
    const sign = scalarArithmetic.binary('arsh', 64, unknown, constant(63n));
    expect(forkScalar('and', sign, constant(5n))).toEqual([constant(-1n), constant(0n)]);
    expect(forkScalar('add', sign, constant(5n))).toBeUndefined();
    expect(forkScalar('and', unknown, constant(5n))).toBeUndefined();
    expect(
      forkScalar('or', scalarArithmetic.binary('arsh', 32, unknown, constant(31n)), constant(5n)),
    ).toBeDefined();
  });

  test('constants stay constants, except where Linux gives up', () => {
    fc.assert(
      fc.property(binaryArbitrary, widthArbitrary, u64Arbitrary, u64Arbitrary, (op, w, x, y) => {
        const result = scalarArithmetic.binary(op, w, constant(x), constant(y));
        const gives = ['div', 'sdiv', 'mod', 'smod'].includes(op) || (op.endsWith('sh') && y >= BigInt(w));
        if (gives) expect(result).toBe(unknown);
        else expect(result).toEqual(constant(concrete.binary(op, w, x, y)));
      }),
      seeded(5_000),
    );
  });
});

/** The result with some fields replaced, as by a slip of the pen. */
const wrongBinary = (binary: Domain<Scalar>['binary']): Domain<Scalar> => ({ ...scalarArithmetic, binary });

const MUTANTS: readonly (readonly [string, Domain<Scalar>])[] = [
  [
    'the tnum of a left shift moves one bit too far',
    wrongBinary((op, w, a, b) => {
      const right = scalarArithmetic.binary(op, w, a, b);
      if (op !== 'lsh' || isConst(right) || !isConst(b)) return right;
      return { ...right, ...tnumLshift(right, 1) };
    }),
  ],
  [
    'logical shifts are arithmetic',
    wrongBinary((op, w, a, b) => scalarArithmetic.binary(op === 'rsh' ? 'arsh' : op, w, a, b)),
  ],
  [
    '32-bit results are not zero-extended',
    wrongBinary((op, _, a, b) => scalarArithmetic.binary(op, 64, a, b)),
  ],
  [
    'the ends of a sum are not checked for overflow',
    wrongBinary((op, w, a, b) => {
      const right = scalarArithmetic.binary(op, w, a, b);
      if (op !== 'add' || w === 32) return right;
      const made = mutableCopy(right);
      made.smin = BigInt.asIntN(64, a.smin + b.smin);
      made.smax = BigInt.asIntN(64, a.smax + b.smax);
      return made;
    }),
  ],
  [
    'the greatest of an and is one less',
    wrongBinary((op, w, a, b) => {
      const right = scalarArithmetic.binary(op, w, a, b);
      return op === 'and' && right.umax > 0n && !isConst(right) ? { ...right, umax: right.umax - 1n } : right;
    }),
  ],
  [
    'the unknown bits of the source are lost in an xor',
    wrongBinary((op, w, a, b) => {
      const right = scalarArithmetic.binary(op, w, a, b);
      if (op !== 'xor' || w === 32) return right;
      return { ...right, ...tnumXor(a, { value: b.value, mask: 0n }) };
    }),
  ],
  [
    'products of signed bounds are taken end by end',
    wrongBinary((op, w, a, b) => {
      const right = scalarArithmetic.binary(op, w, a, b);
      if (op !== 'mul' || w === 32 || isConst(right)) return right;
      const [smin, smax] = [a.smin * b.smin, a.smax * b.smax];
      return smin < S64_MIN || smax > S64_MAX || smin > smax ? right : { ...right, smin, smax };
    }),
  ],
  [
    'a difference is bounded by the difference of equal ends',
    wrongBinary((op, w, a, b) => {
      const right = scalarArithmetic.binary(op, w, a, b);
      if (op !== 'sub' || w === 32 || a.umin < b.umin || a.umax < b.umax) return right;
      return { ...right, umin: a.umin - b.umin, umax: a.umax - b.umax };
    }),
  ],
  [
    'signed bounds of an or are those of the source',
    wrongBinary((op, w, a, b) => {
      const right = scalarArithmetic.binary(op, w, a, b);
      return op === 'or' && !isConst(right) ? { ...right, smax: b.smax } : right;
    }),
  ],
  ['sign extension fills with zeros', { ...scalarArithmetic, signExtend: scalarArithmetic.zeroExtend }],
  [
    'zero extension keeps the bounds above it',
    {
      ...scalarArithmetic,
      zeroExtend: (bits, a) => ({ ...scalarArithmetic.zeroExtend(bits, a), umin: a.umin }),
    },
  ],
  [
    'a byte swap keeps the bounds',
    {
      ...scalarArithmetic,
      swap: (op, bits, a) => ({ ...scalarArithmetic.swap(op, bits, a), umax: a.umax, umin: a.umin }),
    },
  ],
  [
    'negation keeps the unsigned bounds',
    {
      ...scalarArithmetic,
      negate: (w, a) => ({ ...scalarArithmetic.negate(w, a), umin: a.umin, umax: a.umax }),
    },
  ],
  [
    'division is that of the bounds',
    wrongBinary((op, w, a, b) => {
      if (op !== 'div' || b.umin === 0n) return scalarArithmetic.binary(op, w, a, b);
      return { ...unknown, umin: a.umin / b.umin, umax: a.umax / b.umin };
    }),
  ],
];

describe('a slip in the abstract arithmetic is seen', () => {
  test.each(MUTANTS)('%s', (_, wrong) => {
    const found = [binaryIsSound(wrong), shiftsAreSound(wrong), unaryIsSound(wrong)].some(
      (property) => fc.check(property as fc.IProperty<unknown>, seeded(10_000)).failed,
    );
    expect(found).toBe(true);
  });
});
