/** Loops of every kind, what changes in them from round to round, and where that matters. */
import type { Family } from './family.js';

/** `BODY` is walked in each round; r6 is what changes, r7 and the slots at fp-8 and fp-16 are free. */
const LOOPS: Readonly<Record<string, string>> = {
  bounded: 'r8 = 0;again:;BODY;r8 += 1;if r8 < 4 goto again',
  iterator:
    'r1 = r10;r1 += -32;r2 = 0;r3 = 10;call bpf_iter_num_new;again:;r1 = r10;r1 += -32;call bpf_iter_num_next;if r0 == 0x0 goto dry;BODY;goto again;dry:;r1 = r10;r1 += -32;call bpf_iter_num_destroy',
  may_goto: 'again:;may_goto past;BODY;goto again;past:;r1 = 0',
  'iterator in an iterator':
    'r1 = r10;r1 += -32;r2 = 0;r3 = 10;call bpf_iter_num_new;outer:;r1 = r10;r1 += -32;call bpf_iter_num_next;if r0 == 0x0 goto odry;r1 = r10;r1 += -40;r2 = 0;r3 = 10;call bpf_iter_num_new;again:;r1 = r10;r1 += -40;call bpf_iter_num_next;if r0 == 0x0 goto dry;BODY;goto again;dry:;r1 = r10;r1 += -40;call bpf_iter_num_destroy;goto outer;odry:;r1 = r10;r1 += -32;call bpf_iter_num_destroy',
  'may_goto in an iterator':
    'r1 = r10;r1 += -32;r2 = 0;r3 = 10;call bpf_iter_num_new;again:;r1 = r10;r1 += -32;call bpf_iter_num_next;if r0 == 0x0 goto dry;inner:;may_goto past;BODY;goto inner;past:;goto again;dry:;r1 = r10;r1 += -32;call bpf_iter_num_destroy',
  'two iterators':
    'r1 = r10;r1 += -32;r2 = 0;r3 = 10;call bpf_iter_num_new;again:;r1 = r10;r1 += -32;call bpf_iter_num_next;if r0 == 0x0 goto dry;BODY;goto again;dry:;r1 = r10;r1 += -32;call bpf_iter_num_destroy;r1 = r10;r1 += -32;r2 = 0;r3 = 10;call bpf_iter_num_new;again2:;r1 = r10;r1 += -32;call bpf_iter_num_next;if r0 == 0x0 goto dry2;r6 += 1;goto again2;dry2:;r1 = r10;r1 += -32;call bpf_iter_num_destroy',
  'around an iterator that went dry':
    'r1 = r10;r1 += -32;r2 = 0;r3 = 10;call bpf_iter_num_new;outer:;r1 = r10;r1 += -32;call bpf_iter_num_next;if r0 != 0x0 goto odry;BODY;goto outer;odry:;r1 = r10;r1 += -32;call bpf_iter_num_destroy',
  'an iterator in one that went dry':
    'r1 = r10;r1 += -32;r2 = 0;r3 = 10;call bpf_iter_num_new;outer:;r1 = r10;r1 += -32;call bpf_iter_num_next;if r0 != 0x0 goto odry;BODY;r1 = r10;r1 += -40;r2 = 0;r3 = 10;call bpf_iter_num_new;again:;r1 = r10;r1 += -40;call bpf_iter_num_next;if r0 == 0x0 goto dry;goto again;dry:;r1 = r10;r1 += -40;call bpf_iter_num_destroy;goto outer;odry:;r1 = r10;r1 += -32;call bpf_iter_num_destroy',
  endless: 'again:;BODY;call bpf_get_prandom_u32#7;if r0 != 0x0 goto again',
  'in a callee': 'r1 = r6;call looping;r6 = r0',
};

