/** Programs that break one check each, and the same programs put right. */
import type { FastPath, Stub } from '../../../src/patch/rule.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { type RunResult, Vm, type VmOptions } from '../../../src/vm/vm.js';
import { SOCKET_LOOKUP } from '../texts.js';

/**
 * A pair of programs for each check: the first breaks it and no other, the second is the first put right. Stubs are given by slot; with
 * `kill` the run is killed after so many insns.
 */
export interface Pair {
  readonly name: string;
  readonly expected: string;
  readonly bad: string;
  readonly good: string;
  readonly kill?: number;
  readonly stubs?: Readonly<Record<number, Partial<Stub>>>;
  /** Stubs of the good run, where it differs in them and not in the program. */
  readonly goodStubs?: Readonly<Record<number, Partial<Stub>>>;
  readonly options?: VmOptions;
}

function run(
  text: string,
  stubs: Pair['stubs'],
  kill: number | undefined,
  options: VmOptions = {},
): RunResult {
  const { program, env } = parseCase(text);
  const all = Object.entries(stubs ?? {}).map(
    ([slot, stub]) => [Number(slot), { r0: 0n, writes: [], slots: [], ...stub }] as const,
  );
  const fastPath: FastPath = { rules: 'test', stubs: new Map<number, Stub>(all) };
  const vm = new Vm(program, { env, fastPath, ...options });
  if (kill !== undefined) {
    vm.advance(kill);
    vm.kill();
  }
  return vm.run();
}

/** What broke, as `.expect` writes it. */
export const show = ({ violations }: RunResult): string[] =>
  violations.map(
    ({ check, function: name, slot }) => `${check}${name === undefined ? '' : ` ${name}`} at ${slot}`,
  );

const RECORD = `
.type xdp
.map rb ringbuf entries=4096
.map m array key=4 value=16 entries=1 spin_lock@0
.map r array key=4 value=16 entries=1 res_spin_lock@0
.map h hash key=4 value=8 entries=2
`;
const RESERVE = `
    r1 = map rb
    r2 = 16
    r3 = 0
    call bpf_ringbuf_reserve
    r6 = r0`;
const END = `
    r0 = 0
    exit`;
/** The address of the value of map m or r in r6: ten slots. */
const value = (map: string): string => `
    *(u32 *)(r10 -4) = 0
    r1 = map ${map}
    r2 = r10
    r2 += -4
    call bpf_map_lookup_elem
    r6 = r0`;
const call = (name: string, ...args: string[]): string =>
  `${args.map((arg, index) => `\n    r${index + 1} = ${arg}`).join('')}\n    call ${name}`;
const slot = (off: number): string => `\n    r1 = r10\n    r1 += ${off}`;

