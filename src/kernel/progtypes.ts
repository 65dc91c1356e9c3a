/**
 * What a program type allows: the layout of its context and who may read and write which part, whether it may sleep, what its
 * maps may hold. Follows the is_valid_access functions (net/core/filter.c, kernel/bpf/cgroup.c, kernel/trace/bpf_trace.c,
 * kernel/bpf/syscall.c), check_map_prog_compatibility, may_access_direct_pkt_data and check_return_code (kernel/bpf/verifier.c).
 */
import type { Attachment, ProgType, SpecialField } from '../object/program.js';
import { ATTACH } from './contexts/attach.js';
import { CGROUP_SOCK, DEVICE, SOCK_ADDR, SOCK_ADDR_RETURNS, SOCKOPT, SYSCTL } from './contexts/cgroup.js';
import { type ContextBytes, type ContextMember, type ContextValue, LONG, member } from './contexts/member.js';
import { CGROUP_SKB, FLOW_DISSECTOR, LWT, SK_BUFF_SIZE, SK_SKB, SOCKET_FILTER, TC } from './contexts/skb.js';
import { NETFILTER, SK_LOOKUP, SK_MSG, SK_REUSEPORT, SOCK_OPS, XDP_MD } from './contexts/socket.js';

export type { ContextBytes, ContextMember, ContextValue } from './contexts/member.js';

/** What Linux lets programs of one type do, and the layout of their context. */
export interface ProgTypeInfo {
  readonly type: ProgType;
  /** enum bpf_prog_type. */
  readonly number: number;
  /** Name of the context struct; `undefined` for plain bytes. */
  readonly struct: string | undefined;
  /** Bytes of the context. */
  readonly size: number;
  readonly members: readonly ContextMember[];
  readonly bytes?: ContextBytes;
  /** The context is the arguments of what the program attaches to, eight bytes each, typed by the kernel's BTF. */
  readonly arguments?: true;
  /** Always loaded with BPF_F_SLEEPABLE. */
  readonly sleepable: boolean;
  /** Stores through packet pointers and read-write views of the packet are allowed (may_access_direct_pkt_data). */
  readonly packetWritable: boolean;
  /** Functions that may be given pointers into the packet: none, those that are marked so, all. */
  readonly packetArgs: 'none' | 'marked' | 'all';
  /** Inclusive range of the exit value; `undefined`: not checked beyond r0 being written. See `returnRange`. */
  readonly returns: readonly [number, number] | undefined;
  /** Kinds of fields that no map of the program may have, with the kernel's message. */
  readonly refusedFields: ReadonlyMap<SpecialField['kind'], string>;
  /** Kernel struct behind the context (bpf_cast_to_kern_ctx); `undefined` where there is none. */
  readonly kernelStruct: string | undefined;
}

type Refused = readonly (readonly [SpecialField['kind'], string])[];
const SOCKET_FILTER_REFUSES: Refused = [
  ['spin_lock', 'socket filter progs cannot use bpf_spin_lock yet'],
  ['res_spin_lock', 'socket filter progs cannot use bpf_spin_lock yet'],
];
const TRACING_REFUSES: Refused = [
  ['list_head', 'tracing progs cannot use bpf_{list_head,rb_root} yet'],
  ['rb_root', 'tracing progs cannot use bpf_{list_head,rb_root} yet'],
  ['spin_lock', 'tracing progs cannot use bpf_spin_lock yet'],
  ['res_spin_lock', 'tracing progs cannot use bpf_spin_lock yet'],
  ['timer', 'tracing progs cannot use bpf_timer yet'],
  ['wq', 'tracing progs cannot use bpf_wq yet'],
];

/** struct pt_regs of x86-64, 21 words. */
const PT_REGS_SIZE = 168;
/** MAX_BPF_FUNC_ARGS words. */
const ARGUMENTS_SIZE = 96;

