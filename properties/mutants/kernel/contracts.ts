/** Mutants of contracts, and of what is asked of them. */
import { type Mutant, mutantsOf } from '../mutant.js';

const QUESTIONS = 'kernel/questions-about-contracts-are-answered-from-their-outcomes';
const WRITTEN_DOWN = 'kernel/the-tables-are-as-written-down';
const CALLED = 'kernel/what-may-be-called-hangs-on-licence-and-attachment';

export const CONTRACT_MUTANTS: readonly Mutant[] = [
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
      {
        name: 'vma-callback-is-given-the-address',
        inside: 'perVma',
        node: '3',
        becomes: '1',
        wrong:
          'The callback of bpf_find_vma is given the address that was looked for in place of its context.',
        noticedBy: ['kernel/every-contract-is-well-formed'],
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
      {
        name: 'sock-program-attached-nowhere-is-an-ingress-one',
        inside: 'refusedAttached',
        node: "type === 'cgroup_sock' ? A.SOCK_CREATE : 0",
        becomes: '0',
        wrong:
          'A cgroup_sock program that does not say how it attaches may not call bpf_get_retval and bpf_set_retval.',
      },
      {
        name: 'the-return-value-of-unix-recvmsg-may-be-set',
        inside: 'NO_RETVAL',
        node: 'A.UNIX_RECVMSG',
        becomes: 'A.UDP6_RECVMSG',
        wrong: 'A program attached to recvmsg of Unix sockets may ask for the return value and set it.',
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
    'src/kernel/delays.ts',
    ['kernel/what-may-hold-a-call-up-is-said'],
    [
      {
        name: 'what-sleeps-is-prompt',
        inside: 'delaysOf',
        node: 'sleepsUnder(kernel, name)',
        becomes: 'false',
        wrong: 'A kept call that may sleep is not said to.',
      },
      {
        name: 'buckets-have-no-locks',
        inside: 'delaysOf',
        node: 'CHANGES_MAPS.has(name)',
        becomes: 'false',
        wrong: 'A kept call that waits for the lock of a bucket is not said to.',
      },
    ],
  ),
  ...mutantsOf(
    'src/kernel/contracts/packets.ts',
    ['kernel/contracts-agree-with-the-kernels-tables'],
    [
      {
        name: 'clone-redirect-that-fails-moves-nothing',
        inside: 'PACKET_CONTRACTS',
        node: 'failed(moves)',
        becomes: 'failed()',
        wrong: 'Packet pointers stay good on the way on which bpf_clone_redirect has failed.',
      },
      {
        name: 'pulling-xdp-data-leaves-packet-pointers',
        inside: 'PACKET_CONTRACTS',
        node: "kfunc('bpf_xdp_pull_data', [ctx, scalar], [outcome('done', INTEGER, moves)])",
        becomes: "kfunc('bpf_xdp_pull_data', [ctx, scalar], [outcome('done', INTEGER)])",
        wrong: 'Pointers into the packet stay good after bpf_xdp_pull_data.',
        noticedBy: [WRITTEN_DOWN],
      },
    ],
  ),
];
