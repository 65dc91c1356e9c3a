/**
 * Loads and stores. What they may do depends on the type of the base register. Follows check_mem_access and the checks below it in
 * kernel/bpf/verifier.c. Every function refuses by throwing, with the kernel's message.
 */

import { MAP_FLAGS } from '../../kernel/maptypes.js';
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
import {
  type Access,
  checkBtfOffset,
  checkBuffer,
  checkFlowKeys,
  checkMemRegion,
  checkPacket,
  checkPointerOffset,
  checkSpecialFields,
  refusePercpu,
  refuseSpecialFields,
} from './access.js';
import { loadMember } from './btf-access.js';
import { loadContext, storeContext } from './context.js';
import { loadMapMember, mayWriteMember } from './kernel-members.js';

const unknownBytes = (size: number): Reg =>
  size === 8 ? unknownReg : scalarReg(scalarArithmetic.zeroExtend((size * 8) as 8 | 16 | 32, unknownReg.num));

function loadMapValue(p: Path, a: Access): Reg {
  const map = p.program.maps[a.reg.map]!;
  checkMemRegion(a, map.valueSize);
  if ((map.flags & MAP_FLAGS.WRONLY_PROG) !== 0)
    refuse(`read from map forbidden, value_size=${map.valueSize} off=${a.off} size=${a.size}`);
  const field = checkSpecialFields(a, map.fields);
  if (field !== undefined) {
    checkPlainAccess(a);
    return loadKptr(p, field);
  }
  const known = frozenContents(
    a,
    map.initial,
    map.frozen === true && (map.flags & MAP_FLAGS.RDONLY_PROG) !== 0,
  );
  return known ?? unknownBytes(a.size);
}

/** A kptr of a map is loaded and stored by plain insns only (check_map_kptr_access). */
function checkPlainAccess(a: Access): void {
  if (a.atomic === true) refuse('kptr in map can only be accessed using BPF_MEM instruction mode');
}

/** A load from a frozen read-only map is a constant (bpf_map_direct_read). */
function frozenContents(a: Access, initial: Uint8Array | undefined, frozen: boolean): Reg | undefined {
  if (!frozen || initial === undefined || !hasFixedOffset(a.reg)) return undefined;
  const at = fixedOffset(a.reg) + a.off;
  let value = 0n;
  for (let i = a.size - 1; i >= 0; i--) value = (value << 8n) | BigInt(initial[at + i] ?? 0);
  return scalarReg(constant(value));
}

/**
 * The object behind a kptr may be freed at any time. Inside an RCU section it can be read; outside, the pointer is untrusted. An allocated
 * object that was loaded inside of a section belongs to nobody once the section has ended.
 */
export function loadKptr(p: Path, field: SpecialField): Reg {
  const struct = field.struct ?? '';
  const local = p.program.localTypes.find((t) => t.name === struct);
  const trust = field.kind !== 'kptr_untrusted' && p.inRcu ? 'rcu' : 'untrusted';
  const id = p.newId();
  if (local !== undefined) {
    return pointerReg('object', {
      struct,
      size: local.size,
      nullable: true,
      id,
      trust,
      unowned: trust === 'rcu',
      percpu: trust === 'rcu' && field.kind === 'kptr_percpu',
    });
  }
  return pointerReg('btf', { struct, nullable: true, id, trust });
}

/**
 * Linux expects an allocated object to be owned, non-owning or under RCU (check_ptr_to_btf_access), and reports a verifier bug otherwise.
 */
function checkOwned(reg: Reg): void {
  if (reg.unowned && !reg.nonOwning && reg.trust !== 'rcu')
    refuse('verifier bug: ref_obj_id for allocated object must be non-zero');
}

/** The register must be the context pointer itself, not moved. The insn may have an offset (__check_ptr_off_reg). */
function contextOffset(a: Access): number {
  checkPointerOffset(a.reg, a.regno, 'ctx');
  return a.off;
}

function loadStruct(a: Access): Reg {
  const at = fixedOffset(a.reg) + a.off;
  if (!hasFixedOffset(a.reg))
    refuse(`R${a.regno} is ${typeName(a.reg)} invalid variable offset: off=${a.off}`);
  const field = structAccess(a.reg.type as 'sock' | 'sock_common' | 'tcp_sock' | 'xdp_sock', at, a.size);
  if (field === undefined) refuse(`R${a.regno} invalid ${typeName(a.reg)} access off=${at} size=${a.size}`);
  return unknownBytes(a.size);
}

function localFields(program: Program, struct: string): readonly SpecialField[] {
  return program.localTypes.find((t) => t.name === struct)?.fields ?? [];
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
    // A page that is not there reads as zeroes, and user space may write any page at any time.
    case 'arena':
      return unknownBytes(a.size);
    case 'object': {
      checkOwned(a.reg);
      refusePercpu(a);
      checkBtfOffset(p, a);
      checkMemRegion(a, reg.size);
      refuseSpecialFields(a, localFields(p.program, reg.struct));
      return unknownBytes(a.size);
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
      if (field !== undefined) checkPlainAccess(a);
      if (field?.kind === 'kptr' || field?.kind === 'kptr_percpu')
        refuse('store to referenced kptr disallowed');
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
    case 'arena':
      return;
    case 'btf':
      if (isOfNothing(reg)) refuse(`R${a.regno} cannot write into ${typeName(reg)}`);
      checkBtfOffset(p, a);
      if (mayWriteMember(p, reg, fixedOffset(reg) + a.off, a.size)) return;
      refuse('only read is supported');
      break;
    case 'object': {
      checkOwned(a.reg);
      refusePercpu(a);
      checkBtfOffset(p, a);
      if (reg.trust === 'untrusted') refuse('only read is supported');
      checkMemRegion(a, reg.size);
      refuseSpecialFields(a, localFields(p.program, reg.struct));
      return;
    }
    default:
      invalidAccess(a);
  }
}
