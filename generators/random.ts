/**
 * The random numbers behind `sample`: a generator for fast-check that starts from a campaign's seed and a program's index, so that any
 * worker makes the index-th program without making those before it.
 */
import fc from 'fast-check';

/** splitmix32: a counter, scrambled. All of its 2^32 states are used, and neighbouring seeds have nothing in common. */
class SplitMix {
  constructor(private state: number) {}

  clone(): SplitMix {
    return new SplitMix(this.state);
  }

  /** Uniform in [-2^31, 2^31). */
  next(): number {
    this.state = (this.state + 0x9e3779b9) | 0;
    return scramble(this.state);
  }

  getState(): readonly number[] {
    return [this.state];
  }
}

function scramble(value: number): number {
  let z = value;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

/** A 32-bit number that depends on both, in a way that no two campaigns share. */
export function mix(seed: number, index: number): number {
  return scramble((scramble(seed | 0) + Math.imul(index + 1, 0x85ebca6b)) | 0);
}

/** fast-check's source of randomness for the `index`-th value of a campaign. */
export function randomFor(seed: number, index: number): fc.Random {
  return new fc.Random(new SplitMix(mix(seed, index)));
}
