/** Mutants of the kernel's types: programs, contexts, maps, structs. */
import { type Mutant, mutantsOf } from '../mutant.js';

const EDGES = 'kernel/maps-at-the-edges-are-refused-as-by-the-kernel';
const CALLED = 'kernel/what-may-be-called-hangs-on-licence-and-attachment';
const WRITTEN_DOWN = 'kernel/the-tables-are-as-written-down';

export const TYPE_MUTANTS: readonly Mutant[] = [
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
      {
        name: 'trees-need-no-lock',
        inside: 'fieldsRefusal',
        node: "has('list_head') || has('rb_root')",
        becomes: "has('list_head')",
        wrong: 'A map whose values have a tree but no lock beside it is taken.',
        noticedBy: ['kernel/maps-are-refused-as-by-the-kernel'],
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
      {
        name: 'narrow-socket-load-from-the-middle',
        inside: 'structAccess',
        node: 'offset === found.offset',
        becomes: 'true',
        wrong:
          'Members of a socket that are open in pieces from their start only may be read from the middle as well.',
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
  ...mutantsOf(
    'src/kernel/contexts/member.ts',
    ['kernel/contexts-and-sockets-are-open-as-in-the-kernel'],
    [
      {
        name: 'attach-type-restricts-loads-only',
        inside: 'onlyFor',
        node: '{ ...m, readBy: by, writeBy: by }',
        becomes: '{ ...m, readBy: by }',
        wrong:
          'A member of the context that is open to some attach types only may be written under all of them.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/attach-types.ts',
    ['kernel/attach-types-are-taken-as-by-the-kernel'],
    [
      {
        name: 'sockets-are-not-released',
        inside: 'TAKEN',
        node: 'A.SOCK_RELEASE',
        becomes: 'A.SOCK_CREATE',
        wrong: 'No program is loaded for the release of a socket.',
      },
      {
        name: 'syscalls-attach-anywhere',
        inside: 'TAKEN',
        node: 'syscall: new Set([0])',
        becomes: 'syscall: new Set([0, 1])',
        wrong: 'A syscall program may have an attach type.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/attached.ts',
    ['verifier/call/functions-of-kernel-structs-are-stood-in-for-as-by-linux'],
    [
      {
        name: 'a-socket-that-goes-away-gets-options',
        inside: 'refusedOperation',
        node: "without?.[operation?.member ?? '']?.has(name) === true",
        becomes: 'false',
        wrong: 'A congestion control sets options of a socket that is being released.',
      },
      {
        name: 'all-structs-lend-helpers',
        inside: 'refusedOperation',
        node: "helpers === 'none'",
        becomes: 'false',
        wrong: 'A program of a struct that lends no helpers calls some.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/declare/flaws.ts',
    ['kernel/what-contradicts-itself-is-named'],
    [
      {
        name: 'usual-values-backwards',
        inside: 'outcomeFlaws',
        node: 'low > high',
        becomes: 'false',
        wrong: 'Usual values of which the least is above the greatest are no flaw.',
      },
      {
        name: 'a-write-elsewhere-will-do',
        inside: 'argFlaws',
        node: "e.kind === 'write' && e.arg === index",
        becomes: "e.kind === 'write'",
        wrong: 'Memory that a function is said to write counts as written if it writes any other.',
      },
      {
        name: 'callbacks-return-backwards',
        inside: 'argFlaws',
        node: 'returns[0] > returns[1]',
        becomes: 'false',
        wrong: 'A callback may return values of an empty range.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/progtypes.ts',
    ['verifier/call/lsm-programs-return-what-their-hook-returns'],
    [
      {
        name: 'all-of-r0-is-an-error-number',
        inside: 'returnsHalf',
        node: "type === 'lsm' && attach?.type !== ATTACH.LSM_CGROUP",
        becomes: 'false',
        wrong: 'An error that an LSM program returns as an int is out of range.',
      },
      {
        name: 'a-void-hook-is-stopped-by-a-cgroup',
        inside: 'returnRange',
        node: "returns === 'void' ? [1, 1] : YES_OR_NO",
        becomes: 'YES_OR_NO',
        wrong: 'A program of a cgroup stops a hook that returns nothing.',
      },
    ],
  ),
];
