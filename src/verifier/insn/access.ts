/**
 * Which bytes an insn may touch, by what its pointer points to: bounds of regions, packets and buffers, and the fields of a map value that only
 * functions may touch. Follows check_mem_region_access, check_packet_access, check_map_kptr_access and __check_ptr_off_reg of
 * kernel/bpf/verifier.c. Every function refuses by throwing, with the kernel's message.
 */

import { isGplCompatible } from '../../kernel/license.js';
import { progType } from '../../kernel/progtypes.js';
import { isKptr, type SpecialField } from '../../object/program.js';
import type { Path } from '../state/path.js';
import { fixedOffset, hasFixedOffset, isOfNothing, typeName } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';

/** MAX_PACKET_OFF. */
export const MAX_PACKET_OFF = 0xffff;

/** A load or store to be checked: the pointer, and which bytes from it on. */
export interface Access {
  readonly reg: Reg;
  readonly regno: number;
  /** The insn's own offset. */
  readonly off: number;
  readonly size: number;
  /** The insn is atomic: a read-modify-write, a load-acquire or a store-release. */
  readonly atomic?: boolean;
}

/** How Linux's message names the memory behind a pointer, and the limit that was exceeded (__check_mem_access). */
function overstepped({ reg, size }: Access, at: bigint, limit: number): string {
  switch (reg.type) {
    case 'map_value':
      return `invalid access to map value, value_size=${limit} off=${at} size=${size}`;
    case 'map_key':
      return `invalid access to map key, key_size=${limit} off=${at} size=${size}`;
    default:
      return `invalid access to memory, mem_size=${limit} off=${at} size=${size}`;
  }
}

