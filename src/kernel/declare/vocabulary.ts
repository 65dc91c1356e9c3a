/** The words and values that declarations are made of. */
import type { DynptrType, IterType, LockKind, Resource, SectionKind, SockType } from '../contract.js';

export { ERROR_RANGE, INTEGER, NULL, VOID } from '../contracts/define.js';

export const DYNPTRS: readonly DynptrType[] = ['local', 'ringbuf', 'skb', 'xdp', 'skb_meta'];
export const ITERATORS: readonly IterType[] = [
  'num',
  'task',
  'bits',
  'css',
  'css_task',
  'task_vma',
  'kmem_cache',
  'dmabuf',
  'scx_dsq',
];
export const LOCKS: readonly LockKind[] = ['spin_lock', 'res_spin_lock', 'res_spin_lock_irqsave'];
export const SECTIONS: readonly SectionKind[] = ['rcu', 'preempt'];
export const SOCKETS: readonly SockType[] = ['sock_common', 'sock', 'tcp_sock', 'xdp_sock'];

/** What a pointer that is returned may hold. */
export const REFERENCES: readonly Resource[] = [
  'socket',
  'ringbuf_record',
  'task',
  'cgroup',
  'cpumask',
  'key',
  'crypto_ctx',
  'nf_conn',
  'nf_conn_init',
  'xfrm_state',
  'file',
  'hid_bpf_ctx',
  'mem_cgroup',
  'object',
  'percpu_object',
  'kptr',
  'reference',
];

/** The class of a reference to a kernel struct; all others are of class `reference`. */
export const CLASS_OF_STRUCT: Readonly<Record<string, Resource>> = {
  task_struct: 'task',
  cgroup: 'cgroup',
  bpf_cpumask: 'cpumask',
  bpf_key: 'key',
  bpf_crypto_ctx: 'crypto_ctx',
  nf_conn: 'nf_conn',
  nf_conn___init: 'nf_conn_init',
  xfrm_state: 'xfrm_state',
  file: 'file',
  hid_bpf_ctx: 'hid_bpf_ctx',
  mem_cgroup: 'mem_cgroup',
};

/** The KF_ flags of include/linux/btf.h, up to Linux 7.1. */
export const KF_FLAGS: readonly string[] = [
  'KF_ACQUIRE',
  'KF_RELEASE',
  'KF_RET_NULL',
  'KF_TRUSTED_ARGS',
  'KF_SLEEPABLE',
  'KF_DESTRUCTIVE',
  'KF_RCU',
  'KF_ITER_NEW',
  'KF_ITER_NEXT',
  'KF_ITER_DESTROY',
  'KF_RCU_PROTECTED',
  'KF_FASTCALL',
  'KF_ARENA_RET',
  'KF_ARENA_ARG1',
  'KF_ARENA_ARG2',
  'KF_IMPLICIT_ARGS',
];
