/**
 * Tells how a call may delay a program. A bound counts insns, and the time inside a kept call is not part of it, so these delays are
 * reported with the bound. Follows the functions of Linux 6.18.
 */
import type { MapType } from '../object/program.js';
import type { Contract } from './contract.js';
import { mayBlock } from './describe.js';
import { BUILT_IN, type KernelProfile, sleepsUnder } from './profile.js';

/**
 * `sleep`: gives the CPU away, for a page fault, a mutex or memory. `spin`: waits actively for a lock that another CPU has. `block`:
 * waits until something else has finished. `slow`: does work that grows with data, or that is known to be long: copies, walks, prints,
 * allocates.
 */
export type Delay = 'sleep' | 'spin' | 'block' | 'slow';

/** What a call may do, in words that go on after 'may': `spin, be slow`. */
export const delaysInWords = (delays: readonly string[]): string =>
  delays.map((delay) => (delay === 'slow' ? 'be slow' : delay)).join(', ');

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** They take a lock of their own, whatever map or object they are given. A resilient one is given up after 250 ms, the others never. */
const SPINS = words(`
  bpf_spin_lock bpf_res_spin_lock bpf_res_spin_lock_irqsave
  bpf_ringbuf_output bpf_ringbuf_reserve bpf_ringbuf_reserve_dynptr
  bpf_timer_init bpf_timer_set_callback bpf_timer_start bpf_timer_cancel
  bpf_wq_set_callback_impl bpf_wq_set_callback bpf_trace_printk bpf_trace_vprintk
  bpf_sk_storage_get bpf_sk_storage_delete bpf_task_storage_get bpf_task_storage_delete
  bpf_inode_storage_get bpf_inode_storage_delete bpf_cgrp_storage_get bpf_cgrp_storage_delete
  bpf_sock_map_update bpf_sock_hash_update bpf_map_push_elem bpf_map_pop_elem bpf_map_peek_elem
  bpf_iter_css_task_new bpf_iter_css_task_next bpf_iter_css_task_destroy
  bpf_ct_insert_entry css_rstat_flush cgroup_rstat_flush bpf_mem_cgroup_flush_stats
  bpf_arena_alloc_pages bpf_arena_free_pages bpf_arena_reserve_pages
  scx_bpf_select_cpu_and __scx_bpf_select_cpu_and scx_bpf_consume scx_bpf_dsq_move_to_local scx_bpf_dsq_move_to_local___v2
  scx_bpf_dispatch_from_dsq scx_bpf_dispatch_vtime_from_dsq scx_bpf_dsq_move scx_bpf_dsq_move_vtime scx_bpf_destroy_dsq
  bpf_iter_scx_dsq_next bpf_iter_scx_dsq_destroy scx_bpf_exit_bstr scx_bpf_error_bstr scx_bpf_dump_bstr
  scx_bpf_cpuperf_set scx_bpf_cidperf_set
`);

/** They wait for a callback, a socket, the network or another task. */
const BLOCKS = words(
  'bpf_timer_cancel bpf_sock_destroy bpf_sys_bpf bpf_sys_close bpf_qdisc_reset_destroy_epilogue',
);

