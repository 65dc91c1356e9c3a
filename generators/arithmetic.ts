/** Arbitrary operands and operators of arithmetic: 64-bit values near the places where results change, widths, operators, comparisons. */
import fc from 'fast-check';
import { type BinaryOp, COMPARISONS, type Comparison, type Width } from '../src/isa/insn.js';
import { U32_MAX, U64_MAX, u64 } from '../src/isa/integer.js';

export const widthArbitrary: fc.Arbitrary<Width> = fc.constantFrom<Width>(64, 32);

/** Every binary operator; shrinks to the plainest. */
export const binaryArbitrary: fc.Arbitrary<BinaryOp> = fc.constantFrom<BinaryOp[]>(
  'add',
  'sub',
  'and',
  'or',
  'xor',
  'mul',
  'lsh',
  'rsh',
  'arsh',
  'div',
  'mod',
  'sdiv',
  'smod',
);

export const comparisonArbitrary: fc.Arbitrary<Comparison> = fc.constantFrom(...COMPARISONS);

/** Ends of the integer types, powers of two, and their neighbours. */
const EDGES = [0n, 8n, 16n, 31n, 32n, 48n, 63n].flatMap((n) => [(1n << n) - 1n, 1n << n, (1n << n) + 1n]);

/** Values in [0, 2^64), most of them near an edge, negative ones as often as not. */
export const u64Arbitrary: fc.Arbitrary<bigint> = fc.oneof(
  fc.tuple(fc.constantFrom(...EDGES), fc.boolean()).map(([v, negative]) => u64(negative ? -v : v)),
  fc.integer({ min: -300, max: 300 }).map((v) => u64(BigInt(v))),
  fc
    .tuple(fc.constantFrom(0n, 1n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn), fc.nat(U32_MAX))
    .map(([high, low]) => (high << 32n) | BigInt(low)),
  fc.bigInt({ min: 0n, max: U64_MAX }),
);
