/** Every kind of pointer that a program can have: how it comes by it, how far it reaches, and what is to be done before the end. */
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
  r7,
  r9,
  r10,
  st,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import { MAP_FLAGS } from '../../../src/kernel/maptypes.js';
import type { LocalType, MapDef, ProgType } from '../../../src/object/program.js';
import { arrayMap, type Names, ringbufMap, stackPointer } from '../kernel/case.js';

export interface Pointer {
  readonly name: string;
  readonly type: ProgType;
  /** Bytes that it reaches. */
  readonly limit: number;
  /** r6 = the pointer. r9 is the context; what it leaves in r7 `undo` may use. Goes to `out` where the pointer is not to be had. */
  readonly make: (n: Names) => Item[];
  /** Gives back what was acquired for it. */
  readonly undo?: (n: Names) => Item[];
  /** Functions that `make` calls and that must not call `body`. */
  readonly functions?: (n: Names) => Item[];
  /** The body runs in a function or callback, into which `make` has led. */
  readonly inner?: (n: Names, body: readonly Item[]) => Item[];
}

const KEY = -32;
const AREA = -64;

const OBJECT: LocalType = {
  name: 'node_data',
  size: 32,
  fields: [{ kind: 'refcount', offset: 16, size: 4 }],
  id: 1,
};

const PLAIN: LocalType = { name: 'plain', size: 24, fields: [], id: 2 };
/** Types of the objects that pointers point to. */
export const OBJECTS: readonly LocalType[] = [OBJECT, PLAIN];

const lookUp = (map: MapDef, check = true): ((n: Names) => Item[]) => {
  return (n) => [
    st(8, r10, KEY, 0),
    n.map(r1, map),
    ...stackPointer(r2, KEY),
    callHelper(1),
    ...(check ? [jmp('eq', r0, 0, 'out')] : []),
    mov(r6, r0),
  ];
};

const value = (name: string, map: MapDef): Pointer => ({
  name,
  type: 'xdp',
  limit: map.valueSize,
  make: lookUp(map),
});

const named = (name: string, more: Partial<MapDef>): MapDef => ({ ...arrayMap(24, 2), name, ...more });

const initial = new Uint8Array(24).map((_, i) => i + 1);

const socketTuple: Item[] = [
  st(8, r10, AREA, 0),
  st(8, r10, AREA + 8, 0),
  mov(r1, r9),
  ...stackPointer(r2, AREA),
  mov(r3, 12),
  mov(r4, -1),
  mov(r5, 0),
  callHelper(84),
];

/** r6 = the packet, of which `size` bytes are there; offsets of data and its end in the context. */
const packet = (_type: ProgType, start: number, finish: number, size: number): Item[] => [
  ldx(4, r6, r9, start),
  ldx(4, r2, r9, finish),
  mov(r1, r6),
  add(r1, size),
  jmp('gt', r1, r2, 'out'),
];

const record =
  (check: boolean) =>
  (n: Names): Item[] => [
    n.map(r1, ringbufMap),
    mov(r2, 24),
    mov(r3, 0),
    callHelper(131),
    ...(check ? [jmp('eq', r0, 0, 'out')] : []),
    mov(r6, r0),
    mov(r7, r0),
  ];

const object =
  (check: boolean) =>
  (n: Names): Item[] => [
    mov(r1, 1),
    mov(r2, 0),
    n.kfunc('bpf_obj_new_impl'),
    ...(check ? [jmp('eq', r0, 0, 'out')] : []),
    mov(r6, r0),
    mov(r7, r0),
  ];

const dropUnlessNull: Item[] = [jmp('eq', r7, 0, 'out'), mov(r1, r7)];

