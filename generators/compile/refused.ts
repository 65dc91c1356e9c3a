/**
 * Functions that a program type may name but that no generated program of the type calls: their arguments cannot be had in such programs,
 * the verifier refuses them for another reason, or no fragment makes their arguments. Measured on Linux 6.18.
 */
import { progType } from '../../src/kernel/progtypes.js';
import { PROG_TYPES, type ProgType, type SpecialField } from '../../src/object/program.js';

interface Refusal {
  readonly types: readonly ProgType[];
  readonly why: string;
}

/** Types whose maps may not have such fields (check_map_prog_compatibility). */
function refusing(kind: SpecialField['kind']): readonly ProgType[] {
  return PROG_TYPES.filter((type) => progType(type).refusedFields.has(kind));
}

const LOCKS: Refusal = { types: refusing('spin_lock'), why: 'maps with locks are refused' };
const TRACING: Refusal = { types: refusing('timer'), why: 'maps with timers, lists and trees are refused' };
const LWT: readonly ProgType[] = ['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'];
const NO_SOCKET: Refusal = {
  types: ['syscall', ...LWT, 'sk_msg', 'sock_ops', 'sk_lookup', 'flow_dissector'],
  why: 'nothing there makes a socket',
};
/** Types that may not call what gives a task, a cgroup or another object of the kernel's. */
const WITHOUT_OBJECTS: readonly ProgType[] = [
  'socket_filter',
  'kprobe',
  'raw_tracepoint',
  'raw_tracepoint_writable',
  'action',
  'sk_skb',
  'sk_msg',
  'sk_lookup',
  'sk_reuseport',
  'flow_dissector',
  'netfilter',
  ...LWT,
];
const NO_CGROUP: Refusal = { types: WITHOUT_OBJECTS, why: 'nothing there makes a cgroup' };
const NO_SLEEP: Refusal = { types: ['kprobe'], why: 'only uprobes may sleep, and none are made' };
const NO_STORAGE: Refusal = { types: PROG_TYPES, why: 'no map is made that keeps values with an object' };
const NO_PERCPU: Refusal = { types: PROG_TYPES, why: 'no variable of the kernel is named' };
/** cgroup_common_func_proto: only hooks that return errors have them, and not under every attach type. */
const NO_RETVAL: Refusal = {
  types: ['cgroup_device', 'cgroup_sysctl', 'cgroup_sockopt'],
  why: 'what the hook returns is no error',
};

