/** What near misses of generated programs brought to light: packet ends, moved pointers, empty memory, maps that do not fit. */
import {
  add,
  and,
  callHelper,
  exit,
  jmp,
  ldx,
  ldxs,
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
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef } from '../../../src/object/program.js';
import { parseCase } from '../../../src/vm/case/case.js';
import {
  arrayMap,
  done,
  type KernelCase,
  kernelCase,
  type Names,
  out,
  ringbufMap,
  stackPointer,
} from './case.js';

/** A record is added to a number and given back; then the sum is used. To Linux it is still a pointer, and ours may not be a number. */
const sums: KernelCase[] = [
  kernelCase(
    'misses: a sum with a pointer that was given back is no number',
    'xdp',
    { verdict: 'EACCES' },
    ({ map }) => [
      map(r1, ringbufMap),
      mov(r2, 16),
      mov(r3, 0),
      callHelper(131),
      jmp('eq', r0, 0, 'out'),
      mov(r6, 8),
      add(r6, r0),
      mov(r1, r0),
      mov(r2, 0),
      callHelper(132),
      and(r6, 1),
      ...out,
    ],
  ),
];

/** A slice of the packet's dynptr is passed as the key of a map, or as a helper's buffer. */
const slice = (
  title: string,
  kfuncName: string,
  verdict: 'LOADS' | 'EACCES',
  use: (names: Names) => readonly Item[],
): KernelCase =>
  kernelCase(title, 'xdp', { verdict }, (names) => [
    mov(r2, 0),
    ...stackPointer(r3, -16),
    names.kfunc('bpf_dynptr_from_xdp'),
    st(8, r10, -24, 0),
    ...stackPointer(r1, -16),
    mov(r2, 0),
    ...stackPointer(r3, -24),
    mov(r4, 8),
    names.kfunc(kfuncName),
    jmp('eq', r0, 0, 'out'),
    ...use(names),
    ...out,
  ]);
const slices: KernelCase[] = [
  slice('misses: a slice for a key', 'bpf_dynptr_slice_rdwr', 'EACCES', ({ map }) => [
    mov(r2, r0),
    map(r1, arrayMap(8)),
    callHelper(1),
  ]),
  slice('misses: a slice for a value', 'bpf_dynptr_slice_rdwr', 'EACCES', ({ map }) => [
    mov(r3, r0),
    st(4, r10, -24, 0),
    ...stackPointer(r2, -24),
    map(r1, arrayMap(8)),
    mov(r4, 0),
    callHelper(2),
  ]),
  slice('misses: a slice for other memory', 'bpf_dynptr_slice_rdwr', 'LOADS', () => [
    mov(r1, r0),
    mov(r2, 8),
    mov(r3, 0),
    mov(r4, 0),
    mov(r5, 0),
    callHelper(28),
  ]),
];

/** A case from its text. */
const written = (name: string, verdict: 'LOADS' | 'EACCES' | 'EINVAL', text: string): KernelCase => ({
  family: 'misses',
  name,
  program: parseCase(text).program,
  verdict,
});

/** The task behind a kptr is taken in an RCU section. */
const taskBehind = (field: string): string => `.type syscall
.map kept array key=4 value=16 entries=1 ${field}:task_struct@0
main:
    *(u32 *)(r10 -4) = 0
    r1 = map kept
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r6 = r0
    call bpf_rcu_read_lock
    r1 = *(u64 *)(r6 +0)
    if r1 == 0 goto none
    call bpf_task_acquire
    if r0 == 0 goto none
    r1 = r0
    call bpf_task_release
none:
    call bpf_rcu_read_unlock
out:
    r0 = 0
    exit
`;

/** Four bytes of metadata are read after a comparison with the packet, so many bytes behind its start. */
const metadataBefore = (moved: number): string => `.type xdp
    r6 = *(u32 *)(r1 +8)
    r7 = *(u32 *)(r1 +0)
    r7 += ${moved}
    r8 = r6
    r8 += 4
    if r8 > r7 goto out
    r0 = *(u32 *)(r6 +0)
out:
    r0 = 0
    exit
`;

const neighbours: KernelCase[] = [
  written('a task behind a kptr is protected by RCU', 'LOADS', taskBehind('kptr')),
  written(
    'a task behind an unreferenced kptr is protected by nothing',
    'EINVAL',
    taskBehind('kptr_untrusted'),
  ),
  written('metadata ends at the start of the packet', 'LOADS', metadataBefore(0)),
  written('metadata does not end at a moved packet pointer', 'EACCES', metadataBefore(8)),
];

/** Reads a register that was never written: whoever comes here is refused. */
const trap: Item[] = [mov(r0, r5), exit()];

/** r4 is 8 bytes into the packet, r3 its end. */
const packet: Item[] = [ldx(4, r2, r1, 0), ldx(4, r3, r1, 4), mov(r4, r2), add(r4, 8)];

