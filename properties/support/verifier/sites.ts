/** Where calls are made: in sections and under locks, from functions of every kind; which lock is which; what loops leave known. */
import {
  add,
  alu,
  callHelper,
  callSub,
  exit,
  jmp,
  ldFunc,
  ldx,
  mov,
  type Reg,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r7,
  r8,
  r9,
  r10,
  st,
  stx,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef, ProgType } from '../../../src/object/program.js';
import { arrayMap, lookedUp, type Names, stackPointer } from '../kernel/case.js';
import { type Family, family, type Needs, small } from './family.js';
import { lookups, twoValues } from './found-values.js';
import { nodes } from './graph-nodes.js';
import { forms } from './insn-forms.js';
import { OBJECTS, POINTERS, usingPointer } from './pointers.js';

const end: Item[] = [mov(r0, 0), exit()];

// Sections and calls.

interface Section {
  readonly name: string;
  readonly enter: (n: Names) => Item[];
  readonly leave: (n: Names) => Item[];
}

const save = ({ kfunc }: Names, at: number): Item[] => [...stackPointer(r1, at), kfunc('bpf_local_irq_save')];
const restore = ({ kfunc }: Names, at: number): Item[] => [
  ...stackPointer(r1, at),
  kfunc('bpf_local_irq_restore'),
];
const RCU = ['bpf_rcu_read_lock', 'bpf_rcu_read_unlock'] as const;
const PREEMPT = ['bpf_preempt_disable', 'bpf_preempt_enable'] as const;

const SECTIONS: readonly Section[] = [
  { name: 'nowhere', enter: () => [], leave: () => [] },
  { name: 'RCU', enter: ({ kfunc }) => [kfunc(RCU[0])], leave: ({ kfunc }) => [kfunc(RCU[1])] },
  { name: 'after RCU', enter: ({ kfunc }) => [kfunc(RCU[0]), kfunc(RCU[1])], leave: () => [] },
  {
    name: 'RCU twice',
    enter: ({ kfunc }) => [kfunc(RCU[0]), kfunc(RCU[0])],
    leave: ({ kfunc }) => [kfunc(RCU[1])],
  },
  { name: 'preempt', enter: ({ kfunc }) => [kfunc(PREEMPT[0])], leave: ({ kfunc }) => [kfunc(PREEMPT[1])] },
  {
    name: 'preempt twice',
    enter: ({ kfunc }) => [kfunc(PREEMPT[0]), kfunc(PREEMPT[0])],
    leave: ({ kfunc }) => [kfunc(PREEMPT[1]), kfunc(PREEMPT[1])],
  },
  {
    name: 'preempt twice, left once',
    enter: ({ kfunc }) => [kfunc(PREEMPT[0]), kfunc(PREEMPT[0]), kfunc(PREEMPT[1])],
    leave: ({ kfunc }) => [kfunc(PREEMPT[1])],
  },
  {
    name: 'after preempt twice',
    enter: ({ kfunc }) => [kfunc(PREEMPT[0]), kfunc(PREEMPT[0]), kfunc(PREEMPT[1]), kfunc(PREEMPT[1])],
    leave: () => [],
  },
  { name: 'IRQ', enter: (n) => save(n, -8), leave: (n) => restore(n, -8) },
  {
    name: 'IRQ twice, left once',
    enter: (n) => [...save(n, -8), ...save(n, -16), ...restore(n, -16)],
    leave: (n) => restore(n, -8),
  },
  { name: 'after IRQ', enter: (n) => [...save(n, -8), ...restore(n, -8)], leave: () => [] },
  {
    name: 'RCU and preempt',
    enter: ({ kfunc }) => [kfunc(RCU[0]), kfunc(PREEMPT[0])],
    leave: ({ kfunc }) => [kfunc(RCU[1]), kfunc(PREEMPT[1])],
  },
];

