/** Subprograms, callbacks, tail calls, exceptions. */
import {
  add,
  callHelper,
  callSub,
  exit,
  jmp,
  ldFunc,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r10,
  st,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef } from '../../../src/object/program.js';
import {
  arrayMap,
  done,
  type Expected,
  type KernelCase,
  kernelCase,
  leak,
  ringbufMap,
  stackPointer,
} from './case.js';

const progs: MapDef = { ...arrayMap(4), name: 'progs', type: 'prog_array' };

/** bpf_loop(10, cb, fp-8, 0), fp-8 counted up by the callback and returned. */
function loop(name: string, expected: Expected, callback: readonly Item[]): KernelCase {
  return kernelCase(`loop: ${name}`, 'xdp', expected, () => [
    st(8, r10, -8, 0),
    mov(r1, 10),
    ldFunc(r2, 'cb'),
    ...stackPointer(r3, -8),
    mov(r4, 0),
    callHelper(181),
    ldx(8, r0, r10, -8),
    exit(),
    label('cb'),
    ...callback,
  ]);
}

/** Adds its first argument to what the second points to. */
const sum: Item[] = [ldx(8, r3, r2, 0), mov(r4, r1), add(r3, r4), stx(8, r2, 0, r3), ...done];

const callbacks: KernelCase[] = [
  loop('sum', { retval: 45 }, sum),
  loop('empty callback', { retval: 0 }, done),
  loop(
    'callback returns 2',
    {
      verdict: 'EINVAL',
      message: 'At callback return the register R0 has smin=2 smax=2 should have been in [0, 1]',
    },
    [mov(r0, 2), exit()],
  ),
  kernelCase('foreach: array', 'xdp', { retval: 3 }, ({ map }) => [
    map(r1, arrayMap(8, 3)),
    ldFunc(r2, 'cb'),
    mov(r3, 0),
    mov(r4, 0),
    callHelper(164),
    exit(),
    label('cb'),
    ...done,
  ]),
];

/** bpf_sk_lookup_tcp on an IPv4 tuple of zeros, 8 insns; the context is in r1. */
const lookup: Item[] = [
  st(8, r10, -8, 0),
  st(8, r10, -16, 0),
  ...stackPointer(r2, -16),
  mov(r3, 12),
  mov(r4, -1),
  mov(r5, 0),
  callHelper(84),
];

const subprograms: KernelCase[] = [
  kernelCase('subprog: static', 'xdp', { retval: 7 }, () => [
    callSub('sub'),
    exit(),
    label('sub'),
    mov(r0, 7),
    exit(),
  ]),
  kernelCase('subprog: global', 'xdp', { retval: 7, globals: ['sub'] }, () => [
    mov(r1, 7),
    callSub('sub'),
    mov(r0, 7),
    exit(),
    label('sub'),
    mov(r0, 3),
    exit(),
  ]),
  kernelCase(
    'subprog: acquires for a caller that forgets',
    'tc',
    { verdict: 'EINVAL', message: leak(10) },
    () => [callSub('sub'), ...done, label('sub'), ...lookup, exit()],
  ),
  kernelCase('subprog: acquires for a caller that releases', 'tc', {}, () => [
    callSub('sub'),
    jmp('eq', r0, 0, 'out'),
    mov(r1, r0),
    callHelper(86),
    label('out'),
    ...done,
    label('sub'),
    ...lookup,
    exit(),
  ]),
];

const tail: Item[] = [mov(r3, 0), callHelper(12)];

const leaving: KernelCase[] = [
  kernelCase('tail: empty slot', 'xdp', { retval: 1 }, ({ map }) => [
    map(r2, progs),
    ...tail,
    mov(r0, 1),
    exit(),
  ]),
  kernelCase(
    'tail: with a reference',
    'tc',
    { verdict: 'EINVAL', message: leak(8, 2, 'tail_call') },
    ({ map }) => [mov(r6, r1), ...lookup, mov(r1, r6), map(r2, progs), ...tail, ...done],
  ),
  kernelCase(
    'tail: inside RCU',
    'tc',
    { verdict: 'EINVAL', message: 'tail_call cannot be used inside bpf_rcu_read_lock-ed region' },
    ({ map, kfunc }) => [
      mov(r6, r1),
      kfunc('bpf_rcu_read_lock'),
      mov(r1, r6),
      map(r2, progs),
      ...tail,
      kfunc('bpf_rcu_read_unlock'),
      ...done,
    ],
  ),
  kernelCase('throw: nothing held', 'tc', { retval: 0 }, ({ kfunc }) => [
    mov(r1, 0),
    kfunc('bpf_throw'),
    ...done,
  ]),
  kernelCase(
    'throw: with a reference',
    'tc',
    { verdict: 'EINVAL', message: leak(7, 2, 'bpf_throw') },
    ({ kfunc }) => [...lookup, mov(r1, 0), kfunc('bpf_throw'), ...done],
  ),
  kernelCase(
    'throw: inside RCU',
    'tc',
    { verdict: 'EINVAL', message: 'bpf_throw cannot be used inside bpf_rcu_read_lock-ed region' },
    ({ kfunc }) => [kfunc('bpf_rcu_read_lock'), mov(r1, 0), kfunc('bpf_throw'), ...done],
  ),
];

const leakedInCallback: KernelCase = kernelCase(
  'loop: record leaked in the callback',
  'xdp',
  { verdict: 'EINVAL', message: leak(12, 2, 'BPF_EXIT instruction in main prog') },
  ({ map }) => [
    mov(r1, 10),
    ldFunc(r2, 'cb'),
    mov(r3, 0),
    mov(r4, 0),
    callHelper(181),
    ...done,
    label('cb'),
    map(r1, ringbufMap),
    mov(r2, 8),
    mov(r3, 0),
    callHelper(131),
    ...done,
  ],
);

export const callCases: readonly KernelCase[] = [...callbacks, leakedInCallback, ...subprograms, ...leaving];
