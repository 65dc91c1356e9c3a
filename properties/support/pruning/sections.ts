/** What is held or open where paths meet: references, locks, RCU, preemption, interrupts, iterators, dynptrs; and calls that are open. */
import type { Family } from './family.js';

const LOCKS =
  '.map m array key=4 value=16 entries=1 spin_lock@0\n.map n array key=4 value=16 entries=1 spin_lock@0\n.map a array key=4 value=16 entries=1 res_spin_lock@0\n.map b array key=4 value=16 entries=1 res_spin_lock@0';
const RINGBUF = '.map rb ringbuf entries=4096\n.map ra ringbuf entries=4096';

const LOOKUP = (map: string, reg: string): string =>
  `*(u32 *)(r10 -4) = 0;r1 = map ${map};r2 = r10;r2 += -4;call bpf_map_lookup_elem#1;if r0 == 0x0 goto out;${reg} = r0`;
const RESERVE = (reg: string): string =>
  `r1 = map rb;r2 = 8;r3 = 0;call bpf_ringbuf_reserve#131;if r0 == 0x0 goto out;${reg} = r0`;
const DISCARD = (reg: string): string => `r1 = ${reg};r2 = 0;call bpf_ringbuf_discard#133`;

const SECTIONS: Family = {
  name: 'an open section',
  setups: {
    none: 'r6 = 0',
    RCU: 'call bpf_rcu_read_lock',
    preemption: 'call bpf_preempt_disable',
    'preemption twice': 'call bpf_preempt_disable;call bpf_preempt_disable',
    interrupts: 'r1 = r10;r1 += -8;call bpf_local_irq_save',
    'RCU and preemption': 'call bpf_rcu_read_lock;call bpf_preempt_disable',
  },
  tails: {
    'nothing closed': 'r1 = 0',
    'RCU closed': 'call bpf_rcu_read_unlock',
    'preemption closed': 'call bpf_preempt_enable',
    'interrupts closed': 'r1 = r10;r1 += -8;call bpf_local_irq_restore',
  },
};

const IRQ: Family = {
  name: 'saved interrupts',
  directives: LOCKS,
  setups: {
    'one and two': 'r1 = r10;r1 += -8;call bpf_local_irq_save;r1 = r10;r1 += -16;call bpf_local_irq_save',
    'two and one': 'r1 = r10;r1 += -16;call bpf_local_irq_save;r1 = r10;r1 += -8;call bpf_local_irq_save',
    'by a lock': 'r1 = mapvalue a;r2 = r10;r2 += -8;call bpf_res_spin_lock_irqsave;if r0 != 0x0 goto out',
    one: 'r1 = r10;r1 += -8;call bpf_local_irq_save',
  },
  tails: {
    'restored in order':
      'r1 = r10;r1 += -16;call bpf_local_irq_restore;r1 = r10;r1 += -8;call bpf_local_irq_restore',
    'restored the other way round':
      'r1 = r10;r1 += -8;call bpf_local_irq_restore;r1 = r10;r1 += -16;call bpf_local_irq_restore',
    'restored by an unlock': 'r1 = mapvalue a;r2 = r10;r2 += -8;call bpf_res_spin_unlock_irqrestore',
    'one restored': 'r1 = r10;r1 += -8;call bpf_local_irq_restore',
  },
};

