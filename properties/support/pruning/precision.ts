/**
 * Where a number comes from that a check relies on. On the first path the number is good; on the second it differs, and what is made
 * of it may be bad. The verifier has to go back over every insn between the check and the place where the paths met to see that the number
 * matters there.
 */
import type { Family } from './family.js';

const OPERATORS = ['+=', '-=', '*=', '/=', '%=', '|=', '&=', '^=', '<<=', '>>=', 's>>=', 's/=', 's%='];
const COMPARISONS = ['==', '!=', '>', '>=', '<', '<=', 's>', 's>=', 's<', 's<=', '&'];

/** Ways from the number in r6 to the one in r7. r8 is unknown, from 0 to 3; fp-64 holds the same. */
const CHAINS: Record<string, string> = {
  copied: 'r7 = r6',
  'copied, 32 bits': 'w7 = w6',
  'copied twice': 'r1 = r6;r2 = r1;r7 = r2',
  'extended from 8 bits': 'r7 = (s8)r6',
  'extended from 16 bits': 'r7 = (s16)r6',
  'extended from 32 bits': 'r7 = (s32)r6',
  'extended from 8 bits to 32': 'w7 = (s8)w6',
  negated: 'r7 = r6;r7 = -r7;r7 = -r7',
  swapped: 'r7 = r6;r7 = bswap16 r7',
  'made little-endian': 'r7 = r6;r7 = le16 r7',
  'made big-endian': 'r7 = r6;r7 = be32 r7',
  'written over': 'r7 = r6;r7 = 5',
  'written over by 64 bits': 'r7 = r6;r7 = 5 ll',
  'written over by a call': 'r0 = r6;call bpf_get_prandom_u32#7;r7 = r0;r7 &= 3',
  spilled: '*(u64 *)(r10 -8) = r6;r7 = *(u64 *)(r10 -8)',
  'spilled in 32 bits': '*(u32 *)(r10 -8) = r6;r7 = *(u32 *)(r10 -8)',
  'spilled in 16 bits': '*(u16 *)(r10 -8) = r6;r7 = *(u16 *)(r10 -8)',
  'spilled in 8 bits': '*(u8 *)(r10 -8) = r6;r7 = *(u8 *)(r10 -8)',
  'spilled into an upper half': '*(u64 *)(r10 -8) = 0;*(u32 *)(r10 -4) = r6;r7 = *(u32 *)(r10 -4)',
  'spilled, filled in part': '*(u64 *)(r10 -8) = r6;r7 = *(u32 *)(r10 -8)',
  'spilled, filled in 16 bits': '*(u64 *)(r10 -8) = r6;r7 = *(u16 *)(r10 -8)',
  'spilled to the last slot': '*(u64 *)(r10 -512) = r6;r7 = *(u64 *)(r10 -512)',
  'spilled to the 32nd slot': '*(u64 *)(r10 -256) = r6;r7 = *(u64 *)(r10 -256)',
  'spilled to the 33rd slot': '*(u64 *)(r10 -264) = r6;r7 = *(u64 *)(r10 -264)',
  'spilled twice':
    '*(u64 *)(r10 -8) = r6;r1 = *(u64 *)(r10 -8);*(u64 *)(r10 -16) = r1;r7 = *(u64 *)(r10 -16)',
  'spilled, then written over': '*(u64 *)(r10 -8) = r6;*(u64 *)(r10 -8) = 3;r7 = *(u64 *)(r10 -8)',
  'spilled, another slot written': '*(u64 *)(r10 -8) = r6;*(u64 *)(r10 -16) = 3;r7 = *(u64 *)(r10 -8)',
  'spilled through a pointer': 'r1 = r10;r1 += -16;*(u64 *)(r1 +8) = r6;r7 = *(u64 *)(r10 -8)',
  'filled through a pointer': '*(u64 *)(r10 -8) = r6;r1 = r10;r1 += -16;r7 = *(u64 *)(r1 +8)',
  'stored with release': 'store_release((u64 *)(r10 -8), r6);r7 = *(u64 *)(r10 -8)',
  'loaded with acquire': '*(u64 *)(r10 -8) = r6;r7 = load_acquire((u64 *)(r10 -8))',
  'loaded from a map value': 'r1 = mapvalue m;*(u64 *)(r1 +0) = r6;r7 = *(u64 *)(r1 +0);r7 &= 7',
  'added by an atomic operation':
    '*(u64 *)(r10 -8) = 0;lock *(u64 *)(r10 -8) += r6;r7 = *(u64 *)(r10 -8);r7 &= 7',
  'argument of a call': 'r1 = r6;call id1;r7 = r0',
  'second argument': 'r1 = 0;r2 = r6;call id2;r7 = r0',
  'third argument': 'r1 = 0;r2 = 0;r3 = r6;call id3;r7 = r0',
  'fourth argument': 'r1 = 0;r2 = 0;r3 = 0;r4 = r6;call id4;r7 = r0',
  'fifth argument': 'r1 = 0;r2 = 0;r3 = 0;r4 = 0;r5 = r6;call id5;r7 = r0',
  'argument of two calls': 'r1 = r6;call twice;r7 = r0',
  'argument of three calls': 'r1 = r6;call thrice;r7 = r0',
  'kept across a call': 'r1 = 0;call id1;r7 = r6',
  'kept across a call of a call': 'r1 = 0;call twice;r7 = r6',
  'kept across a helper': 'call bpf_get_prandom_u32#7;r7 = r6',
  'kept across a loop of a helper': 'r1 = 2;r2 = func cb;r3 = 0;r4 = 0;call bpf_loop#181;r7 = r6',
  'argument that the callee drops': 'r1 = r6;call drops;r7 = r0',
  'argument of a global function': 'r1 = r6;call global;r7 = r8',
  'kept in a frame of a caller': '*(u64 *)(r10 -8) = r6;r1 = 0;call id1;r7 = *(u64 *)(r10 -8)',
  'filled by a callee': '*(u64 *)(r10 -8) = r6;r1 = r10;r1 += -8;call fills;r7 = r0',
  'filled by a callee of a callee': '*(u64 *)(r10 -8) = r6;r1 = r10;r1 += -8;call fills2;r7 = r0',
  'spilled by a callee': 'r2 = r6;r1 = r10;r1 += -8;call spills;r7 = *(u64 *)(r10 -8)',
  'spilled by a callback':
    '*(u64 *)(r10 -8) = r6;r1 = 1;r2 = func cbs;r3 = r10;r3 += -8;r4 = 0;call bpf_loop#181;r7 = *(u64 *)(r10 -8)',
  'across a may_goto': 'may_goto past;r8 = 1;past:;r7 = r6',
  'in a loop with may_goto': 'r7 = 0;again:;may_goto past;r7 = r6;goto again;past:;r1 = 0',
  'in a bounded loop': 'r7 = 0;r4 = 0;again:;r7 = r6;r4 += 1;if r4 < 3 goto again',
  'in a loop with an iterator':
    'r1 = r10;r1 += -32;r2 = 0;r3 = 3;call bpf_iter_num_new;r7 = 0;again:;r1 = r10;r1 += -32;call bpf_iter_num_next;if r0 == 0x0 goto dry;r7 = r6;goto again;dry:;r1 = r10;r1 += -32;call bpf_iter_num_destroy',
  'as many rounds': 'r7 = 0;again:;r7 += 1;if r7 < r6 goto again',
  'linked to what is checked': 'r7 = r8;r1 = r8;if r1 > r6 goto out;r7 <<= 4',
  'linked with a distance': 'r7 = r8;r7 += 40;if r8 > r6 goto out',
  'linked on the stack': '*(u64 *)(r10 -8) = r8;if r8 > r6 goto out;r7 = *(u64 *)(r10 -8);r7 <<= 4',
};
for (const op of OPERATORS) {
  CHAINS[`a constant ${op} it`] = `r7 = 4;r7 ${op} r6`;
  CHAINS[`an unknown number ${op} it`] = `r7 = r8;r7 ${op} r6`;
  CHAINS[`it ${op} a constant`] = `r7 = r6;r7 ${op} 1`;
  CHAINS[`it ${op} an unknown number`] = `r7 = r6;r7 ${op} r8`;
  CHAINS[`32 bits: an unknown number ${op} it`] = `w7 = w8;w7 ${op} w6`;
  CHAINS[`32 bits: it ${op} an unknown number`] = `w7 = w6;w7 ${op} w8`;
}
for (const compare of COMPARISONS) {
  CHAINS[`compared: ${compare}`] = `r7 = r8;r7 <<= 8;if r7 ${compare} r6 goto out`;
  CHAINS[`compared the other way round: ${compare}`] = `r7 = r8;r7 <<= 8;if r6 ${compare} r7 goto out`;
  CHAINS[`compared in 32 bits: ${compare}`] = `r7 = r8;r7 <<= 8;if w7 ${compare} w6 goto out`;
  CHAINS[`compared with an immediate: ${compare}`] = `r7 = r6;if r6 ${compare} 7 goto out`;
}

