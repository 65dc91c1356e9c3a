/** Mutants of declarations: of what is inferred from prototypes and flags, and of what is read out of C. */
import { type Mutant, mutantsOf } from '../mutant.js';

const GIVES = 'kernel/a-declaration-gives-the-contract-of-the-function';
const LEAVES = 'kernel/a-patch-is-read-as-the-file-that-it-leaves';
const FROM_C = 'kernel/c-source-gives-the-declarations-that-it-adds';
const CALLED = 'generators/declared-functions-are-called-as-others-are';
const LIKE = 'campaign/a-declared-copy-is-judged-like-the-function';

export const DECLARATION_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/kernel/declare/c/diff.ts',
    [LEAVES],
    [
      {
        name: 'context-forgets-who-added-it',
        inside: 'put',
        node: 'added || (index !== undefined && there(index)?.added === true)',
        becomes: 'added',
        wrong: 'What one patch adds and a later one shows as context is taken for old.',
      },
      {
        name: 'a-hunk-is-put-where-others-stand',
        inside: 'meets',
        node: 'there.section === section || there.text !== text',
        becomes: 'there.section === section',
        wrong: 'A hunk replaces lines of the file that are not those which it takes away.',
      },
      {
        name: 'documentation-is-read-as-c',
        inside: 'readDiff',
        node: '!/\\.[ch]$/.test(hunk.path)',
        becomes: 'false',
        wrong: 'Examples in documentation are taken for functions.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/c/mail.ts',
    [LEAVES],
    [
      {
        name: 'soft-breaks-break-lines',
        inside: 'decodeBody',
        node: "body.join('\\n').replace(/=[ \\t]*\\n/g, '')",
        becomes: "body.join('\\n')",
        wrong: 'Lines that quoted-printable wraps stay wrapped.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/c/source.ts',
    [LEAVES],
    [
      {
        name: 'a-comment-runs-into-the-next-hunk',
        inside: 'withoutComments',
        node: "end >= 0 && !text.slice(0, end).includes('/*')",
        becomes: 'false',
        wrong: 'A hunk that begins in a comment has its words read as C.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/c/helpers.ts',
    [LEAVES],
    [
      {
        name: 'a-helper-is-called-as-its-function',
        inside: 'nameOf',
        node: 'names.length === 0 || names.includes(own) || ids.has(own)',
        becomes: 'true',
        wrong: 'A helper bears the name of the function behind it, not that of BPF_FUNC_.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/kfunc.ts',
    [GIVES],
    [
      {
        name: 'acquired-structs-are-only-looked-at',
        inside: 'structOf',
        node: "flags.has('KF_ACQUIRE')",
        becomes: "flags.has('KF_ACQUIRE') && flags.has('KF_RET_NULL')",
        wrong: 'What a declared kfunc that never fails returns need not be given back.',
      },
      {
        name: 'a-flag-that-lies-is-believed',
        inside: 'returnedBy',
        node: "nullable && fields.get('lock') !== 'tries'",
        becomes: 'false',
        wrong: 'KF_RET_NULL on a function that returns a number is passed over.',
      },
      {
        name: 'what-is-released-must-be-trusted',
        inside: 'released',
        node: "trust: 'any'",
        becomes: "trust: 'trusted'",
        wrong: 'A released argument is taken only from a trusted pointer.',
      },
      {
        name: 'the-last-pointer-is-released',
        inside: 'releasedBy',
        node: 'found.length > 1',
        becomes: 'found.length > 2',
        wrong: 'Which of two pointers KF_RELEASE gives back is not asked.',
      },
      {
        name: 'const-memory-may-be-filled',
        inside: 'writtenBy',
        node: 'names.length > 0',
        becomes: 'names.length > 1',
        wrong: 'Whether a function fills its only memory argument is not asked.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/outcomes.ts',
    [GIVES],
    [
      {
        name: 'a-likely-range-is-believed',
        inside: 'numbers',
        node: 'return [likely(range, done)];',
        becomes: "return [{ ...done, r0: { kind: 'scalar', min: range[0], max: range[1] } }];",
        wrong:
          'A declared function is proven with the range that its author thinks likely, which no verifier knows.',
      },
      {
        name: 'failures-may-take-long',
        inside: 'plainOutcomes',
        node: "[plain('null', NULL, always), found]",
        becomes: "[slowly(plain('null', NULL, always), slow), found]",
        wrong: 'A call that fails takes as long as one that sleeps, so that no stub can imitate it.',
      },
      {
        name: 'whether-it-blocks-is-guessed',
        inside: 'isSlow',
        node: '!gives && b.releases.length === 0 && b.transfers === undefined',
        becomes: 'false',
        wrong: 'A declared function counts as prompt where nobody said so.',
      },
      {
        name: 'releases-only-on-success',
        inside: 'numbers',
        node: "likely(ERROR_RANGE, plain('error', INTEGER, always))",
        becomes: "likely(ERROR_RANGE, plain('error', INTEGER, []))",
        wrong: 'A declared function that fails gives nothing back and fills nothing.',
      },
      {
        name: 'a-failed-dynptr-is-none',
        inside: 'makesDynptr',
        node: "...(counted ? { acquires: 'null_dynptr' as const } : {})",
        becomes: '...{}',
        wrong: 'The null dynptr of a failed reservation need not be given back.',
      },
      {
        name: 'trying-a-lock-always-takes-it',
        inside: 'locking',
        node: "[plain('error', error, always), slowly(plain('taken', zero, held), true)]",
        becomes: "[plain('error', error, held), slowly(plain('taken', zero, held), true)]",
        wrong: 'A lock that was not had is held.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/arguments.ts',
    [GIVES],
    [
      {
        name: 'every-dynptr-may-be-written-through',
        inside: 'KfuncArguments.dynptr',
        node: '...(isConst ? { rdonly: true } : {})',
        becomes: '...{}',
        wrong: 'A const dynptr argument refuses dynptrs over packets.',
      },
      {
        name: 'trusted-args-take-anything',
        inside: 'KfuncArguments',
        node: "this.flags.has('KF_TRUSTED_ARGS')",
        becomes: "this.flags.has('KF_RCU')",
        wrong: 'KF_TRUSTED_ARGS does not make arguments trusted.',
      },
      {
        name: 'memory-without-a-size-has-eight-bytes',
        inside: 'KfuncArguments.pointer',
        node: "base === 'void' || base.startsWith('union ')",
        becomes: "base.startsWith('union ')",
        wrong: 'A void pointer without a size passes for a struct.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/helper.ts',
    [GIVES],
    [
      {
        name: 'uninitialised-memory-is-not-filled',
        inside: 'fills',
        node: "arg.access === 'write'",
        becomes: "arg.access === 'readwrite'",
        wrong: 'Memory that a helper fills counts as left alone.',
      },
      {
        name: 'a-found-socket-is-not-held',
        inside: 'returnedBy',
        node: 'acquires === false',
        becomes: 'acquires !== undefined',
        wrong: 'A socket that a declared helper returns need not be given back.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/c/diff.ts',
    [FROM_C],
    [
      {
        name: 'what-a-diff-shows-is-new',
        inside: 'hunksOf',
        node: 'becomes.push({ text, added: false, at: was.length })',
        becomes: 'becomes.push({ text, added: true, at: was.length })',
        wrong: 'Functions that a diff only shows around its changes are declared again.',
      },
      {
        name: 'what-a-diff-takes-away-stays',
        inside: 'hunksOf',
        node: "next.startsWith('-')",
        becomes: "next.startsWith('- ')",
        wrong: 'Lines that a diff takes away are read as C.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/catalog.ts',
    [CALLED, LIKE],
    [
      {
        name: 'declared-helpers-are-not-found',
        inside: 'calledBy',
        node: "kind === 'helper' && id === op.imm",
        becomes: "kind === 'kfunc' && id === op.imm",
        wrong: 'Calls of declared helpers have no contract.',
      },
      {
        name: 'all-declared-functions-are-carried',
        inside: 'declaredIn',
        node: 'maybe.filter(calls)',
        becomes: 'declared',
        wrong: 'A program carries declared functions that it does not call.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/truth.ts',
    ['kernel/a-declaration-that-contradicts-itself-is-refused'],
    [
      {
        name: 'a-flag-may-promise-too-much',
        inside: 'lies',
        node: "has && found === undefined && !(flag === 'KF_RET_NULL' && locks)",
        becomes: 'false',
        wrong: 'A declared function may have KF_ACQUIRE though none of its outcomes acquires.',
      },
      {
        name: 'a-flag-may-be-forgotten',
        inside: 'lies',
        node: '!has && found !== undefined',
        becomes: 'false',
        wrong: 'A declared function may acquire without KF_ACQUIRE.',
      },
      {
        name: 'outcomes-need-not-fit-the-prototype',
        inside: 'lies',
        node: '!kinds.includes(r0.kind)',
        becomes: 'false',
        wrong: 'An outcome may return nothing where the prototype returns a number.',
      },
    ],
  ),
];
