/**
 * Scalars with some of the values they admit, for soundness properties: what holds of every concrete value must hold of
 * the scalar computed beside it. A scalar is built around its values: each domain takes their hull, widened at will.
 */

import fc from 'fast-check';
import { u64Arbitrary } from '../../generators/arithmetic.js';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, s64, U32_MAX, U64_MAX, u64 } from '../../src/isa/integer.js';
import type { Scalar } from '../../src/verifier/scalar/scalar.js';
import { greater, lesser } from '../../src/verifier/scalar/scalar.js';
import type { Bounds } from '../../src/verifier/scalar/sync.js';
import { sanityChecked, syncBounds } from '../../src/verifier/scalar/sync.js';

const low32 = (x: bigint): number => Number(BigInt.asUintN(32, x));

/** How far a domain is widened beyond the hull of the values: not at all, a little, as far as it goes. */
interface Slack {
  readonly below: number;
  readonly above: number;
}

const slack: fc.Arbitrary<Slack> = fc.record({
  below: fc.oneof({ arbitrary: fc.constantFrom(0, Number.POSITIVE_INFINITY), weight: 2 }, fc.nat(70_000)),
  above: fc.oneof({ arbitrary: fc.constantFrom(0, Number.POSITIVE_INFINITY), weight: 2 }, fc.nat(70_000)),
});

export interface Sample {
  readonly scalar: Scalar;
  /** Values that the scalar was built around, unsigned. */
  readonly values: readonly bigint[];
}

const lowest = (v: bigint, by: number, min: bigint): bigint =>
  by === Number.POSITIVE_INFINITY ? min : greater(min, v - BigInt(by));
const highest = (v: bigint, by: number, max: bigint): bigint =>
  by === Number.POSITIVE_INFINITY ? max : lesser(max, v + BigInt(by));

/** The hull of values in all five domains, widened; not synced, so domains know different things. */
function around(
  values: readonly bigint[],
  s: Slack,
  u: Slack,
  s32: Slack,
  u32: Slack,
  unknownBits: bigint,
): Bounds {
  const first = values[0]!;
  const differ = values.reduce((bits, v) => bits | (v ^ first), unknownBits);
  const signed = values.map(s64);
  const lows = values.map(low32);
  const signedLows = lows.map((v) => v | 0);
  return {
    value: first & (differ ^ U64_MAX),
    mask: differ,
    smin: lowest(signed.reduce(lesser), s.below, S64_MIN),
    smax: highest(signed.reduce(greater), s.above, S64_MAX),
    umin: lowest(values.reduce(lesser), u.below, 0n),
    umax: highest(values.reduce(greater), u.above, U64_MAX),
    s32min: Math.max(S32_MIN, Math.min(...signedLows) - s32.below),
    s32max: Math.min(S32_MAX, Math.max(...signedLows) + s32.above),
    u32min: Math.max(0, Math.min(...lows) - u32.below),
    u32max: Math.min(U32_MAX, Math.max(...lows) + u32.above),
  };
}

/** Values that lie together (a range, a set of flags) or anywhere. */
const valueSets: fc.Arbitrary<bigint[]> = fc.oneof(
  fc.array(u64Arbitrary, { minLength: 1, maxLength: 4 }),
  fc
    .tuple(u64Arbitrary, fc.array(fc.nat(300), { minLength: 1, maxLength: 4 }))
    .map(([base, offsets]) => offsets.map((offset) => u64(base + BigInt(offset)))),
  fc
    .tuple(u64Arbitrary, u64Arbitrary, fc.array(u64Arbitrary, { minLength: 1, maxLength: 4 }))
    .map(([base, bits, picks]) => picks.map((pick) => base ^ (pick & bits))),
);

const maskBits: fc.Arbitrary<bigint> = fc.oneof(
  fc.constantFrom(0n, 0n, U64_MAX, 0xffn, 0xffff_ffffn, U64_MAX ^ 0xffff_ffffn),
  u64Arbitrary,
);

/** As `samples`, before the domains have taught each other. */
export const unsynced: fc.Arbitrary<{ readonly bounds: Bounds; readonly values: readonly bigint[] }> = fc
  .tuple(valueSets, slack, slack, slack, slack, maskBits)
  .map(([values, s, u, s32, u32, bits]) => ({ bounds: around(values, s, u, s32, u32, bits), values }));

/** Scalars with values they admit. */
export const samples: fc.Arbitrary<Sample> = unsynced.map(({ bounds, values }) => {
  const made = { ...bounds };
  syncBounds(made);
  return { scalar: sanityChecked(made), values };
});

/** One scalar and one of its values, as text for a failure's message. */
export function shown(name: string, s: Scalar, v: bigint): string {
  return `${name}: 0x${v.toString(16)} of ${JSON.stringify(s, (_, x: unknown) => (typeof x === 'bigint' ? `0x${x.toString(16)}` : x))}`;
}
