/**
 * Reads and writes of stack slots: which bytes are known, which hold a spilled register, which belong to a dynptr, an iterator
 * or a saved IRQ state. Follows check_stack_read*, check_stack_write* and check_stack_range_initialized of
 * kernel/bpf/verifier.c. Offsets count from the frame's top and are negative.
 */
import { STACK_SIZE } from '../../isa/insn.js';
import { scalarArithmetic } from '../scalar/alu.js';
import { isConst } from '../scalar/scalar.js';
import { refuse } from '../text/refusal.js';
import type { Path } from './path.js';
import { EMPTY_SLOT } from './path.js';
import {
  ATTACHED,
  fixedOffset,
  hasFixedOffset,
  isPointer,
  nullReg,
  scalarReg,
  UNINIT,
  unknownReg,
} from './regs.js';
import type { ByteKind, Reg, Slot } from './state.js';
import { BYTE } from './state.js';

const WORD = 8;

/** Index of the slot that holds the byte at this offset. */
export const slotOf = (off: number): number => (-off - 1) >> 3;
/** Position of the byte at this offset in its slot, 0 for the lowest address. */
const byteOf = (off: number): number => off & 7;

/** Whether a stack byte belongs to a dynptr, an iterator or a saved IRQ state, which plain stores must not change. */
export const isSpecial = (kind: ByteKind): boolean =>
  kind === BYTE.dynptr || kind === BYTE.iter || kind === BYTE.irq;

/** The range of offsets that an access may touch, refused when it may leave the frame. */
export function stackRange(
  p: Path,
  ptr: Reg,
  regno: number,
  off: number,
  size: number,
  way: 'read from' | 'write to',
): { readonly min: number; readonly max: number; readonly fixed: boolean } {
  const fixed = hasFixedOffset(ptr);
  if (!fixed && p.strict) {
    refuse(`R${regno} variable stack access prohibited for !root, var_off=${offsetText(ptr)} off=${off}`);
  }
  const limit = 1n << 29n;
  if (!fixed && (ptr.num.smax >= limit || ptr.num.smin <= -limit)) {
    refuse(`invalid unbounded variable-offset ${way} stack R${regno}`);
  }
  const min = ptr.off + Number(ptr.num.smin) + off;
  const max = ptr.off + Number(ptr.num.smax) + off;
  // Even an access of 0 bytes must not be at the frame's top, nor read below all that was written (check_stack_slot_within_bounds).
  const unused =
    p.strict && way === 'read from' && size === 0 && slotOf(min) >= p.frameAt(ptr.frame).stack.length;
  if (min < -STACK_SIZE || min >= 0 || max + size > 0 || unused) {
    if (fixed) refuse(`invalid ${way} stack R${regno} off=${min} size=${size}`);
    refuse(
      `invalid variable-offset ${way} stack R${regno} var_off=${offsetText(ptr)} off=${off} size=${size}`,
    );
  }
  p.touchStack(ptr.frame, -min);
  return { min, max, fixed };
}

function offsetText(ptr: Reg): string {
  return `(0x${ptr.num.value.toString(16)}; 0x${ptr.num.mask.toString(16)})`;
}

// Writes.

/**
 * Destroys the dynptr of which a slot is overwritten, both halves. A dynptr with a reference must not be overwritten
 * (destroy_if_dynptr_stack_slot).
 */
export function destroyDynptrAt(p: Path, depth: number, index: number): void {
  const slot = p.slot(depth, index);
  const dynptr = slot?.dynptr;
  if (dynptr === undefined) return;
  // Linux 6.18 refuses this also for one of several clones. Later kernels allow it.
  if (dynptr.ref !== 0) refuse('cannot overwrite referenced dynptr');
  const pair = dynptr.first ? index - 1 : index + 1;
  p.setSlot(depth, index, EMPTY_SLOT);
  p.setSlot(depth, pair, EMPTY_SLOT);
  // Linux 6.18 keeps slices that kfuncs made as valid memory. Here they become invalid, and are no numbers either.
  p.mapRegs((r) => (r.dynptr !== dynptr.id ? r : r.struct !== '' ? UNINIT : p.invalid()));
}

