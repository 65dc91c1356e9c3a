/** Mutants of what a proof may take. */
import { type Mutant, mutantsOf } from '../mutant.js';

const EFFORT = 'campaign/kill/a-proof-in-a-campaign-takes-a-counted-effort';

export const EFFORT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/smt/symbolic/search.ts',
    [EFFORT],
    [
      {
        name: 'questions-are-asked-for-ever',
        inside: 'Search.flip',
        node: 'mayAsk?.() === false',
        becomes: 'false',
        wrong: 'A run with many branches asks about each of them, however many Z3 leaves open.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/find-witness.ts',
    [EFFORT],
    [
      {
        name: 'a-search-that-was-given-up-says-nothing',
        inside: 'findWitness',
        node: 'givenUp && { givenUp: true as const }',
        becomes: 'false && { givenUp: true as const }',
        wrong: 'A search that was given up looks like one that found nothing.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/check/check.ts',
    [EFFORT],
    [
      {
        name: 'proofs-of-campaigns-have-no-bound',
        inside: 'ProgramCheck.checkUnderRules',
        node: '...PROOF_EFFORT',
        becomes: '...{}',
        wrong: 'The proof of one program may hold a campaign up.',
      },
    ],
  ),
];
