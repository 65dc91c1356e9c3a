/** Mutants of what else the verifier knows of numbers: known bits, sets of values, results of arithmetic. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const TNUMS = ['verifier/scalar/tnums-are-sets-of-numbers'];
const ARITHMETIC = [
  'verifier/scalar/scalars-are-computed-as-in-the-kernel-source',
  'verifier/scalar/abstract-arithmetic-admits-every-concrete-result',
];
const SETS = ['verifier/scalar/scalars-are-sets-of-values'];

export const VALUE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf('src/verifier/scalar/tnum.ts', TNUMS, [
    {
      name: 'a-left-shift-keeps-unknown-bits-in-place',
      inside: 'tnumLshift',
      node: 'u64(a.mask << n)',
      becomes: 'a.mask',
      wrong: 'A left shift leaves unknown bits where they were.',
    },
    {
      name: 'sign-bits-of-a-mask-are-lost',
      inside: 'tnumArshift',
      node: 'BigInt.asIntN(width, a.mask) >> n',
      becomes: 'a.mask >> n',
      wrong: 'An arithmetic shift of a number of unknown sign brings in zeroes.',
    },
    {
      name: 'a-difference-borrows-nothing-from-the-second',
      inside: 'tnumSub',
      node: 'u64(difference - b.mask)',
      becomes: 'difference',
      wrong: 'Unknown bits of the number that is taken away borrow nothing.',
    },
    {
      name: 'a-product-stops-at-the-first-known-bit',
      inside: 'tnumMul',
      node: 'a.value | a.mask',
      becomes: 'a.mask',
      wrong: 'Known ones of the first factor add nothing to a product.',
    },
    {
      name: 'a-step-stays-where-it-is',
      inside: 'tnumStep',
      node: 'z >= max',
      becomes: 'z > max',
      wrong: 'The next number after the greatest is taken to be a smaller one.',
    },
    {
      name: 'two-bytes-are-cast-to-two-bits',
      inside: 'tnumCast',
      node: 'BigInt.asUintN(bytes * 8, a.mask)',
      becomes: 'BigInt.asUintN(bytes === 4 ? 64 : bytes * 8, a.mask)',
      wrong: 'A cast to four bytes keeps the unknown bits above them.',
    },
    {
      name: 'alignment-is-that-of-the-known-bits',
      inside: 'tnumIsAligned',
      node: 'a.value | a.mask',
      becomes: 'a.value',
      wrong: 'Unknown low bits do not count against alignment.',
    },
  ]),
  ...mutantsOf('src/verifier/scalar/alu.ts', ARITHMETIC, [
    {
      name: 'a-signed-word-is-zero-extended-by-its-sign',
      inside: 'zeroHigh',
      node: 'r.s32min >= 0 && r.s32max >= 0',
      becomes: 'r.s32max >= 0',
      wrong: 'The signed bounds of a zero-extended word are taken from one that may be negative.',
    },
    {
      name: 'a-shift-of-a-word-may-lose-its-top',
      inside: 'lsh32',
      node: 'r.u32max > 2 ** (31 - by)',
      becomes: 'r.u32max > 2 ** (32 - by)',
      wrong: 'A left shift of 32 bits keeps bounds that may have lost a bit.',
    },
    {
      name: 'any-shift-extends-a-sign',
      inside: 'shift64',
      node: 'BigInt(a.s32max) << 32n',
      becomes: 'BigInt(a.u32max) << 31n',
      wrong: 'The greatest of a shift by 32 is taken from half of the unsigned low half.',
    },
    {
      name: 'an-arithmetic-shift-keeps-unsigned-words',
      inside: 'shift32',
      node: 'r.u32max = U32_MAX;',
      becomes: '',
      wrong: 'An arithmetic shift of 32 bits keeps the unsigned greatest.',
    },
    {
      name: 'a-shift-by-the-width-is-known',
      inside: 'shift',
      node: 'b.umax >= width',
      becomes: 'b.umax > width',
      wrong: 'A shift by exactly the width is taken to have a result.',
    },
    {
      name: 'an-extension-to-a-byte-keeps-low-bounds',
      inside: 'zeroExtend',
      node: '(a.umin & high) === (a.umax & high)',
      becomes: 'true',
      wrong: 'Bounds of a cut number are cut though they differ above.',
    },
    {
      name: 'a-sign-is-split-only-once',
      inside: 'forkScalar',
      node: 'a.s32min !== -1 || a.s32max !== 0',
      becomes: 'a.s32min !== -1',
      wrong: 'A word that is at least -1 is taken to be 0 or -1.',
    },
    {
      name: 'a-swap-of-bytes-forgets-unknown-ones',
      inside: 'swap',
      node: 'arith.swap(op, bits, a.mask)',
      becomes: 'a.mask',
      wrong: 'Unknown bytes do not move when bytes are swapped.',
    },
  ]),
  ...mutantsOf('src/verifier/scalar/extend.ts', ARITHMETIC, [
    {
      name: 'sign-extensions-are-of-any-bounds',
      inside: 'signExtend',
      node: 'a.smax >> n !== a.smin >> n',
      becomes: 'false',
      wrong: 'A sign extension keeps bounds that differ above the bits that are kept.',
    },
    {
      name: 'sign-extensions-are-zero',
      inside: 'signExtend',
      node: 'BigInt.asIntN(bits, a.smin)',
      becomes: 'BigInt.asUintN(bits, a.smin)',
      wrong: 'A sign extension of the least fills in zeroes.',
    },
    {
      name: 'a-signed-byte-is-up-to-128',
      inside: 'ofSigned',
      node: '2 ** (bits - 1) - 1',
      becomes: '2 ** (bits - 1) - 2',
      wrong: 'The greatest of a sign-extended number is one less than it may be.',
    },
  ]),
  ...mutantsOf('src/verifier/scalar/scalar.ts', SETS, [
    {
      name: 'containment-forgets-signed-words',
      inside: 'contains',
      node: 'outer.s32max >= inner.s32max',
      becomes: 'true',
      wrong: 'A scalar is contained in one whose signed 32-bit greatest is less.',
    },
    {
      name: 'equality-forgets-the-mask',
      inside: 'equal',
      node: 'a.mask === b.mask',
      becomes: 'true',
      wrong: 'Scalars are equal though other bits are unknown.',
    },
    {
      name: 'the-greatest-cached-constant-is-shared',
      inside: 'constant',
      node: 'Number(signed) - CACHE_LOW',
      becomes: 'Math.max(1, Number(signed) - CACHE_LOW)',
      wrong: 'The two least of the constants that are kept are one.',
    },
  ]),
  ...mutantsOf('src/verifier/scalar/set.ts', SETS, [
    {
      name: 'a-union-is-as-great-as-its-first-word',
      inside: 'union',
      node: 'Math.max(a.u32max, b.u32max)',
      becomes: 'a.u32max',
      wrong: 'The unsigned 32-bit greatest of a union is that of its first part.',
    },
    {
      name: 'an-intersection-is-the-wider-one',
      inside: 'intersect',
      node: 'Math.min(a.s32max, b.s32max)',
      becomes: 'Math.max(a.s32max, b.s32max)',
      wrong: 'An intersection takes the wider of the signed 32-bit bounds.',
    },
    {
      name: 'words-print-sign-extended',
      inside: 'unextended',
      node: 'v >>> 0',
      becomes: 'v',
      wrong: 'A signed 32-bit bound is printed with its sign extended.',
      noticedBy: ['verifier/scalar/scalars-are-as-precise-as-linux'],
    },
  ]),
  ...mutantsOf(
    'src/verifier/scalar/memo.ts',
    ['verifier/scalar/results-are-remembered-for-their-operands'],
    [
      {
        name: 'a-result-is-of-any-second-operand',
        inside: 'Memo.find',
        node: 'operands[i + 1] === b',
        becomes: 'true',
        wrong: 'A remembered result is given for another second operand.',
      },
      {
        name: 'two-insns-share-results',
        inside: 'Memo.find',
        node: 'this.results[2 * at + 1]',
        becomes: 'this.results[2 * at]',
        wrong: 'The older and the newer result of an insn are mixed up.',
      },
      {
        name: 'the-newest-result-overwrites-the-other-operands',
        inside: 'Memo.remember',
        node: '2 * i + 1',
        becomes: '2 * i',
        wrong: 'The second operand of a remembered result is kept in place of the first.',
      },
    ],
  ),
];
