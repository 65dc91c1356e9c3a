/**
 * Every constructor of terms, over every pair of small operands of every shape that some simplification looks for, has the value that its
 * definition gives, lies in its interval, and means the same to Z3. Widths are small, so that all values are tried.
 */
import { afterAll, expect, test } from 'vitest';
import { openSolver } from '../../../src/smt/solver.js';
import { type Assignment, evaluator } from '../../../src/smt/term/evaluate.js';
import type { Term } from '../../../src/smt/term/term.js';
import { Terms } from '../../../src/smt/term/terms.js';
import { Z3Context } from '../../../src/smt/z3/context.js';
import { z3Module } from '../../../src/smt/z3/module.js';

const W = 3;
const MASK = 7n;
/** Values of x and y (3 bits), of b (1 bit) and of p (a truth value). */
const ASSIGNMENTS: readonly Assignment[] = Array.from(
  { length: 8 * 8 * 2 * 2 },
  (_, n) =>
    new Map([
      ['x', BigInt(n & 7)],
      ['y', BigInt((n >> 3) & 7)],
      ['b', BigInt((n >> 6) & 1)],
      ['p', BigInt((n >> 7) & 1)],
    ]),
);

const signed = (value: bigint, width: number): bigint => BigInt.asIntN(width, value);
const wrap = (value: bigint, width = W): bigint => BigInt.asUintN(width, value);

/** What each constructor of two operands means, on unsigned values of `W` bits. */
const BINARY: Readonly<Record<string, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => wrap(a + b),
  sub: (a, b) => wrap(a - b),
  mul: (a, b) => wrap(a * b),
  udiv: (a, b) => a / b,
  urem: (a, b) => a % b,
  sdiv: (a, b) => wrap(signed(a, W) / signed(b, W)),
  srem: (a, b) => wrap(signed(a, W) % signed(b, W)),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => (b >= 3n ? 0n : wrap(a << b)),
  lshr: (a, b) => a >> b,
  ashr: (a, b) => wrap(signed(a, W) >> b),
};
const COMPARE: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  eq: (a, b) => a === b,
  ult: (a, b) => a < b,
  ule: (a, b) => a <= b,
  slt: (a, b) => signed(a, W) < signed(b, W),
  sle: (a, b) => signed(a, W) <= signed(b, W),
};
const DIVISIONS = new Set(['udiv', 'urem', 'sdiv', 'srem']);

type Value = (of: Assignment) => bigint;
/** A term, and its value said without terms. */
interface Shape {
  readonly term: Term;
  readonly value: Value;
}

const of =
  (name: string): Value =>
  (given) =>
    given.get(name)!;

