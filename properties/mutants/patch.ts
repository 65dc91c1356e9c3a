/** Mutants of rules, rule sets and the two-mode text. */
import { type Mutant, mutantsOf } from './mutant.js';

const TABLE = 'patch/shipped-rule-sets-do-what-their-table-says';
const LANGUAGE = 'patch/the-rule-language-says-what-its-words-say';
const TEXTS = 'patch/two-mode-texts-run-as-killed-runs-do';

export const PATCH_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/patch/two-mode/plan.ts',
    [TEXTS],
    [
      {
        name: 'stubs-are-not-written',
        inside: 'Plan.writeStub',
        node: 'this.stubs.set(slot, text)',
        becomes: 'undefined',
        wrong: 'Calls that have a stub are made in the patched text.',
      },
      {
        name: 'what-is-live-is-asked-at-the-call',
        inside: 'Plan.writeStub',
        node: 'code.live[slot + 1] ?? 0',
        becomes: 'code.live[slot] ?? 0',
        wrong: 'Registers that are read by the call count as read behind it.',
      },
      {
        name: 'only-direct-callers-differ',
        inside: 'Plan.findDiffering',
        node: 'this.callees(slot, op).some((start) => found.has(start))',
        becomes: 'false',
        wrong: 'A function whose callee has a stub is taken to do as before after the kill.',
      },
      {
        name: 'a-callback-that-is-also-called-at-once-runs-later',
        inside: 'Plan.findLater',
        node: '!atOnce.has(start)',
        becomes: 'true',
        wrong: 'A function that is called back both at once and later counts as called later only.',
      },
      {
        name: 'calls-that-are-to-be-kept-are-stubbed',
        inside: 'Plan.writeStub',
        node: 'this.options.keep?.has(slot)',
        becomes: 'false',
        wrong: 'Sites that are to be kept are stubbed all the same.',
      },
      {
        name: 'the-high-half-of-live-stack-is-lost',
        inside: 'liveStackSlots',
        node: '(BigInt((high[slot] ?? 0) >>> 0) << 32n)',
        becomes: '0n',
        wrong: 'Stack below fp-256 counts as never read.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/two-mode.ts',
    [TEXTS],
    [
      {
        name: 'no-kill-before-a-call',
        inside: 'Builder.normal',
        node: "points === 'every' || differs",
        becomes: 'false',
        wrong: 'The kill comes before none of the insns.',
      },
      {
        name: 'functions-are-not-killed-while-they-run',
        inside: 'Builder.mayKillDuring',
        node: 'sub || this.plan.options.killsInCallbacks !== false',
        becomes: '!sub && this.plan.options.killsInCallbacks !== false',
        wrong: 'The kill does not come while a called function runs.',
      },
      {
        name: 'patched-text-calls-plain-functions',
        inside: 'Builder.patched',
        node: `this.relinked(op, slot, 'patched', \`\${scope} patched\`)`,
        becomes: "this.relinked(op, slot, 'plain', scope + ' patched')",
        wrong: 'After the kill functions are called as they were.',
      },
      {
        name: 'patched-text-gives-plain-callbacks',
        inside: 'Builder.patched',
        node: "callback.async ? 'killable' : 'patched'",
        becomes: "callback.async ? 'killable' : 'plain'",
        wrong: 'Helpers that run on after the kill call back what they were given before it.',
      },
      {
        name: 'callbacks-are-not-killed-while-they-run',
        inside: 'Builder.killedCall',
        node: "'killable'",
        becomes: "'plain'",
        wrong: 'The kill does not come while a callback runs.',
      },
      {
        name: 'whoever-is-killed-goes-on-unpatched',
        inside: 'Builder.killedCall',
        node: `\`\${scope} patched \${slot + slots(op)}\``,
        becomes: "scope + ' normal ' + String(slot + slots(op))",
        wrong: 'The caller of a function that was killed goes on as if it had not been.',
      },
      {
        name: 'a-killed-function-may-return-unkilled',
        inside: 'Builder.normal',
        node: "op.kind === 'exit' && variant === 'killed'",
        becomes: 'false',
        wrong: 'A call during which the kill comes may return without one.',
      },
      {
        name: 'async-callbacks-stay-plain',
        inside: 'Builder.patched',
        node: "callback.async ? 'killable' : 'patched'",
        becomes: "'patched'",
        wrong: 'A callback that is set after the kill and runs later is patched from its start.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/stub-text.ts',
    [TEXTS],
    [
      {
        name: 'registers-survive-a-stub',
        inside: 'ARGUMENTS',
        node: '0b111110',
        becomes: '0b111100',
        wrong: 'The value of r1 is kept over a stub.',
      },
      {
        name: 'fills-end-one-byte-early',
        inside: 'writeFill',
        node: 'offset < min',
        becomes: 'offset < min - 1',
        wrong: 'The last byte of output memory is not filled.',
      },
      {
        name: 'the-largest-variable-fill-is-left-out',
        inside: 'writeFill',
        node: "jump('le', sizeIn!, offset, done)",
        becomes: "jump('lt', sizeIn!, offset, done)",
        wrong: 'One byte more than the size is filled.',
      },
      {
        name: 'stores-are-wider-than-aligned',
        inside: 'widestStore',
        node: 'place % size === 0 && size <= left',
        becomes: 'size <= left',
        wrong: 'Stores to the stack need not be aligned.',
      },
      {
        name: 'unsigned-immediates-fit',
        inside: 'loadConstant',
        node: 'BigInt.asIntN(32, value) === value',
        becomes: 'BigInt.asUintN(32, value) === value || BigInt.asIntN(32, value) === value',
        wrong: 'An r0 of 0x80000000 is written as an immediate, which extends its sign.',
      },
      {
        name: 'sizes-need-not-be-guarded',
        inside: 'writeFill',
        node: 'jump(GT, sizeIn, max, labels.guard)',
        becomes: 'undefined',
        wrong: 'A killed run may have a larger size than the verifier saw.',
      },
      {
        name: 'unreadable-r0-is-readable',
        inside: 'stubText',
        node: '(site.live & 1) !== 0',
        becomes: '(site.live & 2) !== 0',
        wrong: 'A stub of a void function leaves the old r0 readable.',
      },
      {
        name: 'a-frame-is-256-bytes',
        inside: 'MAX_FILLED',
        node: '512',
        becomes: '511',
        wrong: 'Of 512 bytes only the first and the last are filled.',
      },
      {
        name: 'smallest-size-is-largest',
        inside: 'fillOf',
        node: 'lesser(num.umin, least)',
        becomes: 'lesser(num.umax, least)',
        wrong: 'The smallest size that the verifier saw is not known.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/callbacks.ts',
    [TEXTS],
    [
      {
        name: 'the-last-pointer-loaded-is-the-callback',
        inside: 'callbackTargets',
        node: '!joins.has(at + 1)',
        becomes: 'true',
        wrong: 'The callback is read off insns that a jump may pass by.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/lines.ts',
    [TEXTS],
    [
      {
        name: 'nothing-behind-a-goto-is-reached',
        inside: 'jumps',
        node: "op.kind === 'may_goto'",
        becomes: 'false',
        wrong: 'Text that only a may_goto leads to is left out.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/two-mode/unwritten.ts',
    [TEXTS],
    [
      {
        name: 'one-free-half-is-enough',
        inside: 'unwrittenWindows',
        node: '!free(at + 8)',
        becomes: 'false',
        wrong: 'A dynptr is put over stack of which the second half is still read.',
      },
    ],
  ),
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
        inside: 'functionView',
        node: "contract.flags.includes('KF_RET_NULL')",
        becomes: 'false',
        wrong: 'Rules see no kfunc that may return NULL.',
      },
    ],
  ),
  ...mutantsOf(
    'src/patch/fast-path.ts',
    [LANGUAGE, 'smt/symbolic-findings-replay'],
    [
      {
        name: 'a-failure-on-one-way-is-enough',
        inside: 'enabledAt',
        node: 'ways.every((way) => way.has(outcome))',
        becomes: 'ways.some((way) => way.has(outcome))',
        wrong: 'A stub may imitate an outcome that is possible on one way to the call only.',
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
        node: '[...this.siteTests, test]',
        becomes: '[test]',
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
        inside: 'imported.follow',
        node: 'follow(path, statement.moduleSpecifier.text)',
        becomes: 'undefined',
        wrong: 'A file that an imported file imports does not count.',
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
];
