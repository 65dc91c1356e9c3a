/** Mutants of rules, rule sets and the fast path. */
import { type Mutant, mutantsOf } from '../mutant.js';

const LANGUAGE = 'patch/the-rule-language-says-what-its-words-say';
const TABLE = 'patch/shipped-rule-sets-do-what-their-table-says';

const NO_STUB = 'patch/a-call-is-kept-only-where-no-stub-is-possible';

export const RULE_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/patch/imitate.ts',
    [LANGUAGE, TABLE],
    [
      {
        name: 'busy-before-bad-argument',
        inside: 'ERRNOS',
        node: '[-12n, -22n, -16n, -2n, -95n]',
        becomes: '[-12n, -16n, -22n, -2n, -95n]',
        wrong: 'Stubs prefer EBUSY to EINVAL.',
      },
      {
        name: 'usual-values-need-not-be-allowed',
        inside: 'imitate',
        node: 'min >= r0.min && max <= r0.max',
        becomes: 'min >= r0.min',
        wrong: 'A stub returns what is usual, even where the verifier does not count with it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/view.ts',
    [TABLE],
    [
      {
        name: 'irq-saves-open-nothing',
        inside: 'opensSection',
        node: "e.kind === 'enter' || e.kind === 'irq_save'",
        becomes: "e.kind === 'enter'",
        wrong: 'Saving the IRQ state does not count as opening a section.',
      },
      {
        name: 'kfuncs-never-return-null',
        inside: 'ViewOfFunction',
        node: "flags.includes('KF_RET_NULL')",
        becomes: 'false',
        wrong: 'Rules see no kfunc that may return NULL.',
      },
      {
        name: 'saving-irqs-opens-no-section',
        inside: 'opensSection',
        node: "e.kind === 'irq_save'",
        becomes: 'false',
        wrong:
          'Rules for functions that open a section do not apply to those that save and disable interrupts.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/fast-path.ts',
    [LANGUAGE, 'smt/symbolic/symbolic-findings-replay'],
    [
      {
        name: 'a-failure-on-one-way-is-enough',
        inside: 'enabledAt',
        node: 'ways.every((way) => way.includes(outcome))',
        becomes: 'ways.some((way) => way.includes(outcome))',
        wrong: 'A stub may imitate an outcome that is possible on one way to the call only.',
      },
      {
        name: 'outcome-of-one-state-counts-at-the-site',
        inside: 'enabledAt',
        node: 'ways.every((way) => way.includes(outcome))',
        becomes: 'ways.some((way) => way.includes(outcome))',
        wrong:
          'An outcome that is possible in only one of the states that reach a site counts as possible there.',
        noticedBy: [LANGUAGE],
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/select.ts',
    [LANGUAGE],
    [
      {
        name: 'the-last-rule-decides',
        inside: 'decide',
        node: 'if (!rule.matches(f)) return undefined;',
        becomes: 'if (!rule.matches(f) && rule.matchesSite === undefined) return undefined;',
        wrong: 'A rule for sites takes calls of every function.',
      },
      {
        name: 'site-rules-end-the-list',
        inside: 'rulesFor',
        node: 'rule.matchesSite === undefined',
        becomes: 'rule.matchesSite !== undefined',
        wrong: 'The rules of a function end with the first that looks at sites.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/define.ts',
    [LANGUAGE],
    [
      {
        name: 'six-arguments',
        inside: 'isIndex',
        node: 'arg < 5',
        becomes: 'arg <= 5',
        wrong: 'A stub may name a sixth argument.',
      },
      {
        name: 'the-last-site-test-counts',
        inside: 'Builder.at',
        node: '[...this.siteTests, (site, f) => guarded(f, site)]',
        becomes: '[(site, f) => guarded(f, site)]',
        wrong: 'Of several tests of a site only the last counts.',
      },
      {
        name: 'the-least-number-is-refused',
        inside: 'value',
        node: 'r0 >= S64_MIN',
        becomes: 'r0 > S64_MIN',
        wrong: 'A stub may not return the least number of 64 bits.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/changed.ts',
    [LANGUAGE],
    [
      {
        name: 'rules-that-changed-places-did-not-change',
        inside: 'changedSince',
        node: 'order[expected] !== name',
        becomes: 'false',
        wrong: 'A rule that moved does not disturb those below it.',
      },
      {
        name: 'imports-are-followed-one-step',
        inside: 'imported',
        node: 'filesImportedBy(compiler, path, files)',
        becomes: '[path]',
        wrong: 'A file that an imported file imports does not count.',
      },
      {
        name: 'what-a-used-declaration-uses-is-not-followed',
        inside: 'digests',
        node: 'if (!compiler.isImportDeclaration(declaration)) addDependencies(declaration);',
        becomes: 'void 0;',
        wrong:
          'A rule does not count as changed when a declaration has changed that only another declaration which it uses refers to.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/syntax.ts',
    [LANGUAGE],
    [
      {
        name: 'signs-do-not-count',
        inside: 'canonical',
        node: "'operator' in node ? String(node.operator) : ''",
        becomes: "''",
        wrong: 'A rule whose r0 changed its sign has not changed.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/load.ts',
    [LANGUAGE],
    [
      {
        name: 'folders-are-rule-files',
        inside: 'loadRules',
        node: '!existsSync(file) || !statSync(file).isFile()',
        becomes: '!existsSync(file)',
        wrong: 'A folder is read as a rule file.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/sites.ts',
    [LANGUAGE],
    [
      {
        name: 'the-last-rule-of-a-name-counts',
        inside: 'rulePositions',
        node: '!positions.has(name)',
        becomes: 'true',
        wrong: 'Of rules of one name the last is shown.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/sets/rfc-v1.ts',
    [TABLE],
    [
      {
        name: 'rfc-v1-stubs-kptr-xchg',
        inside: 'SKIPPED',
        node: "'bpf_kptr_xchg'",
        becomes: "'bpf_kptr_xchange'",
        wrong: 'RFC v1 is said to replace bpf_kptr_xchg.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/sets/naive.ts',
    [TABLE],
    [
      {
        name: 'naive-takes-sockets-for-unreleased',
        inside: 'releasesByFlag',
        node: "'release' in arg && arg.release === true",
        becomes: "arg.kind === 'btf' && arg.release === true",
        wrong: 'The naive set stubs bpf_sk_release.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/guard.ts',
    ['patch/rule-files-can-do-no-harm'],
    [
      {
        name: 'rules-are-asked-once',
        inside: 'guardedBy',
        node: 'inWords(once(f, site)) !== inWords(answer)',
        becomes: 'false',
        wrong: 'A rule whose answer changes from call to call is taken at its first word.',
      },
      {
        name: 'answers-are-kept-for-other-slots',
        inside: 'guardedBy',
        node: 'looksAtSlot ? undefined : keyOf(f, site)',
        becomes: 'keyOf(f, site)',
        wrong: 'A rule that looks at the slot of a site gets the answer of another site.',
      },
      {
        name: 'answers-are-kept-for-other-situations',
        inside: 'keyOf',
        node: 'places.join()',
        becomes: "'anywhere'",
        wrong: 'A rule that looks at the outcomes of a site gets the answer of another situation.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/sandbox.ts',
    ['patch/rule-files-can-do-no-harm'],
    [
      {
        name: 'who-had-no-processor-is-late',
        inside: 'Sandbox.ask',
        node: 'ran > QUESTION_MS / 2',
        becomes: 'true',
        wrong: 'On a busy machine a rule is taken for endless that did not run at all.',
      },
      {
        name: 'questions-have-no-limit-of-their-own',
        inside: 'QUESTION_MS',
        node: '1_000',
        becomes: '60_000',
        wrong: 'A rule that does not end holds the program for a minute.',
      },
      {
        name: 'places-are-those-of-the-javascript',
        inside: 'Sandbox.placeOf',
        node: 'entry.originalLine + 1',
        becomes: 'Number(line)',
        wrong: 'An error in a rule file is told at the line of the text that was made of it.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/lint.ts',
    ['patch/rule-files-can-do-no-harm'],
    [
      {
        name: 'only-functions-that-match-first-are-looked-at',
        inside: 'rulesThatDecideNothing',
        node: '!deciding.has(name)',
        becomes: 'false',
        wrong: 'Rules that decide nothing are not told.',
      },
      {
        name: 'rules-that-match-nothing-are-shadowed',
        inside: 'shadowing',
        node: '!rule.matches(f)',
        becomes: 'false',
        wrong: 'A rule that matches no function is said to be shadowed by others.',
      },
      {
        name: 'only-comparisons-name-functions',
        inside: 'isFunctionName',
        node: '/^bpf_[a-z0-9_]+$/.test(node.text)',
        becomes: 'false',
        wrong: 'A name in a list that no function has is not told.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/types.ts',
    ['patch/rule-files-can-do-no-harm'],
    [
      {
        name: 'imported-files-are-not-checked',
        inside: 'checkTypes',
        node: 'one.getFilePath() === own || isBeside(one.getFilePath())',
        becomes: 'one.getFilePath() === own',
        wrong: 'An error of types in a file that a rule file imports is overlooked.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/no-stub.ts',
    [NO_STUB],
    [
      {
        name: 'a-stub-may-take-long',
        inside: 'needs',
        node: "...(blocks === true ? ['takes long'] : [])",
        becomes: '',
        wrong: 'An outcome that takes long is said to need nothing.',
      },
      {
        name: 'why-no-stub-speaks-of-all-outcomes',
        inside: 'whyNoStub',
        node: 'imitableOutcomes(contract, names)',
        becomes: 'imitableOutcomes(contract)',
        wrong: 'A stub is held possible by an outcome that cannot happen there.',
      },
    ],
  ),
  ...mutantsOf(
    'src/campaign/strength.ts',
    [NO_STUB],
    [
      {
        name: 'wrong-stubs-count-as-strength',
        inside: 'strengthOf',
        node: "settled[i] === 'outcome'",
        becomes: 'true',
        wrong: 'A call site that is stubbed wrongly counts as stubbed.',
      },
      {
        name: 'a-function-is-right-if-one-stub-is',
        inside: 'overFunctions',
        node: 'stubs.every',
        becomes: 'stubs.some',
        wrong: 'A function counts as stubbed rightly if it is so in one situation.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/modules.ts',
    ['patch/a-rule-file-means-what-it-says'],
    [
      {
        name: 'import-meta-in-functions',
        inside: 'refuseModuleWords.visitFunction',
        node: 'compiler.isMetaProperty(node) && node.keywordToken === compiler.SyntaxKind.ImportKeyword',
        becomes: 'false',
        wrong: 'A rule file may say import.meta in a function, and fails when that runs.',
      },
    ],
  ),
];