/** Operands of 3 bits in every form that a constructor looks for. */
function shapes(t: Terms): readonly Shape[] {
  const [x, y, b] = [t.variable(W, 'x'), t.variable(W, 'y'), t.variable(1, 'b')];
  const p = t.variable(0, 'p');
  const constants = Array.from({ length: 8 }, (_, n) => ({ term: t.constant(W, n), value: () => BigInt(n) }));
  const c = (n: number): Term => t.constant(W, n);
  const plain: Shape[] = [
    { term: x, value: of('x') },
    { term: y, value: of('y') },
    { term: t.add(x, y), value: (g) => wrap(of('x')(g) + of('y')(g)) },
    { term: t.sub(x, y), value: (g) => wrap(of('x')(g) - of('y')(g)) },
    { term: t.neg(x), value: (g) => wrap(-of('x')(g)) },
    { term: t.zext(W, b), value: of('b') },
    { term: t.sext(W, b), value: (g) => wrap(-of('b')(g)) },
    { term: t.concat(b, t.extract(x, 1, 2)), value: (g) => (of('b')(g) << 2n) | (of('x')(g) >> 1n) },
    { term: t.concat(t.extract(y, 0, 2), b), value: (g) => ((of('y')(g) & 3n) << 1n) | of('b')(g) },
    { term: t.extract(t.sext(6, x), 2, W), value: (g) => wrap(signed(of('x')(g), W) >> 2n) },
    { term: t.extract(t.concat(x, y), 2, W), value: (g) => wrap(((of('x')(g) << 3n) | of('y')(g)) >> 2n) },
    { term: t.mul(x, y), value: (g) => wrap(of('x')(g) * of('y')(g)) },
    { term: t.lshr(x, y), value: (g) => of('x')(g) >> of('y')(g) },
    { term: t.ite(p, x, y), value: (g) => of(of('p')(g) === 1n ? 'x' : 'y')(g) },
  ];
  const withConstants = [1, 3, 4, 7].flatMap((n): readonly Shape[] => [
    { term: t.add(x, c(n)), value: (g) => wrap(of('x')(g) + BigInt(n)) },
    { term: t.and(x, c(n)), value: (g) => of('x')(g) & BigInt(n) },
    { term: t.or(x, c(n)), value: (g) => of('x')(g) | BigInt(n) },
    { term: t.xor(x, c(n)), value: (g) => of('x')(g) ^ BigInt(n) },
    { term: t.mul(x, c(n)), value: (g) => wrap(of('x')(g) * BigInt(n)) },
    { term: t.udiv(x, c(n)), value: (g) => of('x')(g) / BigInt(n) },
    { term: t.urem(x, c(n)), value: (g) => of('x')(g) % BigInt(n) },
    { term: t.ite(p, c(n), x), value: (g) => (of('p')(g) === 1n ? BigInt(n) : of('x')(g)) },
    { term: t.ite(p, c(n), c(2)), value: (g) => (of('p')(g) === 1n ? BigInt(n) : 2n) },
  ]);
  const later: Shape[] = [
    { term: t.ite(p, x, c(5)), value: (g) => (of('p')(g) === 1n ? of('x')(g) : 5n) },
    {
      term: t.concat(t.extract(x, 0, 1), t.extract(y, 1, 2)),
      value: (g) => ((of('x')(g) & 1n) << 2n) | (of('y')(g) >> 1n),
    },
  ];
  return [...constants, ...plain, ...withConstants, ...later];
}

const VARIABLES = ['x', 'y', 'b', 'p'] as const;

/** Bit n: the term has the nth variable. */
const variables = new Map<Term, number>();
function variablesOf(term: Term): number {
  const known = variables.get(term);
  if (known !== undefined) return known;
  const own = term.op === 'var' ? 1 << VARIABLES.indexOf(term.name as 'x') : 0;
  const found = term.args.reduce((bits, arg) => bits | variablesOf(arg), own);
  variables.set(term, found);
  return found;
}

/** By the variables that matter, the assignments to try: the others are 0. */
const relevant = Array.from({ length: 16 }, (_, bits) =>
  ASSIGNMENTS.filter((given) =>
    VARIABLES.every((name, n) => (bits & (1 << n)) !== 0 || given.get(name) === 0n),
  ),
);

/** Where a term differs from what it should be, or leaves its interval; undefined: nowhere. `from`: the terms that it was made of. */
function wrong(
  term: Term,
  value: (given: Assignment) => bigint | undefined,
  ...from: readonly Term[]
): string | undefined {
  const bits = from.length === 0 ? 15 : from.reduce((all, one) => all | variablesOf(one), variablesOf(term));
  for (const given of relevant[bits]!) {
    const expected = value(given);
    if (expected === undefined) continue;
    const got = evaluator(given)(term);
    if (got !== expected) return `${got}, not ${expected}, at ${[...given]}`;
    if (got < term.lo || got > term.hi) return `${got} is not in [${term.lo}, ${term.hi}], at ${[...given]}`;
  }
  return undefined;
}

/** Each shape with each other that is not too deep, on both sides. */
function pairs(all: readonly Shape[]): readonly (readonly [Shape, Shape])[] {
  const simple = all.filter(
    ({ term }) => term.args.length === 0 || term.args.every((arg) => arg.op === 'const' || arg.op === 'var'),
  );
  const some = simple.filter((_, n) => n < 12 || n % 3 === 0);
  return all.flatMap((a) =>
    some.flatMap((b): (readonly [Shape, Shape])[] => [
      [a, b],
      [b, a],
    ]),
  );
}

