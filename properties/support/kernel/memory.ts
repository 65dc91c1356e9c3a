/** Sockets, ring-buffer records and dynptrs: what is acquired must be given back once. */
import {
  add,
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
  r5,
  r6,
  r7,
  r10,
  st,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { ProgType } from '../../../src/object/program.js';
import {
  arrayMap,
  done,
  type Expected,
  type KernelCase,
  kernelCase,
  leak,
  type Names,
  ringbufMap,
  stackPointer,
} from './case.js';

const SK_TYPES = 'sock_common, sock, tcp_sock, xdp_sock, ptr_, trusted_ptr_';

/** bpf_sk_lookup_tcp and the like, on an IPv4 tuple of zeros; the call is insn 7. */
function lookup(helper: number): Item[] {
  return [
    st(8, r10, -8, 0),
    st(8, r10, -16, 0),
    ...stackPointer(r2, -16),
    mov(r3, 12),
    mov(r4, -1),
    mov(r5, 0),
    callHelper(helper),
  ];
}

const release: Item[] = [callHelper(86)];

const sockets: KernelCase[] = [84, 85, 99].flatMap((helper) =>
  (['xdp', 'tc'] as const).flatMap((type: ProgType) => [
    kernelCase(`sock: lookup ${helper}, release, ${type}`, type, { retval: 0 }, () => [
      ...lookup(helper),
      jmp('eq', r0, 0, 'out'),
      mov(r1, r0),
      ...release,
      label('out'),
      ...done,
    ]),
    kernelCase(`sock: lookup ${helper}, leak, ${type}`, type, { verdict: 'EINVAL', message: leak(7) }, () => [
      ...lookup(helper),
      ...done,
    ]),
  ]),
);

const socketMisuse: KernelCase[] = [
  kernelCase('sock: leak after NULL check', 'tc', { verdict: 'EINVAL', message: leak(7) }, () => [
    ...lookup(84),
    jmp('eq', r0, 0, 'out'),
    label('out'),
    ...done,
  ]),
  kernelCase(
    'sock: release without NULL check',
    'tc',
    { verdict: 'EACCES', message: `R1 type=sock_or_null expected=${SK_TYPES}` },
    () => [...lookup(84), mov(r1, r0), ...release, ...done],
  ),
  kernelCase(
    'sock: double release',
    'tc',
    { verdict: 'EACCES', message: `R1 type=scalar expected=${SK_TYPES}` },
    () => [
      ...lookup(84),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      mov(r1, r6),
      ...release,
      mov(r1, r6),
      ...release,
      label('out'),
      ...done,
    ],
  ),
  kernelCase(
    'sock: use after release',
    'tc',
    { verdict: 'EACCES', message: "R6 invalid mem access 'scalar'" },
    () => [
      ...lookup(84),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      mov(r1, r6),
      ...release,
      ldx(4, r0, r6, 4),
      label('out'),
      ...done,
    ],
  ),
  kernelCase(
    'sock: release of skb->sk',
    'tc',
    { verdict: 'EINVAL', message: 'R1 must be referenced when passed to release function' },
    () => [ldx(8, r1, r1, 168), jmp('eq', r1, 0, 'out'), ...release, label('out'), ...done],
  ),
  kernelCase('sock: release through bpf_sk_fullsock', 'tc', {}, () => [
    ...lookup(84),
    jmp('eq', r0, 0, 'out'),
    mov(r6, r0),
    mov(r1, r0),
    callHelper(95),
    jmp('ne', r0, 0, 'full'),
    mov(r1, r6),
    ...release,
    ...done,
    label('full'),
    mov(r1, r0),
    ...release,
    label('out'),
    ...done,
  ]),
];

/** bpf_ringbuf_reserve of 8 bytes; the call is insn 4. */
function reserve(names: Names): Item[] {
  return [names.map(r1, ringbufMap), mov(r2, 8), mov(r3, 0), callHelper(131)];
}
const submit: Item[] = [mov(r2, 0), callHelper(132)];

function record(name: string, type: ProgType, expected: Expected, after: readonly Item[]): KernelCase {
  return kernelCase(`ringbuf: ${name}`, type, expected, (names) => [...reserve(names), ...after]);
}

const records: KernelCase[] = [
  ...(['xdp', 'tc', 'syscall', 'socket_filter', 'tracepoint'] as const).map((type) =>
    record(`reserve, submit, ${type}`, type, type === 'tracepoint' ? {} : { retval: 0 }, [
      jmp('eq', r0, 0, 'out'),
      mov(r1, r0),
      ...submit,
      label('out'),
      ...done,
    ]),
  ),
  record('reserve, discard', 'xdp', { retval: 0 }, [
    jmp('eq', r0, 0, 'out'),
    mov(r1, r0),
    mov(r2, 0),
    callHelper(133),
    label('out'),
    ...done,
  ]),
  record('leak', 'xdp', { verdict: 'EINVAL', message: leak(4) }, done),
  record(
    'submit without NULL check',
    'xdp',
    { verdict: 'EACCES', message: 'R1 type=ringbuf_mem_or_null expected=ringbuf_mem' },
    [mov(r1, r0), ...submit, ...done],
  ),
  record('double submit', 'xdp', { verdict: 'EACCES', message: 'R1 type=scalar expected=ringbuf_mem' }, [
    jmp('eq', r0, 0, 'out'),
    mov(r6, r0),
    mov(r1, r6),
    ...submit,
    mov(r1, r6),
    ...submit,
    label('out'),
    ...done,
  ]),
  record('use after submit', 'xdp', { verdict: 'EACCES', message: "R6 invalid mem access 'scalar'" }, [
    jmp('eq', r0, 0, 'out'),
    mov(r6, r0),
    mov(r1, r6),
    ...submit,
    st(8, r6, 0, 1),
    label('out'),
    ...done,
  ]),
  record(
    'submit of a moved pointer',
    'xdp',
    {
      verdict: 'EINVAL',
      message: 'R1 must have zero offset when passed to release func or trusted arg to kfunc',
    },
    [jmp('eq', r0, 0, 'out'), mov(r1, r0), add(r1, 4), ...submit, label('out'), ...done],
  ),
  record(
    'store out of bounds',
    'xdp',
    { verdict: 'EACCES', message: 'R0 min value is outside of the allowed memory range' },
    [jmp('eq', r0, 0, 'out'), st(8, r0, 8, 1), mov(r1, r0), ...submit, label('out'), ...done],
  ),
];

/** bpf_ringbuf_reserve_dynptr of 8 bytes into fp-16; the call is insn 6. */
function reserveDynptr(names: Names): Item[] {
  return [names.map(r1, ringbufMap), mov(r2, 8), mov(r3, 0), ...stackPointer(r4, -16), callHelper(198)];
}
const submitDynptr: Item[] = [...stackPointer(r1, -16), mov(r2, 0), callHelper(199)];

function dynptr(name: string, expected: Expected, after: readonly Item[]): KernelCase {
  return kernelCase(`dynptr: ${name}`, 'xdp', expected, (names) => [...reserveDynptr(names), ...after]);
}

const data: Item[] = [...stackPointer(r1, -16), mov(r2, 0), mov(r3, 8), callHelper(203)];

const dynptrs: KernelCase[] = [
  dynptr('reserve, submit', { retval: 0 }, [...submitDynptr, ...done]),
  dynptr('leak', { verdict: 'EINVAL', message: leak(6) }, done),
  dynptr('submit only when the call went well', { verdict: 'EINVAL', message: leak(6) }, [
    jmp('ne', r0, 0, 'out'),
    ...submitDynptr,
    label('out'),
    ...done,
  ]),
  dynptr('double submit', { verdict: 'EINVAL', message: 'arg 1 is an unacquired reference' }, [
    ...submitDynptr,
    ...submitDynptr,
    ...done,
  ]),
  dynptr('store over the slot', { verdict: 'EINVAL', message: 'cannot overwrite referenced dynptr' }, [
    st(8, r10, -16, 0),
    ...submitDynptr,
    ...done,
  ]),
  dynptr('slice', {}, [
    ...data,
    jmp('eq', r0, 0, 'out'),
    st(8, r0, 0, 1),
    label('out'),
    ...submitDynptr,
    ...done,
  ]),
  dynptr('slice after submit', { verdict: 'EACCES', message: "R6 invalid mem access 'scalar'" }, [
    ...data,
    mov(r6, r0),
    jmp('eq', r0, 0, 'out'),
    ...submitDynptr,
    st(8, r6, 0, 1),
    ...done,
    label('out'),
    ...submitDynptr,
    ...done,
  ]),
  // Linux 6.18 does not count the clones: any of them that must be given back stays where it is.
  ...[-16, -32].flatMap((over) =>
    [-16, -32].map((given) =>
      kernelCase(
        `dynptr: store over ${over === -16 ? 'one that was cloned' : 'a clone'}, give fp${given} back`,
        'xdp',
        { verdict: 'EINVAL', message: 'cannot overwrite referenced dynptr' },
        (names) => [
          ...reserveDynptr(names),
          ...stackPointer(r1, -16),
          ...stackPointer(r2, -32),
          names.kfunc('bpf_dynptr_clone'),
          st(8, r10, over, 0),
          ...stackPointer(r1, given),
          mov(r2, 0),
          callHelper(199),
          ...done,
        ],
      ),
    ),
  ),
  kernelCase(
    'dynptr: clone over a clone',
    'xdp',
    { verdict: 'EINVAL', message: 'cannot overwrite referenced dynptr' },
    (names) => [
      ...reserveDynptr(names),
      ...[0, 1].flatMap(() => [
        ...stackPointer(r1, -16),
        ...stackPointer(r2, -32),
        names.kfunc('bpf_dynptr_clone'),
      ]),
      ...submitDynptr,
      ...done,
    ],
  ),
  kernelCase('dynptr: view of the packet', 'tc', { retval: 0 }, ({ kfunc }) => [
    mov(r2, 0),
    ...stackPointer(r3, -16),
    kfunc('bpf_dynptr_from_skb'),
    ...stackPointer(r1, -16),
    mov(r2, 0),
    ...stackPointer(r3, -32),
    mov(r4, 8),
    kfunc('bpf_dynptr_slice'),
    jmp('eq', r0, 0, 'out'),
    ldx(1, r0, r0, 0),
    exit(),
    label('out'),
    mov(r0, 0),
    exit(),
  ]),
  kernelCase(
    'dynptr: view of a packet where there is none',
    'syscall',
    { verdict: 'EACCES', message: 'calling kernel function bpf_dynptr_from_skb is not allowed' },
    ({ kfunc }) => [mov(r2, 0), ...stackPointer(r3, -16), kfunc('bpf_dynptr_from_skb'), ...done],
  ),
];

const overwritten: KernelCase[] = [
  kernelCase(
    'dynptr: a slice of one that was overwritten',
    'xdp',
    { verdict: 'EACCES', message: "R7 invalid mem access 'scalar'" },
    ({ map }) => [
      ...[st(4, r10, -36, 0), map(r1, arrayMap(16)), ...stackPointer(r2, -36), callHelper(1)],
      ...[
        jmp('eq', r0, 0, 'out'),
        mov(r1, r0),
        mov(r2, 16),
        mov(r3, 0),
        ...stackPointer(r4, -16),
        callHelper(197),
      ],
      ...[...data, jmp('eq', r0, 0, 'out'), mov(r7, r0)],
      ...[st(8, r10, -8, 0), st(8, r7, 0, 1)],
      label('out'),
      ...done,
    ],
  ),
];

const plain: KernelCase[] = [
  kernelCase('map: look up and count', 'xdp', { retval: 1 }, ({ map }) => [
    st(4, r10, -4, 0),
    map(r1, arrayMap(8)),
    ...stackPointer(r2, -4),
    callHelper(1),
    jmp('eq', r0, 0, 'out'),
    ldx(8, r7, r0, 0),
    add(r7, 1),
    mov(r0, r7),
    exit(),
    label('out'),
    ...done,
  ]),
  kernelCase(
    'map: no NULL check',
    'xdp',
    { verdict: 'EACCES', message: "R0 invalid mem access 'map_value_or_null'" },
    ({ map }) => [
      st(4, r10, -4, 1),
      map(r1, arrayMap(8)),
      ...stackPointer(r2, -4),
      callHelper(1),
      ldx(8, r0, r0, 0),
      exit(),
    ],
  ),
  kernelCase(
    'misc: no such helper',
    'xdp',
    { verdict: 'EINVAL', message: 'invalid func unknown#999' },
    () => [callHelper(999), ...done],
  ),
  kernelCase(
    'misc: helper of another type',
    'xdp',
    { verdict: 'EINVAL', message: 'program of this type cannot use helper bpf_skb_load_bytes#26' },
    () => [callHelper(26), ...done],
  ),
  kernelCase('misc: uninitialised stack', 'xdp', {}, () => [ldx(8, r0, r10, -8), ...done]),
];

export const memoryCases: readonly KernelCase[] = [
  ...sockets,
  ...socketMisuse,
  ...records,
  ...dynptrs,
  ...overwritten,
  ...plain,
];
