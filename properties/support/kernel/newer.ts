/** What Linux has learnt since 6.12: acquire and release, memory of no type, traps, nodes held by count, work queues that may sleep. */
import {
  add,
  and,
  callHelper,
  callSub,
  exit,
  ja,
  jmp,
  ldFunc,
  ldx,
  loadAcquire,
  mov,
  mul,
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
  storeRelease,
  stx,
  w7,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { LocalType, MapDef } from '../../../src/object/program.js';
import {
  arrayMap,
  done,
  type Expected,
  type KernelCase,
  kernelCase,
  lookedUp,
  type Names,
  stackPointer,
  unlockR6,
} from './case.js';

const refused = (message: string, verdict = 'EACCES'): Expected => ({ verdict, message });

const FLOW_KEYS = 144;
const orderings: KernelCase[] = [
  kernelCase(
    'acquire: from flow keys',
    'flow_dissector',
    refused('BPF_ATOMIC loads from R2 flow_keys is not allowed'),
    () => [ldx(8, r2, r1, FLOW_KEYS), loadAcquire(1, r0, r2, 0), ...done],
  ),
  kernelCase(
    'release: into flow keys',
    'flow_dissector',
    refused('BPF_ATOMIC stores into R2 flow_keys is not allowed'),
    () => [mov(r0, 0), ldx(8, r2, r1, FLOW_KEYS), storeRelease(1, r2, 0, r0), exit()],
  ),
  kernelCase('acquire: from a context', 'xdp', refused('BPF_ATOMIC loads from R1 ctx is not allowed'), () => [
    loadAcquire(4, r0, r1, 0),
    ...done,
  ]),
  kernelCase('release: into a socket', 'sk_reuseport', refused('R2 cannot write into sock'), () => [
    mov(r0, 0),
    ldx(8, r2, r1, 40),
    storeRelease(1, r2, 0, r0),
    exit(),
  ]),
  kernelCase('acquire: a spilled pointer is still one', 'xdp', {}, () => [
    stx(8, r10, -8, r1),
    loadAcquire(8, r2, r10, -8),
    ldx(4, r0, r2, 0),
    ...done,
  ]),
];

/** r0 = an address of which nothing is known. */
const cast = (names: Names): Item[] => [mov(r1, 0), mov(r2, 0), names.kfunc('bpf_rdonly_cast')];

const untyped: KernelCase[] = [
  kernelCase('untyped: moved in any way, read anywhere', 'xdp', {}, (names) => [
    callHelper(7),
    mov(r6, r0),
    ...cast(names),
    add(r0, -4096),
    mul(r0, 3),
    add(r0, r6),
    ldx(4, r0, r0, -4),
    ...done,
  ]),
  kernelCase('untyped: a loop over it ends where it stands still', 'xdp', {}, (names) => [
    ...cast(names),
    mov(r7, r0),
    ...stackPointer(r1, -8),
    mov(r2, 0),
    mov(r3, 1 << 30),
    names.kfunc('bpf_iter_num_new'),
    label('next'),
    ...stackPointer(r1, -8),
    names.kfunc('bpf_iter_num_next'),
    jmp('eq', r0, 0, 'end'),
    add(r7, 4),
    ldx(4, r1, r7, 0),
    ja('next'),
    label('end'),
    ...stackPointer(r1, -8),
    names.kfunc('bpf_iter_num_destroy'),
    ...done,
  ]),
  kernelCase('untyped: written', 'xdp', refused('R0 cannot write into rdonly_untrusted_mem'), (names) => [
    ...cast(names),
    st(4, r0, 0, 1),
    ...done,
  ]),
  kernelCase(
    'untyped: given to a helper',
    'xdp',
    refused(
      'R1 type=rdonly_untrusted_mem expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_',
    ),
    (names) => [...cast(names), mov(r1, r0), mov(r2, 4), callHelper(6), ...done],
  ),
];

const TRAPPED = refused('unexpected __bpf_trap() due to uninitialized variable?', 'EFAULT');
const traps: KernelCase[] = [
  kernelCase('trap: reached', 'xdp', TRAPPED, ({ kfunc }) => [mov(r0, 0), kfunc('__bpf_trap'), exit()]),
  kernelCase('trap: never reached', 'xdp', { retval: 2 }, ({ kfunc }) => [
    mov(r0, 2),
    jmp('eq', r0, 2, 'out'),
    kfunc('__bpf_trap'),
    label('out'),
    exit(),
  ]),
];

const shared: LocalType = {
  name: 'shared',
  size: 48,
  fields: [
    { kind: 'rb_node', offset: 8, size: 32 },
    { kind: 'refcount', offset: 40, size: 4 },
  ],
  id: 1,
};
const treeMap: MapDef = {
  ...arrayMap(24),
  fields: [
    { kind: 'spin_lock', offset: 0, size: 4 },
    { kind: 'rb_root', offset: 8, size: 16, struct: 'shared', node: 'node' },
  ],
};

/** r6 = the value with the tree, r7 = a new object that is in no tree; `out` where there is none. The lock is held. */
const newNode = (names: Names): Item[] => [
  ...lookedUp(names, treeMap),
  mov(r1, shared.id),
  mov(r2, 0),
  names.kfunc('bpf_obj_new_impl'),
  jmp('eq', r0, 0, 'out'),
  mov(r7, r0),
  mov(r1, r6),
  callHelper(93),
];
const drop = (names: Names): Item[] => [mov(r2, 0), names.kfunc('bpf_obj_drop_impl')];
const ofTree: Item[] = [mov(r1, r6), add(r1, 8), mov(r2, r7), add(r2, 8)];

const nodes: KernelCase[] = [
  ...(['bpf_rbtree_left', 'bpf_rbtree_right'] as const).map((look) =>
    kernelCase(
      `counted node: ${look} of a node that is held`,
      'tc',
      { retval: 0, localTypes: [shared] },
      (names) => [
        ...newNode(names),
        ...ofTree,
        names.kfunc(look),
        ...unlockR6,
        mov(r1, r7),
        ...drop(names),
        label('out'),
        ...done,
      ],
    ),
  ),
  kernelCase(
    'counted node: removed by one who holds it',
    'tc',
    { retval: 0, localTypes: [shared] },
    (names) => [
      ...newNode(names),
      ...ofTree,
      names.kfunc('bpf_rbtree_remove'),
      mov(r8, r0),
      ...unlockR6,
      mov(r1, r7),
      ...drop(names),
      jmp('eq', r8, 0, 'out'),
      mov(r1, r8),
      add(r1, -8),
      ...drop(names),
      label('out'),
      ...done,
    ],
  ),
];

/** Ranges that contradict what is known of the bits: no number is both, and Linux walks on all the same. */
const contradictions: KernelCase[] = [
  kernelCase(
    'no such number: between two multiples of 16',
    'xdp',
    refused("R0 invalid mem access 'scalar'"),
    () => [
      callHelper(7),
      and(r0, 0xf0),
      jmp('lt', r0, 0x11, 'out'),
      jmp('gt', r0, 0x1f, 'out'),
      ldx(8, r0, r0, 0),
      label('out'),
      ...done,
    ],
  ),
  kernelCase(
    'no such number: an odd one of even ones',
    'xdp',
    refused('misaligned stack access off 0+3+-16 size 8'),
    () => [
      callHelper(7),
      and(r0, 6),
      jmp('lt', r0, 3, 'out'),
      jmp('gt', r0, 3, 'out'),
      // As a distance it is worth nothing, and neither is what it is added to.
      mov(r2, r10),
      add(r2, r0),
      ldx(8, r0, r2, -16),
      label('out'),
      ...done,
    ],
  ),
];

/** What a jump that no number takes tells of both sides it tells of the one register that is on both. */
contradictions.push(
  kernelCase('no such number: less than itself', 'xdp', {}, () => [
    callHelper(7),
    mov(r7, r0),
    jmp('ge', w7, w7, 'out'),
    jmp('sgt', r7, 0, 'out'),
    jmp('lt', r7, 0xffff, 'bad'),
    label('out'),
    ...done,
    label('bad'),
    ldx(1, r0, r7, 0),
    exit(),
  ]),
);

/** `body` calls a global function that may sleep. */
const sleeping = (name: string, expected: Expected, body: (names: Names) => Item[]): KernelCase =>
  kernelCase(`sleep: ${name}`, 'syscall', { ...expected, globals: ['sleeper'] }, (names) => [
    ...body(names),
    ...done,
    label('sleeper'),
    ...stackPointer(r1, -8),
    mov(r2, 4),
    mov(r3, 0),
    callHelper(148),
    exit(),
  ]);
const sleep: Item[] = [mov(r1, 0), callSub('sleeper')];
const awake: Expected = { verdict: 'EINVAL' };

const workMap: MapDef = { ...arrayMap(16), fields: [{ kind: 'wq', offset: 0, size: 16 }] };

const sleepers: KernelCase[] = [
  kernelCase('sleep: work that is put off, whatever the type', 'tc', {}, (names) => [
    ...lookedUp(names, workMap),
    mov(r1, r6),
    names.map(r2, workMap),
    mov(r3, 0),
    names.kfunc('bpf_wq_init'),
    mov(r1, r6),
    ldFunc(r2, 'work'),
    mov(r3, 0),
    mov(r4, 0),
    names.kfunc('bpf_wq_set_callback_impl'),
    label('out'),
    ...done,
    label('work'),
    ...stackPointer(r1, -8),
    mov(r2, 4),
    mov(r3, 0),
    callHelper(148),
    ...done,
  ]),
  sleeping('a global function may', {}, () => sleep),
  sleeping('not in an RCU section', awake, ({ kfunc }) => [
    kfunc('bpf_rcu_read_lock'),
    ...sleep,
    kfunc('bpf_rcu_read_unlock'),
  ]),
  sleeping('not where preemption is off', awake, ({ kfunc }) => [
    kfunc('bpf_preempt_disable'),
    ...sleep,
    kfunc('bpf_preempt_enable'),
  ]),
  sleeping('not where IRQs are off', awake, ({ kfunc }) => [
    ...stackPointer(r1, -8),
    kfunc('bpf_local_irq_save'),
    ...sleep,
    ...stackPointer(r1, -8),
    kfunc('bpf_local_irq_restore'),
  ]),
  kernelCase(
    'sleep: whatever the type, but not at once',
    'tc',
    refused('helper call might sleep in a non-sleepable prog', 'EINVAL'),
    () => [...stackPointer(r1, -8), mov(r2, 4), mov(r3, 0), callHelper(148), ...done],
  ),
];

const POINTERS = 'same insn cannot be used with different pointers';
const kept: MapDef = { ...arrayMap(24), name: 'kept', type: 'hash', keySize: 8 };
/** A mask that is held, in r6. */
const mask = (names: Names): Item[] => [
  names.kfunc('bpf_cpumask_create'),
  jmp('eq', r0, 0, 'out'),
  mov(r6, r0),
];
const put = (names: Names): Item[] => [
  mov(r1, r6),
  names.kfunc('bpf_cpumask_release'),
  label('out'),
  ...done,
];
const pointers: KernelCase[] = [
  kernelCase(
    'pointers: an insn that loads from a context and from the stack',
    'xdp',
    refused(POINTERS, 'EINVAL'),
    () => [
      st(8, r10, -8, 0),
      mov(r6, r1),
      callHelper(7),
      mov(r1, r6),
      jmp('eq', r0, 0, 'load'),
      ...stackPointer(r1, -8),
      label('load'),
      ldx(4, r0, r1, 0),
      ...done,
    ],
  ),
  kernelCase('pointers: an insn that loads from a map and from the stack', 'xdp', {}, (names) => [
    st(8, r10, -8, 0),
    names.map(r1, kept),
    ...stackPointer(r2, -8),
    callHelper(1),
    jmp('ne', r0, 0, 'load'),
    ...stackPointer(r0, -8),
    label('load'),
    ldx(4, r0, r0, 0),
    ...done,
  ]),
  kernelCase(
    'pointers: what is held for the value of a map',
    'tracepoint',
    refused(
      'R3 type=ptr_ expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_',
    ),
    (names) => [
      ...mask(names),
      st(8, r10, -8, 0),
      names.map(r1, kept),
      ...stackPointer(r2, -8),
      mov(r3, r6),
      mov(r4, 0),
      callHelper(2),
      ...put(names),
    ],
  ),
  kernelCase(
    'pointers: an element that may only be read for the key of a map',
    'xdp',
    refused(
      'R2 type=rdonly_mem expected=fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_',
    ),
    (names) => [
      ...stackPointer(r1, -8),
      mov(r2, 0),
      mov(r3, 4),
      names.kfunc('bpf_iter_num_new'),
      ...stackPointer(r1, -8),
      names.kfunc('bpf_iter_num_next'),
      jmp('eq', r0, 0, 'end'),
      mov(r2, r0),
      names.map(r1, arrayMap(8)),
      callHelper(1),
      label('end'),
      ...stackPointer(r1, -8),
      names.kfunc('bpf_iter_num_destroy'),
      ...done,
    ],
  ),
];

export const newerCases: readonly KernelCase[] = [
  ...pointers,
  ...orderings,
  ...untyped,
  ...traps,
  ...nodes,
  ...contradictions,
  ...sleepers,
];