/** Divisors that may be 0 are never made. */
const mayDivide = (op: string, { term, value }: Shape): boolean =>
  !DIVISIONS.has(op) ||
  (ASSIGNMENTS.every((given) => value(given) !== 0n) && !(term.op === 'const' && term.value === 0n));

test.each(Object.keys(BINARY))('%s', (op) => {
  const t = new Terms();
  for (const [a, b] of pairs(shapes(t))) {
    if (!mayDivide(op, b)) {
      // What SMT-LIB says of a division by 0 is beside the point: only other values are looked at.
      const term = t[op as 'udiv'](a.term, b.term);
      if (b.term.op === 'const') continue;
      const said = wrong(
        term,
        (g) => (b.value(g) === 0n ? undefined : BINARY[op]!(a.value(g), b.value(g))),
        a.term,
        b.term,
      );
      if (said !== undefined) expect([show(a.term), op, show(b.term), said]).toEqual([]);
      continue;
    }
    const term = t[op as 'add'](a.term, b.term);
    const said = wrong(term, (g) => BINARY[op]!(a.value(g), b.value(g)), a.term, b.term);
    if (said !== undefined) expect([show(a.term), op, show(b.term), said]).toEqual([]);
  }
});

test.each(Object.keys(COMPARE))('%s, and its negation', (op) => {
  const t = new Terms();
  for (const [a, b] of pairs(shapes(t))) {
    const term = t[op as 'eq'](a.term, b.term);
    const holds = (g: Assignment): boolean => COMPARE[op]!(a.value(g), b.value(g));
    const said = [
      wrong(term, (g) => (holds(g) ? 1n : 0n), a.term, b.term),
      wrong(t.not(term), (g) => (holds(g) ? 0n : 1n), a.term, b.term),
    ];
    if (said.some((one) => one !== undefined)) expect([show(a.term), op, show(b.term), ...said]).toEqual([]);
  }
});

test('extensions, parts and joined terms', () => {
  const t = new Terms();
  const all = shapes(t);
  const check = (made: Term, value: Value, ...from: readonly Term[]): void => {
    const said = wrong(made, value, ...from);
    if (said !== undefined) expect([...from.map(show), show(made), said]).toEqual([]);
  };
  const parts = (wide: Term, value: Value, from: Term): void => {
    for (let low = 0; low < Math.min(wide.width, 6); low++) {
      for (let bits = 1; bits <= Math.min(4, wide.width - low); bits++)
        check(t.extract(wide, low, bits), (g) => wrap(value(g) >> BigInt(low), bits), from);
    }
  };
  for (const a of all) {
    parts(a.term, a.value, a.term);
    for (const width of [3, 4, 6, 64]) {
      const signedValue: Value = (g) => wrap(signed(a.value(g), W), width);
      check(t.zext(width, a.term), a.value, a.term);
      check(t.sext(width, a.term), signedValue, a.term);
      parts(t.zext(width, a.term), a.value, a.term);
      parts(t.sext(width, a.term), signedValue, a.term);
      if (width > W) {
        check(t.zext(64, t.sext(width, a.term)), signedValue, a.term);
        check(t.sext(64, t.zext(width, a.term)), a.value, a.term);
        check(t.sext(64, t.sext(width, a.term)), (g) => wrap(signed(a.value(g), W), 64), a.term);
      }
    }
  }
  for (const [a, b] of pairs(all)) {
    const joined = t.concat(a.term, b.term);
    const value: Value = (g) => (a.value(g) << 3n) | b.value(g);
    check(joined, value, a.term, b.term);
    for (let low = 0; low < 6; low++) {
      const bits = Math.min(3, 6 - low);
      check(t.extract(joined, low, bits), (g) => wrap(value(g) >> BigInt(low), bits), a.term, b.term);
    }
  }
});

