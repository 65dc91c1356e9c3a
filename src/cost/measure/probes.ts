/**
 * Programs that measure: each does one thing many times, and the same program without it. The difference is what the thing takes. All are `tc` programs, for
 * Linux times test runs of those.
 */
import type { MapType } from '../../object/program.js';
import type { CostRow } from '../table.js';

/** One thing to measure, in one way. Several probes of one row are several variants of it: maps of other types, hits and misses. */
export interface Probe {
  readonly kind: CostRow['kind'];
  readonly name: string;
  /** Directives before the program: maps and structs. */
  readonly head: readonly string[];
  /** Insns that run once, before. r6 is the context, and the stack down to fp-256 is zero. */
  readonly before: readonly string[];
  /** Insns around what is measured, which the program without it has as well. `@` is the number of the copy. */
  readonly around: readonly string[];
  /** What is measured, behind `around`. */
  readonly what: readonly string[];
  /** Subprograms and callbacks that `what` calls, behind the program. */
  readonly after: readonly string[];
  /** Copies in one run. */
  readonly copies: number;
  /** How many times `what` does the thing: rounds of a callback, bytes. */
  readonly times: number;
  /** The row is per byte, entry or round: what `times` counts. */
  readonly per: CostRow['per'];
  /** The type of the map that it works on: it also gets a row of its own for this type. */
  readonly mapType?: MapType;
  /** Shows how bad it can be, and nothing of what is usual. */
  readonly onlyWorst?: true;
  /** The function that gives back what it takes; half of what is measured is charged to each. */
  readonly pairWith?: string;
  /** Also measured with cold caches, which gives the worst. */
  readonly cold: boolean;
  /** Runs of one round at the most. */
  readonly mostRuns: number;
}

const COPIES = 64;

const probe = (
  kind: Probe['kind'],
  name: string,
  what: readonly string[],
  more: Partial<Probe> = {},
): Probe => ({
  kind,
  name,
  head: [],
  before: [],
  around: [],
  what,
  after: [],
  copies: COPIES,
  times: 1,
  per: 'call',
  cold: kind === 'helper' || kind === 'kfunc',
  mostRuns: 1000,
  ...more,
});

const MANY = { copies: 1000, cold: false } as const;

/** One insn, a thousand times: once each waiting for the one before, once each on its own. */
const INSNS: readonly Probe[] = [
  probe('insn', 'alu', ['r0 += 1'], MANY),
  probe('insn', 'alu', ['r0 += 1', 'r1 += 1', 'r2 += 1', 'r3 += 1'], {
    ...MANY,
    copies: 250,
    times: 4,
    before: ['r0 = 0', 'r1 = 0', 'r2 = 0', 'r3 = 0'],
  }),
  probe('insn', 'mul', ['r0 *= 3'], MANY),
  probe('insn', 'div', ['r0 /= r7'], { ...MANY, before: ['r0 = -1', 'r7 = 1'] }),
  probe('insn', 'div', ['r0 %= r7'], { ...MANY, before: ['r0 = 12345', 'r7 = 67'] }),
  probe('insn', 'imm64', ['r0 = 0x1122334455667788 ll'], MANY),
  probe('insn', 'stack', ['r0 = *(u64 *)(r10 -8)'], MANY),
  probe('insn', 'stack', ['*(u64 *)(r10 -8) = r0', 'r0 = *(u64 *)(r10 -8)'], {
    ...MANY,
    copies: 500,
    times: 2,
  }),
  probe('insn', 'load', ['r0 = *(u64 *)(r7 +0)'], {
    ...MANY,
    head: ['.map plain array key=4 value=64 entries=1'],
    before: ['r7 = mapvalue plain'],
  }),
  // Entries that lie apart, so that each load comes from memory of its own.
  probe('insn', 'load', ['r0 = *(u64 *)(r7 +0)', 'r7 += 4096'], {
    head: ['.map wide array key=4 value=262144 entries=1'],
    before: ['r7 = mapvalue wide'],
    copies: 60,
    cold: true,
    onlyWorst: true,
  }),
  probe('insn', 'store', ['*(u64 *)(r7 +0) = r0'], {
    ...MANY,
    head: ['.map plain array key=4 value=64 entries=1'],
    before: ['r7 = mapvalue plain'],
  }),
  probe('insn', 'store', ['*(u64 *)(r7 +0) = r0', 'r7 += 4096'], {
    head: ['.map wide array key=4 value=262144 entries=1'],
    before: ['r7 = mapvalue wide'],
    copies: 60,
    cold: true,
    onlyWorst: true,
  }),
  probe('insn', 'atomic', ['lock *(u64 *)(r7 +0) += r0'], {
    ...MANY,
    head: ['.map plain array key=4 value=64 entries=1'],
    before: ['r7 = mapvalue plain'],
  }),
  probe('insn', 'jump', ['if r0 != 0x7 goto n@', 'r0 += 1', 'n@:'], { ...MANY, copies: 500 }),
  probe('insn', 'jump', ['if r0 == 0x7 goto n@', 'n@:'], { ...MANY, copies: 500 }),
  // Jumps that nothing predicts.
  probe('insn', 'jump', ['if r1 == 0x0 goto n@', 'n@:'], {
    ...MANY,
    before: ['call bpf_get_prandom_u32#7'],
    onlyWorst: true,
    around: ['r0 *= 1103515245', 'r0 += 12345', 'r1 = r0', 'r1 >>= 29', 'r1 &= 1'],
    copies: 500,
  }),
  probe('insn', 'may_goto', ['may_goto n@', 'n@:'], { ...MANY, copies: 500 }),
  probe('insn', 'call', ['call once'], { ...MANY, copies: 500, after: ['once:', 'exit'], pairWith: 'exit' }),
  probe('insn', 'packet_load', ['r0 = *(u8 *)skb[0]'], { copies: 100, cold: true }),
];