const ends: KernelCase[] = [
  kernelCase('misses: past the end is past the end', 'xdp', {}, () => [
    ...packet,
    jmp('gt', r4, r3, 'past'),
    ...done,
    label('past'),
    jmp('gt', r4, r3, 'out'),
    ...trap,
    ...out,
  ]),
  kernelCase('misses: past the end is not before it', 'xdp', {}, () => [
    ...packet,
    jmp('lt', r3, r4, 'past'),
    ...done,
    label('past'),
    jmp('ge', r4, r3, 'out'),
    ...trap,
    ...out,
  ]),
  kernelCase(
    'misses: at the end may be past it',
    'xdp',
    { verdict: 'EACCES', message: 'R5 !read_ok' },
    () => [
      ...packet,
      jmp('ge', r4, r3, 'at'),
      ...done,
      label('at'),
      jmp('gt', r4, r3, 'out'),
      ...trap,
      ...out,
    ],
  ),
  kernelCase(
    'misses: a copy of what is past the end is not known to be',
    'xdp',
    { verdict: 'EACCES', message: 'R5 !read_ok' },
    () => [
      ...packet,
      mov(r6, r4),
      jmp('gt', r4, r3, 'past'),
      ...done,
      label('past'),
      jmp('gt', r6, r3, 'out'),
      ...trap,
      ...out,
    ],
  ),
];

const pointers: KernelCase[] = [
  kernelCase(
    'misses: a context that was moved',
    'xdp',
    { verdict: 'EACCES', message: 'dereference of modified ctx ptr R1 off=4 disallowed' },
    () => [add(r1, 4), ldx(4, r0, r1, 0), ...done],
  ),
  kernelCase(
    'misses: the start of the packet, sign-extended',
    'xdp',
    { verdict: 'EACCES', message: 'invalid bpf_context access off=0 size=4' },
    () => [ldxs(4, r2, r1, 0), ...done],
  ),
  kernelCase(
    'misses: no bytes at the top of a frame',
    'xdp',
    { verdict: 'EACCES', message: 'invalid write to stack R1 off=0 size=0' },
    () => [mov(r1, r10), mov(r2, 0), mov(r3, 0), callHelper(113), ...done],
  ),
  kernelCase(
    'misses: four bytes at NULL',
    'tc',
    { verdict: 'EACCES', message: 'R1 type=scalar expected=fp' },
    () => [mov(r1, 0), mov(r2, 4), mov(r3, 0), mov(r4, 0), mov(r5, 0), callHelper(28), ...done],
  ),
  kernelCase('misses: no bytes at NULL', 'tc', {}, () => [
    ...[mov(r1, 0), mov(r2, 0), mov(r3, 0), mov(r4, 0), mov(r5, 0), callHelper(28)],
    ...done,
  ]),
];

const returns: KernelCase[] = [
  kernelCase(
    'misses: what is thrown is returned',
    'cgroup_device',
    {
      verdict: 'EINVAL',
      message: 'At program exit the register R1 has smin=8 smax=8 should have been in [0, 1]',
    },
    ({ kfunc }) => [mov(r1, 8), kfunc('bpf_throw'), ...done],
  ),
  kernelCase('misses: what is thrown may be returned', 'cgroup_device', {}, ({ kfunc }) => [
    mov(r1, 1),
    kfunc('bpf_throw'),
    ...done,
  ]),
];

const timerMap: MapDef = { ...arrayMap(16), fields: [{ kind: 'timer', offset: 0, size: 16 }] };
const readOnly: MapDef = { ...arrayMap(16), name: 'text', flags: 1 << 7 };

const maps: KernelCase[] = [
  kernelCase(
    'misses: an update of a map that is read only',
    'xdp',
    { verdict: 'EACCES', message: 'write into map forbidden' },
    ({ map }) => [
      st(8, r10, -8, 0),
      st(8, r10, -24, 0),
      st(8, r10, -16, 0),
      map(r1, readOnly),
      ...stackPointer(r2, -8),
      ...stackPointer(r3, -24),
      mov(r4, 0),
      callHelper(2),
      ...done,
    ],
  ),
  kernelCase(
    'misses: a timer of another map',
    'xdp',
    {
      verdict: 'EINVAL',
      message: "timer pointer in R1 map_uid=0 doesn't match map pointer in R2 map_uid=0",
    },
    ({ map }) => [
      st(4, r10, -4, 0),
      map(r1, timerMap),
      ...stackPointer(r2, -4),
      callHelper(1),
      jmp('eq', r0, 0, 'out'),
      mov(r1, r0),
      map(r2, { ...arrayMap(8), name: 'other' }),
      mov(r3, 0),
      callHelper(169),
      ...out,
    ],
  ),
];

const dynptrs: KernelCase[] = [
  kernelCase('misses: a dynptr copied over itself', 'tc', {}, ({ kfunc }) => [
    mov(r2, 0),
    ...stackPointer(r3, -16),
    kfunc('bpf_dynptr_from_skb'),
    ...stackPointer(r1, -16),
    mov(r2, r1),
    kfunc('bpf_dynptr_clone'),
    ...done,
  ]),
];

export const missCases: readonly KernelCase[] = [
  ...sums,
  ...slices,
  ...neighbours,
  ...ends,
  ...pointers,
  ...returns,
  ...maps,
  ...dynptrs,
];
