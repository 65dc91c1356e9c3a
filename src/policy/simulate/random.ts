/** Random numbers of a simulation: the same for the same seed. */
import { randomFor } from '../../../generators/random.js';

/** A source of random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** A whole number in [0, count). */
  below(count: number): number;
  /** Time to the next of events that come at random, `mean` apart on the average. */
  exponential(mean: number): number;
}

/** The `nth` source of a seed. Sources of one seed have nothing in common. */
export function randomOf(seed: number, nth: number): Random {
  const source = randomFor(seed, nth);
  const uniform = (): number => source.nextDouble();
  return {
    uniform,
    below: (count) => Math.floor(uniform() * count),
    exponential: (mean) => -mean * Math.log(1 - uniform()),
  };
}
