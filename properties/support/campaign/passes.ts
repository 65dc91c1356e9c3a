/**
 * What each shrinking pass makes of a small program: all its candidates, in order. Programs are bodies of cases, one insn after the other;
 * `.map` lines come first.
 */
import { dropJumpedOver, dropPairs, dropRuns, type Pass } from '../../../src/campaign/shrink/passes.js';
import {
  dropAcquireAndRelease,
  dropCall,
  forwardSpill,
  inlineSubprog,
  lookupToAddress,
  propagateCopy,
  rematerializeAddress,
  shareStackAddress,
} from '../../../src/campaign/shrink/rewrites.js';

export interface PassCase {
  readonly what: string;
  readonly pass: Pass;
  readonly program: string;
  readonly candidates: readonly string[];
}

const M = '.map m array key=4 value=32 entries=1; ';

export const PASS_CASES: readonly PassCase[] = [
  {
    what: 'two operations in a row',
    pass: dropRuns(2),
    program: 'r1 = 1; r2 = 2; r0 = 0; exit',
    candidates: ['r0 = 0; exit', 'r1 = 1; exit', 'r1 = 1; r2 = 2'],
  },
  {
    what: 'one operation',
    pass: dropRuns(1),
    program: 'r1 = 1; r0 = 0; exit',
    candidates: ['r0 = 0; exit', 'r1 = 1; exit', 'r1 = 1; r0 = 0'],
  },
  {
    what: 'more operations than there are',
    pass: dropRuns(4),
    program: 'r1 = 1; r0 = 0; exit',
    candidates: [],
  },
  {
    what: 'all pairs that are apart',
    pass: dropPairs,
    program: 'r1 = 1; r2 = 2; r0 = 0; exit',
    candidates: ['r2 = 2; exit', 'r2 = 2; r0 = 0', 'r1 = 1; r0 = 0'],
  },
  {
    what: 'a jump with what it jumps over, or that alone',
    pass: dropJumpedOver,
    program: 'r0 = 0; if r0 == 0 goto out; r0 = 1; r0 = 2; out:; exit',
    candidates: ['r0 = 0; exit', 'r0 = 0; if r0 == 0x0 goto L2; L2:; exit'],
  },
  {
    what: 'nothing for a jump back, or to the next insn',
    pass: dropJumpedOver,
    program: 'again:; r0 = 0; if r0 == 0 goto again; if r0 == 0 goto out; out:; exit',
    candidates: [],
  },
  {
    what: 'an acquiring call by a number, without or with what gives back made a number',
    pass: dropAcquireAndRelease,
    program: 'call bpf_rcu_read_lock; call bpf_rcu_read_unlock; call bpf_rcu_read_unlock; exit',
    candidates: [
      'r0 = 1; exit',
      'r0 = 1; r0 = 0; r0 = 0; exit',
      'r0 = 0; exit',
      'r0 = 0; r0 = 0; r0 = 0; exit',
      'r0 = 1; call bpf_rcu_read_unlock; exit',
      'r0 = 0; r0 = 1; call bpf_rcu_read_unlock; exit',
      'r0 = 0; call bpf_rcu_read_unlock; exit',
      'r0 = 0; r0 = 0; call bpf_rcu_read_unlock; exit',
      'call bpf_rcu_read_unlock; r0 = 1; exit',
      'r0 = 0; call bpf_rcu_read_unlock; r0 = 1; exit',
      'call bpf_rcu_read_unlock; r0 = 0; exit',
      'r0 = 0; call bpf_rcu_read_unlock; r0 = 0; exit',
    ],
  },
  {
    what: 'a call and what makes its arguments, r1 to r5 alone',
    pass: dropCall,
    program: 'r6 = 1; r1 = 2; r5 = r10; r5 += -8; call bpf_ktime_get_ns; exit',
    candidates: ['r6 = 1; exit', 'r6 = 1; r0 = 0; exit'],
  },
  {
    what: 'a call and its arguments as far back as a jump leads to',
    pass: dropCall,
    program: 'if r0 == 0 goto in; r1 = 2; in:; r2 = 4; call bpf_ktime_get_ns; exit',
    candidates: [
      'if r0 == 0x0 goto L2; r1 = 2; L2:; exit',
      'if r0 == 0x0 goto L2; r1 = 2; L2:; r0 = 0; exit',
    ],
  },
  {
    what: 'a call without arguments, or a number for it',
    pass: dropCall,
    program: 'r6 = r1; call bpf_ktime_get_ns; exit',
    candidates: ['r6 = r1; exit'],
  },
  {
    what: 'the address of a value for its look-up, in a map that has only one',
    pass: lookupToAddress,
    program:
      '.map m hash key=8 value=16 entries=5; .map n percpu_array key=4 value=8 entries=3; r6 = map m; r1 = map n; r2 = r10; call bpf_map_lookup_elem; exit',
    candidates: [
      '.map m hash key=8 value=16 entries=5; .map n array key=4 value=8 entries=1; r6 = map m; r0 = mapvalue n; exit',
    ],
  },
  {
    what: 'no address for a deletion, nor for a map that nobody knows',
    pass: lookupToAddress,
    program: `${M}r1 = map m; r2 = r10; call bpf_map_delete_elem; r6 = r1; call bpf_map_lookup_elem; exit`,
    candidates: [],
  },
  {
    what: 'the original for a copy, all the way or as far as the copy is made anew',
    pass: propagateCopy,
    program:
      'r6 = r1; r2 = *(u32 *)(r6 +0); *(u64 *)(r6 -8) = r6; if r6 == r2 goto out; r6 = 3; r3 = r6; out:; exit',
    candidates: [
      'r2 = *(u32 *)(r1 +0); *(u64 *)(r1 -8) = r1; if r1 == r2 goto L5; r6 = 3; r3 = r1; L5:; exit',
      'r2 = *(u32 *)(r1 +0); *(u64 *)(r1 -8) = r1; if r1 == r2 goto L5; r6 = 3; r3 = r6; L5:; exit',
      'r6 = r1; r2 = *(u32 *)(r6 +0); *(u64 *)(r6 -8) = r6; if r6 == r2 goto L5; r6 = 3; L5:; exit',
    ],
  },
  {
    what: 'the original in every operation that reads, and nothing in place of a copy to itself',
    pass: propagateCopy,
    program:
      'r6 = r1; r6 = r6; r2 += r6; r3 = (s8)r6; r4 = load_acquire((u64 *)(r6 +0)); store_release((u64 *)(r6 +0), r6); *(u8 *)(r6 +1) = 2; if r2 > r6 goto +0; exit',
    candidates: [
      'r6 = r1; r2 += r1; r3 = (s8)r1; r4 = load_acquire((u64 *)(r1 +0)); store_release((u64 *)(r1 +0), r1); *(u8 *)(r1 +1) = 2; if r2 > r1 goto L7; L7:; exit',
      'r6 = r1; r2 += r6; r3 = (s8)r6; r4 = load_acquire((u64 *)(r6 +0)); store_release((u64 *)(r6 +0), r6); *(u8 *)(r6 +1) = 2; if r2 > r6 goto L7; L7:; exit',
    ],
  },
  {
    what: 'what was spilled, copied wherever that slot is filled from afterwards, and from no other',
    pass: forwardSpill,
    program:
      'r2 = *(u64 *)(r10 -8); *(u64 *)(r10 -8) = r1; r3 = *(u64 *)(r10 -8); r4 = *(u32 *)(r10 -8); r5 = *(u64 *)(r10 -16); r6 = *(u64 *)(r10 -8); exit',
    candidates: [
      'r2 = *(u64 *)(r10 -8); r3 = r1; r4 = *(u32 *)(r10 -8); r5 = *(u64 *)(r10 -16); r6 = r1; exit',
    ],
  },
  {
    what: 'no spill where half a register is stored, or to another place than the stack',
    pass: forwardSpill,
    program: '*(u32 *)(r10 -8) = r1; *(u64 *)(r6 -8) = r1; r3 = *(u64 *)(r10 -8); exit',
    candidates: [],
  },
  {
    what: 'an address made anew where it is copied, a constant folded in',
    pass: rematerializeAddress,
    program: `${M}r6 = mapvalue m +4; r1 = r6; r1 += 8; r2 = r6; r6 = 0; r3 = r6; exit`,
    candidates: [`${M}r1 = mapvalue m +12; r1 += 0; r2 = mapvalue m +4; r6 = 0; r3 = r6; exit`],
  },
  {
    what: 'an address made anew, but not behind a call that destroys it',
    pass: rematerializeAddress,
    program: `${M}r1 = map m; r7 = r1; call bpf_ktime_get_ns; r8 = r1; exit`,
    candidates: [`${M}r7 = map m; call bpf_ktime_get_ns; r8 = r1; exit`],
  },
  {
    what: 'an address made anew behind a call that keeps it',
    pass: rematerializeAddress,
    program: `${M}r6 = map m; call bpf_ktime_get_ns; r8 = r6; exit`,
    candidates: [`${M}call bpf_ktime_get_ns; r8 = map m; exit`],
  },
  {
    what: 'the body of a subprogram for one of its calls, its exits jumps behind it',
    pass: inlineSubprog,
    program:
      'call f; r6 = 1; call f; exit; f:; r0 = r1; if r0 == 0 goto end; r0 = 2; exit; end:; r0 = 3; exit',
    candidates: [
      'r0 = r1; if r0 == 0x0 goto L4; r0 = 2; goto L5; L4:; r0 = 3; L5:; r6 = 1; call f; exit; f:; r0 = r1; if r0 == 0x0 goto L12; r0 = 2; exit; L12:; r0 = 3; exit',
      'call f; r6 = 1; r0 = r1; if r0 == 0x0 goto L6; r0 = 2; goto L7; L6:; r0 = 3; L7:; exit; f:; r0 = r1; if r0 == 0x0 goto L12; r0 = 2; exit; L12:; r0 = 3; exit',
    ],
  },
  {
    what: 'a stack address that is made three times in a register that is free',
    pass: shareStackAddress,
    program: 'r6 = 1; r1 = r10; r1 += -8; r2 = r10; r2 += -8; r3 = r10; r3 += -8; r4 = r10; r4 += -16; exit',
    candidates: ['r7 = r10; r7 += -8; r6 = 1; r1 = r7; r2 = r7; r3 = r7; r4 = r10; r4 += -16; exit'],
  },
  {
    what: 'nothing for a stack address that is made twice',
    pass: shareStackAddress,
    program: 'r6 = 1; r1 = r10; r1 += -8; r2 = r10; r2 += -8; r3 = r10; r3 += -4; exit',
    candidates: [],
  },
];

