/**
 * Reading memory that may not be there, and user memory. Follows kernel/trace/bpf_trace.c and kernel/bpf/helpers.c.
 *
 * The buffer counts as written whatever r0 is, and all of these fill it with zeros when they fail: every outcome writes.
 */
import type { Contract, R0 } from '../contract.js';
import { any, errorOrUpTo, helper, INTEGER, mem, outcome, sizeOrZero, writes } from './define.js';

const probe = (name: string, r0: R0): Contract =>
  helper(name, [mem('write', 1), sizeOrZero, any], [outcome('done', r0, writes(0))]);

export const PROBE_CONTRACTS: readonly Contract[] = [
  probe('bpf_probe_read', INTEGER),
  probe('bpf_probe_read_kernel', INTEGER),
  probe('bpf_probe_read_user', INTEGER),
  // The length of the string, bounded by the buffer (do_refine_retval_range).
  probe('bpf_probe_read_str', errorOrUpTo(1)),
  probe('bpf_probe_read_kernel_str', errorOrUpTo(1)),
  probe('bpf_probe_read_user_str', errorOrUpTo(1)),
];
