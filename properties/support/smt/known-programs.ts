/**
 * Small programs, each around one thing that the program proof counts or decides: a kind of loop, a chain of calls, a call that is kept.
 * What is proven of them is pinned in known-programs.txt.
 */
import { callRounds, LOCKS_VALUE, loopProgram, RESERVES_DYNPTR, SOCKET_LOOKUP } from '../texts.js';

export interface KnownProgram {
  readonly name: string;
  readonly text: string;
  /** Rule sets that it is proven under, by name (see `RULES` of the property). */
  readonly rules: readonly string[];
  /** The bounds are reached by killed runs: no loop is bounded by Linux's limit. */
  readonly exact?: true;
}

const map = '.map m array key=4 value=8 entries=5';

const nested = (outer: number, inner: number): string => `.type tc
main:
    r1 = ${outer}
${callRounds('outer')}
    r0 = 0
    exit
outer:
    r1 = ${inner}
${callRounds('inner')}
    r0 = 0
    exit
inner:
    r0 = 0
    exit
`;

const threeNested = `.type tc
main:
    r1 = 2
${callRounds('first')}
    r0 = 0
    exit
first:
    r1 = 3
${callRounds('second')}
    r0 = 0
    exit
second:
    r1 = 4
${callRounds('third')}
    r0 = 0
    exit
third:
    call bpf_ktime_get_ns
    r0 = 0
    exit
`;

const iterator = (make: string, next: string, destroy: string, between = '', at = 8): string => `
    r1 = r10
    r1 += -${at}
${make}
again:
    r1 = r10
    r1 += -${at}
    call ${next}
    if r0 == 0 goto out
${between}    goto again
out:
    r1 = r10
    r1 += -${at}
    call ${destroy}
    r0 = 0
    exit
`;
const numbers = (between = ''): string =>
  `.type tc\n${iterator('    r2 = 0\n    r3 = 3\n    call bpf_iter_num_new', 'bpf_iter_num_next', 'bpf_iter_num_destroy', between)}`;

const mayGoto = (body: string): string => `.type tc
    r6 = 0
again:
    may_goto out
${body}
    goto again
out:
    r0 = 0
    exit
`;

