/**
 * Functions for schedulers (sched_ext), which no type of program that is modelled may call. Follows kernel/sched/ext.c, ext_idle.c; what Linux
 * 6.18 does not have follows kernel/sched/ext/ of 7.2.
 *
 * To dispatch a task is to note it down (scx_dsq_insert_commit): it is moved when the callback of the scheduler has ended.
 */
import type { Contract } from '../contract.js';
import {
  acquired,
  btf,
  btfReleased,
  failed,
  fixedMem,
  INTEGER,
  ignored,
  iter,
  kfunc,
  mem,
  NULL,
  outcome,
  pointer,
  releases,
  scalar,
  sizeOrZero,
  slow,
  struct,
  usually,
  VOID,
} from './define.js';

const done = [outcome('done', VOID)];
const number = [outcome('done', INTEGER)];
/** Waits for the lock of a queue, a run queue or a buffer, unless what it is asked for makes no sense. */
const locking = [outcome('nothing', VOID), slow('done', VOID)];
/** True if a task was moved, for which locks of queues are taken. */
const moves = [usually([0n, 0n], outcome('none', INTEGER)), usually([1n, 1n], slow('moved', INTEGER))];
const picks = [failed(), outcome('picked', INTEGER)];
const task = btf('rcu', 'task_struct');
const mask = btf('rcu', 'cpumask');
const cursor = iter('scx_dsq', 'init');
const idle = acquired(struct('cpumask'), 'cpumask');
const running = [outcome('null', NULL), outcome('found', pointer(struct('task_struct', 'rcu')))];
const dispatch = (name: string, numbers: number, ...more: (typeof ignored)[]): Contract =>
  kfunc(name, [task, ...Array(numbers).fill(scalar), ...more], name.endsWith('___v2') ? number : done);
const dequeue = (name: string): Contract => kfunc(name, [cursor, task, scalar, scalar], moves);
/** Notes a number for the next move. */
const note = (name: string): Contract => kfunc(name, [cursor, scalar], done);
const format = [fixedMem('readwrite', 1), mem('readwrite', 2), sizeOrZero];

