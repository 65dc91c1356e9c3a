/**
 * Contexts of programs on cgroups: bpf_sock, bpf_sock_addr, bpf_sockopt, bpf_cgroup_dev_ctx, bpf_sysctl. Follows
 * sock_filter_is_valid_access and sock_addr_is_valid_access in net/core/filter.c and those of kernel/bpf/cgroup.c.
 */
import { ATTACH as A } from './attach.js';
import { type ContextMember, LONG, member, NARROW, NONE, onlyFor, WORD, words, writable } from './member.js';

const fromStart = (m: ContextMember): ContextMember => ({ ...m, pieces: 'start' });

const SOCK: readonly ContextMember[] = writable(
  [
    member('bound_dev_if', 0, 4, WORD),
    ...words(4, 'family type protocol', NARROW).map(fromStart),
    ...words(16, 'mark priority'),
    member('src_ip4', 24, 4, NARROW),
    ...words(28, 'src_ip6[0] src_ip6[1] src_ip6[2] src_ip6[3]', NARROW),
    fromStart(member('src_port', 44, 4, NARROW)),
    // Two bytes, and the word in which they and the padding after them lie.
    { ...member('dst_port', 48, 4, NARROW), pieces: 2 },
    member('dst_ip4', 52, 4, NARROW),
    ...words(56, 'dst_ip6[0] dst_ip6[1] dst_ip6[2] dst_ip6[3]', NARROW),
    ...words(72, 'state rx_queue_mapping', NARROW).map(fromStart),
  ],
  { bound_dev_if: WORD, mark: WORD, priority: WORD },
);

/** struct bpf_sock, 80 bytes; what is open depends on when the program runs. */
export const CGROUP_SOCK: readonly ContextMember[] = [
  ['bound_dev_if mark priority', [A.SOCK_CREATE, A.SOCK_RELEASE]] as const,
  ['src_ip4', [A.INET4_POST_BIND]] as const,
  ['src_ip6[0] src_ip6[1] src_ip6[2] src_ip6[3]', [A.INET6_POST_BIND]] as const,
  ['src_port', [A.INET4_POST_BIND, A.INET6_POST_BIND]] as const,
].reduce<readonly ContextMember[]>((members, [names, attach]) => onlyFor(members, names, attach), SOCK);

const V4 = [
  A.INET4_BIND,
  A.INET4_CONNECT,
  A.INET4_GETPEERNAME,
  A.INET4_GETSOCKNAME,
  A.UDP4_SENDMSG,
  A.UDP4_RECVMSG,
];
const V6 = [
  A.INET6_BIND,
  A.INET6_CONNECT,
  A.INET6_GETPEERNAME,
  A.INET6_GETSOCKNAME,
  A.UDP6_SENDMSG,
  A.UDP6_RECVMSG,
];
const WIDE: readonly number[] = [1, 2, 4, 8];

/** struct bpf_sock_addr, 72 bytes; addresses of one family are open to programs on calls of that family. */
export const SOCK_ADDR: readonly ContextMember[] = [
  ['user_ip4', V4] as const,
  ['user_ip6', V6] as const,
  ['msg_src_ip4', [A.UDP4_SENDMSG]] as const,
  ['msg_src_ip6', [A.UDP6_SENDMSG]] as const,
].reduce<readonly ContextMember[]>(
  (members, [names, attach]) => onlyFor(members, names, attach),
  [
    member('user_family', 0, 4, WORD),
    member('user_ip4', 4, 4, NARROW, WORD),
    member('user_ip6', 8, 16, WIDE, [4, 8]),
    member('user_port', 24, 4, NARROW, WORD),
    ...words(28, 'family type protocol'),
    member('msg_src_ip4', 40, 4, NARROW, WORD),
    member('msg_src_ip6', 44, 16, WIDE, [4, 8]),
    member('sk', 64, 8, LONG, NONE, 'sock'),
  ],
);

/** struct bpf_sockopt, 40 bytes; which way it is open depends on the direction. */
export const SOCKOPT: readonly ContextMember[] = [
  member('sk', 0, 8, LONG, NONE, 'sock'),
  member('optval', 8, 8, LONG, NONE, 'packet'),
  member('optval_end', 16, 8, LONG, NONE, 'packet_end'),
  ...words(24, 'level optname').map((m) => ({ ...m, writes: WORD, writeBy: new Set([A.SETSOCKOPT]) })),
  member('optlen', 32, 4, WORD, WORD),
  ...onlyFor([member('retval', 36, 4, WORD, WORD)], 'retval', [A.GETSOCKOPT]),
];

/** struct bpf_cgroup_dev_ctx, 12 bytes. */
export const DEVICE: readonly ContextMember[] = [
  member('access_type', 0, 4, NARROW),
  ...words(4, 'major minor'),
];

/** struct bpf_sysctl, 8 bytes. */
export const SYSCTL: readonly ContextMember[] = [
  member('write', 0, 4, NARROW),
  member('file_pos', 4, 4, NARROW, WORD),
];

/** Inclusive ranges of what a program on a socket's address may return, by attach type; [0, 1] for those not named. */
export const SOCK_ADDR_RETURNS: ReadonlyMap<number, readonly [number, number]> = new Map<
  number,
  readonly [number, number]
>([
  ...[A.INET4_BIND, A.INET6_BIND].map((attach) => [attach, [0, 3]] as const),
  ...[
    A.UDP4_RECVMSG,
    A.UDP6_RECVMSG,
    A.UNIX_RECVMSG,
    A.INET4_GETPEERNAME,
    A.INET6_GETPEERNAME,
    A.UNIX_GETPEERNAME,
    A.INET4_GETSOCKNAME,
    A.INET6_GETSOCKNAME,
    A.UNIX_GETSOCKNAME,
  ].map((attach) => [attach, [1, 1]] as const),
]);
