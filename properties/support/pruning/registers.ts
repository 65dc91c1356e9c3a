/** What a register may differ in: each bound of a number, what is known of its bits, the kind of a pointer and all that is known of it, ids. */
import type { Family } from './family.js';

/** r6 is unknown, and then one comparison leaves it in a range. */
const ranged = (compare: string): string => `call bpf_get_prandom_u32#7;r6 = r0;${compare}`;

const VALUE = `
  *(u32 *)(r10 -4) = 0
  r1 = map m
  r2 = r10
  r2 += -4
  call bpf_map_lookup_elem#1`;

const LOOKUP = `${VALUE};if r0 == 0x0 goto out;r6 = r0`;

/** One family for each bound: the tail goes wrong for what lies beyond the smaller of two. */
const BOUNDS: readonly Family[] = (
  [
    ['umax', 'if r6 > N goto out', 'if r6 > 5 goto bad'],
    ['umin', 'if r6 < N goto out', 'if r6 < 5 goto bad'],
    ['smax', 'r6 += -100;if r6 s> N goto out', 'if r6 s> 5 goto bad'],
    ['smin', 'r6 += -100;if r6 s< N goto out', 'if r6 s< 5 goto bad'],
    ['u32max', 'r6 <<= 7;if w6 > N goto out', 'if w6 > 5 goto bad'],
    ['u32min', 'r6 <<= 7;if w6 < N goto out', 'if w6 < 5 goto bad'],
    ['s32max', 'r6 <<= 7;if w6 s> N goto out', 'if w6 s> 5 goto bad'],
    ['s32min', 'r6 <<= 7;if w6 s< N goto out', 'if w6 s< 5 goto bad'],
  ] as const
).map(([name, compare, tail]) => ({
  name: `${name} of a number`,
  setups: Object.fromEntries(
    [4, 5, 6].map((n) => [String(n), ranged(compare.replace('N', String(n)))] as const),
  ),
  tails: { checked: tail, 'not used': 'r1 = r6', 'on the stack': '*(u64 *)(r10 -8) = r6' },
}));

const NUMBERS: Family = {
  name: 'a number',
  directives: '.map m array key=4 value=8 entries=1',
  before: 'r7 = mapvalue m',
  setups: {
    zero: 'r6 = 0',
    four: 'r6 = 4',
    eight: 'r6 = 8',
    'up to 3': ranged('r6 &= 3'),
    'up to 7': ranged('r6 &= 7'),
    'even up to 6': ranged('r6 &= 6'),
    'zero or four': ranged('r6 &= 4'),
    any: ranged(''),
  },
  tails: {
    'an offset into a map value': 'r7 += r6;r0 = *(u32 *)(r7 +0)',
    'odd is bad': 'r1 = r6;r1 &= 1;if r1 != 0x0 goto bad',
    'not used': '*(u64 *)(r10 -8) = r6',
    'four is bad': 'if r6 == 0x4 goto bad',
    'any bit of 8 is bad': 'if r6 & 0x8 goto bad',
  },
};

const KINDS: Family = {
  name: 'the kind of a pointer',
  type: 'xdp',
  directives: '.map m array key=4 value=8 entries=1\n.map n array key=4 value=8 entries=1',
  before: `r7 = *(u32 *)(r9 +4);r8 = *(u32 *)(r9 +0);call bpf_get_prandom_u32#7;
    *(u64 *)(r10 -8) = 0;*(u64 *)(r10 -16) = 0;r1 = r8;r1 += 8;if r1 > r7 goto out;r1 = r0;r0 = r8;r8 = r1`,
  setups: {
    nothing: 'r6 = 0',
    number: ranged(''),
    context: 'r6 = r9',
    stack: 'r6 = r10;r6 += -8',
    'map value': 'r6 = mapvalue m',
    'other map value': 'r6 = mapvalue n',
    'map value or NULL': 'r1 = map m;r2 = r10;r2 += -4;call bpf_map_lookup_elem#1;r6 = r0',
    packet: 'r6 = r0',
    'end of packet': 'r6 = r7',
    metadata: 'r6 = *(u32 *)(r9 +8)',
  },
  tails: {
    read: 'r0 = *(u8 *)(r6 +0)',
    'not read': 'r0 = 1',
    kept: 'r1 = r6;r1 = 0',
  },
};

