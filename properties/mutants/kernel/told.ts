/** Mutants of what is told of contracts, and of what confirms them. */
import { type Mutant, mutantsOf } from '../mutant.js';

const SHOWN = 'cli/contracts-are-listed-and-shown';
const CONFIRMED = 'campaign/agreement/contracts-are-confirmed-by-linux';

export const TOLD_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/report/rules/contracts.ts',
    [SHOWN],
    [
      {
        name: 'slow-outcomes-are-told-as-prompt',
        inside: 'outcomeInWords',
        node: 'blocks === true',
        becomes: 'false',
        wrong: 'An outcome that may take long is shown as one that does not.',
      },
      {
        name: 'what-a-release-gives-back-is-not-told',
        inside: 'given',
        node: 'arg.release === true',
        becomes: 'false',
        wrong: 'An argument that is given back is shown as one that is only looked at.',
      },
      {
        name: 'every-outcome-is-told-to-be-imitable',
        inside: 'stubInWords',
        node: 'imitableOutcomes(contract)',
        becomes: 'contract.outcomes',
        wrong: 'A stub is said to be able to imitate outcomes that acquire.',
      },
    ],
  ),
  ...mutantsOf(
    'src/cli/commands/contracts.ts',
    [SHOWN],
    [
      {
        name: 'the-missing-are-all',
        inside: 'listed',
        node: '!missing || !one.modelled',
        becomes: 'true',
        wrong: 'The list of what is missing has what is modelled in it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/isa/nearest.ts',
    [SHOWN],
    [
      {
        name: 'swapped-letters-are-two-mistakes',
        inside: 'editDistance',
        node: 'i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]',
        becomes: 'false',
        wrong: 'Two letters in the wrong order count as two edits.',
      },
      {
        name: 'farther-names-stay-in-the-list',
        inside: 'nearest',
        node: 'edits < best',
        becomes: 'false',
        wrong: 'Names that are less near than another are offered as well.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/tables/regenerate.ts',
    ['kernel/the-tables-come-out-of-a-kernel-as-they-are'],
    [
      {
        name: 'tables-without-what-is-new',
        inside: 'namesIn',
        node: '[...marked, ...flagged]',
        becomes: '[]',
        wrong: 'A kfunc that the tables do not have gets no row.',
      },
      {
        name: 'tables-guess-flags',
        inside: 'added',
        node: 'proto === undefined || said === undefined',
        becomes: 'false',
        wrong: 'A new kfunc whose flags nobody says is taken anyway.',
      },
      {
        name: 'tables-keep-old-prototypes',
        inside: 'refreshed',
        node: 'same ? [ret, params] : [theirs.ret, theirs.params]',
        becomes: '[ret, params]',
        wrong: 'A prototype that is another one in this kernel stays as it was.',
      },
      {
        name: 'tables-keep-old-flags',
        inside: 'refreshed',
        node: "now === undefined ? had : now.flags.join(' ')",
        becomes: 'had',
        wrong: 'Flags that are others in this kernel stay as they were.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/contracts/compare.ts',
    [CONFIRMED],
    [
      {
        name: 'confirmed-whatever-number-comes',
        inside: 'valueFlaws',
        node: 'ranges.some(({ min, max }) => min <= smin && smax <= max)',
        becomes: 'ranges.length > 0',
        wrong: 'A number outside the ranges of a contract confirms it.',
      },
      {
        name: 'confirmed-with-or-without-null',
        inside: 'valueFlaws',
        node: '!open && seen.nullable !== (checked && iteratorRole(c) === undefined)',
        becomes: 'false',
        wrong: 'A contract that knows no NULL is confirmed by a pointer that may be NULL.',
      },
      {
        name: 'confirmed-with-or-without-reference',
        inside: 'valueFlaws',
        node: '(seen.ref !== 0) !== (fits.acquires !== undefined)',
        becomes: 'false',
        wrong: 'Whether a pointer holds a reference is not compared.',
      },
      {
        name: 'confirmed-by-any-trust',
        inside: 'pointsThere',
        node: 'flags === trust',
        becomes: 'true',
        wrong: 'A trusted pointer confirms a contract that says RCU.',
      },
      {
        name: 'confirmed-by-wider-ranges',
        inside: 'rangeFlaws',
        node: 'min < smin',
        becomes: 'min > smin',
        wrong: 'A range that is wider than what Linux knows is taken, and one that is as wide is not.',
      },
      {
        name: 'confirmed-however-much-is-taken',
        inside: 'numberFlaws',
        node: 'one.takes === takes && one.min <= smin && smax <= one.max',
        becomes: 'one.min <= smin && smax <= one.max',
        wrong:
          'A lock that may fail is confirmed though the contract says that it takes less than Linux shows.',
      },
      {
        name: 'confirmed-though-more-numbers-take',
        inside: 'numberFlaws',
        node: 'fits ? [] : [`${takes} taken with no r0 but those shown, and not from ${min} to ${max}`]',
        becomes: '[]',
        wrong: 'A contract may say that a lock is held with a number with which Linux says it is not.',
      },
      {
        name: 'confirmed-though-given-back',
        inside: 'holdFlaws',
        node: 'ended && !gives',
        becomes: 'false',
        wrong: 'What a call gives back need not be in its contract.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/confirm.ts',
    [CONFIRMED],
    [
      {
        name: 'null-is-not-asked-about',
        inside: 'nullFlaws',
        node: 'mayBeNull(arg)',
        becomes: 'undefined as boolean | undefined',
        wrong: 'Which arguments may be NULL is not asked.',
      },
      {
        name: 'contradictions-confirm',
        inside: 'confirmContract',
        node: 'contradictions.length > 0',
        becomes: 'contradictions.length > 99',
        wrong: 'A contract that Linux contradicts counts as confirmed.',
      },
    ],
  ),
];
