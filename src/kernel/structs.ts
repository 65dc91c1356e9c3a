/**
 * Sizes and layouts of the structs that programs hold or look into. Follows include/uapi/linux/bpf.h, include/linux/bpf.h;
 * bpf_sock_is_valid_access, bpf_sock_common_is_valid_access, bpf_tcp_sock_is_valid_access and bpf_xdp_sock_is_valid_access in
 * net/core/filter.c.
 */
import type { SpecialField } from '../object/program.js';
import type { IterType, SockType } from './contract.js';

/** 8-byte words, which are stack slots, that an open-coded iterator takes (struct bpf_iter_num and so on). */
export const ITER_WORDS: Readonly<Record<IterType, number>> = {
  num: 1,
  task: 3,
  bits: 2,
  css: 3,
  css_task: 1,
  task_vma: 1,
  kmem_cache: 1,
  dmabuf: 1,
  scx_dsq: 6,
};

/** Bytes of struct bpf_dynptr: two stack slots. */
export const DYNPTR_SIZE = 16;
/** Bytes of the flags that bpf_local_irq_save writes: one stack slot. */
export const IRQ_FLAG_SIZE = 8;
/** Bytes of the two forms of struct bpf_sock_tuple that a lookup takes. */
export const SOCK_TUPLE_SIZE = { ipv4: 12, ipv6: 36 } as const;

/** Size and alignment in bytes of the fields that only helpers may touch (btf_field_type_size). */
export const FIELD_LAYOUT: Readonly<Record<SpecialField['kind'], { size: number; align: number }>> = {
  spin_lock: { size: 4, align: 4 },
  res_spin_lock: { size: 4, align: 4 },
  timer: { size: 16, align: 8 },
  wq: { size: 16, align: 8 },
  kptr: { size: 8, align: 8 },
  kptr_untrusted: { size: 8, align: 8 },
  kptr_percpu: { size: 8, align: 8 },
  list_head: { size: 16, align: 8 },
  list_node: { size: 24, align: 8 },
  rb_root: { size: 16, align: 8 },
  rb_node: { size: 32, align: 8 },
  refcount: { size: 4, align: 4 },
};

/** A member that programs may read. `narrow`: in smaller aligned pieces too, or in such that begin where the member does. */
export interface SockMember {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly narrow: 'no' | 'start' | 'any';
}

function sockMember(
  name: string,
  offset: number,
  size: number,
  narrow: SockMember['narrow'] = 'no',
): SockMember {
  return { name, offset, size, narrow };
}

/** struct bpf_sock, 80 bytes. */
const SOCK: readonly SockMember[] = [
  sockMember('bound_dev_if', 0, 4),
  sockMember('family', 4, 4, 'start'),
  sockMember('type', 8, 4, 'start'),
  sockMember('protocol', 12, 4, 'start'),
  sockMember('mark', 16, 4),
  sockMember('priority', 20, 4),
  sockMember('src_ip4', 24, 4, 'any'),
  sockMember('src_ip6', 28, 16, 'any'),
  sockMember('src_port', 44, 4, 'start'),
  sockMember('dst_port', 48, 2, 'any'),
  sockMember('dst_ip4', 52, 4, 'any'),
  sockMember('dst_ip6', 56, 16, 'any'),
  sockMember('state', 72, 4, 'start'),
  sockMember('rx_queue_mapping', 76, 4, 'start'),
];

/** What every socket has, request and time-wait sockets too. */
const SOCK_COMMON = SOCK.filter((m) => !['type', 'protocol', 'mark', 'priority'].includes(m.name));

/** struct bpf_tcp_sock, 112 bytes: words, and two counters of eight bytes. */
const TCP_SOCK_SIZE = 112;
const TCP_SOCK_WIDE: readonly number[] = [80, 88];

/** Members of a socket struct, for generators of accesses. A tcp_sock is listed as its words and counters. */
export function sockMembers(type: SockType): readonly SockMember[] {
  switch (type) {
    case 'sock':
      return SOCK;
    case 'sock_common':
      return SOCK_COMMON;
    case 'xdp_sock':
      return [sockMember('queue_id', 0, 4)];
    case 'tcp_sock': {
      const members: SockMember[] = [];
      for (let offset = 0; offset < TCP_SOCK_SIZE; ) {
        const size = TCP_SOCK_WIDE.includes(offset) ? 8 : 4;
        members.push(sockMember(`at ${offset}`, offset, size));
        offset += size;
      }
      return members;
    }
  }
}

/** The value of a load of `size` bytes at `offset` of a socket, or `undefined` where the kernel refuses it. Sockets are read-only. */
export function structAccess(type: SockType, offset: number, size: number): 'scalar' | undefined {
  if (offset < 0 || offset % size !== 0) return undefined;
  // The word that starts at dst_port takes in the padding after it, for programs from before the member was two bytes.
  const isSock = type === 'sock' || type === 'sock_common';
  if (isSock && offset === 48 && size === 4) return 'scalar';
  const found = sockMembers(type).find((m) => offset >= m.offset && offset + size <= m.offset + m.size);
  if (found === undefined) return undefined;
  const whole = size === Math.min(found.size, type === 'tcp_sock' ? 8 : 4);
  const piece = size < 4 && (found.narrow === 'any' || (found.narrow === 'start' && offset === found.offset));
  return whole || piece ? 'scalar' : undefined;
}