const PLAIN = {
  members: [],
  sleepable: false,
  packetWritable: false,
  packetArgs: 'none',
  returns: undefined,
  refusedFields: new Map(),
  kernelStruct: undefined,
} as const;

type Part = Omit<ProgTypeInfo, 'type' | keyof typeof PLAIN> & Partial<ProgTypeInfo>;
const SKB = {
  struct: '__sk_buff',
  size: SK_BUFF_SIZE,
  packetArgs: 'marked',
  kernelStruct: 'sk_buff',
} as const;
const READS_PACKET = { ...SKB, packetWritable: false } as const;
const WRITES_PACKET = { ...SKB, packetWritable: true } as const;
const TRACES = { refusedFields: new Map(TRACING_REFUSES) } as const;
const ARGUMENTS = { struct: undefined, size: ARGUMENTS_SIZE, arguments: true } as const;
const YES_OR_NO = [0, 1] as const;

const PARTS: Readonly<Record<ProgType, Part>> = {
  xdp: {
    number: 6,
    struct: 'xdp_md',
    size: 24,
    members: XDP_MD,
    packetWritable: true,
    packetArgs: 'marked',
    kernelStruct: 'xdp_buff',
  },
  tc: { number: 3, ...WRITES_PACKET, members: TC },
  action: { number: 4, ...WRITES_PACKET, members: TC },
  socket_filter: {
    number: 1,
    ...SKB,
    packetArgs: 'none',
    members: SOCKET_FILTER,
    refusedFields: new Map(SOCKET_FILTER_REFUSES),
  },
  cgroup_skb: { number: 8, ...READS_PACKET, members: CGROUP_SKB, returns: YES_OR_NO },
  lwt_in: { number: 10, ...READS_PACKET, members: LWT },
  lwt_out: { number: 11, ...READS_PACKET, members: LWT },
  lwt_xmit: { number: 12, ...WRITES_PACKET, members: LWT },
  lwt_seg6local: { number: 19, ...READS_PACKET, members: LWT },
  sk_skb: { number: 14, ...WRITES_PACKET, members: SK_SKB },
  flow_dissector: {
    number: 22,
    ...READS_PACKET,
    members: FLOW_DISSECTOR,
    kernelStruct: 'bpf_flow_dissector',
  },
  sk_msg: {
    number: 16,
    struct: 'sk_msg_md',
    size: 80,
    members: SK_MSG,
    kernelStruct: 'sk_msg',
    packetWritable: true,
    packetArgs: 'marked',
  },
  sk_reuseport: {
    number: 21,
    struct: 'sk_reuseport_md',
    size: 56,
    members: SK_REUSEPORT,
    kernelStruct: 'sk_reuseport_kern',
    packetArgs: 'marked',
  },
  sk_lookup: {
    number: 30,
    struct: 'bpf_sk_lookup',
    size: 72,
    members: SK_LOOKUP,
    returns: YES_OR_NO,
    kernelStruct: 'bpf_sk_lookup_kern',
  },
  sock_ops: {
    number: 13,
    struct: 'bpf_sock_ops',
    size: 224,
    members: SOCK_OPS,
    returns: YES_OR_NO,
    kernelStruct: 'bpf_sock_ops_kern',
  },
  netfilter: {
    number: 32,
    struct: 'bpf_nf_ctx',
    size: 16,
    members: NETFILTER,
    returns: YES_OR_NO,
    kernelStruct: 'bpf_nf_ctx',
  },
  cgroup_sock: {
    number: 9,
    struct: 'bpf_sock',
    size: 80,
    members: CGROUP_SOCK,
    returns: YES_OR_NO,
    kernelStruct: 'sock',
  },
  cgroup_sock_addr: {
    number: 18,
    struct: 'bpf_sock_addr',
    size: 72,
    members: SOCK_ADDR,
    kernelStruct: 'bpf_sock_addr_kern',
    returns: YES_OR_NO,
  },
  cgroup_sockopt: {
    number: 25,
    struct: 'bpf_sockopt',
    size: 40,
    members: SOCKOPT,
    kernelStruct: 'bpf_sockopt_kern',
    packetWritable: true,
    packetArgs: 'all',
    returns: YES_OR_NO,
  },
  cgroup_device: {
    number: 15,
    struct: 'bpf_cgroup_dev_ctx',
    size: 12,
    members: DEVICE,
    kernelStruct: 'bpf_cgroup_dev_ctx',
    returns: YES_OR_NO,
  },
  cgroup_sysctl: {
    number: 23,
    struct: 'bpf_sysctl',
    size: 8,
    members: SYSCTL,
    returns: YES_OR_NO,
    kernelStruct: 'bpf_sysctl_kern',
  },
  tracepoint: {
    number: 5,
    struct: undefined,
    size: 8192,
    // The first word is a pointer to pt_regs that the program must not see; the end is PERF_MAX_TRACE_SIZE. The kernel lets
    // negative offsets through as well, by comparing an int with a size_t; they lie outside the buffer, and are refused here.
    bytes: { from: 8, to: 8192, writable: false },
    ...TRACES,
  },
  kprobe: {
    number: 2,
    struct: 'bpf_user_pt_regs_t',
    size: PT_REGS_SIZE,
    bytes: { from: 0, to: PT_REGS_SIZE, writable: false },
    kernelStruct: 'pt_regs',
    ...TRACES,
  },
  raw_tracepoint: {
    number: 17,
    struct: 'bpf_raw_tracepoint_args',
    size: ARGUMENTS_SIZE,
    bytes: { from: 0, to: ARGUMENTS_SIZE, writable: false },
    ...TRACES,
  },
  raw_tracepoint_writable: {
    number: 24,
    struct: 'bpf_raw_tracepoint_args',
    size: ARGUMENTS_SIZE,
    // The first word is the buffer pointer, which may be read only as a whole. Loads that begin inside it give plain numbers.
    members: [member('buffer', 0, 1, LONG, [], 'tp_buffer')],
    bytes: { from: 1, to: ARGUMENTS_SIZE, writable: false },
    ...TRACES,
  },
  perf_event: {
    number: 7,
    struct: 'bpf_perf_event_data',
    size: PT_REGS_SIZE + 16,
    members: [
      member('regs', 0, PT_REGS_SIZE, LONG),
      member('sample_period', PT_REGS_SIZE, 8, [1, 2, 4, 8]),
      member('addr', PT_REGS_SIZE + 8, 8, [1, 2, 4, 8]),
    ],
    kernelStruct: 'bpf_perf_event_data_kern',
    ...TRACES,
  },
  tp_btf: { number: 26, ...ARGUMENTS },
  iter: { number: 26, ...ARGUMENTS, returns: YES_OR_NO },
  fentry: { number: 26, ...ARGUMENTS },
  lsm: { number: 29, ...ARGUMENTS },
  struct_ops: { number: 27, ...ARGUMENTS },
  syscall: {
    number: 31,
    struct: undefined,
    size: 65535,
    // Linux compares only the first byte of an access with U16_MAX.
    bytes: { from: 0, to: 65535, writable: true },
    sleepable: true,
  },
};

