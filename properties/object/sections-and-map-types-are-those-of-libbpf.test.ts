/** Whole tables: which section holds which kind of program and how it attaches (section_defs of libbpf), and map types by number. */
import { describe, expect, it } from 'vitest';
import { mapType, mapTypeName, mapTypeNumber } from '../../src/object/map-types.js';
import { MAP_TYPES, type MapType, PROG_TYPES, type ProgType } from '../../src/object/program.js';
import { isSubprogSection, programKind } from '../../src/object/sections.js';

/** Section, type, attach type, target in BTF, sleepable. */
type Row = readonly [string, ProgType, (number | undefined)?, (string | undefined)?, 'sleepable'?];

const ROWS: readonly Row[] = [
  ['socket', 'socket_filter'],
  ['socket1', 'socket_filter'],
  ['socket/x', 'socket_filter'],
  ['socket.x', 'socket_filter'],
  ['socket_x', 'socket_filter'],
  ['sk_reuseport', 'sk_reuseport', 39],
  ['sk_reuseport/x', 'sk_reuseport', 39],
  ['sk_reuseport/migrate', 'sk_reuseport', 40],
  ['kprobe', 'kprobe'],
  ['kprobe/do_nanosleep', 'kprobe'],
  ['kretprobe/f', 'kprobe'],
  ['uprobe/f', 'kprobe'],
  ['uretprobe/f', 'kprobe'],
  ['uprobe.s/f', 'kprobe', undefined, undefined, 'sleepable'],
  ['uretprobe.s', 'kprobe', undefined, undefined, 'sleepable'],
  ['kprobe.multi/f', 'kprobe', 42],
  ['kretprobe.multi/f', 'kprobe', 42],
  ['kprobe.session/f', 'kprobe', 56],
  ['uprobe.multi/f', 'kprobe', 48],
  ['uretprobe.multi/f', 'kprobe', 48],
  ['uprobe.multi.s/f', 'kprobe', 48, undefined, 'sleepable'],
  ['uretprobe.multi.s/f', 'kprobe', 48, undefined, 'sleepable'],
  ['uprobe.session/f', 'kprobe', 57],
  ['uprobe.session.s/f', 'kprobe', 57, undefined, 'sleepable'],
  ['ksyscall/read', 'kprobe'],
  ['kretsyscall/read', 'kprobe'],
  ['usdt/x:y', 'kprobe'],
  ['usdt.s/x:y', 'kprobe', undefined, undefined, 'sleepable'],
  ['tc', 'tc'],
  ['tc/ingress', 'tc'],
  ['tc/egress', 'tc'],
  ['tcx/ingress', 'tc'],
  ['netkit/primary', 'tc'],
  ['classifier', 'tc'],
  ['classifier/x', 'tc'],
  ['action', 'action'],
  ['action/x', 'action'],
  ['tp/sched/x', 'tracepoint'],
  ['tracepoint/sched/x', 'tracepoint'],
  ['tracepoint', 'tracepoint'],
  ['raw_tp/x', 'raw_tracepoint'],
  ['raw_tracepoint/x', 'raw_tracepoint'],
  ['raw_tp.w/x', 'raw_tracepoint_writable'],
  ['raw_tracepoint.w/x', 'raw_tracepoint_writable'],
  ['raw_tp', 'raw_tracepoint'],
  ['tp_btf/sched_switch', 'tp_btf', 23, 'sched_switch'],
  ['fentry/f', 'fentry', 24, 'f'],
  ['fentry.s/f', 'fentry', 24, 'f', 'sleepable'],
  ['fexit/f', 'fentry', 25, 'f'],
  ['fexit.s/f', 'fentry', 25, 'f', 'sleepable'],
  ['fmod_ret/f', 'fentry', 26, 'f'],
  ['fmod_ret.s/f', 'fentry', 26, 'f', 'sleepable'],
  ['lsm/file_open', 'lsm', 27, 'file_open'],
  ['lsm.s/file_open', 'lsm', 27, 'file_open', 'sleepable'],
  ['lsm_cgroup/socket', 'lsm', 43, 'socket'],
  ['iter/task', 'iter', 28, 'task'],
  ['iter.s/task', 'iter', 28, 'task', 'sleepable'],
  ['syscall', 'syscall', undefined, undefined, 'sleepable'],
  ['syscall.s', 'syscall', undefined, undefined, 'sleepable'],
  ['xdp', 'xdp'],
  ['xdp/x', 'xdp'],
  ['xdp.frags', 'xdp'],
  ['xdp/devmap', 'xdp', 33],
  ['xdp.frags/devmap', 'xdp', 33],
  ['xdp/cpumap', 'xdp', 35],
  ['xdp.frags/cpumap', 'xdp', 35],
  ['perf_event', 'perf_event'],
  ['perf_event/x', 'perf_event'],
  ['lwt_in', 'lwt_in'],
  ['lwt_out', 'lwt_out'],
  ['lwt_xmit', 'lwt_xmit'],
  ['lwt_seg6local', 'lwt_seg6local'],
  ['sockops', 'sock_ops', 3],
  ['sk_skb/stream_parser', 'sk_skb', 4],
  ['sk_skb/stream_verdict', 'sk_skb', 5],
  ['sk_skb/verdict', 'sk_skb', 38],
  ['sk_skb', 'sk_skb'],
  ['sk_msg', 'sk_msg', 7],
  ['sk_msg/x', 'sk_msg', 7],
  ['flow_dissector', 'flow_dissector', 17],
  ['cgroup_skb/ingress', 'cgroup_skb', 0],
  ['cgroup_skb/egress', 'cgroup_skb', 1],
  ['cgroup/skb', 'cgroup_skb'],
  ['cgroup_skb', 'cgroup_skb'],
  ['cgroup/sock_create', 'cgroup_sock', 2],
  ['cgroup/sock', 'cgroup_sock', 2],
  ['cgroup/sock_release', 'cgroup_sock', 34],
  ['cgroup/post_bind4', 'cgroup_sock', 12],
  ['cgroup/post_bind6', 'cgroup_sock', 13],
  ['cgroup/bind4', 'cgroup_sock_addr', 8],
  ['cgroup/bind6', 'cgroup_sock_addr', 9],
  ['cgroup/connect4', 'cgroup_sock_addr', 10],
  ['cgroup/connect6', 'cgroup_sock_addr', 11],
  ['cgroup/connect_unix', 'cgroup_sock_addr', 49],
  ['cgroup/sendmsg4', 'cgroup_sock_addr', 14],
  ['cgroup/sendmsg6', 'cgroup_sock_addr', 15],
  ['cgroup/sendmsg_unix', 'cgroup_sock_addr', 50],
  ['cgroup/recvmsg4', 'cgroup_sock_addr', 19],
  ['cgroup/recvmsg6', 'cgroup_sock_addr', 20],
  ['cgroup/recvmsg_unix', 'cgroup_sock_addr', 51],
  ['cgroup/getpeername4', 'cgroup_sock_addr', 29],
  ['cgroup/getpeername6', 'cgroup_sock_addr', 30],
  ['cgroup/getpeername_unix', 'cgroup_sock_addr', 52],
  ['cgroup/getsockname4', 'cgroup_sock_addr', 31],
  ['cgroup/getsockname6', 'cgroup_sock_addr', 32],
  ['cgroup/getsockname_unix', 'cgroup_sock_addr', 53],
  ['cgroup/sysctl', 'cgroup_sysctl', 18],
  ['cgroup/getsockopt', 'cgroup_sockopt', 21],
  ['cgroup/setsockopt', 'cgroup_sockopt', 22],
  ['cgroup/dev', 'cgroup_device', 6],
  ['sk_lookup', 'sk_lookup', 36],
  ['netfilter', 'netfilter', 45],
  ['struct_ops', 'struct_ops', 0],
  ['struct_ops/enqueue', 'struct_ops', 0],
  ['struct_ops.s/init_task', 'struct_ops', 0, undefined, 'sleepable'],
];

