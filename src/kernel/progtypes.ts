/**
 * What a program type allows: the layout of its context and who may read and write which part, whether it may sleep, what its
 * maps may hold. Follows bpf_skb_is_valid_access, tc_cls_act_is_valid_access, sk_filter_is_valid_access, xdp_is_valid_access
 * (net/core/filter.c), tp_prog_is_valid_access (kernel/trace/bpf_trace.c), syscall_prog_is_valid_access (kernel/bpf/syscall.c),
 * check_map_prog_compatibility and check_return_code (kernel/bpf/verifier.c).
 */
import type { ProgType, SpecialField } from '../object/program.js';

/** What a load from the context yields. `sock_common` may be NULL. */
export type ContextValue = 'scalar' | 'packet' | 'packet_end' | 'packet_meta' | 'sock_common';

/** A member of a context struct. Offsets and sizes in bytes. */
export interface ContextMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly value: ContextValue;
  /**
   * Sizes that a load may have, at offsets that are multiples of it. Narrow loads inside a member are allowed where the kernel
   * rewrites them.
   */
  readonly reads: readonly number[];
  /** Sizes that a store may have; none: the member is read-only. */
  readonly writes: readonly number[];
}

/** Contexts without members: a range of bytes that takes any aligned access. `from` inclusive, `to` exclusive. */
export interface ContextBytes {
  readonly from: number;
  readonly to: number;
  readonly writable: boolean;
}

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
  /** Always loaded with BPF_F_SLEEPABLE. */
  readonly sleepable: boolean;
  /** Stores through packet pointers and read-write views of the packet are allowed (may_access_direct_pkt_data). */
  readonly packetWritable: boolean;
  /** Inclusive range of the exit value; `undefined`: not checked beyond r0 being written. */
  readonly returns: readonly [number, number] | undefined;
  /** Kinds of fields that no map of the program may have, with the kernel's message. */
  readonly refusedFields: ReadonlyMap<SpecialField['kind'], string>;
  /** Kernel struct behind the context (bpf_cast_to_kern_ctx); `undefined` where there is none. */
  readonly kernelStruct: string | undefined;
}

const NARROW = [1, 2, 4] as const;
const WORD = [4] as const;
const NONE: readonly number[] = [];

function member(
  name: string,
  offset: number,
  size: number,
  reads: readonly number[],
  writes: readonly number[] = NONE,
  value: ContextValue = 'scalar',
): ContextMember {
  return { name, offset, size, value, reads, writes };
}

/** struct xdp_md, include/uapi/linux/bpf.h. Words only. egress_ifindex is for programs in a device map, which are not modelled. */
const XDP_MD: readonly ContextMember[] = [
  member('data', 0, 4, WORD, NONE, 'packet'),
  member('data_end', 4, 4, WORD, NONE, 'packet_end'),
  member('data_meta', 8, 4, WORD, NONE, 'packet_meta'),
  member('ingress_ifindex', 12, 4, WORD),
  member('rx_queue_index', 16, 4, WORD),
];

/** Members of struct __sk_buff that tc and socket filters share, read-only. */
const SK_BUFF: readonly ContextMember[] = [
  member('len', 0, 4, NARROW),
  member('pkt_type', 4, 4, NARROW),
  member('mark', 8, 4, NARROW),
  member('queue_mapping', 12, 4, NARROW),
  member('protocol', 16, 4, NARROW),
  member('vlan_present', 20, 4, NARROW),
  member('vlan_tci', 24, 4, NARROW),
  member('vlan_proto', 28, 4, NARROW),
  member('priority', 32, 4, NARROW),
  member('ingress_ifindex', 36, 4, NARROW),
  member('ifindex', 40, 4, NARROW),
  member('tc_index', 44, 4, NARROW),
  member('cb', 48, 20, [1, 2, 4, 8], [1, 2, 4, 8]),
  member('hash', 68, 4, NARROW),
  member('napi_id', 84, 4, NARROW),
  member('gso_segs', 164, 4, NARROW),
  member('sk', 168, 8, [8], NONE, 'sock_common'),
  member('gso_size', 176, 4, NARROW),
];

