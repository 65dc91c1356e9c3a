/** What a stack slot may differ in, and what may be left out of it: bytes and their kinds, spilled registers of every width, slots that nothing reads. */
import type { Family } from './family.js';

const SETUPS: Readonly<Record<string, string>> = {
  'nothing written': 'r1 = 0',
  zero: '*(u64 *)(r10 -8) = 0',
  seven: '*(u64 *)(r10 -8) = 7',
  number: 'call bpf_get_prandom_u32#7;*(u64 *)(r10 -8) = r0',
  'small number': 'call bpf_get_prandom_u32#7;r0 &= 7;*(u64 *)(r10 -8) = r0',
  'word of zero': '*(u32 *)(r10 -8) = 0',
  'upper word of zero': '*(u32 *)(r10 -4) = 0',
  'two words': '*(u32 *)(r10 -8) = 7;*(u32 *)(r10 -4) = 0',
  'two spilled words': 'r1 = 7;r2 = 0;*(u32 *)(r10 -4) = r2;*(u32 *)(r10 -8) = r1',
  'upper word of zero, then a spilled word of zero': '*(u32 *)(r10 -4) = 0;*(u32 *)(r10 -8) = 0',
  'word of a number': 'call bpf_get_prandom_u32#7;*(u32 *)(r10 -8) = r0',
  'byte of zero': '*(u8 *)(r10 -8) = 0',
  'all but one byte': '*(u64 *)(r10 -8) = 0;*(u8 *)(r10 -3) = 1',
  'zero, then a byte in the lower half':
    '*(u64 *)(r10 -8) = 0;call bpf_get_prandom_u32#7;*(u8 *)(r10 -7) = r0',
  'frame pointer': '*(u64 *)(r10 -8) = r10',
  context: '*(u64 *)(r10 -8) = r9',
  'part of a pointer': '*(u64 *)(r10 -8) = r9;*(u8 *)(r10 -8) = 0',
};

const SLOT: Family = {
  name: 'a stack slot',
  setups: SETUPS,
  tails: {
    read: 'r1 = *(u64 *)(r10 -8)',
    'not zero is bad': 'r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'word not zero is bad': 'r1 = *(u32 *)(r10 -8);if r1 != 0x0 goto bad',
    'upper word not zero is bad': 'r1 = *(u32 *)(r10 -4);if r1 != 0x0 goto bad',
    'byte not zero is bad': 'r1 = *(u8 *)(r10 -8);if r1 != 0x0 goto bad',
    'written over': '*(u64 *)(r10 -8) = 1;r1 = *(u64 *)(r10 -8)',
  },
};

const POINTERS: Family = {
  name: 'a pointer in a stack slot',
  setups: {
    'frame pointer': '*(u64 *)(r10 -8) = r10',
    'below it': 'r1 = r10;r1 += -8;*(u64 *)(r10 -8) = r1',
    context: '*(u64 *)(r10 -8) = r9',
    number: 'call bpf_get_prandom_u32#7;*(u64 *)(r10 -8) = r0',
    'nothing written': 'r1 = 0',
  },
  tails: {
    'read through': 'r1 = *(u64 *)(r10 -8);r0 = *(u32 *)(r1 +0)',
    'written through': 'r1 = *(u64 *)(r10 -8);*(u8 *)(r1 +0) = 1',
    'not read': 'r1 = 0',
  },
};

/** The loader may not read what was never written, nor store part of a pointer. */
const STRICT: Family = {
  setups: {
    ...Object.fromEntries(Object.entries(SETUPS).filter(([name]) => name !== 'part of a pointer')),
    'a byte by a helper': 'r1 = r9;r2 = 0;r3 = r10;r3 += -8;r4 = 1;call bpf_skb_load_bytes#26',
  },
  tails: {
    'byte read': 'r1 = *(u8 *)(r10 -8)',
    read: 'r1 = *(u64 *)(r10 -8)',
    'word read': 'r1 = *(u32 *)(r10 -8)',
    'upper byte read': 'r1 = *(u8 *)(r10 -1)',
    'written over': '*(u64 *)(r10 -8) = 1;r1 = *(u64 *)(r10 -8)',
  },
  name: 'a stack slot',
  profiles: ['strict'],
};

