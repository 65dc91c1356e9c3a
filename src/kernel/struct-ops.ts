/**
 * What Linux 6.18 lets programs do that stand in for functions of its structs (struct_ops), struct by struct: which members of kernel objects they
 * may write, which helpers they have besides those of all programs, which may sleep. Follows net/ipv4/bpf_tcp_ca.c, kernel/sched/ext.c,
 * net/sched/bpf_qdisc.c, drivers/hid/bpf/hid_bpf_struct_ops.c and net/bpf/bpf_dummy_struct_ops.c. A struct that is not here has what all have.
 */

/** One member after the other, each in the struct of the one before: `['task_struct', 'scx'], ['sched_ext_entity', 'slice']`. */
export type MemberPath = readonly (readonly [struct: string, member: string])[];

/** Bytes that programs may write. */
export interface Writable {
  /** The struct that the pointer is to. */
  readonly struct: string;
  /** The member that has them. */
  readonly path: MemberPath;
  /** They begin here, inside of the member. */
  readonly from?: MemberPath;
  /** The last byte ends a string, and is not written. */
  readonly string?: true;
  /** A store begins at the first byte. */
  readonly exact?: true;
  /** Only this many bytes of the member. */
  readonly bytes?: number;
}

/** What is said of one struct. */
export interface StructOps {
  readonly writes: readonly Writable[];
  /** Helpers besides those of all programs; `none`: no helper at all. */
  readonly helpers: ReadonlySet<string> | 'none';
  /** Helpers that the program of a member does not have all the same. */
  readonly without?: Readonly<Record<string, ReadonlySet<string>>>;
  /** Members whose programs may sleep; all where this is not told. */
  readonly sleeps?: ReadonlySet<string>;
  /** Members that no program may stand in for. */
  readonly refused?: ReadonlySet<string>;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const at = (struct: string, member: string, more: Partial<Writable> = {}): Writable => ({
  struct,
  path: [[struct, member]],
  ...more,
});
const inTcp = (path: MemberPath, more: Partial<Writable> = {}): Writable => ({
  struct: 'tcp_sock',
  path,
  ...more,
});
const inTask = (member: string): Writable => ({
  struct: 'task_struct',
  path: [
    ['task_struct', 'scx'],
    ['sched_ext_entity', member],
  ],
});

const NONE: StructOps = { writes: [], helpers: new Set() };

const KNOWN: Readonly<Record<string, StructOps>> = {
  tcp_congestion_ops: {
    writes: [
      inTcp([['sock', 'sk_pacing_rate']], { exact: true }),
      inTcp([['sock', 'sk_pacing_status']], { exact: true }),
      inTcp([['inet_connection_sock', 'icsk_ca_priv']]),
      inTcp([['inet_connection_sock', 'icsk_ack']], { bytes: 1 }),
      inTcp([['tcp_sock', 'snd_cwnd']], { exact: true }),
      inTcp([['tcp_sock', 'snd_cwnd_cnt']], { exact: true }),
      inTcp([['tcp_sock', 'snd_cwnd_stamp']], { exact: true }),
      inTcp([['tcp_sock', 'snd_ssthresh']], { exact: true }),
      inTcp([['tcp_sock', 'ecn_flags']], { exact: true }),
      inTcp([['tcp_sock', 'app_limited']], { exact: true }),
    ],
    helpers: words(
      'bpf_tcp_send_ack bpf_sk_storage_get bpf_sk_storage_delete bpf_setsockopt bpf_getsockopt bpf_ktime_get_coarse_ns',
    ),
    // The socket goes away there.
    without: { release: words('bpf_setsockopt bpf_getsockopt') },
    refused: words('get_info'),
  },
  sched_ext_ops: {
    writes: [inTask('slice'), inTask('dsq_vtime'), inTask('disallow')],
    helpers: words('bpf_task_storage_get bpf_task_storage_delete'),
    sleeps: words('init_task cgroup_init cgroup_exit cgroup_prep_move cpu_online cpu_offline init exit'),
  },
  Qdisc_ops: {
    writes: [
      at('Qdisc', 'limit', { exact: true }),
      {
        struct: 'Qdisc',
        path: [
          ['Qdisc', 'q'],
          ['qdisc_skb_head', 'qlen'],
        ],
        exact: true,
      },
      at('Qdisc', 'qstats'),
      at('sk_buff', 'tstamp', { exact: true }),
      at('sk_buff', 'cb', { from: [['qdisc_skb_cb', 'data']] }),
    ],
    helpers: new Set(),
  },
  hid_bpf_ops: {
    writes: [
      at('hid_bpf_ctx', 'retval'),
      at('hid_device', 'name', { string: true }),
      at('hid_device', 'uniq', { string: true }),
      at('hid_device', 'phys', { string: true }),
      at('hid_device', 'quirks'),
    ],
    helpers: new Set(),
  },
  bpf_dummy_ops: {
    writes: [at('bpf_dummy_ops_state', 'val')],
    helpers: 'none',
    sleeps: words('test_sleepable'),
  },
};

/** What is known of a struct of functions. */
export function structOps(struct: string | undefined): StructOps {
  return (struct === undefined ? undefined : KNOWN[struct]) ?? NONE;
}

/** Helpers that some struct adds, and so not all programs of the type have. */
export const ADDED_HELPERS: ReadonlySet<string> = new Set(
  Object.values(KNOWN).flatMap(({ helpers }) => (helpers === 'none' ? [] : [...helpers])),
);