function writeBytes(p: Path, depth: number, off: number, size: number, kind: ByteKind): void {
  for (let index = slotOf(off + size - 1); index <= slotOf(off); index++) {
    const base = -(index + 1) * WORD;
    const old = p.slot(depth, index) ?? EMPTY_SLOT;
    const from = Math.max(off, base) - base;
    const to = Math.min(off + size, base + WORD) - base;
    // A slot with a spill or an object loses all of it, also the bytes that are not overwritten.
    const whole = old.bytes[0] === BYTE.spill || isSpecial(old.bytes[0]!);
    const bytes: ByteKind[] = [];
    for (let i = 0; i < WORD; i++) {
      const before = old.bytes[i]!;
      if (i >= from && i < to) bytes.push(kind);
      else bytes.push(whole && before !== BYTE.invalid ? BYTE.misc : scrubbedByte(before));
    }
    p.setSlot(depth, index, { bytes });
  }
}

/**
 * What a slot's other bytes hold after part of the slot was overwritten (scrub_spilled_slot). As in Linux, the other bytes of a spilled
 * zero are not known to be zero.
 */
const scrubbedByte = (before: ByteKind): ByteKind =>
  before === BYTE.spill || isSpecial(before) ? BYTE.misc : before;

const isZero = (r: Reg): boolean => r.type === 'scalar' && isConst(r.num) && r.num.value === 0n;

/** Without CAP_PERFMON no part of a spilled pointer may be overwritten. One that became invalid is not a scalar. */
function refuseCorruption(p: Path, slot: Slot | undefined): void {
  const spilled = slot?.bytes[0] === BYTE.spill ? slot.reg : undefined;
  if (p.strict && spilled !== undefined && spilled.type !== 'scalar')
    refuse('attempt to corrupt spilled pointer on stack');
}

/** Stores a register (or an immediate as a scalar) at a fixed offset of frame `depth`. */
function writeFixed(p: Path, depth: number, off: number, size: number, value: Reg): void {
  p.guard?.beforeStore(p.slot(depth, slotOf(off))?.bytes, size, isPointer(value));
  for (let index = slotOf(off + size - 1); index <= slotOf(off); index++) destroyDynptrAt(p, depth, index);
  const index = slotOf(off);
  const aligned = byteOf(off) === 0;
  const old = p.slot(depth, index);
  if (size !== WORD) refuseCorruption(p, old);
  // To Linux these are no pointers that can be spilled (is_spillable_regtype): what is read back is a number.
  if (value.type === 'dynptr' || value.struct === ATTACHED) {
    writeBytes(p, depth, off, size, BYTE.misc);
    return;
  }
  if (isPointer(value)) {
    if (size !== WORD) refuse('invalid size of register spill');
    if (depth !== p.depth && value.type === 'stack')
      refuse('cannot spill pointers to stack into stack frame of the caller');
  }
  if (aligned && (isPointer(value) || value.type === 'scalar')) {
    const bytes: ByteKind[] = [];
    for (let i = 0; i < WORD; i++) {
      if (i < size) bytes.push(BYTE.spill);
      else bytes.push(scrubbedByte(old?.bytes[i] ?? BYTE.invalid));
    }
    const reg = size === WORD ? value : truncated(value, size);
    const cut = isConst(reg.num) && reg !== value;
    p.setSlot(depth, index, { bytes, reg, ...(cut ? { cut } : {}) });
    return;
  }
  writeBytes(p, depth, off, size, isZero(value) ? BYTE.zero : BYTE.misc);
}

