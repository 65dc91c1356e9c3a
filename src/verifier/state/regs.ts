/** Makes abstract registers. Every register is an immutable value; a change makes a new one. */

import type { Scalar } from '../scalar/scalar.js';
import { constant, unknown } from '../scalar/scalar.js';
import type { Reg, RegType } from './state.js';

const ZERO = constant(0n);

const BLANK: Reg = {
  type: 'uninit',
  nullable: false,
  off: 0,
  num: unknown,
  id: 0,
  ref: 0,
  range: 0,
  map: -1,
  size: 0,
  frame: 0,
  struct: '',
  trust: 'none',
  readonly: false,
  nonOwning: false,
  unowned: false,
  percpu: false,
  dynptr: 0,
};

export const UNINIT: Reg = BLANK;

const UNKNOWN_SCALAR: Reg = { ...BLANK, type: 'scalar' };

/** Marks a buffer whose size is known only when the program is attached. Only loads and stores may access it. */
export const ATTACHED = 'tp';

/** A register that holds this scalar and is linked to no other. */
export function scalarReg(num: Scalar): Reg {
  return num === unknown ? UNKNOWN_SCALAR : { ...UNKNOWN_SCALAR, num };
}

export const unknownReg: Reg = UNKNOWN_SCALAR;
export const nullReg: Reg = { ...UNKNOWN_SCALAR, num: ZERO };

/** The reference that this pointer owns, so that a function may take it over; 0 for none. */
export const ownedRef = (reg: Reg): number => (reg.unowned ? 0 : reg.ref);

/** A pointer at offset 0 of what it points to. */
export function pointerReg(type: RegType, more: Partial<Reg> = {}): Reg {
  return { ...BLANK, type, num: ZERO, ...more };
}

/** An address in the arena; nothing is known of it (PTR_TO_ARENA). */
export const arenaReg: Reg = { ...BLANK, type: 'arena' };

/** Whether a register holds a pointer of any type; a written number and an unwritten register are none. */
export const isPointer = (r: Reg): boolean => r.type !== 'scalar' && r.type !== 'uninit';

/** The value is the constant 0. */
export const isNull = (r: Reg): boolean => r.type === 'scalar' && r.num.mask === 0n && r.num.value === 0n;

/** Whether a pointer's variable offset is a constant. Then `fixedOffset` tells where it points. */
export const hasFixedOffset = (r: Reg): boolean => r.num.mask === 0n;

/** Bytes from the start of what a pointer points to, for a pointer whose variable part is a constant. Ask `hasFixedOffset` first. */
export function fixedOffset(r: Reg): number {
  // The frequent case: there is no variable part.
  return r.num === ZERO ? r.off : r.off + Number(BigInt.asIntN(64, r.num.value));
}

const NAMES: Partial<Record<RegType, string>> = {
  stack: 'fp',
  packet: 'pkt',
  packet_meta: 'pkt_meta',
  packet_end: 'pkt_end',
  record: 'ringbuf_mem',
  btf: 'ptr_',
  object: 'ptr_',
  dynptr: 'dynptr_ptr',
  uninit: '?',
};

/** Kernel memory of unknown type (PTR_TO_MEM | MEM_RDONLY | PTR_UNTRUSTED). Only loads are allowed, at any offset. */
export const isOfNothing = ({ type, struct }: Reg): boolean =>
  type === 'btf' && (struct === 'void' || struct === 'btf_id 0');

/** A register's type as the kernel's messages name it (reg_type_str in kernel/bpf/log.c). */
export function typeName(r: Reg): string {
  if (isOfNothing(r)) return 'rdonly_untrusted_mem';
  const base = NAMES[r.type] ?? r.type;
  const or = r.nullable ? (r.type === 'btf' || r.type === 'object' ? 'or_null_' : '_or_null') : '';
  if (r.type === 'btf' || r.type === 'object') {
    const plain = r.trust === 'none' || (r.type === 'btf' && r.trust === 'trusted' && ownedRef(r) !== 0);
    const trust = plain ? '' : `${r.trust}_`;
    return `${trust}${base}${or}`;
  }
  return `${base}${or}`;
}
