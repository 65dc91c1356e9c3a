/**
 * Maps whose elements belong to something else (a socket, a task, a cgroup), queues, and maps that only lead elsewhere. Follows
 * check_map_func_compatibility in kernel/bpf/verifier.c, kernel/bpf/bpf_*_storage.c, kernel/bpf/queue_stack_maps.c, bloom_filter.c,
 * net/core/bpf_sk_storage.c and net/core/filter.c.
 */
import type { MapType, ProgType } from '../../object/program.js';
import type { Arg, Contract } from '../contract.js';
import { any, ctx, helper, INTEGER, NULL, outcome, pointer, sockOrBtf } from './define.js';

const value = pointer({ kind: 'map_value' });
const map = (...types: MapType[]): Arg => ({ kind: 'map', types });
const orNull = (structs: readonly string[]): Arg => ({ kind: 'btf', structs, trust: 'any', nullable: true });
const task = orNull(['task_struct']);
const cgroup = orNull(['cgroup']);
const initial: Arg = { kind: 'map_value', nullable: true };
const done = [outcome('done', INTEGER)];

/** Creates the element if the flags say so and there is memory; NULL otherwise. */
const get = (name: string, type: MapType, of: Arg, only?: readonly ProgType[]): Contract =>
  helper(
    name,
    [map(type), of, initial, any],
    [outcome('null', NULL), outcome('found', value)],
    only === undefined ? {} : { only },
  );
const remove = (name: string, type: MapType, of: Arg, only?: readonly ProgType[]): Contract =>
  helper(name, [map(type), of], done, only === undefined ? {} : { only });

/** Types of program that are given a socket by its BTF type, which may be NULL. */
export const TRACING: readonly ProgType[] = ['tp_btf', 'iter', 'fentry', 'lsm', 'syscall'];
const ON_SOCKETS: readonly ProgType[] = [
  'tc',
  'action',
  'cgroup_skb',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'sock_ops',
  'sk_msg',
  'struct_ops',
];

export const STORAGE_CONTRACTS: readonly Contract[] = [
  get('bpf_sk_storage_get', 'sk_storage', sockOrBtf, ON_SOCKETS),
  remove('bpf_sk_storage_delete', 'sk_storage', sockOrBtf, ON_SOCKETS),
  get('bpf_task_storage_get', 'task_storage', task),
  remove('bpf_task_storage_delete', 'task_storage', task),
  get('bpf_cgrp_storage_get', 'cgrp_storage', cgroup),
  remove('bpf_cgrp_storage_delete', 'cgrp_storage', cgroup),
  // The storage is there before the program is attached: no NULL. The flags must be 0.
  helper(
    'bpf_get_local_storage',
    [map('cgroup_storage', 'percpu_cgroup_storage'), any],
    [outcome('found', value)],
  ),

  helper('bpf_map_push_elem', [map('queue', 'stack', 'bloom_filter'), { kind: 'map_value' }, any], done, {
    packetArgs: true,
  }),
  helper(
    'bpf_map_pop_elem',
    [map('queue', 'stack'), { kind: 'map_value', uninit: true }],
    [outcome('done', INTEGER, { kind: 'write', arg: 1 })],
  ),
  // For a bloom filter the call asks whether it contains the value. So the value must have been written.
  helper(
    'bpf_map_peek_elem',
    [map('queue', 'stack', 'bloom_filter'), { kind: 'map_value', uninit: true }],
    [outcome('done', INTEGER, { kind: 'write', arg: 1 })],
  ),

  // Only notes where to send the packet once the program has ended.
  helper('bpf_redirect_map', [map('devmap', 'devmap_hash', 'cpumap', 'xskmap'), any, any], done),
  helper('bpf_sk_redirect_map', [ctx, map('sockmap'), any, any], done),
  helper('bpf_msg_redirect_map', [ctx, map('sockmap'), any, any], done),
  helper('bpf_sock_map_update', [ctx, map('sockmap'), { kind: 'map_key' }, any], done, { packetArgs: true }),
  helper('bpf_sk_redirect_hash', [ctx, map('sockhash'), { kind: 'map_key' }, any], done),
  helper('bpf_msg_redirect_hash', [ctx, map('sockhash'), { kind: 'map_key' }, any], done),
  helper('bpf_sock_hash_update', [ctx, map('sockhash'), { kind: 'map_key' }, any], done, {
    packetArgs: true,
  }),
  helper(
    'bpf_sk_select_reuseport',
    [ctx, map('reuseport_sockarray', 'sockmap', 'sockhash'), { kind: 'map_key' }, any],
    done,
  ),
];

/** The same functions, for program types in which they take the socket in another form. */
export const STORAGE_VARIANTS: readonly Contract[] = [
  get('bpf_sk_storage_get', 'sk_storage', ctx, ['cgroup_sock']),
  get('bpf_sk_storage_get', 'sk_storage', orNull(['sock_common']), TRACING),
  remove('bpf_sk_storage_delete', 'sk_storage', orNull(['sock_common']), TRACING),
];