/** What only tc may read. */
const TC_ONLY: readonly ContextMember[] = [
  member('tc_classid', 72, 4, NARROW),
  member('data', 76, 4, WORD, NONE, 'packet'),
  member('data_end', 80, 4, WORD, NONE, 'packet_end'),
  member('data_meta', 140, 4, WORD, NONE, 'packet_meta'),
  member('tstamp', 152, 8, [8]),
  member('wire_len', 160, 4, NARROW),
  member('tstamp_type', 180, 1, [1]),
  member('hwtstamp', 184, 8, [8]),
];

const TC_WRITES: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ['mark', WORD],
  ['tc_index', WORD],
  ['priority', WORD],
  ['tc_classid', WORD],
  ['queue_mapping', WORD],
  ['tstamp', [8]],
]);

const tcMembers = [...SK_BUFF, ...TC_ONLY].map((m) => ({ ...m, writes: TC_WRITES.get(m.name) ?? m.writes }));

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

const INFO: Readonly<Record<ProgType, ProgTypeInfo>> = {
  xdp: {
    type: 'xdp',
    number: 6,
    struct: 'xdp_md',
    size: 24,
    members: XDP_MD,
    sleepable: false,
    packetWritable: true,
    returns: undefined,
    refusedFields: new Map(),
    kernelStruct: 'xdp_buff',
  },
  tc: {
    type: 'tc',
    number: 3,
    struct: '__sk_buff',
    size: 192,
    members: tcMembers,
    sleepable: false,
    packetWritable: true,
    returns: undefined,
    refusedFields: new Map(),
    kernelStruct: 'sk_buff',
  },
  socket_filter: {
    type: 'socket_filter',
    number: 1,
    struct: '__sk_buff',
    size: 192,
    members: SK_BUFF,
    sleepable: false,
    packetWritable: false,
    returns: undefined,
    refusedFields: new Map(SOCKET_FILTER_REFUSES),
    kernelStruct: 'sk_buff',
  },
  tracepoint: {
    type: 'tracepoint',
    number: 5,
    struct: undefined,
    size: 8192,
    members: [],
    // The first word is a pointer to pt_regs that the program must not see; the end is PERF_MAX_TRACE_SIZE. The kernel lets
    // negative offsets through as well, by comparing an int with a size_t; they lie outside the buffer, and are refused here.
    bytes: { from: 8, to: 8192, writable: false },
    sleepable: false,
    packetWritable: false,
    returns: undefined,
    refusedFields: new Map(TRACING_REFUSES),
    kernelStruct: undefined,
  },
  syscall: {
    type: 'syscall',
    number: 31,
    struct: undefined,
    size: 65535,
    members: [],
    // Only the first byte of an access is held against U16_MAX.
    bytes: { from: 0, to: 65535, writable: true },
    sleepable: true,
    packetWritable: false,
    returns: undefined,
    refusedFields: new Map(),
    kernelStruct: undefined,
  },
};

/** All that is known of a program type. */
export function progType(type: ProgType): ProgTypeInfo {
  return INFO[type];
}

/** The program type with this kernel number (enum bpf_prog_type), if it is modelled. */
export function progTypeByNumber(number: number): ProgType | undefined {
  return Object.values(INFO).find((info) => info.number === number)?.type;
}

/**
 * What an access of `size` bytes at `offset` of the context yields, or `undefined` where the kernel refuses it ("invalid
 * bpf_context access"). Accesses must be aligned to their size.
 */
export function contextField(
  type: ProgType,
  offset: number,
  size: number,
  access: 'read' | 'write',
): ContextValue | undefined {
  if (offset < 0 || offset % size !== 0) return undefined;
  const { bytes, members } = INFO[type];
  if (bytes !== undefined) {
    const inside = offset >= bytes.from && offset < bytes.to;
    return inside && (access === 'read' || bytes.writable) ? 'scalar' : undefined;
  }
  const found = members.find((m) => offset >= m.offset && offset < m.offset + m.size);
  if (found === undefined || offset + size > found.offset + found.size) return undefined;
  const sizes = access === 'read' ? found.reads : found.writes;
  return sizes.includes(size) ? found.value : undefined;
}