/** They walk, copy, print or allocate. */
const SLOW = words(`
  bpf_get_stack bpf_get_stackid bpf_get_task_stack bpf_get_branch_snapshot bpf_read_branch_records
  bpf_trace_printk bpf_trace_vprintk bpf_snprintf bpf_snprintf_btf bpf_seq_printf bpf_seq_printf_btf bpf_seq_write
  bpf_perf_event_output bpf_skb_output bpf_xdp_output bpf_ringbuf_output bpf_perf_event_read bpf_perf_event_read_value
  bpf_d_path bpf_path_d_path bpf_kallsyms_lookup_name bpf_btf_find_by_name_kind bpf_copy_from_user_task
  bpf_fib_lookup bpf_sk_lookup_tcp bpf_sk_lookup_udp bpf_skc_lookup_tcp bpf_bind bpf_setsockopt bpf_getsockopt
  bpf_skb_pull_data bpf_skb_change_tail bpf_skb_change_head bpf_skb_change_proto bpf_skb_adjust_room bpf_skb_vlan_push
  bpf_skb_vlan_pop bpf_skb_store_bytes bpf_clone_redirect bpf_msg_pull_data bpf_msg_push_data bpf_msg_pop_data
  bpf_xdp_adjust_tail bpf_xdp_adjust_head bpf_lwt_push_encap bpf_lwt_seg6_action bpf_lwt_seg6_adjust_srh
  bpf_tcp_gen_syncookie bpf_tcp_raw_gen_syncookie_ipv4 bpf_tcp_raw_gen_syncookie_ipv6
  bpf_tcp_check_syncookie bpf_tcp_raw_check_syncookie_ipv4 bpf_tcp_raw_check_syncookie_ipv6 bpf_tcp_send_ack
  bpf_send_signal bpf_send_signal_thread bpf_send_signal_task
  bpf_ima_inode_hash bpf_ima_file_hash bpf_verify_pkcs7_signature bpf_get_fsverity_digest
  bpf_crypto_encrypt bpf_crypto_decrypt bpf_crypto_ctx_create bpf_lookup_user_key
  bpf_skb_ct_lookup bpf_xdp_ct_lookup bpf_skb_ct_alloc bpf_xdp_ct_alloc bpf_ct_insert_entry
  bpf_obj_drop_impl bpf_percpu_obj_drop_impl bpf_stream_vprintk_impl bpf_stream_vprintk bpf_stream_print_stack
  bpf_probe_read_user_str bpf_probe_read_kernel_str bpf_probe_read_str
  bpf_probe_read_user_dynptr bpf_probe_read_kernel_dynptr bpf_probe_read_user_str_dynptr bpf_probe_read_kernel_str_dynptr
  bpf_dynptr_copy bpf_dynptr_memset bpf_map_sum_elem_count css_rstat_flush
  bpf_strcasecmp bpf_strchr bpf_strchrnul bpf_strcmp bpf_strcspn bpf_strlen bpf_strnchr bpf_strnlen bpf_strnstr
  bpf_strrchr bpf_strspn bpf_strstr bpf_strcasestr bpf_strncasestr
  bpf_get_dentry_xattr bpf_get_file_xattr bpf_set_dentry_xattr bpf_remove_dentry_xattr
  scx_bpf_reenqueue_local scx_bpf_exit_bstr scx_bpf_error_bstr scx_bpf_dump_bstr
  bpf_strncasecmp bpf_mem_cgroup_flush_stats cgroup_rstat_flush
  bpf_obj_drop bpf_percpu_obj_drop bpf_kfree_skb
`);

/** They change a map: with a lock on a bucket, on the trie, the queue or the list, unless its elements are always there. */
const CHANGES_MAPS = words('bpf_map_update_elem bpf_map_delete_elem');
const WITHOUT_LOCK: ReadonlySet<MapType> = new Set([
  'array',
  'percpu_array',
  'perf_event_array',
  'prog_array',
]);

/** All names in the lists above, so that a test can compare them with the tables of functions. */
export const DELAYING_NAMES: readonly string[] = [...SPINS, ...BLOCKS, ...SLOW, ...CHANGES_MAPS];

const ORDER: readonly Delay[] = ['sleep', 'spin', 'block', 'slow'];

/**
 * How a call may hold a program up, in the order of `Delay`; empty for a prompt one. `map`: the type of its map, if it is known. `kernel`: where it
 * is called.
 */
export function delaysOf(
  contract: Contract,
  map: MapType | undefined,
  kernel: KernelProfile = BUILT_IN,
): readonly Delay[] {
  const { name } = contract;
  const delays = new Set<Delay>();
  if (contract.sleeps === true || sleepsUnder(kernel, name)) delays.add('sleep');
  if (SPINS.has(name) || (CHANGES_MAPS.has(name) && !(map !== undefined && WITHOUT_LOCK.has(map))))
    delays.add('spin');
  if (BLOCKS.has(name)) delays.add('block');
  if (SLOW.has(name)) delays.add('slow');
  // The bound counts the insns of its callback.
  const callsBack = contract.args.some(({ kind }) => kind === 'callback');
  if (delays.size === 0 && mayBlock(contract) && !callsBack) delays.add('block');
  return ORDER.filter((delay) => delays.has(delay));
}
