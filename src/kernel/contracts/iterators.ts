/**
 * Open-coded iterators. Follows process_iter_arg, process_iter_next_call and check_kfunc_call in kernel/bpf/verifier.c; the
 * iterators themselves are in kernel/bpf/{bpf_iter,task_iter,cgroup_iter,helpers,kmem_cache_iter,dmabuf_iter}.c.
 *
 * `new` may fail at run time, but then leaves an iterator that is drained: to the verifier it always makes one, which must be
 * destroyed. A stub has nothing to write instead.
 */
import type { ProgType } from '../../object/program.js';
import type { Arg, Contract, IterType, PointerKind } from '../contract.js';
import {
  btf,
  derived,
  INTEGER,
  ignored,
  iter,
  kfunc,
  memOf,
  NULL,
  outcome,
  pointer,
  scalar,
  slow,
  struct,
  VOID,
} from './define.js';

interface Traits {
  readonly underLock?: true;
  /** Each step takes a mutex or waits (KF_SLEEPABLE). */
  readonly sleeps?: true;
  readonly only?: readonly ProgType[];
}

/** The three functions of one iterator. `element`: what `next` returns; `args`: those of `new` after the iterator itself. */
function triple(type: IterType, args: Arg[], element: PointerKind, traits: Traits = {}): Contract[] {
  const { sleeps, ...more } = traits;
  const perhaps = sleeps ? slow : outcome;
  // Plain memory lies in the iterator itself and dies with it; a kernel struct outlives it.
  const r0 = element.kind === 'mem' ? derived(element, 0) : pointer(element);
  return [
    kfunc(
      `bpf_iter_${type}_new`,
      [iter(type, 'uninit'), ...args],
      [outcome('made', INTEGER, { kind: 'iter_new', arg: 0 })],
      more,
    ),
    kfunc(
      `bpf_iter_${type}_next`,
      [iter(type, 'init')],
      [
        outcome('drained', NULL, { kind: 'iter_next', arg: 0, to: 'drained' }),
        perhaps('active', r0, { kind: 'iter_next', arg: 0, to: 'active' }),
      ],
      more,
    ),
    kfunc(
      `bpf_iter_${type}_destroy`,
      [iter(type, 'init')],
      [perhaps('destroyed', VOID, { kind: 'iter_destroy', arg: 0 })],
      more,
    ),
  ];
}

/** `int *` from `next`: read-only memory of an int. */
const int = memOf({ bytes: 4 }, { readonly: true });

export const ITERATOR_CONTRACTS: readonly Contract[] = [
  // The only iterator that may be used under a spin lock.
  ...triple('num', [scalar, scalar], int, { underLock: true }),
  ...triple('bits', [ignored, scalar], int),
  // `new` needs an RCU section (KF_RCU_PROTECTED) and the iterator dies with it, so its elements are RCU pointers.
  ...triple(
    'task',
    [{ kind: 'btf', structs: ['task_struct'], trust: 'trusted', nullable: true }, scalar],
    struct('task_struct', 'rcu'),
  ),
  ...triple('css', [btf('trusted', 'cgroup_subsys_state'), scalar], struct('cgroup_subsys_state', 'rcu')),
  // Refused in programs that may not sleep (check_css_task_iter_allowlist).
  ...triple('css_task', [btf('trusted', 'cgroup_subsys_state'), scalar], struct('task_struct'), {
    only: ['syscall', 'iter', 'lsm'],
  }),
  // Holds the memory map's lock for as long as it lives, taken by trylock.
  ...triple('task_vma', [btf('rcu', 'task_struct'), scalar], struct('vm_area_struct')),
  ...triple('kmem_cache', [], struct('kmem_cache'), { sleeps: true }),
  ...triple('dmabuf', [], struct('dma_buf'), { sleeps: true }),
];
