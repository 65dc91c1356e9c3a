/** Mutants of cases and what they say. */
import { type Mutant, mutantsOf } from '../mutant.js';

const CASES = 'vm/case/a-case-reads-back-as-it-was-written';

const TYPES = 'vm/case/a-text-keeps-the-types-of-its-object';
const PROOFS = 'vm/case/a-text-is-proven-as-its-object';

export const CASE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/vm/case/kernel.ts',
    [TYPES],
    [
      {
        name: 'no-argument-may-be-null',
        inside: 'parseArgument',
        node: 'match[3] !== undefined',
        becomes: 'false',
        wrong: 'An argument of a kernel function that may be NULL is not so when it comes from a text.',
      },
      {
        name: 'every-argument-is-trusted',
        inside: 'parseArgument',
        node: "match[1] === 'trusted' ? 'trusted' : 'none'",
        becomes: "'trusted'",
        wrong: 'A text trusts a pointer that its object does not.',
      },
      {
        name: 'pointers-in-texts-have-no-tag',
        inside: 'structWord',
        node: "...(tag === undefined ? {} : { tag: tag as 'user' | 'percpu' | 'rcu' })",
        becomes: '...{}',
        wrong: 'A pointer that RCU protects is an ordinary one when it comes from a text.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/case/lines.ts',
    [PROOFS],
    [
      {
        name: 'a-line-belongs-to-the-insn-above',
        inside: 'readLines',
        node: 'while (slot < places.length && places[slot]! <= firstLine + index) slot++;',
        becomes: 'while (slot + 1 < places.length && places[slot + 1]! <= firstLine + index) slot++;',
        wrong: 'A source line of a text is that of the insn above its comment.',
      },
      {
        name: 'lines-without-columns',
        inside: 'printLine',
        node: "column === 0 ? '' : `:${column}`",
        becomes: "''",
        wrong: 'The text of a program leaves out the columns of its source lines.',
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/case/profile.ts',
    [CASES],
    [
      {
        name: 'behaviour-of-a-kernel-is-not-written',
        inside: 'printProfile',
        node: "...differs.map((one) => one.join('='))",
        becomes: '',
        wrong: 'A case forgets how the kernel behaves that it was made for.',
      },
      {
        name: 'sleeping-is-always-true',
        inside: 'profileDirective',
        node: "may.text === 'true'",
        becomes: 'true',
        wrong: 'A case that says that a function does not sleep is read as one that says that it does.',
      },
      {
        name: 'a-case-is-always-of-the-built-in-kernel',
        inside: 'kernelOfCase',
        node: 'differencesOf(part).length === 0',
        becomes: 'true',
        wrong: 'A witness does not say which kernel it was made for.',
        noticedBy: ['cli/a-profile-says-for-whom-programs-are-judged'],
      },
    ],
  ),
  ...mutantsOf(
    'src/vm/case/case.ts',
    [CASES],
    [
      {
        name: 'main-catches-its-exceptions',
        inside: 'finish',
        node: 'one.start !== 0',
        becomes: 'true',
        wrong: 'The main program may be its own exception callback.',
      },
    ],
  ),
];