export const KNOWN_PROGRAMS: readonly KnownProgram[] = [
  { name: 'straight', text: '.type tc\n    r0 = 0\n    exit\n', rules: ['sound', 'keeps'], exact: true },
  {
    name: 'two stubs in a row',
    text: '.type tc\n    call bpf_ktime_get_ns\n    call bpf_ktime_get_ns\n    r0 = 0\n    exit\n',
    rules: ['sound', 'keeps', 'rfc-v1', 'rfc-v2', 'naive'],
    exact: true,
  },
  {
    name: 'the longer of two branches',
    text: `.type tc
    call bpf_get_prandom_u32
    if r0 == 7 goto long
    r0 = 0
    exit
long:
    r0 = 0
    r0 = 1
    r0 = 2
    exit
`,
    // A stub that returns 0 never takes the long one.
    rules: ['sound', 'keeps', 'naive'],
  },
  {
    name: 'counts to ten',
    text: `.type tc
    r6 = 0
again:
    r6 += 1
    if r6 != 10 goto again
    r0 = 0
    exit
`,
    rules: ['sound'],
    exact: true,
  },
  {
    name: 'counts to four with a call in each round',
    text: `.type tc
    r6 = 0
again:
    call bpf_ktime_get_ns
    r6 += 1
    if r6 != 4 goto again
    r0 = 0
    exit
`,
    rules: ['sound', 'keeps'],
    exact: true,
  },
  { name: 'bpf_loop of no rounds', text: loopProgram('r1 = 0'), rules: ['sound', 'loops run'] },
  {
    name: 'bpf_loop of one round',
    text: loopProgram('r1 = 1'),
    rules: ['sound', 'loops run', 'rfc-v2', 'rfc-v3'],
  },
  {
    name: 'bpf_loop of four rounds',
    text: loopProgram('r1 = 4'),
    rules: ['sound', 'loops run', 'rfc-v1', 'naive'],
  },
  {
    name: 'bpf_loop of four longer rounds',
    text: loopProgram('r1 = 4', 'r0 = 0\n    r0 = 0\n    r0 = 0\n    exit'),
    rules: ['sound', 'loops run'],
  },
  {
    name: 'bpf_loop of up to seven rounds',
    text: loopProgram('call bpf_get_prandom_u32\n    r1 = r0\n    r1 &= 7'),
    rules: ['sound', 'loops run'],
  },
  {
    name: 'bpf_loop of any number of rounds',
    text: loopProgram('call bpf_get_prandom_u32\n    r1 = r0'),
    rules: ['sound', 'loops run'],
  },
  { name: 'bpf_loop one below the limit', text: loopProgram('r1 = 8388607'), rules: ['loops run'] },
  { name: 'bpf_loop at the limit', text: loopProgram('r1 = 8388608'), rules: ['loops run'] },
  {
    name: 'bpf_loop whose callback ends it',
    text: loopProgram('r1 = 4', 'r0 = 1\n    exit'),
    rules: ['sound', 'loops run'],
  },
  {
    name: 'bpf_loop whose callback makes a call',
    text: loopProgram('r1 = 4', 'call bpf_ktime_get_ns\n    r0 = 0\n    exit'),
    rules: ['sound', 'loops run', 'keeps'],
  },
  { name: 'two nested bpf_loops', text: nested(3, 2), rules: ['sound', 'loops run', 'rfc-v3'] },
  { name: 'three nested bpf_loops', text: threeNested, rules: ['sound', 'loops run', 'rfc-v3', 'naive'] },
  {
    name: 'two bpf_loops, one behind the other',
    text: `.type tc
main:
    r1 = 3
${callRounds()}
    r1 = 5
${callRounds()}
    r0 = 0
    exit
round:
    r0 = 0
    exit
`,
    rules: ['sound', 'loops run'],
  },
  {
    name: 'a callback that calls a function',
    text: loopProgram('r1 = 3', 'call inner\n    r0 = 0\n    exit', 'inner:\n    r0 = 0\n    exit\n'),
    rules: ['sound', 'loops run'],
  },
  {
    name: 'each element of an array',
    text: `.type tc
${map}
main:
    r1 = map m
    r2 = func each
    r3 = 0
    r4 = 0
    call bpf_for_each_map_elem
    r0 = 0
    exit
each:
    r0 = 0
    exit
`,
    rules: ['sound', 'loops run', 'rfc-v2', 'naive'],
  },
  {
    name: 'the memory area of a task',
    text: `.type tp_btf
main:
    call bpf_get_current_task_btf
    r1 = r0
    r2 = 4096
    r3 = func area
    r4 = 0
    r5 = 0
    call bpf_find_vma
    r0 = 0
    exit
area:
    r0 = 0
    exit
`,
    rules: ['sound', 'loops run'],
  },
  { name: 'an iterator over numbers', text: numbers(), rules: ['sound', 'loops run', 'rfc-v2', 'naive'] },
  {
    name: 'an iterator over numbers, with a call in each round',
    text: numbers('    call bpf_ktime_get_ns\n'),
    rules: ['sound', 'loops run'],
  },
  {
    name: 'an iterator that is asked at two places',
    text: numbers().replace(
      '    call bpf_iter_num_new\n',
      '    call bpf_iter_num_new\n    r1 = r10\n    r1 += -8\n    call bpf_iter_num_next\n',
    ),
    rules: ['sound', 'first only'],
  },
  {
    name: 'an iterator over bits',
    text: `.type tc\n    *(u64 *)(r10 -8) = 7\n${iterator('    r2 = r10\n    r2 += -8\n    r3 = 1\n    call bpf_iter_bits_new', 'bpf_iter_bits_next', 'bpf_iter_bits_destroy', '', 24)}`,
    rules: ['sound', 'loops run'],
  },
  { name: 'may_goto', text: mayGoto('    r6 = 0'), rules: ['sound', 'keeps'] },
  { name: 'may_goto with a call', text: mayGoto('    call bpf_ktime_get_ns'), rules: ['sound', 'keeps'] },
  {
    name: 'two nested may_gotos',
    text: mayGoto(`    r7 = 0
inner:
    may_goto done
    r7 = 0
    goto inner
done:
    r6 = 0`),
    rules: ['sound'],
  },
  {
    name: 'functions three deep',
    text: `.type tc
main:
    call one
    r0 = 0
    exit
one:
    call two
    r0 = 0
    r0 = 0
    exit
two:
    call three
    r0 = 0
    exit
three:
    call bpf_ktime_get_ns
    r0 = 0
    exit
`,
    rules: ['sound', 'keeps'],
    exact: true,
  },
  {
    name: 'one function called from two places',
    text: `.type tc
main:
    call one
    call one
    r0 = 0
    exit
one:
    call bpf_ktime_get_ns
    r0 = 0
    exit
`,
    rules: ['sound', 'keeps'],
    exact: true,
  },
  {
    name: 'global functions three deep',
    text: `.type tc
.global one
.global two
.global three
main:
    call one
    r0 = 0
    exit
one:
    call two
    r0 = 0
    r0 = 0
    exit
two:
    call three
    r0 = 0
    r0 = 0
    r0 = 0
    exit
three:
    call bpf_ktime_get_ns
    r0 = 0
    r0 = 0
    r0 = 0
    r0 = 0
    exit
`,
    rules: ['sound', 'keeps'],
    exact: true,
  },
  {
    name: 'a global function called from a short and a long way',
    text: `.type tc
.global one
main:
    call one
    call one
    r0 = 0
    r0 = 0
    exit
one:
    r0 = 0
    exit
`,
    rules: ['sound'],
    exact: true,
  },
  {
    name: 'an exception that a function catches',
    text: `.type tc
.global main
.global caught
.exception_callback caught
main:
    call bpf_ktime_get_ns
    if r0 == 3 goto throws
    r0 = 0
    exit
throws:
    r1 = 9
    call bpf_throw
    exit
caught:
    r0 = 0
    r0 = 0
    r0 = 0
    exit
`,
    rules: ['sound', 'keeps'],
  },
  {
    name: 'a socket that is looked up and released',
    text: `.type tc
    r6 = r1
${SOCKET_LOOKUP}
    if r0 == 0 goto out
    r1 = r0
    call bpf_sk_release
out:
    r0 = 0
    exit
`,
    rules: ['sound', 'keeps', 'rfc-v1', 'rfc-v2', 'naive'],
  },
  {
    name: 'a lookup that cannot miss',
    text: `.type tc
${map}
    *(u32 *)(r10 -8) = 3
    r2 = r10
    r2 += -8
    r1 = map m
    call bpf_map_lookup_elem
    r1 = *(u64 *)(r0 +0)
    r0 = 0
    exit
`,
    rules: ['sound', 'rfc-v1', 'rfc-v2', 'naive'],
  },
  {
    name: 'a lookup that misses only past the end',
    text: `.type tc
${map}
    *(u32 *)(r10 -8) = 5
    r2 = r10
    r2 += -8
    r1 = map m
    call bpf_map_lookup_elem
    if r0 == 0 goto out
    r1 = *(u64 *)(r0 +0)
out:
    r0 = 0
    exit
`,
    rules: ['sound', 'rfc-v2'],
  },
  {
    name: 'a lock',
    text: LOCKS_VALUE,
    rules: ['sound', 'rfc-v1', 'rfc-v2', 'naive'],
  },
  {
    name: 'a tail call',
    text: `.type tc
.map t prog_array key=4 value=4 entries=1
    r2 = map t
    r3 = 0
    call bpf_tail_call
    r0 = 0
    exit
`,
    rules: ['sound', 'keeps'],
  },
  {
    name: 'a task that is acquired only after a kill',
    text: `.type syscall
    call bpf_get_smp_processor_id
    if r0 < 9000 goto out
    r1 = 1
    call bpf_task_from_pid
    if r0 == 0 goto out
    r1 = r0
    call bpf_task_release
out:
    r0 = 0
    exit
`,
    rules: ['sound', 'no number'],
  },
  {
    name: 'a release and a tail call that only a killed run makes',
    text: `.type tc
.map t prog_array key=4 value=4 entries=1
    r6 = r1
    call bpf_get_smp_processor_id
    if r0 < 9000 goto out
    r1 = r6
    r2 = map t
    r3 = 0
    call bpf_tail_call
out:
    r0 = 0
    exit
`,
    rules: ['sound', 'no number'],
  },
  {
    name: 'a read of what a call filled',
    text: `.type tracepoint
    r1 = r10
    r1 += -8
    r2 = 8
    r3 = 0
    call bpf_probe_read_kernel
    r0 = *(u64 *)(r10 -8)
    r0 = 0
    exit
`,
    rules: ['sound', 'rfc-v1', 'naive'],
  },
  {
    name: 'a record behind a dynptr',
    text: RESERVES_DYNPTR,
    rules: ['sound', 'rfc-v1', 'rfc-v2', 'naive'],
  },
];
