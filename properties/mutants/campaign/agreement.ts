/** Mutants of the comparison of facts and values with those of Linux. */
import { type Mutant, mutantsOf } from '../mutant.js';

export const AGREEMENT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/campaign/agreement/facts/value.ts',
    ['campaign/agreement/a-planted-difference-of-states-is-seen'],
    [
      {
        name: 'non-owning-is-not-compared',
        inside: 'pointerMismatch',
        node: 'ours.nonOwning !== theirs.nonOwning',
        becomes: 'false',
        wrong: 'A non-owning reference covers an owning one.',
      },
      {
        name: 'where-it-was-acquired-is-not-compared',
        inside: 'pointerMismatch',
        node: 'by !== theirBy',
        becomes: 'false',
        wrong: 'A pointer covers one that another call acquired.',
      },
      {
        name: 'frames-of-stack-pointers-are-not-compared',
        inside: 'pointerMismatch',
        node: 'ours.frame !== (theirs.frame ?? depth)',
        becomes: 'false',
        wrong: 'A pointer into one frame covers a pointer into another.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/agreement/facts/point.ts',
    ['campaign/agreement/a-planted-difference-of-states-is-seen'],
    [
      {
        name: 'r9-is-not-compared',
        inside: 'uncoveredParts',
        node: 'n < 10',
        becomes: 'n < 9',
        wrong: 'The last register is not compared.',
      },
      {
        name: 'links-need-no-distance',
        inside: 'areLinked',
        node: 'a.delta - b.delta === more',
        becomes: 'true',
        wrong: 'Two linked numbers may be any distance apart.',
      },
      {
        name: 'an-async-frame-is-any-frame',
        inside: 'sameFrames',
        node: '(frames[0]!.callback?.async === true) !== point.async',
        becomes: 'false',
        wrong: 'A timer callback is compared with an ordinary frame.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/agreement/values/compare.ts',
    ['campaign/agreement/a-planted-difference-of-test-runs-is-seen'],
    [
      {
        name: 'entries-only-the-vm-has-are-not-compared',
        inside: 'mapsDifference',
        node: 'new Set([...theirs.keys(), ...ours.keys()])',
        becomes: 'new Set([...theirs.keys()])',
        wrong: 'An entry that is only in the map of the VM is no difference.',
      },
      {
        name: 'upper-halves-are-not-compared',
        inside: 'sameValue',
        node: 'x === y',
        becomes: 'BigInt.asIntN(32, x) === BigInt.asIntN(32, y)',
        wrong: 'Only the lower half of a number that a call returned is compared.',
      },
      {
        name: 'a-longer-log-is-the-same',
        inside: 'logDifference',
        node: 'end === ourEnd',
        becomes: 'end >= ourEnd',
        wrong: 'A run of the kernel that made more calls is no difference.',
      },
      {
        name: 'entries-that-only-the-vm-has',
        inside: 'mapsDifference',
        node: 'new Set([...theirs.keys(), ...ours.keys()])',
        becomes: 'new Set(theirs.keys())',
        wrong: 'An entry that the map has after the run of the VM but not in the kernel is no difference.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/agreement/facts/point.ts',
    ['campaign/agreement/a-planted-difference-of-states-is-seen'],
    [
      {
        name: 'ids-of-what-may-be-null-say-nothing',
        inside: 'saysNothing',
        node: '!ours.nullable',
        becomes: 'true',
        wrong: 'Two copies of a pointer that may be NULL are not compared with Linux.',
      },
      {
        name: 'iterators-are-forgotten-dynptrs',
        inside: 'slot',
        node: 'b?.ref === 0 && ours.bytes.every((byte) => byte === BYTE.invalid || byte === BYTE.misc)',
        becomes: 'b?.ref === 0',
        wrong: 'Whatever we have in a slot covers a dynptr of Linux that needs no destroying.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/agreement/facts/print-every-state.ts',
    ['campaign/agreement/a-program-that-prints-its-states-is-the-same-program'],
    [
      {
        name: 'printed-states-are-those-of-the-next-insn',
        inside: 'printEveryState',
        node: 'slot + before - 1',
        becomes: 'slot + before',
        wrong: 'What is printed before an insn is read as if it were printed at the insn.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/agreement/values/buffers.ts',
    ['campaign/kill/what-is-recorded-of-a-call-is-what-it-writes'],
    [
      {
        name: 'values-that-are-written-are-not-recorded',
        inside: 'isBuffer',
        node: 'arg.uninit === true',
        becomes: 'false',
        wrong: 'What a function writes into a value of a map is not recorded.',
      },
      {
        name: 'sizes-of-visits-need-not-agree',
        inside: 'bufferOf',
        node: 'found.size !== place.size',
        becomes: 'false',
        wrong: 'A buffer whose size differs between visits is recorded with the size of one of them.',
      },
    ],
  ),
];
