/** Mutants of kills under strategies, of what is counted of them, and of invariants over maps. */
import { type Mutant, mutantsOf } from './mutant.js';

const PINNED = 'strategies/kills-of-known-programs-are-as-pinned';
const INVARIANT = 'campaign/corpus/an-invariant-over-maps-is-a-finding-of-its-own';
const LEAVES = 'strategies/a-strategy-leaves-behind-what-it-says';

export const DESIGN_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/design/kills.ts',
    [LEAVES],
    [
      {
        name: 'points-that-wait-end-at-once',
        inside: 'Waiting.endedFrom',
        node: '(point) => from - point',
        becomes: '() => 0',
        wrong: 'A kill that has to wait counts as one that takes effect at once.',
      },
      {
        name: 'overdue-points-are-in-time',
        inside: 'Waiting.overdueBefore',
        node: 'this.next >= step',
        becomes: 'true',
        wrong: 'A point from which the end is further than the bound counts as in time.',
      },
      {
        name: 'what-a-callback-takes-at-its-end-is-not-seen',
        inside: 'endBetweenCalls',
        node: "op?.kind === 'exit'",
        becomes: 'false',
        wrong: 'What is held changes at the end of a callback, and nobody looks.',
      },
    ],
  ),
  ...mutantsOf(
    'src/strategies/killed-run.ts',
    [LEAVES, PINNED],
    [
      {
        name: 'runs-end-whether-they-can-or-not',
        inside: 'standsAtStop',
        node: 'prepared.canStop?.(machine) !== false',
        becomes: 'true',
        wrong: 'A run is ended where the strategy says that it cannot be.',
      },
      {
        name: 'a-kill-under-a-strategy-comes-late',
        inside: 'killedUnder',
        node: 'vm.advance(step)',
        becomes: 'vm.advance(step + 1)',
        wrong: 'A run is killed one insn later than was asked.',
        noticedBy: ['design/what-design-counts-is-what-kills-show'],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/machine.ts',
    [INVARIANT],
    [
      {
        name: 'maps-are-looked-at-only-after-an-exit',
        inside: 'MachineState.finish',
        node: 'this.inOrder',
        becomes: 'false',
        wrong: 'Nobody looks at the maps when a run ends.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/vm.ts',
    [INVARIANT],
    [
      {
        name: 'disorder-at-the-start-is-blamed-on-the-kill',
        inside: 'start',
        node: 'invariant !== undefined && invariant(mapViews(machine)) === undefined',
        becomes: 'invariant !== undefined',
        wrong: 'Maps that were not in order when the run began are a finding about the kill.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/map-views.ts',
    [INVARIANT],
    [
      {
        name: 'looking-makes-values',
        inside: 'viewOf',
        node: 'maps.contents(memory, index, key)',
        becomes: 'memory.get(maps.lookup(memory, index, key))?.bytes',
        wrong:
          'An invariant that looks at a value of an array makes it, and one that looks at an LRU map uses it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/code.ts',
    [LEAVES],
    [
      {
        name: 'a-callback-of-exceptions-belongs-to-the-function-before-it',
        inside: 'prepare',
        node: '...program.subprogs.map(({ start }) => start)',
        becomes: '',
        wrong: 'The callback of exceptions counts as part of the function before it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/kill/kill-everywhere.ts',
    [INVARIANT],
    [
      {
        name: 'the-kill-is-blamed-for-what-the-program-does',
        inside: 'killBeforeEveryInsn',
        node: 'ordinary.violations.some(isOfMaps)',
        becomes: 'false',
        wrong: 'A program that leaves its maps in disorder by itself is a finding about rules.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/invariants.ts',
    [INVARIANT],
    [
      {
        name: 'no-answer-is-a-good-answer',
        inside: 'meaning',
        node: 'answer === true',
        becomes: 'answer === true || answer === undefined',
        wrong: 'A function that answers nothing counts as an invariant that holds.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/kill-classes.ts',
    [LEAVES],
    [
      {
        name: 'a-call-that-ends-in-a-pad-is-like-any-other',
        inside: 'whereKillsDiffer',
        node: 'fastPath?.unwinds?.calls.has(slot) === true',
        becomes: 'false',
        wrong: 'A kill before a call that ends in its landing pad is taken for one behind it.',
      },
      {
        name: 'may-goto-is-like-any-other-insn',
        inside: 'whereKillsDiffer',
        node: "sampled?.mayGoto !== undefined && kind === 'may_goto'",
        becomes: 'false',
        wrong: 'A kill before a may_goto that it ends is taken for one behind it.',
      },
    ],
  ),
];