/** Bounds of a region of `limit` bytes that starts at the pointer's base (check_mem_region_access). */
export function checkMemRegion(a: Access, limit: number): void {
  const { reg, regno } = a;
  const low = BigInt(reg.off + a.off) + reg.num.smin;
  if (reg.num.smin < 0n && low < 0n) {
    refuse(`R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  }
  if (low < 0n || low + BigInt(a.size) > BigInt(limit)) {
    refuse(`R${regno} min value is outside of the allowed memory range`, overstepped(a, low, limit));
  }
  if (reg.num.umax >= 1n << 29n && !hasFixedOffset(reg)) {
    refuse(`R${regno} unbounded memory access, make sure to bounds check any such access`);
  }
  const high = BigInt(reg.off + a.off) + reg.num.smax;
  if (high + BigInt(a.size) > BigInt(limit))
    refuse(`R${regno} max value is outside of the allowed memory range`, overstepped(a, high, limit));
}

/** The access may touch this field. */
export function overlaps(a: Access, field: SpecialField): boolean {
  const low = BigInt(a.reg.off + a.off) + a.reg.num.smin;
  const high = BigInt(a.reg.off + a.off) + a.reg.num.umax + BigInt(a.size);
  return low < BigInt(field.offset + field.size) && high > BigInt(field.offset);
}

const KERNEL_NAME: Record<SpecialField['kind'], string> = {
  spin_lock: 'bpf_spin_lock',
  res_spin_lock: 'bpf_res_spin_lock',
  timer: 'bpf_timer',
  wq: 'bpf_wq',
  kptr: 'kptr',
  kptr_untrusted: 'kptr',
  kptr_percpu: 'kptr',
  list_head: 'bpf_list_head',
  list_node: 'bpf_list_node',
  rb_root: 'bpf_rb_root',
  rb_node: 'bpf_rb_node',
  refcount: 'bpf_refcount',
};

/** In an object that the program allocated, a plain access may touch no special field at all, not even a kptr (btf_struct_access). */
export function refuseSpecialFields(a: Access, fields: readonly SpecialField[]): void {
  for (const field of fields) {
    if (overlaps(a, field)) refuse(`direct access to ${KERNEL_NAME[field.kind]} is disallowed`);
  }
}

/** A plain access to a map value may not touch fields that only functions may; a kptr may be loaded and, if unreferenced, stored. */
export function checkSpecialFields(a: Access, fields: readonly SpecialField[]): SpecialField | undefined {
  for (const field of fields) {
    if (!overlaps(a, field)) continue;
    if (isKptr(field)) {
      if (!hasFixedOffset(a.reg)) refuse('kptr access cannot have variable offset');
      if (fixedOffset(a.reg) + a.off !== field.offset)
        refuse(`kptr access misaligned expected=${field.offset} off=${fixedOffset(a.reg) + a.off}`);
      if (a.size !== 8) refuse('kptr access size must be BPF_DW');
      return field;
    }
    refuse(`${KERNEL_NAME[field.kind]} cannot be accessed directly by load/store`);
  }
  return undefined;
}

/**
 * Checks an access through a packet pointer: the offset is not negative, and a branch has shown that the bytes are there. Stores need
 * a program type that may write packets. Follows check_packet_access.
 */
export function checkPacket(p: Path, a: Access, write: boolean): void {
  const { reg, regno } = a;
  if (write && !progType(p.program.type).packetWritable) {
    refuse('cannot write into packet');
  }
  if (reg.num.smin < 0n) {
    refuse(`R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  }
  checkPacketRange(a);
}

/** Checks that the accessed bytes of a packet are among those that a branch compared with its end. */
export function checkPacketRange({ reg, regno, off, size }: Access): void {
  const at = reg.off + off;
  if (at >= 0 && at + size <= reg.range) return;
  refuse(
    `R${regno} offset is outside of the packet`,
    `invalid access to packet, off=${at} size=${size}, R${regno}(id=${reg.id},off=${at},r=${reg.range})`,
  );
}

/** Refuses a pointer that was moved. `fixed`: it may have been moved by a constant, towards the end. */
export function checkPointerOffset({ off, num }: Reg, regno: number, name: string, fixed = false): void {
  if (off < 0) refuse(`negative offset ${name} ptr R${regno} off=${off} disallowed`);
  if (!fixed && off !== 0) refuse(`dereference of modified ${name} ptr R${regno} off=${off} disallowed`);
  if (num.mask !== 0n || num.value !== 0n)
    refuse(
      `variable ${name} access var_off=(0x${num.value.toString(16)}; 0x${num.mask.toString(16)}) disallowed`,
    );
}

/** struct bpf_flow_keys. */
const FLOW_KEYS_SIZE = 56;

/** Checks that an access stays inside `struct bpf_flow_keys`. Follows check_flow_keys_access. */
export function checkFlowKeys(a: Access): void {
  const at = fixedOffset(a.reg) + a.off;
  if (at < 0 || at + a.size > FLOW_KEYS_SIZE) refuse(`invalid access to flow keys off=${at} size=${a.size}`);
}

/**
 * The size of the buffer is known only when the program is attached. Linux then compares it with the highest byte that the program uses
 * (__check_buffer_access).
 */
export function checkBuffer(a: Access): void {
  if (a.reg.off + a.off < 0)
    refuse(`R${a.regno} invalid ${typeName(a.reg)} buffer access: off=${a.reg.off + a.off}, size=${a.size}`);
  if (!hasFixedOffset(a.reg) || a.reg.num.value !== 0n)
    refuse(`R${a.regno} invalid variable buffer offset: off=${a.reg.off + a.off}`);
}

/**
 * Checks that an access to a kernel struct is allowed to this loader and licence, and is at a fixed offset of 0 or more. Follows the
 * beginning of check_ptr_to_btf_access.
 */
export function checkBtfOffset(p: Path, a: Access): void {
  // The pointer is to no known type: any address will do, because the kernel makes the load safe.
  if (isOfNothing(a.reg)) return;
  if (p.strict) refuse(`'struct ${a.reg.struct}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
  if (a.reg.type === 'btf' && !isGplCompatible(p.program.license))
    refuse(`Cannot access kernel 'struct ${a.reg.struct}' from non-GPL compatible program`);
  const name = `${typeName(a.reg)}${a.reg.struct}`;
  if (!hasFixedOffset(a.reg)) refuse(`R${a.regno} is ${name} invalid variable offset: off=${a.off}`);
  if (fixedOffset(a.reg) + a.off < 0)
    refuse(`R${a.regno} is ${name} invalid negative access: off=${fixedOffset(a.reg) + a.off}`);
}

/** A per-CPU pointer is no memory; bpf_per_cpu_ptr gives a pointer to the copy of one CPU. */
export function refusePercpu(a: Access): void {
  if (a.reg.percpu)
    refuse(`R${a.regno} is ${typeName(a.reg)}${a.reg.struct} access percpu memory: off=${a.off}`);
}