test('choices and connectives', () => {
  const t = new Terms();
  const p = t.variable(0, 'p');
  const [x, y] = [t.variable(W, 'x'), t.variable(W, 'y')];
  const truths: readonly { readonly term: Term; readonly value: (g: Assignment) => boolean }[] = [
    { term: t.true, value: () => true },
    { term: t.false, value: () => false },
    { term: p, value: (g) => of('p')(g) === 1n },
    { term: t.not(p), value: (g) => of('p')(g) === 0n },
    { term: t.ult(x, y), value: (g) => of('x')(g) < of('y')(g) },
    { term: t.sle(x, y), value: (g) => signed(of('x')(g), W) <= signed(of('y')(g), W) },
    { term: t.eq(x, y), value: (g) => of('x')(g) === of('y')(g) },
    { term: t.all([p, t.eq(x, y)]), value: (g) => of('p')(g) === 1n && of('x')(g) === of('y')(g) },
    { term: t.any([p, t.ule(x, y)]), value: (g) => of('p')(g) === 1n || of('x')(g) <= of('y')(g) },
  ];
  const check = (term: Term, value: (g: Assignment) => boolean): void => {
    expect([show(term), wrong(term, (g) => (value(g) ? 1n : 0n))]).toEqual([show(term), undefined]);
  };
  for (const a of truths) {
    check(t.not(a.term), (g) => !a.value(g));
    for (const b of truths) {
      check(t.all([a.term, b.term]), (g) => a.value(g) && b.value(g));
      check(t.any([a.term, b.term]), (g) => a.value(g) || b.value(g));
      check(t.implies(a.term, b.term), (g) => !a.value(g) || b.value(g));
      check(t.iff(a.term, b.term), (g) => a.value(g) === b.value(g));
      for (const c of truths) {
        check(t.all([a.term, b.term, c.term]), (g) => a.value(g) && b.value(g) && c.value(g));
        check(t.any([a.term, b.term, c.term]), (g) => a.value(g) || b.value(g) || c.value(g));
      }
    }
    for (const b of shapes(t)) {
      const chosen = t.ite(a.term, b.term, y);
      expect([show(chosen), wrong(chosen, (g) => (a.value(g) ? b.value(g) : of('y')(g)))]).toEqual([
        show(chosen),
        undefined,
      ]);
    }
  }
  check(t.all([]), () => true);
  check(t.any([]), () => false);
});

/** A term as text: `(add x 3)`. */
function show(term: Term): string {
  if (term.op === 'const') return term.width === 0 ? String(term.value === 1n) : String(term.value);
  if (term.op === 'var') return term.name;
  const more =
    term.op === 'extract' ? ` ${term.value}+${term.width}` : term.op.endsWith('ext') ? ` ${term.width}` : '';
  return `(${term.op} ${term.args.map(show).join(' ')}${more})`;
}

/** Written as on the left, kept as on the right: what saves a question to Z3, or keeps addresses in the form `x + constant`. */
test('terms are simplified as pinned', async () => {
  const t = new Terms();
  const lines: string[] = [];
  const some = shapes(t).filter((_shape, n) => n >= 8 && (n < 22 || (n >= 31 && n < 40) || n >= 58));
  const few = shapes(t).filter(({ term }) =>
    ['0', '1', '2', '3', '7', 'x', '(add x 3)'].includes(show(term)),
  );
  const note = (left: string, term: Term): void => {
    lines.push(`${left}  =  ${show(term)}  in [${term.lo}, ${term.hi}]`);
  };
  for (const op of [...Object.keys(BINARY), ...Object.keys(COMPARE)]) {
    for (const a of some) {
      for (const b of few) {
        if (DIVISIONS.has(op) && b.term.op === 'const' && b.term.value === 0n) continue;
        const term = t[op as 'add'](a.term, b.term);
        // The plain form is no simplification.
        if (show(term) === `(${op} ${show(a.term)} ${show(b.term)})` && term.lo === 0n && term.hi >= MASK)
          continue;
        if (a.term.op === 'const' && b.term.op === 'const') continue;
        note(`${op} ${show(a.term)} ${show(b.term)}`, term);
      }
    }
  }
  for (const a of some) {
    note(`zext ${show(a.term)} 6`, t.zext(6, a.term));
    note(`sext ${show(a.term)} 6`, t.sext(6, a.term));
    for (const op of ['eq', ...Object.keys(COMPARE)])
      note(`not (${op} ${show(a.term)} 5)`, t.not(t[op as 'eq'](a.term, t.constant(W, 5))));
    for (const [from, bits] of [
      [0, 2],
      [1, 1],
      [1, 2],
      [2, 1],
    ] as const)
      note(`extract ${show(a.term)} ${from}+${bits}`, t.extract(a.term, from, bits));
  }
  await expect(`${[...new Set(lines)].join('\n')}\n`).toMatchFileSnapshot('../../support/smt/simplified.txt');
});