const LOCK: Family = {
  name: 'a lock',
  directives: LOCKS,
  before: `${LOOKUP('m', 'r6')};${LOOKUP('m', 'r7')}`,
  setups: {
    none: 'r1 = 0',
    first: 'r1 = r6;call bpf_spin_lock#93',
    second: 'r1 = r7;call bpf_spin_lock#93',
    'of another map': 'r1 = mapvalue n;call bpf_spin_lock#93',
    'of the map itself': 'r1 = mapvalue m;call bpf_spin_lock#93',
    resilient: 'r1 = mapvalue a;call bpf_res_spin_lock;if r0 != 0x0 goto out',
    'resilient of another map': 'r1 = mapvalue b;call bpf_res_spin_lock;if r0 != 0x0 goto out',
    'two resilient':
      'r1 = mapvalue a;call bpf_res_spin_lock;if r0 != 0x0 goto out;r1 = mapvalue b;call bpf_res_spin_lock;if r0 == 0x0 goto both@;r1 = mapvalue a;call bpf_res_spin_unlock;goto out;both@:;r1 = 0',
  },
  tails: {
    'first unlocked': 'r1 = r6;call bpf_spin_unlock#94',
    'second unlocked': 'r1 = r7;call bpf_spin_unlock#94',
    'other map unlocked': 'r1 = mapvalue n;call bpf_spin_unlock#94',
    'the map itself unlocked': 'r1 = mapvalue m;call bpf_spin_unlock#94',
    'resilient one unlocked': 'r1 = mapvalue a;call bpf_res_spin_unlock',
    'other resilient one unlocked': 'r1 = mapvalue b;call bpf_res_spin_unlock',
    'both unlocked': 'r1 = mapvalue b;call bpf_res_spin_unlock;r1 = mapvalue a;call bpf_res_spin_unlock',
    'nothing unlocked': 'r1 = 0',
  },
};

const REFERENCES: Family = {
  name: 'a reference',
  directives: RINGBUF,
  setups: {
    none: 'r6 = 0;r7 = 0',
    one: `${RESERVE('r6')};r7 = r6`,
    'one not in r6': `${RESERVE('r7')};r6 = 0`,
    two: `${RESERVE('r6')};r1 = map rb;r2 = 8;r3 = 0;call bpf_ringbuf_reserve#131;if r0 != 0x0 goto got@;${DISCARD('r6')};goto out;got@:;r7 = r0`,
    'two, the other way round': `${RESERVE('r7')};r1 = map rb;r2 = 8;r3 = 0;call bpf_ringbuf_reserve#131;if r0 != 0x0 goto got@;${DISCARD('r7')};goto out;got@:;r6 = r0`,
  },
  tails: {
    'none given back': 'r1 = 0',
    'first given back': DISCARD('r6'),
    'second given back': DISCARD('r7'),
    'both given back': `${DISCARD('r6')};${DISCARD('r7')}`,
    'second written after the first was given back': `${DISCARD('r6')};*(u64 *)(r7 +0) = 1;${DISCARD('r7')}`,
  },
};

const NEW = (at: number, count: number): string =>
  `r1 = r10;r1 += -${at};r2 = 0;r3 = ${count};call bpf_iter_num_new`;
const DESTROY = (at: number): string => `r1 = r10;r1 += -${at};call bpf_iter_num_destroy`;
const NEXT = (at: number): string => `r1 = r10;r1 += -${at};call bpf_iter_num_next`;

const ITERATORS: Family = {
  name: 'an iterator',
  before: '*(u64 *)(r10 -32) = 0',
  setups: {
    none: 'r6 = 0',
    new: NEW(8, 3),
    'at another place': NEW(16, 3),
    'two of them': `${NEW(8, 3)};${NEW(16, 3)}`,
    'two of them, the other way round': `${NEW(16, 3)};${NEW(8, 3)}`,
    drained: `${NEW(8, 3)};${NEXT(8)};if r0 == 0x0 goto dry@;${DESTROY(8)};goto out;dry@:;r6 = 0`,
    'gone on': `${NEW(8, 3)};${NEXT(8)};if r0 != 0x0 goto more@;${DESTROY(8)};goto out;more@:;r6 = 0`,
    'of bits': 'r1 = r10;r1 += -16;r2 = r10;r2 += -32;r3 = 1;call bpf_iter_bits_new',
    destroyed: `${NEW(8, 3)};${DESTROY(8)}`,
  },
  tails: {
    destroyed: DESTROY(8),
    'other place destroyed': DESTROY(16),
    'both destroyed': `${DESTROY(8)};${DESTROY(16)}`,
    'bits destroyed': 'r1 = r10;r1 += -16;call bpf_iter_bits_destroy',
    'not destroyed': 'r1 = 0',
    'an element read': `${NEXT(8)};if r0 == 0x0 goto dry;r1 = *(u32 *)(r0 +0);dry:;${DESTROY(8)}`,
  },
};

