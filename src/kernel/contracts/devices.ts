/**
 * What drivers, tunnels and other parts of the network tell packets' programs; memory cgroups; arenas; what is there for the kernel's tests. Follows
 * net/core/{xdp,filter}.c, net/ipv4/fou_bpf.c, net/xfrm/xfrm_interface_bpf.c, net/netfilter/nf_flow_table_bpf.c, mm/bpf_memcontrol.c,
 * kernel/bpf/{arena,map_iter}.c, kernel/cgroup/rstat.c, net/bpf/test_run.c.
 */
import type { Arg, Contract } from '../contract.js';
import {
  acquired,
  btf,
  btfReleased,
  ctx,
  failed,
  fixedMem,
  INTEGER,
  ignored,
  kfunc,
  mem,
  NULL,
  outcome,
  pointer,
  releases,
  scalar,
  sizeOrZero,
  slow,
  struct,
  VOID,
} from './define.js';

const done = [outcome('done', INTEGER)];
const nothing = [outcome('done', VOID)];
/** Sleeps where there is something to do. */
const flushed = [outcome('nothing', VOID), slow('done', VOID)];
const tried = [failed(), outcome('done', INTEGER)];
/** Only programs that are bound to a device may call it, and none is. */
const BOUND = { only: [] } as const;

export const DEVICE_CONTRACTS: readonly Contract[] = [
  kfunc('bpf_xdp_metadata_rx_timestamp', [ctx, fixedMem('readwrite', 8)], tried, BOUND),
  kfunc('bpf_xdp_metadata_rx_hash', [ctx, fixedMem('readwrite', 4), fixedMem('readwrite', 4)], tried, BOUND),
  kfunc(
    'bpf_xdp_metadata_rx_vlan_tag',
    [ctx, fixedMem('readwrite', 2), fixedMem('readwrite', 2)],
    tried,
    BOUND,
  ),
  kfunc('bpf_skb_get_fou_encap', [ctx, fixedMem('readwrite', 4)], tried),
  kfunc('bpf_skb_set_fou_encap', [ctx, fixedMem('readwrite', 4), scalar], tried),
  kfunc('bpf_skb_get_xfrm_info', [ctx, fixedMem('readwrite', 8)], tried),
  kfunc('bpf_skb_set_xfrm_info', [ctx, fixedMem('readwrite', 8)], tried),
  // The size of the options is a number like any other.
  kfunc(
    'bpf_xdp_flow_lookup',
    [ctx, fixedMem('readwrite', 64), fixedMem('readwrite', 4), scalar],
    [outcome('null', NULL), outcome('found', pointer(struct('flow_offload_tuple_rhash', 'none')))],
  ),
  // Linux takes the socket that a lookup gives as well (reg2btf_ids); here only one that is named by its BTF type is taken.
  kfunc('bpf_sk_assign_tcp_reqsk', [ctx, btf('trusted', 'sock'), mem('readwrite', 3), sizeOrZero], tried),
];

const memcg = btf('trusted', 'mem_cgroup');
const heldMemcg = acquired(struct('mem_cgroup'), 'mem_cgroup');

export const MEMORY_CONTRACTS: readonly Contract[] = [
  kfunc('bpf_get_root_mem_cgroup', [], [outcome('null', NULL), outcome('found', heldMemcg)]),
  kfunc(
    'bpf_get_mem_cgroup',
    [btf('rcu', 'cgroup_subsys_state')],
    [outcome('null', NULL), outcome('found', heldMemcg)],
  ),
  kfunc('bpf_put_mem_cgroup', [btfReleased('mem_cgroup')], [outcome('done', VOID, releases(0))]),
  kfunc('bpf_mem_cgroup_vm_events', [memcg, scalar], done),
  kfunc('bpf_mem_cgroup_usage', [memcg], done),
  kfunc('bpf_mem_cgroup_memory_events', [memcg, scalar], done),
  kfunc('bpf_mem_cgroup_page_state', [memcg, scalar], done),
  kfunc('bpf_mem_cgroup_flush_stats', [memcg], flushed),
  kfunc('cgroup_rstat_updated', [btf('any', 'cgroup'), scalar], nothing),
  kfunc('cgroup_rstat_flush', [btf('any', 'cgroup')], flushed),
];

const anyMap: Arg = { kind: 'map' };

export const ARENA_CONTRACTS: readonly Contract[] = [
  // To the verifier the address is a number (a kfunc that returns void *); 0 where there are no pages.
  kfunc(
    'bpf_arena_alloc_pages',
    [anyMap, ignored, scalar, scalar, scalar],
    [outcome('none', INTEGER), slow('allocated', INTEGER)],
  ),
  kfunc('bpf_arena_free_pages', [anyMap, ignored, scalar], flushed),
  kfunc('bpf_arena_reserve_pages', [anyMap, ignored, scalar], [failed(), slow('reserved', INTEGER)]),
  // Adds up a count of every CPU.
  kfunc('bpf_map_sum_elem_count', [anyMap], done),
];

export const TEST_CONTRACTS: readonly Contract[] = [
  kfunc('bpf_modify_return_test_tp', [scalar], done),
  kfunc(
    'bpf_kfunc_call_test_release',
    [btfReleased('prog_test_ref_kfunc')],
    [outcome('done', VOID, releases(0))],
  ),
  kfunc(
    'bpf_kfunc_call_memb_release',
    [btfReleased('prog_test_member')],
    [outcome('done', VOID, releases(0))],
  ),
];
