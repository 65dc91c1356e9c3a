/** Mutants of what is proven of callbacks that run later. */
import { type Mutant, mutantsOf } from '../mutant.js';

const LATER = 'smt/a-callback-that-runs-later-is-a-program-of-its-own';

export const CALLBACK_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/smt/patched-graph.ts',
    [LATER],
    [
      {
        name: 'what-is-armed-follows-at-once',
        inside: 'PatchedGraph.eachNormal',
        node: '!this.arms(v)',
        becomes: 'true',
        wrong: 'A callback that runs later counts as a part of the run that arms it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/bound.ts',
    [LATER],
    [
      {
        name: 'the-first-visit-bounds-a-callback',
        inside: 'bounds',
        node: 'isMore(cost, longest.cost)',
        becomes: 'false',
        wrong: 'A callback that runs later is as long as from one place in it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/callback-proofs.ts',
    [LATER],
    [
      {
        name: 'concerns-are-about-every-callback',
        inside: 'callbackProofs',
        node: 'laterCallbackOf(graph, v) === start',
        becomes: 'true',
        wrong: 'What is wrong with one callback is told of all.',
      },
      {
        name: 'who-armed-it-makes-a-point',
        inside: 'seenIn',
        node: String.raw`point.replace(/^\d+ -?\d+/, '')`,
        becomes: 'point',
        wrong: 'A callback that two calls arm has twice as many termination points.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/calls.ts',
    [LATER],
    [
      {
        name: 'nothing-runs-later',
        inside: 'Calls.withCallback',
        node: 'this.calledBack.async.add(target);',
        becomes: '',
        wrong: 'No callback is told to run later.',
      },
    ],
  ),
];
