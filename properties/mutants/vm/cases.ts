/** Mutants of cases and what they say. */
import { type Mutant, mutantsOf } from '../mutant.js';

const CASES = 'vm/a-case-reads-back-as-it-was-written';

export const CASE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/vm/case-profile.ts',
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
];
