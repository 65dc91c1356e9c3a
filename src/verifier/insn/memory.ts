/**
 * Loads and stores by what the base register points to. Follows check_mem_access and the checks below it in
 * kernel/bpf/verifier.c. Every function refuses by throwing, with the kernel's message.
 */

import { isGplCompatible } from '../../kernel/license.js';
import { MAP_FLAGS } from '../../kernel/maptypes.js';
import { progType } from '../../kernel/progtypes.js';
import { structAccess } from '../../kernel/structs.js';
import type { Program, SpecialField } from '../../object/program.js';
import { scalarArithmetic } from '../scalar/alu.js';
import { constant } from '../scalar/scalar.js';
import type { Path } from '../state/path.js';
import {
  fixedOffset,
  hasFixedOffset,
  isNull,
  isOfNothing,
  isPointer,
  pointerReg,
  scalarReg,
  typeName,
  unknownReg,
} from '../state/regs.js';
import { readStack, writeStack } from '../state/stack.js';
import type { Reg } from '../state/state.js';
import { refuse, unsupported } from '../text/refusal.js';
import { loadMember } from './btf-access.js';
import { loadContext, storeContext } from './context.js';
import { isConnectionMark, loadMapMember } from './kernel-members.js';

/** MAX_PACKET_OFF. */
export const MAX_PACKET_OFF = 0xffff;

export interface Access {
  readonly reg: Reg;
  readonly regno: number;
  /** The insn's own offset. */
  readonly off: number;
  readonly size: number;
}

const unknownBytes = (size: number): Reg =>
  size === 8 ? unknownReg : scalarReg(scalarArithmetic.zeroExtend((size * 8) as 8 | 16 | 32, unknownReg.num));

