/**
 * CPU masks. Follows kernel/bpf/cpumask.c. What only reads takes the kernel's struct cpumask as well as the program's own struct
 * bpf_cpumask, whose first member it is; what writes takes only the latter.
 */
import type { Contract } from '../contract.js';
import {
  acquired,
  btf,
  btfReleased,
  INTEGER,
  kfunc,
  mem,
  NULL,
  outcome,
  releases,
  scalar,
  sizeOrZero,
  struct,
  VOID,
} from './define.js';

const mask = acquired(struct('bpf_cpumask'), 'cpumask');
const own = btf('rcu', 'bpf_cpumask');
const read = btf('rcu', 'cpumask', 'bpf_cpumask');

/** Returns a number (or bool) and has no effect that the verifier knows of. */
const asks = (name: string, ...args: Contract['args']): Contract =>
  kfunc(name, [...args], [outcome('done', INTEGER)]);
const changes = (name: string, ...args: Contract['args']): Contract =>
  kfunc(name, [...args], [outcome('done', VOID)]);

export const CPUMASK_CONTRACTS: readonly Contract[] = [
  kfunc('bpf_cpumask_create', [], [outcome('null', NULL), outcome('created', mask)]),
  // Never fails: no NULL check follows, so there is nothing that a stub could return.
  kfunc('bpf_cpumask_acquire', [btf('trusted', 'bpf_cpumask')], [outcome('acquired', mask)]),
  kfunc('bpf_cpumask_release', [btfReleased('bpf_cpumask')], [outcome('done', VOID, releases(0))]),

  asks('bpf_cpumask_first', read),
  asks('bpf_cpumask_first_zero', read),
  asks('bpf_cpumask_first_and', read, read),
  asks('bpf_cpumask_test_cpu', scalar, read),
  asks('bpf_cpumask_test_and_set_cpu', scalar, own),
  asks('bpf_cpumask_test_and_clear_cpu', scalar, own),
  asks('bpf_cpumask_and', own, read, read),
  asks('bpf_cpumask_equal', read, read),
  asks('bpf_cpumask_intersects', read, read),
  asks('bpf_cpumask_subset', read, read),
  asks('bpf_cpumask_empty', read),
  asks('bpf_cpumask_full', read),
  asks('bpf_cpumask_any_distribute', read),
  asks('bpf_cpumask_any_and_distribute', read, read),
  asks('bpf_cpumask_weight', read),
  asks('bpf_cpumask_populate', read, mem('readwrite', 2), sizeOrZero),

  changes('bpf_cpumask_set_cpu', scalar, own),
  changes('bpf_cpumask_clear_cpu', scalar, own),
  changes('bpf_cpumask_setall', own),
  changes('bpf_cpumask_clear', own),
  changes('bpf_cpumask_or', own, read, read),
  changes('bpf_cpumask_xor', own, read, read),
  changes('bpf_cpumask_copy', own, read),
];
