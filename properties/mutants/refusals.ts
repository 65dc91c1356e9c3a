/** Mutants of what people are told: of refusals, of the way of a witness, of the end of Linux's log. */
import { type Mutant, mutantsOf } from './mutant.js';

const WITNESS = 'smt/the-way-of-a-witness-is-what-its-run-did';
const COMMANDS = 'cli/a-refusal-is-explained-by-every-command';

export const REFUSAL_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/smt/witness-path.ts',
    [WITNESS],
    [
      {
        name: 'what-was-kept-was-acquired-again',
        inside: 'missing',
        node: '!ids.has(id)',
        becomes: 'ids.has(id)',
        wrong: 'What is still held is told as given back.',
      },
      {
        name: 'kept-calls-are-told-as-replaced',
        inside: 'Teller.tellInsn',
        node: 'stub === undefined',
        becomes: 'stub?.writes.length === 0',
        wrong: 'A call is told as kept that was replaced.',
      },
      {
        name: 'every-helper-stops',
        inside: 'Teller.step',
        node: 'machine.frames.length < frames.length',
        becomes: 'machine.frames.length <= frames.length',
        wrong: 'A helper is told to stop at every insn of its callback.',
      },
      {
        name: 'the-calls-that-are-open-are-forgotten',
        inside: 'Teller.step',
        node: 'machine.frames.slice(1)',
        becomes: 'machine.frames.slice(2)',
        wrong: 'The call that leads to the function that was killed is not told.',
      },
    ],
  ),
  ...mutantsOf(
    'src/oracle/last-lines.ts',
    [COMMANDS],
    [
      {
        name: 'the-log-is-told-from-its-start',
        inside: 'lastLines',
        node: 'lines.slice(-MOST_LINES)',
        becomes: 'lines.slice(0, 3)',
        wrong: "The start of Linux's log is shown instead of its end.",
      },
      {
        name: 'insns-of-the-two-mode-program',
        inside: 'lastLines',
        node: 'places.at(slot)',
        becomes: 'places.at(Number(ABOUT.exec(text)?.[1] ?? -1))',
        wrong: 'An insn of the two-mode program is told as one of the program.',
      },
    ],
  ),
  ...mutantsOf(
    'src/report/explanations.ts',
    [COMMANDS],
    [
      {
        name: 'short-is-whole',
        inside: 'branchesInWords',
        node: 'whole ? branches : branches.slice(-FEW_BRANCHES)',
        becomes: 'branches',
        wrong: 'All branches are told where few were to be.',
      },
    ],
  ),
];
