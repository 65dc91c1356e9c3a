/**
 * Helpers that call back into the program, at once or later, and the two that leave it. Follows set_*_callback_state and
 * check_helper_call in kernel/bpf/verifier.c, kernel/bpf/bpf_iter.c, kernel/bpf/helpers.c.
 *
 * The verifier walks a callback that runs at once as a loop of zero or more calls, whatever the count argument says.
 */
import type { Arg, CallbackSpec, Contract } from '../contract.js';
import {
  any,
  btf,
  callback,
  helper,
  INTEGER,
  ignored,
  kfunc,
  outcome,
  runs,
  scalar,
  slow,
  stackOrNull,
  VOID,
} from './define.js';

const elements: Arg = {
  kind: 'map',
  types: ['array', 'percpu_array', 'hash', 'lru_hash', 'percpu_hash', 'lru_percpu_hash'],
};
const anyMap: Arg = { kind: 'map', types: ['array', 'hash', 'lru_hash'] };
const timer: Arg = { kind: 'timer' };
const wq: Arg = { kind: 'wq' };

const perElement: CallbackSpec = {
  args: ['map_ptr', 'map_key', 'map_value', 'context', 'none'],
  returns: [0, 1],
  contextArg: 2,
};
const perIteration: CallbackSpec = {
  args: ['scalar', 'context', 'none', 'none', 'none'],
  returns: [0, 1],
  contextArg: 2,
  countArg: 0,
};
const perVma: CallbackSpec = {
  args: ['task', 'vma', 'context', 'none', 'none'],
  returns: [0, 1],
  contextArg: 3,
};
/** set_timer_callback_state, which serves workqueues as well. */
const later: CallbackSpec = {
  args: ['timer_map_ptr', 'map_key', 'map_value', 'none', 'none'],
  returns: [0, 0],
  async: true,
};

const setWork = (name: string): Contract =>
  kfunc(
    name,
    [wq, callback(later), scalar, ignored],
    [outcome('none', INTEGER, runs(1, 'none')), outcome('set', INTEGER, runs(1, 'any'))],
  );

export const CALLBACK_CONTRACTS: readonly Contract[] = [
  helper(
    'bpf_loop',
    [scalar, callback(perIteration), stackOrNull, any],
    [outcome('none', INTEGER, runs(1, 'none')), slow('some', INTEGER, runs(1, 'any'))],
  ),
  helper(
    'bpf_for_each_map_elem',
    [elements, callback(perElement), stackOrNull, any],
    [outcome('none', INTEGER, runs(1, 'none')), slow('some', INTEGER, runs(1, 'any'))],
  ),
  // A sample that user space has put there for each call, as a dynptr.
  helper(
    'bpf_user_ringbuf_drain',
    [
      { kind: 'map', types: ['user_ringbuf'] },
      callback({ args: ['dynptr', 'context', 'none', 'none', 'none'], returns: [0, 1], contextArg: 2 }),
      stackOrNull,
      any,
    ],
    [outcome('none', INTEGER, runs(1, 'none')), slow('some', INTEGER, runs(1, 'any'))],
  ),
  // Runs the callback once at most, with the task's memory map locked.
  helper(
    'bpf_find_vma',
    [btf('any', 'task_struct'), any, callback(perVma), stackOrNull, any],
    [outcome('none', INTEGER, runs(2, 'none')), slow('some', INTEGER, runs(2, 'any'))],
  ),

  // A timer's callback is entered by pointer, in a frame of its own, after the program has gone.
  helper('bpf_timer_init', [timer, anyMap, any], [outcome('done', INTEGER)]),
  helper(
    'bpf_timer_set_callback',
    [timer, callback(later)],
    [outcome('none', INTEGER, runs(1, 'none')), outcome('set', INTEGER, runs(1, 'any'))],
  ),
  helper(
    'bpf_timer_start',
    [timer, any, any],
    [outcome('error', INTEGER), outcome('armed', INTEGER, { kind: 'arm', arg: 0 })],
  ),
  // Waits for a callback that runs on another CPU.
  helper('bpf_timer_cancel', [timer], [outcome('error', INTEGER), slow('done', INTEGER)]),
  kfunc('bpf_timer_cancel_async', [timer], [outcome('done', INTEGER)]),

  kfunc('bpf_wq_init', [wq, anyMap, scalar], [outcome('done', INTEGER)]),
  setWork('bpf_wq_set_callback_impl'),
  setWork('bpf_wq_set_callback'),
  kfunc(
    'bpf_wq_start',
    [wq, scalar],
    [outcome('error', INTEGER), outcome('armed', INTEGER, { kind: 'arm', arg: 0 })],
  ),
];

const programs: Arg = { kind: 'map', types: ['prog_array'] };

export const CONTROL_CONTRACTS: readonly Contract[] = [
  // Nothing may be held here, so falling through is safe. The program that is called may change the packet.
  helper(
    'bpf_tail_call',
    [{ kind: 'ctx' }, programs, any],
    [outcome('missed', VOID), outcome('jumped', VOID, { kind: 'invalidate_packet' }, { kind: 'tail_call' })],
    // A syscall program may sleep, and one that may sleep takes no program array (check_map_prog_compatibility).
    { except: ['syscall'] },
  ),
  kfunc('bpf_throw', [scalar], [outcome('thrown', VOID, { kind: 'throw' })]),
];