const TASKS: Family = {
  name: 'an iterator that needs RCU',
  type: 'kprobe',
  setups: {
    new: 'call bpf_rcu_read_lock;r1 = r10;r1 += -24;r2 = 0;r3 = 0;call bpf_iter_task_new',
    stale:
      'call bpf_rcu_read_lock;r1 = r10;r1 += -24;r2 = 0;r3 = 0;call bpf_iter_task_new;call bpf_rcu_read_unlock;call bpf_rcu_read_lock',
  },
  tails: {
    destroyed: 'r1 = r10;r1 += -24;call bpf_iter_task_destroy;call bpf_rcu_read_unlock',
  },
};

const RESERVE_DYNPTR = (at: number): string =>
  `r1 = map rb;r2 = 8;r3 = 0;r4 = r10;r4 += -${at};call bpf_ringbuf_reserve_dynptr#198`;
const MEM_DYNPTR = (at: number): string =>
  `r1 = mapvalue m;r2 = 8;r3 = 0;r4 = r10;r4 += -${at};call bpf_dynptr_from_mem#197`;
const READ_DYNPTR = (at: number): string =>
  `r1 = r10;r1 += -48;r2 = 8;r3 = r10;r3 += -${at};r4 = 0;r5 = 0;call bpf_dynptr_read#201`;

const DYNPTRS: Family = {
  name: 'a dynptr',
  directives: `${RINGBUF}\n.map m array key=4 value=8 entries=1`,
  setups: {
    none: 'r6 = 0',
    written: '*(u64 *)(r10 -16) = 0;*(u64 *)(r10 -8) = 0',
    'of a record': RESERVE_DYNPTR(16),
    'of memory': MEM_DYNPTR(16),
    'of a packet': 'r1 = r9;r2 = 0;r3 = r10;r3 += -16;call bpf_dynptr_from_skb',
    'of memory, one slot lower': MEM_DYNPTR(24),
    'of memory, two slots lower': MEM_DYNPTR(32),
    'of two records': `${RESERVE_DYNPTR(16)};${RESERVE_DYNPTR(32)}`,
    'of two records, the other way round': `${RESERVE_DYNPTR(32)};${RESERVE_DYNPTR(16)}`,
  },
  tails: {
    'given back': 'r1 = r10;r1 += -16;r2 = 0;call bpf_ringbuf_discard_dynptr#200',
    'both given back':
      'r1 = r10;r1 += -16;r2 = 0;call bpf_ringbuf_discard_dynptr#200;r1 = r10;r1 += -32;r2 = 0;call bpf_ringbuf_discard_dynptr#200',
    'not used': 'r1 = 0',
    read: READ_DYNPTR(16),
    'read, two slots lower': READ_DYNPTR(32),
    'written over': '*(u64 *)(r10 -16) = 0;r0 = *(u64 *)(r10 -8)',
    'half of it written over': '*(u64 *)(r10 -8) = 0',
  },
};

const SLICES: Family = {
  name: 'a slice of a dynptr',
  directives: RINGBUF,
  before: `${RESERVE_DYNPTR(16)};${RESERVE_DYNPTR(32)}`,
  setups: {
    'of the first': 'r1 = r10;r1 += -16;r2 = 0;r3 = 8;call bpf_dynptr_data#203;r6 = r0',
    'of the second': 'r1 = r10;r1 += -32;r2 = 0;r3 = 8;call bpf_dynptr_data#203;r6 = r0',
  },
  tails: Object.fromEntries(
    [
      [16, 32],
      [32, 16],
    ].map(([one, other]) => [
      `fp-${one} given back, then written`,
      `r1 = r10;r1 += -${one};r2 = 0;call bpf_ringbuf_discard_dynptr#200;if r6 == 0x0 goto no;*(u64 *)(r6 +0) = 1;no:;r1 = r10;r1 += -${other};r2 = 0;call bpf_ringbuf_discard_dynptr#200;r1 = 0`,
    ]),
  ),
};

