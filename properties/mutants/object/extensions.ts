/** Mutants of programs that replace functions of other programs. */
import { type Mutant, mutantsOf } from '../mutant.js';

const REPLACED = 'object/a-program-that-replaces-a-function-is-judged-as-that-function';

export const EXTENSION_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/verifier/verify.ts',
    [REPLACED],
    [
      {
        name: 'what-is-replaced-takes-a-context',
        inside: 'entryState',
        node: 'start === 0 && walk.program.replaces === undefined',
        becomes: 'start === 0',
        wrong: 'A program that replaces a function is verified with a context, whatever the function takes.',
      },
    ],
  ),
  ...mutantsOf(
    'src/verifier/call/replaced.ts',
    [REPLACED],
    [
      {
        name: 'moves-of-the-packet-are-nobodys-business',
        inside: 'checkReplaced',
        node: 'subprogsThatMovePackets(code).has(0)',
        becomes: 'false',
        wrong: 'A program that moves the packet replaces a function that does not.',
      },
      {
        name: 'nobody-may-move-the-packet',
        inside: 'checkReplaced',
        node: '!subprogsThatMovePackets(other).has(target.start)',
        becomes: 'true',
        wrong: 'A program that moves the packet replaces no function.',
      },
      {
        name: 'static-functions-are-replaced',
        inside: 'checkPrototypes',
        node: '!isGlobal',
        becomes: 'false',
        wrong: 'A static function is replaced, whose arguments the compiler may have changed.',
      },
      {
        name: 'arguments-are-not-counted',
        inside: 'checkPrototypes',
        node: 'one.params.length !== other.params.length',
        becomes: 'false',
        wrong: 'A program with fewer arguments replaces a function.',
      },
      {
        name: 'any-number-is-as-wide',
        inside: 'checkParam',
        node: "type.kind !== 'ptr' && size !== otherSize",
        becomes: 'false',
        wrong: 'An argument of 8 bytes stands for one of 4.',
      },
      {
        name: 'any-struct-is-the-context',
        inside: 'checkParam',
        node: 'to !== otherTo',
        becomes: 'false',
        wrong: 'The context of another type of program is taken for that of the function.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/load.ts',
    [REPLACED],
    [
      {
        name: 'what-is-replaced-attaches-to-nothing',
        inside: 'readPrograms',
        node: 'replaces.of.attach && { attach: replaces.of.attach }',
        becomes: '{}',
        wrong: 'A program that replaces a function may return what the attach type of the function forbids.',
      },
    ],
  ),
  ...mutantsOf(
    'src/object/extensions.ts',
    [REPLACED],
    [
      {
        name: 'the-section-counts-first',
        inside: 'replacedBy',
        node: 'word ?? named',
        becomes: 'named ?? word',
        wrong: 'What the loader says counts less than the name of the section.',
      },
      {
        name: 'static-functions-come-first',
        inside: 'withFunction',
        node: "having('global') ?? having('static')",
        becomes: "having('global')",
        wrong: 'That a function is static is told as if it were not there.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/state/runnable.ts',
    [REPLACED],
    [
      {
        name: 'every-function-takes-a-context',
        inside: 'takesContext',
        node: "at === 0 && kind === 'ctx'",
        becomes: 'true',
        wrong: 'A program that replaces a function of several arguments is run with one.',
      },
    ],
  ),
];