function truncated(value: Reg, size: number): Reg {
  const bits = (size * 8) as 8 | 16 | 32;
  // If the value fits in the stored bytes, the spill has the same value and stays linked.
  if (value.num.umax < 1n << BigInt(bits)) return value;
  return scalarReg(scalarArithmetic.zeroExtend(bits, value.num));
}

/** Stores to the stack through `ptr` at `off`. */
export function writeStack(p: Path, ptr: Reg, regno: number, off: number, size: number, value: Reg): void {
  const range = stackRange(p, ptr, regno, off, size, 'write to');
  if (range.fixed) {
    writeFixed(p, ptr.frame, range.min, size, value);
    return;
  }
  // It is not known which bytes are written. Every byte in range may keep its old value or get the new one (check_stack_write_var_off).
  for (let index = slotOf(range.max + size - 1); index <= slotOf(range.min); index++) {
    destroyDynptrAt(p, ptr.frame, index);
  }
  for (let at = range.min; at < range.max + size; at++) {
    const index = slotOf(at);
    const old = p.slot(ptr.frame, index) ?? EMPTY_SLOT;
    const before = old.bytes[byteOf(at)]!;
    if (before === BYTE.invalid && p.strict) {
      refuse(`uninit stack in range of var-offset write prohibited for !root; invalid write to stack`);
    }
    // Writing zero over zero changes nothing, whether it is a zero byte or part of a spilled zero.
    const wasZero =
      before === BYTE.zero || (before === BYTE.spill && old.reg !== undefined && isZero(old.reg));
    if (wasZero && isZero(value)) continue;
    writeBytes(p, ptr.frame, at, 1, BYTE.misc);
  }
}

/** A function fills this memory: every byte in range becomes unknown but written. */
export function writeUnknownBytes(p: Path, depth: number, off: number, size: number): void {
  if (size === 0) return;
  for (let index = slotOf(off + size - 1); index <= slotOf(off); index++)
    p.guard?.beforeStore(p.slot(depth, index)?.bytes, 1, false);
  for (let index = slotOf(off + size - 1); index <= slotOf(off); index++) destroyDynptrAt(p, depth, index);
  writeBytes(p, depth, off, size, BYTE.misc);
}

// Reads.

/** Loads from the stack through `ptr` at `off`; the result is zero-extended. */
export function readStack(p: Path, ptr: Reg, regno: number, off: number, size: number): Reg {
  const range = stackRange(p, ptr, regno, off, size, 'read from');
  if (!range.fixed) {
    requireReadable(p, ptr.frame, range.min, range.max + size - range.min, regno);
    // A spilled zero does not count as zero bytes here (mark_reg_stack_read).
    return allZero(p, ptr.frame, range.min, range.max + size - range.min) ? nullReg : unknownOfSize(size);
  }
  return readFixed(p, ptr.frame, range.min, size, regno);
}

function readFixed(p: Path, depth: number, off: number, size: number, regno: number): Reg {
  const slot = p.slot(depth, slotOf(off)) ?? EMPTY_SLOT;
  const at = byteOf(off);
  if (slot.reg !== undefined && slot.bytes[at] === BYTE.spill) {
    const spilled = slot.bytes.filter((b) => b === BYTE.spill).length;
    if (isPointer(slot.reg)) {
      if (size === WORD) return slot.reg;
      return refuse('invalid size of register fill');
    }
    if (at === 0 && size <= spilled) {
      return size === WORD ? slot.reg : truncated(slot.reg, size);
    }
  }
  requireReadable(p, depth, off, size, regno);
  // As in Linux, a mix of zero bytes and bytes of a spilled zero is not known to be zero.
  const ofSpilledZero =
    slot.reg !== undefined &&
    isZero(slot.reg) &&
    slot.bytes.slice(at, at + size).every((kind) => kind === BYTE.spill);
  return ofSpilledZero || allZero(p, depth, off, size) ? nullReg : unknownOfSize(size);
}