const sleep: Item[] = [...stackPointer(r1, -64), mov(r2, 8), mov(r3, 0), callHelper(148)];
const sleepByKfunc = ({ kfunc }: Names): Item[] => [
  ...stackPointer(r1, -64),
  mov(r2, 8),
  mov(r3, 0),
  mov(r4, 0),
  kfunc('bpf_copy_from_user_str'),
];

/** What is called there, and the functions behind the program. */
const CALLS: Readonly<Record<string, (n: Names) => { readonly main: Item[]; readonly functions?: Item[] }>> =
  {
    'a helper': () => ({ main: [callHelper(5)] }),
    'a kfunc': ({ kfunc }) => ({
      main: [
        mov(r1, 1),
        kfunc('bpf_task_from_pid'),
        jmp('eq', r0, 0, 'no'),
        mov(r1, r0),
        kfunc('bpf_task_release'),
        label('no'),
      ],
    }),
    'a helper that sleeps': () => ({ main: sleep }),
    'a kfunc that sleeps': (n) => ({ main: sleepByKfunc(n) }),
    'an iterator that needs RCU': ({ kfunc }) => ({
      main: [
        ...stackPointer(r1, -96),
        mov(r2, 0),
        mov(r3, 0),
        kfunc('bpf_iter_task_new'),
        ...stackPointer(r1, -96),
        kfunc('bpf_iter_task_next'),
        ...stackPointer(r1, -96),
        kfunc('bpf_iter_task_destroy'),
      ],
    }),
    'a function that sleeps': () => ({ main: [callSub('one')], functions: [label('one'), ...sleep, ...end] }),
    'a global function': () => ({ main: [callSub('global')], functions: [label('global'), ...end] }),
    'a global function that sleeps': () => ({
      main: [callSub('global')],
      functions: [label('global'), ...sleep, ...end],
    }),
    'a global function that sleeps by a kfunc': (n) => ({
      main: [callSub('global')],
      functions: [label('global'), ...sleepByKfunc(n), ...end],
    }),
    'a global function with a function that sleeps': () => ({
      main: [callSub('global')],
      functions: [label('global'), callSub('one'), ...end, label('one'), ...sleep, ...end],
    }),
    'a global function with a global function that sleeps': () => ({
      main: [callSub('global')],
      functions: [label('global'), callSub('other'), ...end, label('other'), ...sleep, ...end],
    }),
    'a global function with a callback that sleeps': () => ({
      main: [callSub('global')],
      functions: [
        label('global'),
        mov(r1, 1),
        ldFunc(r2, 'one'),
        mov(r3, 0),
        mov(r4, 0),
        callHelper(181),
        ...end,
        label('one'),
        ...sleep,
        ...end,
      ],
    }),
    'a callback that sleeps': () => ({
      main: [mov(r1, 1), ldFunc(r2, 'one'), mov(r3, 0), mov(r4, 0), callHelper(181)],
      functions: [label('one'), ...sleep, ...end],
    }),
    'the same section': () => ({ main: [] }),
  };

const KINDS_OF_PROGRAMS: readonly (Needs & { readonly name: string; readonly type: ProgType })[] = [
  { name: 'syscall', type: 'syscall' },
  { name: 'tc', type: 'tc' },
];

/** Every section, entered and left around every kind of call, in programs that may sleep and that may not. */
export const sections: Family = family(
  'sections',
  KINDS_OF_PROGRAMS.flatMap((kind) =>
    SECTIONS.map((section) => ({ name: `${section.name} in ${kind.name}`, kind, section })),
  ),
  Object.keys(CALLS),
  ({ kind, section }, what) =>
    small(kind.type, { globals: ['global', 'other'] }, (n) => {
      const { main, functions } = CALLS[what]!(n);
      return [...section.enter(n), ...main, ...section.leave(n), ...end, ...(functions ?? [])];
    }),
);

// Which lock is which.

type LockKind = 'spin_lock' | 'res_spin_lock' | 'res_spin_lock_irqsave';
const FIELD = {
  spin_lock: 'spin_lock',
  res_spin_lock: 'res_spin_lock',
  res_spin_lock_irqsave: 'res_spin_lock',
} as const;

