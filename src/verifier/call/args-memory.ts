/**
 * Arguments that point to memory which a function reads or writes, and the sizes that go with them. Follows
 * check_helper_mem_access and check_mem_size_reg of kernel/bpf/verifier.c.
 */

import type { Arg } from '../../kernel/contract.js';
import { MAP_FLAGS } from '../../kernel/maptypes.js';
import { contextField, progType } from '../../kernel/progtypes.js';
import { isKptr } from '../../object/program.js';
import {
  checkBuffer,
  checkMemRegion,
  checkPacketRange,
  checkPointerOffset,
  overlaps,
} from '../insn/access.js';
import { checkAlignment } from '../insn/alignment.js';
import { load } from '../insn/memory.js';
import { isConst } from '../scalar/scalar.js';
import type { Path } from '../state/path.js';
import { ATTACHED, fixedOffset, hasFixedOffset, isNull, ownedRef, typeName } from '../state/regs.js';
import { checkFunctionRead, checkFunctionWrite } from '../state/stack.js';
import type { Reg, RegType } from '../state/state.js';
import { refuse, unsupported } from '../text/refusal.js';
import type { CallSite } from './call-site.js';
import { mapOf, trustsArguments } from './call-site.js';

type MemArg = Extract<Arg, { kind: 'mem' }>;

const MEMORY: ReadonlySet<RegType> = new Set([
  'stack',
  'packet',
  'packet_meta',
  'map_key',
  'map_value',
  'mem',
  'record',
  'buffer',
  'btf',
]);
const MEMORY_NAMES = 'fp, pkt, pkt_meta, map_key, map_value, mem, ringbuf_mem, buf, trusted_ptr_';

/** BPF_MAX_VAR_SIZ. */
const MAX_SIZE = 1n << 29n;

function requireMemory(
  p: Path,
  site: CallSite,
  reg: Reg,
  regno: number,
  types: ReadonlySet<RegType>,
  names: string,
): void {
  if (reg.nullable || reg.percpu || !types.has(reg.type))
    refuse(`R${regno} type=${typeName(reg)} expected=${names}`);
  const packet = reg.type === 'packet' || reg.type === 'packet_meta';
  if (!packet || site.contract.kind !== 'helper') return;
  const open = progType(p.program.type).packetArgs;
  if (open === 'none' || (open === 'marked' && site.contract.packetArgs !== true))
    refuse('helper access to the packet is not allowed');
}

