/**
 * Dynptrs over memory and packets, and what reads and writes through any dynptr. Follows kernel/bpf/helpers.c, net/core/filter.c
 * (those over packets) and kernel/trace/bpf_trace.c (those that copy into a dynptr).
 */

import type { ProgType } from '../../object/program.js';
import type { Arg, Contract, DynptrType } from '../contract.js';
import {
  any,
  btf,
  ctx,
  dynptr,
  dynptrWritten,
  failed,
  helper,
  INTEGER,
  ignored,
  kfunc,
  mem,
  memOf,
  NULL,
  outcome,
  pointer,
  scalar,
  sizeOrZero,
  slow,
  writes,
} from './define.js';

const newLocal: Arg = { kind: 'dynptr', state: 'uninit', type: 'local' };
/** ARG_PTR_TO_UNINIT_MEM, but it is not written: the dynptr only comes to point there. */
const mapValueMemory: Arg = { kind: 'mem', access: 'readwrite', size: { arg: 1 }, mapValue: true };

export const DYNPTR_CONTRACTS: readonly Contract[] = [
  // A view of memory, not a reference: a null one need not be destroyed either.
  helper(
    'bpf_dynptr_from_mem',
    [mapValueMemory, sizeOrZero, any, newLocal],
    [
      failed({ kind: 'init_dynptr', arg: 3, type: 'local', null: true }),
      outcome('ok', INTEGER, { kind: 'init_dynptr', arg: 3, type: 'local' }),
    ],
  ),
  // On failure the kernel leaves the buffer as it was, but the verifier counts it as written. The contract follows the verifier, so a
  // stub has to write the buffer.
  helper(
    'bpf_dynptr_read',
    [mem('write', 1), sizeOrZero, dynptr, any, any],
    [outcome('done', INTEGER, writes(0))],
  ),
  // Writing into an skb may move it; that is decided by the dynptr's type at the call.
  helper(
    'bpf_dynptr_write',
    [dynptr, any, mem('read', 3), sizeOrZero, any],
    [outcome('done', INTEGER, { kind: 'invalidate_packet', dynptr: 0 })],
  ),
  helper(
    'bpf_dynptr_data',
    [dynptr, any, { kind: 'alloc_size' }],
    [outcome('null', NULL), outcome('ok', pointer(memOf({ arg: 2 }, { slice: { arg: 0 } })))],
  ),
];

/** A view of the packet. The two programs' kinds of dynptr differ in what a write does to packet pointers. */
function overPacket(name: string, type: DynptrType, only: readonly ProgType[]): Contract {
  return kfunc(
    name,
    [ctx, scalar, { kind: 'dynptr', state: 'uninit', type }],
    [
      failed({ kind: 'init_dynptr', arg: 2, type, null: true }),
      outcome('ok', INTEGER, { kind: 'init_dynptr', arg: 2, type }),
    ],
    { only },
  );
}

/** A slice: the data itself, or the program's buffer with a copy of it. NULL if it is out of range. */
function slice(
  name: string,
  shape: { readonly?: true },
  more: { only?: readonly ProgType[] } = {},
): Contract {
  const buffer: Arg = { kind: 'mem', access: 'readwrite', size: { arg: 3 }, optional: true };
  return kfunc(
    name,
    [dynptr, scalar, buffer, { kind: 'size', zero: true, constant: true }],
    [outcome('null', NULL), outcome('ok', pointer(memOf({ arg: 3 }, { slice: { arg: 0 }, ...shape })))],
    more,
  );
}

const asks = (name: string): Contract => kfunc(name, [dynptr], [outcome('done', INTEGER)]);
/** Copies from an address that is not checked into a dynptr. */
const into = (name: string, ...more: Arg[]): Contract =>
  kfunc(name, [dynptrWritten, scalar, scalar, ignored, ...more], [outcome('done', INTEGER)]);
/** The same from user memory, which may have to be read in first. */
const fromUser = (name: string, ...more: Arg[]): Contract =>
  kfunc(name, [dynptrWritten, scalar, scalar, ignored, ...more], [failed(), slow('done', INTEGER)]);

export const DYNPTR_KFUNC_CONTRACTS: readonly Contract[] = [
  // The kernel lists it for tracepoints, whose context is not a packet.
  overPacket('bpf_dynptr_from_skb', 'skb', [
    'tc',
    'socket_filter',
    'action',
    'cgroup_skb',
    'lwt_in',
    'lwt_out',
    'lwt_xmit',
    'lwt_seg6local',
    'sk_skb',
  ]),
  overPacket('bpf_dynptr_from_skb_meta', 'skb_meta', ['tc', 'action']),
  overPacket('bpf_dynptr_from_xdp', 'xdp', ['xdp']),
  slice('bpf_dynptr_slice', { readonly: true }),
  // Refused where packets may not be written, even if the dynptr is no view of one.
  slice(
    'bpf_dynptr_slice_rdwr',
    {},
    {
      only: ['xdp', 'tc', 'action', 'lwt_xmit', 'sk_skb', 'sk_msg', 'cgroup_sockopt'],
    },
  ),
  kfunc('bpf_dynptr_adjust', [dynptr, scalar, scalar], [outcome('done', INTEGER)]),
  // The clone has the type and the reference of the original, and either may be given back. So a stub cannot refuse by making a null
  // clone: a program that submits the clone would leave the original's record held.
  kfunc(
    'bpf_dynptr_clone',
    [dynptr, { kind: 'dynptr', state: 'uninit' }],
    [outcome('done', INTEGER, { kind: 'clone_dynptr', arg: 1, from: 0 })],
  ),
  kfunc(
    'bpf_dynptr_copy',
    [dynptrWritten, scalar, dynptrWritten, scalar, scalar],
    [outcome('done', INTEGER)],
  ),
  kfunc('bpf_dynptr_memset', [dynptrWritten, scalar, scalar, scalar], [outcome('done', INTEGER)]),
  asks('bpf_dynptr_is_null'),
  asks('bpf_dynptr_is_rdonly'),
  asks('bpf_dynptr_size'),

  into('bpf_probe_read_kernel_dynptr'),
  into('bpf_probe_read_kernel_str_dynptr'),
  into('bpf_probe_read_user_dynptr'),
  into('bpf_probe_read_user_str_dynptr'),
  fromUser('bpf_copy_from_user_dynptr'),
  fromUser('bpf_copy_from_user_str_dynptr'),
  fromUser('bpf_copy_from_user_task_dynptr', btf('trusted', 'task_struct')),
  fromUser('bpf_copy_from_user_task_str_dynptr', btf('trusted', 'task_struct')),
];
