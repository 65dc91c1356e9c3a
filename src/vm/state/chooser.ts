/**
 * Choosers decide what the environment leaves open. A chooser has no state: its answer depends only on its seed and on the key of the
 * choice (`bpf_sk_lookup_tcp#2`). So forks share it, and taking one call out of a program does not change the choices of other functions.
 */

export interface Chooser {
  /** An index below `count` (at least 1). */
  index(key: string, count: number): number;
  /** A number in [min, max], inclusive. */
  number(key: string, min: bigint, max: bigint): bigint;
  bytes(key: string, length: number): Uint8Array;
}

/** Mixes 32 bits (the finaliser of MurmurHash3). */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hash(seed: number, text: string): number {
  let h = mix(seed ^ 0x9e3779b9);
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}

/** Number `nth` (from 1) of the 32-bit numbers that begin at the hash of a key. */
const numbered = (start: number, nth: number): number => mix((start + Math.imul(nth, 0x9e3779b9)) | 0);

/** The stream of 32-bit numbers for one key (counter mode). */
function stream(seed: number, key: string): () => number {
  const start = hash(seed, key);
  let counter = 0;
  return () => numbered(start, ++counter);
}

/**
 * Random choices from a 32-bit seed. Numbers are drawn from where programs break: the ends of the range, around zero, a
 * small one, or anything in the range.
 */
export function seededChooser(seed: number): Chooser {
  return {
    index: (key, count) => numbered(hash(seed, key), 1) % count,
    number(key, min, max) {
      if (min >= max) return min;
      const next = stream(seed, `${key}:number`);
      const anything = (BigInt(next()) << 32n) | BigInt(next());
      const span = max - min + 1n;
      const clamp = (value: bigint): bigint => (value < min ? min : value > max ? max : value);
      switch (next() % 6) {
        case 0:
          return min;
        case 1:
          return max;
        case 2:
          return clamp(0n);
        case 3:
          return clamp(BigInt(next() % 16));
        case 4:
          return clamp(min + BigInt(next() % 256));
        default:
          return min + (anything % span);
      }
    },
    bytes(key, length) {
      const start = hash(seed, `${key}:bytes`);
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = numbered(start, i + 1) >>> 24;
      return bytes;
    },
  };
}

/** Everything goes well: the last outcome of each contract (failures come first in contracts), zero where it is in range, zero bytes. */
export const defaultChooser: Chooser = {
  index: (_key, count) => count - 1,
  number: (_key, min, max) => (min > 0n ? min : max < 0n ? max : 0n),
  bytes: (_key, length) => new Uint8Array(length),
};

/** Everything fails that can fail: the first outcome of each contract. */
export const failingChooser: Chooser = { ...defaultChooser, index: () => 0 };
