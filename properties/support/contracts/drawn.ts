/** An order that hangs on a seed alone. */
import fc from 'fast-check';

/** The list in an order of the seed. */
export const shuffled = <T>(list: readonly T[], seed: number): readonly T[] =>
  fc.sample(fc.shuffledSubarray([...list], { minLength: list.length }), { seed, numRuns: 1 })[0]!;
