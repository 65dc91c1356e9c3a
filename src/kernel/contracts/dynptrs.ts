/** Dynptrs over memory, and what reads and writes through any dynptr. Follows kernel/bpf/helpers.c. */
import type { Arg, Contract } from '../contract.js';
import {
  any,
  dynptr,
  failed,
  helper,
  INTEGER,
  mem,
  memOf,
  NULL,
  outcome,
  pointer,
  sizeOrZero,
  writes,
} from './define.js';

const newLocal: Arg = { kind: 'dynptr', state: 'uninit', type: 'local' };
/** ARG_PTR_TO_UNINIT_MEM, but it is not written: the dynptr only comes to point there. */
const mapValueMemory: Arg = { kind: 'mem', access: 'readwrite', size: { arg: 1 }, mapValue: true };

export const DYNPTR_CONTRACTS: readonly Contract[] = [
  // A view of memory, not a reference: a null one needs no more care than the other.
  helper(
    'bpf_dynptr_from_mem',
    [mapValueMemory, sizeOrZero, any, newLocal],
    [
      failed({ kind: 'init_dynptr', arg: 3, type: 'local', null: true }),
      outcome('ok', INTEGER, { kind: 'init_dynptr', arg: 3, type: 'local' }),
    ],
  ),
  // On failure the kernel leaves the buffer as it was, though the verifier counts it as written. What it counts with is what is
  // stated here, so a stub has to write.
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
