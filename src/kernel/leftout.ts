/**
 * Functions that a modelled program type may call and that have no contract all the same, each with the reason. A property holds
 * this list against the tables: whatever is neither here nor described is an error.
 */

const PERF = 'works on a perf event array, a map type that is not modelled';
const CGROUP_ARRAY = 'works on a cgroup array, a map type that is not modelled';
const STORAGE = 'works on local storage, a map type that is not modelled';
const QUEUE = 'works on queues, stacks and bloom filters, map types that are not modelled';
const ARENA = 'works on an arena, a map type that is not modelled';
const PERCPU = 'takes a per-CPU variable of the kernel by BTF id, which is not modelled';
const SELFTEST = "exists only for the kernel's own tests";
const DEVICE_BOUND = 'works only in a program that is bound to a device';
const TASK_WORK = 'works on a struct bpf_task_work in a map value, a field that is not modelled';

/** By name: why there is no contract, as the end of the sentence "NAME is not modelled: it ...". */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  bpf_perf_event_read: PERF,
  bpf_perf_event_read_value: PERF,
  bpf_perf_event_output: PERF,
  bpf_skb_output: PERF,
  bpf_xdp_output: PERF,
  bpf_get_stackid: 'works on a stack trace map, a map type that is not modelled',
  bpf_skb_under_cgroup: CGROUP_ARRAY,
  bpf_current_task_under_cgroup: CGROUP_ARRAY,
  bpf_redirect_map: 'works on device, CPU and socket maps, map types that are not modelled',
  bpf_map_push_elem: QUEUE,
  bpf_map_pop_elem: QUEUE,
  bpf_map_peek_elem: QUEUE,
  bpf_sk_storage_get: STORAGE,
  bpf_sk_storage_delete: STORAGE,
  bpf_task_storage_get: STORAGE,
  bpf_task_storage_delete: STORAGE,
  bpf_cgrp_storage_get: STORAGE,
  bpf_cgrp_storage_delete: STORAGE,
  bpf_user_ringbuf_drain: 'works on a user ring buffer, a map type that is not modelled',
  bpf_get_func_ip: 'is for programs on functions, whatever the allow list says (check_get_func_ip)',
  bpf_d_path:
    'is allowed for chosen kernel functions only, to which the modelled program types do not attach',
  bpf_per_cpu_ptr: PERCPU,
  bpf_this_cpu_ptr: PERCPU,

  __bpf_trap: 'is put in by the verifier itself, never by a program',
  bpf_arena_alloc_pages: ARENA,
  bpf_arena_free_pages: ARENA,
  bpf_arena_reserve_pages: ARENA,
  bpf_kfunc_call_memb_release: SELFTEST,
  bpf_kfunc_call_test_release: SELFTEST,
  bpf_modify_return_test_tp: SELFTEST,
  bpf_map_sum_elem_count: 'takes a struct bpf_map, which only a map iterator gives',
  bpf_sk_assign_tcp_reqsk: 'takes a struct of options by BTF type, which is not modelled',
  bpf_task_work_schedule_resume_impl: TASK_WORK,
  bpf_task_work_schedule_signal_impl: TASK_WORK,
  bpf_xdp_metadata_rx_hash: DEVICE_BOUND,
  bpf_xdp_metadata_rx_timestamp: DEVICE_BOUND,
  bpf_xdp_metadata_rx_vlan_tag: DEVICE_BOUND,
  css_rstat_updated: 'is for the programs that collect cgroup statistics',
};
