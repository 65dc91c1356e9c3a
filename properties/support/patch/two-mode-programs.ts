/** Programs for the two-mode text: each has one thing that the text must write, fill, hand on or leave out. */
import { rule, ruleSet, type StubSpec } from '../../../src/patch/define.js';
import type { RuleSet } from '../../../src/patch/rule.js';
import { shippedRuleSet } from '../../../src/patch/sets/index.js';
import sound from '../../../src/patch/sets/sound.js';
import { callRounds, LOCKS_VALUE, lookupOrOut, loopProgram, RESERVES_DYNPTR } from '../texts.js';

export interface TwoModeProgram {
  readonly name: string;
  readonly text: string;
  readonly rules: RuleSet;
}

const stubbed = (name: string, stub: StubSpec): RuleSet =>
  ruleSet('one', [
    rule('one')
      .when((f) => f.name === name)
      .stub(stub),
    ...sound.rules,
  ]);

const kept = (...names: readonly string[]): RuleSet =>
  ruleSet('kept', [
    rule('kept')
      .when((f) => names.includes(f.name))
      .keep(),
    ...sound.rules,
  ]);

/** Reads `size` bytes (a number, or insns that put it in r2) into the stack at `at`, then looks at what is there. */
const filling = (at: number, size: string, look = 'r0 = *(u8 *)(r10 -1)'): string => `.type tracepoint
    *(u64 *)(r10 -8) = -1
    *(u64 *)(r10 -16) = -1
    ${size}
    r1 = r10
    r1 += ${at}
    r3 = 0
    call bpf_probe_read_kernel
    ${look}
    r0 &= 1
    exit
`;

const loop = (rounds: number, body: string, more = ''): string => loopProgram(`r1 = ${rounds}`, body, more);

/** Fills the whole value of an array, of `size` bytes. */
const fillingValue = (size: number): string => `.type tracepoint
.map m array key=4 value=${size} entries=1
${lookupOrOut()}
    r1 = r0
    r2 = ${size}
    r3 = 0
    call bpf_probe_read_kernel
out:
    r0 = 0
    exit
`;

/** A timer is set, whose callback `callback` is; then goes on with `after`. The callback has a stub. */
const withTimer = (callback: string, after = ''): string => `.type tc
.map m array key=4 value=24 entries=1 timer@8
main:
${lookupOrOut()}
    r6 = r0
    r1 = r6
    r1 += 8
    r2 = map m
    r3 = 1
    call bpf_timer_init
    r1 = r6
    r1 += 8
    r2 = func ${callback}
    call bpf_timer_set_callback
${after}out:
    r0 = 0
    exit
${callback}:
    call bpf_ktime_get_ns
    r0 = 0
    exit
`;

const random = 'call bpf_get_prandom_u32\n    r2 = r0';