export const PAIRS: readonly Pair[] = [
  {
    name: 'leak of a record',
    expected: 'leak bpf_ringbuf_reserve at 7',
    bad: RECORD + RESERVE + END,
    good: RECORD + RESERVE + call('bpf_ringbuf_submit', 'r6', '0') + END,
  },
  {
    name: 'leak of a socket',
    expected: 'leak bpf_sk_lookup_tcp at 10',
    bad: `.type xdp
${SOCKET_LOOKUP}
    r6 = r0${END}`,
    good: `.type xdp
${SOCKET_LOOKUP}
    r6 = r0${call('bpf_sk_release', 'r6')}${END}`,
  },
  {
    name: 'leak of a lock',
    expected: 'leak bpf_spin_lock at 10',
    bad: RECORD + value('m') + call('bpf_spin_lock', 'r6') + END,
    good: RECORD + value('m') + call('bpf_spin_lock', 'r6') + call('bpf_spin_unlock', 'r6') + END,
  },
  {
    name: 'leak of a resilient lock',
    expected: 'leak bpf_res_spin_lock at 10',
    bad: RECORD + value('r') + call('bpf_res_spin_lock', 'r6') + END,
    good: RECORD + value('r') + call('bpf_res_spin_lock', 'r6') + call('bpf_res_spin_unlock', 'r6') + END,
  },
  {
    name: 'leak of an RCU section',
    expected: 'leak bpf_rcu_read_lock at 2',
    bad: `.type tc${call('bpf_rcu_read_lock')}${END}`,
    good: `.type tc${call('bpf_rcu_read_lock')}${call('bpf_rcu_read_unlock')}${END}`,
  },
  {
    name: 'leak of disabled preemption',
    expected: 'leak bpf_preempt_disable at 3',
    bad: `.type tc${call('bpf_preempt_disable')}${call('bpf_get_prandom_u32')}${END}`,
    good: `.type tc${call('bpf_preempt_disable')}${call('bpf_preempt_enable')}${END}`,
  },
  {
    name: 'leak of a saved IRQ state',
    expected: 'leak bpf_local_irq_save at 4',
    bad: `.type tc${slot(-8)}${call('bpf_local_irq_save')}${END}`,
    good: `.type tc${slot(-8)}${call('bpf_local_irq_save')}${slot(-8)}${call('bpf_local_irq_restore')}${END}`,
  },
  {
    name: 'leak of an iterator',
    expected: 'leak bpf_iter_num_new at 6',
    bad: `.type tc${slot(-8)}
    r2 = 0
    r3 = 3${call('bpf_iter_num_new')}${END}`,
    good: `.type tc${slot(-8)}
    r2 = 0
    r3 = 3${call('bpf_iter_num_new')}${slot(-8)}${call('bpf_iter_num_destroy')}${END}`,
  },
  {
    name: 'leak of a dynptr that holds nothing',
    expected: 'leak bpf_ringbuf_reserve_dynptr at 8',
    bad: `${RECORD}.env bpf_ringbuf_reserve_dynptr#1=error
${call('', 'map rb', '16', '0', 'r10').replace(/\n {4}call $/, '')}
    r4 += -16${call('bpf_ringbuf_reserve_dynptr')}${END}`,
    good: `${RECORD}.env bpf_ringbuf_reserve_dynptr#1=error
${call('', 'map rb', '16', '0', 'r10').replace(/\n {4}call $/, '')}
    r4 += -16${call('bpf_ringbuf_reserve_dynptr')}${slot(-16)}
    r2 = 0${call('bpf_ringbuf_discard_dynptr')}${END}`,
  },
  {
    name: 'leak of an object',
    expected: 'leak bpf_obj_new_impl at 5',
    bad: `.type tc
.struct item size=16${call('bpf_obj_new_impl', '1', '0')}
    r6 = r0${END}`,
    good: `.type tc
.struct item size=16${call('bpf_obj_new_impl', '1', '0')}
    r6 = r0${call('bpf_obj_drop_impl', 'r6', '0')}${END}`,
  },
  {
    name: 'misuse: a record given back twice',
    expected: 'misuse bpf_ringbuf_submit at 11',
    bad:
      RECORD + RESERVE + call('bpf_ringbuf_submit', 'r6', '0') + call('bpf_ringbuf_submit', 'r6', '0') + END,
    good: RECORD + RESERVE + call('bpf_ringbuf_submit', 'r6', '0') + END,
  },
  {
    name: 'misuse: unlock of a lock that is not held',
    expected: 'misuse bpf_spin_unlock at 8',
    bad: RECORD + value('m') + call('bpf_spin_unlock', 'r6') + END,
    good: RECORD + value('m') + call('bpf_spin_lock', 'r6') + call('bpf_spin_unlock', 'r6') + END,
  },
  {
    name: 'misuse: unlock of another lock',
    expected: 'misuse bpf_spin_unlock at 11',
    bad:
      RECORD +
      value('m') +
      call('bpf_spin_lock', 'r6') +
      '\n    r6 += 4' +
      call('bpf_spin_unlock', 'r6') +
      END,
    good:
      RECORD +
      value('m') +
      call('bpf_spin_lock', 'r6') +
      '\n    r6 += 0' +
      call('bpf_spin_unlock', 'r6') +
      END,
  },
  {
    name: 'misuse: lock that is held already',
    expected: 'misuse bpf_spin_lock at 10',
    bad: RECORD + value('m') + call('bpf_spin_lock', 'r6') + call('bpf_spin_lock', 'r6') + END,
    good: RECORD + value('m') + call('bpf_spin_lock', 'r6') + call('bpf_spin_unlock', 'r6') + END,
  },
  {
    name: 'misuse: restore from an unwritten slot',
    expected: 'misuse bpf_local_irq_restore at 2',
    bad: `.type tc${slot(-8)}${call('bpf_local_irq_restore')}${END}`,
    good: `.type tc${slot(-8)}${call('bpf_local_irq_save')}${slot(-8)}${call('bpf_local_irq_restore')}${END}`,
  },
  {
    name: 'misuse: IRQ states restored out of order',
    expected: 'misuse bpf_local_irq_restore at 8',
    bad: `.type tc${slot(-8)}${call('bpf_local_irq_save')}${slot(-16)}${call('bpf_local_irq_save')}${slot(-8)}${call('bpf_local_irq_restore')}${END}`,
    good: `.type tc${slot(-8)}${call('bpf_local_irq_save')}${slot(-16)}${call('bpf_local_irq_save')}${slot(-16)}${call('bpf_local_irq_restore')}${slot(-8)}${call('bpf_local_irq_restore')}${END}`,
  },
  {
    name: 'misuse: end of a section that is not open',
    expected: 'misuse bpf_rcu_read_unlock at 0',
    bad: `.type tc${call('bpf_rcu_read_unlock')}${END}`,
    good: `.type tc${call('bpf_rcu_read_lock')}${call('bpf_rcu_read_unlock')}${END}`,
  },
  {
    name: 'misuse: destroying what is no iterator',
    expected: 'misuse bpf_iter_num_destroy at 2',
    bad: `.type tc${slot(-8)}${call('bpf_iter_num_destroy')}${END}`,
    good: `.type tc${slot(-8)}
    r2 = 0
    r3 = 3${call('bpf_iter_num_new')}${slot(-8)}${call('bpf_iter_num_destroy')}${END}`,
  },
  {
    name: 'misuse: submitting what is no dynptr',
    expected: 'misuse bpf_ringbuf_submit_dynptr at 3',
    bad: `.type tc${slot(-16)}
    r2 = 0${call('bpf_ringbuf_submit_dynptr')}${END}`,
    good: `${RECORD}${call('', 'map rb', '16', '0', 'r10').replace(/\n {4}call $/, '')}
    r4 += -16${call('bpf_ringbuf_reserve_dynptr')}${slot(-16)}
    r2 = 0${call('bpf_ringbuf_submit_dynptr')}${END}`,
  },
  {
    name: 'misuse: access to a record after its submission',
    expected: 'misuse at 9',
    bad: `${RECORD}${RESERVE}${call('bpf_ringbuf_submit', 'r6', '0')}
    r0 = *(u8 *)(r6 +0)
    exit`,
    good: `${RECORD}${RESERVE}
    r7 = *(u8 *)(r6 +0)${call('bpf_ringbuf_submit', 'r6', '0')}${END}`,
  },
  {
    name: 'fault: NULL',
    expected: 'fault at 7',
    bad: `${RECORD}.env bpf_map_lookup_elem#1=null${value('h')}
    r0 = *(u8 *)(r6 +0)
    exit`,
    good: `${RECORD}.env bpf_map_lookup_elem#1=found${value('h')}
    r0 = *(u8 *)(r6 +0)
    exit`,
  },
  {
    name: 'fault: past the end of a map value',
    expected: 'fault at 7',
    bad: `${RECORD}${value('m')}
    *(u64 *)(r6 +12) = 0${END}`,
    good: `${RECORD}${value('m')}
    *(u64 *)(r6 +8) = 0${END}`,
  },
  {
    name: 'fault: stack that was never written, in the strict profile',
    expected: 'fault at 0',
    bad: `.type xdp
    r0 = *(u64 *)(r10 -8)
    exit`,
    good: `.type xdp
    *(u64 *)(r10 -8) = 1
    r0 = *(u64 *)(r10 -8)
    exit`,
    options: { strict: true },
  },
  {
    name: 'fault: stack that a stub left unwritten',
    expected: 'fault at 5',
    bad: `.type tracepoint${slot(-8)}
    r2 = 8
    r3 = 0${call('bpf_probe_read_kernel')}
    r0 = *(u64 *)(r10 -8)
    exit`,
    good: `.type tracepoint${slot(-8)}
    r2 = 8
    r3 = 0${call('bpf_probe_read_kernel')}
    r0 = *(u64 *)(r10 -8)
    exit`,
    kill: 0,
    stubs: { 4: { r0: -14n } },
    goodStubs: { 4: { r0: -14n, writes: [0] } },
  },
  {
    name: 'fault: a register that a stub clobbers',
    expected: 'fault at 2',
    bad: `.type xdp
    r1 = 1${call('bpf_ktime_get_ns')}
    r0 = r1
    exit`,
    good: `.type xdp
    r6 = 1${call('bpf_ktime_get_ns')}
    r0 = r6
    exit`,
    kill: 0,
    stubs: { 1: { r0: 0n } },
  },
  {
    name: 'acquire: a lookup that was kept',
    expected: 'acquire bpf_ringbuf_reserve at 4',
    bad: `${RECORD + RESERVE}\n    if r6 == 0 goto out${call('bpf_ringbuf_submit', 'r6', '0')}\nout:${END}`,
    good: `${RECORD + RESERVE}\n    if r6 == 0 goto out${call('bpf_ringbuf_submit', 'r6', '0')}\nout:${END}`,
    kill: 0,
    goodStubs: { 4: { r0: 0n } },
  },
  {
    name: 'disclosure: unwritten stack into a map',
    expected: 'disclosure bpf_map_update_elem at 13',
    bad: `${RECORD}
    *(u32 *)(r10 -4) = 0${slot(-16)}
    r2 = 8
    r3 = 0${call('bpf_probe_read_kernel')}${call('', 'map h', 'r10').replace(/\n {4}call $/, '')}
    r2 += -4
    r3 = r10
    r3 += -16
    r4 = 0${call('bpf_map_update_elem')}${END}`,
    good: `${RECORD}
    *(u32 *)(r10 -4) = 0${slot(-16)}
    r2 = 8
    r3 = 0${call('bpf_probe_read_kernel')}${call('', 'map h', 'r10').replace(/\n {4}call $/, '')}
    r2 += -4
    r3 = r10
    r3 += -16
    r4 = 0${call('bpf_map_update_elem')}${END}`,
    kill: 0,
    stubs: { 5: { r0: -14n } },
    goodStubs: { 5: { r0: -14n, writes: [0] } },
  },
  {
    name: 'disclosure: unwritten stack into a ring buffer, in the strict profile',
    expected: 'disclosure bpf_ringbuf_output at 6',
    bad: `${RECORD}
    r1 = map rb
    r2 = r10
    r2 += -8
    r3 = 8
    r4 = 0${call('bpf_ringbuf_output')}${END}`,
    good: `${RECORD}
    *(u64 *)(r10 -8) = 0
    r1 = map rb
    r2 = r10
    r2 += -8
    r3 = 8
    r4 = 0${call('bpf_ringbuf_output')}${END}`,
    options: { strict: true },
  },
  {
    name: 'return: r0 not written',
    expected: 'return at 0',
    bad: '.type xdp\n    exit',
    good: '.type xdp\n    r0 = 1\n    exit',
  },
  {
    name: 'return: r0 of a callback out of range',
    expected: 'return bpf_loop at 8',
    bad: `.type xdp
    r1 = 1
    r2 = func body
    r3 = 0
    r4 = 0${call('bpf_loop')}
    exit
body:
    r0 = 2
    exit`,
    good: `.type xdp
    r1 = 1
    r2 = func body
    r3 = 0
    r4 = 0${call('bpf_loop')}
    exit
body:
    r0 = 1
    exit`,
  },
  {
    name: 'bound: a loop that goes on after the kill',
    expected: 'bound at 2',
    bad: `.type xdp
    r0 = 1000000
again:
    r0 += -1
    if r0 != 0 goto again
    exit`,
    good: `.type xdp
    r0 = 100
again:
    r0 += -1
    if r0 != 0 goto again
    exit`,
    kill: 0,
    options: { bound: 1000 },
  },
];

export const runBad = ({ bad, stubs, kill, options }: Pair, more: VmOptions = {}): RunResult =>
  run(bad, stubs, kill, { ...options, ...more });
export const runGood = ({ good, stubs, goodStubs, kill, options }: Pair, more: VmOptions = {}): RunResult =>
  run(good, goodStubs ?? stubs, kill, { ...options, ...more });