const FUNCTIONS: Readonly<Record<string, string>> = {
  id1: 'r0 = r1;exit',
  id2: 'r0 = r2;exit',
  id3: 'r0 = r3;exit',
  id4: 'r0 = r4;exit',
  id5: 'r0 = r5;exit',
  twice: 'call id1;exit',
  thrice: 'call twice;exit',
  drops: 'r0 = 1;exit',
  global: 'r0 = 0;exit',
  fills: 'r0 = *(u64 *)(r1 +0);exit',
  fills2: 'call fills;exit',
  spills: '*(u64 *)(r1 +0) = r2;r0 = 0;exit',
  cb: 'r0 = 0;exit',
  cbs: 'r0 = *(u64 *)(r2 +0);*(u64 *)(r2 +0) = r0;r0 = 0;exit',
  cbr: 'r0 = *(u64 *)(r2 +0);exit',
};

const OFFSET = 'r1 = mapvalue m;r1 += r7;r0 = *(u8 *)(r1 +0)';
const STATE_BETWEEN = `r5 = 0;if r5 == 0x1 goto between;${'r5 = 1;'.repeat(8)}goto between;between:`;

const SETUPS = { zero: 'r6 = 0', seven: 'r6 = 7', big: 'r6 = 1000' };
const BEFORE = 'call bpf_get_prandom_u32#7;r0 &= 3;*(u64 *)(r10 -64) = r0;r0 = r8';

