/** Precision that was lost on the way back from a check to where its number came from. */
import { type Kind, type Mended, nearOrFar, OUT, STATE_KEPT, VALUE, withMap, written } from './mended.js';

/** The state is kept, and the number in r8 moves r7. */
const USE = `
    r7 += r8
    r0 = *(u8 *)(r7 +0)`;

// A packet load of classic BPF ends the function that it is in, with 0.

const leaves = (name: string, after: string, callee: string): Mended =>
  written(
    `ld_abs: ${name}`,
    `${withMap(
      'socket_filter',
      `
    r6 = r1${VALUE}
    r1 = r6
    r2 = r10
    r2 += -16
    *(u64 *)(r10 -16) = 100
    call f${after}${USE}${OUT}`,
    )}f:
    r6 = r1
    r7 = r2
    r0 = *(u8 *)skb[0]${callee}
    exit
`,
  );

const ZERO_RETURNED = (r8: number) => `
    r8 = ${r8}
    if r0 == 0 goto zero
    r8 = 0
zero:`;

const packetLoad: Kind = {
  message: /^R7 min value is outside of the allowed memory range$/,
  bad: [
    leaves('the caller relies on what the function returns', ZERO_RETURNED(100), '\n    r0 = 1'),
    leaves(
      'the caller relies on what the function wrote',
      '\n    r8 = *(u64 *)(r10 -16)',
      '\n    *(u64 *)(r7 +0) = 4\n    r0 = 0',
    ),
    leaves('by register', ZERO_RETURNED(100), '\n    r0 = *(u8 *)skb[r0 +0]\n    r0 = 1'),
  ],
  good: [leaves('both results are good', ZERO_RETURNED(8), '\n    r0 = 1')],
};

// More equal numbers than Linux keeps track of.

const LINKS = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `\n    *(u64 *)(r10 -${8 + 8 * n}) = r6`).join('');

const linked = (name: string, compared: string, slot: number): Mended =>
  written(
    `linked: ${name}`,
    withMap(
      'xdp',
      `${VALUE}
    call bpf_get_prandom_u32
    r6 = r0
    r6 &= 127${LINKS}${compared}${STATE_KEPT}
    r8 = *(u64 *)(r10 -${8 + 8 * slot})${USE}${OUT}`,
    ),
  );

const AT_MOST = '\n    if r6 > 7 goto out';
const AT_MOST_32 = '\n    if w6 > 7 goto out';
const UNDER_REGISTER = '\n    r9 = 8\n    if r6 >= r9 goto out';

/** On the far path the number that is checked is no longer equal to the others. */
const linkedFar = (checked: string, slot: number): Mended =>
  written(
    `linked: number ${slot} of eight, after ${checked.trim().replace(/\s+/g, ' ')}`,
    withMap(
      'xdp',
      `${VALUE}
    call bpf_get_prandom_u32
    r6 = r0
    r6 &= 127${LINKS}
    call bpf_get_prandom_u32
    if r0 == 1 goto far
near:${STATE_KEPT}${checked}
    r8 = *(u64 *)(r10 -${8 + 8 * slot})${USE}${OUT}
far:
    r6 = 0
    goto near`,
    ),
  );

const links: Kind = {
  message: /^R7 max value is outside of the allowed memory range$/,
  bad: [
    ...[AT_MOST, AT_MOST_32, UNDER_REGISTER].flatMap((checked) =>
      [1, 2, 5, 6, 7, 8].map((slot) => linkedFar(checked, slot)),
    ),
  ],
  good: [linked('the second', AT_MOST, 2), linked('the second after a register', UNDER_REGISTER, 2)],
};

// Callbacks: what they are given, and how often they run.

const CALLERS = {
  bpf_loop: { before: 'r1 = 100\n    r2 = func cb\n    r3 = r10\n    r3 += -32\n    r4 = 0', context: 'r2' },
  bpf_for_each_map_elem: {
    before: 'r1 = map m\n    r2 = func cb\n    r3 = r10\n    r3 += -32\n    r4 = 0',
    context: 'r4',
  },
} as const;

/**
 * fp-32: the number, fp-24: what the next call does, fp-16: the value. On the far path the number is read only after two calls, the second of
 * which comes to a state that the near path left by way of a call that was walked before.
 */
const contextRead = (by: keyof typeof CALLERS, far: number, in32: boolean, first: number): Mended =>
  written(
    `callback: ${by}, a context of ${far} that a later call reads${in32 ? ' in 32 bits' : ''}, from ${first}`,
    `${withMap(
      'tc',
      `${VALUE}
    *(u64 *)(r10 -16) = r7
    *(u64 *)(r10 -24) = 0
    call bpf_get_prandom_u32
    if r0 == 1 goto far
    r1 = 8
    goto go
far:
    r1 = ${first}
    *(u64 *)(r10 -24) = r1
    r1 = ${far}
go:
    *(u64 *)(r10 -32) = r1
    ${CALLERS[by].before}
    call ${by}${OUT}`,
    )}cb:
    r6 = ${CALLERS[by].context}
    r1 = *(u64 *)(r6 +8)
    if r1 == 5 goto again
    if r1 == 0 goto go_on
    call bpf_get_prandom_u32
    if r0 == 7 goto use
go_on:
    *(u64 *)(r6 +8) = 1${STATE_KEPT}
    r0 = 0
    exit
use:
    r1 = *(u64 *)(r6 +16)
    r2 = *(u${in32 ? 32 : 64} *)(r6 +0)
    r1 += r2
    r0 = *(u8 *)(r1 +0)
    r0 = 0
    exit
again:
    *(u64 *)(r6 +8) = 0
    r0 = 0
    exit
`.replace('entries=1', 'entries=8'),
  );