export const SCHEDULER_CONTRACTS: readonly Contract[] = [
  kfunc('scx_bpf_select_cpu_dfl', [task, scalar, scalar, fixedMem('readwrite', 1)], picks),
  // Outside the scheduler's own callbacks it waits for the lock of the task.
  kfunc('scx_bpf_select_cpu_and', [task, scalar, scalar, mask, scalar], [failed(), slow('picked', INTEGER)]),
  kfunc(
    '__scx_bpf_select_cpu_and',
    [task, mask, fixedMem('readwrite', 24), ignored],
    [failed(), slow('picked', INTEGER)],
  ),
  kfunc('scx_bpf_pick_idle_cpu', [mask, scalar], picks),
  kfunc('scx_bpf_pick_idle_cpu_node', [mask, scalar, scalar, ignored], picks),
  kfunc('scx_bpf_pick_any_cpu', [mask, scalar], picks),
  kfunc('scx_bpf_pick_any_cpu_node', [mask, scalar, scalar, ignored], picks),
  kfunc('scx_bpf_test_and_clear_cpu_idle', [scalar], number),

  dispatch('scx_bpf_dispatch', 3),
  dispatch('scx_bpf_dispatch_vtime', 4),
  dispatch('scx_bpf_dsq_insert', 3, ignored),
  dispatch('scx_bpf_dsq_insert___v2', 3, ignored),
  dispatch('scx_bpf_dsq_insert_vtime', 4),
  kfunc('__scx_bpf_dsq_insert_vtime', [task, fixedMem('readwrite', 32), ignored], number),
  kfunc('scx_bpf_dispatch_nr_slots', [], number),
  kfunc('scx_bpf_dispatch_cancel', [], done),
  kfunc('scx_bpf_consume', [scalar], moves),
  kfunc('scx_bpf_dsq_move_to_local', [scalar, ignored], moves),
  kfunc('scx_bpf_dsq_move_to_local___v2', [scalar, scalar, ignored], moves),
  note('scx_bpf_dispatch_from_dsq_set_slice'),
  note('scx_bpf_dispatch_from_dsq_set_vtime'),
  dequeue('scx_bpf_dispatch_from_dsq'),
  dequeue('scx_bpf_dispatch_vtime_from_dsq'),
  note('scx_bpf_dsq_move_set_slice'),
  note('scx_bpf_dsq_move_set_vtime'),
  dequeue('scx_bpf_dsq_move'),
  dequeue('scx_bpf_dsq_move_vtime'),
  // Hands the tasks of this CPU to the scheduler again, one by one.
  kfunc('scx_bpf_reenqueue_local', [], [usually([0n, 0n], outcome('none', INTEGER)), slow('done', INTEGER)]),

  kfunc('scx_bpf_create_dsq', [scalar, scalar], [failed(), slow('created', INTEGER)]),
  kfunc('scx_bpf_destroy_dsq', [scalar], locking),
  kfunc('scx_bpf_dsq_nr_queued', [scalar], number),
  kfunc('scx_bpf_dsq_peek', [scalar, ignored], running),
  kfunc(
    'bpf_iter_scx_dsq_new',
    [iter('scx_dsq', 'uninit'), scalar, scalar],
    [outcome('done', INTEGER, { kind: 'iter_new', arg: 0 })],
  ),
  // Waits for the lock of the queue, to find the task that is next.
  kfunc(
    'bpf_iter_scx_dsq_next',
    [cursor],
    [
      outcome('drained', NULL, { kind: 'iter_next', arg: 0, to: 'drained' }),
      slow('active', pointer(struct('task_struct', 'rcu')), { kind: 'iter_next', arg: 0, to: 'active' }),
    ],
  ),
  kfunc('bpf_iter_scx_dsq_destroy', [cursor], [slow('done', VOID, { kind: 'iter_destroy', arg: 0 })]),

  kfunc('scx_bpf_kick_cpu', [scalar, scalar], done),
  kfunc('scx_bpf_exit_bstr', [scalar, fixedMem('readwrite', 1), mem('readwrite', 3), sizeOrZero], locking),
  kfunc('scx_bpf_error_bstr', format, locking),
  kfunc('scx_bpf_dump_bstr', format, locking),
  kfunc('scx_bpf_events', [mem('readwrite', 1), sizeOrZero], done),

  kfunc('scx_bpf_cpuperf_cap', [scalar], number),
  kfunc('scx_bpf_cpuperf_cur', [scalar], number),
  kfunc('scx_bpf_cpuperf_set', [scalar, scalar], locking),
  kfunc('scx_bpf_nr_cpu_ids', [], number),
  kfunc('scx_bpf_nr_node_ids', [], number),
  kfunc('scx_bpf_cpu_node', [scalar, ignored], number),
  kfunc('scx_bpf_get_possible_cpumask', [], [outcome('found', idle)]),
  kfunc('scx_bpf_get_online_cpumask', [], [outcome('found', idle)]),
  kfunc('scx_bpf_get_idle_cpumask', [], [outcome('found', idle)]),
  kfunc('scx_bpf_get_idle_cpumask_node', [scalar, ignored], [outcome('found', idle)]),
  kfunc('scx_bpf_get_idle_smtmask', [], [outcome('found', idle)]),
  kfunc('scx_bpf_get_idle_smtmask_node', [scalar, ignored], [outcome('found', idle)]),
  kfunc('scx_bpf_put_cpumask', [btfReleased('cpumask')], [outcome('done', VOID, releases(0))]),
  kfunc('scx_bpf_put_idle_cpumask', [btfReleased('cpumask')], [outcome('done', VOID, releases(0))]),

  kfunc('scx_bpf_task_running', [task], number),
  kfunc('scx_bpf_task_cpu', [task], number),
  kfunc('scx_bpf_task_cgroup', [task], [outcome('found', acquired(struct('cgroup'), 'cgroup'))]),
  kfunc('scx_bpf_task_set_slice', [task, scalar, ignored], number),
  kfunc('scx_bpf_task_set_dsq_vtime', [task, scalar, ignored], number),
  kfunc('scx_bpf_cpu_rq', [scalar], [outcome('found', pointer(struct('rq', 'none')))]),
  kfunc(
    'scx_bpf_locked_rq',
    [ignored],
    [outcome('null', NULL), outcome('found', pointer(struct('rq', 'none')))],
  ),
  kfunc('scx_bpf_cpu_curr', [scalar, ignored], running),
  kfunc('scx_bpf_now', [], number),

  // CPUs by the numbers that a scheduler gives them.
  kfunc('scx_bpf_cid_curr', [scalar, ignored], running),
  kfunc('scx_bpf_cid_to_cpu', [scalar, ignored], number),
  kfunc('scx_bpf_cpu_to_cid', [scalar, ignored], number),
  kfunc('scx_bpf_cid_topo', [scalar, mem('readwrite', 2), sizeOrZero, ignored], done),
  kfunc('scx_bpf_cidperf_cap', [scalar, ignored], number),
  kfunc('scx_bpf_cidperf_cur', [scalar, ignored], number),
  kfunc('scx_bpf_cidperf_set', [scalar, scalar, ignored], locking),
  kfunc('scx_bpf_kick_cid', [scalar, scalar, ignored], done),
  kfunc('scx_bpf_nr_cids', [], number),
  kfunc('scx_bpf_nr_online_cids', [], number),
  kfunc('scx_bpf_this_cid', [], number),
  kfunc('scx_bpf_task_cid', [task], number),
  kfunc('scx_bpf_tid_to_task', [scalar], running),
];