export const TWO_MODE_PROGRAMS: readonly TwoModeProgram[] = [
  { name: 'no call at all', text: '.type tc\n    r0 = 0\n    exit\n', rules: sound },
  {
    name: 'a stub whose r0 fits an immediate',
    text: '.type tc\n    call bpf_ktime_get_ns\n    exit\n',
    rules: stubbed('bpf_ktime_get_ns', { r0: -1 }),
  },
  {
    name: 'a stub whose r0 is the largest immediate',
    text: '.type tc\n    call bpf_ktime_get_ns\n    r0 >>= 31\n    exit\n',
    rules: stubbed('bpf_ktime_get_ns', { r0: 0x7fff_ffff }),
  },
  {
    name: 'a stub whose r0 needs 64 bits',
    text: '.type tc\n    call bpf_ktime_get_ns\n    r0 >>= 31\n    exit\n',
    rules: stubbed('bpf_ktime_get_ns', { r0: 0x8000_0000 }),
  },
  {
    name: 'a stub whose r0 has both halves',
    text: '.type tc\n    call bpf_ktime_get_ns\n    r0 >>= 40\n    exit\n',
    rules: stubbed('bpf_ktime_get_ns', { r0: -(5n << 40n) - 3n }),
  },
  {
    name: 'r0 that nobody reads',
    text: '.type tc\n    call bpf_ktime_get_ns\n    r0 = 0\n    exit\n',
    rules: stubbed('bpf_ktime_get_ns', { r0: 'void' }),
  },
  {
    name: 'r0 that must not be read',
    text: '.type tc\n    call bpf_ktime_get_ns\n    if r0 == 7 goto out\nout:\n    r0 = 0\n    exit\n',
    rules: stubbed('bpf_ktime_get_ns', { r0: 'void' }),
  },
  {
    name: 'a fastcall that keeps r1',
    text: '.type tc\n    r1 = 7\n    call bpf_get_smp_processor_id\n    if r0 < 9000 goto out\n    r0 = r1\nout:\n    r0 = 2\n    exit\n',
    rules: sound,
  },
  { name: 'eight bytes, aligned', text: filling(-8, 'r2 = 8'), rules: sound },
  { name: 'seven bytes, aligned', text: filling(-8, 'r2 = 7'), rules: sound },
  { name: 'eleven bytes at an odd address', text: filling(-13, 'r2 = 11'), rules: sound },
  { name: 'sixteen bytes at four over eight', text: filling(-12, 'r2 = 12'), rules: sound },
  { name: 'one byte', text: filling(-1, 'r2 = 1'), rules: sound },
  { name: 'zero to seven bytes', text: filling(-8, `${random}\n    r2 &= 7`), rules: sound },
  { name: 'three to six bytes', text: filling(-8, `${random}\n    r2 &= 3\n    r2 += 3`), rules: sound },
  {
    name: 'a buffer whose size is known to within 64',
    text: filling(-72, `${random}\n    r2 &= 63\n    r2 += 1`),
    rules: sound,
  },
  { name: 'a size that is known too badly', text: filling(-256, `${random}\n    r2 &= 127`), rules: sound },
  {
    name: 'a value of 512 bytes',
    text: fillingValue(512),
    rules: sound,
  },
  {
    name: 'a value of 513 bytes',
    text: fillingValue(513),
    rules: sound,
  },
  {
    name: 'an element of a stack, into memory as large as a value',
    text: `.type tc
.map piled stack key=0 value=12 entries=4
    r1 = map piled
    r2 = r10
    r2 += -16
    call bpf_map_peek_elem
    r0 = *(u32 *)(r10 -8)
    r0 = 0
    exit
`,
    rules: stubbed('bpf_map_peek_elem', { r0: -2, writes: [1] }),
  },
  {
    name: 'an element of a stack, beside maps of other types and sizes',
    text: `.type tc
.map piled stack key=0 value=12 entries=4
.map other array key=4 value=40 entries=1
.map waiting queue key=0 value=12 entries=4
    r1 = map other
    r2 = r10
    r2 += -4
    *(u32 *)(r10 -4) = 0
    call bpf_map_lookup_elem
    r1 = map piled
    r2 = r10
    r2 += -16
    call bpf_map_peek_elem
    r1 = map waiting
    r2 = r10
    r2 += -32
    call bpf_map_pop_elem
    r0 = *(u32 *)(r10 -8)
    r0 = 0
    exit
`,
    rules: stubbed('bpf_map_peek_elem', { r0: -2, writes: [1] }),
  },
  {
    name: 'a stub that writes nothing, where the buffer can be hidden',
    text: `.type tracepoint
    r1 = r10
    r1 += -24
    r2 = 24
    r3 = 0
    call bpf_probe_read_kernel
    r0 = *(u64 *)(r10 -24)
    r0 = 0
    exit
`,
    rules: stubbed('bpf_probe_read_kernel', { r0: -14 }),
  },
  {
    name: 'a gap of eight bytes between slots that are read',
    text: `.type tracepoint
    *(u64 *)(r10 -8) = 5
    *(u64 *)(r10 -24) = 5
    r1 = r10
    r1 += -16
    r2 = 8
    r3 = 0
    call bpf_probe_read_kernel
    r0 = *(u64 *)(r10 -8)
    r0 = *(u64 *)(r10 -24)
    r0 = 0
    exit
`,
    rules: stubbed('bpf_probe_read_kernel', { r0: -14 }),
  },
  {
    name: 'a gap far below the frame pointer, below which a slot is read',
    text: `.type tracepoint
    *(u64 *)(r10 -280) = 5
    r1 = r10
    r1 += -272
    r2 = 16
    r3 = 0
    call bpf_probe_read_kernel
    r0 = *(u64 *)(r10 -280)
    r0 = 0
    exit
`,
    rules: stubbed('bpf_probe_read_kernel', { r0: -14 }),
  },
  {
    name: 'a null dynptr',
    text: RESERVES_DYNPTR,
    rules: sound,
  },
  {
    name: 'functions two deep',
    text: `.type tc
main:
    r1 = 1
    call one
    r6 = r0
    r1 = 2
    call plain
    r0 = r6
    exit
one:
    r6 = r1
    call two
    r0 = r6
    exit
two:
    call bpf_ktime_get_ns
    r0 = 0
    exit
plain:
    r0 = r1
    exit
`,
    rules: sound,
  },
  {
    name: 'a callback of one round with a stub',
    text: loop(1, 'call bpf_ktime_get_ns\n    r0 = 0\n    exit'),
    rules: sound,
  },
  {
    name: 'a callback of one round with a stub, in a loop that is kept',
    text: loop(1, 'call bpf_ktime_get_ns\n    r0 = 0\n    exit'),
    rules: kept('bpf_loop'),
  },
  { name: 'a callback that does as before', text: loop(1, 'r0 = 0\n    exit'), rules: kept('bpf_loop') },
  {
    name: 'a callback that calls a function with a stub',
    text: loop(
      1,
      'call inner\n    r0 = 0\n    exit',
      'inner:\n    call bpf_ktime_get_ns\n    r0 = 0\n    exit\n',
    ),
    rules: kept('bpf_loop'),
  },
  {
    name: 'one of two callbacks',
    text: `.type tc
main:
    call bpf_get_smp_processor_id
    r2 = func one
    if r0 == 0 goto go
    r2 = func two
go:
    r1 = 1
    r3 = 0
    r4 = 0
    call bpf_loop
    r0 = 0
    exit
one:
    r0 = 0
    exit
two:
    call bpf_ktime_get_ns
    r0 = 0
    exit
`,
    rules: kept('bpf_loop', 'bpf_get_smp_processor_id'),
  },
  {
    name: 'a callback that a timer makes',
    text: withTimer('later'),
    rules: kept('bpf_timer_set_callback'),
  },
  {
    name: 'a function that is called back both at once and later',
    text: withTimer(
      'both',
      `    r1 = 1
${callRounds('both')}
`,
    ),
    rules: kept('bpf_timer_set_callback', 'bpf_loop'),
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
    call bpf_ktime_get_ns
    r0 = 0
    exit
`,
    rules: sound,
  },
  {
    name: 'a jump over a stub, forwards and backwards',
    text: `.type tc
    r6 = 0
again:
    if r6 == 1 goto over
    call bpf_ktime_get_ns
over:
    r6 += 1
    if r6 != 3 goto again
    r0 = r6
    exit
`,
    rules: sound,
  },
  {
    name: 'a lock that is skipped',
    text: LOCKS_VALUE,
    rules: shippedRuleSet('rfc-v1')!,
  },
];
