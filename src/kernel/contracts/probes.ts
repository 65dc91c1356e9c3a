/**
 * Reading memory that may not be there, and user memory. Follows kernel/trace/bpf_trace.c and kernel/bpf/helpers.c.
 *
 * The buffer counts as written whatever r0 is, and all of these fill it with zeros when they fail: every outcome writes.
 */
import type { Contract, R0 } from '../contract.js';
import {
  any,
  btf,
  constStr,
  errorOrUpTo,
  failed,
  helper,
  INTEGER,
  ignored,
  kfunc,
  mem,
  outcome,
  scalar,
  size,
  sizeOrZero,
  slow,
  writes,
} from './define.js';

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

  // These wait for the page.
  helper(
    'bpf_copy_from_user',
    [mem('write', 1), sizeOrZero, any],
    [failed(writes(0)), slow('done', INTEGER, writes(0))],
  ),
  helper(
    'bpf_copy_from_user_task',
    [mem('write', 1), sizeOrZero, any, btf('any', 'task_struct'), any],
    [failed(writes(0)), slow('done', INTEGER, writes(0))],
  ),
  // A kfunc's buffer is one that is read and written, whatever the function does to it (check_kfunc_mem_size_reg). With
  // BPF_F_PAD_ZEROS a copy that fails leaves zeros, and the program may count on that.
  kfunc(
    'bpf_copy_from_user_str',
    [mem('readwrite', 1), sizeOrZero, ignored, scalar],
    [failed(writes(0)), slow('done', INTEGER)],
  ),
  kfunc(
    'bpf_copy_from_user_task_str',
    [mem('readwrite', 1), sizeOrZero, ignored, btf('trusted', 'task_struct'), scalar],
    [failed(writes(0)), slow('done', INTEGER)],
  ),
];

/** Strings in memory that is not checked: read byte by byte, with a fault reported as an error. */
const onStrings = (name: string, ...args: Contract['args']): Contract =>
  kfunc(name, [...args], [outcome('done', INTEGER)]);

export const STRING_CONTRACTS: readonly Contract[] = [
  onStrings('bpf_strcmp', ignored, ignored),
  onStrings('bpf_strcasecmp', ignored, ignored),
  onStrings('bpf_strchr', ignored, scalar),
  onStrings('bpf_strchrnul', ignored, scalar),
  onStrings('bpf_strrchr', ignored, scalar),
  onStrings('bpf_strnchr', ignored, scalar, scalar),
  onStrings('bpf_strlen', ignored),
  onStrings('bpf_strnlen', ignored, scalar),
  onStrings('bpf_strspn', ignored, ignored),
  onStrings('bpf_strcspn', ignored, ignored),
  onStrings('bpf_strstr', ignored, ignored),
  onStrings('bpf_strnstr', ignored, ignored, scalar),
  onStrings('bpf_strcasestr', ignored, ignored),
  onStrings('bpf_strncasestr', ignored, ignored, scalar),
  onStrings('bpf_strncasecmp', ignored, ignored, scalar),
  helper('bpf_strncmp', [mem('read', 1), size, constStr], [outcome('done', INTEGER)]),
];
