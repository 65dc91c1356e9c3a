/** Calls: what may be called back, what Linux takes out around a call, what a call returns, sections that end under an iterator. */
import { type Kind, type Mended, OUT, VALUE, withMap, written } from './mended.js';

// The main program is not called back: it keeps no registers for its caller.

const LOOP_MAIN = `
    r1 = 1
    r2 = func main
    r3 = 0
    r4 = 0
    call bpf_loop`;

const mainCalledBack: Kind = {
  message: /^callback address is that of the main program$/,
  bad: [
    written(
      'main: by a loop',
      `.type tc\nmain:\n    r6 = r1\n    call bpf_get_prandom_u32\n    if r0 == 1 goto out${LOOP_MAIN}${OUT}\n`,
    ),
    written(
      'main: by a loop of a function',
      `.type tc\nmain:\n    call bpf_get_prandom_u32\n    if r0 == 1 goto out\n    call f${OUT}\nf:${LOOP_MAIN}\n    r0 = 0\n    exit\n`,
    ),
    written('main: named and not called', `.type tc\nmain:\n    r2 = func main${OUT}\n`),
    written(
      'main: by a timer',
      `.type tc\n.map t array key=4 value=64 entries=1 timer@0\nmain:\n    r1 = mapvalue t\n    r2 = func main\n    call bpf_timer_set_callback${OUT}\n`,
    ),
  ],
  good: [
    written(
      'main: a function like it by a timer',
      `.type tc\n.map t array key=4 value=64 entries=1 timer@0\nmain:\n    r1 = mapvalue t\n    r2 = func f\n    call bpf_timer_set_callback${OUT}\nf:\n    r0 = 0\n    exit\n`,
    ),
  ],
};

// Registers that are stored before and loaded after a call which does not change them.

const CALL = '\n    call bpf_get_smp_processor_id';

/** r1 is 9999 on the way that jumps to `there`, and the value on the other. */
const jumps = (name: string, before: string, after: string): Mended =>
  written(
    `fastcall: ${name}`,
    withMap(
      'tc',
      `
    r6 = r1${VALUE}
    *(u64 *)(r10 -16) = r7
    *(u64 *)(r10 -24) = r7
    r1 = 9999
    r2 = r7
    r3 = *(u32 *)(r6 +0)
    if r3 != 6 goto there
    r1 = r7${before}${CALL}${after}
    r0 = *(u8 *)(r1 +0)${OUT}`,
    ),
  );

const STORE = '\n    *(u64 *)(r10 -24) = r1';
const LOAD = '\n    r1 = *(u64 *)(r10 -24)';
const STORE2 = '\n    *(u64 *)(r10 -16) = r2';
const LOAD2 = '\n    r2 = *(u64 *)(r10 -16)';

const fastcalls: Kind = {
  message: /^jump into the bpf_fastcall pattern of the call at insn \d+$/,
  bad: [
    jumps('a jump to the load', STORE, `\nthere:${LOAD}`),
    jumps('a jump to the call', `${STORE}\nthere:`, LOAD),
    jumps('a jump between two stores', `${STORE2}\nthere:${STORE}`, `${LOAD}${LOAD2}`),
    jumps('a jump to the second load', `${STORE2}${STORE}`, `${LOAD}\nthere:${LOAD2}${LOAD}`),
    jumps('a jump past the second store', `${STORE2}${STORE}\nthere:`, `${LOAD}${LOAD2}`),
    written(
      'fastcall: a jump to the load after a kfunc',
      withMap(
        'tc',
        `
    r6 = r1${VALUE}
    *(u64 *)(r10 -24) = r7
    r3 = 9999
    r1 = r6
    r2 = *(u32 *)(r6 +0)
    if r2 != 6 goto there
    r3 = r7
    *(u64 *)(r10 -24) = r3
    call bpf_cast_to_kern_ctx
there:
    r3 = *(u64 *)(r10 -24)
    r0 = *(u8 *)(r3 +0)${OUT}`,
      ),
    ),
  ],
  good: [
    jumps('a jump past all of it', `${STORE}`, `${LOAD}\n    goto use\nthere:\n    r1 = r7\nuse:`),
    jumps('a jump to before the store', `\nthere:\n    r1 = r7${STORE}`, LOAD),
    jumps('a jump to the first store', `\n    goto there\nthere:\n    r1 = r7${STORE}`, LOAD),
    jumps('a store and a load of other slots', '\n    *(u64 *)(r10 -16) = r1', `\nthere:${LOAD}`),
  ],
};

