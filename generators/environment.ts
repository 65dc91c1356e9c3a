/**
 * Outside worlds for runs, as plain data: a packet, context bytes, and how the world decides at calls. `worldOf` makes of them what the
 * VM takes.
 */
import fc from 'fast-check';
import { progType } from '../src/kernel/progtypes.js';
import type { ProgType } from '../src/object/program.js';
import { type Chooser, defaultChooser, failingChooser, seededChooser } from '../src/vm/state/chooser.js';
import type { Environment } from '../src/vm/state/environment.js';

/** How calls end: all well, all badly, or as the seed has it; `mostly`: well in three of four cases. */
export type Bias = 'lucky' | 'unlucky' | 'mostly' | 'any';

/** A drawn world, as bytes and a seed that can be printed and used again. */
export interface WorldSpec {
  /** 32-bit seed of what is not said here. */
  readonly seed: number;
  readonly bias: Bias;
  /** From the Ethernet header on; at least its 14 bytes. */
  readonly packet: Uint8Array;
  /** Laid out as the program type's context; shorter than it where the rest is zero. */
  readonly ctx: Uint8Array;
}

/** Narrows which worlds are drawn. */
export interface WorldConstraints {
  /** Longest packet in bytes, 1514 unless told. */
  readonly maxPacket?: number;
  readonly biases?: readonly Bias[];
}

/** The shortest packet that a kernel hands to a program (ETH_HLEN). */
const SHORTEST_PACKET = 14;
const LONGEST_PACKET = 1514;

/**
 * Worlds for programs of `type`. Packets are mostly about as long as the headers that programs look for, some the shortest
 * there is, some long. They shrink to the lucky world with the shortest packet.
 */
export function worldArbitrary(type: ProgType, constraints: WorldConstraints = {}): fc.Arbitrary<WorldSpec> {
  const longest = Math.max(SHORTEST_PACKET, constraints.maxPacket ?? LONGEST_PACKET);
  const bytes = (max: number, least = SHORTEST_PACKET) =>
    fc.uint8Array({ minLength: least, maxLength: Math.max(least, Math.min(max, longest)), size: 'max' });
  return fc.record({
    seed: fc.nat({ max: 2 ** 32 - 1 }),
    bias: fc.constantFrom<Bias[]>(
      ...(constraints.biases ?? (['lucky', 'unlucky', 'mostly', 'any'] as const)),
    ),
    packet: fc.oneof(
      { weight: 2, arbitrary: bytes(SHORTEST_PACKET) },
      { weight: 6, arbitrary: bytes(80) },
      { weight: 1, arbitrary: bytes(longest) },
    ),
    ctx: fc.uint8Array({ maxLength: progType(type).size, size: 'max' }),
  });
}

/** What the VM takes: the environment, and who decides what it leaves open. */
export function worldOf(spec: WorldSpec): { readonly env: Environment; readonly chooser: Chooser } {
  const ctx = spec.ctx.length === 0 ? {} : { ctx: spec.ctx };
  return { env: { choices: new Map(), packet: spec.packet, ...ctx }, chooser: chooserOf(spec) };
}

function chooserOf({ seed, bias }: WorldSpec): Chooser {
  switch (bias) {
    case 'lucky':
      return defaultChooser;
    case 'unlucky':
      return failingChooser;
    case 'any':
      return seededChooser(seed);
    case 'mostly': {
      const random = seededChooser(seed);
      const index: Chooser['index'] = (key, count) =>
        random.index(`${key}:well`, 4) > 0 ? count - 1 : random.index(key, count);
      return { ...random, index };
    }
  }
}
