/**
 * Soundness of branches: a definite `branchTaken` is right for every pair of values; `refine` keeps every pair that goes
 * the branch's way.
 */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { comparisonArbitrary, widthArbitrary } from '../../../generators/arithmetic.js';
import type { Comparison, Width } from '../../../src/isa/insn.js';
import { compare } from '../../../src/semantics/arith.js';
import { branchTaken, refine } from '../../../src/verifier/scalar/refine.js';
import type { Scalar } from '../../../src/verifier/scalar/scalar.js';
import { admits, constant, isConst } from '../../../src/verifier/scalar/scalar.js';
import { isConsistent, mutableCopy, sanityChecked, syncBounds } from '../../../src/verifier/scalar/sync.js';
import { samples, shown } from '../../support/scalars.js';
import { seeded } from '../../support/seed.js';

type Refine = (op: Comparison, width: Width, taken: boolean, a: Scalar, b: Scalar) => [Scalar, Scalar];

interface Branches {
  readonly branchTaken: typeof branchTaken;
  readonly refine: Refine;
}

const real: Branches = { branchTaken, refine };

function mustAdmit(s: Scalar, v: bigint, what: string): void {
  if (!isConsistent(s)) throw new Error(`bounds contradict each other: ${shown(what, s, v)}`);
  if (!admits(s, v)) throw new Error(`not admitted: ${shown(what, s, v)}`);
}

/** Two scalars; often a constant that is at an edge of the other, or a value of it. */
const pairs = fc.tuple(samples, samples, fc.nat(9), fc.boolean()).map(([a, b, how, swapped]) => {
  const ends = [
    a.scalar.umin,
    a.scalar.umax,
    BigInt.asUintN(64, a.scalar.smin),
    BigInt.asUintN(64, a.scalar.smax),
  ];
  const v = how < 4 ? ends[how]! : a.values[how % a.values.length]!;
  const other = how < 7 ? { scalar: constant(v), values: [v] } : b;
  return swapped ? ([other, a] as const) : ([a, other] as const);
});

const verdictsAreSound = (branches: Branches) =>
  fc.property(comparisonArbitrary, widthArbitrary, pairs, (op, w, [a, b]) => {
    const verdict = branches.branchTaken(op, w, a.scalar, b.scalar);
    if (verdict === undefined) return;
    for (const x of a.values) {
      for (const y of b.values) {
        if (compare(op, w, x, y) !== verdict)
          throw new Error(`${op}${w} is not always ${verdict}: ${x}, ${y}`);
      }
    }
  });

const refinementIsSound = (branches: Branches) =>
  fc.property(comparisonArbitrary, widthArbitrary, fc.boolean(), pairs, (op, w, taken, [a, b]) => {
    const refined = branches.refine(op, w, taken, a.scalar, b.scalar);
    for (const x of a.values) {
      for (const y of b.values) {
        if (compare(op, w, x, y) !== taken) continue;
        mustAdmit(refined[0], x, 'left');
        mustAdmit(refined[1], y, 'right');
      }
    }
  });

describe('branches', () => {
  test('a verdict is right for every pair of values', () => {
    fc.assert(verdictsAreSound(real), seeded(30_000));
  });

  test('refinement keeps every pair that goes this way', () => {
    fc.assert(refinementIsSound(real), seeded(30_000));
  });

  test('constants decide every branch, as they do in a run', () => {
    fc.assert(
      fc.property(comparisonArbitrary, widthArbitrary, samples, samples, (op, w, a, b) => {
        const [x, y] = [a.values[0]!, b.values[0]!];
        expect(branchTaken(op, w, constant(x), constant(y))).toBe(compare(op, w, x, y));
        expect(branchTaken(op, w, constant(x), constant(x))).toBe(compare(op, w, x, x));
      }),
      seeded(10_000),
    );
  });

  test('what teaches nothing comes back as the same object', () => {
    const r = sanityChecked(
      mutableCopy({ ...constant(5n), umax: 9n, smax: 9n, u32max: 9, s32max: 9, mask: 15n, value: 0n }),
    );
    const refined = refine('lt', 64, true, r, constant(100n));
    expect(refined?.[0]).toBe(r);
    const large = constant(1n << 40n);
    expect(refine('lt', 64, true, r, large)?.[1]).toBe(large);
  });
});

