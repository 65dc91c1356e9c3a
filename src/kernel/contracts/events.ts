/**
 * What tracing programs report through: perf events, stack traces, seq files; and variables of the kernel that every CPU has its own
 * of. Follows kernel/trace/bpf_trace.c, kernel/bpf/stackmap.c, kernel/bpf/helpers.c.
 */
import type { Arg, Contract } from '../contract.js';
import {
  any,
  btf,
  ctx,
  failed,
  helper,
  INTEGER,
  kfunc,
  mem,
  memOrNull,
  NULL,
  outcome,
  pointer,
  scalar,
  size,
  sizeOrZero,
  slow,
  VOID,
  writes,
} from './define.js';

const events: Arg = { kind: 'map', types: ['perf_event_array'] };
const cgroups: Arg = { kind: 'map', types: ['cgroup_array'] };
const traces: Arg = { kind: 'map', types: ['stack_trace'] };
const seq = btf('any', 'seq_file');
const done = [outcome('done', INTEGER)];
/** These maps are not for programs that may sleep (check_map_prog_compatibility). */
const AWAKE = { except: ['syscall'] } as const;
const output = (name: string, from: Arg): Contract =>
  helper(name, [from, events, any, mem('read', 4), sizeOrZero], done, AWAKE);

export const EVENT_CONTRACTS: readonly Contract[] = [
  output('bpf_perf_event_output', ctx),
  output('bpf_skb_output', btf('any', 'sk_buff')),
  output('bpf_xdp_output', btf('any', 'xdp_buff')),
  helper('bpf_perf_event_read', [events, any], done, AWAKE),
  helper(
    'bpf_perf_event_read_value',
    [events, any, mem('write', 3), size],
    [outcome('done', INTEGER, writes(2))],
    AWAKE,
  ),
  helper('bpf_perf_prog_read_value', [ctx, mem('write', 2), size], [outcome('done', INTEGER, writes(1))]),
  helper(
    'bpf_read_branch_records',
    [ctx, memOrNull('readwrite', 2), sizeOrZero, any],
    [outcome('done', INTEGER)],
  ),
  helper('bpf_get_stackid', [ctx, traces, any], done, AWAKE),
  helper('bpf_skb_under_cgroup', [ctx, cgroups, any], done),
  helper('bpf_current_task_under_cgroup', [cgroups, any], done, AWAKE),
  helper('bpf_get_func_ip', [ctx], done, { only: ['kprobe', 'fentry'] }),

  // The call fails only if the seq file's buffer is full.
  helper('bpf_seq_printf', [seq, mem('read', 2), size, memOrNull('read', 4), sizeOrZero], done),
  helper('bpf_seq_write', [seq, mem('read', 2), sizeOrZero], done),
  helper('bpf_seq_printf_btf', [seq, mem('read', 2), sizeOrZero, any], done),

  // The CPU may not exist.
  helper(
    'bpf_per_cpu_ptr',
    [{ kind: 'percpu' }, any],
    [outcome('null', NULL), outcome('found', pointer({ kind: 'percpu', arg: 0 }))],
  ),
  helper('bpf_this_cpu_ptr', [{ kind: 'percpu' }], [outcome('found', pointer({ kind: 'percpu', arg: 0 }))]),

  kfunc('css_rstat_updated', [btf('trusted', 'cgroup_subsys_state'), scalar], [outcome('done', VOID)]),
  // Walks all that is below the cgroup.
  kfunc(
    'css_rstat_flush',
    [btf('trusted', 'cgroup_subsys_state')],
    [outcome('nothing', VOID), slow('done', VOID)],
  ),
  kfunc('bpf_sock_destroy', [btf('trusted', 'sock_common')], [failed(), slow('done', INTEGER)]),
];