const BODIES: Readonly<Record<string, string>> = {
  nothing: 'r1 = 0',
  'one more': 'r6 += 1',
  'four more': 'r6 += 4',
  'set to one': 'r6 = 1',
  'set to what is unknown': 'call bpf_get_prandom_u32#7;r6 = r0',
  toggled: 'r6 ^= 1',
  halved: 'r6 >>= 1',
  'used as an offset': 'r1 = mapvalue m;r1 += r6;r0 = *(u8 *)(r1 +0)',
  'one more, used as an offset': 'r6 += 1;r1 = mapvalue m;r1 += r6;r0 = *(u8 *)(r1 +0)',
  'one more, up to 5': 'if r6 > 4 goto skip;r6 += 1;skip:;r1 = 0',
  'one more, up to 5, used as an offset':
    'if r6 > 4 goto skip;r6 += 1;skip:;r1 = mapvalue m;r1 += r6;r0 = *(u8 *)(r1 +0)',
  'spilled, one more': 'r1 = *(u64 *)(r10 -8);r1 += 1;*(u64 *)(r10 -8) = r1;r6 = r1',
  'spilled in turns':
    'r1 = *(u64 *)(r10 -8);*(u64 *)(r10 -16) = r1;*(u64 *)(r10 -8) = r6;r6 = *(u64 *)(r10 -16)',
  'copied in turns': 'r1 = r7;r7 = r6;r6 = r1',
  'a linked copy': 'r7 = r6;r6 += 1',
  'a choice': 'call bpf_get_prandom_u32#7;if r0 == 0x0 goto skip;r6 = 1;skip:;r1 = 0',
  'a pointer or a number': 'call bpf_get_prandom_u32#7;if r0 == 0x0 goto skip;r7 = r10;skip:;r1 = 0',
  'a byte of the stack': '*(u8 *)(r10 -8) = r6;r6 += 1',
  'a slot written on one way':
    'call bpf_get_prandom_u32#7;if r0 == 0x0 goto skip;*(u64 *)(r10 -48) = 1;skip:;r1 = 0',
  'a slot written on one way where the iterator will be':
    'call bpf_get_prandom_u32#7;if r0 == 0x0 goto skip;*(u32 *)(r10 -40) = 1;skip:;r1 = 0',
  'a slot of another kind on one way':
    '*(u64 *)(r10 -48) = r10;call bpf_get_prandom_u32#7;if r0 == 0x0 goto skip;*(u8 *)(r10 -48) = 1;skip:;r1 = 0',
  'a slot written and an iterator on one way':
    'call bpf_get_prandom_u32#7;*(u32 *)(r10 -40) = 1;if r0 == 0x0 goto skip;r1 = r10;r1 += -40;r2 = 0;r3 = 2;call bpf_iter_num_new;r1 = r10;r1 += -40;call bpf_iter_num_destroy;skip:;r1 = 0',
  'a section opened': 'call bpf_rcu_read_lock',
};

const AFTER: Readonly<Record<string, string>> = {
  'not used': 'r1 = 0',
  'an offset': 'r1 = mapvalue m;r1 += r6;r0 = *(u8 *)(r1 +0)',
  'one is bad': 'if r6 == 0x1 goto bad',
};

export const LOOP_FAMILIES: readonly Family[] = Object.entries(LOOPS).map(([loop, text]) => ({
  name: `a loop: ${loop}`,
  directives: '.map m array key=4 value=8 entries=1',
  before: '*(u64 *)(r10 -8) = 0;*(u64 *)(r10 -16) = 1;r7 = 0',
  setups: { zero: 'r6 = 0', one: 'r6 = 1' },
  firsts: ['zero'],
  tails: Object.fromEntries(
    Object.entries(text.includes('BODY') ? BODIES : { nothing: '' }).flatMap(([body, insns]) =>
      Object.entries(AFTER).map(
        ([after, check]) => [`${body}, then ${after}`, `${text.replace('BODY', insns)};${check}`] as const,
      ),
    ),
  ),
  functions: { looping: 'r6 = r1;lagain:;r6 += 1;if r6 < 5 goto lagain;r0 = r6;exit' },
}));

