/** Every kind of pointer, usual or rare, used in every way that is not a plain access: passed for each kind of argument, kept, compared, outlived. */
import {
  add,
  atomic,
  callHelper,
  callSub,
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
  r8,
  r9,
  r10,
  st,
  stx,
  w6,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef } from '../../../src/object/program.js';
import { arrayMap, type Names, ringbufMap, stackPointer } from '../kernel/case.js';
import { type Family, family, small } from './family.js';
import { POINTERS, type Pointer, usingPointer } from './pointers.js';
import { KEEPING, PLANTED, RARE_OBJECTS, RARE_POINTERS, TIMED } from './rare-pointers.js';

const KEY = -160;
const SPARE = -192;

const STORED: MapDef = {
  name: 'stored',
  type: 'sk_storage',
  keySize: 4,
  valueSize: 8,
  maxEntries: 0,
  flags: 1,
  fields: [],
};
const HASH: MapDef = { ...arrayMap(8), name: 'hashed', type: 'hash', keySize: 8 };
const ONE: MapDef = { ...arrayMap(24), name: 'single' };
const CALLED: MapDef = {
  name: 'called',
  type: 'prog_array',
  keySize: 4,
  valueSize: 4,
  maxEntries: 1,
  flags: 0,
  fields: [],
};
const EVENTS: MapDef = { ...CALLED, name: 'events', type: 'perf_event_array' };

const asFirst = (...rest: Item[]): Item[] => [mov(r1, r6), ...rest];
/** r1 = the pointer, moved to the field of the value. */
const field = (...rest: Item[]): Item[] => [mov(r1, r6), add(r1, 8), ...rest];
const load: Item = ldx(4, r0, r6, 0);
/** Frees the object in r0, if there is one. */
const freed = (n: Names): Item[] => [
  jmp('eq', r0, 0, 'skip'),
  mov(r1, r0),
  mov(r2, 0),
  n.kfunc('bpf_obj_drop_impl'),
];
const output = (n: Names, size: number): Item[] => [
  n.map(r1, ringbufMap),
  mov(r3, size),
  mov(r4, 0),
  callHelper(130),
];

