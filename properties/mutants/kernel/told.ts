/** Mutants of what is told of contracts, and of what confirms them. */
import { type Mutant, mutantsOf } from '../mutant.js';

const SHOWN = 'cli/contracts-are-listed-and-shown';

export const TOLD_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/report/contracts.ts',
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
];
