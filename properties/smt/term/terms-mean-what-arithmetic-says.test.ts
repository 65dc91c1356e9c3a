/**
 * Terms, their simplification, and Z3's reading of them all agree with src/semantics/arith.ts: on constants, on values given to
 * variables, and through models.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  binaryArbitrary,
  comparisonArbitrary,
  u64Arbitrary,
  widthArbitrary,
} from '../../../generators/arithmetic.js';
import type { BinaryOp, Width } from '../../../src/isa/insn.js';
import * as arith from '../../../src/semantics/arith.js';
import { compare, termDomain } from '../../../src/smt/arith.js';
import { openSolver, type Solver } from '../../../src/smt/solver.js';
import { evaluate } from '../../../src/smt/term/evaluate.js';
import type { Term } from '../../../src/smt/term/term.js';
import { Terms } from '../../../src/smt/term/terms.js';
import { Z3Context } from '../../../src/smt/z3/context.js';
import { z3Module } from '../../../src/smt/z3/module.js';
import { seeded } from '../../support/seed.js';

/** An expression of BPF arithmetic over x, y and constants. */
type Tree =
  | { readonly kind: 'x' | 'y' }
  | { readonly kind: 'constant'; readonly value: bigint }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOp;
      readonly width: Width;
      readonly a: Tree;
      readonly b: Tree;
    }
  | { readonly kind: 'negate'; readonly width: Width; readonly a: Tree }
  | { readonly kind: 'zeroExtend' | 'signExtend'; readonly bits: 8 | 16 | 32; readonly a: Tree }
  | {
      readonly kind: 'swap';
      readonly op: 'le' | 'be' | 'bswap';
      readonly bits: 16 | 32 | 64;
      readonly a: Tree;
    };

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'tree', withCrossShrink: true },
    fc.record({ kind: fc.constantFrom('x' as const, 'y' as const) }),
    fc.record({ kind: fc.constant('constant' as const), value: u64Arbitrary }),
    fc.record({
      kind: fc.constant('binary' as const),
      op: binaryArbitrary,
      width: widthArbitrary,
      a: tie('tree'),
      b: tie('tree'),
    }),
    fc.record({ kind: fc.constant('negate' as const), width: widthArbitrary, a: tie('tree') }),
    fc.record({
      kind: fc.constantFrom('zeroExtend' as const, 'signExtend' as const),
      bits: fc.constantFrom<8 | 16 | 32>(8, 16, 32),
      a: tie('tree'),
    }),
    fc.record({
      kind: fc.constant('swap' as const),
      op: fc.constantFrom('le' as const, 'be' as const, 'bswap' as const),
      bits: fc.constantFrom<16 | 32 | 64>(16, 32, 64),
      a: tie('tree'),
    }),
  ),
}));

interface Meaning<V> {
  constant(value: bigint): V;
  binary(op: BinaryOp, width: Width, a: V, b: V): V;
  negate(width: Width, a: V): V;
  zeroExtend(bits: 8 | 16 | 32, a: V): V;
  signExtend(bits: 8 | 16 | 32, a: V): V;
  swap(op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, a: V): V;
}

function read<V>(meaning: Meaning<V>, of: Tree, x: V, y: V): V {
  const go = (part: Tree): V => read(meaning, part, x, y);
  switch (of.kind) {
    case 'x':
      return x;
    case 'y':
      return y;
    case 'constant':
      return meaning.constant(of.value);
    case 'binary':
      return meaning.binary(of.op, of.width, go(of.a), go(of.b));
    case 'negate':
      return meaning.negate(of.width, go(of.a));
    case 'zeroExtend':
    case 'signExtend':
      return meaning[of.kind](of.bits, go(of.a));
    case 'swap':
      return meaning.swap(of.op, of.bits, go(of.a));
  }
}

const concrete: Meaning<bigint> = { ...arith, constant: (value) => value };

const named = (x: bigint, y: bigint): ReadonlyMap<string, bigint> =>
  new Map([
    ['x', x],
    ['y', y],
  ]);

/** The term of a tree with x and y unknown, then valued. */
function throughTerms(terms: Terms, of: Tree, x: bigint, y: bigint): bigint {
  const term = read(termDomain(terms), of, terms.variable(64, 'x'), terms.variable(64, 'y'));
  return evaluate(term, named(x, y));
}

test('a term has the value that the arithmetic of its tree gives', () => {
  fc.assert(
    fc.property(tree, u64Arbitrary, u64Arbitrary, (of, x, y) => {
      expect(throughTerms(new Terms(), of, x, y)).toBe(read(concrete, of, x, y));
    }),
    seeded(3000),
  );
});

test('constants fold to constants', () => {
  fc.assert(
    fc.property(tree, u64Arbitrary, u64Arbitrary, (of, x, y) => {
      const terms = new Terms();
      const term = read(termDomain(terms), of, terms.constant(64, x), terms.constant(64, y));
      expect([term.op, term.value]).toEqual(['const', read(concrete, of, x, y)]);
    }),
    seeded(1000),
  );
});

test('a term lies in the interval that it states', () => {
  fc.assert(
    fc.property(tree, u64Arbitrary, u64Arbitrary, (of, x, y) => {
      const terms = new Terms();
      const term = read(termDomain(terms), of, terms.variable(64, 'x'), terms.variable(64, 'y'));
      const value = evaluate(term, named(x, y));
      expect(value >= term.lo && value <= term.hi).toBe(true);
    }),
    seeded(1000),
  );
});