const simple = (name: string, id: number, args: readonly string[] = []): Probe =>
  probe('helper', name, [`call ${name}#${id}`], { around: args });

interface MapUnder {
  /** Its name, and the directive that declares it. */
  readonly map: string;
  readonly head: string;
  readonly type: MapType;
}

const mapOf = (type: MapType, key: number, entries: number, flags = ''): MapUnder => ({
  map: 'subject',
  head: `.map subject ${type} key=${key} value=64 entries=${entries}${flags}`,
  type,
});
const KEYED_MAPS: readonly MapUnder[] = [
  mapOf('array', 4, 16),
  mapOf('percpu_array', 4, 16),
  mapOf('hash', 8, 1024),
  mapOf('percpu_hash', 8, 1024),
  mapOf('lru_hash', 8, 1024),
  mapOf('lpm_trie', 8, 1024, ' flags=1'),
];
const HASH = mapOf('hash', 8, 1024);
const QUEUE = '.map queue queue key=0 value=8 entries=4096';
const RING = '.map ring ringbuf entries=4194304';
const KEY = ['r2 = r10', 'r2 += -8'];
const keyed = (map: string, ...more: string[]): string[] => [`r1 = map ${map}`, ...KEY, ...more];
const VALUE = ['r3 = r10', 'r3 += -128', 'r4 = 0'];

/** The value under key 0 is there. */
const PUT = (map: string): string[] => [...keyed(map, ...VALUE), 'call bpf_map_update_elem#2'];

/** A helper on a map with a key; without `put` nothing is under that key. */
const onMap = (
  name: string,
  id: number,
  { map, head, type }: MapUnder,
  more: readonly string[] = [],
  put = true,
): Probe =>
  probe('helper', name, [`call ${name}#${id}`], {
    head: [head],
    before: put ? PUT(map) : [],
    around: keyed(map, ...more),
    mapType: type,
  });

