/**
 * Functions of programs on sockets, cgroups and routes: they act on the operation that the program is attached to. Follows
 * net/core/filter.c, kernel/bpf/cgroup.c, net/core/sock_map.c.
 */
import type { ProgType } from '../../object/program.js';
import type { Arg, Contract } from '../contract.js';
import {
  any,
  btf,
  ctx,
  helper,
  INTEGER,
  kfunc,
  mem,
  moves,
  outcome,
  scalar,
  size,
  sizeOrZero,
  sockOrBtf,
  writes,
} from './define.js';
import { TRACING } from './storage.js';

const done = [outcome('done', INTEGER)];
const moved = [outcome('done', INTEGER, moves)];
/** Functions that take the context and numbers. */
const numbers = (name: string, count: number): Contract =>
  helper(name, [ctx, ...Array(count).fill(any)], done);
const moving = (name: string, count: number): Contract =>
  helper(name, [ctx, ...Array(count).fill(any)], moved);

export const HOOK_CONTRACTS: readonly Contract[] = [
  helper('bpf_setsockopt', [ctx, any, any, mem('read', 4), size], done, {
    only: ['cgroup_sock_addr', 'sock_ops'],
  }),
  helper('bpf_getsockopt', [ctx, any, any, mem('write', 4), size], [outcome('done', INTEGER, writes(3))], {
    only: ['cgroup_sock_addr', 'sock_ops'],
  }),
  kfunc(
    'bpf_sock_addr_set_sun_path',
    [btf('trusted', 'bpf_sock_addr_kern'), mem('readwrite', 2), sizeOrZero],
    done,
  ),
  kfunc('bpf_sock_ops_enable_tx_tstamp', [btf('trusted', 'bpf_sock_ops_kern'), scalar], done),
  helper('bpf_bind', [ctx, mem('read', 2), size], done),
  helper('bpf_get_retval', [], done),
  helper('bpf_set_retval', [any], done),
  helper('bpf_sk_cgroup_id', [sockOrBtf], done),
  helper('bpf_sk_ancestor_cgroup_id', [sockOrBtf, any], done),

  numbers('bpf_sock_ops_cb_flags_set', 1),
  helper('bpf_load_hdr_opt', [ctx, mem('readwrite', 2), size, any], done),
  helper('bpf_store_hdr_opt', [ctx, mem('read', 2), size, any], moved),
  numbers('bpf_reserve_hdr_opt', 2),

  numbers('bpf_msg_apply_bytes', 1),
  numbers('bpf_msg_cork_bytes', 1),
  moving('bpf_msg_pull_data', 3),
  moving('bpf_msg_push_data', 3),
  moving('bpf_msg_pop_data', 3),

  helper('bpf_lwt_push_encap', [ctx, any, mem('read', 3), size], moved),
  helper('bpf_lwt_seg6_store_bytes', [ctx, any, mem('read', 3), size], moved),
  moving('bpf_lwt_seg6_adjust_srh', 2),
  helper('bpf_lwt_seg6_action', [ctx, any, mem('read', 3), size], moved),

  helper('bpf_sysctl_get_name', [ctx, mem('readwrite', 2), size, any], done),
  helper('bpf_sysctl_get_current_value', [ctx, mem('write', 2), size], [outcome('done', INTEGER, writes(1))]),
  helper('bpf_sysctl_get_new_value', [ctx, mem('write', 2), size], [outcome('done', INTEGER, writes(1))]),
  helper('bpf_sysctl_set_new_value', [ctx, mem('read', 2), size], done),
];

/** Program types in which functions of these names take the socket, or nothing, instead of the context. */
const NO_CONTEXT: readonly ProgType[] = [
  'xdp',
  'socket_filter',
  'tracepoint',
  'syscall',
  'kprobe',
  'raw_tracepoint',
  'raw_tracepoint_writable',
  'perf_event',
  'tp_btf',
  'iter',
  'fentry',
  'lsm',
  'cgroup_skb',
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'cgroup_device',
  'cgroup_sysctl',
  'sk_skb',
  'sk_msg',
  'sock_ops',
  'sk_lookup',
  'sk_reuseport',
  'flow_dissector',
  'netfilter',
];

/** Socket options, for program types that pass the socket itself. */
const ON_SOCKET: readonly ProgType[] = ['cgroup_sockopt', 'iter', 'lsm', 'struct_ops'];

const sockOrNull: Arg = {
  kind: 'sock',
  types: ['sock_common', 'sock', 'tcp_sock', 'xdp_sock'],
  btf: true,
  nullable: true,
};

export const HOOK_VARIANTS: readonly Contract[] = [
  helper('bpf_get_cgroup_classid', [], done, { only: NO_CONTEXT }),
  helper('bpf_get_socket_cookie', [sockOrNull], done, { only: [...TRACING, 'sk_reuseport'] }),
  helper('bpf_setsockopt', [sockOrBtf, any, any, mem('read', 4), size], done, { only: ON_SOCKET }),
  helper(
    'bpf_getsockopt',
    [sockOrBtf, any, any, mem('write', 4), size],
    [outcome('done', INTEGER, writes(3))],
    { only: ON_SOCKET },
  ),
  helper('bpf_sk_assign', [ctx, { kind: 'sock', types: ['sock'], nullable: true }, any], done, {
    only: ['sk_lookup'],
  }),
];
