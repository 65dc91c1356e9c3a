/**
 * Objects that kernel functions keep on a program's stack: dynptrs, open-coded iterators, saved IRQ states. They are values and
 * never change; a function that moves one on puts a new one in its place. A plain store over one destroys it.
 */
import type { DynptrType, IterType } from '../../kernel/contract.js';
import { DYNPTR_SIZE, IRQ_FLAG_SIZE, ITER_WORDS } from '../../kernel/structs.js';

/** A dynptr (struct bpf_dynptr_kern): the memory that it gives access to, in bytes, and what must be given back. */
export interface DynptrObject {
  readonly kind: 'dynptr';
  readonly type: DynptrType;
  /** Region that it points into; 0 for a null dynptr. */
  readonly region: number;
  readonly offset: number;
  readonly size: number;
  readonly readonly: boolean;
  /** The hold that must be given back through it or a clone of it; 0 for a mere view. */
  readonly hold: number;
}

/** An open-coded iterator, and how far it has come. */
export interface IterObject {
  readonly kind: 'iter';
  readonly type: IterType;
  readonly state: 'active' | 'drained';
  readonly hold: number;
  /** Numbers still to come, for `num` and `bits`: `next` up to `end`, exclusive; for bits, the words to search. */
  readonly next: number;
  readonly end: number;
  readonly words: readonly bigint[];
  /** Region of the element, reused for each number; 0 before the first. */
  readonly element: number;
}

/** A saved IRQ state. Restoring it gives back the hold. */
export interface IrqObject {
  readonly kind: 'irq';
  readonly hold: number;
}

/** Anything that a kernel function keeps in a program's stack slots. */
export type SlotObject = DynptrObject | IterObject | IrqObject;

/** Bytes of stack that it takes. */
export function bytesOf(object: SlotObject): number {
  if (object.kind === 'dynptr') return DYNPTR_SIZE;
  return object.kind === 'irq' ? IRQ_FLAG_SIZE : 8 * ITER_WORDS[object.type];
}