const MAPS: readonly Probe[] = [
  ...KEYED_MAPS.map((map) => onMap('bpf_map_lookup_elem', 1, map)),
  onMap('bpf_map_lookup_elem', 1, HASH, [], false),
  ...KEYED_MAPS.map((map) => onMap('bpf_map_update_elem', 2, map, VALUE)),
  onMap('bpf_map_delete_elem', 3, HASH, [], false),
  // The entry is made anew by each update, and deleted. With it alone the update changes the entry that is there.
  probe('helper', 'bpf_map_delete_elem', [...keyed('subject'), 'call bpf_map_delete_elem#3'], {
    head: [HASH.head],
    around: [...keyed('subject', ...VALUE), 'call bpf_map_update_elem#2'],
    mapType: 'hash',
  }),
  // The same the other way round: each update makes the entry, and the deletion finds one.
  probe('helper', 'bpf_map_update_elem', [...keyed('subject', ...VALUE), 'call bpf_map_update_elem#2'], {
    head: [HASH.head],
    around: [...keyed('subject'), 'call bpf_map_delete_elem#3'],
    mapType: 'hash',
    onlyWorst: true,
  }),
  probe('helper', 'bpf_map_push_elem', ['call bpf_map_push_elem#87'], {
    head: [QUEUE],
    around: ['r1 = map queue', ...KEY, 'r3 = 2'],
  }),
  probe('helper', 'bpf_map_pop_elem', ['call bpf_map_pop_elem#88'], {
    head: [QUEUE],
    around: ['r1 = map queue', ...KEY],
  }),
  probe('helper', 'bpf_map_peek_elem', ['call bpf_map_peek_elem#89'], {
    head: [QUEUE],
    around: ['r1 = map queue', ...KEY],
  }),
];

/** A function that moves bytes, once with few and once with many. What is left after the bytes is charged to the call. */
const sized = (
  name: string,
  id: number,
  args: (bytes: number) => string[],
  more: Partial<Probe> = {},
): Probe[] =>
  [8, 128].map((bytes) =>
    probe('helper', name, [`call ${name}#${id}`], {
      around: args(bytes),
      times: bytes,
      per: 'byte',
      ...more,
    }),
  );

const BUFFER = ['r1 = r10', 'r1 += -128'];
const MEMORY: readonly Probe[] = [
  ...sized('bpf_probe_read_kernel', 113, (n) => [...BUFFER, `r2 = ${n}`, 'r3 = r7'], {
    before: ['call bpf_get_current_task#35', 'r7 = r0'],
  }),
  ...sized('bpf_skb_load_bytes', 26, (n) => ['r1 = r6', 'r2 = 0', 'r3 = r10', 'r3 += -128', `r4 = ${n}`]),
  ...sized('bpf_skb_store_bytes', 9, (n) => [
    'r1 = r6',
    'r2 = 0',
    'r3 = r10',
    'r3 += -128',
    `r4 = ${n}`,
    'r5 = 0',
  ]),
  ...sized('bpf_csum_diff', 28, (n) => [...BUFFER, `r2 = ${n}`, 'r3 = 0', 'r4 = 0', 'r5 = 0']),
  ...sized(
    'bpf_ringbuf_output',
    130,
    (n) => ['r1 = map ring', 'r2 = r10', 'r2 += -128', `r3 = ${n}`, 'r4 = 1'],
    {
      head: [RING],
      mostRuns: 20,
    },
  ),
  ...sized('bpf_get_current_comm', 16, (n) => [...BUFFER, `r2 = ${n}`]),
];

const pair = (
  kind: 'helper' | 'kfunc',
  name: string,
  pairWith: string,
  what: readonly string[],
  more: Partial<Probe> = {},
): Probe => probe(kind, name, what, { pairWith, ...more });

