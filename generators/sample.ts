/** One program of a campaign, and its shrinks, from the campaign's seed and the program's index alone. */
import type fc from 'fast-check';
import { type GeneratedProgram, type ProgramConstraints, turnArbitrary } from './program.js';
import { randomFor } from './random.js';

/** The `index`-th program of the campaign with this seed. The same arguments give the same insns, whatever was drawn before. */
export function sample(seed: number, index: number, constraints: ProgramConstraints = {}): GeneratedProgram {
  return sampleTree(seed, index, constraints).value;
}

/** A generated program, and the smaller ones that fast-check would try in its place. */
export interface Shrinkable {
  readonly value: GeneratedProgram;
  /**
   * Simpler programs; those that cut most come first. Each can be shrunk again. None is larger than this one by fast-check's measure, so
   * shrinking ends.
   */
  shrinks(): Iterable<Shrinkable>;
}

/** Like `sample`, with its shrinks. */
export function sampleTree(seed: number, index: number, constraints: ProgramConstraints = {}): Shrinkable {
  const arbitrary = turnArbitrary(seed, index, constraints);
  return shrinkable(arbitrary, arbitrary.generate(randomFor(seed, index), undefined));
}

function shrinkable(
  arbitrary: fc.Arbitrary<GeneratedProgram>,
  drawn: fc.Value<GeneratedProgram>,
): Shrinkable {
  return {
    value: drawn.value,
    *shrinks() {
      for (const smaller of arbitrary.shrink(drawn.value, drawn.context))
        yield shrinkable(arbitrary, smaller);
    },
  };
}