const CHAIN_FAMILY: Family = {
  name: 'going back over insns',
  directives: '.map m array key=4 value=64 entries=1',
  globals: ['global'],
  before: BEFORE,
  setups: SETUPS,
  firsts: ['zero'],
  tails: Object.fromEntries(
    Object.entries(CHAINS).flatMap(([name, chain]) => [
      [name, `r8 = *(u64 *)(r10 -64);${chain};${OFFSET}`],
      [`${name}, and a state kept between`, `r8 = *(u64 *)(r10 -64);${chain};${STATE_BETWEEN};${OFFSET}`],
    ]),
  ),
  functions: FUNCTIONS,
};

/** What relies on the number in r6. */
const USES: Family = {
  name: 'what relies on a number',
  directives:
    '.map m array key=4 value=64 entries=1\n.map rb ringbuf entries=4096\n.map h hash key=8 value=8 entries=4',
  globals: ['global', 'mem'],
  before: `${Array.from({ length: 8 }, (_, n) => `*(u64 *)(r10 -${8 * (n + 1)}) = 0`).join(';')}`,
  setups: {
    ...SETUPS,
    small: 'call bpf_get_prandom_u32#7;r6 = r0;r6 &= 7',
    any: 'call bpf_get_prandom_u32#7;r6 = r0',
  },
  firsts: ['zero', 'seven', 'small'],
  tails: {
    'an offset': 'r1 = mapvalue m;r1 += r6;r0 = *(u8 *)(r1 +0)',
    'a number plus a pointer': 'r1 = mapvalue m;r6 += r1;r0 = *(u8 *)(r6 +0)',
    'a pointer minus it': 'r1 = mapvalue m;r1 += 8;r1 -= r6;r0 = *(u8 *)(r1 +0)',
    'an offset into the stack': 'r1 = r10;r1 += -16;r1 += r6;r0 = *(u8 *)(r1 +0)',
    'a jump': 'if r6 > 7 goto bad',
    'a jump between two numbers': 'r1 = 7;if r6 > r1 goto bad',
    'a jump between two numbers, the other way round': 'r1 = 7;if r1 < r6 goto bad',
    'a jump that is always taken': 'if r6 <= 7 goto out;r1 = 0;r0 = *(u64 *)(r1 +0)',
    'a size': 'r1 = r10;r1 += -64;r2 = r6;r2 &= 0xffff;r2 += 4;r3 = 0;r4 = 0;r5 = 0;call bpf_csum_diff#28',
    'the size of a record':
      'r1 = map rb;r2 = r6;r3 = 0;call bpf_ringbuf_reserve#131;if r0 == 0x0 goto out;*(u8 *)(r0 +6) = 1;r1 = r0;r2 = 0;call bpf_ringbuf_discard#133',
    'flags that must be known':
      'r1 = map rb;r2 = 8;r3 = r6;call bpf_ringbuf_reserve#131;if r0 == 0x0 goto out;r1 = r0;r2 = 0;call bpf_ringbuf_discard#133',
    'a NULL for a helper': 'r1 = r6;r2 = 0;r3 = 0;r4 = 0;r5 = 0;call bpf_csum_diff#28',
    'a count of callbacks': 'r1 = r6;r2 = func cb;r3 = 0;r4 = 0;call bpf_loop#181',
    'what a callback is given': 'r1 = 2;r2 = func cbj;r3 = r6;r4 = 0;call bpf_loop#181',
    'what a callback returns':
      '*(u64 *)(r10 -8) = r6;r1 = 2;r2 = func cbr;r3 = r10;r3 += -8;r4 = 0;call bpf_loop#181',
    'what a global function is given': 'r1 = r6;call global',
    'NULL for memory of a global function': 'r1 = r6;call mem',
    'an argument that is not looked at':
      'r1 = r9;r2 = r6;r3 = r10;r3 += -8;r4 = 4;call bpf_skb_load_bytes#26',
    'a key in an array':
      '*(u32 *)(r10 -4) = r6;r1 = map m;r2 = r10;r2 += -4;call bpf_map_lookup_elem#1;r0 = *(u64 *)(r0 +0)',
    'a key in an array, a whole slot down':
      '*(u32 *)(r10 -8) = r6;r1 = map m;r2 = r10;r2 += -8;call bpf_map_lookup_elem#1;r0 = *(u64 *)(r0 +0)',
    'a key in a hash':
      '*(u64 *)(r10 -8) = r6;r1 = map h;r2 = r10;r2 += -8;call bpf_map_lookup_elem#1;if r0 == 0x0 goto out;r0 = 1',
    'zero stored in part of a slot': '*(u8 *)(r10 -3) = r6;r1 = *(u8 *)(r10 -3);if r1 != 0x0 goto bad',
    'zero stored at an unknown offset':
      'r1 = r0;call bpf_get_prandom_u32#7;r0 &= 8;r2 = r10;r2 += -16;r2 += r0;*(u64 *)(r2 +0) = r6;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad',
    'stored in a map': 'r1 = mapvalue m;*(u64 *)(r1 +0) = r6',
    'stored in the stack': '*(u64 *)(r10 -8) = r6',
    'returned by the program': 'r0 = r6;exit',
    'passed to a kfunc that takes a constant':
      'r1 = r10;r1 += -24;r2 = 0;r3 = r6;call bpf_iter_num_new;r1 = r10;r1 += -24;call bpf_iter_num_destroy',
    'the length of a slice':
      'r1 = mapvalue m;r2 = 64;r3 = 0;r4 = r10;r4 += -64;call bpf_dynptr_from_mem#197;r1 = r10;r1 += -64;r2 = 0;r3 = r6;call bpf_dynptr_data#203;if r0 == 0x0 goto out;r0 = *(u8 *)(r0 +6)',
    'split by a sign': 'r6 s>>= 63;r6 &= 7;if r6 > 7 goto bad',
  },
  functions: {
    ...FUNCTIONS,
    cbj: 'if r2 != 0x0 goto cbad;r0 = 0;exit;cbad:;r0 = 0;r0 = *(u64 *)(r0 +0);exit',
    mem: 'r0 = 0;exit',
  },
};

/** Programs whose return value has a range. */
const RETURNS: Family = {
  name: 'what a program returns',
  type: 'cgroup_sock',
  before: 'r1 = 0',
  setups: { zero: 'r6 = 0', one: 'r6 = 1', two: 'r6 = 2', any: 'call bpf_get_prandom_u32#7;r6 = r0' },
  tails: {
    returned: 'r0 = r6;exit',
    'returned from a callee': 'r1 = r6;call id1;exit',
    'returned after a sum': 'r0 = 0;r0 += r6;exit',
    'not returned': 'r0 = r6',
  },
  functions: FUNCTIONS,
};

export const PRECISION: readonly Family[] = [CHAIN_FAMILY, USES, RETURNS];