/** A load of fewer than 8 bytes is zero-extended, whatever was loaded. */
function unknownOfSize(size: number): Reg {
  return size === WORD
    ? unknownReg
    : scalarReg(scalarArithmetic.zeroExtend((size * 8) as 8 | 16 | 32, unknownReg.num));
}

/** Whether every byte is marked as zero. */
function allZero(p: Path, depth: number, off: number, size: number): boolean {
  for (let at = off; at < off + size; at++) {
    if (p.slot(depth, slotOf(at))?.bytes[byteOf(at)] !== BYTE.zero) return false;
  }
  return true;
}

/** A stub does not write this memory, though the real call would have. Bytes that were not written before must not be read. */
export function markLeftUnwritten(p: Path, ptr: Reg, size: number): void {
  if (ptr.type !== 'stack' || !hasFixedOffset(ptr)) return;
  const off = fixedOffset(ptr);
  for (let at = off; at < off + size && at < 0; at++) {
    const index = slotOf(at);
    const old = p.slot(ptr.frame, index) ?? EMPTY_SLOT;
    if (old.bytes[byteOf(at)] !== BYTE.invalid) continue;
    const bytes = old.bytes.slice();
    bytes[byteOf(at)] = BYTE.skipped;
    p.setSlot(ptr.frame, index, { ...old, bytes });
  }
}

/** Every byte may be read as a number: written, and no part of a dynptr, iterator or IRQ state. */
export function requireReadable(p: Path, depth: number, off: number, size: number, regno: number): void {
  for (let at = off; at < off + size; at++) {
    const slot = p.slot(depth, slotOf(at));
    const kind = slot?.bytes[byteOf(at)] ?? BYTE.invalid;
    const pointer = kind === BYTE.spill && slot?.reg !== undefined && isPointer(slot.reg);
    if (kind === BYTE.misc || kind === BYTE.zero || (kind === BYTE.spill && !(pointer && p.strict))) continue;
    if (kind === BYTE.invalid && !p.strict) continue;
    if (kind === BYTE.skipped) refuse(`read of the stack at fp${at}, which a stub left unwritten`);
    refuse(`invalid read from stack R${regno} off=${off} size=${size}`);
  }
}

/** A function reads `size` bytes from the stack (check_stack_range_initialized). `clobber`: it may also write them. */
export function checkFunctionRead(p: Path, ptr: Reg, regno: number, size: number, clobber: boolean): void {
  const range = stackRange(p, ptr, regno, 0, size, 'read from');
  const length = range.max + size - range.min;
  requireReadable(p, ptr.frame, range.min, length, regno);
  if (clobber) writeUnknownBytes(p, ptr.frame, range.min, length);
}

/**
 * A function writes `size` bytes to the stack. At a variable offset the bytes must have been readable before. `raw`: plain memory, which
 * must not overlap a dynptr. Where an iterator, an IRQ state or another dynptr is made, it may overlap a dynptr that needs no destroying.
 */
export function checkFunctionWrite(p: Path, ptr: Reg, regno: number, size: number, raw = false): void {
  const range = stackRange(p, ptr, regno, 0, size, 'write to');
  if (!range.fixed) {
    checkFunctionRead(p, ptr, regno, size, true);
    return;
  }
  for (let at = range.min; raw && at < range.min + size; at++) {
    const slot = p.slot(ptr.frame, slotOf(at));
    if (slot?.bytes[byteOf(at)] === BYTE.dynptr) refuse(`potential write to dynptr at off=${at} disallowed`);
    // To Linux the function stores byte by byte.
    refuseCorruption(p, slot);
  }
  writeUnknownBytes(p, ptr.frame, range.min, size);
}

/** The offset of a stack pointer. Refuses a variable one, which dynptrs, iterators and IRQ states do not allow. */
export function fixedStackOffset(ptr: Reg, what: string): number {
  if (ptr.type !== 'stack' || !hasFixedOffset(ptr)) refuse(`${what} has to be at a constant offset`);
  return fixedOffset(ptr);
}
