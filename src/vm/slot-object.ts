/**
 * Objects that kernel functions keep on a program's stack: dynptrs, open-coded iterators, saved IRQ states. They are values and
 * never change; a function that moves one on puts a new one in its place. A plain store over one destroys it.
 */
import type { DynptrType, IterType } from '../kernel/contract.js';
import { DYNPTR_SIZE, IRQ_FLAG_SIZE, ITER_WORDS } from '../kernel/structs.js';

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

export interface IrqObject {
  readonly kind: 'irq';
  readonly hold: number;
}

export type SlotObject = DynptrObject | IterObject | IrqObject;

/** Bytes of stack that it takes. */
export function bytesOf(object: SlotObject): number {
  if (object.kind === 'dynptr') return DYNPTR_SIZE;
  return object.kind === 'irq' ? IRQ_FLAG_SIZE : 8 * ITER_WORDS[object.type];
}