/** `size` bytes at the register may be accessed this way. For the stack, written bytes become known as written. */
export function checkHelperMem(
  p: Path,
  reg: Reg,
  regno: number,
  size: number,
  access: MemArg['access'],
  exact: boolean,
): void {
  const write = access !== 'read';
  switch (reg.type) {
    case 'stack':
      if (access === 'write' && exact) checkFunctionWrite(p, reg, regno, size, true);
      else checkFunctionRead(p, reg, regno, size, write);
      return;
    case 'map_value': {
      const map = p.program.maps[reg.map]!;
      if (access !== 'write' && (map.flags & MAP_FLAGS.WRONLY_PROG) !== 0)
        refuse(`read from map forbidden, value_size=${map.valueSize} off=${reg.off} size=${size}`);
      if (write && (map.flags & MAP_FLAGS.RDONLY_PROG) !== 0)
        refuse(`write into map forbidden, value_size=${map.valueSize} off=${reg.off} size=${size}`);
      const whole = { reg, regno, off: 0, size };
      checkMemRegion(whole, map.valueSize);
      for (const field of map.fields) {
        if (!overlaps(whole, field)) continue;
        refuse(
          isKptr(field)
            ? 'kptr cannot be accessed indirectly by helper'
            : `bpf_${field.kind} cannot be accessed directly by load/store`,
        );
      }
      return;
    }
    case 'map_key':
      if (write) refuse(`R${regno} cannot write into ${typeName(reg)}`);
      // Of a key not even nothing may be passed (check_helper_mem_access).
      if (size === 0) refuse(`R${regno} min value is outside of the allowed memory range`);
      checkMemRegion({ reg, regno, off: 0, size }, p.program.maps[reg.map]!.keySize);
      return;
    case 'mem':
    case 'record':
      // A slice of a packet's dynptr may be passed from its start only: its type is none of those that check_func_arg_reg_off lets move.
      if (reg.struct !== '') checkPointerOffset(reg, regno, reg.readonly ? 'rdonly_mem' : 'mem');
      if (write && reg.readonly) refuse(`R${regno} cannot write into rdonly_mem`);
      checkMemRegion({ reg, regno, off: 0, size }, reg.size);
      return;
    case 'packet':
    case 'packet_meta': {
      if (reg.num.smin < 0n)
        refuse(`R${regno} min value is negative, either use unsigned index or do a if (index >=0) check.`);
      checkPacketRange({ reg, regno, off: 0, size });
      return;
    }
    case 'buffer':
      if (reg.struct === ATTACHED) break;
      checkBuffer({ reg, regno, off: 0, size });
      if (write && reg.readonly) refuse(`R${regno} type=rdonly_buf expected=${MEMORY_NAMES}`);
      return;
    case 'btf':
      // A pointer with a reference is trusted, though its type does not say so.
      if (write || reg.trust !== 'trusted' || ownedRef(reg) !== 0)
        refuse(`R${regno} type=${typeName(reg)} expected=${MEMORY_NAMES}`);
      // What members there are is not known. None is of no size, and few are longer than a word.
      if (p.program.kernelTypes === undefined && (size === 0 || size > 8))
        unsupported('memory of a kernel struct, without the BTF of the kernel');
      load(p, { reg, regno, off: 0, size });
      return;
    case 'ctx':
      if (isPlainContext(p, reg, size, access)) return;
      break;
    default:
  }
  refuse(`R${regno} type=${typeName(reg)} expected=${MEMORY_NAMES}`);
}

/** Of a context whose members the kernel does not rewrite only the last byte is looked at. */
function isPlainContext(p: Path, reg: Reg, size: number, access: MemArg['access']): boolean {
  const { type, attach } = p.program;
  if (progType(type).bytes === undefined || !hasFixedOffset(reg)) return false;
  if (size === 0) return true;
  const at = fixedOffset(reg) + size - 1;
  const isOpen = (how: 'read' | 'write'): boolean => contextField(type, at, 1, how, attach) !== undefined;
  return (access === 'write' || isOpen('read')) && (access === 'read' || isOpen('write'));
}

/** The kernel lets this kfunc take NULL with a size of 0: there is no memory to check. */
function takesNoMemory({ kernel }: Path, { contract, regs }: CallSite, sizeArg: number): boolean {
  if (!kernel.behaviour.nullKfuncMemory || trustsArguments(contract)) return false;
  const size = regs[sizeArg]!;
  return size.type === 'scalar' && isConst(size.num) && size.num.value === 0n;
}