const PAIRS: readonly Probe[] = [
  pair(
    'helper',
    'bpf_spin_lock',
    'bpf_spin_unlock',
    ['r1 = r7', 'call bpf_spin_lock#93', 'r1 = r7', 'call bpf_spin_unlock#94'],
    {
      head: ['.map locked array key=4 value=24 entries=1 spin_lock@0'],
      before: ['r7 = mapvalue locked'],
    },
  ),
  pair(
    'helper',
    'bpf_ringbuf_reserve',
    'bpf_ringbuf_discard',
    [
      'r1 = map ring',
      'r2 = 8',
      'r3 = 0',
      'call bpf_ringbuf_reserve#131',
      'if r0 == 0x0 goto n@',
      'r1 = r0',
      'r2 = 1',
      'call bpf_ringbuf_discard#133',
      'n@:',
    ],
    { head: [RING], mostRuns: 20 },
  ),
  pair(
    'helper',
    'bpf_ringbuf_reserve',
    'bpf_ringbuf_submit',
    [
      'r1 = map ring',
      'r2 = 8',
      'r3 = 0',
      'call bpf_ringbuf_reserve#131',
      'if r0 == 0x0 goto n@',
      'r1 = r0',
      'r2 = 1',
      'call bpf_ringbuf_submit#132',
      'n@:',
    ],
    { head: [RING], mostRuns: 20 },
  ),
  pair('kfunc', 'bpf_rcu_read_lock', 'bpf_rcu_read_unlock', [
    'call bpf_rcu_read_lock',
    'call bpf_rcu_read_unlock',
  ]),
  pair('kfunc', 'bpf_preempt_disable', 'bpf_preempt_enable', [
    'call bpf_preempt_disable',
    'call bpf_preempt_enable',
  ]),
  pair(
    'kfunc',
    'bpf_local_irq_save',
    'bpf_local_irq_restore',
    [
      'r1 = r10',
      'r1 += -16',
      'call bpf_local_irq_save',
      'r1 = r10',
      'r1 += -16',
      'call bpf_local_irq_restore',
    ],
    { copies: 16 },
  ),
  pair('kfunc', 'bpf_iter_num_new', 'bpf_iter_num_destroy', [
    'r1 = r10',
    'r1 += -16',
    'r2 = 0',
    'r3 = 9',
    'call bpf_iter_num_new',
    'r1 = r10',
    'r1 += -16',
    'call bpf_iter_num_destroy',
  ]),
  pair(
    'kfunc',
    'bpf_obj_new_impl',
    'bpf_obj_drop_impl',
    [
      'r1 = 1',
      'r2 = 0',
      'call bpf_obj_new_impl',
      'if r0 == 0x0 goto n@',
      'r1 = r0',
      'r2 = 0',
      'call bpf_obj_drop_impl',
      'n@:',
    ],
    { head: ['.struct plain size=32'], copies: 16 },
  ),
];

const KFUNCS: readonly Probe[] = [
  probe('kfunc', 'bpf_iter_num_next', ['r1 = r10', 'r1 += -16', 'call bpf_iter_num_next'], {
    around: [],
    before: ['r1 = r10', 'r1 += -16', 'r2 = 0', 'r3 = 1000000', 'call bpf_iter_num_new'],
    after: [],
    copies: 16,
  }),
];

/** An exception ends the run, so there is one in each run. The clock never tells 0. */
const THROW: Probe = probe(
  'kfunc',
  'bpf_throw',
  ['if r0 == 0x0 goto n@', 'r1 = 0', 'call bpf_throw', 'n@:'],
  {
    before: ['call bpf_ktime_get_ns#5'],
    copies: 1,
  },
);

/** What each callback adds: rounds of an empty one. */
const LOOPS: readonly Probe[] = [
  probe('helper', 'bpf_loop', ['r2 = func round', 'r3 = 0', 'r4 = 0', 'call bpf_loop#181'], {
    around: ['r1 = 1000'],
    copies: 1,
    times: 1000,
    per: 'round',
    after: ['round:', 'r0 = 0', 'exit'],
    cold: false,
  }),
  probe('helper', 'bpf_loop', ['r2 = func round', 'r3 = 0', 'r4 = 0', 'call bpf_loop#181'], {
    around: ['r1 = 0'],
    copies: 16,
    after: ['round:', 'r0 = 0', 'exit'],
  }),
  probe(
    'helper',
    'bpf_for_each_map_elem',
    ['r2 = func round', 'r3 = 0', 'r4 = 0', 'call bpf_for_each_map_elem#164'],
    {
      head: ['.map array array key=4 value=64 entries=1000'],
      around: ['r1 = map array'],
      copies: 1,
      times: 1000,
      per: 'round',
      after: ['round:', 'r0 = 0', 'exit'],
      cold: false,
    },
  ),
  // No entry is there: what the empty buckets take.
  probe(
    'helper',
    'bpf_for_each_map_elem',
    ['r2 = func round', 'r3 = 0', 'r4 = 0', 'call bpf_for_each_map_elem#164'],
    {
      head: ['.map hash hash key=8 value=64 entries=1024'],
      around: ['r1 = map hash'],
      copies: 1,
      times: 1024,
      per: 'entry',
      after: ['round:', 'r0 = 0', 'exit'],
      cold: false,
    },
  ),
];

