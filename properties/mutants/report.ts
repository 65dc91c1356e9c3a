/** Mutants of src/report that properties of reports notice. */
import { type Mutant, mutantsOf } from './mutant.js';

export const REPORT_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/report/rules/rules-report.ts',
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
  ...mutantsOf(
    'src/report/formats/junit.ts',
    ['cli/results-are-told-in-every-format'],
    [
      {
        name: 'junit-leaves-what-xml-cannot-hold',
        inside: 'xml',
        node: '!allowed',
        becomes: 'false',
        wrong: 'A report with a control character in a message is no XML.',
      },
      {
        name: 'junit-is-red-for-what-the-base-had',
        inside: 'testCase.body',
        node: '!isNew(one)',
        becomes: 'false',
        wrong: 'A failure that the base had as well is red in JUnit.',
      },
    ],
  ),
  ...mutantsOf(
    'src/report/formats/sarif.ts',
    ['cli/results-are-told-in-every-format'],
    [
      {
        name: 'sarif-paths-are-not-escaped',
        inside: 'uri',
        node: 'encodeURIComponent(unicode(part))',
        becomes: 'part',
        wrong: 'A blank in a path stays in the URI of a SARIF log.',
      },
      {
        name: 'sarif-names-the-wrong-rule',
        inside: 'sarif',
        node: 'ids.indexOf(what)',
        becomes: '0',
        wrong: 'All results of a SARIF log point to its first rule.',
      },
    ],
  ),
  ...mutantsOf(
    'src/report/formats/github.ts',
    ['cli/results-are-told-in-every-format'],
    [
      {
        name: 'annotations-end-at-a-line-end',
        inside: 'data',
        node: "'%0A'",
        becomes: "'\\n'",
        wrong: 'A message of several lines ends its annotation.',
      },
      {
        name: 'annotations-split-at-commas',
        inside: 'property',
        node: "'%2C'",
        becomes: "','",
        wrong: 'A comma in the name of a file ends the name.',
      },
    ],
  ),
  ...mutantsOf(
    'src/report/compare/baseline.ts',
    ['cli/a-change-is-red-only-for-what-its-base-did-not-have'],
    [
      {
        name: 'a-baseline-hides-other-failures',
        inside: 'isNew',
        node: "one.standing === 'unknown'",
        becomes: 'true',
        wrong: 'A program that broke one check before may break another, and the change stays green.',
      },
      {
        name: 'a-baseline-forgets-what-is-gone',
        inside: 'compareWithBaseline',
        node: '!judged.has(nameKey(one))',
        becomes: 'false',
        wrong: 'A failing case that was taken out is not told.',
      },
    ],
  ),
];