const INFO = Object.fromEntries(
  Object.entries(PARTS).map(([type, part]) => [type, { ...PLAIN, ...part, type }]),
) as Readonly<Record<ProgType, ProgTypeInfo>>;

/** LSM hooks that return a yes or no, and no error number (bool_lsm_hooks of kernel/bpf/bpf_lsm.c). */
const BOOL_HOOKS: ReadonlySet<string> = new Set(['audit_rule_known', 'inode_xattr_skipcap']);
const MAX_ERRNO = 4095;

/** The program stands in for a function that returns nothing, so that r0 need not be written (check_return_code). */
export function returnsNothing(type: ProgType, attach?: Attachment): boolean {
  return (
    attach?.returns === 'void' &&
    (type === 'struct_ops' || (type === 'lsm' && attach.type !== ATTACH.LSM_CGROUP))
  );
}

/** Only the lower half of r0 is looked at: an LSM hook returns an `int`. */
export function returnsHalf(type: ProgType, attach?: Attachment): boolean {
  return type === 'lsm' && attach?.type !== ATTACH.LSM_CGROUP;
}

/** All that is known of a program type. */
export function progType(type: ProgType): ProgTypeInfo {
  return INFO[type];
}

/**
 * Inclusive range of the value that a program of this type, attached like this, may exit with; undefined if the verifier does not check
 * it (check_return_code).
 */
