/** What is remembered of an insn's results: the right one or none; and what was remembered last is found. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Memo } from '../../../src/verifier/scalar/memo.js';
import { constant, type Scalar } from '../../../src/verifier/scalar/scalar.js';
import { seeded } from '../../support/seed.js';

/** Few operands and few insns, so that the same ones come again. */
const operand = fc.nat(2).map((n) => constant(BigInt(n)));
const steps = fc.array(fc.tuple(fc.nat(3), operand, operand, fc.boolean()), {
  minLength: 20,
  maxLength: 60,
  size: 'max',
});

const keyOf = (at: number, a: Scalar, b: Scalar): string => `${at}: ${a.value}, ${b.value}`;

test('a result is that of the same insn with the same operands', () => {
  let found = 0;
  let missed = 0;
  fc.assert(
    fc.property(steps, (all) => {
      const memo = new Memo<string>();
      const results = new Map<string, string>();
      for (const [n, [at, a, b, isKept]] of all.entries()) {
        const key = keyOf(at, a, b);
        const seen = memo.find(at, a, b);
        if (seen === undefined) missed++;
        else {
          found++;
          expect(seen).toBe(results.get(key));
        }
        // As the walk does: only what is not remembered is computed and kept.
        if (seen !== undefined || !isKept) continue;
        results.set(key, `${key} at ${n}`);
        expect(memo.remember(at, a, b, results.get(key)!)).toBe(results.get(key));
        expect(memo.find(at, a, b)).toBe(results.get(key));
      }
    }),
    seeded(1_000),
  );
  expect(found).toBeGreaterThan(1_000);
  expect(missed).toBeGreaterThan(1_000);
});

test('two results of an insn are remembered, whichever way round their operands are', () => {
  const memo = new Memo<number>();
  const [x, y] = [constant(1n), constant(2n)];
  memo.remember(3, x, y, 12);
  memo.remember(3, y, x, 21);
  expect([memo.find(3, x, y), memo.find(3, y, x), memo.find(3, x, x), memo.find(2, x, y)]).toEqual([
    12,
    21,
    undefined,
    undefined,
  ]);
  // Other scalars that say the same are other operands.
  expect(memo.find(3, { ...x }, y)).toBeUndefined();
});
