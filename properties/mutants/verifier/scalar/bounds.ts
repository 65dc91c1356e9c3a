/** Mutants of the bounds of a number: how they follow from each other, from a comparison and from an operation. */
import { type Mutant, mutantsOf } from '../../mutant.js';

const ARITHMETIC = [
  'verifier/scalar/scalars-are-computed-as-in-the-kernel-source',
  'verifier/scalar/abstract-arithmetic-admits-every-concrete-result',
];
const BRANCHES = [
  'verifier/scalar/scalars-are-computed-as-in-the-kernel-source',
  'verifier/scalar/branches-lose-no-value-that-takes-them',
];

export const BOUND_MUTANTS: readonly Mutant[] = [
  ...mutantsOf('src/verifier/scalar/sync.ts', ARITHMETIC, [
    {
      name: 'the-sign-bit-of-a-word-is-known',
      inside: 'boundsFromTnum32',
      node: 'mask & S32_MAX',
      becomes: 'mask',
      wrong: 'The greatest signed word of a tnum is taken with the sign bit set.',
    },
    {
      name: 'a-single-value-may-be-the-last-but-one',
      inside: 'pinSingleValue',
      node: 'tnumStep(r, next) > r.umax',
      becomes: 'true',
      wrong: 'Where two numbers of a tnum lie between the bounds, the first is taken for the only one.',
    },
    {
      name: 'low-halves-follow-across-one-more-word',
      inside: 'deduce32FromUnsigned64',
      node: '(uminHigh + 1) >>> 0 === umaxHigh',
      becomes: '(uminHigh + 1) >>> 0 <= umaxHigh',
      wrong: 'Low halves are taken to be around zero though whole words lie between the bounds.',
    },
    {
      name: 'signed-low-halves-follow-without-wrapping',
      inside: 'deduce32FromSigned64',
      node: '(smaxLow | 0) >= 0',
      becomes: 'true',
      wrong:
        'Low halves of signed bounds in neighbouring words are taken as bounds though they do not wrap around zero.',
    },
    {
      name: 'a-wrapped-signed-range-keeps-its-far-end',
      inside: 'deduce64',
      node: 'r.smin = s64(r.umin);',
      becomes: '',
      wrong: 'Where a signed range wraps around, its least learns nothing of the unsigned one.',
    },
    {
      name: 'a-positive-word-fills-any-number',
      inside: 'deduceMixed',
      node: 'r.smax <= BIG_S32_MAX',
      becomes: 'true',
      wrong:
        'A low half that is not negative is taken for the whole number though the number may not fit in 32 bits.',
    },
    {
      name: 'the-least-of-a-low-half-is-not-put-in',
      inside: 'refine64FromLowHalf',
      node: '(u64(r.smin) & HIGH) | low',
      becomes: '(u64(r.smin) & HIGH)',
      wrong: 'The signed least does not learn from the least low half.',
    },
    {
      name: 'bounds-are-synced-twice',
      inside: 'syncBounds',
      node: 'round < 3',
      becomes: 'round < 1',
      wrong: 'The domains of a scalar teach each other in one round, not three.',
    },
    {
      name: 'contradictory-words-are-kept',
      inside: 'isConsistent',
      node: 'r.s32min > r.s32max',
      becomes: 'false',
      wrong: 'A scalar whose signed 32-bit bounds contradict each other is kept.',
    },
    {
      name: 'bytes-are-all-one-object',
      inside: 'canonical',
      node: 'equal(r, any)',
      becomes: 'true',
      wrong: 'A byte of which more is known than its size is taken for any byte.',
    },
    {
      name: 'mixed-bounds-without-signed-minimum',
      inside: 'deduceMixed',
      node: 'r.smin >= BIG_S32_MIN',
      becomes: 'true',
      wrong:
        'A number that is small by its signed maximum alone is taken to be its low half, though it may be far below zero.',
      noticedBy: ['verifier/scalar/branches-lose-no-value-that-takes-them'],
    },
  ]),
  ...mutantsOf('src/verifier/scalar/bounds.ts', ARITHMETIC, [
    {
      name: 'a-sum-may-overflow-below',
      inside: 'signed64',
      node: 'min >= S64_MIN',
      becomes: 'true',
      wrong: 'A signed sum that underflows keeps its bounds.',
    },
    {
      name: 'wrapping-once-is-not-wrapping',
      inside: 'unsigned32',
      node: 'Math.floor(min / 2 ** 32) !== Math.floor(max / 2 ** 32)',
      becomes: 'max - min > 2 ** 32',
      wrong: 'Unsigned 32-bit bounds are kept where only the greatest wraps.',
    },
    {
      name: 'a-difference-of-words-takes-equal-ends',
      inside: 'sub32',
      node: 'r.s32min - b.s32max',
      becomes: 'r.s32min - b.s32min',
      wrong: 'The least signed 32-bit difference is taken with the least of the second number.',
    },
    {
      name: 'a-product-of-words-forgets-a-corner',
      inside: 'mul32',
      node: 'Math.max(ll, lh, hl, hh)',
      becomes: 'Math.max(ll, lh, hh)',
      wrong: 'The greatest signed 32-bit product does not look at one of its four corners.',
    },
    {
      name: 'signs-of-a-mask-are-not-looked-at',
      inside: 'signedFromUnsigned64',
      node: 'r.smax = min <= max ? max : S64_MAX;',
      becomes: 'r.smax = max;',
      wrong: 'The signed greatest of a bitwise result is taken from unsigned bounds that cross the sign.',
    },
    {
      name: 'an-or-of-words-forgets-the-second',
      inside: 'or32',
      node: 'if (b.u32min > r.u32min) r.u32min = b.u32min;',
      becomes: '',
      wrong: 'The least of a 32-bit or does not learn from the second number.',
    },
    {
      name: 'an-and-takes-the-least-greatest-of-itself',
      inside: 'and64',
      node: 'if (b.umax < r.umax) r.umax = b.umax;',
      becomes: '',
      wrong: 'The greatest of an and is that of the destination alone.',
    },
    {
      name: 'product-without-largest-times-least',
      inside: 'mul64',
      node: 'r.smax * b.smin',
      becomes: 'r.smin * b.smin',
      wrong:
        'The signed bounds of a product do not count the greatest of the first number times the least of the second, so that it may be less than they say.',
      noticedBy: ['verifier/scalar/abstract-arithmetic-admits-every-concrete-result'],
    },
  ]),
  ...mutantsOf('src/verifier/scalar/refine.ts', BRANCHES, [
    {
      name: 'jumps-tell-too-much',
      inside: 'refineBelow',
      node: 'x.u32max = y.u32max - gap',
      becomes: 'x.u32max = y.u32max - 1',
      wrong: 'A jump on words that are at most another tells that they are less.',
    },
    {
      name: 'words-tell-all',
      inside: 'refineBoth',
      node: 'refineEqual32(x, y)',
      becomes: 'refineEqual64(x, y)',
      wrong: 'Two numbers whose low halves are equal are taken to be equal.',
    },
    {
      name: 'signs-are-ignored',
      inside: 'refineBoth',
      node: "refineSignedBelow(width, x, y, condition === 'slt')",
      becomes: "refineBelow(width, x, y, condition === 'slt')",
      wrong: 'A signed comparison tells what the unsigned one would.',
    },
    {
      name: 'a-less-is-a-greater-seen-backwards',
      inside: 'OPPOSITE',
      node: "'sgt'",
      becomes: "'sge'",
      wrong: 'Where a signed at-most is not taken, the number is known to be at least the other.',
    },
    {
      name: 'negative-words-are-not-told-apart',
      inside: 'refineNotEqual',
      node: 'x.s32min === (low | 0)',
      becomes: 'x.s32min === low',
      wrong: 'The signed least of a word learns nothing of a negative number that it is not.',
    },
    {
      name: 'a-bit-of-many-is-set',
      inside: 'refineBits',
      node: '(tested & (tested - 1n)) === 0n',
      becomes: 'true',
      wrong: 'A jump on several bits is taken to tell that all are set.',
    },
    {
      name: 'a-high-bit-decides-for-words',
      inside: 'someBitSet',
      node: 'y.value & LOW',
      becomes: 'y.value',
      wrong: 'A test of bits of a word looks at all 64.',
    },
    {
      name: 'high-halves-make-words-differ',
      inside: 'sameValue',
      node: '(a.value ^ b.value) & LOW',
      becomes: 'a.value ^ b.value',
      wrong: 'Words are taken to differ where only the bits above them do.',
    },
    {
      name: 'a-32-bit-test-of-bits-tests-the-upper-half-too',
      inside: 'someBitSet',
      node: 'width === 64 ? y.value : y.value & LOW',
      becomes: 'y.value',
      wrong:
        'A 32-bit test of bits against a negative immediate looks at the upper halves as well, so that a jump counts as always taken that is not.',
      noticedBy: ['verifier/scalar/branches-lose-no-value-that-takes-them'],
    },
  ]),
];
