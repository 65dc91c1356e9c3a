/** How kernel source names program types, structs and sizes, in our words. */
import { PROG_TYPES, type ProgType } from '../../../object/program.js';
import { numberBytes } from '../prototype.js';

const TRACING: readonly ProgType[] = ['tracepoint', 'perf_event', 'tp_btf', 'iter', 'fentry', 'lsm'];
const CGROUPS: readonly ProgType[] = [
  'cgroup_skb',
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'cgroup_device',
  'cgroup_sysctl',
  'sock_ops',
];
const LWT: readonly ProgType[] = ['lwt_in', 'lwt_out', 'lwt_xmit', 'lwt_seg6local'];

/** BPF_PROG_TYPE_... of register_btf_kfunc_id_set: types share a list by hook (bpf_prog_type_to_kfunc_hook). */
const HOOKS: Readonly<Record<string, readonly ProgType[]>> = {
  UNSPEC: PROG_TYPES,
  XDP: ['xdp'],
  SCHED_CLS: ['tc'],
  SCHED_ACT: ['action'],
  SOCKET_FILTER: ['socket_filter'],
  SYSCALL: ['syscall'],
  KPROBE: ['kprobe'],
  TRACING,
  TRACEPOINT: TRACING,
  PERF_EVENT: TRACING,
  LSM: TRACING,
  CGROUP_SKB: CGROUPS,
  CGROUP_SOCK: CGROUPS,
  CGROUP_SOCK_ADDR: CGROUPS,
  CGROUP_SOCKOPT: CGROUPS,
  CGROUP_DEVICE: CGROUPS,
  CGROUP_SYSCTL: CGROUPS,
  SOCK_OPS: CGROUPS,
  LWT_IN: LWT,
  LWT_OUT: LWT,
  LWT_XMIT: LWT,
  LWT_SEG6LOCAL: LWT,
  SK_SKB: ['sk_skb'],
  SK_MSG: ['sk_msg'],
  SK_LOOKUP: ['sk_lookup'],
  SK_REUSEPORT: ['sk_reuseport'],
  FLOW_DISSECTOR: ['flow_dissector'],
  NETFILTER: ['netfilter'],
};

/** Program types for which a set is registered with this BPF_PROG_TYPE_ word; none for one that is not modelled (STRUCT_OPS). */
export function typesOfHook(word: string): readonly ProgType[] {
  return HOOKS[word] ?? [];
}

/** What ends in bpf_lsm_func_proto and syscall_prog_func_proto asks tracing_prog_func_proto for what it does not have. */
const TRACERS: readonly ProgType[] = ['tp_btf', 'iter', 'fentry', 'lsm', 'syscall'];
const RAW: readonly ProgType[] = ['raw_tracepoint', 'raw_tracepoint_writable'];
const WITH_CURRENT: readonly ProgType[] = [
  'cgroup_sock',
  'cgroup_sock_addr',
  'cgroup_sockopt',
  'cgroup_device',
  'cgroup_sysctl',
];
const SOCKETS: readonly ProgType[] = [
  ...['xdp', 'tc', 'action', 'socket_filter', 'cgroup_skb', 'cgroup_sock_addr', 'sock_ops', 'sk_msg'],
  ...['sk_skb', 'sk_lookup', 'flow_dissector'],
  ...LWT,
] as readonly ProgType[];

