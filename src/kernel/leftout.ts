/**
 * Functions that a modelled program type may call but that have no contract, each with the reason. A property compares this list with the
 * tables: a function that is neither here nor described is an error.
 */

const ARENA = 'works on an arena, a map type that is not modelled';
const SELFTEST = "exists only for the kernel's own tests";
const DEVICE_BOUND = 'works only in a program that is bound to a device';
const TASK_WORK = 'works on a struct bpf_task_work in a map value, a field that is not modelled';

/** By name: why there is no contract, as the end of the sentence "NAME is not modelled: it ...". */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  bpf_d_path:
    'is allowed for chosen kernel functions only, to which the modelled program types do not attach',

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
};
