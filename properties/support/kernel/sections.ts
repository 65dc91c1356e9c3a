/** RCU, preemption and interrupt sections, task references, iterators. */
import {
  add,
  callHelper,
  exit,
  ja,
  jmp,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r6,
  r7,
  r10,
  st,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { ProgType } from '../../../src/object/program.js';
import { done, type Expected, type KernelCase, kernelCase, leak, stackPointer } from './case.js';

const EXIT_INSIDE = 'BPF_EXIT instruction in main prog cannot be used inside';

/** Kfuncs without arguments, one after the other. */
function sequence(title: string, type: ProgType, expected: Expected, ...kfuncs: string[]): KernelCase {
  return kernelCase(title, type, expected, ({ kfunc }) => [...kfuncs.map(kfunc), ...done]);
}

const LOCK = 'bpf_rcu_read_lock';
const UNLOCK = 'bpf_rcu_read_unlock';
const DISABLE = 'bpf_preempt_disable';
const ENABLE = 'bpf_preempt_enable';

/** bpf_copy_from_user(fp-8, 8, 0), which sleeps. */
const sleep: Item[] = [...stackPointer(r1, -8), mov(r2, 8), mov(r3, 0), callHelper(148)];

const sections: KernelCase[] = [
  sequence('rcu: lock, unlock', 'syscall', { retval: 0 }, LOCK, UNLOCK),
  sequence('rcu: lock, unlock, tc', 'tc', { retval: 0 }, LOCK, UNLOCK),
  sequence(
    'rcu: leak',
    'syscall',
    { verdict: 'EINVAL', message: `${EXIT_INSIDE} bpf_rcu_read_lock-ed region` },
    LOCK,
  ),
  sequence(
    'rcu: unlock alone',
    'syscall',
    { verdict: 'EINVAL', message: 'unmatched rcu read unlock (kernel function bpf_rcu_read_unlock)' },
    UNLOCK,
  ),
  sequence(
    'rcu: nested',
    'syscall',
    { verdict: 'EINVAL', message: 'nested rcu read lock (kernel function bpf_rcu_read_lock)' },
    LOCK,
    LOCK,
    UNLOCK,
    UNLOCK,
  ),
  kernelCase(
    'rcu: sleeping inside',
    'syscall',
    { verdict: 'EINVAL', message: 'sleepable helper bpf_copy_from_user#148 in rcu_read_lock region' },
    ({ kfunc }) => [kfunc(LOCK), ...sleep, kfunc(UNLOCK), ...done],
  ),
  sequence('preempt: disable, enable', 'syscall', { retval: 0 }, DISABLE, ENABLE),
  sequence('preempt: disable, enable, xdp', 'xdp', { retval: 0 }, DISABLE, ENABLE),
  sequence('preempt: nested', 'syscall', { retval: 0 }, DISABLE, DISABLE, ENABLE, ENABLE),
  sequence(
    'preempt: leak',
    'syscall',
    { verdict: 'EINVAL', message: `${EXIT_INSIDE} bpf_preempt_disable-ed region` },
    DISABLE,
  ),
  sequence(
    'preempt: enable alone',
    'syscall',
    {
      verdict: 'EINVAL',
      message: 'unmatched attempt to enable preemption (kernel function bpf_preempt_enable)',
    },
    ENABLE,
  ),
  kernelCase(
    'preempt: sleeping inside',
    'syscall',
    { verdict: 'EINVAL', message: 'sleepable helper bpf_copy_from_user#148 in non-preemptible region' },
    ({ kfunc }) => [kfunc(DISABLE), ...sleep, kfunc(ENABLE), ...done],
  ),
];

/** A call of an interrupt kfunc on the flag at fp+slot, 3 insns. */
type Irq = readonly ['save' | 'restore', number];

function irq(name: string, expected: Expected, ...calls: Irq[]): KernelCase {
  return kernelCase(`irq: ${name}`, 'syscall', expected, ({ kfunc }) => [
    ...calls.flatMap(([what, slot]) => [...stackPointer(r1, slot), kfunc(`bpf_local_irq_${what}`)]),
    ...done,
  ]);
}

const interrupts: KernelCase[] = [
  irq('save, restore', { retval: 0 }, ['save', -8], ['restore', -8]),
  irq('nested', { retval: 0 }, ['save', -8], ['save', -16], ['restore', -16], ['restore', -8]),
  irq('leak', { verdict: 'EINVAL', message: `${EXIT_INSIDE} bpf_local_irq_save-ed region` }, ['save', -8]),
  irq('restore alone', { verdict: 'EINVAL', message: 'expected an initialized irq flag as arg#0' }, [
    'restore',
    -8,
  ]),
  irq(
    'out of order',
    {
      verdict: 'EACCES',
      message: 'cannot restore irq state out of order, expected id=2 acquired at insn_idx=5',
    },
    ['save', -8],
    ['save', -16],
    ['restore', -8],
    ['restore', -16],
  ),
];

function task(
  name: string,
  type: ProgType,
  expected: Expected,
  after: (call: (k: string) => Item) => Item[],
): KernelCase {
  return kernelCase(`task: ${name}`, type, expected, ({ kfunc }) => [
    mov(r1, 1),
    kfunc('bpf_task_from_pid'),
    ...after(kfunc),
  ]);
}

const freed = (kfunc: (k: string) => Item): Item[] => [
  jmp('eq', r0, 0, 'out'),
  mov(r1, r0),
  kfunc('bpf_task_release'),
  label('out'),
  ...done,
];

const tasks: KernelCase[] = [
  ...(['syscall', 'xdp', 'tc', 'tracepoint'] as const).map((type) =>
    task(`from pid, release, ${type}`, type, {}, freed),
  ),
  task(
    'from pid, socket filter',
    'socket_filter',
    { verdict: 'EACCES', message: 'calling kernel function bpf_task_from_pid is not allowed' },
    freed,
  ),
  task('leak', 'syscall', { verdict: 'EINVAL', message: leak(1) }, () => done),
  task(
    'release without NULL check',
    'syscall',
    { verdict: 'EACCES', message: 'Possibly NULL pointer passed to trusted arg0' },
    (kfunc) => [mov(r1, r0), kfunc('bpf_task_release'), ...done],
  ),
  task(
    'double release',
    'syscall',
    {
      verdict: 'EINVAL',
      message: 'arg#0 pointer type STRUCT task_struct must point to scalar, or struct with scalar',
    },
    (kfunc) => [
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      mov(r1, r6),
      kfunc('bpf_task_release'),
      mov(r1, r6),
      kfunc('bpf_task_release'),
      label('out'),
      ...done,
    ],
  ),
  kernelCase(
    'task: release of the current task',
    'syscall',
    {
      verdict: 'EINVAL',
      message: 'release kernel function bpf_task_release expects refcounted PTR_TO_BTF_ID',
    },
    ({ kfunc }) => [callHelper(158), mov(r1, r0), kfunc('bpf_task_release'), ...done],
  ),
  kernelCase('cpumask: create, release', 'syscall', { retval: 0 }, ({ kfunc }) => [
    kfunc('bpf_cpumask_create'),
    jmp('eq', r0, 0, 'out'),
    mov(r1, r0),
    kfunc('bpf_cpumask_release'),
    label('out'),
    ...done,
  ]),
  kernelCase('cpumask: leak', 'syscall', { verdict: 'EINVAL', message: leak(0) }, ({ kfunc }) => [
    kfunc('bpf_cpumask_create'),
    ...done,
  ]),
];

/** bpf_iter_num_new(fp-8, 0, 10); the call is insn 4. */
const newNum = (kfunc: (k: string) => Item): Item[] => [
  ...stackPointer(r1, -8),
  mov(r2, 0),
  mov(r3, 10),
  kfunc('bpf_iter_num_new'),
];
const onIter = (kfunc: (k: string) => Item, what: 'next' | 'destroy'): Item[] => [
  ...stackPointer(r1, -8),
  kfunc(`bpf_iter_num_${what}`),
];

function iter(name: string, expected: Expected, body: (call: (k: string) => Item) => Item[]): KernelCase {
  return kernelCase(`iter: ${name}`, 'xdp', expected, ({ kfunc }) => body(kfunc));
}

const NOT_INITIALISED = 'expected an initialized iter_num as arg #0';

const iterators: KernelCase[] = [
  iter('loop', { retval: 10 }, (kfunc) => [
    mov(r7, 0),
    ...newNum(kfunc),
    label('next'),
    ...onIter(kfunc, 'next'),
    jmp('eq', r0, 0, 'end'),
    add(r7, 1),
    ja('next'),
    label('end'),
    ...onIter(kfunc, 'destroy'),
    mov(r0, r7),
    exit(),
  ]),
  iter('leak', { verdict: 'EINVAL', message: leak(4, 1) }, (kfunc) => [...newNum(kfunc), ...done]),
  iter('next without new', { verdict: 'EINVAL', message: NOT_INITIALISED }, (kfunc) => [
    ...onIter(kfunc, 'next'),
    ...done,
  ]),
  iter('destroy twice', { verdict: 'EINVAL', message: NOT_INITIALISED }, (kfunc) => [
    ...newNum(kfunc),
    ...onIter(kfunc, 'destroy'),
    ...onIter(kfunc, 'destroy'),
    ...done,
  ]),
  iter('new twice', { verdict: 'EINVAL', message: 'expected uninitialized iter_num as arg #0' }, (kfunc) => [
    ...newNum(kfunc),
    ...newNum(kfunc),
    ...done,
  ]),
  iter('store over the slot', { verdict: 'EINVAL', message: leak(4, 1) }, (kfunc) => [
    ...newNum(kfunc),
    st(8, r10, -8, 0),
    ...done,
  ]),
  iter(
    'next without NULL check',
    { verdict: 'EACCES', message: "R0 invalid mem access 'scalar'" },
    (kfunc) => [
      ...newNum(kfunc),
      ...onIter(kfunc, 'next'),
      ldx(4, r7, r0, 0),
      ...onIter(kfunc, 'destroy'),
      ...done,
    ],
  ),
  kernelCase(
    'iter: tasks outside of RCU',
    'syscall',
    { verdict: 'EACCES', message: 'kernel func bpf_iter_task_new requires RCU critical section protection' },
    ({ kfunc }) => [...stackPointer(r1, -24), mov(r2, 0), mov(r3, 0), kfunc('bpf_iter_task_new'), ...done],
  ),
];

export const sectionCases: readonly KernelCase[] = [...sections, ...interrupts, ...tasks, ...iterators];