/** What is done with the pointer in r6; r9 is the context, r8 an unknown number. May jump to `skip`, which is right behind. */
const USES: Readonly<Record<string, (n: Names) => Item[]>> = {
  read: () => [load],
  written: () => [st(8, r6, 0, 1)],
  'added to': () => [mov(r1, 1), atomic('add', 8, r6, 0, r1)],
  'a key': (n) => [n.map(r1, HASH), mov(r2, r6), callHelper(1)],
  'a value': (n) => [
    st(8, r10, KEY, 0),
    n.map(r1, HASH),
    ...stackPointer(r2, KEY),
    mov(r3, r6),
    mov(r4, 0),
    callHelper(2),
  ],
  'memory that is read': (n) => [mov(r2, r6), ...output(n, 8)],
  'more memory that is read': (n) => [mov(r2, r6), ...output(n, 25)],
  'no memory': (n) => [mov(r2, r6), ...output(n, 0)],
  'memory from its fourth byte': (n) => [mov(r2, r6), add(r2, 4), ...output(n, 4)],
  'memory at an unknown offset': (n) => [jmp('gt', r8, 8, 'skip'), mov(r2, r6), add(r2, r8), ...output(n, 8)],
  'memory of an unknown size': (n) => [
    jmp('gt', r8, 24, 'skip'),
    n.map(r1, ringbufMap),
    mov(r2, r6),
    mov(r3, r8),
    mov(r4, 0),
    callHelper(130),
  ],
  'memory or NULL': () => asFirst(mov(r2, 8), mov(r3, 0), mov(r4, 0), mov(r5, 0), callHelper(28)),
  'memory that is written': () => asFirst(mov(r2, 8), mov(r3, 0), callHelper(113)),
  'memory of a kfunc': (n) => [
    mov(r1, r9),
    mov(r2, 0),
    ...stackPointer(r3, SPARE),
    n.kfunc('bpf_dynptr_from_skb'),
    ...stackPointer(r1, SPARE),
    mov(r2, 0),
    mov(r3, r6),
    mov(r4, 8),
    n.kfunc('bpf_dynptr_slice'),
  ],
  'memory for a dynptr': () => asFirst(mov(r2, 8), mov(r3, 0), ...stackPointer(r4, SPARE), callHelper(197)),
  'a size': (n) => [
    st(8, r10, KEY, 0),
    n.map(r1, ringbufMap),
    ...stackPointer(r2, KEY),
    mov(r3, r6),
    mov(r4, 0),
    callHelper(130),
  ],
  'a flag': (n) => [
    st(8, r10, KEY, 0),
    n.map(r1, ringbufMap),
    ...stackPointer(r2, KEY),
    mov(r3, 8),
    mov(r4, r6),
    callHelper(130),
  ],
  'a map': () => [st(8, r10, KEY, 0), ...asFirst(...stackPointer(r2, KEY), callHelper(1))],
  'the context': (n) => [
    st(8, r10, KEY, 0),
    ...asFirst(n.map(r2, EVENTS), mov(r3, 0), ...stackPointer(r4, KEY), mov(r5, 8), callHelper(25)),
  ],
  'a TCP socket': () => asFirst(callHelper(96)),
  'a socket to be cast': () => asFirst(callHelper(137)),
  'a socket with storage': (n) => [n.map(r1, STORED), mov(r2, r6), mov(r3, 0), mov(r4, 0), callHelper(107)],
  'a task': (n) => [
    ...asFirst(n.kfunc('bpf_task_acquire')),
    jmp('eq', r0, 0, 'skip'),
    mov(r1, r0),
    n.kfunc('bpf_task_release'),
  ],
  'a mask': (n) => asFirst(n.kfunc('bpf_cpumask_first')),
  'a counted mask': (n) =>
    asFirst(n.kfunc('bpf_cpumask_acquire'), mov(r1, r0), n.kfunc('bpf_cpumask_release')),
  'a string': () => [st(8, r10, KEY, 0), ...stackPointer(r1, KEY), mov(r2, 8), mov(r3, r6), callHelper(182)],
  'a dynptr to read': () => [
    ...stackPointer(r1, SPARE),
    mov(r2, 8),
    mov(r3, r6),
    mov(r4, 0),
    mov(r5, 0),
    callHelper(201),
  ],
  'a dynptr with a size': (n) => asFirst(n.kfunc('bpf_dynptr_size')),
  'a dynptr to change': (n) => asFirst(mov(r2, 0), mov(r3, 8), n.kfunc('bpf_dynptr_adjust')),
  'a dynptr to make': (n) => [n.value(r1, ONE), mov(r2, 8), mov(r3, 0), mov(r4, r6), callHelper(197)],
  'a dynptr to clone': (n) => asFirst(...stackPointer(r2, SPARE), n.kfunc('bpf_dynptr_clone')),
  'an iterator to begin': (n) =>
    asFirst(mov(r2, 0), mov(r3, 4), n.kfunc('bpf_iter_num_new'), ...asFirst(n.kfunc('bpf_iter_num_destroy'))),
  'an iterator': (n) => asFirst(n.kfunc('bpf_iter_num_next')),
  'an IRQ state': (n) => asFirst(n.kfunc('bpf_local_irq_restore'), ...asFirst(n.kfunc('bpf_local_irq_save'))),
  'a kptr': (n) => field(mov(r2, 0), callHelper(194), ...freed(n)),
  'what a kptr becomes': (n) => [n.value(r1, KEEPING, 8), mov(r2, r6), callHelper(194), mov(r7, r0)],
  'a lock': () => [...asFirst(callHelper(93)), ...asFirst(callHelper(94))],
  'a lock in it': () => [...field(callHelper(93)), ...field(callHelper(94))],
  'a resilient lock': (n) => [
    ...field(n.kfunc('bpf_res_spin_lock')),
    jmp('ne', r0, 0, 'skip'),
    ...field(n.kfunc('bpf_res_spin_unlock')),
  ],
  'a timer': (n) => field(n.map(r2, TIMED), mov(r3, 1), callHelper(169)),
  'a timer to cancel': () => field(callHelper(172)),
  'a list': (n) => [
    ...asFirst(callHelper(93)),
    ...field(n.kfunc('bpf_list_front')),
    ...asFirst(callHelper(94)),
  ],
  'a list without its lock': (n) => field(n.kfunc('bpf_list_front')),
  'a tree': (n) => [
    ...asFirst(callHelper(93)),
    ...field(n.kfunc('bpf_rbtree_first')),
    ...asFirst(callHelper(94)),
  ],
  'a node of a tree': (n) => [n.value(r1, PLANTED, 8), mov(r2, r6), n.kfunc('bpf_rbtree_left')],
  'a counted object': (n) => asFirst(mov(r2, 0), n.kfunc('bpf_refcount_acquire_impl'), ...freed(n)),
  'an object for each CPU': () => asFirst(callHelper(154), ldx(4, r0, r0, 0)),
  'an object of one CPU': () =>
    asFirst(mov(r2, 0), callHelper(153), jmp('eq', r0, 0, 'skip'), ldx(4, r0, r0, 0)),
  'a callback': () => [mov(r1, 4), mov(r2, r6), mov(r3, 0), mov(r4, 0), callHelper(181)],
  "a function's argument": () => asFirst(callSub('takes')),
  'kept over a call': () => [callSub('plain'), load],
  'kept over a tail call': (n) => [mov(r1, r9), n.map(r2, CALLED), mov(r3, 0), callHelper(12), load],
  'kept while an skb moves': () => [mov(r1, r9), mov(r2, 0), callHelper(39), load],
  'kept while an XDP packet moves': () => [mov(r1, r9), mov(r2, 0), callHelper(44), load],
  'kept over an RCU section': (n) => [n.kfunc('bpf_rcu_read_lock'), n.kfunc('bpf_rcu_read_unlock'), load],
  'written to in an RCU section': (n) => [
    n.kfunc('bpf_rcu_read_lock'),
    st(4, r6, 0, 0),
    n.kfunc('bpf_rcu_read_unlock'),
  ],
  'read without preemption': (n) => [n.kfunc('bpf_preempt_disable'), load, n.kfunc('bpf_preempt_enable')],
  'not NULL': () => [jmp('eq', r6, 0, 'skip'), load],
  NULL: () => [jmp('ne', r6, 0, 'skip'), load],
  'its low half not 0': () => [jmp('eq', w6, 0, 'skip'), load],
  'not 1': () => [jmp('eq', r6, 1, 'skip'), load],
  'above 0': () => [jmp('gt', r6, 0, 'skip'), load],
  'the same as its copy': () => [mov(r2, r6), jmp('ne', r2, r6, 'skip'), ldx(4, r0, r2, 0)],
  'the context, or not': () => [jmp('eq', r6, r9, 'skip'), load],
  'an unknown number, or not': () => [jmp('eq', r6, r8, 'skip'), load],
  'put on the stack': () => [stx(8, r10, SPARE, r6), ldx(8, r1, r10, SPARE), ldx(4, r0, r1, 0)],
  'put on the stack in part': () => [stx(8, r10, SPARE, r6), ldx(4, r1, r10, SPARE)],
  'put on the stack and written over': () => [
    stx(8, r10, SPARE, r6),
    st(1, r10, SPARE + 3, 0),
    ldx(8, r1, r10, SPARE),
  ],
  'put on the stack and exchanged': () => [
    stx(8, r10, SPARE, r9),
    mov(r1, r6),
    atomic('xchg', 8, r10, SPARE, r1),
    ldx(8, r1, r10, SPARE),
  ],
  'put on the stack for a function': (n) => [
    stx(8, r10, SPARE, r6),
    ...stackPointer(r2, SPARE),
    ...output(n, 8),
  ],
  'put into a value': (n) => [n.value(r1, ONE), stx(8, r1, 0, r6)],
  'put into the context': () => [stx(8, r9, 0, r6)],
  'handed out': () => [mov(r0, r6), exit()],
};