export function returnRange(type: ProgType, attach?: Attachment): readonly [number, number] | undefined {
  if (attach === undefined) return INFO[type].returns;
  const { returns } = attach;
  switch (type) {
    case 'cgroup_skb':
      return attach.type === ATTACH.INET_EGRESS ? [0, 3] : YES_OR_NO;
    case 'cgroup_sock_addr':
      return SOCK_ADDR_RETURNS.get(attach.type) ?? YES_OR_NO;
    case 'struct_ops':
      // A pointer can only be returned as NULL, or as the reference that it is (see checkReturn).
      return returns?.startsWith('*') === true ? [0, 0] : undefined;
    case 'lsm':
      // Programs of a cgroup say whether to go on; those on hooks that return nothing cannot stop it.
      if (attach.type === ATTACH.LSM_CGROUP) return returns === 'void' ? [1, 1] : YES_OR_NO;
      if (returns === 'void') return undefined;
      return BOOL_HOOKS.has(attach.target ?? '') ? YES_OR_NO : [-MAX_ERRNO, 0];
    case 'fentry':
      return attach.type === ATTACH.MODIFY_RETURN ? undefined : [0, 0];
    case 'kprobe':
      return attach.type === ATTACH.KPROBE_SESSION || attach.type === ATTACH.UPROBE_SESSION
        ? YES_OR_NO
        : undefined;
    default:
      return INFO[type].returns;
  }
}

/**
 * What an access of `size` bytes at `offset` of the context yields, or `undefined` where the kernel refuses it ("invalid
 * bpf_context access"). Accesses must be aligned to their size. `attach`: how the program is attached, for contexts that differ by it.
 */
export function contextField(
  type: ProgType,
  offset: number,
  size: number,
  access: 'read' | 'write',
  attach?: Attachment,
): ContextValue | undefined {
  if (offset < 0 || offset % size !== 0) return undefined;
  const { bytes } = INFO[type];
  if (type === 'raw_tracepoint_writable' && offset === 0)
    return access === 'read' && size === 8 ? 'tp_buffer' : undefined;
  if (bytes !== undefined) {
    const inside = offset >= bytes.from && offset < bytes.to;
    return inside && (access === 'read' || bytes.writable) ? 'scalar' : undefined;
  }
  const found = contextMember(type, offset);
  if (found === undefined || offset + size > found.offset + found.size) return undefined;
  const by = access === 'read' ? found.readBy : found.writeBy;
  if (by !== undefined && !by.has(attach?.type || (type === 'cgroup_sock' ? ATTACH.SOCK_CREATE : 0)))
    return undefined;
  if (found.pieces !== undefined && size < found.size) {
    if (found.pieces === 'start' ? offset !== found.offset : offset + size > found.offset + found.pieces)
      return undefined;
  }
  const sizes = access === 'read' ? found.reads : found.writes;
  return sizes.includes(size) ? found.value : undefined;
}

/** The member of the context that has the byte at `offset`. */
export function contextMember(type: ProgType, offset: number): ContextMember | undefined {
  return INFO[type].members.find((m) => offset >= m.offset && offset < m.offset + m.size);
}
