/**
 * Socket lookup, casts between socket types, release. Follows net/core/filter.c; is_acquire_function and
 * is_ptr_cast_function in kernel/bpf/verifier.c.
 */
import type { Contract, SockType } from '../contract.js';
import {
  acquired,
  any,
  ctx,
  derived,
  helper,
  INTEGER,
  mem,
  NULL,
  outcome,
  pointer,
  releases,
  sizeOrZero,
  sock,
  sockOf,
  sockOrBtf,
  sockReleased,
  struct,
} from './define.js';

const lookup = (name: string, type: SockType): Contract =>
  helper(
    name,
    [ctx, mem('read', 2), sizeOrZero, any, any],
    [outcome('null', NULL), outcome('found', acquired(sockOf(type), 'socket'))],
    { packetArgs: true },
  );

/** The result is the argument under another type: it holds the same reference, and either may be given back. */
const cast = (name: string, to: string): Contract =>
  helper(name, [sockOrBtf], [outcome('null', NULL), outcome('cast', derived(struct(to, 'none'), 0))]);

export const SOCKET_CONTRACTS: readonly Contract[] = [
  lookup('bpf_sk_lookup_tcp', 'sock'),
  lookup('bpf_sk_lookup_udp', 'sock'),
  // May find a request or time-wait socket, hence only sock_common.
  lookup('bpf_skc_lookup_tcp', 'sock_common'),
  // Returns an integer, and releases by a flag on its argument. A rule that looks at the return type only would stub it, and leak.
  helper('bpf_sk_release', [sockReleased], [outcome('done', INTEGER, releases(0))]),

  helper('bpf_sk_fullsock', [sock], [outcome('null', NULL), outcome('cast', derived(sockOf('sock'), 0))]),
  helper('bpf_tcp_sock', [sock], [outcome('null', NULL), outcome('cast', derived(sockOf('tcp_sock'), 0))]),
  // Another socket than the argument, protected by RCU and not counted: no cast, no reference.
  helper('bpf_get_listener_sock', [sock], [outcome('null', NULL), outcome('found', pointer(sockOf('sock')))]),

  cast('bpf_skc_to_tcp6_sock', 'tcp6_sock'),
  cast('bpf_skc_to_tcp_sock', 'tcp_sock'),
  cast('bpf_skc_to_tcp_timewait_sock', 'tcp_timewait_sock'),
  cast('bpf_skc_to_tcp_request_sock', 'tcp_request_sock'),
  cast('bpf_skc_to_udp6_sock', 'udp6_sock'),
  helper(
    'bpf_skc_to_mptcp_sock',
    [sock],
    [outcome('null', NULL), outcome('cast', derived(struct('mptcp_sock', 'none'), 0))],
  ),
  // Not in is_ptr_cast_function: the result carries no reference, and cannot be given back in place of the argument.
  helper(
    'bpf_skc_to_unix_sock',
    [sockOrBtf],
    [outcome('null', NULL), outcome('cast', pointer(struct('unix_sock', 'none')))],
  ),

  helper('bpf_sk_assign', [ctx, sockOrBtf, any], [outcome('done', INTEGER)], { only: ['tc', 'action'] }),
];
