/**
 * Locks and sections. Follows kernel/bpf/helpers.c, kernel/bpf/rqspinlock.c; process_spin_lock, process_irq_flag,
 * kfunc_spin_allowed and check_kfunc_call in kernel/bpf/verifier.c.
 *
 * None of the void functions here has a KF_ flag. Only their names tell that one opens what another closes.
 */
import type { Arg, Contract } from '../contract.js';
import { ERROR_RANGE, helper, kfunc, lockArg, locks, outcome, range, slow, unlocks, VOID } from './define.js';

const flagsSaved: Arg = { kind: 'irq_flag', state: 'uninit' };
const flagsRestored: Arg = { kind: 'irq_flag', state: 'init' };
const error = range(...ERROR_RANGE);
const zero = range(0n, 0n);

export const LOCK_CONTRACTS: readonly Contract[] = [
  // There is no other outcome: the call waits until it has the lock.
  helper('bpf_spin_lock', [lockArg('spin_lock')], [slow('taken', VOID, locks(0, 'spin_lock'))]),
  // The one helper that may be called under a lock (do_check).
  helper('bpf_spin_unlock', [lockArg('spin_lock')], [outcome('done', VOID, unlocks(0, 'spin_lock'))], {
    underLock: true,
  }),

  // Flagged KF_RET_NULL although it returns an int: the verifier forks, and "NULL" (0) is the side that holds the lock. A stub that
  // returns 0 claims the lock. Deadlock and time-out (0.25 s) are reported; a deadlock at once, hence an error that does not block.
  kfunc(
    'bpf_res_spin_lock',
    [lockArg('res_spin_lock')],
    [outcome('error', error), slow('taken', zero, locks(0, 'res_spin_lock'))],
    { underLock: true },
  ),
  kfunc(
    'bpf_res_spin_unlock',
    [lockArg('res_spin_lock')],
    [outcome('done', VOID, unlocks(0, 'res_spin_lock'))],
    { underLock: true },
  ),
  kfunc(
    'bpf_res_spin_lock_irqsave',
    [lockArg('res_spin_lock_irqsave'), flagsSaved],
    [
      outcome('error', error),
      slow('taken', zero, locks(0, 'res_spin_lock_irqsave'), { kind: 'irq_save', arg: 1, by: 'lock' }),
    ],
    { underLock: true },
  ),
  kfunc(
    'bpf_res_spin_unlock_irqrestore',
    [lockArg('res_spin_lock_irqsave'), flagsRestored],
    [outcome('done', VOID, unlocks(0, 'res_spin_lock_irqsave'), { kind: 'irq_restore', arg: 1, by: 'lock' })],
    { underLock: true },
  ),

  kfunc('bpf_rcu_read_lock', [], [outcome('entered', VOID, { kind: 'enter', section: 'rcu' })]),
  kfunc('bpf_rcu_read_unlock', [], [outcome('left', VOID, { kind: 'leave', section: 'rcu' })]),
  kfunc('bpf_preempt_disable', [], [outcome('entered', VOID, { kind: 'enter', section: 'preempt' })]),
  kfunc('bpf_preempt_enable', [], [outcome('left', VOID, { kind: 'leave', section: 'preempt' })]),
  kfunc('bpf_local_irq_save', [flagsSaved], [outcome('saved', VOID, { kind: 'irq_save', arg: 0 })]),
  kfunc(
    'bpf_local_irq_restore',
    [flagsRestored],
    [outcome('restored', VOID, { kind: 'irq_restore', arg: 0 })],
  ),
];
