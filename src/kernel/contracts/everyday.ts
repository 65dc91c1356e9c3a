/**
 * Time, numbers about the machine and the current task, printing. No effect but r0 and, sometimes, an output buffer. Follows
 * kernel/bpf/helpers.c and kernel/trace/bpf_trace.c.
 *
 * Where a call may take long there is an `error` outcome beside it: the verifier takes any number for r0, so a call that did
 * nothing and failed is one that it has walked.
 */
import type { Contract } from '../contract.js';
import {
  alignedMem,
  any,
  btf,
  constant,
  constStr,
  ctx,
  dynptrWritten,
  errorOrUpTo,
  failed,
  helper,
  INTEGER,
  ignored,
  kfunc,
  mem,
  memOrNull,
  NULL,
  outcome,
  pointer,
  range,
  scalar,
  size,
  sizeOrZero,
  slow,
  struct,
  writes,
} from './define.js';

/** nr_cpu_ids is a number of the machine; NR_CPUS of the distributions' kernels bounds it. */
const LARGEST_CPU = 8191n;

const number = (name: string): Contract => helper(name, [], [outcome('done', INTEGER)]);

/** A program cannot move to another CPU (migrate_disable), and runs for one task. */
const steady = (contract: Contract): Contract => ({ ...contract, steady: true });

export const EVERYDAY_CONTRACTS: readonly Contract[] = [
  number('bpf_ktime_get_ns'),
  number('bpf_ktime_get_boot_ns'),
  number('bpf_ktime_get_coarse_ns'),
  number('bpf_ktime_get_tai_ns'),
  number('bpf_jiffies64'),
  number('bpf_get_prandom_u32'),
  // do_refine_retval_range.
  steady(helper('bpf_get_smp_processor_id', [], [outcome('done', range(0n, LARGEST_CPU))])),
  steady(number('bpf_get_numa_node_id')),
  steady(number('bpf_get_current_pid_tgid')),
  steady(number('bpf_get_current_uid_gid')),
  steady(number('bpf_get_current_task')),
  number('bpf_get_current_cgroup_id'),

  // Arguments after the format are not checked (ARG_DONTCARE).
  helper('bpf_trace_printk', [mem('read', 1), size], [failed(), slow('done', INTEGER)]),
  helper(
    'bpf_trace_vprintk',
    [mem('read', 1), size, memOrNull('read', 3), sizeOrZero],
    [failed(), slow('done', INTEGER)],
  ),

  helper('bpf_get_current_ancestor_cgroup_id', [any], [outcome('done', INTEGER)]),
  helper('bpf_get_current_comm', [mem('write', 1), size], [outcome('done', INTEGER, writes(0))]),
  helper(
    'bpf_get_ns_current_pid_tgid',
    [any, any, mem('write', 3), size],
    [outcome('done', INTEGER, writes(2))],
  ),

  helper(
    'bpf_snprintf',
    [memOrNull('readwrite', 1), sizeOrZero, constStr, memOrNull('read', 4), sizeOrZero],
    [outcome('done', INTEGER)],
  ),
  helper(
    'bpf_snprintf_btf',
    [mem('readwrite', 1), size, mem('read', 3), size, any],
    [outcome('done', INTEGER)],
  ),
  // The result is written as zero before anything else (ARG_PTR_TO_FIXED_SIZE_MEM of a long).
  helper(
    'bpf_strtol',
    [mem('read', 1), size, any, alignedMem('write', 8)],
    [outcome('done', INTEGER, writes(3))],
  ),
  helper(
    'bpf_strtoul',
    [mem('read', 1), size, any, alignedMem('write', 8)],
    [outcome('done', INTEGER, writes(3))],
  ),
];

const streamPrint = (name: string): Contract =>
  kfunc(
    name,
    [scalar, constStr, mem('readwrite', 3), sizeOrZero, ignored],
    [failed(), slow('done', INTEGER)],
  );

/** What a tracing program asks; some of it is open to all. */
export const TRACING_CONTRACTS: readonly Contract[] = [
  // The number of bytes, bounded by the buffer (do_refine_retval_range); the rest of the buffer is filled with zeros.
  helper(
    'bpf_get_stack',
    [ctx, mem('write', 2), sizeOrZero, any],
    [outcome('done', errorOrUpTo(2), writes(1))],
  ),
  helper(
    'bpf_get_task_stack',
    [btf('any', 'task_struct'), mem('write', 2), sizeOrZero, any],
    [outcome('done', errorOrUpTo(2), writes(1))],
  ),
  // The flags are not checked (ARG_DONTCARE). Leaves the buffer as it was when it fails, though it counts as written.
  helper('bpf_get_branch_snapshot', [mem('write', 1), sizeOrZero], [outcome('done', INTEGER, writes(0))]),
  helper('bpf_get_attach_cookie', [ctx], [outcome('done', INTEGER)]),
  helper('bpf_send_signal', [any], [outcome('done', INTEGER)]),
  helper('bpf_send_signal_thread', [any], [outcome('done', INTEGER)]),
  kfunc(
    'bpf_send_signal_task',
    [btf('trusted', 'task_struct'), scalar, scalar, scalar],
    [outcome('done', INTEGER)],
  ),
  kfunc('bpf_cgroup_read_xattr', [btf('rcu', 'cgroup'), constStr, dynptrWritten], [outcome('done', INTEGER)]),
  streamPrint('bpf_stream_vprintk_impl'),
  streamPrint('bpf_stream_vprintk'),
  kfunc('bpf_stream_print_stack', [scalar, ignored], [failed(), slow('done', INTEGER)]),
  // Not flagged KF_RET_NULL: an untrusted pointer may hold anything, and is read through with faults caught.
  kfunc('bpf_get_kmem_cache', [scalar], [outcome('done', pointer(struct('kmem_cache', 'untrusted')))]),
  helper(
    'bpf_sock_from_file',
    [btf('any', 'file')],
    [outcome('null', NULL), outcome('found', pointer(struct('socket', 'none')))],
  ),

  // Casts. The register changes its type and nothing runs; both keep r1 to r5 (KF_FASTCALL).
  kfunc('bpf_cast_to_kern_ctx', [ctx], [outcome('done', pointer({ kind: 'kern_ctx' }))], {
    except: [
      'tracepoint',
      'raw_tracepoint',
      'raw_tracepoint_writable',
      'syscall',
      'tp_btf',
      'struct_ops',
      'iter',
      'fentry',
      'lsm',
    ],
  }),
  kfunc('bpf_rdonly_cast', [ignored, constant], [outcome('done', pointer({ kind: 'cast', arg: 1 }))]),
];

/** Only in syscall programs: the loader's own doings. */
export const SYSCALL_CONTRACTS: readonly Contract[] = [
  helper('bpf_sys_bpf', [any, mem('read', 2), size], [failed(), slow('done', INTEGER)]),
  helper('bpf_sys_close', [any], [failed(), slow('done', INTEGER)]),
  helper('bpf_btf_find_by_name_kind', [mem('read', 1), size, any, any], [failed(), slow('done', INTEGER)]),
  helper(
    'bpf_kallsyms_lookup_name',
    [mem('read', 1), sizeOrZero, any, alignedMem('write', 8)],
    [failed(writes(3)), slow('done', INTEGER, writes(3))],
  ),
];