let context: Z3Context | undefined;
afterAll(() => context?.close());

/** Makes terms without simplifying them. */
class Raw extends Terms {
  raw(op: Term['op'], width: number, args: readonly Term[], value = 0n): Term {
    return this.intern(op, width, args, value);
  }
}

test('Z3 reads every operator as it is meant, on all values of three bits', async () => {
  context ??= new Z3Context(await z3Module());
  const t = new Raw();
  const [x, y, r] = [t.variable(W, 'x'), t.variable(W, 'y'), t.variable(W, 'r')];
  const q = t.variable(0, 'q');
  const is = (term: Term, value: bigint): Term => t.raw('eq', 0, [term, t.constant(term.width, value)]);
  /** Some values for which the operator has another result. */
  const differs = (made: Term, value: (a: bigint, b: bigint) => bigint | undefined): Term =>
    t.raw(
      'any',
      0,
      Array.from({ length: 64 }, (_, n) => [BigInt(n & 7), BigInt(n >> 3)] as const).flatMap(([a, b]) => {
        const expected = value(a, b);
        if (expected === undefined) return [];
        const right =
          made.width === 0 ? (expected === 1n ? made : t.raw('not', 0, [made])) : is(made, expected);
        return [t.raw('all', 0, [is(x, a), is(y, b), t.raw('not', 0, [right])])];
      }),
    );
  for (const [op, value] of Object.entries(BINARY)) {
    const made = t.raw(op as Term['op'], W, [x, y]);
    const answer = context.check(
      [differs(made, (a, b) => (DIVISIONS.has(op) && b === 0n ? undefined : value(a, b)))],
      10_000_000,
    );
    expect([op, answer.verdict]).toEqual([op, 'unsat']);
  }
  for (const [op, value] of Object.entries(COMPARE)) {
    const answer = context.check(
      [differs(t.raw(op as Term['op'], 0, [x, y]), (a, b) => (value(a, b) ? 1n : 0n))],
      10_000_000,
    );
    expect([op, answer.verdict]).toEqual([op, 'unsat']);
  }
  const others: readonly (readonly [Term, (a: bigint, b: bigint) => bigint])[] = [
    [t.raw('concat', 6, [x, y]), (a, b) => (a << 3n) | b],
    [t.raw('zext', 5, [x]), (a) => a],
    [t.raw('sext', 5, [x]), (a) => wrap(signed(a, W), 5)],
    [t.raw('extract', 2, [x], 1n), (a) => a >> 1n],
    [t.raw('extract', 1, [x], 0n), (a) => a & 1n],
    [t.raw('ite', W, [t.raw('ult', 0, [x, y]), x, t.constant(W, 7)]), (a, b) => (a < b ? a : 7n)],
    [t.raw('all', 0, [t.raw('ult', 0, [x, y]), is(x, 2n)]), (a, b) => (a === 2n && a < b ? 1n : 0n)],
    [t.raw('any', 0, [t.raw('ult', 0, [x, y]), is(x, 2n)]), (a, b) => (a === 2n || a < b ? 1n : 0n)],
  ];
  for (const [made, value] of others) {
    expect([show(made), context.check([differs(made, value)], 10_000_000).verdict]).toEqual([
      show(made),
      'unsat',
    ]);
  }
  // Models give the values of all variables, truth values and the largest number of 64 bits among them.
  const wide = t.variable(64, 'wide');
  const model = context.check([is(wide, (1n << 64n) - 2n), q, is(r, 6n)], 10_000_000);
  expect(model).toEqual({
    verdict: 'sat',
    model: new Map([
      ['wide', (1n << 64n) - 2n],
      ['q', 1n],
      ['r', 6n],
    ]),
  });
  const no = context.check([t.raw('not', 0, [q])], 10_000_000);
  expect(no.verdict === 'sat' && no.model.get('q')).toBe(0n);
});