/** What one operation is made simpler to, in order; the simplest comes first. */
export const SIMPLER: readonly (readonly [op: string, simpler: readonly string[]])[] = [
  ['r1 = 0', []],
  ['r1 = 1', ['r1 = 0']],
  ['r1 = -1', ['r1 = 0']],
  ['r1 = 6', ['r1 = 0', 'r1 = 1', 'r1 = -1', 'r1 = 3', 'r1 = 5']],
  ['r1 = -5', ['r1 = 0', 'r1 = 1', 'r1 = -1', 'r1 = -2', 'r1 = -4']],
  ['r1 = r6', ['r1 = 0']],
  ['w1 = w6', ['r1 = 0', 'r1 = r6']],
  ['w1 = 1', ['w1 = 0', 'r1 = 1']],
  ['r1 += 0', ['r1 = 0']],
  ['r1 += 2', ['r1 = 0', 'r1 += 0', 'r1 += 1', 'r1 += -1']],
  ['r1 *= r6', ['r1 = 0', 'r1 = r6', 'r1 *= 0']],
  ['w1 *= w6', ['r1 = 0', 'w1 = w6', 'w1 *= 0']],
  ['r1 = 0x1234567890 ll', ['r1 = 0']],
  ['r1 = map m', []],
  ['r1 = (s8)r6', ['r1 = r6', 'r1 = 0']],
  ['w1 = (s16)w6', ['w1 = w6', 'r1 = 0']],
  ['r1 = -r1', ['r1 = 0']],
  ['r1 = be16 r1', ['r1 = 0']],
  ['r1 = *(u32 *)(r10 -8)', ['r1 = 0']],
  ['r1 = load_acquire((u64 *)(r10 -8))', ['r1 = 0']],
  ['*(u32 *)(r10 -8) = 2', ['*(u32 *)(r10 -8) = 0', '*(u32 *)(r10 -8) = 1', '*(u32 *)(r10 -8) = -1']],
  ['*(u16 *)(r10 -8) = r6', ['*(u16 *)(r10 -8) = 0']],
  ['store_release((u64 *)(r10 -8), r6)', ['*(u64 *)(r10 -8) = 0']],
  ['lock *(u64 *)(r10 -8) += r6', ['*(u64 *)(r10 -8) = 0']],
  ['call bpf_ktime_get_ns', ['r0 = 0']],
  ['r0 = *(u8 *)skb[2]', ['r0 = 0']],
  ['exit', []],
  ['goto out', []],
  ['if r6 == 0 goto out', ['goto out']],
  ['if r6 == 1 goto out', ['goto out', 'if r6 == 0x0 goto out']],
  ['if r6 != 0 goto out', ['goto out', 'if r6 == 0x0 goto out']],
  ['if r6 s> 0 goto out', ['goto out', 'if r6 == 0x0 goto out', 'if r6 != 0x0 goto out']],
  [
    'if w6 < w7 goto out',
    [
      'goto out',
      'if w6 == w7 goto out',
      'if w6 != w7 goto out',
      'if r6 < r7 goto out',
      'if w6 < 0x0 goto out',
    ],
  ],
];