const PLAIN: readonly Probe[] = [
  simple('bpf_ktime_get_ns', 5),
  simple('bpf_ktime_get_boot_ns', 125),
  simple('bpf_ktime_get_coarse_ns', 160),
  simple('bpf_ktime_get_tai_ns', 208),
  simple('bpf_get_prandom_u32', 7),
  simple('bpf_get_smp_processor_id', 8),
  simple('bpf_get_numa_node_id', 42),
  simple('bpf_jiffies64', 118),
  simple('bpf_get_current_task', 35),
  simple('bpf_get_current_pid_tgid', 14),
  simple('bpf_get_current_uid_gid', 15),
  simple('bpf_get_cgroup_classid', 17, ['r1 = r6']),
  simple('bpf_get_route_realm', 24, ['r1 = r6']),
  simple('bpf_get_hash_recalc', 34, ['r1 = r6']),
  simple('bpf_set_hash_invalid', 41, ['r1 = r6']),
  simple('bpf_get_socket_cookie', 46, ['r1 = r6']),
  simple('bpf_get_socket_uid', 47, ['r1 = r6']),
  simple('bpf_skb_pull_data', 39, ['r1 = r6', 'r2 = 0']),
  simple('bpf_redirect', 23, ['r1 = 1', 'r2 = 0']),
  simple('bpf_strtol', 105, [...BUFFER, 'r2 = 8', 'r3 = 0', 'r4 = r10', 'r4 += -16']),
  probe('helper', 'bpf_trace_printk', ['call bpf_trace_printk#6'], {
    around: ['r1 = r10', 'r1 += -16', 'r2 = 8'],
    before: ['r1 = 0x0a6f6c6c6568 ll', '*(u64 *)(r10 -16) = r1'],
    copies: 8,
    mostRuns: 20,
  }),
  probe('helper', 'bpf_tail_call', ['call bpf_tail_call#12'], {
    head: ['.map programs prog_array key=4 value=4 entries=4'],
    around: ['r1 = r6', 'r2 = map programs', 'r3 = 1'],
    copies: 16,
  }),
];

export const PROBES: readonly Probe[] = [
  ...INSNS,
  ...PLAIN,
  ...MAPS,
  ...MEMORY,
  ...PAIRS,
  ...KFUNCS,
  THROW,
  ...LOOPS,
];

/** Bytes of the stack that are zero before a probe begins. */
const STACK = 128;

/** The text of a probe with its copies, with what is measured or without it. */
export function probeText(
  { head, before, around, what, after, copies, name }: Probe,
  measured: boolean,
): string {
  const copy = [...around, ...(measured ? what : [])];
  const stack = Array.from(
    { length: copies === 0 ? 0 : STACK / 8 },
    (_, i) => `*(u64 *)(r10 -${8 * (i + 1)}) = 0`,
  );
  const body = Array.from({ length: copies }, (_, i) =>
    copy.map((line) => line.replaceAll('@', `${i}`)),
  ).flat();
  const ended = name === 'bpf_iter_num_next' ? ['r1 = r10', 'r1 += -16', 'call bpf_iter_num_destroy'] : [];
  return [
    '.type tc',
    '.license GPL',
    ...head,
    '',
    'main:',
    'r6 = r1',
    ...stack,
    'r0 = 0',
    ...before,
    ...body,
    ...ended,
    'r0 = 0',
    'exit',
    ...(measured ? after : []),
    '',
  ].join('\n');
}
