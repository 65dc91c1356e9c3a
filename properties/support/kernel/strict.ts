/**
 * Verdicts on a loader without CAP_PERFMON and CAP_SYS_ADMIN: what leaks addresses, what cannot be masked against a processor that
 * guesses wrong, and what such guesses lead to.
 */
import {
  add,
  and,
  atomic,
  callHelper,
  exit,
  jmp,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r7,
  r8,
  r10,
  st,
  stx,
  sub,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef } from '../../../src/object/program.js';
import {
  arrayMap,
  done,
  type KernelCase,
  kernelCase,
  lookedUp,
  type Names,
  out,
  ringbufMap,
  stackPointer,
} from './case.js';

const lockedMap: MapDef = { ...arrayMap(16), fields: [{ kind: 'res_spin_lock', offset: 0, size: 4 }] };

const PROHIBITED = 'pointer arithmetic with it prohibited for !root';
const refused = (message: string) => ({ verdict: 'EACCES', message });

/** r6 = the value at key 0 of a map; leads to `out` where there is none. */
const value = (names: Names, size = 16): Item[] => lookedUp(names, arrayMap(size));

const leaks: KernelCase[] = [
  kernelCase('strict: r0 is an address', 'xdp', refused('R0 leaks addr as return value'), () => [
    mov(r0, r10),
    exit(),
  ]),
  kernelCase('strict: an address in a map', 'xdp', refused('R6 leaks addr into map'), (names) => [
    ...value(names),
    stx(8, r6, 0, r6),
    ...out,
  ]),
  kernelCase(
    'strict: stack that was never written',
    'xdp',
    refused('invalid read from stack R10 off=-8 size=8'),
    () => [ldx(8, r1, r10, -8), ...done],
  ),
  kernelCase(
    'strict: a spilled address as a number',
    'xdp',
    refused('leaking pointer from stack off -8'),
    () => [stx(8, r10, -8, r1), mov(r2, 0), atomic('xchg', 8, r10, -8, r2, true), ...done],
  ),
  kernelCase(
    'strict: a spilled record that was given back as a number',
    'xdp',
    refused('leaking pointer from stack off -16'),
    (names) => [
      ...[names.map(r1, ringbufMap), mov(r2, 8), mov(r3, 0), callHelper(131)],
      jmp('eq', r0, 0, 'out'),
      ...[stx(8, r10, -16, r0), mov(r1, r0), mov(r2, 0), callHelper(133)],
      ...[mov(r2, 1), atomic('add', 8, r10, -16, r2)],
      ...out,
    ],
  ),
  kernelCase(
    'strict: the lock is taken first, and only then not to be had',
    'xdp',
    refused(`R1 has pointer with unsupported alu operation, ${PROHIBITED}`),
    (names) => [
      mov(r7, r1),
      ...[st(4, r10, -4, 0), names.map(r1, lockedMap), ...stackPointer(r2, -4), callHelper(1)],
      jmp('eq', r0, 0, 'out'),
      ...[mov(r6, r0), mov(r1, r6), names.kfunc('bpf_res_spin_lock')],
      jmp('ne', r0, 0, 'out'),
      ...[mov(r1, r7), add(r1, r0), mov(r1, r6), names.kfunc('bpf_res_spin_unlock')],
      ...out,
    ],
  ),
  kernelCase(
    'strict: half of a spilled address overwritten',
    'xdp',
    refused('attempt to corrupt spilled pointer on stack'),
    () => [stx(8, r10, -8, r1), st(4, r10, -8, 0), ...done],
  ),
  ...[4, 8].map((size) =>
    kernelCase(
      `strict: ${size} bytes of a spilled address overwritten by a helper`,
      'socket_filter',
      refused('attempt to corrupt spilled pointer on stack'),
      () => [
        stx(8, r10, -8, r1),
        ...[mov(r2, 0), ...stackPointer(r3, -8), mov(r4, size), callHelper(26)],
        ...done,
      ],
    ),
  ),
  kernelCase('strict: a spilled number overwritten by a helper', 'socket_filter', {}, () => [
    st(8, r10, -8, 7),
    ...[mov(r2, 0), ...stackPointer(r3, -8), mov(r4, 8), callHelper(26)],
    ...done,
  ]),
  kernelCase('strict: addresses compared', 'xdp', refused('R10 pointer comparison prohibited'), () => [
    jmp('eq', r10, 5, 'out'),
    ...out,
  ]),
  kernelCase(
    'strict: a helper for CAP_PERFMON',
    'xdp',
    { verdict: 'EINVAL', message: 'program of this type cannot use helper bpf_get_branch_snapshot#176' },
    () => [callHelper(176), ...done],
  ),
];
const masks: KernelCase[] = [
  kernelCase(
    'strict: a number of either sign added to an address',
    'xdp',
    refused(`R7 has unknown scalar with mixed signed bounds, ${PROHIBITED}`),
    (names) => [
      ...value(names),
      ldx(8, r7, r6, 0),
      jmp('sgt', r7, 8, 'out'),
      jmp('slt', r7, -8, 'out'),
      add(r6, r7),
      ...out,
    ],
  ),
  kernelCase(
    'strict: a register added to the packet',
    'xdp',
    refused(`R2 has pointer with unsupported alu operation, ${PROHIBITED}`),
    () => [ldx(4, r2, r1, 0), mov(r3, 4), add(r2, r3), ...done],
  ),
  kernelCase(
    'strict: other limits on another way',
    'xdp',
    refused(`R6 tried to add from different maps, paths or scalars, ${PROHIBITED}`),
    (names) => [
      ...value(names),
      ldx(8, r7, r6, 0),
      ldx(8, r8, r6, 8),
      and(r7, 7),
      jmp('eq', r8, 0, 'same'),
      and(r7, 3),
      label('same'),
      add(r6, r7),
      ...out,
    ],
  ),
  kernelCase(
    'strict: a value left behind',
    'xdp',
    refused('R6 pointer arithmetic of map value goes out of range, prohibited for !root'),
    (names) => [...value(names), add(r6, 16), ...out],
  ),
  kernelCase('strict: a number that can be masked', 'xdp', {}, (names) => [
    ...value(names),
    ldx(8, r7, r6, 0),
    and(r7, 7),
    add(r6, r7),
    ldx(1, r0, r6, 0),
    ...out,
  ]),
];

const guesses: KernelCase[] = [
  kernelCase('strict: a mistake that only a wrong guess makes', 'xdp', {}, () => [
    mov(r6, 0),
    jmp('eq', r6, 0, 'out'),
    ldx(8, r0, r6, 0),
    ...out,
  ]),
  kernelCase('strict: a loop that a wrong guess does not leave, but for a barrier', 'xdp', {}, () => [
    mov(r6, 100),
    label('again'),
    st(8, r10, -8, 0),
    sub(r6, 1),
    jmp('ne', r6, 0, 'again'),
    ...done,
  ]),
  kernelCase('strict: a way that is never taken has no say in masks', 'xdp', {}, (names) => [
    ...value(names),
    mov(r7, 1),
    mov(r8, 0),
    jmp('eq', r8, 0, 'same'),
    mov(r6, 1),
    label('same'),
    add(r6, r7),
    ...out,
  ]),
];

export const strictCases: readonly KernelCase[] = [...leaks, ...masks, ...guesses];

/** Types that are not for a loader without CAP_PERFMON. */
export const forPerfmon: KernelCase = kernelCase(
  'strict: a tracepoint',
  'tracepoint',
  { verdict: 'EPERM' },
  () => [mov(r4, 0), ...done],
);
