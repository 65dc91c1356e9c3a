/** Mutants of what calls do to a state of the verifier. */
import { type Mutant, mutantsOf } from '../mutant.js';

export const CALL_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/call/locks.ts',
    ['verifier/our-verifier-says-what-linux-says'],
    [
      {
        name: 'any-lock-will-do',
        inside: 'dropLock',
        node: 'r.id === reg.id',
        becomes: 'true',
        wrong: 'Any lock of the same map is taken for the one that is held.',
      },
    ],
  ),
];