const mapsOf = (kind: LockKind): Readonly<Record<'first' | 'second' | 'hash', MapDef>> => {
  const fields = [{ kind: FIELD[kind], offset: 4, size: 4 }];
  const first: MapDef = { ...arrayMap(16), name: 'first', fields };
  return {
    first,
    second: { ...first, name: 'second' },
    hash: { ...first, name: 'hash', type: 'hash', maxEntries: 8 },
  };
};

const look = (n: Names, map: MapDef, into: Reg<64>): Item[] => lookedUp(n, map, { key: 5, into });

/** r1 = a pointer to a lock. r6 and r7 are two lookups of one key in the first map, r8 one of the hash. */
const LOCKS: Readonly<Record<string, (n: Names, maps: ReturnType<typeof mapsOf>) => Item[]>> = {
  'the value of the first map': (n, { first }) => [n.value(r1, first, 4)],
  'the same by way of its start': (n, { first }) => [n.value(r1, first, 0), add(r1, 4)],
  'the value of the second map': (n, { second }) => [n.value(r1, second, 4)],
  'a lookup': () => [mov(r1, r6), add(r1, 4)],
  'the lookup after it': () => [mov(r1, r7), add(r1, 4)],
  'a lookup in the hash': () => [mov(r1, r8), add(r1, 4)],
  'its start': () => [mov(r1, r6)],
  'behind it': () => [mov(r1, r6), add(r1, 8)],
  'a number': () => [mov(r1, 0)],
  'a slot of the stack': () => stackPointer(r1, -32),
};

const LOCK_KINDS: readonly LockKind[] = ['spin_lock', 'res_spin_lock', 'res_spin_lock_irqsave'];

const lockInsn = ({ kfunc }: Names, kind: LockKind): Item[] =>
  kind === 'spin_lock'
    ? [callHelper(93)]
    : [
        ...(kind === 'res_spin_lock' ? [] : stackPointer(r2, -24)),
        kfunc(`bpf_${kind}`),
        jmp('ne', r0, 0, 'out'),
      ];
const unlockInsn = ({ kfunc }: Names, kind: LockKind): Item[] =>
  kind === 'spin_lock'
    ? [callHelper(94)]
    : kind === 'res_spin_lock'
      ? [kfunc('bpf_res_spin_unlock')]
      : [...stackPointer(r2, -24), kfunc('bpf_res_spin_unlock_irqrestore')];

export const locks: Family = family(
  'locks',
  LOCK_KINDS.flatMap((kind) =>
    Object.keys(LOCKS).map((taken) => ({ name: `${kind}: ${taken}`, kind, taken })),
  ),
  [
    ...Object.keys(LOCKS),
    ...Object.keys(LOCKS)
      .slice(0, 6)
      .map((each) => `and ${each}`),
    'by the way of the other kind',
  ],
  ({ kind, taken }, column) =>
    small('tc', {}, (n) => {
      const maps = mapsOf(kind);
      const name = (which: string): Item[] => LOCKS[which]!(n, maps);
      const find = [...look(n, maps.first, r6), ...look(n, maps.first, r7), ...look(n, maps.hash, r8)];
      const take = [...name(taken), ...lockInsn(n, kind)];
      if (column.startsWith('and ')) {
        // Taken while the first is held; what cannot be had is not there to be given back.
        const other = name(column.slice(4));
        const [second] = kind === 'spin_lock' ? [[callHelper(93)]] : [[n.kfunc('bpf_res_spin_lock')]];
        return [
          ...find,
          ...take,
          ...other,
          ...second,
          ...(kind === 'spin_lock' ? [] : [jmp('ne', r0, 0, 'one')]),
          ...other,
          ...(kind === 'spin_lock' ? [callHelper(94)] : [n.kfunc('bpf_res_spin_unlock')]),
          label('one'),
          ...name(taken),
          ...unlockInsn(n, kind),
          label('out'),
          ...end,
        ];
      }
      if (column === 'by the way of the other kind') {
        const other = kind === 'res_spin_lock' ? 'res_spin_lock_irqsave' : 'res_spin_lock';
        return [...find, ...take, ...name(taken), ...unlockInsn(n, other), label('out'), ...end];
      }
      return [...find, ...take, ...name(column), ...unlockInsn(n, kind), label('out'), ...end];
    }),
);

