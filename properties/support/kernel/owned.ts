/** Allocated objects, kptrs in map values, lists and trees: ownership that moves. */
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
  r6,
  r7,
  r8,
  r10,
  st,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { LocalType, MapDef } from '../../../src/object/program.js';
import {
  arrayMap,
  done,
  type Expected,
  type KernelCase,
  kernelCase,
  leak,
  lockR6,
  type Names,
  stackPointer,
  unlockR6,
} from './case.js';

const listNode: LocalType = {
  name: 'node_data',
  size: 32,
  fields: [{ kind: 'list_node', offset: 8, size: 24 }],
  id: 1,
};
const treeNode: LocalType = {
  name: 'tree_data',
  size: 40,
  fields: [{ kind: 'rb_node', offset: 8, size: 32 }],
  id: 1,
};
const counted: LocalType = {
  name: 'counted',
  size: 16,
  fields: [{ kind: 'refcount', offset: 8, size: 4 }],
  id: 1,
};

const listMap: MapDef = {
  ...arrayMap(24),
  fields: [
    { kind: 'spin_lock', offset: 0, size: 4 },
    { kind: 'list_head', offset: 8, size: 16, struct: 'node_data', node: 'node' },
  ],
};
const treeMap: MapDef = {
  ...arrayMap(24),
  fields: [
    { kind: 'spin_lock', offset: 0, size: 4 },
    { kind: 'rb_root', offset: 8, size: 16, struct: 'tree_data', node: 'node' },
  ],
};
const kptrMap: MapDef = {
  ...arrayMap(8),
  fields: [{ kind: 'kptr', offset: 0, size: 8, struct: 'task_struct' }],
};

/** r0 = a new object of local type 1; the call is insn 2. */
const fresh = ({ kfunc }: Names): Item[] => [mov(r1, 1), mov(r2, 0), kfunc('bpf_obj_new_impl')];
const drop = ({ kfunc }: Names): Item[] => [mov(r2, 0), kfunc('bpf_obj_drop_impl')];

function object(
  name: string,
  type: LocalType,
  expected: Expected,
  body: (names: Names) => Item[],
): KernelCase {
  return kernelCase(`obj: ${name}`, 'tc', { ...expected, localTypes: [type] }, (names) => [
    ...fresh(names),
    ...body(names),
  ]);
}

const objects: KernelCase[] = [
  object('new, drop', listNode, { retval: 0 }, (names) => [
    jmp('eq', r0, 0, 'out'),
    mov(r1, r0),
    ...drop(names),
    label('out'),
    ...done,
  ]),
  object('leak', listNode, { verdict: 'EINVAL', message: leak(2) }, () => done),
  object(
    'no NULL check',
    listNode,
    { verdict: 'EACCES', message: "R0 invalid mem access 'ptr_or_null_'" },
    () => [ldx(8, r0, r0, 0), exit()],
  ),
  object(
    'double drop',
    listNode,
    { verdict: 'EINVAL', message: 'R1 must be referenced or trusted' },
    (names) => [
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      mov(r1, r6),
      ...drop(names),
      mov(r1, r6),
      ...drop(names),
      label('out'),
      ...done,
    ],
  ),
  object('another reference', counted, { retval: 0 }, (names) => [
    jmp('eq', r0, 0, 'out'),
    mov(r6, r0),
    mov(r1, r6),
    mov(r2, 0),
    names.kfunc('bpf_refcount_acquire_impl'),
    mov(r7, r0),
    mov(r1, r6),
    ...drop(names),
    mov(r1, r7),
    ...drop(names),
    label('out'),
    ...done,
  ]),
];

/** r6 = value at key 0 of `map`, or exit. */
function value(names: Names, map: MapDef): Item[] {
  return [
    st(4, r10, -4, 0),
    names.map(r1, map),
    ...stackPointer(r2, -4),
    callHelper(1),
    jmp('ne', r0, 0, 'found'),
    ...done,
    label('found'),
    mov(r6, r0),
  ];
}

/** r7 = a new object, or exit. */
const owned = (names: Names): Item[] => [
  ...fresh(names),
  jmp('ne', r0, 0, 'new'),
  ...done,
  label('new'),
  mov(r7, r0),
];