export const POINTERS: readonly Pointer[] = [
  {
    name: 'stack',
    type: 'xdp',
    limit: 24,
    make: () => [st(8, r10, -24, 0), st(8, r10, -16, 0), st(8, r10, -8, 0), ...stackPointer(r6, -24)],
  },
  { name: 'stack never written', type: 'xdp', limit: 24, make: () => stackPointer(r6, -24) },
  { name: 'bottom of the stack', type: 'xdp', limit: 24, make: () => stackPointer(r6, -512) },
  {
    name: "caller's stack",
    type: 'xdp',
    limit: 24,
    make: () => [st(8, r10, -24, 0), st(8, r10, -16, 0), st(8, r10, -8, 0), ...stackPointer(r1, -24)],
    inner: (_, body) => [callSub('inner'), mov(r0, 0), exit(), label('inner'), mov(r6, r1), ...body],
  },
  {
    name: 'spilled pointers',
    type: 'xdp',
    limit: 24,
    make: () => [stx(8, r10, -24, r9), stx(8, r10, -16, r10), stx(8, r10, -8, r9), ...stackPointer(r6, -24)],
  },
  value('array value', named('arr', {})),
  value('hash value', named('hash', { type: 'hash' })),
  value('value only to be read', named('ro', { flags: MAP_FLAGS.RDONLY_PROG })),
  value('value only to be written', named('wo', { flags: MAP_FLAGS.WRONLY_PROG })),
  value('value with a lock', named('lock', { fields: [{ kind: 'spin_lock', offset: 8, size: 4 }] })),
  value('value with a timer', named('timer', { fields: [{ kind: 'timer', offset: 8, size: 16 }] })),
  value(
    'value with a kptr',
    named('kptr', { fields: [{ kind: 'kptr', offset: 8, size: 8, struct: 'node_data' }] }),
  ),
  value(
    'value with a kptr that is not counted',
    named('unref', { fields: [{ kind: 'kptr_untrusted', offset: 16, size: 8, struct: 'task_struct' }] }),
  ),
  {
    name: 'value at a constant offset',
    type: 'xdp',
    limit: 16,
    make: (n) => [n.value(r6, named('one', { maxEntries: 1 }), 8)],
  },
  {
    name: 'frozen value',
    type: 'xdp',
    limit: 24,
    make: (n) => [
      n.value(r6, named('frozen', { maxEntries: 1, flags: MAP_FLAGS.RDONLY_PROG, initial, frozen: true })),
    ],
  },
  {
    name: 'value that may be NULL',
    type: 'xdp',
    limit: 24,
    make: lookUp(named('arr', {}), false),
  },
  {
    name: 'map key',
    type: 'xdp',
    limit: 8,
    make: (n) => [
      n.map(r1, named('keys', { type: 'hash', keySize: 8 })),
      ldFunc(r2, 'inner'),
      mov(r3, 0),
      mov(r4, 0),
      callHelper(164),
    ],
    inner: (_, body) => [mov(r0, 0), exit(), label('inner'), mov(r6, r2), ...body],
  },
  {
    name: 'record',
    type: 'xdp',
    limit: 24,
    make: record(true),
    undo: () => [...dropUnlessNull, mov(r2, 0), callHelper(132)],
  },
  {
    name: 'record that may be NULL',
    type: 'xdp',
    limit: 24,
    make: record(false),
    undo: () => [...dropUnlessNull, mov(r2, 0), callHelper(132)],
  },
  { name: 'packet of XDP', type: 'xdp', limit: 24, make: () => packet('xdp', 0, 4, 24) },
  { name: 'packet of an skb', type: 'tc', limit: 24, make: () => packet('tc', 76, 80, 24) },
  { name: 'packet never checked', type: 'xdp', limit: 24, make: () => [ldx(4, r6, r9, 0)] },
  { name: 'packet only to be read', type: 'lwt_in', limit: 24, make: () => packet('lwt_in', 76, 80, 24) },
  { name: 'packet metadata', type: 'xdp', limit: 8, make: () => packet('xdp', 8, 0, 8) },
  { name: 'end of the packet', type: 'xdp', limit: 8, make: () => [ldx(4, r6, r9, 4)] },
  { name: 'context of XDP', type: 'xdp', limit: 24, make: () => [mov(r6, r9)] },
  { name: 'context of a tracepoint', type: 'tracepoint', limit: 24, make: () => [mov(r6, r9)] },
  {
    name: 'socket',
    type: 'tc',
    limit: 80,
    make: () => [...socketTuple, jmp('eq', r0, 0, 'out'), mov(r6, r0), mov(r7, r0)],
    undo: () => [mov(r1, r7), callHelper(86)],
  },
  {
    name: 'socket that may be NULL',
    type: 'tc',
    limit: 80,
    make: () => [...socketTuple, mov(r6, r0), mov(r7, r0)],
    undo: () => [...dropUnlessNull, callHelper(86)],
  },
  {
    name: 'socket of the skb',
    type: 'tc',
    limit: 80,
    make: () => [ldx(8, r6, r9, 168), jmp('eq', r6, 0, 'out')],
  },
  {
    name: 'socket of the skb that may be NULL',
    type: 'tc',
    limit: 80,
    make: () => [ldx(8, r6, r9, 168)],
  },
  {
    name: 'TCP socket',
    type: 'tc',
    limit: 96,
    make: () => [
      ldx(8, r1, r9, 168),
      jmp('eq', r1, 0, 'out'),
      callHelper(96),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
    ],
  },
  { name: 'flow keys', type: 'flow_dissector', limit: 56, make: () => [ldx(8, r6, r9, 144)] },
  {
    name: 'object',
    type: 'tc',
    limit: 32,
    make: object(true),
    undo: ({ kfunc }) => [...dropUnlessNull, mov(r2, 0), kfunc('bpf_obj_drop_impl')],
  },
  {
    name: 'object that may be NULL',
    type: 'tc',
    limit: 32,
    make: object(false),
    undo: ({ kfunc }) => [...dropUnlessNull, mov(r2, 0), kfunc('bpf_obj_drop_impl')],
  },
  {
    name: 'per-CPU object',
    type: 'tc',
    limit: 24,
    make: (n) => [
      mov(r1, 2),
      mov(r2, 0),
      n.kfunc('bpf_percpu_obj_new_impl'),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      mov(r7, r0),
    ],
    undo: ({ kfunc }) => [...dropUnlessNull, mov(r2, 0), kfunc('bpf_percpu_obj_drop_impl')],
  },
  {
    name: 'data of a dynptr',
    type: 'tc',
    limit: 24,
    make: (n) => [
      n.map(r1, ringbufMap),
      mov(r2, 24),
      mov(r3, 0),
      ...stackPointer(r4, AREA),
      callHelper(198),
      ...stackPointer(r1, AREA),
      mov(r2, 0),
      mov(r3, 24),
      callHelper(203),
      mov(r6, r0),
      jmp('eq', r0, 0, 'given'),
    ],
    undo: () => [label('given'), ...stackPointer(r1, AREA), mov(r2, 0), callHelper(199)],
  },
  {
    name: 'slice of the packet only to be read',
    type: 'tc',
    limit: 24,
    make: (n) => [
      mov(r1, r9),
      mov(r2, 0),
      ...stackPointer(r3, AREA),
      n.kfunc('bpf_dynptr_from_skb'),
      ...stackPointer(r1, AREA),
      mov(r2, 0),
      mov(r3, 0),
      mov(r4, 24),
      n.kfunc('bpf_dynptr_slice'),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
    ],
  },
  {
    name: 'element of an iterator',
    type: 'tc',
    limit: 4,
    make: (n) => [
      ...stackPointer(r1, AREA),
      mov(r2, 0),
      mov(r3, 4),
      n.kfunc('bpf_iter_num_new'),
      ...stackPointer(r1, AREA),
      n.kfunc('bpf_iter_num_next'),
      mov(r6, r0),
      jmp('eq', r0, 0, 'given'),
    ],
    undo: ({ kfunc }) => [label('given'), ...stackPointer(r1, AREA), kfunc('bpf_iter_num_destroy')],
  },
  { name: 'known number', type: 'xdp', limit: 8, make: () => [mov(r6, 4096)] },
  { name: 'unknown number', type: 'xdp', limit: 8, make: () => [ldx(4, r6, r9, 12)] },
];

/** The program's start: r9 = the context, r8 = an unknown number of 32 bits. */
export const usingPointer = (
  pointer: Pointer,
  n: Names,
  first: readonly Item[],
  body: readonly Item[],
): Item[] => {
  const { make, undo, inner } = pointer;
  const all = [...body, ...(undo?.(n) ?? [])];
  const end: Item[] = [label('out'), mov(r0, 0), exit()];
  if (inner === undefined) return [mov(r9, r1), ...first, ...make(n), ...all, ...end];
  return [mov(r9, r1), ...make(n), ...inner(n, [...saved, ...first, ...all, ...end])];
};

/** A callback's or function's r6 survives the calls that come first; its context is a number. */
const saved: readonly Item[] = [mov(r9, 0)];