const OFFSETS: readonly Family[] = [
  {
    name: 'the offset of a map value',
    directives: '.map m array key=4 value=8 entries=1',
    setups: Object.fromEntries([0, 3, 4, 5].map((n) => [`+${n}`, `r6 = mapvalue m;r6 += ${n}`] as const)),
    tails: { read: 'r0 = *(u32 *)(r6 +0)' },
  },
  {
    name: 'the variable offset of a map value',
    directives: '.map m array key=4 value=8 entries=1',
    setups: Object.fromEntries(
      [1, 3, 4, 7, 8].map(
        (n) => [`up to ${n}`, `call bpf_get_prandom_u32#7;r6 = mapvalue m;r0 &= ${n};r6 += r0`] as const,
      ),
    ),
    tails: { read: 'r0 = *(u32 *)(r6 +0)', 'compared with NULL': 'if r6 == 0x0 goto bad' },
  },
  {
    name: 'the offset of a stack pointer',
    before: '*(u64 *)(r10 -8) = 0;*(u64 *)(r10 -16) = 0;*(u64 *)(r10 -24) = 0',
    setups: Object.fromEntries([8, 16, 24].map((n) => [`fp-${n}`, `r6 = r10;r6 += -${n}`] as const)),
    tails: {
      written: '*(u64 *)(r6 +0) = 1;r1 = *(u64 *)(r10 -16);if r1 == 0x1 goto bad',
      'read by a helper': 'r1 = r6;r2 = 16;r3 = 0;r4 = 0;r5 = 0;call bpf_csum_diff#28',
    },
  },
  {
    name: 'the size of memory',
    directives: '.map rb ringbuf entries=4096',
    setups: Object.fromEntries(
      [4, 8, 12].map(
        (n) =>
          [
            String(n),
            `r1 = map rb;r2 = ${n};r3 = 0;call bpf_ringbuf_reserve#131;r6 = r0;if r6 == 0x0 goto out`,
          ] as const,
      ),
    ),
    tails: {
      written: '*(u32 *)(r6 +4) = 1;r1 = r6;r2 = 0;call bpf_ringbuf_submit#132',
      'not written': 'r1 = r6;r2 = 0;call bpf_ringbuf_submit#132',
      leaked: 'r1 = r6',
    },
  },
  {
    name: 'the map of a map value',
    directives:
      '.map m array key=4 value=8 entries=1\n.map n array key=4 value=8 entries=1\n.map o array key=4 value=4 entries=1',
    setups: { m: 'r6 = mapvalue m', n: 'r6 = mapvalue n', o: 'r6 = mapvalue o' },
    tails: { read: 'r0 = *(u64 *)(r6 +0)', 'not read': 'r1 = r6' },
  },
  {
    name: 'the map of a map pointer',
    directives:
      '.map m array key=4 value=8 entries=1\n.map n array key=4 value=8 entries=1\n.map o array key=8 value=8 entries=1'.replace(
        'array key=8',
        'hash key=8',
      ),
    before: '*(u32 *)(r10 -4) = 0',
    setups: { m: 'r6 = map m', n: 'r6 = map n', o: 'r6 = map o' },
    tails: { 'looked up': 'r1 = r6;r2 = r10;r2 += -4;call bpf_map_lookup_elem#1', 'not used': 'r1 = r6' },
  },
  {
    name: 'whether a pointer may be NULL',
    directives: '.map m array key=4 value=8 entries=1',
    setups: { checked: LOOKUP, 'not checked': `${VALUE};r6 = r0`, direct: 'r6 = mapvalue m' },
    tails: { read: 'r0 = *(u64 *)(r6 +0)', 'checked first': 'if r6 == 0x0 goto out;r0 = *(u64 *)(r6 +0)' },
  },
  {
    name: 'the trust and the struct of a kernel pointer',
    type: 'kprobe',
    setups: {
      trusted: 'call bpf_get_current_task_btf#158;r6 = r0',
      'its mm': 'call bpf_get_current_task_btf#158;r6 = *(u64 *)(r0 +2264)',
      number: 'call bpf_get_current_task#35;r6 = r0',
    },
    tails: { read: 'r0 = *(u64 *)(r6 +0)', 'not read': 'r1 = r6' },
  },
  {
    name: 'whether memory may be written',
    before: '*(u64 *)(r10 -32) = 0',
    setups: {
      slice: `r1 = r9;r2 = 0;r3 = r10;r3 += -16;call bpf_dynptr_from_skb;if r0 != 0x0 goto out;
        r1 = r10;r1 += -16;r2 = 0;r3 = r10;r3 += -32;r4 = 8;call bpf_dynptr_slice;if r0 == 0x0 goto out;r6 = r0`,
      'slice to write': `r1 = r9;r2 = 0;r3 = r10;r3 += -16;call bpf_dynptr_from_skb;if r0 != 0x0 goto out;
        r1 = r10;r1 += -16;r2 = 0;r3 = r10;r3 += -32;r4 = 8;call bpf_dynptr_slice_rdwr;if r0 == 0x0 goto out;r6 = r0`,
    },
    tails: { read: 'r0 = *(u8 *)(r6 +0)', written: '*(u8 *)(r6 +0) = 1' },
  },
];