// What r0 is after a call has nothing to do with what it was before.

const returns = (name: string, known: string, call: string, size: number): Mended =>
  written(
    `returned: ${name}`,
    withMap(
      'tracepoint',
      `${VALUE}
    r1 = r10
    r1 += -24
    r2 = ${size}
    r3 = r7${known}
    call ${call}
    r7 += r0
    r0 = *(u8 *)(r7 +0)${OUT}`,
    ),
  );

const EXACTLY_0 = '\n    r0 = 0';
const A_FEW = '\n    r0 = *(u8 *)(r7 +0)\n    r0 &= 7';

const returned: Kind = {
  message: /^math between map_value pointer and|^R7 min value is negative/,
  bad: [
    returns('an error is not what r0 was', EXACTLY_0, 'bpf_probe_read_kernel', 8),
    returns('a length is not what r0 was', EXACTLY_0, 'bpf_probe_read_kernel_str', 8),
    returns('a length is not bounded by what r0 was', A_FEW, 'bpf_probe_read_kernel_str', 8),
    returns('any number is not what r0 was', EXACTLY_0, 'bpf_get_prandom_u32', 8),
  ],
  good: [
    returns(
      'a length that is checked',
      `${EXACTLY_0}\n    call bpf_probe_read_kernel_str\n    if r0 s< 0 goto out\n    if r0 == 0 goto checked\nchecked:\n    r8 = r0\n    r1 = r10\n    r1 += -24\n    r2 = 8\n    r3 = r7\n    r7 += r8`,
      'bpf_probe_read_kernel_str\n    r0 = 0',
      8,
    ),
  ],
};

// An iterator that needs the RCU section that it was made in.

const NEW = { task: ['r2 = 0\n    r3 = 0', 24] } as const;

const section = (name: string, between: string, after: string, callee = ''): Mended => {
  const [args, size] = NEW.task;
  const at = `\n    r1 = r10\n    r1 += -${size}`;
  return written(
    `section: ${name}`,
    `.type tracepoint
main:
    call bpf_rcu_read_lock${at}
    ${args}
    call bpf_iter_task_new${between}${after.replaceAll('AT', at)}${at}
    call bpf_iter_task_destroy
    call bpf_rcu_read_unlock${OUT}
${callee}`,
  );
};

const AGAIN = '\n    call bpf_rcu_read_unlock\n    call bpf_rcu_read_lock';
const NEXT = 'AT\n    call bpf_iter_task_next';
const ON_ONE_WAY = `\n    call bpf_get_prandom_u32\n    r6 = 0\n    if r0 == 0 goto again\n    goto next\nagain:${AGAIN}\n    r0 = 0\n    r6 = 0\n    goto next\nnext:\n    r0 = 0`;

const sections: Kind = {
  message: /^expected an RCU CS when using bpf_iter_task_|^R1 must be a rcu pointer$/,
  bad: [
    section('ended and opened again, then destroyed', AGAIN, ''),
    section('ended and opened again, then the next', AGAIN, NEXT),
    section('on one way, then destroyed', ON_ONE_WAY, ''),
    section('on one way, then the next', ON_ONE_WAY, NEXT),
    section(
      'in one round of a loop',
      '\nnext:',
      `${NEXT}\n    if r0 == 0 goto end\n    call bpf_get_prandom_u32\n    if r0 == 1 goto next${AGAIN}\n    goto next\nend:`,
    ),
    section('in a function', '\n    call f', NEXT, `f:${AGAIN}\n    r0 = 0\n    exit\n`),
    section(
      'in a function, on one way',
      '\n    call f',
      NEXT,
      `f:\n    call bpf_get_prandom_u32\n    if r0 == 1 goto left${AGAIN}\nleft:\n    r0 = 0\n    exit\n`,
    ),
    section(
      'between two rounds, for what the iterator gave',
      '',
      `${NEXT}\n    r6 = r0\n    if r0 == 0 goto end${AGAIN}\n    r1 = r6\n    call bpf_task_acquire\n    if r0 == 0 goto end\n    r1 = r0\n    call bpf_task_release\nend:`,
    ),
  ],
  good: [
    section('left open', '', `\nnext:${NEXT}\n    if r0 != 0 goto next`),
    section(
      'what is ended and opened again is another one',
      '\n    call bpf_preempt_disable\n    call bpf_preempt_enable',
      NEXT,
    ),
  ],
};

export const calls = { mainCalledBack, fastcalls, returned, sections };