test('products and quotients that are refined step by step have their values', async () => {
  const WIDE = 16;
  const numbers = [0, 1, 3, 256, 32_768, 65_535];
  for (const op of ['mul', 'udiv', 'urem', 'sdiv', 'srem'] as const) {
    const t = new Terms();
    const solver = await openSolver(t, { rlimit: 20_000_000 });
    const [x, y] = [t.variable(WIDE, 'x'), t.variable(WIDE, 'y')];
    const result = t[op](x, y);
    for (const a of numbers) {
      for (const b of numbers) {
        if (op !== 'mul' && b === 0) continue;
        const [u, v] = [BigInt(a), BigInt(b)];
        const [i, j] = [signed(u, WIDE), signed(v, WIDE)];
        const value = {
          mul: u * v,
          udiv: u / (v || 1n),
          urem: u % (v || 1n),
          sdiv: i / (j || 1n),
          srem: i % (j || 1n),
        }[op];
        const at = [t.eq(x, t.constant(WIDE, a)), t.eq(y, t.constant(WIDE, b))];
        const right = solver.check([...at, t.eq(result, t.constant(WIDE, value))]);
        const other = solver.check([...at, t.not(t.eq(result, t.constant(WIDE, value)))]);
        expect([op, a, b, right.verdict, other.verdict]).toEqual([op, a, b, 'sat', 'unsat']);
      }
    }
    solver.close();
  }
});

test('each question is counted once, by how it was answered', async () => {
  const t = new Terms();
  const solver = await openSolver(t);
  const [x, y] = [t.variable(8, 'x'), t.variable(8, 'y')];
  const is = (term: Term, value: number): Term => t.eq(term, t.constant(8, value));
  const counts = (): readonly number[] => {
    const { asked, simplified, guessed, repeated, checks, unknown } = solver.stats;
    return [asked, simplified, guessed, repeated, checks, unknown];
  };
  expect(solver.check([])).toEqual({ verdict: 'sat', model: new Map() });
  expect(solver.check([t.false])).toEqual({ verdict: 'unsat' });
  expect(counts()).toEqual([2, 2, 0, 0, 0, 0]);
  // All variables 0 is the first guess.
  expect(solver.check([is(x, 0)])).toEqual({ verdict: 'sat', model: new Map([['x', 0n]]) });
  expect(counts()).toEqual([3, 2, 1, 0, 0, 0]);
  const asked = solver.check([is(x, 5), is(y, 6)]);
  expect(asked).toEqual({
    verdict: 'sat',
    model: new Map([
      ['x', 5n],
      ['y', 6n],
    ]),
  });
  expect(counts()).toEqual([4, 2, 1, 0, 1, 0]);
  expect(solver.check([is(y, 6), is(x, 5)])).toBe(asked);
  expect(counts()).toEqual([5, 2, 1, 1, 1, 0]);
  // A model found before is tried first; only the variables that are asked about are answered.
  expect(solver.check([is(y, 6)])).toEqual({ verdict: 'sat', model: new Map([['y', 6n]]) });
  expect(counts()).toEqual([6, 2, 2, 1, 1, 0]);
  expect(solver.check([t.ult(x, y), t.ult(y, x)])).toEqual({ verdict: 'unsat' });
  expect(counts()).toEqual([7, 2, 2, 1, 2, 0]);
  solver.close();
});