test('a branch condition is true exactly where the jump is taken', () => {
  const side = fc.tuple(tree, tree, comparisonArbitrary, widthArbitrary);
  fc.assert(
    fc.property(side, u64Arbitrary, u64Arbitrary, ([a, b, op, bits], x, y) => {
      const terms = new Terms();
      const value = (of: Tree): Term =>
        read(termDomain(terms), of, terms.variable(64, 'x'), terms.variable(64, 'y'));
      const condition = compare(terms, op, bits, value(a), value(b));
      const taken = arith.compare(op, bits, read(concrete, a, x, y), read(concrete, b, x, y));
      expect(evaluate(condition, named(x, y))).toBe(taken ? 1n : 0n);
      expect(evaluate(terms.not(condition), named(x, y))).toBe(taken ? 0n : 1n);
    }),
    seeded(2000),
  );
});

let context: Z3Context;
beforeAll(async () => {
  context = new Z3Context(await z3Module());
});
afterAll(() => context.close());

test('Z3 gives every operator the value that arithmetic gives', () => {
  const domain = (terms: Terms): Meaning<Term> => termDomain(terms);
  fc.assert(
    fc.property(binaryArbitrary, widthArbitrary, u64Arbitrary, u64Arbitrary, (op, bits, a, b) => {
      const terms = new Terms();
      const [x, y, r] = ['x', 'y', 'r'].map((name) => terms.variable(64, name)) as [Term, Term, Term];
      const given = [terms.eq(x, terms.constant(64, a)), terms.eq(y, terms.constant(64, b))];
      const result = domain(terms).binary(op, bits, x, y);
      const answer = context.check([...given, terms.eq(r, result)], 5_000_000);
      expect(answer.verdict === 'sat' && answer.model.get('r')).toBe(arith.binary(op, bits, a, b));
    }),
    seeded(120),
  );
});

test('models of random questions satisfy them, and contradictions have none', async () => {
  await fc.assert(
    fc.asyncProperty(tree, tree, comparisonArbitrary, widthArbitrary, async (a, b, op, bits) => {
      const terms = new Terms();
      const solver: Solver = await openSolver(terms, { rlimit: 300_000 });
      const value = (of: Tree): Term =>
        read(termDomain(terms), of, terms.variable(64, 'x'), terms.variable(64, 'y'));
      const condition = compare(terms, op, bits, value(a), value(b));
      const yes = solver.check([condition]);
      const no = solver.check([terms.not(condition)]);
      solver.close();
      // One of the two can be had, whatever the trees are.
      expect([yes.verdict, no.verdict]).not.toEqual(['unsat', 'unsat']);
      for (const [answer, taken] of [
        [yes, true],
        [no, false],
      ] as const) {
        if (answer.verdict !== 'sat') continue;
        const [x, y] = [answer.model.get('x') ?? 0n, answer.model.get('y') ?? 0n];
        expect(arith.compare(op, bits, read(concrete, a, x, y), read(concrete, b, x, y))).toBe(taken);
      }
    }),
    seeded(120),
  );
});

test('products and quotients of unknowns are solved by refinement', async () => {
  const terms = new Terms();
  const solver = await openSolver(terms);
  const [x, y] = [terms.variable(64, 'x'), terms.variable(64, 'y')];
  const number64 = (value: number): Term => terms.constant(64, value);
  expect(solver.check([terms.eq(terms.mul(x, y), number64(1)), terms.eq(x, number64(2))]).verdict).toBe(
    'unsat',
  );
  const found = solver.check([
    terms.eq(terms.mul(x, y), number64(35)),
    terms.ult(number64(1), x),
    terms.ult(x, number64(8)),
  ]);
  expect(found.verdict === 'sat' && BigInt.asUintN(64, found.model.get('x')! * found.model.get('y')!)).toBe(
    35n,
  );
  expect(solver.check([terms.ult(x, terms.udiv(x, y)), terms.not(terms.eq(y, number64(0)))]).verdict).toBe(
    'unsat',
  );
  solver.close();
});

test('a question beyond the limit is unknown, the same way each time', async () => {
  const ask = async (): Promise<string> => {
    const terms = new Terms();
    const solver = await openSolver(terms, { rlimit: 20_000 });
    const [x, y] = [terms.variable(64, 'x'), terms.variable(64, 'y')];
    const below = terms.constant(64, 1n << 31n);
    const one = terms.constant(64, 1);
    const product = terms.constant(64, 1000003n * 998244353n);
    const answer = solver.check([
      terms.eq(terms.mul(x, y), product),
      terms.ult(x, below),
      terms.ult(y, below),
      terms.ult(one, x),
      terms.ult(x, y),
    ]);
    solver.close();
    return answer.verdict;
  };
  expect([await ask(), await ask()]).toEqual(['unknown', 'unknown']);
});

/** Seeded mistakes: a simplification that is wrong in one rule. */
class WrongShift extends Terms {
  override shl(a: Term, b: Term): Term {
    return b.op === 'const' ? super.shl(a, this.and(b, this.constant(b.width, 31))) : super.shl(a, b);
  }
}
class WrongSign extends Terms {
  override sext(bits: number, a: Term): Term {
    return a.op === 'extract' && a.width === 16 ? this.zext(bits, a) : super.sext(bits, a);
  }
}
class WrongDivision extends Terms {
  override udiv(a: Term, b: Term): Term {
    return this.sdiv(a, b);
  }
}

test.each([
  ['a shift count', WrongShift],
  ['a sign', WrongSign],
  ['a division', WrongDivision],
])('a simplifier that loses %s is noticed', (_what, Wrong) => {
  const outcome = fc.check(
    fc.property(
      tree,
      u64Arbitrary,
      u64Arbitrary,
      (of, x, y) => throughTerms(new Wrong(), of, x, y) === read(concrete, of, x, y),
    ),
    seeded(3000),
  );
  expect(outcome.failed).toBe(true);
});