/** The paths meet in a callee, which three frames are open for. */
const FRAMES: readonly Family[] = [
  {
    name: 'a register of a caller',
    setups: {
      zero: 'r6 = 0;r7 = 0',
      one: 'r6 = 1;r7 = 0',
      other: 'r6 = 0;r7 = 1',
      context: 'r6 = r9;r7 = 0',
    },
    tails: {
      'needed after the call': 'call callee;if r6 != 0x0 goto bad',
      'needed after two calls': 'call outer;if r6 != 0x0 goto bad',
      'not needed': 'call callee',
      'given to the callee': 'r1 = r6;call taker',
      'given on to its callee': 'r1 = 0;r2 = r6;call passer',
      'an argument that is not used': 'r1 = r7;r2 = r6;call taker',
    },
    functions: {
      callee: 'call bpf_get_prandom_u32#7;if r0 == 0x0 goto c1;r0 = 1;c1:;r0 = 0;exit',
      outer: 'r6 = 1;r7 = 1;call callee;r0 = 0;exit',
      taker: 'call bpf_get_prandom_u32#7;if r0 == 0x0 goto t1;r0 = 1;t1:;r0 = 0;exit',
      passer: 'r1 = r2;call judge;r0 = 0;exit',
      judge: 'if r1 != 0x0 goto jbad;r0 = 0;exit;jbad:;r0 = 0;r0 = *(u64 *)(r0 +0);exit',
    },
  },
  {
    name: 'which call led here',
    setups: { first: 'call callee;r6 = r0;r7 = 0', second: 'r1 = 0;call callee;r6 = r0;r7 = 1' },
    tails: { 'checked after': 'if r7 != 0x0 goto bad', 'not checked': 'r1 = r6' },
    functions: { callee: 'call bpf_get_prandom_u32#7;if r0 == 0x0 goto c1;r0 = 1;c1:;r0 = 0;exit' },
  },
  {
    name: 'into which frame a pointer points',
    before: '*(u64 *)(r10 -8) = 0',
    setups: { 'no frame': 'r6 = 0', own: 'r6 = r10;r6 += -8', context: 'r6 = r9' },
    tails: {
      'written by a callee': 'r1 = r6;call callee;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
      'met in a callee': 'r1 = r10;r1 += -8;call chooser;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
      'met in a callee, the other way round':
        'r1 = r10;r1 += -8;call other;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    },
    functions: {
      callee: 'if r1 == 0x0 goto c1;*(u64 *)(r1 +0) = 1;c1:;r0 = 0;exit',
      chooser: `r7 = r1;*(u64 *)(r10 -8) = 0;call bpf_get_prandom_u32#7;r6 = r10;r6 += -8;if r0 == 0x0 goto second2;r5 = 0;if r5 == 0x1 goto met;${'r5 = 1;'.repeat(8)}goto met;second2:;r6 = r7;met:;*(u64 *)(r6 +0) = 1;r0 = 0;exit`,
      other: `r7 = r10;r7 += -8;r6 = r1;*(u64 *)(r10 -8) = 0;call bpf_get_prandom_u32#7;if r0 == 0x0 goto second3;r5 = 0;if r5 == 0x1 goto met3;${'r5 = 1;'.repeat(8)}goto met3;second3:;r6 = r7;met3:;*(u64 *)(r6 +0) = 1;r0 = 0;exit`,
    },
  },
];

export const SECTIONS_AND_CALLS: readonly Family[] = [
  SECTIONS,
  IRQ,
  LOCK,
  REFERENCES,
  ITERATORS,
  TASKS,
  DYNPTRS,
  SLICES,
  ...FRAMES,
];
