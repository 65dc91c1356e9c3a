/** Mutants of the classes into which termination points fall. */
import { type Mutant, mutantsOf } from '../mutant.js';

const CLASSES = 'vm/kill/one-killed-run-decides-its-class';

export const KILL_CLASS_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/vm/kill-classes.ts',
    [CLASSES],
    [
      {
        name: 'a-callback-begins-alike-before-and-behind-the-kill',
        inside: 'differsKilled',
        node: "arg.kind === 'callback' && arg.callback.async !== true",
        becomes: 'false',
        wrong:
          'A kill before the call of a helper that calls back is taken to leave what a kill in its callback leaves.',
      },
      {
        name: 'a-callback-ends-alike-before-and-behind-the-kill',
        inside: 'whereKillsDiffer',
        node: "kind === 'exit' || kind === 'ld_packet'",
        becomes: "kind === 'ld_packet'",
        wrong: 'A kill before the exit of a callback is taken to leave what a kill in the next round leaves.',
      },
      {
        name: 'packet-loads-end-no-callback',
        inside: 'whereKillsDiffer',
        node: "kind === 'exit' || kind === 'ld_packet'",
        becomes: "kind === 'exit'",
        wrong: 'A packet load that fails in a callback is forgotten among the insns that end one.',
      },
      {
        name: 'tail-calls-are-alike-killed-or-not',
        inside: 'differsKilled',
        node: "effect.kind === 'tail_call'",
        becomes: 'false',
        wrong: 'A tail call after the kill is not told from one before it.',
      },
      {
        name: 'taking-is-alike-killed-or-not',
        inside: 'differsKilled',
        node: 'takesSomething(one)',
        becomes: 'false',
        wrong: 'A kept call that takes what could have been refused counts for no kill before it.',
      },
      {
        name: 'blocking-is-alike-killed-or-not',
        inside: 'differsKilled',
        node: 'prompt && one.blocks === true',
        becomes: 'false',
        wrong: 'A kept call that may take long counts for no kill before it, where runs must be prompt.',
      },
      {
        name: 'stubs-are-alike-killed-or-not',
        inside: 'whereKillsDiffer',
        node: 'fastPath?.stubs.has(slot) === true',
        becomes: 'false',
        wrong: 'A kill before a stub is taken to leave what a kill behind the call leaves.',
      },
      {
        name: 'a-class-is-longer-than-the-bound',
        inside: 'killInClasses',
        node: 'Math.min(first + bound, end)',
        becomes: 'end',
        wrong: 'A point whose killed run is over its bound before the class ends is taken to reach its end.',
      },
      {
        name: 'what-breaks-the-bound-late-breaks-it-for-all',
        inside: 'tellClass',
        node: 'tell({ first: point, last: point, result: killed.overdue(bound) })',
        becomes: 'return tell({ first: point, last, result: killed.overdue(bound) })',
        wrong: 'If the first kill of a class is too far from the exit, so are all.',
      },
      {
        name: 'no-kill-before-the-insn-that-traps',
        inside: 'lastPoint',
        node: "running || machine.end === 'trap' || machine.end === 'limit'",
        becomes: "running || machine.end === 'limit'",
        wrong: 'The insn at which a run traps is not counted as one that it can be killed before.',
      },
      {
        name: 'a-run-that-leaves-the-facts-has-ended',
        inside: 'tellClass',
        node: "!vm.running && vm.machine.end !== 'limit'",
        becomes: '!vm.running',
        wrong: 'What comes of a kill where the run leaves the facts is not seen: nothing is killed there.',
      },
      {
        name: 'points-after-a-call-wait-for-the-next',
        inside: 'killInClasses',
        node: 'if (pausesAt(machine, machine.pc, pauses)) stretch();',
        becomes: '',
        wrong: 'What is held before a call is counted as it is behind it.',
      },
      {
        name: 'sparse-points-are-counted-one-short',
        inside: 'KillPoints.count',
        node: 'Math.max(first, this.dense) - 1',
        becomes: 'Math.max(first, this.dense)',
        wrong: 'A point behind the dense part is not counted if it is the first.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/vm.ts',
    [CLASSES],
    [
      {
        name: 'a-run-over-its-bound-is-given-up',
        inside: 'Vm.overdue',
        node: 'this.fork()',
        becomes: 'this',
        wrong: 'A killed run that is over the bound of one point is given up for all others.',
      },
    ],
  ),
];