/** What callbacks change, and how often they are called. */
export const CALLBACK_FAMILIES: readonly Family[] = [
  {
    name: 'a loop of callbacks',
    directives: '.map m array key=4 value=8 entries=4',
    before: '*(u64 *)(r10 -8) = 0;*(u64 *)(r10 -16) = 0;*(u64 *)(r10 -24) = 0',
    setups: {
      'no round': 'r6 = 0',
      'one round': 'r6 = 1',
      'two rounds': 'r6 = 2',
      'any number': 'call bpf_get_prandom_u32#7;r6 = r0',
    },
    tails: Object.fromEntries(
      ['nothing', 'one', 'more', 'either', 'both', 'returns', 'unwritten', 'nested'].flatMap((cb) =>
        Object.entries({
          'not looked at': 'r1 = 0',
          'one is bad': 'r1 = *(u64 *)(r10 -8);if r1 == 0x1 goto bad',
          'two are bad':
            'r1 = *(u64 *)(r10 -8);r2 = *(u64 *)(r10 -16);if r1 != 0x1 goto out;if r2 == 0x1 goto bad',
        }).map(
          ([after, check]) =>
            [
              `${cb}, ${after}`,
              `r1 = r6;r2 = func ${cb};r3 = r10;r3 += -24;r4 = 0;call bpf_loop#181;${check}`,
            ] as const,
        ),
      ),
    ),
    functions: {
      nothing: 'r0 = 0;exit',
      one: '*(u64 *)(r2 +16) = 1;r0 = 0;exit',
      more: 'r1 = *(u64 *)(r2 +16);r1 += 1;*(u64 *)(r2 +16) = r1;r0 = 0;exit',
      either:
        'r6 = r2;call bpf_get_prandom_u32#7;if r0 == 0x0 goto e1;*(u64 *)(r6 +16) = 1;r0 = 0;exit;e1:;*(u64 *)(r6 +8) = 1;r0 = 0;exit',
      both: '*(u64 *)(r2 +16) = 1;*(u64 *)(r2 +8) = 1;r0 = 1;exit',
      returns: 'call bpf_get_prandom_u32#7;r0 &= 3;exit',
      unwritten: 'exit',
      nested: 'r6 = r2;r1 = 2;r2 = func one;r3 = r6;r4 = 0;call bpf_loop#181;r0 = 0;exit',
    },
  },
  {
    name: 'callbacks of maps',
    directives: '.map m array key=4 value=8 entries=4\n.map t array key=4 value=24 entries=1 timer@0',
    before: '*(u64 *)(r10 -8) = 0',
    setups: { zero: 'r6 = 0', one: 'r6 = 1' },
    tails: Object.fromEntries(
      ['sets', 'keeps', 'stops', 'bad_return'].map(
        (cb) =>
          [
            cb,
            `*(u64 *)(r10 -8) = r6;r1 = map m;r2 = func ${cb};r3 = r10;r3 += -8;r4 = 0;call bpf_for_each_map_elem#164;r1 = *(u64 *)(r10 -8);if r1 != 0x0 goto bad`,
          ] as const,
      ),
    ),
    functions: {
      sets: '*(u64 *)(r4 +0) = 1;r0 = 0;exit',
      keeps: 'r0 = 0;exit',
      stops: '*(u64 *)(r4 +0) = 0;r0 = 1;exit',
      bad_return: 'r0 = 2;exit',
    },
  },
  {
    name: 'callbacks that run later',
    directives: '.map t array key=4 value=24 entries=1 timer@0',
    before: '*(u64 *)(r10 -8) = 0',
    setups: { zero: 'r6 = 0', one: 'r6 = 1' },
    tails: Object.fromEntries(
      ['plain', 'looping', 'returning', 'locking'].map(
        (cb) =>
          [
            cb,
            `r1 = mapvalue t;r2 = func ${cb};call bpf_timer_set_callback#170;if r6 == 0x0 goto out;r1 = mapvalue t;r2 = func plain;call bpf_timer_set_callback#170`,
          ] as const,
      ),
    ),
    functions: {
      plain: 'r0 = 0;exit',
      looping: 'r6 = 0;lagain:;r6 += 1;if r6 < 5 goto lagain;r0 = 0;exit',
      returning: 'r0 = 1;exit',
      locking: 'call bpf_rcu_read_lock;r0 = 0;exit',
    },
  },
];
