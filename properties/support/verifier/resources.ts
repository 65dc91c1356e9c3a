/** What a program can hold, and everything that can be done to it: given back, twice, by the wrong function, out of order, in another function. */
import {
  add,
  callHelper,
  callSub,
  exit,
  jmp,
  ldAbs,
  ldFunc,
  ldx,
  mov,
  type Reg,
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
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { LocalType, MapDef, ProgType } from '../../../src/object/program.js';
import { arrayMap, type Names, ringbufMap, stackPointer } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

export interface Kind {
  readonly name: string;
  /** Before anything is taken: what is taken number `k` is found. */
  readonly find?: (n: Names, k: number) => Item[];
  /** Takes number `k`, 0 to 2; goes to `fail`, if there is one, where it cannot be had. */
  readonly take: (n: Names, k: number, fail?: string) => Item[];
  /** r1 = what is given back. */
  readonly arg: (k: number) => Item[];
  /** Gives back what r1 names. */
  readonly give: (n: Names, k: number) => Item[];
  readonly use: (n: Names, k: number) => Item[];
  /** It is in a register, not in a stack slot or in nothing. */
  readonly inRegister: boolean;
  readonly mayFail: boolean;
  /** `tc` unless told. */
  readonly type?: ProgType;
}

const KEPT: readonly Reg<64>[] = [r6, r7, r8];
const kept = (k: number): Reg<64> => KEPT[k]!;
/** The stack slots of number `k`: 24 bytes. */
const slot = (k: number): number => -24 * (k + 1);
const KEY = -80;
const TUPLE = -96;
const SPARE = -104;

const orFail = (fail: string | undefined): Item[] => (fail === undefined ? [] : [jmp('eq', r0, 0, fail)]);

/** A pointer that a function returns, or NULL. */
function pointer(
  name: string,
  make: (n: Names) => Item[],
  give: (n: Names) => Item[],
  use: (reg: Reg<64>) => Item[] = (reg) => [ldx(8, r0, reg, 0)],
): Kind {
  return {
    name,
    inRegister: true,
    mayFail: true,
    take: (n, k, fail) => [...make(n), ...orFail(fail), mov(kept(k), r0)],
    arg: (k) => [mov(r1, kept(k))],
    give,
    use: (_, k) => use(kept(k)),
  };
}

/** An object on the stack. */
function onStack(
  name: string,
  make: (n: Names, k: number) => Item[],
  give: (n: Names) => Item[],
  use: (n: Names) => Item[],
): Kind {
  return {
    name,
    inRegister: false,
    mayFail: false,
    take: (n, k) => make(n, k),
    arg: (k) => stackPointer(r1, slot(k)),
    give,
    use: (n, k) => [...stackPointer(r1, slot(k)), ...use(n)],
  };
}

const tuple: Item[] = [
  st(8, r10, TUPLE, 0),
  st(8, r10, TUPLE + 8, 0),
  mov(r1, r9),
  ...stackPointer(r2, TUPLE),
  mov(r3, 12),
  mov(r4, -1),
  mov(r5, 0),
];

const TASK: LocalType = { name: 'plain', size: 24, fields: [], id: 1 };
const kptrMap: MapDef = {
  ...arrayMap(16),
  name: 'k',
  fields: [{ kind: 'kptr', offset: 8, size: 8, struct: 'plain' }],
};
const newObject = ({ kfunc }: Names): Item[] => [mov(r1, 1), mov(r2, 0), kfunc('bpf_obj_new_impl')];
const dropObject = ({ kfunc }: Names): Item[] => [mov(r2, 0), kfunc('bpf_obj_drop_impl')];

const section = (name: string, enter: string, leave: string): Kind => ({
  name,
  inRegister: false,
  mayFail: false,
  take: ({ kfunc }) => [kfunc(enter)],
  arg: () => [],
  give: ({ kfunc }) => [kfunc(leave)],
  use: () => [],
});

const LOCKED: MapDef = {
  name: 'spin',
  type: 'hash',
  keySize: 4,
  valueSize: 16,
  maxEntries: 8,
  flags: 0,
  fields: [{ kind: 'spin_lock', offset: 0, size: 4 }],
};
const RES_LOCKED: MapDef = {
  ...LOCKED,
  name: 'res',
  fields: [{ kind: 'res_spin_lock', offset: 0, size: 4 }],
};

/** kept(k) = a value of the map. */
const findValue =
  (map: MapDef) =>
  (n: Names, k: number): Item[] => [
    st(4, r10, KEY, k),
    n.map(r1, map),
    ...stackPointer(r2, KEY),
    callHelper(1),
    jmp('eq', r0, 0, 'f0'),
    mov(kept(k), r0),
  ];

const lock = (
  name: string,
  map: MapDef,
  take: (n: Names, k: number) => Item[],
  give: (n: Names, k: number) => Item[],
): Kind => ({
  name,
  inRegister: false,
  mayFail: map === RES_LOCKED,
  find: findValue(map),
  take: (n, k, fail) => [
    mov(r1, kept(k)),
    ...take(n, k),
    ...(map === RES_LOCKED && fail !== undefined ? [jmp('ne', r0, 0, fail)] : []),
  ],
  arg: (k) => [mov(r1, kept(k))],
  give,
  use: (_, k) => [st(8, kept(k), 8, 1)],
});

export const KINDS: readonly Kind[] = [
  pointer(
    'socket',
    () => [...tuple, callHelper(84)],
    () => [callHelper(86)],
    (reg) => [ldx(4, r0, reg, 4)],
  ),
  pointer(
    'common socket',
    () => [...tuple, callHelper(99)],
    () => [callHelper(86)],
    (reg) => [ldx(4, r0, reg, 4)],
  ),
  pointer(
    'record, submitted',
    (n) => [n.map(r1, ringbufMap), mov(r2, 16), mov(r3, 0), callHelper(131)],
    () => [mov(r2, 0), callHelper(132)],
    (reg) => [st(8, reg, 8, 1), ldx(8, r0, reg, 0)],
  ),
  pointer(
    'record, discarded',
    (n) => [n.map(r1, ringbufMap), mov(r2, 16), mov(r3, 0), callHelper(131)],
    () => [mov(r2, 0), callHelper(133)],
  ),
  onStack(
    'dynptr',
    (n, k) => [n.map(r1, ringbufMap), mov(r2, 16), mov(r3, 0), ...stackPointer(r4, slot(k)), callHelper(198)],
    () => [mov(r2, 0), callHelper(199)],
    () => [mov(r2, 0), mov(r3, 8), callHelper(203)],
  ),
  onStack(
    'dynptr, discarded',
    (n, k) => [n.map(r1, ringbufMap), mov(r2, 16), mov(r3, 0), ...stackPointer(r4, slot(k)), callHelper(198)],
    () => [mov(r2, 0), callHelper(200)],
    ({ kfunc }) => [kfunc('bpf_dynptr_size')],
  ),
  pointer(
    'task',
    ({ kfunc }) => [mov(r1, 1), kfunc('bpf_task_from_pid')],
    ({ kfunc }) => [kfunc('bpf_task_release')],
  ),
  pointer(
    'cgroup',
    ({ kfunc }) => [mov(r1, 1), kfunc('bpf_cgroup_from_id')],
    ({ kfunc }) => [kfunc('bpf_cgroup_release')],
  ),
  {
    ...pointer(
      'cpumask',
      ({ kfunc }) => [kfunc('bpf_cpumask_create')],
      ({ kfunc }) => [kfunc('bpf_cpumask_release')],
    ),
    type: 'syscall',
  },
  pointer('object', newObject, dropObject, (reg) => [st(8, reg, 8, 1), ldx(8, r0, reg, 16)]),
  pointer(
    'per-CPU object',
    ({ kfunc }) => [mov(r1, 1), mov(r2, 0), kfunc('bpf_percpu_obj_new_impl')],
    ({ kfunc }) => [mov(r2, 0), kfunc('bpf_percpu_obj_drop_impl')],
  ),
  pointer(
    'kptr',
    (n) => [n.value(r1, kptrMap, 8), mov(r2, 0), callHelper(194)],
    dropObject,
    (reg) => [st(8, reg, 8, 1), ldx(8, r0, reg, 16)],
  ),
  onStack(
    'iter num',
    ({ kfunc }, k) => [...stackPointer(r1, slot(k)), mov(r2, 0), mov(r3, 10), kfunc('bpf_iter_num_new')],
    ({ kfunc }) => [kfunc('bpf_iter_num_destroy')],
    ({ kfunc }) => [kfunc('bpf_iter_num_next')],
  ),
  onStack(
    'iter task',
    ({ kfunc }, k) => [...stackPointer(r1, slot(k)), mov(r2, 0), mov(r3, 0), kfunc('bpf_iter_task_new')],
    ({ kfunc }) => [kfunc('bpf_iter_task_destroy')],
    ({ kfunc }) => [kfunc('bpf_iter_task_next')],
  ),
  onStack(
    'iter bits',
    ({ kfunc }, k) => [
      st(8, r10, TUPLE, 0),
      ...stackPointer(r1, slot(k)),
      ...stackPointer(r2, TUPLE),
      mov(r3, 1),
      kfunc('bpf_iter_bits_new'),
    ],
    ({ kfunc }) => [kfunc('bpf_iter_bits_destroy')],
    ({ kfunc }) => [kfunc('bpf_iter_bits_next')],
  ),
  section('RCU section', 'bpf_rcu_read_lock', 'bpf_rcu_read_unlock'),
  section('preempt section', 'bpf_preempt_disable', 'bpf_preempt_enable'),
  onStack(
    'IRQ flags',
    ({ kfunc }, k) => [...stackPointer(r1, slot(k)), kfunc('bpf_local_irq_save')],
    ({ kfunc }) => [kfunc('bpf_local_irq_restore')],
    () => [ldx(8, r0, r1, 0)],
  ),
  lock(
    'spin lock',
    LOCKED,
    () => [callHelper(93)],
    () => [callHelper(94)],
  ),
  lock(
    'resilient lock',
    RES_LOCKED,
    ({ kfunc }) => [kfunc('bpf_res_spin_lock')],
    ({ kfunc }) => [kfunc('bpf_res_spin_unlock')],
  ),
  lock(
    'resilient lock with flags',
    RES_LOCKED,
    ({ kfunc }, k) => [...stackPointer(r2, slot(k)), kfunc('bpf_res_spin_lock_irqsave')],
    ({ kfunc }, k) => [...stackPointer(r2, slot(k)), kfunc('bpf_res_spin_unlock_irqrestore')],
  ),
];

const release = (kind: Kind, n: Names, k: number): Item[] => [...kind.arg(k), ...kind.give(n, k)];

/** Everything found, taken, handed to `middle`, and on the ways on which it was not to be had given back in order. */
function taking(
  kinds: readonly Kind[],
  middle: (n: Names) => Item[],
  more: (n: Names) => Item[] = () => [],
): (n: Names) => Item[] {
  return (n) => [
    mov(r9, r1),
    ...kinds.flatMap((kind, k) => kind.find?.(n, k) ?? []),
    ...kinds.flatMap((kind, k) => kind.take(n, k, `f${k}`)),
    ...middle(n),
    mov(r0, 0),
    exit(),
    ...failures(kinds, n),
    ...more(n),
  ];
}

/** The ways on which one of them was not to be had. Insns that nothing leads to are refused, so where none can fail there are none. */
function failures(kinds: readonly Kind[], n: Names): Item[] {
  const most = kinds.findLastIndex(({ mayFail }) => mayFail);
  if (most < 0 && kinds.every(({ find }) => find === undefined)) return [];
  const ways = Array.from({ length: Math.max(most, 0) + 1 }, (_, k) => k).reverse();
  return [
    ...ways.flatMap((k) => [label(`f${k}`), ...(k === 0 ? [] : release(kinds[k - 1]!, n, k - 1))]),
    mov(r0, 0),
    exit(),
  ];
}

const needs = { localTypes: [TASK] };
const typeOf = (kinds: readonly Kind[]): ProgType =>
  kinds.find(({ type }) => type !== undefined)?.type ?? 'tc';

/** What a program does with one thing that it holds; undefined where that makes no sense. */
const DEEDS: Readonly<Record<string, (kind: Kind) => ((n: Names) => Item[]) | undefined>> = {
  'given back': (kind) => taking([kind], (n) => release(kind, n, 0)),
  kept: (kind) => taking([kind], () => []),
  'given back twice': (kind) => taking([kind], (n) => [...release(kind, n, 0), ...release(kind, n, 0)]),
  used: (kind) => taking([kind], (n) => [...kind.use(n, 0), ...release(kind, n, 0)]),
  'used afterwards': (kind) => taking([kind], (n) => [...release(kind, n, 0), ...kind.use(n, 0)]),
  'never taken': (kind) =>
    taking([], (n) => [...(kind.find?.(n, 0) ?? [mov(r6, 0)]), ...release(kind, n, 0), label('f0')]),
  'taken again after': (kind) =>
    taking([kind], (n) => [...release(kind, n, 0), ...kind.take(n, 0, 'f0'), ...release(kind, n, 0)]),
  'taken again while held': (kind) =>
    taking([kind], (n) => [...kind.take(n, 0, 'f0'), ...release(kind, n, 0)]),
  unchecked: (kind) => (n) => [
    mov(r9, r1),
    ...(kind.find?.(n, 0) ?? []),
    ...kind.take(n, 0),
    ...release(kind, n, 0),
    mov(r0, 0),
    label('f0'),
    mov(r0, 0),
    exit(),
  ],
  'used unchecked': (kind) => (n) => [
    mov(r9, r1),
    ...(kind.find?.(n, 0) ?? []),
    ...kind.take(n, 0),
    ...kind.use(n, 0),
    mov(r0, 0),
    jmp('eq', r6, 0, 'f0'),
    ...release(kind, n, 0),
    label('f0'),
    mov(r0, 0),
    exit(),
  ],
  'kept where NULL': (kind) =>
    kind.inRegister
      ? (n) => [
          mov(r9, r1),
          ...kind.take(n, 0),
          jmp('ne', r6, 0, 'there'),
          ...release(kind, n, 0),
          mov(r0, 0),
          exit(),
          label('there'),
          ...release(kind, n, 0),
          mov(r0, 0),
          exit(),
        ]
      : undefined,
  'checked by a copy': (kind) =>
    kind.inRegister
      ? (n) => [
          mov(r9, r1),
          ...kind.take(n, 0),
          mov(r7, r6),
          jmp('eq', r7, 0, 'f0'),
          ...kind.use(n, 0),
          ...release(kind, n, 0),
          label('f0'),
          mov(r0, 0),
          exit(),
        ]
      : undefined,
  'checked by another': (kind) =>
    kind.inRegister
      ? (n) => [
          mov(r9, r1),
          ...kind.take(n, 0),
          ...kind.take(n, 1),
          jmp('eq', r7, 0, 'f1'),
          ...kind.use(n, 0),
          jmp('eq', r6, 0, 'f2'),
          ...release(kind, n, 0),
          label('f2'),
          ...release(kind, n, 1),
          mov(r0, 0),
          exit(),
          label('f1'),
          jmp('eq', r6, 0, 'f0'),
          ...release(kind, n, 0),
          label('f0'),
          mov(r0, 0),
          exit(),
        ]
      : undefined,
  'given back by a copy': (kind) =>
    kind.inRegister ? taking([kind], (n) => [mov(r7, r6), mov(r1, r7), ...kind.give(n, 0)]) : undefined,
  'added to a number and given back': (kind) =>
    kind.inRegister
      ? taking([kind], (n) => [mov(r1, 0), add(r1, kept(0)), ...kind.give(n, 0), mov(r0, 0)])
      : undefined,
  'added to a number and used': (kind) =>
    kind.inRegister
      ? taking([kind], (n) => [mov(r7, 0), add(r7, kept(0)), ...kind.use(n, 1), ...release(kind, n, 0)])
      : undefined,
  'a copy used afterwards': (kind) =>
    kind.inRegister
      ? taking([kind], (n) => [mov(r7, r6), ...release(kind, n, 0), ...kind.use(n, 1)])
      : undefined,
  'a copy given back afterwards': (kind) =>
    kind.inRegister
      ? taking([kind], (n) => [mov(r7, r6), ...release(kind, n, 0), ...release(kind, n, 1)])
      : undefined,
  spilled: (kind) =>
    kind.inRegister
      ? taking([kind], (n) => [
          stx(8, r10, SPARE, r6),
          mov(r6, 0),
          ldx(8, r6, r10, SPARE),
          ...kind.use(n, 0),
          ...release(kind, n, 0),
        ])
      : undefined,
  'a spilled copy used afterwards': (kind) =>
    kind.inRegister
      ? taking([kind], (n) => [
          stx(8, r10, SPARE, r6),
          ...release(kind, n, 0),
          ldx(8, r6, r10, SPARE),
          ...kind.use(n, 0),
        ])
      : undefined,
  ...Object.fromEntries(
    [8, 1, 0, -8].map((by) => [
      `moved by ${by}`,
      (kind: Kind) => taking([kind], (n) => [...kind.arg(0), add(r1, by), ...kind.give(n, 0)]),
    ]),
  ),
  'held at a tail call': (kind) =>
    taking([kind], (n) => [
      mov(r1, r9),
      n.map(r2, TABLE),
      mov(r3, 0),
      callHelper(12),
      ...release(kind, n, 0),
    ]),
  'held at a throw': (kind) => taking([kind], ({ kfunc }) => [mov(r1, 0), kfunc('bpf_throw')]),
  'held at BPF_LD_ABS': (kind) =>
    taking([kind], (n) => [mov(r7, r6), mov(r6, r9), ldAbs(1, 0), mov(r6, r7), ...release(kind, n, 0)]),
  'held while a function does BPF_LD_ABS': (kind) =>
    taking(
      [kind],
      (n) => [mov(r1, r9), callSub('loader'), ...release(kind, n, 0)],
      () => [label('loader'), mov(r6, r1), ldAbs(1, 0), mov(r0, 0), exit()],
    ),
  'held while a function does a tail call': (kind) =>
    taking(
      [kind],
      (n) => [mov(r1, r9), callSub('leaver'), ...release(kind, n, 0)],
      (n) => [label('leaver'), n.map(r2, TABLE), mov(r3, 0), callHelper(12), mov(r0, 0), exit()],
    ),
  'given back before a tail call': (kind) =>
    taking([kind], (n) => [
      ...release(kind, n, 0),
      mov(r1, r9),
      n.map(r2, TABLE),
      mov(r3, 0),
      callHelper(12),
    ]),
  'given back before a throw': (kind) =>
    taking([kind], (n) => [...release(kind, n, 0), mov(r1, 0), n.kfunc('bpf_throw')]),
  'held at a call': (kind) =>
    taking(
      [kind],
      (n) => [callSub('nothing'), ...release(kind, n, 0)],
      () => [label('nothing'), mov(r0, 0), exit()],
    ),
  'held at a call of a global function': (kind) =>
    taking(
      [kind],
      (n) => [callSub('global'), ...release(kind, n, 0)],
      () => [label('global'), mov(r0, 0), exit()],
    ),
  'held at a helper': (kind) => taking([kind], (n) => [callHelper(5), ...release(kind, n, 0)]),
  'given back by a function': (kind) =>
    taking(
      [kind],
      (_n) => [...kind.arg(0), callSub('giver')],
      (n) => [label('giver'), ...kind.give(n, 0), mov(r0, 0), exit()],
    ),
  'given back by a function and here': (kind) =>
    taking(
      [kind],
      (n) => [...kind.arg(0), callSub('giver'), ...release(kind, n, 0)],
      (n) => [label('giver'), ...kind.give(n, 0), mov(r0, 0), exit()],
    ),
  'given back by a global function': (kind) =>
    taking(
      [kind],
      (_n) => [...kind.arg(0), callSub('global')],
      (n) => [label('global'), ...kind.give(n, 0), mov(r0, 0), exit()],
    ),
  'given back in a callback': (kind) =>
    taking(
      [kind],
      () => [...kind.arg(0), stx(8, r10, SPARE, r1), ...loop],
      (n) => [label('callback'), ldx(8, r1, r2, 0), ...kind.give(n, 0), mov(r0, 1), exit()],
    ),
  'taken by a function': (kind) =>
    kind.inRegister
      ? (n) => [
          mov(r9, r1),
          callSub('taker'),
          jmp('eq', r0, 0, 'f0'),
          mov(r6, r0),
          ...kind.use(n, 0),
          ...release(kind, n, 0),
          label('f0'),
          mov(r0, 0),
          exit(),
          label('taker'),
          mov(r9, r1),
          ...kind.take(n, 0),
          mov(r0, r6),
          exit(),
        ]
      : undefined,
  'kept by a function': (kind) => (n) => [
    callSub('keeper'),
    mov(r0, 0),
    exit(),
    label('keeper'),
    ...taking([kind], () => [])(n),
  ],
  'taken and given back by a function': (kind) => (n) => [
    callSub('keeper'),
    mov(r0, 0),
    exit(),
    label('keeper'),
    ...taking([kind], (m) => release(kind, m, 0))(n),
  ],
  'kept by a global function': (kind) => (n) => [
    callSub('global'),
    mov(r0, 0),
    exit(),
    label('global'),
    ...taking([kind], () => [])(n),
  ],
  'taken and given back by a global function': (kind) => (n) => [
    callSub('global'),
    mov(r0, 0),
    exit(),
    label('global'),
    ...taking([kind], (m) => release(kind, m, 0))(n),
  ],
  'taken and given back in a callback': (kind) =>
    inCallback((n) => [...taking([kind], (m) => release(kind, m, 0))(n)]),
  'kept in a callback': (kind) => inCallback((n) => taking([kind], () => [])(n)),
  'held around a callback': (kind) =>
    taking(
      [kind],
      (n) => [...loop, ...release(kind, n, 0)],
      () => [label('callback'), mov(r0, 0), exit()],
    ),
  'given back three frames down': (kind) =>
    taking(
      [kind],
      (n) => [...kind.arg(0), callSub('one'), ...release(kind, n, 0)].slice(0, -release(kind, n, 0).length),
      (n) => [
        label('one'),
        callSub('two'),
        mov(r0, 0),
        exit(),
        label('two'),
        callSub('three'),
        mov(r0, 0),
        exit(),
        label('three'),
        ...kind.give(n, 0),
        mov(r0, 0),
        exit(),
      ],
    ),
  'passed through a packet move': (kind) =>
    taking([kind], (n) => [
      mov(r1, r9),
      mov(r2, 64),
      callHelper(39),
      ...kind.use(n, 0),
      ...release(kind, n, 0),
    ]),
};

const TABLE: MapDef = {
  name: 't',
  type: 'prog_array',
  keySize: 4,
  valueSize: 4,
  maxEntries: 4,
  flags: 0,
  fields: [],
};

/** bpf_loop of up to four rounds; the callback's context is fp-104. */
const loop: Item[] = [
  mov(r1, 4),
  ldFunc(r2, 'callback'),
  ...stackPointer(r3, SPARE),
  mov(r4, 0),
  callHelper(181),
];

/** The same in a callback, which is given the context of the program. */
const inCallback =
  (body: (n: Names) => Item[]) =>
  (n: Names): Item[] => [
    stx(8, r10, SPARE, r1),
    ...loop,
    mov(r0, 0),
    exit(),
    label('callback'),
    ldx(8, r1, r2, 0),
    ...body(n),
  ];

/** One thing, and all that can be done with it. */
export const held: Family = family('held', KINDS, Object.keys(DEEDS), (kind, deed) => {
  const body = DEEDS[deed]!(kind);
  return body === undefined ? undefined : small(typeOf([kind]), { ...needs, globals: ['global'] }, body);
});

/** One thing given back by the function for another. */
export const givenWrongly: Family = family(
  'given-wrongly',
  KINDS,
  KINDS.map(({ name }) => name),
  (kind, name) => {
    const other = KINDS.find((each) => each.name === name)!;
    return small(
      typeOf([kind, other]),
      needs,
      taking([kind], (n) => [...kind.arg(0), ...other.give(n, 0)]),
    );
  },
);

/** Two things, in order and crossed. */
export const heldTogether: Family = family(
  'held-together',
  KINDS,
  KINDS.flatMap(({ name }) => [`in ${name}`, `across ${name}`]),
  (kind, column) => {
    const other = KINDS.find(
      ({ name }) => column.endsWith(` ${name}`) && column === `${column.split(' ')[0]} ${name}`,
    )!;
    const order = column.startsWith('in ') ? [1, 0] : [0, 1];
    return small(
      typeOf([kind, other]),
      needs,
      taking([other, kind], (n) => order.flatMap((k) => release([other, kind][k]!, n, k))),
    );
  },
);

const ORDERS = ['012', '021', '102', '120', '201', '210'];
const several = (name: string, ...names: string[]) => ({
  name,
  kinds: names.map((each) => KINDS.find((kind) => kind.name === each)!),
});

/** Three things, given back in every order, and all but one. */
export const threeHeld: Family = family(
  'three-held',
  [
    ...KINDS.map(({ name }) => several(`three of ${name}`, name, name, name)),
    several('flags, lock, flags', 'IRQ flags', 'resilient lock with flags', 'IRQ flags'),
    several('lock, flags, lock', 'resilient lock with flags', 'IRQ flags', 'resilient lock with flags'),
    several('locks of three ways', 'resilient lock', 'resilient lock with flags', 'resilient lock'),
    several('preempt, RCU, flags', 'preempt section', 'RCU section', 'IRQ flags'),
    several('RCU, socket, record', 'RCU section', 'socket', 'record, submitted'),
    several('preempt, dynptr, iterator', 'preempt section', 'dynptr', 'iter num'),
  ],
  [...ORDERS, '01', '02', '12', '0', '1', '2', '0120', '2101'],
  ({ kinds }, order) =>
    small(
      typeOf(kinds),
      needs,
      taking(kinds, (n) => [...order].flatMap((k) => release(kinds[Number(k)]!, n, Number(k)))),
    ),
);

/** Families of what is held. */
export const HOLDING: readonly Family[] = [held, givenWrongly, heldTogether, threeHeld];