const counted = (name: string, far: number, count: string, most: number): Mended =>
  written(
    `callback: ${name}`,
    `${withMap(
      'tc',
      `${VALUE}
    *(u64 *)(r10 -16) = 0${nearOrFar('r6', 1, far)}${count}
    r2 = func cb
    r3 = r10
    r3 += -16
    r4 = 0
    call bpf_loop
    r8 = *(u64 *)(r10 -16)${USE}${OUT}`,
    )}cb:
    r1 = *(u64 *)(r2 +0)
    if r1 > ${most} goto done
    r1 += 1
    *(u64 *)(r2 +0) = r1
done:
    r0 = 0
    exit
`,
  );

const callbacks: Kind = {
  message: /^R[17] min value is outside of the allowed memory range$|^R7 unbounded memory access/,
  bad: [
    contextRead('bpf_loop', 80, false, 5),
    contextRead('bpf_loop', 80, true, 5),
    contextRead('bpf_loop', 80, false, 0),
    contextRead('bpf_for_each_map_elem', 80, false, 5),
    counted('a count from a register', 200, '\n    r1 = r6', 100),
    counted('a count from the stack', 200, '\n    *(u64 *)(r10 -24) = r6\n    r1 = *(u64 *)(r10 -24)', 100),
    counted('a count of 32 bits', 200, '\n    w1 = w6', 100),
  ],
  good: [
    contextRead('bpf_loop', 16, false, 5),
    contextRead('bpf_for_each_map_elem', 16, false, 5),
    counted('a count that is good', 2, '\n    r1 = r6', 40),
  ],
};

// Zero for NULL, and zero for nothing written.

const nullOr = (name: string, far: number, how: string): Mended =>
  written(`NULL: ${name}`, `.type tracepoint\nmain:${nearOrFar('r6', 0, far)}${STATE_KEPT}${how}\n`);

const ITER_TASK = `
    call bpf_rcu_read_lock
    r1 = r10
    r1 += -24
    r2 = r6
    r3 = 0
    call bpf_iter_task_new
    r1 = r10
    r1 += -24
    call bpf_iter_task_destroy
    call bpf_rcu_read_unlock${OUT}`;

const LOOP = `
    r1 = 1
    r2 = func cb
    r3 = r6
    r4 = 0
    call bpf_loop${OUT}
cb:
    r0 = 0
    exit`;

const nullArguments: Kind = {
  message: /pointer type STRUCT task_struct must point to scalar|^R3 type=scalar expected=fp$/,
  bad: [
    nullOr('for a task that an iterator starts from', 100, ITER_TASK),
    nullOr('for the context of a callback', 100, LOOP),
  ],
  good: [nullOr('both are NULL', 0, ITER_TASK), nullOr('both contexts are NULL', 0, LOOP)],
};

const zero = (name: string, far: number, how: string, wide = false): Mended =>
  written(
    `zero: ${name}`,
    withMap(
      'xdp',
      `${VALUE}${nearOrFar('r6', 0, far)}${wide ? '\n    r6 <<= 32' : ''}
    *(u64 *)(r10 -16) = r6${STATE_KEPT}${how}${USE}${OUT}`,
    ),
  );

const zeroes: Kind = {
  message: /^R7 unbounded memory access|^R7 min value is outside|^math between map_value pointer and/,
  bad: [
    zero('the upper half of a spill', 100, '\n    r8 = *(u32 *)(r10 -12)', true),
    zero('the lower half of a spill', 100, '\n    r8 = *(u32 *)(r10 -16)'),
    zero('a byte of a spill', 100, '\n    r8 = *(u8 *)(r10 -16)'),
    zero(
      'the upper half, with the lower one overwritten',
      100,
      '\n    *(u32 *)(r10 -16) = 0\n    r8 = *(u32 *)(r10 -12)',
      true,
    ),
    zero(
      'the lower half, with the upper one overwritten',
      100,
      '\n    *(u32 *)(r10 -12) = 0\n    r8 = *(u32 *)(r10 -16)',
    ),
    zero(
      'all of it, with zero written over one half',
      100,
      '\n    *(u32 *)(r10 -12) = 0\n    r8 = *(u64 *)(r10 -16)',
    ),
  ],
  good: [zero('both are good', 8, '\n    r8 = *(u32 *)(r10 -16)')],
};

export const precision = { packetLoad, links, callbacks, nullArguments, zeroes };
