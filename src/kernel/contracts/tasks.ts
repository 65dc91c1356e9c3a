/**
 * Tasks and cgroups. Follows kernel/bpf/helpers.c and kernel/trace/bpf_trace.c. References to them are counted; an acquire may fail
 * because the count may have reached zero (refcount_inc_not_zero).
 */
import type { Contract } from '../contract.js';
import {
  acquired,
  btf,
  btfReleased,
  helper,
  INTEGER,
  kfunc,
  NULL,
  outcome,
  pointer,
  releases,
  scalar,
  struct,
  VOID,
} from './define.js';

const task = acquired(struct('task_struct'), 'task');
const cgroup = acquired(struct('cgroup'), 'cgroup');

export const TASK_CONTRACTS: readonly Contract[] = [
  kfunc('bpf_task_from_pid', [scalar], [outcome('null', NULL), outcome('found', task)]),
  kfunc('bpf_task_from_vpid', [scalar], [outcome('null', NULL), outcome('found', task)]),
  kfunc('bpf_task_acquire', [btf('rcu', 'task_struct')], [outcome('null', NULL), outcome('acquired', task)]),
  kfunc('bpf_task_release', [btfReleased('task_struct')], [outcome('done', VOID, releases(0))]),
  // The current task outlives the program: trusted, never NULL, not counted.
  helper('bpf_get_current_task_btf', [], [outcome('done', pointer(struct('task_struct')))]),
  helper(
    'bpf_task_pt_regs',
    [btf('any', 'task_struct')],
    [outcome('done', pointer(struct('pt_regs', 'none')))],
  ),

  kfunc('bpf_cgroup_from_id', [scalar], [outcome('null', NULL), outcome('found', cgroup)]),
  kfunc('bpf_cgroup_acquire', [btf('rcu', 'cgroup')], [outcome('null', NULL), outcome('acquired', cgroup)]),
  kfunc(
    'bpf_cgroup_ancestor',
    [btf('rcu', 'cgroup'), scalar],
    [outcome('null', NULL), outcome('found', cgroup)],
  ),
  kfunc('bpf_cgroup_release', [btfReleased('cgroup')], [outcome('done', VOID, releases(0))]),
  kfunc(
    'bpf_task_get_cgroup1',
    [btf('rcu', 'task_struct'), scalar],
    [outcome('null', NULL), outcome('found', cgroup)],
  ),
  kfunc(
    'bpf_task_under_cgroup',
    [btf('rcu', 'task_struct'), btf('rcu', 'cgroup')],
    [outcome('done', INTEGER)],
  ),
];
