/**
 * What the types of a kernel function do not say of its arguments: which of a tracepoint may be NULL or an error (raw_tp_null_args of
 * kernel/bpf/btf.c), and what the target of an iterator has declared (its ctx_arg_info).
 */

/** By target of the iterator, by argument: who may be NULL, who is not trusted, who is a plain buffer. */
export const ITER_ARGUMENTS: Readonly<
  Record<
    string,
    readonly (
      | { readonly trusted?: boolean; readonly nullable?: boolean; readonly buffer?: 'readonly' | 'writable' }
      | undefined
    )[]
  >
> = {
  task: [undefined, { nullable: true }],
  task_file: [undefined, { trusted: false, nullable: true }, undefined, { trusted: false, nullable: true }],
  task_vma: [undefined, { trusted: false, nullable: true }, { trusted: false, nullable: true }],
  bpf_map: [undefined, { nullable: true }],
  bpf_map_elem: [undefined, undefined, { buffer: 'readonly' }, { buffer: 'writable' }],
  bpf_prog: [undefined, { trusted: false, nullable: true }],
  bpf_link: [undefined, { trusted: false, nullable: true }],
  bpf_sk_storage_map: [undefined, undefined, { trusted: false, nullable: true }, { buffer: 'writable' }],
  cgroup: [undefined, { nullable: true }],
  tcp: [undefined, { nullable: true }],
  udp: [undefined, { nullable: true }],
  unix: [undefined, { nullable: true }],
  netlink: [undefined, { trusted: false, nullable: true }],
  ipv6_route: [undefined, { trusted: false, nullable: true }],
  ksym: [undefined, { trusted: false, nullable: true }],
  sockmap: [undefined, undefined, { buffer: 'readonly' }, { trusted: false, nullable: true }],
  kmem_cache: [undefined, { nullable: true }],
  dmabuf: [undefined, { nullable: true }],
};

/**
 * Arguments of operations that may be NULL. The kernel's own stubs say so in the names of their arguments (`__nullable`); this is for types that were read
 * without them.
 */
export const NULLABLE_OPERANDS: Readonly<Record<string, readonly number[]>> = {
  'sched_ext_ops.dispatch': [1],
  'sched_ext_ops.yield': [1],
  'bpf_dummy_ops.test_1': [0],
};

/** By struct of operations: pointers to the first struct are taken for pointers to the second, which begins with it (bpf_tcp_ca_is_valid_access). */
export const PROMOTED: Readonly<Record<string, readonly [string, string]>> = {
  tcp_congestion_ops: ['sock', 'tcp_sock'],
};

/** Tracepoints, and which of their arguments (counted from 0) may be NULL. */
const NULLS: Readonly<Record<string, readonly number[]>> = Object.fromEntries(
  (
    [
      [
        0,
        'sched_process_wait afs_protocol_error cachefiles_lookup cachefiles_unlink cachefiles_rename cachefiles_prep_read cachefiles_mark_active cachefiles_mark_failed cachefiles_mark_inactive cachefiles_vfs_error cachefiles_io_error cachefiles_ondemand_open cachefiles_ondemand_copen cachefiles_ondemand_close cachefiles_ondemand_read cachefiles_ondemand_cread cachefiles_ondemand_fd_write cachefiles_ondemand_fd_release mm_collapse_huge_page_isolate mm_khugepaged_scan_file mm_page_alloc mm_page_alloc_zone_locked rxrpc_recvdata xs_stream_read_data tmigr_update_events',
      ],
      [
        1,
        'sched_pi_setprio afs_make_fs_call afs_make_fs_calli afs_make_fs_call1 afs_make_fs_call2 afs_flock_ev ext4_mballoc_discard ext4_mballoc_free posix_lock_inode fcntl_setlk locks_remove_posix flock_lock_inode break_lease_noblock break_lease_block break_lease_unblock generic_delete_lease time_out_leases mm_khugepaged_scan_pmd mm_khugepaged_collapse_file mm_page_pcpu_drain netfs_failure device_pm_callback_start rxrpc_resend xprt_reserve_cong xprt_release_cong xprt_get_cong xprt_put_cong writeback_dirty_folio folio_wait_writeback',
      ],
      [2, 'sched_stick_numa sched_swap_numa fib_table_lookup tegra_dma_tx_status'],
      [3, 'qdisc_dequeue kfree_skb'],
      [4, 'host1x_cdma_push_gather'],
    ] as const
  ).flatMap(([index, names]) => names.split(' ').map((name) => [name, [index]] as const)),
);

/** Both of the first two may be NULL. */
const BOTH: ReadonlySet<string> = new Set(['tcp_send_reset']);

/** Tracepoints and their arguments that may be errors in the shape of pointers. */
const ERRORS: Readonly<Record<string, number>> = {
  cachefiles_lookup: 2,
  mr_integ_alloc: 3,
};

/** What an argument of a tracepoint may be besides a good pointer. */
export function nullArgument(tracepoint: string, index: number): 'null' | 'error' | undefined {
  if (ERRORS[tracepoint] === index) return 'error';
  if (BOTH.has(tracepoint) && index < 2) return 'null';
  return NULLS[tracepoint]?.includes(index) === true ? 'null' : undefined;
}