const push = ({ kfunc }: Names): Item[] => [
  mov(r1, r6),
  add(r1, 8),
  mov(r2, r7),
  add(r2, 8),
  mov(r3, 0),
  mov(r4, 0),
  kfunc('bpf_list_push_front_impl'),
];
const pop = ({ kfunc }: Names): Item[] => [mov(r1, r6), add(r1, 8), kfunc('bpf_list_pop_front')];

function list(name: string, expected: Expected, body: (names: Names) => Item[]): KernelCase {
  return kernelCase(`list: ${name}`, 'tc', { ...expected, localTypes: [listNode] }, (names) => [
    ...value(names, listMap),
    ...body(names),
    ...done,
  ]);
}

const lists: KernelCase[] = [
  list('push', { retval: 0 }, (names) => [...owned(names), ...lockR6, ...push(names), ...unlockR6]),
  list(
    'push without the lock',
    { verdict: 'EINVAL', message: 'bpf_spin_lock at off=0 must be held for bpf_list_head' },
    (names) => [...owned(names), ...push(names)],
  ),
  list('use after push', { retval: 0 }, (names) => [
    ...owned(names),
    ...lockR6,
    ...push(names),
    stx(8, r7, 0, r10),
    ...unlockR6,
  ]),
  list('use after unlock', { verdict: 'EACCES', message: "R7 invalid mem access 'scalar'" }, (names) => [
    ...owned(names),
    ...lockR6,
    ...push(names),
    ...unlockR6,
    st(8, r7, 0, 1),
  ]),
  list('pop, drop', { retval: 0 }, (names) => [
    ...lockR6,
    ...pop(names),
    mov(r7, r0),
    ...unlockR6,
    jmp('eq', r7, 0, 'none'),
    mov(r1, r7),
    add(r1, -8),
    ...drop(names),
    label('none'),
  ]),
  list('pop, leak', { verdict: 'EINVAL', message: leak(14, 3) }, (names) => [
    ...lockR6,
    ...pop(names),
    ...unlockR6,
  ]),
];

const trees: KernelCase[] = [
  kernelCase('rbtree: first, remove, drop', 'tc', { retval: 0, localTypes: [treeNode] }, (names) => [
    ...value(names, treeMap),
    ...lockR6,
    mov(r1, r6),
    add(r1, 8),
    names.kfunc('bpf_rbtree_first'),
    jmp('eq', r0, 0, 'none'),
    mov(r1, r6),
    add(r1, 8),
    mov(r2, r0),
    names.kfunc('bpf_rbtree_remove'),
    mov(r8, r0),
    ...unlockR6,
    jmp('eq', r8, 0, 'out'),
    mov(r1, r8),
    add(r1, -8),
    ...drop(names),
    ...done,
    label('none'),
    ...unlockR6,
    label('out'),
    ...done,
  ]),
];

const xchg = (names: Names): Item[] => [
  mov(r1, r6),
  callHelper(194),
  jmp('eq', r0, 0, 'none'),
  mov(r1, r0),
  names.kfunc('bpf_task_release'),
];

const kptrs: KernelCase[] = [
  kernelCase('kptr: exchange, old one released', 'syscall', { retval: 0 }, (names) => [
    ...value(names, kptrMap),
    mov(r1, 1),
    names.kfunc('bpf_task_from_pid'),
    jmp('eq', r0, 0, 'none'),
    mov(r2, r0),
    ...xchg(names),
    label('none'),
    ...done,
  ]),
  kernelCase('kptr: exchange with NULL', 'syscall', { retval: 0 }, (names) => [
    ...value(names, kptrMap),
    mov(r2, 0),
    ...xchg(names),
    label('none'),
    ...done,
  ]),
  kernelCase('kptr: old one leaked', 'syscall', { verdict: 'EINVAL', message: leak(12) }, (names) => [
    ...value(names, kptrMap),
    mov(r2, 0),
    mov(r1, r6),
    callHelper(194),
    ...done,
  ]),
  kernelCase(
    'kptr: plain store',
    'syscall',
    { verdict: 'EACCES', message: 'store to referenced kptr disallowed' },
    (names) => [...value(names, kptrMap), st(8, r6, 0, 1), ...done],
  ),
];

export const ownedCases: readonly KernelCase[] = [...objects, ...lists, ...trees, ...kptrs];