/** Functions that hand out helpers, by name, with the types whose own functions ask them for what they do not have. */
const PROTOS: Readonly<Record<string, readonly ProgType[]>> = {
  bpf_base_func_proto: PROG_TYPES,
  bpf_sk_base_func_proto: SOCKETS,
  cgroup_common_func_proto: CGROUPS,
  cgroup_current_func_proto: WITH_CURRENT,
  xdp_func_proto: ['xdp'],
  tc_cls_act_func_proto: ['tc', 'action'],
  sk_filter_func_proto: ['socket_filter', 'cgroup_skb'],
  cg_skb_func_proto: ['cgroup_skb'],
  sock_filter_func_proto: ['cgroup_sock'],
  sock_addr_func_proto: ['cgroup_sock_addr'],
  cg_sockopt_func_proto: ['cgroup_sockopt'],
  cgroup_dev_func_proto: ['cgroup_device'],
  sysctl_func_proto: ['cgroup_sysctl'],
  lwt_in_func_proto: ['lwt_in'],
  lwt_out_func_proto: LWT,
  lwt_xmit_func_proto: ['lwt_xmit'],
  lwt_seg6local_func_proto: ['lwt_seg6local'],
  sk_skb_func_proto: ['sk_skb'],
  sk_msg_func_proto: ['sk_msg'],
  sock_ops_func_proto: ['sock_ops'],
  sk_lookup_func_proto: ['sk_lookup'],
  sk_reuseport_func_proto: ['sk_reuseport'],
  flow_dissector_func_proto: ['flow_dissector'],
  syscall_prog_func_proto: ['syscall'],
  kprobe_prog_func_proto: ['kprobe'],
  tp_prog_func_proto: ['tracepoint'],
  pe_prog_func_proto: ['perf_event'],
  raw_tp_prog_func_proto: [...RAW, ...TRACERS],
  tracing_prog_func_proto: TRACERS,
  bpf_lsm_func_proto: ['lsm'],
  bpf_tracing_func_proto: ['kprobe', 'tracepoint', 'perf_event', ...RAW, ...TRACERS],
};

/** Program types whose helpers a function of the kernel hands out; none for a function that is not known. */
export function typesOfProto(name: string): readonly ProgType[] {
  return PROTOS[name] ?? [];
}

/** BTF ids of prototypes: btf_tracing_ids and btf_sock_ids by their index, and lists that are named after their struct. */
const STRUCTS: Readonly<Record<string, string>> = {
  BTF_TRACING_TYPE_TASK: 'task_struct',
  BTF_TRACING_TYPE_FILE: 'file',
  BTF_TRACING_TYPE_VMA: 'vm_area_struct',
  BTF_SOCK_TYPE_TCP: 'tcp_sock',
  BTF_SOCK_TYPE_TCP6: 'tcp6_sock',
  BTF_SOCK_TYPE_TCP_TW: 'tcp_timewait_sock',
  BTF_SOCK_TYPE_TCP_REQ: 'tcp_request_sock',
  BTF_SOCK_TYPE_UDP: 'udp_sock',
  BTF_SOCK_TYPE_UDP6: 'udp6_sock',
  BTF_SOCK_TYPE_UNIX: 'unix_sock',
  BTF_SOCK_TYPE_SOCK: 'sock',
  BTF_SOCK_TYPE_SOCK_COMMON: 'sock_common',
};

/** The struct that `&btf_tracing_ids[BTF_TRACING_TYPE_TASK]` means, by the BTF_ID lists that the source has; undefined where it is not told. */
export function structOfBtfId(text: string, lists: ReadonlyMap<string, string>): string | undefined {
  const index = /\[\s*(\w+)\s*\]/.exec(text)?.[1];
  if (index !== undefined && STRUCTS[index] !== undefined) return STRUCTS[index];
  const list = /&?\s*(\w+)/.exec(text)?.[1];
  return list === undefined ? undefined : lists.get(list);
}

const SIZES: Readonly<Record<string, number>> = {
  'struct iphdr': 20,
  'struct ipv6hdr': 40,
  'struct tcphdr': 20,
};

/** Bytes of a number or of `sizeof(...)`; undefined where they are not known. */
export function bytesOf(text: string): number | undefined {
  const plain = /^\s*(\d+)\s*$/.exec(text)?.[1];
  if (plain !== undefined) return Number(plain);
  const type = /^\s*sizeof\s*\(\s*([^)]*?)\s*\)\s*$/.exec(text)?.[1];
  return type === undefined ? undefined : (numberBytes(type) ?? SIZES[type]);
}