/** Bounds of a region of `limit` bytes that starts at the pointer's base (check_mem_region_access). */
export function checkMemRegion(a: Access, limit: number): void {
  const { reg, regno } = a;
  const low = BigInt(reg.off + a.off) + reg.num.smin;
  if (reg.num.smin < 0n && low < 0n) {
    refuse(`R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  }
  if (low < 0n || low + BigInt(a.size) > BigInt(limit)) {
    refuse(`R${regno} min value is outside of the allowed memory range`);
  }
  if (reg.num.umax >= 1n << 29n && !hasFixedOffset(reg)) {
    refuse(`R${regno} unbounded memory access, make sure to bounds check any such access`);
  }
  const high = BigInt(reg.off + a.off) + reg.num.smax;
  if (high + BigInt(a.size) > BigInt(limit))
    refuse(`R${regno} max value is outside of the allowed memory range`);
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
  list_head: 'bpf_list_head',
  list_node: 'bpf_list_node',
  rb_root: 'bpf_rb_root',
  rb_node: 'bpf_rb_node',
  refcount: 'bpf_refcount',
};

/** A plain access may not touch fields that only functions may; a kptr may be loaded and, if unreferenced, stored. */
function checkSpecialFields(a: Access, fields: readonly SpecialField[]): SpecialField | undefined {
  for (const field of fields) {
    if (!overlaps(a, field)) continue;
    if (field.kind === 'kptr' || field.kind === 'kptr_untrusted') {
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

function loadMapValue(p: Path, a: Access): Reg {
  const map = p.program.maps[a.reg.map]!;
  checkMemRegion(a, map.valueSize);
  if ((map.flags & MAP_FLAGS.WRONLY_PROG) !== 0)
    refuse(`read from map forbidden, value_size=${map.valueSize} off=${a.off} size=${a.size}`);
  const field = checkSpecialFields(a, map.fields);
  if (field !== undefined) return loadKptr(p, field);
  const known = frozenContents(
    a,
    map.initial,
    map.frozen === true && (map.flags & MAP_FLAGS.RDONLY_PROG) !== 0,
  );
  return known ?? unknownBytes(a.size);
}

/** A load from a frozen read-only map is a constant (bpf_map_direct_read). */
function frozenContents(a: Access, initial: Uint8Array | undefined, frozen: boolean): Reg | undefined {
  if (!frozen || initial === undefined || !hasFixedOffset(a.reg)) return undefined;
  const at = fixedOffset(a.reg) + a.off;
  let value = 0n;
  for (let i = a.size - 1; i >= 0; i--) value = (value << 8n) | BigInt(initial[at + i] ?? 0);
  return scalarReg(constant(value));
}

/** What was in a kptr may be gone at any time: inside an RCU section it can be read, outside it cannot be trusted. */
export function loadKptr(p: Path, field: SpecialField): Reg {
  const struct = field.struct ?? '';
  const local = p.program.localTypes.find((t) => t.name === struct);
  const trust = field.kind === 'kptr' && p.inRcu ? 'rcu' : 'untrusted';
  const id = p.newId();
  if (local !== undefined) {
    return pointerReg('object', { struct, size: local.size, nullable: true, id, trust });
  }
  return pointerReg('btf', { struct, nullable: true, id, trust });
}

function checkPacket(p: Path, a: Access, write: boolean): void {
  const { reg, regno } = a;
  if (write && !progType(p.program.type).packetWritable) {
    refuse('cannot write into packet');
  }
  if (reg.num.smin < 0n) {
    refuse(`R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
  }
  const at = reg.off + a.off;
  if (at < 0 || at + a.size > reg.range) {
    refuse(`R${regno} offset is outside of the packet`);
  }
}

/** Only the context's own address will do; the insn may have an offset (__check_ptr_off_reg). */
function contextOffset(a: Access): number {
  checkPointerOffset(a.reg, a.regno, 'ctx');
  return a.off;
}

/** A pointer that was not moved. `fixed`: it may have been moved by a constant, towards the end. */
export function checkPointerOffset({ off, num }: Reg, regno: number, name: string, fixed = false): void {
  if (off < 0) refuse(`negative offset ${name} ptr R${regno} off=${off} disallowed`);
  if (!fixed && off !== 0) refuse(`dereference of modified ${name} ptr R${regno} off=${off} disallowed`);
  if (num.mask !== 0n || num.value !== 0n)
    refuse(
      `variable ${name} access var_off=(0x${num.value.toString(16)}; 0x${num.mask.toString(16)}) disallowed`,
    );
}

function loadStruct(a: Access): Reg {
  const at = fixedOffset(a.reg) + a.off;
  if (!hasFixedOffset(a.reg))
    refuse(`R${a.regno} is ${typeName(a.reg)} invalid variable offset: off=${a.off}`);
  const field = structAccess(a.reg.type as 'sock' | 'sock_common' | 'tcp_sock' | 'xdp_sock', at, a.size);
  if (field === undefined) refuse(`R${a.regno} invalid ${typeName(a.reg)} access off=${at} size=${a.size}`);
  return unknownBytes(a.size);
}

/** struct bpf_flow_keys. */
const FLOW_KEYS_SIZE = 56;

function checkFlowKeys(a: Access): void {
  const at = fixedOffset(a.reg) + a.off;
  if (at < 0 || at + a.size > FLOW_KEYS_SIZE) refuse(`invalid access to flow keys off=${at} size=${a.size}`);
}

/** How much of it a program uses is held against its size when the program is attached (__check_buffer_access). */
export function checkBuffer(a: Access): void {
  if (a.reg.off + a.off < 0)
    refuse(`R${a.regno} invalid ${typeName(a.reg)} buffer access: off=${a.reg.off + a.off}, size=${a.size}`);
  if (!hasFixedOffset(a.reg) || a.reg.num.value !== 0n)
    refuse(`R${a.regno} invalid variable buffer offset: off=${a.reg.off + a.off}`);
}

function checkBtfOffset(p: Path, a: Access): void {
  // Of nothing: any address will do, for the load is made safe.
  if (isOfNothing(a.reg)) return;
  if (p.strict) refuse(`'struct ${a.reg.struct}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN`);
  if (a.reg.type === 'btf' && !isGplCompatible(p.program.license))
    refuse(`Cannot access kernel 'struct ${a.reg.struct}' from non-GPL compatible program`);
  const name = `${typeName(a.reg)}${a.reg.struct}`;
  if (!hasFixedOffset(a.reg)) refuse(`R${a.regno} is ${name} invalid variable offset: off=${a.off}`);
  if (fixedOffset(a.reg) + a.off < 0)
    refuse(`R${a.regno} is ${name} invalid negative access: off=${fixedOffset(a.reg) + a.off}`);
}

function localFields(program: Program, struct: string): readonly SpecialField[] {
  return program.localTypes.find((t) => t.name === struct)?.fields ?? [];
}

/** Only the copy of one CPU is memory (bpf_per_cpu_ptr). */
function refusePercpu(a: Access): void {
  if (a.reg.percpu)
    refuse(`R${a.regno} is ${typeName(a.reg)}${a.reg.struct} access percpu memory: off=${a.off}`);
}

function invalidAccess(a: Access): never {
  refuse(`R${a.regno} invalid mem access '${typeName(a.reg)}'`);
}

/** What a load of `size` bytes gives, zero-extended. */
export function load(p: Path, a: Access): Reg {
  const { reg } = a;
  if (reg.nullable) invalidAccess(a);
  switch (reg.type) {
    case 'stack':
      return readStack(p, reg, a.regno, a.off, a.size);
    case 'map_value':
      return loadMapValue(p, a);
    case 'map_key':
      checkMemRegion(a, p.program.maps[reg.map]!.keySize);
      return unknownBytes(a.size);
    case 'mem':
    case 'record':
      refusePercpu(a);
      checkMemRegion(a, reg.size);
      return unknownBytes(a.size);
    case 'packet':
    case 'packet_meta':
      checkPacket(p, a, false);
      return unknownBytes(a.size);
    case 'ctx':
      return loadContext(p, contextOffset(a), a.size) ?? unknownBytes(a.size);
    case 'sock':
    case 'sock_common':
    case 'tcp_sock':
    case 'xdp_sock':
      return loadStruct(a);
    case 'btf':
      refusePercpu(a);
      checkBtfOffset(p, a);
      return loadMember(p, reg, a.regno, fixedOffset(reg) + a.off, a.size) ?? unknownBytes(a.size);
    case 'map_ptr':
      if (p.program.kernelTypes === undefined) return invalidAccess(a);
      return loadMapMember(p, reg, a.regno, fixedOffset(reg) + a.off, a.size) ?? unknownBytes(a.size);
    case 'flow_keys':
      checkFlowKeys(a);
      return unknownBytes(a.size);
    case 'buffer':
      checkBuffer(a);
      return unknownBytes(a.size);
    case 'object': {
      refusePercpu(a);
      checkBtfOffset(p, a);
      checkMemRegion(a, reg.size);
      const field = checkSpecialFields(a, localFields(p.program, reg.struct));
      return field === undefined ? unknownBytes(a.size) : loadKptr(p, field);
    }
    default:
      return invalidAccess(a);
  }
}

function refuseLeak(p: Path, a: Access, value: Reg, into: string): void {
  if (p.strict && isPointer(value)) refuse(`R${a.regno} leaks addr into ${into}`);
}

/** Stores `size` bytes of `value`. */
export function store(p: Path, a: Access, value: Reg): void {
  const { reg } = a;
  if (reg.nullable) invalidAccess(a);
  switch (reg.type) {
    case 'stack':
      writeStack(p, reg, a.regno, a.off, a.size, value);
      return;
    case 'map_value': {
      refuseLeak(p, a, value, 'map');
      const map = p.program.maps[reg.map]!;
      checkMemRegion(a, map.valueSize);
      if ((map.flags & MAP_FLAGS.RDONLY_PROG) !== 0 || reg.readonly)
        refuse(
          `write into map forbidden, value_size=${map.valueSize} off=${fixedOffset(reg) + a.off} size=${a.size}`,
        );
      const field = checkSpecialFields(a, map.fields);
      if (field?.kind === 'kptr') refuse('store to referenced kptr disallowed');
      if (field !== undefined && !isNull(value))
        unsupported('a store of a pointer into an unreferenced kptr');
      return;
    }
    case 'mem':
    case 'record':
      if (reg.readonly) refuse(`R${a.regno} cannot write into rdonly_mem`);
      refuseLeak(p, a, value, 'mem');
      checkMemRegion(a, reg.size);
      return;
    case 'packet':
    case 'packet_meta':
      refuseLeak(p, a, value, 'packet');
      checkPacket(p, a, true);
      return;
    case 'ctx': {
      refuseLeak(p, a, value, 'ctx');
      const at = contextOffset(a);
      storeContext(p, at, a.size);
      return;
    }
    case 'sock':
    case 'sock_common':
    case 'tcp_sock':
    case 'xdp_sock':
      refuse(`R${a.regno} cannot write into ${typeName(reg)}`);
      break;
    case 'map_key':
      refuse(`R${a.regno} cannot write into ${typeName(reg)}`);
      break;
    case 'flow_keys':
      refuseLeak(p, a, value, 'flow keys');
      checkFlowKeys(a);
      return;
    case 'buffer':
      if (reg.readonly) refuse(`R${a.regno} cannot write into ${typeName(reg)}`);
      checkBuffer(a);
      return;
    case 'btf':
      if (isOfNothing(reg)) refuse(`R${a.regno} cannot write into ${typeName(reg)}`);
      checkBtfOffset(p, a);
      if (isConnectionMark(p, reg, fixedOffset(reg) + a.off, a.size)) return;
      refuse('only read is supported');
      break;
    case 'object': {
      refusePercpu(a);
      checkBtfOffset(p, a);
      if (reg.trust === 'untrusted') refuse('only read is supported');
      checkMemRegion(a, reg.size);
      const field = checkSpecialFields(a, localFields(p.program, reg.struct));
      if (field !== undefined) refuse('store to referenced kptr disallowed');
      return;
    }
    default:
      invalidAccess(a);
  }
}

/** Known and unknown bits, or the number they are, as tnum_strn of kernel/bpf/tnum.c writes them. */
function bitsOf({ value, mask }: Reg['num']): string {
  const hex = `0x${value.toString(16)}`;
  if (mask !== 0n) return `(${hex}; 0x${mask.toString(16)})`;
  return value <= 0xffffn ? String(value) : hex;
}

/** Alignment that an access must have: the stack always, everything for atomics and acquire/release (check_ptr_alignment). */
export function checkAlignment(a: Access, strict: boolean): void {
  const { reg, size } = a;
  if (reg.type !== 'stack' && !strict) return;
  if (size === 1) return;
  const at = reg.off + a.off;
  // Most addresses are at a small offset that is known.
  if (reg.num.mask === 0n && reg.num.value === 0n && (at & (size - 1)) === 0) return;
  const mask = reg.num.mask;
  const low = BigInt(size - 1);
  const value = BigInt.asUintN(64, reg.num.value + BigInt(at));
  if ((value & low) !== 0n || (mask & low) !== 0n) {
    const what =
      reg.type === 'stack'
        ? 'stack '
        : reg.type === 'packet' || reg.type === 'packet_meta'
          ? 'packet '
          : reg.type === 'map_value'
            ? 'value '
            : '';
    refuse(`misaligned ${what}access off ${bitsOf(reg.num)}+${reg.off}+${a.off} size ${size}`);
  }
}

/** Atomic operations are for memory that is not a context, a packet or a kernel object (atomic_ptr_type_ok). */
export function checkAtomicTarget(a: Access, how: 'loads from' | 'stores into'): void {
  const { type } = a.reg;
  if (
    type === 'ctx' ||
    type === 'packet' ||
    type === 'packet_meta' ||
    type === 'flow_keys' ||
    type === 'sock' ||
    type === 'sock_common' ||
    type === 'tcp_sock' ||
    type === 'xdp_sock'
  ) {
    refuse(`BPF_ATOMIC ${how} R${a.regno} ${typeName(a.reg)} is not allowed`);
  }
}
