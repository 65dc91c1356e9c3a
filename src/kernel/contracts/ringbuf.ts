/** Ring-buffer records, plain and as dynptrs. Follows kernel/bpf/ringbuf.c. */
import type { Arg, Contract } from '../contract.js';
import {
  acquired,
  any,
  ERROR_RANGE,
  helper,
  INTEGER,
  mem,
  NULL,
  outcome,
  releases,
  sizeOrZero,
  usually,
  VOID,
} from './define.js';

const ring: Arg = { kind: 'map', types: ['ringbuf'] };
const recordReleased: Arg = { kind: 'record', release: true };
const newDynptr: Arg = { kind: 'dynptr', state: 'uninit', type: 'ringbuf' };
const dynptrReleased: Arg = { kind: 'dynptr', state: 'init', type: 'ringbuf', release: true };

export const RINGBUF_CONTRACTS: readonly Contract[] = [
  helper(
    'bpf_ringbuf_reserve',
    [ring, { kind: 'alloc_size' }, any],
    [outcome('null', NULL), outcome('reserved', acquired({ kind: 'record' }, 'ringbuf_record'))],
  ),
  helper('bpf_ringbuf_submit', [recordReleased, any], [outcome('done', VOID, releases(0))]),
  helper('bpf_ringbuf_discard', [recordReleased, any], [outcome('done', VOID, releases(0))]),
  helper('bpf_ringbuf_output', [ring, mem('read', 2), sizeOrZero, any], [outcome('done', INTEGER)]),
  helper('bpf_ringbuf_query', [ring, any], [outcome('done', INTEGER)]),

  // The verifier does not look at r0: on failure too the slot is a dynptr that has to be submitted or discarded, and the real
  // helper writes a null dynptr there so that it can be. A stub that leaves the slot unwritten breaks the submit that follows.
  helper(
    'bpf_ringbuf_reserve_dynptr',
    [ring, any, any, newDynptr],
    [
      usually(
        ERROR_RANGE,
        outcome('error', INTEGER, {
          kind: 'init_dynptr',
          arg: 3,
          type: 'ringbuf',
          acquires: 'null_dynptr',
          null: true,
        }),
      ),
      usually(
        [0n, 0n],
        outcome('ok', INTEGER, { kind: 'init_dynptr', arg: 3, type: 'ringbuf', acquires: 'dynptr' }),
      ),
    ],
  ),
  helper(
    'bpf_ringbuf_submit_dynptr',
    [dynptrReleased, any],
    [outcome('done', VOID, { kind: 'destroy_dynptr', arg: 0 })],
  ),
  helper(
    'bpf_ringbuf_discard_dynptr',
    [dynptrReleased, any],
    [outcome('done', VOID, { kind: 'destroy_dynptr', arg: 0 })],
  ),
];
