/** What is held across calls and jumps: subprograms that lock for their caller, iterators under a lock, two-mode programs. */
import {
  add,
  callHelper,
  callSub,
  exit,
  ja,
  jmp,
  ldFunc,
  mayGoto,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r7,
  r10,
  st,
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
  lookedUp,
  type Names,
  out,
  ringbufMap,
  stackPointer,
  unlockR6,
} from './case.js';

const NO_CALLS = 'function calls are not allowed while holding a lock';
const lockMap: MapDef = { ...arrayMap(16), fields: [{ kind: 'spin_lock', offset: 0, size: 4 }] };

/** r6 = the value at key 0 of the map with the lock; leads to `out` where there is none. */
const value = (names: Names): Item[] => lookedUp(names, lockMap);

const subprograms: KernelCase[] = [
  kernelCase('across: static subprogram locks, caller unlocks', 'xdp', { retval: 0 }, (names) => [
    ...value(names),
    mov(r1, r6),
    callSub('sub'),
    ...unlockR6,
    ...out,
    label('sub'),
    callHelper(93),
    ...done,
  ]),
  kernelCase('across: static subprogram enters RCU, caller leaves', 'tc', { retval: 0 }, ({ kfunc }) => [
    callSub('sub'),
    kfunc('bpf_rcu_read_unlock'),
    ...done,
    label('sub'),
    kfunc('bpf_rcu_read_lock'),
    ...done,
  ]),
  kernelCase(
    'across: global subprogram enters RCU',
    'tc',
    {
      verdict: 'EINVAL',
      message: 'BPF_EXIT instruction in main prog cannot be used inside bpf_rcu_read_lock-ed region',
      globals: ['sub'],
    },
    ({ kfunc }) => [callSub('sub'), ...done, label('sub'), kfunc('bpf_rcu_read_lock'), ...done],
  ),
  kernelCase('across: global subprogram inside RCU', 'tc', { retval: 0, globals: ['sub'] }, ({ kfunc }) => [
    kfunc('bpf_rcu_read_lock'),
    callSub('sub'),
    kfunc('bpf_rcu_read_unlock'),
    ...done,
    label('sub'),
    ...done,
  ]),
  kernelCase(
    'across: global subprogram under a lock',
    'xdp',
    {
      verdict: 'EINVAL',
      message: 'global function calls are not allowed while holding a lock, use static function instead',
      globals: ['sub'],
    },
    (names) => [...value(names), ...lockR6, callSub('sub'), ...unlockR6, ...out, label('sub'), ...done],
  ),
];

const loops: KernelCase[] = [
  kernelCase('across: bpf_loop under a lock', 'xdp', { verdict: 'EINVAL', message: NO_CALLS }, (names) => [
    ...value(names),
    ...lockR6,
    mov(r1, 2),
    ldFunc(r2, 'cb'),
    mov(r3, 0),
    mov(r4, 0),
    callHelper(181),
    ...unlockR6,
    ...out,
    label('cb'),
    ...done,
  ]),
  kernelCase('across: numbers under a lock', 'xdp', { retval: 0 }, (names) => [
    ...value(names),
    ...lockR6,
    ...stackPointer(r1, -16),
    mov(r2, 0),
    mov(r3, 4),
    names.kfunc('bpf_iter_num_new'),
    label('next'),
    ...stackPointer(r1, -16),
    names.kfunc('bpf_iter_num_next'),
    jmp('eq', r0, 0, 'end'),
    ja('next'),
    label('end'),
    ...stackPointer(r1, -16),
    names.kfunc('bpf_iter_num_destroy'),
    ...unlockR6,
    ...out,
  ]),
];

/**
 * Two reserved records, and behind them the same with every reserve replaced by NULL (and `submits` by 0, or kept);
 * `may_goto` may lead from each insn to its like.
 */
function twoModes(name: string, expected: Expected, keepReleases: boolean): KernelCase {
  return kernelCase(`across: ${name}`, 'xdp', expected, (names) => {
    const body = (mode: 'a' | 'b'): Item[][] => {
      const reserve: Item[] = [names.map(r1, ringbufMap), mov(r2, 8), mov(r3, 0)];
      const acquire: Item = mode === 'a' ? callHelper(131) : mov(r0, 0);
      const release: Item = mode === 'a' || keepReleases ? callHelper(132) : mov(r0, 0);
      return [
        ...reserve.map((item) => [item]),
        [acquire],
        [mov(r6, r0)],
        [jmp('eq', r6, 0, `second-${mode}`)],
        [st(8, r6, 0, 1)],
        [mov(r1, r6)],
        [mov(r2, 0)],
        [release],
        [label(`second-${mode}`), ...reserve.slice(0, 1)],
        ...reserve.slice(1).map((item) => [item]),
        [acquire],
        [mov(r7, r0)],
        [jmp('eq', r7, 0, `out-${mode}`)],
        [mov(r1, r7)],
        [mov(r2, 0)],
        [release],
        [label(`out-${mode}`), mov(r0, 0)],
        [exit()],
      ];
    };
    const normal = body('a').flatMap((items, i): Item[] => {
      const labels = items.filter((item) => item.kind === 'label');
      const ops = items.filter((item) => item.kind !== 'label');
      return [...labels, mayGoto(`twin${i}`), ...ops];
    });
    const patched = body('b').flatMap((items, i): Item[] => [label(`twin${i}`), ...items]);
    return [...normal, ...patched];
  });
}

const certificates: KernelCase[] = [
  twoModes('two modes, reserve stubbed', {}, true),
  twoModes('two modes, submit stubbed too', { verdict: 'EINVAL', message: leak(8) }, false),
];

const tree: LocalType = {
  name: 'tree_data',
  size: 40,
  fields: [{ kind: 'rb_node', offset: 8, size: 32, node: 'node' }],
  id: 1,
};
const treeMap: MapDef = {
  ...arrayMap(24),
  fields: [
    { kind: 'spin_lock', offset: 0, size: 4 },
    { kind: 'rb_root', offset: 8, size: 16, struct: 'tree_data', node: 'node' },
  ],
};

/** bpf_rbtree_add with a comparison that never says less, under the lock or not. */
function insert(name: string, expected: Expected, locked: boolean): KernelCase {
  return kernelCase(`rbtree: ${name}`, 'tc', { ...expected, localTypes: [tree] }, ({ kfunc, map }) => [
    st(4, r10, -4, 0),
    map(r1, treeMap),
    ...stackPointer(r2, -4),
    callHelper(1),
    jmp('eq', r0, 0, 'out'),
    mov(r6, r0),
    mov(r1, 1),
    mov(r2, 0),
    kfunc('bpf_obj_new_impl'),
    jmp('eq', r0, 0, 'out'),
    mov(r7, r0),
    ...(locked ? lockR6 : []),
    mov(r1, r6),
    add(r1, 8),
    mov(r2, r7),
    add(r2, 8),
    ldFunc(r3, 'less'),
    mov(r4, 0),
    mov({ reg: 5, width: 64 }, 0),
    kfunc('bpf_rbtree_add_impl'),
    ...(locked ? unlockR6 : []),
    ...out,
    label('less'),
    ...done,
  ]);
}

const trees: KernelCase[] = [
  insert('add', { retval: 0 }, true),
  insert(
    'add without the lock',
    { verdict: 'EINVAL', message: 'bpf_spin_lock at off=0 must be held for bpf_rb_root' },
    false,
  ),
];

export const acrossCases: readonly KernelCase[] = [...subprograms, ...loops, ...certificates, ...trees];