/** Puts `change` on the refined left scalar, unless that is a constant. */
const wrongRefine = (
  change: (...args: [...Parameters<Refine>, Scalar]) => Partial<Scalar> | undefined,
): Branches => ({
  branchTaken,
  refine: (op, w, taken, a, b) => {
    const right = refine(op, w, taken, a, b);
    if (isConst(right[0])) return right;
    const changed = change(op, w, taken, a, b, right[0]);
    if (changed === undefined) return right;
    const made = { ...mutableCopy(right[0]), ...changed };
    syncBounds(made);
    return [sanityChecked(made), right[1]];
  },
});

const MUTANTS: readonly (readonly [string, Branches])[] = [
  [
    '`<=` refines like `<`',
    wrongRefine((op, w, taken, _a, b, right) =>
      op === 'le' && w === 64 && taken && right.umax === b.umax ? { umax: right.umax - 1n } : undefined,
    ),
  ],
  [
    'signed comparisons refine unsigned bounds',
    wrongRefine((op, w, taken, _a, b, right) =>
      op === 'sle' && w === 64 && taken && b.umax < right.umax ? { umax: b.umax } : undefined,
    ),
  ],
  [
    'a 32-bit comparison refines the 64-bit bounds',
    wrongRefine((op, w, taken, _a, b, right) =>
      op === 'lt' && w === 32 && taken && b.u32max > 0 ? { umax: BigInt(b.u32max) - 1n } : right,
    ),
  ],
  ['the two ways are mixed up', { branchTaken, refine: (op, w, taken, a, b) => refine(op, w, !taken, a, b) }],
  [
    '`set` with several bits sets them all',
    wrongRefine((op, w, taken, _a, b, right) =>
      op === 'set' && w === 64 && taken && isConst(b)
        ? { value: right.value | b.value, mask: right.mask & ~b.value }
        : undefined,
    ),
  ],
  [
    '`!=` takes away the edge beside',
    wrongRefine((op, w, taken, a, b, right) =>
      op === 'ne' && w === 64 && taken && isConst(b) && a.umin === b.value
        ? { umin: right.umin + 1n }
        : undefined,
    ),
  ],
  [
    '`>=` decides like `>`',
    { refine, branchTaken: (op, w, a, b) => branchTaken(op === 'ge' ? 'gt' : op, w, a, b) },
  ],
  [
    'a 32-bit comparison decides by 64 bits',
    { refine, branchTaken: (op, _w, a, b) => branchTaken(op, 64, a, b) },
  ],
  [
    'signed is decided as unsigned',
    { refine, branchTaken: (op, w, a, b) => branchTaken(op === 'slt' ? 'lt' : op, w, a, b) },
  ],
  [
    'tnums that differ in an unknown bit are taken for unequal',
    {
      refine,
      branchTaken: (op, w, a, b) => (op === 'eq' && a.value !== b.value ? false : branchTaken(op, w, a, b)),
    },
  ],
  [
    'what equals a constant is the number beside it',
    {
      branchTaken,
      refine: (op, w, taken, a, b) =>
        op === 'eq' && w === 64 && taken && isConst(b)
          ? [constant(b.value ^ 1n), b]
          : refine(op, w, taken, a, b),
    },
  ],
];

describe('a slip in the branches is seen', () => {
  test('but not where there is none', () => {
    expect(fc.check(refinementIsSound(wrongRefine(() => ({}))), seeded(5_000)).failed).toBe(false);
  });

  test.each(MUTANTS)('%s', (_, wrong) => {
    const found =
      fc.check(refinementIsSound(wrong), seeded(20_000)).failed ||
      fc.check(verdictsAreSound(wrong), seeded(20_000)).failed;
    expect(found).toBe(true);
  });
});
