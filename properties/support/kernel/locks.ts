/** Spin locks, plain and resilient: held to the end, mixed up, and what may not run under them. */
import { callHelper, callSub, jmp, ldx, mov, r0, r1, r2, r6, r7, st } from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef, ProgType, SpecialField } from '../../../src/object/program.js';
import {
  arrayMap,
  done,
  type Expected,
  type KernelCase,
  kernelCase,
  lockR6,
  lookedUp,
  type Names,
  stackPointer,
  unlockR6,
} from './case.js';

const EXIT_INSIDE = 'BPF_EXIT instruction in main prog cannot be used inside bpf_spin_lock-ed region';
const NO_CALLS = 'function calls are not allowed while holding a lock';

const lockAt0: SpecialField = { kind: 'spin_lock', offset: 0, size: 4 };
const lockMap: MapDef = { ...arrayMap(16), fields: [lockAt0] };
const hashLockMap: MapDef = { ...lockMap, name: 'h', type: 'hash', maxEntries: 8 };
const resLockMap: MapDef = { ...arrayMap(16), fields: [{ kind: 'res_spin_lock', offset: 0, size: 4 }] };

const end: Item[] = [label('out'), ...done];

function spin(
  name: string,
  expected: Expected,
  body: (names: Names) => Item[],
  type: ProgType = 'xdp',
): KernelCase {
  return kernelCase(`spin: ${name}`, type, expected, (names) => [
    ...lookedUp(names, lockMap),
    ...body(names),
    ...end,
  ]);
}

const plain: KernelCase[] = [
  spin('lock, unlock', { retval: 0 }, () => [...lockR6, st(8, r6, 8, 1), ...unlockR6]),
  kernelCase('spin: hash', 'xdp', { retval: 0 }, (names) => [
    ...lookedUp(names, hashLockMap),
    ...lockR6,
    ...unlockR6,
    ...end,
  ]),
  spin('leak', { verdict: 'EINVAL', message: EXIT_INSIDE }, () => lockR6),
  spin(
    'unlock alone',
    { verdict: 'EINVAL', message: 'bpf_spin_unlock without taking a lock' },
    () => unlockR6,
  ),
  spin('double lock', { verdict: 'EINVAL', message: NO_CALLS }, () => [...lockR6, ...lockR6, ...unlockR6]),
  spin(
    'another look-up unlocked',
    { verdict: 'EINVAL', message: 'bpf_spin_unlock of different lock' },
    (names) => [
      // The key is written anew so that the second look-up is like the first.
      names.map(r1, lockMap),
      ...stackPointer(r2, -4),
      callHelper(1),
      jmp('eq', r0, 0, 'out'),
      mov(r7, r0),
      ...lockR6,
      mov(r1, r7),
      callHelper(94),
    ],
  ),
  spin('helper under it', { verdict: 'EINVAL', message: NO_CALLS }, () => [
    ...lockR6,
    callHelper(5),
    ...unlockR6,
  ]),
  spin('kfunc under it', { verdict: 'EINVAL', message: NO_CALLS }, ({ kfunc }) => [
    ...lockR6,
    kfunc('bpf_rcu_read_lock'),
    ...unlockR6,
  ]),
  kernelCase('spin: static subprogram under it', 'xdp', {}, (names) => [
    ...lookedUp(names, lockMap),
    ...lockR6,
    callSub('sub'),
    ...unlockR6,
    ...end,
    label('sub'),
    ...done,
  ]),
  kernelCase(
    'spin: held into a subprogram that exits',
    'xdp',
    { verdict: 'EINVAL', message: EXIT_INSIDE },
    (names) => [
      ...lookedUp(names, lockMap),
      mov(r1, r6),
      callSub('sub'),
      ...end,
      label('sub'),
      callHelper(93),
      ...done,
    ],
  ),
  spin(
    'load of the lock',
    { verdict: 'EACCES', message: 'bpf_spin_lock cannot be accessed directly by load/store' },
    () => [ldx(4, r0, r6, 0)],
  ),
  spin(
    'socket filter',
    { verdict: 'EINVAL', message: 'socket filter progs cannot use bpf_spin_lock yet' },
    () => [...lockR6, ...unlockR6],
    'socket_filter',
  ),
  spin(
    'tracepoint',
    { verdict: 'EINVAL', message: 'tracing progs cannot use bpf_spin_lock yet' },
    () => [...lockR6, ...unlockR6],
    'tracepoint',
  ),
  kernelCase(
    'spin: map without BTF',
    'xdp',
    { verdict: 'EINVAL', message: "map 'm' has to have BTF in order to use bpf_spin_lock" },
    (names) => [...lookedUp(names, arrayMap(16)), ...lockR6, ...unlockR6, ...end],
  ),
];

function resilient(name: string, expected: Expected, body: (names: Names) => Item[]): KernelCase {
  return kernelCase(`resspin: ${name}`, 'xdp', expected, (names) => [
    ...lookedUp(names, resLockMap),
    ...body(names),
    ...end,
  ]);
}

const take = ({ kfunc }: Names): Item[] => [mov(r1, r6), kfunc('bpf_res_spin_lock')];
const give = ({ kfunc }: Names): Item[] => [mov(r1, r6), kfunc('bpf_res_spin_unlock')];

const resilients: KernelCase[] = [
  resilient('lock, unlock', { retval: 0 }, (names) => [
    ...take(names),
    jmp('ne', r0, 0, 'out'),
    ...give(names),
  ]),
  resilient(
    'unlock without looking at the result',
    { verdict: 'EINVAL', message: 'bpf_res_spin_unlock without taking a lock' },
    (names) => [...take(names), ...give(names)],
  ),
  resilient('leak', { verdict: 'EINVAL', message: EXIT_INSIDE }, take),
  resilient('helper under it', { verdict: 'EINVAL', message: NO_CALLS }, (names) => [
    ...take(names),
    jmp('ne', r0, 0, 'out'),
    callHelper(5),
    ...give(names),
  ]),
  resilient(
    'same lock twice',
    { verdict: 'EINVAL', message: 'Acquiring the same lock again, AA deadlock detected' },
    (names) => [...take(names), jmp('ne', r0, 0, 'out'), ...take(names)],
  ),
  resilient('with interrupts off', { retval: 0 }, ({ kfunc }) => [
    mov(r1, r6),
    ...stackPointer(r2, -16),
    kfunc('bpf_res_spin_lock_irqsave'),
    jmp('ne', r0, 0, 'out'),
    mov(r1, r6),
    ...stackPointer(r2, -16),
    kfunc('bpf_res_spin_unlock_irqrestore'),
  ]),
];

export const lockCases: readonly KernelCase[] = [...plain, ...resilients];