const REFUSED: Readonly<Record<string, Refusal>> = {
  ...each(
    [
      'bpf_spin_lock',
      'bpf_spin_unlock',
      'bpf_res_spin_lock',
      'bpf_res_spin_unlock',
      'bpf_res_spin_lock_irqsave',
      'bpf_res_spin_unlock_irqrestore',
    ],
    LOCKS,
  ),
  ...each(
    [
      'bpf_timer_init',
      'bpf_timer_set_callback',
      'bpf_timer_start',
      'bpf_timer_cancel',
      'bpf_wq_init',
      'bpf_wq_set_callback_impl',
      'bpf_wq_start',
      'bpf_list_push_front_impl',
      'bpf_list_push_back_impl',
      'bpf_list_pop_front',
      'bpf_list_pop_back',
      'bpf_list_front',
      'bpf_list_back',
      'bpf_rbtree_add_impl',
      'bpf_rbtree_remove',
      'bpf_rbtree_first',
      'bpf_rbtree_root',
      'bpf_rbtree_left',
      'bpf_rbtree_right',
    ],
    TRACING,
  ),
  ...each(
    [
      'bpf_skc_to_tcp6_sock',
      'bpf_skc_to_tcp_sock',
      'bpf_skc_to_tcp_timewait_sock',
      'bpf_skc_to_tcp_request_sock',
      'bpf_skc_to_udp6_sock',
      'bpf_skc_to_mptcp_sock',
      'bpf_skc_to_unix_sock',
    ],
    NO_SOCKET,
  ),
  ...each(
    ['bpf_iter_css_new', 'bpf_iter_css_next', 'bpf_iter_css_destroy', 'bpf_cgroup_read_xattr'],
    NO_CGROUP,
  ),
  ...each(
    [
      'bpf_iter_kmem_cache_new',
      'bpf_iter_kmem_cache_next',
      'bpf_iter_kmem_cache_destroy',
      'bpf_iter_dmabuf_new',
      'bpf_iter_dmabuf_next',
      'bpf_iter_dmabuf_destroy',
      'bpf_copy_from_user',
      'bpf_copy_from_user_str',
      'bpf_copy_from_user_task',
      'bpf_copy_from_user_task_str',
      'bpf_copy_from_user_dynptr',
      'bpf_copy_from_user_str_dynptr',
      'bpf_copy_from_user_task_dynptr',
      'bpf_copy_from_user_task_str_dynptr',
      'bpf_arena_alloc_pages',
      'bpf_arena_free_pages',
      'bpf_arena_reserve_pages',
    ],
    NO_SLEEP,
  ),
  ...each(
    [
      'bpf_sk_storage_get',
      'bpf_sk_storage_delete',
      'bpf_task_storage_get',
      'bpf_task_storage_delete',
      'bpf_cgrp_storage_get',
      'bpf_cgrp_storage_delete',
      'bpf_get_local_storage',
    ],
    NO_STORAGE,
  ),
  ...each(['bpf_per_cpu_ptr', 'bpf_this_cpu_ptr'], NO_PERCPU),
  bpf_sk_release: { types: ['sk_lookup'], why: 'its sockets are not given back' },
  bpf_tcp_sock: { types: ['cgroup_sockopt', 'sock_ops'], why: 'nothing there makes a full socket' },
  bpf_user_ringbuf_drain: { types: PROG_TYPES, why: 'no callback is made that takes a dynptr' },
  bpf_sock_addr_set_sun_path: { types: PROG_TYPES, why: 'it wants the kernel struct of a Unix socket call' },
  bpf_sock_ops_enable_tx_tstamp: {
    types: PROG_TYPES,
    why: 'it wants the kernel struct of socket operations',
  },
  bpf_sock_from_file: { types: ['syscall'], why: 'nothing there makes a file' },
  bpf_kptr_xchg: { types: WITHOUT_OBJECTS, why: 'nothing there gives back what was in the map' },
  ...each(['bpf_get_retval', 'bpf_set_retval'], NO_RETVAL),
  bpf_dynptr_slice_rdwr: {
    types: PROG_TYPES.filter((type) => !progType(type).packetWritable),
    why: 'only program types that may write packets may call it (may_access_direct_pkt_data)',
  },
  bpf_get_func_ip: {
    types: ['tracepoint', 'syscall'],
    why: 'it needs a function that is traced (check_get_func_ip)',
  },
  bpf_sk_assign_tcp_reqsk: { types: PROG_TYPES, why: 'it wants the kernel struct of a socket' },
  ...each(['bpf_kfunc_call_test_release', 'bpf_kfunc_call_memb_release'], {
    types: PROG_TYPES,
    why: "only the kernel's tests make what it gives back",
  }),
  bpf_xdp_get_buff_len: { types: ['syscall'], why: 'nothing there makes a struct xdp_md' },
};

/** The types that may not, by function. */
const REFUSED_TYPES: ReadonlyMap<string, ReadonlySet<ProgType>> = new Map(
  Object.entries(REFUSED).map(([name, { types }]) => [name, new Set(types)]),
);

function each(names: readonly string[], refusal: Refusal): Record<string, Refusal> {
  return Object.fromEntries(names.map((name) => [name, refusal]));
}

/** Whether no program of `type` can call this function although its contract lists the type. */
export function isRefused(name: string, type: ProgType): boolean {
  return REFUSED_TYPES.get(name)?.has(type) === true;
}

/** Why; undefined if it can. */
export function whyRefused(name: string, type: ProgType): string | undefined {
  return isRefused(name, type) ? REFUSED[name]?.why : undefined;
}