/** Rows that go into functions of their own are not handed out from them. */
const STRICT: ReadonlySet<string> = new Set([
  'memory that is read',
  'a key',
  'a value',
  'kept over a call',
  'not 1',
  'its low half not 0',
  'put on the stack',
  'put on the stack in part',
  'put into a value',
  'handed out',
]);

const functions = (items: readonly Item[]): Item[] =>
  [
    { name: 'takes', body: [ldx(4, r0, r1, 0), mov(r0, 0), exit()] },
    { name: 'plain', body: [mov(r0, 0), exit()] },
  ].flatMap(({ name, body }) =>
    items.some((item) => 'target' in item && item.target === name) ? [label(name), ...body] : [],
  );

const random: Item[] = [callHelper(7), mov(r8, r0)];

/** Every pointer and every use. */
export const passed: Family = family<Pointer>(
  'passed',
  [...POINTERS, ...RARE_POINTERS],
  Object.keys(USES),
  (pointer, use) => {
    // Linux falls over what the first store leaves behind it, when the dynptr is given back, and says so (EFAULT).
    if (pointer.name === 'data of a dynptr' && use === 'put on the stack and written over') return undefined;
    return small(pointer.type, { localTypes: RARE_OBJECTS }, (n) => {
      const items = usingPointer(pointer, n, random, [...USES[use]!(n), label('skip')]);
      return [...items, ...(pointer.functions?.(n) ?? []), ...functions(items)];
    });
  },
  (_, use) => STRICT.has(use),
);
