/** Mutants of stubs that fill slots and buffers: what the VM and the walk of the fast path hold afterwards. */
import { type Mutant, mutantsOf } from '../mutant.js';

const SLOTS = ['smt/what-a-stub-leaves-in-a-slot-must-be-given-back'];
const DRAWN = ['smt/rule/rules-that-fill-slots-and-buffers-are-judged-as-killed-runs-are'];

export const SLOT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf('src/vm/call/stub.ts', SLOTS, [
    {
      name: 'null-dynptrs-are-not-in-the-ledger',
      inside: 'placeNull',
      node: "owed ? machine.ledger.take('null_dynptr', region, offset, machine.pc, contract.name) : 0",
      becomes: '0',
      wrong: 'A null dynptr that a stub leaves behind need not be given back.',
    },
    {
      name: 'every-null-dynptr-is-owed',
      inside: 'placeNull',
      node: "effect.kind === 'init_dynptr' && effect.acquires === 'null_dynptr'",
      becomes: "effect.kind === 'init_dynptr'",
      wrong: 'A null dynptr that is only a view must be given back.',
      noticedBy: DRAWN,
    },
  ]),
  ...mutantsOf('src/smt/stubbed-call.ts', SLOTS, [
    {
      name: 'the-walk-forgets-null-dynptrs',
      inside: 'stubbedCall',
      node: "if (ref !== 0) p.acquire({ id: ref, kind: 'pointer', at });",
      becomes: '',
      wrong: 'The walk of the fast path does not ask for a null dynptr to be given back.',
    },
    {
      name: 'null-dynptrs-hold-nothing-in-the-walk',
      inside: 'stubbedCall',
      node: 'effect.acquires === undefined ? 0 : p.newId()',
      becomes: '0',
      wrong: 'In the walk of the fast path a null dynptr has no reference, so that it cannot be given back.',
    },
    {
      name: 'stubs-leave-all-output-alone',
      inside: 'stubbedCall',
      node: 'stub.writes.includes(index)',
      becomes: 'contract.args.length > 3 || stub.writes.includes(index)',
      wrong: 'Stubs of functions with many arguments are taken to write their output memory.',
      noticedBy: DRAWN,
    },
  ]),
  ...mutantsOf(
    'src/smt/rule/changes.ts',
    ['smt/rule/an-outcome-changes-each-entry-once'],
    [
      {
        name: 'nodes-handed-over-are-kept',
        inside: 'deltas',
        node: 'change(`the reference in argument ${effect.arg}`, -1)',
        becomes: 'change(`the reference in argument ${effect.arg}`, 0)',
        wrong: 'What a call takes over from the program is compared as if the program kept it.',
      },
    ],
  ),
];