// Callbacks that change what the next round finds.

const COUNTS: readonly { readonly name: string; readonly items: Item[] }[] = [
  ...[0, 1, 2, 3, 4].map((count) => ({ name: `${count} rounds`, items: [mov(r1, count)] })),
  { name: 'unknown rounds', items: [callHelper(7), mov(r1, r0)] },
  { name: 'at most two rounds', items: [callHelper(7), mov(r1, r0), alu('and', r1, 2)] },
];

/** The slot at r2 holds a number that each round adds to; what it is in the end is an offset into 16 bytes of stack. */
const BODIES: Readonly<Record<string, Item[]>> = {
  'adds to a number': [ldx(8, r1, r2, 0), add(r1, 1), stx(8, r2, 0, r1), ...end],
  'adds 8 to a number': [ldx(8, r1, r2, 0), add(r1, 8), stx(8, r2, 0, r1), ...end],
  'sets it to 100': [st(8, r2, 0, 100), ...end],
  'stops after one': [ldx(8, r1, r2, 0), add(r1, 8), stx(8, r2, 0, r1), mov(r0, 1), exit()],
  'returns 2': [mov(r0, 2), exit()],
  'returns -1': [mov(r0, -1), exit()],
  'returns anything': [ldx(8, r0, r2, 0), callHelper(7), exit()],
  'returns its context': [mov(r0, r2), exit()],
  'returns nothing': [exit()],
  'reads at the number': [
    ldx(8, r1, r2, 0),
    jmp('gt', r1, 100, 'bad'),
    add(r1, 34),
    stx(8, r2, 0, r1),
    ...end,
    label('bad'),
    ldx(8, r0, r1, 0),
    exit(),
  ],
};

export const rounds: Family = family('rounds', COUNTS, Object.keys(BODIES), ({ items }, body) =>
  small('tc', {}, () => [
    st(8, r10, -8, 0),
    st(8, r10, -24, 0),
    st(8, r10, -16, 0),
    ...items,
    ldFunc(r2, 'callback'),
    ...stackPointer(r3, -8),
    mov(r4, 0),
    callHelper(181),
    ldx(8, r1, r10, -8),
    mov(r2, r10),
    add(r2, -24),
    jmp('gt', r1, 1000, 'out'),
    add(r2, r1),
    ldx(1, r0, r2, 0),
    label('out'),
    ...end,
    label('callback'),
    ...BODIES[body]!,
  ]),
);

// Global functions, and what they are given.

export const globals: Family = family(
  'globals',
  POINTERS,
  [
    'for a number',
    'for the context',
    'for the context, moved',
    'for a number in r2',
    'for nothing',
    'to a function',
  ],
  (pointer, how) =>
    small(pointer.type, { localTypes: OBJECTS, globals: ['global'] }, (n) => {
      if (pointer.inner !== undefined) return [...end];
      const body: Item[] =
        how === 'for the context, moved'
          ? [mov(r1, r9), add(r1, 8)]
          : how === 'for a number in r2'
            ? [mov(r1, r9), mov(r2, r6)]
            : [mov(r1, r6)];
      const reads: Item[] = how.includes('context')
        ? [ldx(4, r0, r1, 8)]
        : how === 'for a number in r2'
          ? [mov(r0, r2), alu('and', r0, 1)]
          : how === 'for nothing'
            ? []
            : [mov(r0, r1), alu('and', r0, 1)];
      const called = how === 'to a function' ? 'one' : 'global';
      return [...usingPointer(pointer, n, [], [...body, callSub(called)]), label(called), ...reads, ...end];
    }),
);

export const SITES: readonly Family[] = [sections, locks, lookups, twoValues, rounds, globals, nodes, forms];