const PACKET: Family = {
  name: 'what was checked of a packet',
  type: 'xdp',
  before: 'r7 = *(u32 *)(r9 +4);r6 = *(u32 *)(r9 +0)',
  setups: {
    nothing: 'r1 = r6',
    '4 bytes': 'r1 = r6;r1 += 4;if r1 > r7 goto out',
    '8 bytes': 'r1 = r6;r1 += 8;if r1 > r7 goto out',
    '9 bytes': 'r1 = r6;r1 += 9;if r1 > r7 goto out',
    'less than a byte': 'r1 = r6;if r1 < r7 goto out',
    'some byte': 'r1 = r6;if r1 >= r7 goto out',
    'beyond the end': 'if r6 < r7 goto out',
    'at the end or beyond': 'if r6 <= r7 goto out',
    moved: 'r6 += 4;r1 = r6;r1 += 8;if r1 > r7 goto out',
    'moved by any number': 'call bpf_get_prandom_u32#7;r0 &= 7;r6 += r0;r1 = r6;r1 += 8;if r1 > r7 goto out',
  },
  tails: {
    '8 bytes read': 'r0 = *(u64 *)(r6 +0)',
    '4 bytes read': 'r0 = *(u32 *)(r6 +0)',
    'compared again': 'r1 = r6;r1 += 8;if r1 > r7 goto out;r0 = *(u64 *)(r6 +0)',
    'compared itself': 'if r6 >= r7 goto out;r0 = 1',
  },
};

