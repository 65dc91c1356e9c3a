/** Mutants of what people are told: of refusals, of the way of a witness, of the end of Linux's log. */
import { type Mutant, mutantsOf } from './mutant.js';

const WITNESS = 'smt/the-way-of-a-witness-is-what-its-run-did';
const GIVEN_UP = 'verifier/walk/a-walk-that-is-given-up-says-what-it-was-spent-on';
const FIELDS = 'verifier/insn/no-special-field-of-an-object-is-accessed-directly';
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
    'src/report/programs/explanations.ts',
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
  ...mutantsOf(
    'src/verifier/explain/loops.ts',
    [GIVEN_UP],
    [
      {
        name: 'callees-of-callees-are-not-counted',
        inside: 'callsOf',
        node: 'steps.depth(call) >= depth',
        becomes: 'steps.depth(call) > depth',
        wrong: 'What runs after a loop of a called function is told as called by that loop.',
      },
      {
        name: 'only-long-loops-are-told',
        inside: 'loopsByNumber',
        node: '...(loops.get(loop) ?? [])',
        becomes: '',
        wrong: 'A loop is told as its last insn.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/history.ts',
    [GIVEN_UP],
    [
      {
        name: 'a-path-begins-at-its-last-state',
        inside: 'JumpHistory.origin',
        node: 'BEYOND - before',
        becomes: 'NO_STEP',
        wrong: 'What ran before a kept state does not belong to the path.',
      },
      {
        name: 'the-ninth-frame-is-the-first',
        inside: 'JumpHistory.depth',
        node: 'this.places[step]! % MOST_FRAMES',
        becomes: '(this.places[step]! & 7)',
        wrong: 'A number is not followed back through more than eight frames.',
        noticedBy: ['verifier/walk/numbers-are-followed-through-sixteen-frames'],
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/explain/rounds.ts',
    [GIVEN_UP],
    [
      {
        name: 'spilled-values-are-not-told',
        inside: 'sameAtBothVisits',
        node: '8 * (index + 1)',
        becomes: '8 * index',
        wrong: 'A value on the stack is told of the slot above it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/walk/call-graph.ts',
    [GIVEN_UP],
    [
      {
        name: 'calls-that-returned-are-told',
        inside: 'Graph.descend',
        node: 'this.calls.pop();',
        becomes: '',
        wrong: 'Calls that do not lead to the fault are told with those that do.',
      },
      {
        name: 'the-caller-is-to-blame',
        inside: 'Graph.fail',
        node: 'subprog > 0',
        becomes: 'false',
        wrong: 'A refusal is told of the program instead of the function at fault.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/insn/memory.ts',
    [FIELDS],
    [
      {
        name: 'fields-of-objects-may-be-stored-to',
        inside: 'store',
        node: 'refuseSpecialFields(a, localFields(p.program, reg.struct));',
        becomes: '',
        wrong: 'A store may overwrite a kptr of an object.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/locks.ts',
    ['verifier/insn/memory-stands-for-a-struct-of-numbers-as-in-linux'],
    [
      {
        name: 'a-map-without-btf-has-the-wrong-field',
        inside: 'requireBtf',
        node: 'map.fields.length === 0',
        becomes: 'map.fields.length > 0',
        wrong: 'A map that was declared by its sizes is refused for where its field is not.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/args-objects.ts',
    ['verifier/insn/memory-stands-for-a-struct-of-numbers-as-in-linux'],
    [
      {
        name: 'any-memory-is-large-enough',
        inside: 'checkPlainMemory',
        node: "checkHelperMem(p, reg, index + 1, size, 'readwrite', true);",
        becomes: '',
        wrong: 'Memory that is too small stands for a struct of numbers.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/stricter.ts',
    ['verifier/explain/a-reason-to-be-stricter-is-told-from-its-neighbours'],
    [
      {
        name: 'words-alone-are-a-reason',
        inside: 'stricterLine',
        node: "match !== null && reason.in?.(program) !== false && reason.when?.(place, match[1] ?? '') !== false",
        becomes: 'match !== null',
        wrong: 'A mistake in the words of a row counts as one that the docs explain.',
      },
      {
        name: 'main-is-a-function-that-is-called',
        inside: 'inFunction',
        node: 'start > 0 && start <= slot',
        becomes: 'start <= slot',
        wrong: 'What the main program holds at a tail call counts as stricter than Linux.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/kill/cause.ts',
    ['cli/a-finding-is-told-in-its-own-words'],
    [
      {
        name: 'findings-are-told-by-their-kind',
        inside: 'messageOf',
        node: 'line === undefined',
        becomes: 'line !== undefined',
        wrong: 'The summary of a campaign says "a function" and "N".',
      },
    ],
  ),
];
