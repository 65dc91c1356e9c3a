/**
 * Packets and their metadata. Follows net/core/filter.c; bpf_helper_changes_pkt_data lists what may move the packet, and the verifier
 * drops packet pointers after those whatever they return.
 */
import type { Contract } from '../contract.js';
import {
  any,
  ctx,
  failed,
  fixedMem,
  helper,
  INTEGER,
  kfunc,
  mem,
  memOrNull,
  moves,
  outcome,
  scalar,
  size,
  sizeOrZero,
  slow,
  sockOrBtf,
  writes,
} from './define.js';

/** Takes the context and numbers; r0 is a number; nothing else happens that the verifier knows of. */
const numbers = (name: string, count: number): Contract =>
  helper(name, [ctx, ...Array(count).fill(any)], [outcome('done', INTEGER)]);
/** The same, and the packet may have moved. */
const moving = (name: string, count: number): Contract =>
  helper(name, [ctx, ...Array(count).fill(any)], [outcome('done', INTEGER, moves)]);
/** Fills the buffer in argument 1, with zeros when it fails. */
const filling = (name: string, ...more: Contract['args']): Contract =>
  helper(name, [ctx, mem('write', 2), size, ...more], [outcome('done', INTEGER, writes(1))]);

export const PACKET_CONTRACTS: readonly Contract[] = [
  helper('bpf_skb_load_bytes', [ctx, any, mem('write', 3), size], [outcome('done', INTEGER, writes(2))]),
  helper(
    'bpf_skb_load_bytes_relative',
    [ctx, any, mem('write', 3), size, any],
    [outcome('done', INTEGER, writes(2))],
  ),
  helper('bpf_skb_store_bytes', [ctx, any, mem('read', 3), size, any], [outcome('done', INTEGER, moves)]),
  // Leaves the buffer as it was when it fails, though the verifier counts it as written.
  helper('bpf_xdp_load_bytes', [ctx, any, mem('write', 3), size], [outcome('done', INTEGER, writes(2))]),
  // Fragments are written in place: not in the list of what moves the packet.
  helper('bpf_xdp_store_bytes', [ctx, any, mem('read', 3), size], [outcome('done', INTEGER)]),
  helper('bpf_xdp_get_buff_len', [ctx], [outcome('done', INTEGER)], { only: ['xdp'] }),

  moving('bpf_xdp_adjust_head', 1),
  moving('bpf_xdp_adjust_meta', 1),
  moving('bpf_xdp_adjust_tail', 1),
  kfunc('bpf_xdp_pull_data', [ctx, scalar], [outcome('done', INTEGER, moves)]),
  moving('bpf_skb_pull_data', 1),
  moving('bpf_skb_change_proto', 2),
  moving('bpf_skb_change_tail', 2),
  moving('bpf_skb_change_head', 2),
  moving('bpf_skb_adjust_room', 3),
  moving('bpf_skb_vlan_push', 2),
  moving('bpf_skb_vlan_pop', 0),
  moving('bpf_l3_csum_replace', 4),
  moving('bpf_l4_csum_replace', 4),
  numbers('bpf_skb_change_type', 1),

  helper(
    'bpf_csum_diff',
    [memOrNull('read', 1), sizeOrZero, memOrNull('read', 3), sizeOrZero, any],
    [outcome('done', INTEGER)],
    { packetArgs: true },
  ),
  numbers('bpf_csum_update', 1),
  numbers('bpf_csum_level', 1),
  numbers('bpf_get_hash_recalc', 0),
  numbers('bpf_set_hash_invalid', 0),
  numbers('bpf_set_hash', 1),
  numbers('bpf_skb_ecn_set_ce', 0),
  numbers('bpf_skb_set_tstamp', 2),

  // Sends a copy through the device's whole transmit path before it returns.
  helper('bpf_clone_redirect', [ctx, any, any], [failed(moves), slow('done', INTEGER, moves)]),
  // Only notes where to send the packet once the program has ended.
  helper('bpf_redirect', [any, any], [outcome('done', INTEGER)]),
  helper('bpf_redirect_peer', [any, any], [outcome('done', INTEGER)]),
  helper('bpf_redirect_neigh', [any, memOrNull('read', 2), sizeOrZero, any], [outcome('done', INTEGER)]),
  helper('bpf_fib_lookup', [ctx, mem('readwrite', 2), size, any], [outcome('done', INTEGER)]),
  helper(
    'bpf_check_mtu',
    [ctx, any, { kind: 'mem', access: 'readwrite', size: { bytes: 4 }, aligned: true }, any, any],
    [outcome('done', INTEGER)],
  ),

  filling('bpf_skb_get_tunnel_key', any),
  filling('bpf_skb_get_tunnel_opt'),
  helper('bpf_skb_set_tunnel_key', [ctx, mem('read', 2), size, any], [outcome('done', INTEGER)]),
  helper('bpf_skb_set_tunnel_opt', [ctx, mem('read', 2), size], [outcome('done', INTEGER)]),
  helper(
    'bpf_skb_get_xfrm_state',
    [ctx, any, mem('write', 3), size, any],
    [outcome('done', INTEGER, writes(2))],
  ),

  // Where the other modelled types may call these, they take another argument than the context.
  helper('bpf_get_socket_cookie', [ctx], [outcome('done', INTEGER)], {
    except: ['tp_btf', 'iter', 'fentry', 'lsm', 'syscall', 'sk_reuseport'],
  }),
  helper('bpf_get_cgroup_classid', [ctx], [outcome('done', INTEGER)], {
    only: ['tc', 'action', 'lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'],
  }),
  helper('bpf_get_netns_cookie', [{ kind: 'ctx', nullable: true }], [outcome('done', INTEGER)]),
  numbers('bpf_get_socket_uid', 0),
  numbers('bpf_get_route_realm', 0),
  numbers('bpf_skb_cgroup_id', 0),
  numbers('bpf_skb_ancestor_cgroup_id', 1),
  numbers('bpf_skb_cgroup_classid', 0),
];

const withHeaders = (name: string): Contract =>
  helper(name, [sockOrBtf, mem('read', 2), size, mem('read', 4), size], [outcome('done', INTEGER)], {
    packetArgs: true,
  });
const IPV4_HEADER = 20;
const IPV6_HEADER = 40;
const TCP_HEADER = 20;
const raw = (name: string, header: number, ...tcp: Contract['args']): Contract =>
  helper(name, [fixedMem('read', header), ...tcp], [outcome('done', INTEGER)], { packetArgs: true });

export const SYNCOOKIE_CONTRACTS: readonly Contract[] = [
  withHeaders('bpf_tcp_check_syncookie'),
  withHeaders('bpf_tcp_gen_syncookie'),
  raw('bpf_tcp_raw_gen_syncookie_ipv4', IPV4_HEADER, mem('read', 2), sizeOrZero),
  raw('bpf_tcp_raw_gen_syncookie_ipv6', IPV6_HEADER, mem('read', 2), sizeOrZero),
  raw('bpf_tcp_raw_check_syncookie_ipv4', IPV4_HEADER, fixedMem('read', TCP_HEADER)),
  raw('bpf_tcp_raw_check_syncookie_ipv6', IPV6_HEADER, fixedMem('read', TCP_HEADER)),
];