const IDS: readonly Family[] = [
  {
    name: 'which pointers are the same',
    directives: '.map m hash key=4 value=8 entries=1',
    setups: {
      same: `${VALUE};r6 = r0;r7 = r0`,
      others: `${VALUE};r6 = r0;${VALUE};r7 = r0`,
      'others, the other way round': `${VALUE};r7 = r0;${VALUE};r6 = r0`,
    },
    tails: {
      'one checked, both read': 'if r6 == 0x0 goto out;r0 = *(u64 *)(r7 +0)',
      'other one checked, both read': 'if r7 == 0x0 goto out;r0 = *(u64 *)(r6 +0)',
      'both checked': 'if r6 == 0x0 goto out;if r7 == 0x0 goto out;r0 = *(u64 *)(r7 +0)',
    },
  },
  {
    name: 'which packet pointers are the same',
    type: 'xdp',
    before: 'r7 = *(u32 *)(r9 +4);r6 = *(u32 *)(r9 +0)',
    setups: {
      same: 'call bpf_get_prandom_u32#7;r0 &= 7;r6 += r0;r8 = r6',
      others:
        'call bpf_get_prandom_u32#7;r8 = r6;r0 &= 7;r6 += r0;call bpf_get_prandom_u32#7;r0 &= 7;r8 += r0',
    },
    tails: { 'one checked, other read': 'r6 += 8;if r6 > r7 goto out;r0 = *(u64 *)(r8 +0)' },
  },
  {
    name: 'which numbers are the same',
    directives: '.map m array key=4 value=8 entries=1',
    setups: {
      linked: 'call bpf_get_prandom_u32#7;r6 = r0;r7 = r6',
      alone: 'call bpf_get_prandom_u32#7;r6 = r0;call bpf_get_prandom_u32#7;r7 = r0',
      'linked to another':
        'call bpf_get_prandom_u32#7;r6 = r0;r4 = r6;*(u64 *)(r10 -8) = r6;call bpf_get_prandom_u32#7;r7 = r0',
      'one more': 'call bpf_get_prandom_u32#7;r6 = r0;r7 = r6;r7 += 1',
      'two more': 'call bpf_get_prandom_u32#7;r6 = r0;r7 = r6;r7 += 2',
      'one more of 32 bits': 'call bpf_get_prandom_u32#7;r6 = r0;w7 = w6;w7 += 1',
      'one more, small': 'call bpf_get_prandom_u32#7;r6 = r0;r6 &= 7;r7 = r6;r7 += 1',
      'one more of 32 bits, small': 'call bpf_get_prandom_u32#7;r6 = r0;r6 &= 7;r7 = r6;w7 += 1',
      'both the same constant': 'r6 = 3;r7 = 3',
    },
    tails: {
      'one checked, other is an offset': 'if r6 > 4 goto out;r1 = mapvalue m;r1 += r7;r0 = *(u8 *)(r1 +0)',
      'other one checked': 'if r7 > 4 goto out;r1 = mapvalue m;r1 += r6;r0 = *(u8 *)(r1 +0)',
      'one checked tightly': 'if r6 > 6 goto out;r1 = mapvalue m;r1 += r7;r0 = *(u8 *)(r1 +0)',
      'read back': 'if r6 > 4 goto out;r1 = mapvalue m;r2 = *(u64 *)(r10 -8);r1 += r2;r0 = *(u8 *)(r1 +0)',
      'not used': 'r1 = r6;r1 = r7',
    },
  },
  {
    name: 'three numbers in pairs',
    directives: '.map m array key=4 value=8 entries=1',
    before:
      'call bpf_get_prandom_u32#7;*(u64 *)(r10 -16) = r0;call bpf_get_prandom_u32#7;*(u64 *)(r10 -24) = r0',
    setups: {
      'first two': 'r1 = *(u64 *)(r10 -16);r2 = *(u64 *)(r10 -24);r6 = r1;r7 = r1;r8 = r2;r3 = r2',
      'last two': 'r1 = *(u64 *)(r10 -16);r2 = *(u64 *)(r10 -24);r6 = r2;r7 = r1;r8 = r1;r3 = r2',
      all: 'r1 = *(u64 *)(r10 -16);r6 = r1;r7 = r1;r8 = r1;r3 = r1',
      'outer two': 'r1 = *(u64 *)(r10 -16);r2 = *(u64 *)(r10 -24);r6 = r1;r7 = r2;r8 = r1;r3 = r2',
    },
    tails: {
      'second checked': 'if r7 > 7 goto out;r1 = mapvalue m;r1 += r6;r0 = *(u8 *)(r1 +0)',
      'third checked': 'if r8 > 7 goto out;r1 = mapvalue m;r1 += r7;r0 = *(u8 *)(r1 +0)',
      'first checked': 'if r6 > 7 goto out;r1 = mapvalue m;r1 += r8;r0 = *(u8 *)(r1 +0)',
    },
  },
];

export const REGISTERS: readonly Family[] = [...BOUNDS, NUMBERS, KINDS, ...OFFSETS, PACKET, ...IDS];
