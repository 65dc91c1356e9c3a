/** Mutants of objects of which each CPU has its own. */
import { type Mutant, mutantsOf } from '../mutant.js';

const KEPT = 'verifier/call/objects-of-which-each-cpu-has-its-own-are-kept-as-in-linux';

export const PERCPU_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/insn/memory.ts',
    [KEPT],
    [
      {
        name: 'what-a-map-keeps-is-memory',
        inside: 'loadKptr',
        node: "trust === 'rcu' && field.kind === 'kptr_percpu'",
        becomes: 'false',
        wrong: 'An object of which each CPU has its own is used as memory.',
      },
      {
        name: 'every-object-may-be-forgotten',
        inside: 'store',
        node: "field?.kind === 'kptr' || field?.kind === 'kptr_percpu'",
        becomes: "field?.kind === 'kptr'",
        wrong: 'A plain store forgets an object of which each CPU has its own.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-objects.ts',
    [KEPT],
    [
      {
        name: 'only-single-objects-are-put-away',
        inside: 'checkKptrValue',
        node: "reg.percpu && field.kind !== 'kptr_percpu'",
        becomes: 'reg.percpu',
        wrong: 'An object of which each CPU has its own is put into no map.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/returns.ts',
    [KEPT],
    [
      {
        name: 'what-is-taken-out-is-a-single-object',
        inside: 'pointsTo',
        node: "field?.kind === 'kptr_percpu'",
        becomes: 'false',
        wrong: 'What is taken out of a map is released as if there were one of it.',
      },
    ],
  ),
];
