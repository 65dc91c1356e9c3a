/** Pointers that few programs have: to kernel objects, to what maps keep, to nodes, and pointers that may only be handed on. */
import {
  add,
  callHelper,
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
  r6,
  r7,
  r9,
  r10,
  st,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import { MAP_FLAGS } from '../../../src/kernel/maptypes.js';
import type { LocalType, MapDef, ProgType, SpecialField } from '../../../src/object/program.js';
import { arrayMap, type Names, ringbufMap, stackPointer } from '../kernel/case.js';
import { OBJECTS, type Pointer } from './pointers.js';

/** What lists hold. */
const NODE: LocalType = {
  name: 'rare_node',
  size: 40,
  fields: [{ kind: 'list_node', offset: 8, size: 24, node: 'node' }],
  id: 3,
};

/** What trees hold. */
const LEAF: LocalType = {
  name: 'rare_leaf',
  size: 48,
  fields: [{ kind: 'rb_node', offset: 8, size: 32, node: 'leaf' }],
  id: 4,
};

/** Types of the objects that pointers point to, these and the usual ones. */
export const RARE_OBJECTS: readonly LocalType[] = [...OBJECTS, NODE, LEAF];

const kept = (name: string, field: SpecialField, more: readonly SpecialField[] = []): MapDef => ({
  ...arrayMap(32),
  name,
  fields: [...more, field],
});

/** A map that keeps a list under a lock. */
export const LISTED = kept(
  'listed',
  { kind: 'list_head', offset: 8, size: 16, struct: 'rare_node', node: 'node' },
  [{ kind: 'spin_lock', offset: 0, size: 4 }],
);
/** A map that keeps a tree under a lock. */
export const PLANTED = kept(
  'planted',
  { kind: 'rb_root', offset: 8, size: 16, struct: 'rare_leaf', node: 'leaf' },
  [{ kind: 'spin_lock', offset: 0, size: 4 }],
);
/** A map that keeps an object of the program. */
export const KEEPING = kept('keeping', { kind: 'kptr', offset: 8, size: 8, struct: 'node_data' });
const KEEPING_TASK = kept('keeping_task', { kind: 'kptr', offset: 8, size: 8, struct: 'task_struct' });
const KEEPING_ANY = kept('keeping_any', {
  kind: 'kptr_untrusted',
  offset: 8,
  size: 8,
  struct: 'task_struct',
});
/** A map that keeps a timer. */
export const TIMED = kept('timed', { kind: 'timer', offset: 8, size: 16 });
const RES_LOCKED = kept('res_locked', { kind: 'res_spin_lock', offset: 8, size: 4 });

const KEY = -96;
const AREA = -128;

const lookUp = (n: Names, map: MapDef, helper = 1): Item[] => [
  st(8, r10, KEY, 0),
  n.map(r1, map),
  ...stackPointer(r2, KEY),
  ...(helper === 1 ? [] : [mov(r3, 0)]),
  callHelper(helper),
];

const found = (check = true): Item[] => [...(check ? [jmp('eq', r0, 0, 'out')] : []), mov(r6, r0)];

const value = (name: string, type: ProgType, map: MapDef, limit: number, helper = 1): Pointer => ({
  name,
  type,
  limit,
  make: (n) => [...lookUp(n, map, helper), ...found()],
});

/** r6 = what the map keeps at offset 8 of its value. */
const loaded = (name: string, type: ProgType, map: MapDef, section?: 'rcu', check = true): Pointer => ({
  name,
  type,
  limit: 32,
  make: (n) => [
    ...lookUp(n, map),
    jmp('eq', r0, 0, 'out'),
    mov(r7, r0),
    ...(section === undefined ? [] : [n.kfunc('bpf_rcu_read_lock')]),
    ldx(8, r6, r7, 8),
    ...(check ? [jmp('eq', r6, 0, 'given')] : []),
  ],
  undo: (n) => [label('given'), ...(section === undefined ? [] : [n.kfunc('bpf_rcu_read_unlock')])],
});

const task = (name: string, check: boolean): Pointer => ({
  name,
  type: 'tc',
  limit: 24,
  make: (n) => [
    mov(r1, 1),
    n.kfunc('bpf_task_from_pid'),
    ...(check ? [jmp('eq', r0, 0, 'out')] : []),
    mov(r6, r0),
    mov(r7, r0),
  ],
  undo: (n) => [jmp('eq', r7, 0, 'out'), mov(r1, r7), n.kfunc('bpf_task_release')],
});

const drop = (n: Names): Item[] => [mov(r2, 0), n.kfunc('bpf_obj_drop_impl')];

/** r6 = a node that a list or a tree still holds, under its lock. */
const node = (name: string, map: MapDef, helper: 'bpf_list_front' | 'bpf_rbtree_first'): Pointer => ({
  name,
  type: 'tc',
  limit: 40,
  make: (n) => [
    n.value(r7, map),
    mov(r1, r7),
    callHelper(93),
    mov(r1, r7),
    add(r1, 8),
    n.kfunc(helper),
    jmp('eq', r0, 0, 'given'),
    mov(r6, r0),
  ],
  undo: () => [label('given'), mov(r1, r7), callHelper(94)],
});

const newNode = (n: Names): Item[] => [
  mov(r1, 3),
  mov(r2, 0),
  n.kfunc('bpf_obj_new_impl'),
  jmp('eq', r0, 0, 'out'),
];

const text = (name: string, more: Partial<MapDef>): Pointer => ({
  name,
  type: 'tc',
  limit: 24,
  make: (n) => [
    n.value(r6, {
      ...arrayMap(24),
      name: 'text',
      flags: MAP_FLAGS.RDONLY_PROG,
      initial: new Uint8Array(24),
      frozen: true,
      ...more,
    }),
  ],
});

export const RARE_POINTERS: readonly Pointer[] = [
  value('value of a per-CPU map', 'tc', { ...arrayMap(24), name: 'each', type: 'percpu_array' }, 24),
  value("another CPU's value", 'tc', { ...arrayMap(24), name: 'each', type: 'percpu_array' }, 24, 195),
  value('value that keeps an object', 'tc', KEEPING, 32),
  value('value that keeps a task', 'tc', KEEPING_TASK, 32),
  value('value with a list', 'tc', LISTED, 32),
  value('value with a tree', 'tc', PLANTED, 32),
  value('value with a timer of an skb program', 'tc', TIMED, 32),
  value('value with a resilient lock', 'tc', RES_LOCKED, 32),
  value('XDP socket', 'xdp', { ...arrayMap(4), name: 'xsk', type: 'xskmap' }, 8),
  {
    name: 'local storage',
    type: 'cgroup_skb',
    limit: 24,
    make: (n) => [
      n.map(r1, {
        name: 'local',
        type: 'cgroup_storage',
        keySize: 8,
        valueSize: 24,
        maxEntries: 0,
        flags: 0,
        fields: [],
      }),
      mov(r2, 0),
      callHelper(81),
      mov(r6, r0),
    ],
  },
  text('text', {}),
  text('text that may change', { frozen: false }),
  text('text without an end', { initial: new Uint8Array(24).fill(65) }),
  text('text at its end', { initial: new Uint8Array(24).fill(65).fill(0, 23) }),
  { name: 'map', type: 'tc', limit: 24, make: (n) => [n.map(r6, arrayMap(24))] },
  {
    name: 'function',
    type: 'tc',
    limit: 24,
    make: () => [ldFunc(r6, 'handed')],
    functions: () => [label('handed'), mov(r0, 0), exit()],
  },
  task('task', true),
  task('task that may be NULL', false),
  {
    name: 'current task',
    type: 'tc',
    limit: 24,
    make: () => [callHelper(158), mov(r6, r0)],
  },
  {
    name: 'task of an iterator',
    type: 'syscall',
    limit: 24,
    make: (n) => [
      n.kfunc('bpf_rcu_read_lock'),
      ...stackPointer(r1, AREA),
      mov(r2, 0),
      mov(r3, 0),
      n.kfunc('bpf_iter_task_new'),
      ...stackPointer(r1, AREA),
      n.kfunc('bpf_iter_task_next'),
      mov(r6, r0),
      jmp('eq', r0, 0, 'given'),
    ],
    undo: (n) => [
      label('given'),
      ...stackPointer(r1, AREA),
      n.kfunc('bpf_iter_task_destroy'),
      n.kfunc('bpf_rcu_read_unlock'),
    ],
  },
  {
    name: 'mask of CPUs',
    type: 'syscall',
    limit: 24,
    make: (n) => [n.kfunc('bpf_cpumask_create'), jmp('eq', r0, 0, 'out'), mov(r6, r0), mov(r7, r0)],
    undo: (n) => [mov(r1, r7), n.kfunc('bpf_cpumask_release')],
  },
  {
    name: 'memory only to be read',
    type: 'tc',
    limit: 24,
    make: (n) => [mov(r1, r9), mov(r2, 0), n.kfunc('bpf_rdonly_cast'), mov(r6, r0)],
  },
  {
    name: 'socket cast to its type',
    type: 'tc',
    limit: 24,
    make: () => [ldx(8, r1, r9, 168), jmp('eq', r1, 0, 'out'), callHelper(137), ...found()],
  },
  loaded('object that is kept', 'tc', KEEPING),
  loaded('object that is kept, unchecked', 'tc', KEEPING, undefined, false),
  loaded('object that is kept, where programs sleep', 'syscall', KEEPING),
  loaded('object that is kept, in an RCU section', 'syscall', KEEPING, 'rcu'),
  loaded('task that is kept', 'tc', KEEPING_TASK),
  loaded('task that is kept, in an RCU section', 'syscall', KEEPING_TASK, 'rcu'),
  loaded('task that nobody counts', 'tc', KEEPING_ANY),
  {
    name: 'object counted twice',
    type: 'tc',
    limit: 32,
    make: (n) => [
      mov(r1, 1),
      mov(r2, 0),
      n.kfunc('bpf_obj_new_impl'),
      jmp('eq', r0, 0, 'out'),
      mov(r7, r0),
      mov(r1, r0),
      mov(r2, 0),
      n.kfunc('bpf_refcount_acquire_impl'),
      mov(r6, r0),
      mov(r1, r7),
      ...drop(n),
      mov(r7, r6),
    ],
    undo: (n) => [mov(r1, r7), ...drop(n)],
  },
  {
    name: 'node',
    type: 'tc',
    limit: 40,
    make: (n) => [...newNode(n), mov(r6, r0), mov(r7, r0)],
    undo: (n) => [mov(r1, r7), ...drop(n)],
  },
  {
    name: 'node that was put into a list',
    type: 'tc',
    limit: 40,
    make: (n) => [
      ...newNode(n),
      mov(r6, r0),
      n.value(r7, LISTED),
      mov(r1, r7),
      callHelper(93),
      mov(r1, r7),
      add(r1, 8),
      mov(r2, r6),
      add(r2, 8),
      mov(r3, 0),
      mov(r4, 0),
      n.kfunc('bpf_list_push_front_impl'),
    ],
    undo: () => [mov(r1, r7), callHelper(94)],
  },
  node('front of a list', LISTED, 'bpf_list_front'),
  node('first of a tree', PLANTED, 'bpf_rbtree_first'),
  {
    name: 'element that was taken out of a list',
    type: 'tc',
    limit: 40,
    make: (n) => [
      n.value(r7, LISTED),
      mov(r1, r7),
      callHelper(93),
      mov(r1, r7),
      add(r1, 8),
      n.kfunc('bpf_list_pop_front'),
      mov(r6, r0),
      mov(r1, r7),
      callHelper(94),
      jmp('eq', r6, 0, 'out'),
      mov(r7, r6),
    ],
    undo: (n) => [mov(r1, r7), add(r1, -8), ...drop(n)],
  },
  {
    name: 'dynptr on the stack',
    type: 'tc',
    limit: 16,
    make: (n) => [
      n.map(r1, ringbufMap),
      mov(r2, 24),
      mov(r3, 0),
      ...stackPointer(r4, AREA),
      callHelper(198),
      ...stackPointer(r6, AREA),
    ],
    undo: () => [...stackPointer(r1, AREA), mov(r2, 0), callHelper(199)],
  },
  {
    name: 'dynptr of the packet',
    type: 'tc',
    limit: 16,
    make: (n) => [
      mov(r1, r9),
      mov(r2, 0),
      ...stackPointer(r3, AREA),
      n.kfunc('bpf_dynptr_from_skb'),
      ...stackPointer(r6, AREA),
    ],
  },
  {
    name: 'dynptr of a callback',
    type: 'xdp',
    limit: 16,
    make: (n) => [
      n.map(r1, { ...ringbufMap, name: 'from_user', type: 'user_ringbuf' }),
      ldFunc(r2, 'inner'),
      mov(r3, 0),
      mov(r4, 0),
      callHelper(209),
    ],
    inner: (_, body) => [mov(r0, 0), exit(), label('inner'), mov(r6, r1), ...body],
  },
  {
    name: 'slice that may be written',
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
      n.kfunc('bpf_dynptr_slice_rdwr'),
      ...found(),
    ],
  },
  {
    name: 'iterator on the stack',
    type: 'tc',
    limit: 8,
    make: (n) => [
      ...stackPointer(r1, AREA),
      mov(r2, 0),
      mov(r3, 4),
      n.kfunc('bpf_iter_num_new'),
      ...stackPointer(r6, AREA),
    ],
    undo: (n) => [...stackPointer(r1, AREA), n.kfunc('bpf_iter_num_destroy')],
  },
  {
    name: 'saved IRQ state',
    type: 'tc',
    limit: 8,
    make: (n) => [...stackPointer(r1, AREA), n.kfunc('bpf_local_irq_save'), ...stackPointer(r6, AREA)],
    undo: (n) => [...stackPointer(r1, AREA), n.kfunc('bpf_local_irq_restore')],
  },
  {
    name: 'spilled socket',
    type: 'tc',
    limit: 8,
    make: () => [ldx(8, r1, r9, 168), stx(8, r10, AREA, r1), ...stackPointer(r6, AREA)],
  },
  {
    name: 'buffer of a writable tracepoint',
    type: 'raw_tracepoint_writable',
    limit: 8,
    make: () => [ldx(8, r6, r9, 0)],
  },
];
