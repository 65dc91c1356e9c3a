/**
 * Time, numbers about the machine and the current task, printing. No effect but r0 and, sometimes, an output buffer. Follows
 * kernel/bpf/helpers.c and kernel/trace/bpf_trace.c.
 *
 * Where a call may take long there is an `error` outcome beside it: the verifier takes any number for r0, so a call that did
 * nothing and failed is one that it has walked.
 */
import type { Contract } from '../contract.js';
import { failed, helper, INTEGER, mem, memOrNull, outcome, range, size, sizeOrZero, slow } from './define.js';

/** nr_cpu_ids is a number of the machine; NR_CPUS of the distributions' kernels bounds it. */
const LARGEST_CPU = 8191n;

const number = (name: string): Contract => helper(name, [], [outcome('done', INTEGER)]);

export const EVERYDAY_CONTRACTS: readonly Contract[] = [
  number('bpf_ktime_get_ns'),
  number('bpf_ktime_get_boot_ns'),
  number('bpf_ktime_get_coarse_ns'),
  number('bpf_ktime_get_tai_ns'),
  number('bpf_jiffies64'),
  number('bpf_get_prandom_u32'),
  // do_refine_retval_range.
  helper('bpf_get_smp_processor_id', [], [outcome('done', range(0n, LARGEST_CPU))]),
  number('bpf_get_numa_node_id'),
  number('bpf_get_current_pid_tgid'),
  number('bpf_get_current_uid_gid'),
  number('bpf_get_current_task'),
  number('bpf_get_current_cgroup_id'),

  // Arguments after the format are not checked (ARG_DONTCARE).
  helper('bpf_trace_printk', [mem('read', 1), size], [failed(), slow('done', INTEGER)]),
  helper(
    'bpf_trace_vprintk',
    [mem('read', 1), size, memOrNull('read', 3), sizeOrZero],
    [failed(), slow('done', INTEGER)],
  ),
];