/** A memory argument. Its size is fixed, or in another argument, which is checked here too. */
export function checkMem(p: Path, site: CallSite, index: number, arg: MemArg): void {
  const reg = site.regs[index]!;
  const regno = index + 1;
  const nullable = arg.nullable === true || arg.optional === true;
  if (arg.mapValue === true && reg.type !== 'map_value') {
    refuse(`R${regno} type=${typeName(reg)} expected=map_value`);
  }
  if ('bytes' in arg.size) {
    if (nullable && isNull(reg)) return;
    requireMemory(p, site, reg, regno, MEMORY, MEMORY_NAMES);
    if (arg.aligned === true) checkAlignment({ reg, regno, off: 0, size: arg.size.bytes }, true);
    checkHelperMem(p, reg, regno, arg.size.bytes, arg.access, true);
    return;
  }
  // Some 6.18 kernels accept NULL with a size of 0 for memory that is not marked `__nullable`. Others do not.
  if (site.contract.kind === 'kfunc' && (isNull(reg) || reg.nullable)) {
    if (isNull(reg) && (nullable || takesNoMemory(p, site, arg.size.arg))) return;
    refuse(`Possibly NULL pointer passed to trusted arg${index}`);
  }
  const sizeArg = site.contract.args[arg.size.arg]!;
  const size = site.regs[arg.size.arg]!;
  const sizeNo = arg.size.arg + 1;
  if (size.type === 'uninit') refuse(`R${sizeNo} !read_ok`);
  if (size.type !== 'scalar') refuse(`R${sizeNo} type=${typeName(size)} expected=scalar`);
  const zero = sizeArg.kind === 'size' ? sizeArg.zero : true;
  if (size.num.smin < 0n) refuse(`R${sizeNo} min value is negative, either use unsigned or 'var &= const'`);
  if (size.num.umin === 0n && !zero) {
    refuse(`R${sizeNo} invalid zero-sized read: u64=[${size.num.umin},${size.num.umax}]`);
  }
  if (size.num.umax >= MAX_SIZE)
    refuse(`R${sizeNo} unbounded memory access, use 'var &= const' or 'if (var < const)'`);
  // If a helper's argument is NULL, the size must be 0 (check_helper_mem_access).
  if (nullable && isNull(reg)) {
    if (size.num.umax === 0n) return;
    refuse(`R${regno} type=scalar expected=fp`);
  }
  requireMemory(p, site, reg, regno, MEMORY, MEMORY_NAMES);
  // If the size is not known, the function may write fewer bytes than the maximum. So all bytes must have been written before.
  checkHelperMem(p, reg, regno, Number(size.num.umax), arg.access, isConst(size.num));
}

/**
 * Checks a size argument: it must be a number, and a constant where the contract asks for one. Its memory is checked with the memory
 * argument.
 */
export function checkSize(site: CallSite, index: number, arg: Extract<Arg, { kind: 'size' }>): void {
  const reg = site.regs[index]!;
  if (reg.type !== 'scalar') refuse(`R${index + 1} type=${typeName(reg)} expected=scalar`);
  if (arg.constant === true && !isConst(reg.num)) refuse(`R${index + 1} must be a known constant`);
}

/**
 * Linux wants keys and values in writable memory, though the function only reads them, and takes no slice of a dynptr for them, though it takes
 * one for any other memory (check_reg_type).
 */
function requirePlain(site: CallSite, reg: Reg, regno: number): void {
  if (reg.type === 'btf' && !reg.nullable && reg.trust === 'trusted' && ownedRef(reg) === 0)
    refuse(`${site.contract.name}() may write into memory pointed by R${regno} type=${typeName(reg)}`);
  if (reg.readonly && (reg.type === 'mem' || reg.type === 'buffer'))
    refuse(`R${regno} type=rdonly_${typeName(reg)} expected=${MEMORY_NAMES}`);
  if (reg.type === 'mem' && reg.struct !== '')
    refuse(`R${regno} type=${typeName(reg)} expected=${MEMORY_NAMES}`);
}

/** Checks that an argument points to as many readable bytes as a key of the call's map has. */
export function checkMapKey(p: Path, site: CallSite, index: number): void {
  const reg = site.regs[index]!;
  requirePlain(site, reg, index + 1);
  requireMemory(p, site, reg, index + 1, MEMORY, MEMORY_NAMES);
  checkHelperMem(p, reg, index + 1, mapOf(p, site).keySize, 'read', true);
}

/**
 * Checks that an argument points to as many bytes as a value of the call's map has. `uninit`: the function fills them, so they need
 * not be written yet.
 */
export function checkMapValue(p: Path, site: CallSite, index: number, uninit: boolean): void {
  const reg = site.regs[index]!;
  requirePlain(site, reg, index + 1);
  requireMemory(p, site, reg, index + 1, MEMORY, MEMORY_NAMES);
  checkHelperMem(p, reg, index + 1, mapOf(p, site).valueSize, uninit ? 'write' : 'read', true);
}