describe('sections', () => {
  it.each(ROWS.map((row) => [row[0], row] as const))('%s', (section, [, type, attach, target, sleepable]) => {
    const kind = {
      type,
      sleepable: sleepable === 'sleepable',
      ...(attach !== undefined && { attach: { type: attach, ...(target !== undefined && { target }) } }),
    };
    expect(programKind(section)).toEqual(kind);
    expect(programKind(`?${section}`)).toEqual(kind);
  });

  it('all types have one', () => {
    expect([...new Set(ROWS.map(([, type]) => type))].sort()).toEqual([...PROG_TYPES].sort());
  });

  it.each([
    '',
    'x',
    'xdpx',
    'tcp',
    'freplace/f',
    'ext',
    'tp_btf/',
    'iter/',
    'kprobe.multix',
    'cgroup/bind',
    'cgroup/bind44',
    'cgroup',
    'lwt_in/x',
    'netfilterx',
    'syscallx',
    'perf_eventx',
    'xxdp',
    '??xdp',
    'xdp?',
    '.text',
  ])('%s is none', (section) => {
    expect(programKind(section)).toBeUndefined();
  });

  it.each(['tp_btf', 'fentry', 'fexit.s', 'fmod_ret', 'lsm', 'lsm.s', 'lsm_cgroup', 'iter'])(
    '%s: its loader says what it attaches to',
    (section) => {
      expect(programKind(section)).toMatchObject({ attachOpen: true });
      expect(programKind(`${section}/f`)).not.toHaveProperty('attachOpen');
    },
  );

  // As older loaders have them: what stands behind tells programs of one kind apart.
  it.each(['sockops', 'sk_lookup', 'flow_dissector', 'sk_skb/stream_parser'])(
    '%s/NAME is of the same kind',
    (section) => {
      expect(programKind(`${section}/main`)).toEqual(programKind(section));
    },
  );

  it('sections of subprograms', () => {
    expect(['.text', '.text.hot', '.textile', 'text', 'xdp', 'x.text'].map(isSubprogSection)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

/** enum bpf_map_type of include/uapi/linux/bpf.h, by number. */
const NUMBERS: Readonly<Record<MapType, number>> = {
  hash: 1,
  array: 2,
  prog_array: 3,
  perf_event_array: 4,
  percpu_hash: 5,
  percpu_array: 6,
  stack_trace: 7,
  cgroup_array: 8,
  lru_hash: 9,
  lru_percpu_hash: 10,
  lpm_trie: 11,
  array_of_maps: 12,
  hash_of_maps: 13,
  devmap: 14,
  sockmap: 15,
  cpumap: 16,
  xskmap: 17,
  sockhash: 18,
  cgroup_storage: 19,
  reuseport_sockarray: 20,
  percpu_cgroup_storage: 21,
  queue: 22,
  stack: 23,
  sk_storage: 24,
  devmap_hash: 25,
  ringbuf: 27,
  inode_storage: 28,
  task_storage: 29,
  bloom_filter: 30,
  user_ringbuf: 31,
  cgrp_storage: 32,
  arena: 33,
};

describe('map types', () => {
  it.each(Object.entries(NUMBERS) as [MapType, number][])('%s is %i', (type, number) => {
    expect(mapTypeNumber(type)).toBe(number);
    expect(mapType(number)).toBe(type);
    expect(mapTypeName(number)).toBe(type);
  });

  it('all, and no others', () => {
    expect(Object.keys(NUMBERS).sort()).toEqual([...MAP_TYPES].sort());
    for (const other of [0, 26, 34, 35, -1, 1000]) expect(mapType(other)).toBeUndefined();
    expect([0, 26, 34, 35].map(mapTypeName)).toEqual(['unspec', 'struct_ops', 'insn_array', 'type 35']);
  });
});
