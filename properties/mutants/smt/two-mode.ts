/** Mutants of the proof that walks both modes at once: facts that cover too much, paths that are dropped, callbacks and references that are forgotten. */
import { type Mutant, mutantsOf } from '../mutant.js';

const KNOWN = 'smt/known-programs-are-proven-as-pinned';
const KILLS = 'smt/a-proven-program-survives-every-kill';
const HEADS = 'verifier/walk/a-head-covers-only-what-it-contains';

export const PROOF_WALK_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/walk/heads.ts',
    [KNOWN, KILLS],
    [
      {
        name: 'killed-paths-end-at-any-fact-with-the-same-calls',
        inside: 'Heads.findFact',
        node: 'this.covers(head.state, before)',
        becomes: 'sameCallsites(head.state, before)',
        wrong: 'A killed path ends at a fact of its insn whatever the path holds.',
      },
      {
        name: 'a-kill-in-a-callback-is-told-from-none',
        inside: 'Heads.findFact',
        node: 'beforeKill(state)',
        becomes: 'state',
        wrong: 'A path killed in a callback never ends at a fact, so that it is walked for each round.',
        noticedBy: [HEADS],
      },
      {
        name: 'only-heads-with-the-first-value-are-near',
        inside: 'SlotHeads.near',
        node: 'telling.byValue.get(value) ?? []',
        becomes: '[...telling.byValue.values()][0] ?? []',
        wrong: 'Of many heads at an insn only some are looked at, whatever the state.',
        noticedBy: [HEADS],
      },
      {
        name: 'killed-paths-end-at-facts-that-nobody-walked-from',
        inside: 'Heads.findFact',
        node: 'head.node !== NO_VISIT',
        becomes: 'true',
        wrong:
          'A killed path ends at a state that is no fact, because no path of the program ends there any more.',
        noticedBy: [HEADS],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/walk.ts',
    [KNOWN, KILLS],
    [
      {
        name: 'a-kill-at-a-fact-is-not-walked',
        inside: 'Walk.meetsFact',
        node: '!this.atStart',
        becomes: 'true',
        wrong: 'A program that is killed right at a fact is held to be done with.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/visits.ts',
    [KNOWN],
    [
      {
        name: 'what-follows-a-fact-costs-nothing',
        inside: 'Visits.leadTo',
        node: 'if (this.current !== NO_VISIT) this.graph.link(this.current, target);',
        becomes: '',
        wrong:
          'A path that ends at a fact is taken to be over there, so that the rest of its run is not counted.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched.ts',
    [KNOWN, KILLS],
    [
      {
        name: 'stubs-are-not-walked',
        inside: 'mayLeaveNormalPathAt',
        node: 'path.stubs.has(slot)',
        becomes: 'false',
        wrong: 'What a stub leaves is never looked at.',
      },
      {
        name: 'ends-of-callbacks-are-not-walked',
        inside: 'mayLeaveNormalPathAt',
        node: "code.ops[slot]?.kind === 'exit'",
        becomes: 'false',
        wrong: 'A helper is taken to go on after the callback in which the program was killed.',
      },
      {
        name: 'the-walk-goes-on-from-states-that-failed',
        inside: 'walkOnce',
        node: 'walk = newWalk();',
        becomes: '',
        wrong: 'After a failure, paths end at states that lead to the failure.',
        noticedBy: [KNOWN, KILLS],
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/patched-graph.ts',
    [KNOWN],
    [
      {
        name: 'a-stubbed-call-costs-twice',
        inside: 'PatchedGraph.isRun',
        node: '!(this.patched.entries.has(v) && this.code.contracts[this.slot(v)] !== undefined)',
        becomes: 'true',
        wrong: 'A call that is stubbed counts as two insns.',
      },
      {
        name: 'killed-runs-go-the-normal-way-only',
        inside: 'PatchedGraph.eachNext',
        node: 'entries.forEach(each);',
        becomes: '',
        wrong: 'The bound leaves out what a stub leads to.',
      },
    ],
  ),
  ...mutantsOf(
    'src/smt/bound.ts',
    [KNOWN],
    [
      {
        name: 'callers-of-callers-are-free',
        inside: 'AfterGlobals.of',
        node: 'plus(inAll(rest), this.of(call, depth + 1))',
        becomes: 'inAll(rest)',
        wrong:
          'A kill in a global subprogram is over where its caller returns, if that is a global subprogram too.',
      },
    ],
  ),
];
