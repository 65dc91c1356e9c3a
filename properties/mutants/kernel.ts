/** Mutants of the kernel's tables: contracts, contexts, map types, and what is asked of them. */
import { type Mutant, mutantsOf } from './mutant.js';

const WRITTEN_DOWN = 'kernel/the-tables-are-as-written-down';
const QUESTIONS = 'kernel/questions-about-contracts-are-answered-from-their-outcomes';
const CALLED = 'kernel/what-may-be-called-hangs-on-licence-and-attachment';
const EDGES = 'kernel/maps-at-the-edges-are-refused-as-by-the-kernel';

export const KERNEL_MUTANTS: readonly Mutant[] = [
  ...mutantsOf(
    'src/kernel/describe.ts',
    [QUESTIONS],
    [
      {
        name: 'a-null-dynptr-holds-something',
        inside: 'holds',
        node: "e.kind === 'init_dynptr' && e.null === true",
        becomes: "e.kind === 'init_dynptr' && e.null !== true",
        wrong: 'A dynptr that holds a record counts as one that holds nothing, and the other way round.',
      },
      {
        name: 'transferring-is-not-releasing',
        inside: 'outcomeReleases',
        node: "e.kind === 'transfer'",
        becomes: 'false',
        wrong: 'Giving an owned pointer to a list or a map is not seen as giving it up.',
      },
      {
        name: 'guards-do-not-set-outcomes-apart',
        inside: 'distinctOutcomes',
        node: 'o.guard ?? null',
        becomes: 'null',
        wrong: 'Outcomes that differ in their guard alone are walked once.',
      },
      {
        name: 'one-slow-outcome-makes-a-call-slow',
        inside: 'alwaysBlocks',
        node: 'c.outcomes.every((o) => o.blocks === true)',
        becomes: 'c.outcomes.some((o) => o.blocks === true)',
        wrong: 'A call that may take long counts as one that always does.',
      },
      {
        name: 'a-stub-may-leave-an-iterator-active',
        inside: 'imitable',
        node: "e.to === 'drained'",
        becomes: "e.to === 'active'",
        wrong: 'A stub is let imitate an iterator that goes on, rather than one that is at its end.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/locks.ts',
    [WRITTEN_DOWN],
    [
      {
        name: 'a-lock-is-taken-at-once',
        inside: 'LOCK_CONTRACTS',
        node: "slow('taken', VOID, locks(0, 'spin_lock'))",
        becomes: "outcome('taken', VOID, locks(0, 'spin_lock'))",
        wrong: 'Waiting for a spin lock takes no time.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/define.ts',
    [WRITTEN_DOWN, 'kernel/the-kernel-takes-a-call-of-every-contract'],
    [
      {
        name: 'sleeping-kfuncs-do-not-sleep',
        inside: 'kfunc',
        node: "row.flags.includes('KF_SLEEPABLE')",
        becomes: "row.flags.includes('KF_SLEEP')",
        wrong: 'A kfunc that may sleep may be called anywhere.',
      },
      {
        name: 'errors-end-at-4094',
        inside: 'MAX_ERRNO',
        node: '4095n',
        becomes: '4094n',
        wrong: 'The largest error number is one too small.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/iterators.ts',
    [WRITTEN_DOWN],
    [
      {
        name: 'elements-outlive-their-iterator',
        inside: 'triple',
        node: "element.kind === 'mem' ? derived(element, 0) : pointer(element)",
        becomes: 'pointer(element)',
        wrong: 'The number that an iterator gives may be read when the iterator is gone.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/callbacks.ts',
    [WRITTEN_DOWN, 'kernel/contracts-say-what-the-verifier-sees'],
    [
      {
        name: 'timers-return-one',
        inside: 'later',
        node: '[0, 0]',
        becomes: '[0, 1]',
        wrong: 'The callback of a timer may return 1.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/storage.ts',
    ['kernel/each-argument-takes-what-linux-takes', WRITTEN_DOWN],
    [
      {
        name: 'stacks-are-not-popped',
        inside: 'STORAGE_CONTRACTS',
        node: "map('queue', 'stack')",
        becomes: "map('queue')",
        wrong: 'A stack is not taken where Linux takes its top away.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/attached.ts',
    [CALLED],
    [
      {
        name: 'options-are-set-on-the-way-out',
        inside: 'refusedAttached',
        node: 'at !== A.SETSOCKOPT',
        becomes: 'at !== A.GETSOCKOPT',
        wrong: 'Programs on getsockopt may call bpf_setsockopt, those on setsockopt may not.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/license.ts',
    [CALLED],
    [
      {
        name: 'mpl-is-not-enough',
        inside: 'COMPATIBLE',
        node: "'Dual MPL/GPL'",
        becomes: "'Dual MPL'",
        wrong: 'A program under the MPL and the GPL may not call what is for GPL programs.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/catalog.ts',
    [CALLED],
    [
      {
        name: 'variants-are-for-every-type',
        inside: 'variantFor',
        node: 'variant.types.includes(type)',
        becomes: 'variant.types.length > 0',
        wrong: 'The first other form of a contract is taken, whatever type of program it is for.',
      },
      {
        name: 'kprobes-are-all-unknown',
        inside: 'refusedFor',
        node: "type === 'kprobe' && attach !== undefined",
        becomes: "type === 'kprobe'",
        wrong: 'Nothing is refused to a kprobe that attaches to one function.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/maptypes.ts',
    [EDGES],
    [
      {
        name: 'a-value-ends-one-byte-late',
        inside: 'fieldsRefusal',
        node: 'field.offset + size > valueSize',
        becomes: 'field.offset + size > valueSize + 1',
        wrong: 'A special field may reach beyond the end of its value by one byte.',
        noticedBy: [EDGES, 'kernel/maps-are-refused-as-by-the-kernel'],
      },
      {
        name: 'prefixes-of-four-bytes',
        inside: 'sizesRefusal',
        node: 'keySize < 5',
        becomes: 'keySize < 4',
        wrong: 'The key of a prefix trie may be its length alone.',
      },
      {
        name: 'either-flag-that-is-needed-will-do',
        inside: 'flagsRefusal',
        node: '(flags & needs) !== needs',
        becomes: '(flags & needs) === 0',
        wrong: 'A map type that needs no flags is refused, and one of several that must be set is enough.',
      },
      {
        name: 'per-cpu-values-reach-their-limit-early',
        inside: 'sizesRefusal',
        node: 'valueSize > PERCPU_MAX',
        becomes: 'valueSize >= PERCPU_MAX',
        wrong: 'The largest value that every CPU can have its own of is refused.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/progtypes.ts',
    [CALLED, 'kernel/contexts-and-sockets-are-open-as-in-the-kernel'],
    [
      {
        name: 'egress-returns-zero-or-one',
        inside: 'returnRange',
        node: 'attach.type === ATTACH.INET_EGRESS',
        becomes: 'attach.type === ATTACH.INET_INGRESS',
        wrong: 'Programs on packets that come in may return what those on packets that go out may.',
      },
      {
        name: 'pieces-may-begin-anywhere',
        inside: 'contextField',
        node: 'offset !== found.offset',
        becomes: 'offset < found.offset',
        wrong: 'A piece of a member that is open at its start alone may be read anywhere in it.',
        noticedBy: ['kernel/contexts-and-sockets-are-open-as-in-the-kernel'],
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/structs.ts',
    ['kernel/contexts-and-sockets-are-open-as-in-the-kernel'],
    [
      {
        name: 'sockets-are-read-across-members',
        inside: 'structAccess',
        node: 'offset + size <= m.offset + m.size',
        becomes: 'offset <= m.offset + m.size',
        wrong: 'A load from a socket may reach into the member after the one where it begins.',
      },
      {
        name: 'a-tree-node-is-a-list-node',
        inside: 'FIELD_LAYOUT',
        node: 'rb_node: { size: 32, align: 8 }',
        becomes: 'rb_node: { size: 24, align: 8 }',
        wrong: 'The node of a tree is said to be as small as that of a list.',
        noticedBy: ['kernel/numbers-and-layouts-are-those-of-the-kernels-types', WRITTEN_DOWN],
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/tables/rows.ts',
    [WRITTEN_DOWN],
    [
      {
        name: 'lsm-programs-may-call-nothing',
        inside: 'types',
        node: "[...known, 'fentry', 'lsm']",
        becomes: "[...known, 'fentry']",
        wrong: 'Programs on LSM hooks are given no helpers.',
      },
    ],
  ),
];
