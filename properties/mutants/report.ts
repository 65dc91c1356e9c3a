/** Mutants of src/report that properties of reports notice. */
import { type Mutant, mutantsOf } from './mutant.js';

export const REPORT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/report/rules-report.ts',
    ['cli/what-the-posted-series-get-wrong-is-written-down'],
    [
      {
        name: 'reports-name-one-function-of-a-group',
        inside: 'groups',
        node: '[...(found.get(key) ?? []), one]',
        becomes: '[one]',
        wrong: 'Of functions that are wrong for one reason a report names only the last.',
      },
      {
        name: 'reports-count-kills-from-nought',
        inside: 'ordinal',
        node: "Number(/step=(\\d+)/.exec(kill ?? '')?.[1] ?? 0) + 1",
        becomes: "Number(/step=(\\d+)/.exec(kill ?? '')?.[1] ?? 0)",
        wrong: 'A report names the step before the one before which the program is killed.',
      },
      {
        name: 'reports-forget-what-a-kept-call-may-do',
        inside: 'rulesReport',
        node: 'witness?.check === check',
        becomes: "witness?.check === check && check !== 'bound'",
        wrong: 'Functions that are kept although they may last are not in a report.',
      },
    ],
  ),
];
