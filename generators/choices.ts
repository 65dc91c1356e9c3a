/** Small arbitraries that many families draw from: free choices, accesses, tests. All shrink to the plainest. */

import fc from 'fast-check';
import type { Comparison, Size, Width } from '../src/isa/insn.js';
import { comparisonArbitrary, widthArbitrary } from './arithmetic.js';
import type { Touch } from './compile/touch.js';

/** Any small number, to be fitted by whoever uses it. */
export const pickArbitrary: fc.Arbitrary<number> = fc.nat({ max: 63 });
/** Five of them: one for each argument of a call. */
export const picksArbitrary: fc.Arbitrary<number[]> = fc.array(pickArbitrary, {
  minLength: 5,
  maxLength: 5,
});
/** True once in `n` draws; shrinks to false. */
export const oneIn = (n: number): fc.Arbitrary<boolean> => fc.nat({ max: n - 1 }).map((k) => k === n - 1);
/** Whether to keep a value on the stack although a register is free. */
export const spillArbitrary: fc.Arbitrary<boolean> = oneIn(3);

export const sizeArbitrary: fc.Arbitrary<Size> = fc.constantFrom<Size>(8, 4, 2, 1);

export const touchArbitrary: fc.Arbitrary<Touch> = fc.record({
  how: fc.constantFrom<Touch['how'][]>(
    'load',
    'storeimm',
    'store',
    'loads',
    'atomic',
    'variable',
    'acquire',
    'release',
  ),
  size: sizeArbitrary,
  at: pickArbitrary,
  value: pickArbitrary,
  op: fc.constantFrom(
    'add' as const,
    'or' as const,
    'and' as const,
    'xor' as const,
    'xchg' as const,
    'cmpxchg' as const,
  ),
  fetch: fc.boolean(),
});
export const touchesArbitrary: fc.Arbitrary<Touch[]> = fc.array(touchArbitrary, { maxLength: 3 });

/** A test of a scalar against a constant. */
export interface Test {
  readonly which: number;
  readonly op: Comparison;
  readonly width: Width;
  readonly against: number;
  /** Compare with a register that holds the constant. */
  readonly inRegister: boolean;
}

export const testArbitrary: fc.Arbitrary<Test> = fc.record({
  which: pickArbitrary,
  op: comparisonArbitrary,
  width: widthArbitrary,
  inRegister: oneIn(4),
  against: fc.oneof(
    fc.nat({ max: 16 }),
    fc.integer({ min: -4096, max: 4096 }),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  ),
});