/** Ways to need a slot, or part of it. What is needed of the first path must be the same on the second. */
const NEEDED: Family = {
  name: 'what is needed of a stack slot',
  directives: '.map m array key=4 value=8 entries=2\n.map h hash key=8 value=8 entries=2',
  globals: ['global'],
  before: 'r7 = 0;*(u64 *)(r10 -16) = 0',
  setups: {
    zero: '*(u64 *)(r10 -8) = 0',
    one: '*(u64 *)(r10 -8) = 1',
    any: 'call bpf_get_prandom_u32#7;*(u64 *)(r10 -8) = r0',
    pointer: '*(u64 *)(r10 -8) = r10',
  },
  tails: {
    'filled after a store to half of it': '*(u32 *)(r10 -8) = 0;r1 = *(u32 *)(r10 -4);if r1 != 0x0 goto bad',
    'filled after a store beside it': '*(u64 *)(r10 -16) = 3;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'filled after a store of all of it': '*(u64 *)(r10 -8) = 0;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'filled by an atomic operation':
      'r1 = 0;r1 = atomic_fetch_add((u64 *)(r10 -8), r1);if r1 != 0x0 goto bad',
    'changed by an atomic operation': 'r1 = 1;lock *(u64 *)(r10 -8) += r1;r0 = 1',
    'filled by cmpxchg': 'r0 = 0;r1 = 1;r0 = atomic_cmpxchg((u64 *)(r10 -8), r0, r1);if r0 != 0x0 goto bad',
    'filled through another pointer': 'r2 = r10;r2 += -16;r1 = *(u64 *)(r2 +8);if r1 != 0x0 goto bad',
    'an acquiring load': 'r1 = load_acquire((u64 *)(r10 -8));if r1 != 0x0 goto bad',
    'written over by a releasing store':
      'r1 = 0;store_release((u64 *)(r10 -8), r1);r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'a key':
      'r1 = map m;r2 = r10;r2 += -8;call bpf_map_lookup_elem#1;if r0 == 0x0 goto out;r0 = *(u64 *)(r0 +0)',
    'a key that may miss': 'r1 = map m;r2 = r10;r2 += -8;call bpf_map_lookup_elem#1;r0 = *(u64 *)(r0 +0)',
    'a longer key':
      'r1 = map h;r2 = r10;r2 += -8;call bpf_map_lookup_elem#1;if r0 == 0x0 goto out;r0 = *(u64 *)(r0 +0)',
    'a value': 'r1 = map m;r2 = r10;r2 += -16;r3 = r10;r3 += -8;r4 = 0;call bpf_map_update_elem#2',
    'memory that a helper reads': 'r1 = r10;r1 += -8;r2 = 8;r3 = 0;r4 = 0;r5 = 0;call bpf_csum_diff#28',
    'memory that a helper reads in part':
      'r1 = r10;r1 += -8;r2 = 4;r3 = 0;r4 = 0;r5 = 0;call bpf_csum_diff#28',
    'memory that a helper writes':
      'r1 = r9;r2 = 0;r3 = r10;r3 += -8;r4 = 8;call bpf_skb_load_bytes#26;r1 = *(u64 *)(r10 -8)',
    'memory that a helper writes in part':
      'r1 = r9;r2 = 0;r3 = r10;r3 += -8;r4 = 4;call bpf_skb_load_bytes#26;r1 = *(u32 *)(r10 -4);if r1 != 0x0 goto bad',
    'memory that a helper may write':
      'r1 = r9;r2 = 0;r3 = r10;r3 += -8;r4 = r0;r4 &= 7;r4 += 1;call bpf_skb_load_bytes#26;r1 = *(u64 *)(r10 -8)',
    'read by a callee': 'r1 = r10;r1 += -8;call callee;r0 = 0',
    'read by a callee of a callee': 'r1 = r10;r1 += -8;call outer;r0 = 0',
    'written by a callee': 'r1 = r10;r1 += -8;call writer;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'perhaps written by a callee':
      'r1 = r10;r1 += -8;call perhaps;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'read after a callee': 'r1 = 0;call nothing;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'given to a global function': 'r1 = r10;r1 += -8;call global;r0 = 0',
    'read by a callback': 'r1 = 2;r2 = func cb;r3 = r10;r3 += -8;r4 = 0;call bpf_loop#181;r0 = 0',
    'written by a callback':
      'r1 = 2;r2 = func cbw;r3 = r10;r3 += -8;r4 = 0;call bpf_loop#181;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'read at an offset that is not known': 'r1 = r0;r1 &= 8;r2 = r10;r2 += -16;r2 += r1;r1 = *(u64 *)(r2 +0)',
    'read at an offset that is not known, not zero is bad':
      'r1 = r0;r1 &= 8;r2 = r10;r2 += -16;r2 += r1;r1 = *(u64 *)(r2 +0);if r1 != 0x0 goto bad',
    'written at an offset that is not known':
      'r1 = r0;r1 &= 8;r2 = r10;r2 += -16;r2 += r1;r1 = 0;*(u64 *)(r2 +0) = r1;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'a dynptr is made over it':
      'r1 = mapvalue m;r2 = 8;r3 = 0;r4 = r10;r4 += -16;call bpf_dynptr_from_mem#197;r0 = 0',
  },
  functions: {
    callee: 'r2 = *(u64 *)(r1 +0);if r2 != 0x0 goto cbad;r0 = 0;exit;cbad:;r0 = 0;r0 = *(u64 *)(r0 +0);exit',
    outer: 'call inner;r0 = 0;exit',
    inner: 'r2 = *(u64 *)(r1 +0);if r2 != 0x0 goto ibad;r0 = 0;exit;ibad:;r0 = 0;r0 = *(u64 *)(r0 +0);exit',
    writer: '*(u64 *)(r1 +0) = 0;r0 = 0;exit',
    perhaps:
      'r6 = r1;call bpf_get_prandom_u32#7;if r0 == 0x0 goto pout;*(u64 *)(r6 +0) = 0;pout:;r0 = 0;exit',
    nothing: 'r0 = 0;exit',
    global: 'r0 = 0;exit',
    cb: 'r3 = *(u64 *)(r2 +0);if r3 != 0x0 goto cbbad;r0 = 0;exit;cbbad:;r0 = 0;r0 = *(u64 *)(r0 +0);exit',
    cbw: '*(u64 *)(r2 +0) = 0;r0 = 0;exit',
  },
};

/** The first, the last and the middle ones of the 64 slots of a frame; in a caller's frame too. */
const PLACES: readonly Family[] = [8, 16, 256, 264, 272, 504, 512].map((off) => ({
  name: `the slot at fp-${off}`,
  setups: {
    zero: `*(u64 *)(r10 -${off}) = 0`,
    one: `*(u64 *)(r10 -${off}) = 1`,
    none: 'r1 = 0',
  },
  tails: {
    'not zero is bad': `r1 = *(u64 *)(r10 -${off});if r1 != 0x0 goto bad`,
    'kept across moves': `r1 = *(u64 *)(r10 -${off});*(u64 *)(r10 -24) = r1;r2 = *(u64 *)(r10 -24);if r2 != 0x0 goto bad`,
    'not read': 'r1 = 0',
  },
}));

export const STACK: readonly Family[] = [SLOT, POINTERS, STRICT, NEEDED, ...PLACES];
