/**
 * What a run holds now: references, locks, sections, iterators, dynptrs, in the order in which they were taken. The ledger knows what was
 * taken and what is given back, but not how. It decides whether giving back is allowed, and throws a Trap if not.
 */
import type { LockKind, Resource, SectionKind } from '../../kernel/contract.js';
import { address, showAddress } from './address.js';
import { misuse } from './trap.js';

/** What can be held: a reference to a resource, a lock, an RCU or preemption section, or interrupts that are off. */
export type HoldKind = Resource | LockKind | SectionKind | 'irq';

/** Something held. Immutable. */
export interface Hold {
  /** Unique in a run, from 1. */
  readonly id: number;
  readonly kind: HoldKind;
  /** Where it is: the region of the object; of a lock, the memory it lies in; of a slot object, the stack. 0 for a section. */
  readonly region: number;
  readonly offset: number;
  /** Slot of the call that took it. */
  readonly at: number;
  /** The function that took it. */
  readonly by: string;
}

const LOCKS: ReadonlySet<HoldKind> = new Set(['spin_lock', 'res_spin_lock', 'res_spin_lock_irqsave']);
const SECTIONS: ReadonlySet<HoldKind> = new Set(['rcu', 'preempt']);
const IN_SLOTS: ReadonlySet<HoldKind> = new Set(['iterator', 'dynptr', 'null_dynptr']);

/** Whether what is held is a spin lock or a resilient lock, and not a reference or a section. */
export const isLock = (hold: Hold): boolean => LOCKS.has(hold.kind);
/** A reference to an object, held by a pointer to its region. */
export const isReference = (hold: Hold): boolean =>
  !LOCKS.has(hold.kind) && !SECTIONS.has(hold.kind) && !IN_SLOTS.has(hold.kind) && hold.kind !== 'irq';

/** Whether what is held is in a slot of the stack: an iterator or a dynptr. */
export const isInSlot = (hold: Hold): boolean => IN_SLOTS.has(hold.kind);

/** `task reference`, `rcu section`, `spin_lock`: what is held, without who took it. */
export function whatIsHeld(hold: Hold): string {
  if (isReference(hold)) return hold.kind === 'reference' ? hold.kind : `${hold.kind} reference`;
  return SECTIONS.has(hold.kind) ? `${hold.kind} section` : hold.kind;
}

/** `task reference taken by bpf_task_from_pid at 12` */
export function describeHold(hold: Hold): string {
  return `${whatIsHeld(hold)} taken by ${hold.by} at ${hold.at}`;
}

/**
 * The list of what one run holds. Each hold has its slot (`at`) and the function that took it (`by`), so that a leak can name them.
 * Forks share the list until one of them changes.
 */
export class Ledger {
  private list: readonly Hold[] = [];
  private last = 0;

  fork(): Ledger {
    const copy = new Ledger();
    copy.list = this.list;
    copy.last = this.last;
    return copy;
  }

  /** All that is held, oldest first. */
  get holds(): readonly Hold[] {
    return this.list;
  }

  take(kind: HoldKind, region: number, offset: number, at: number, by: string): number {
    this.last++;
    this.list = [...this.list, { id: this.last, kind, region, offset, at, by }];
    return this.last;
  }

  /** Whether the hold with this id is still there. */
  has(id: number): boolean {
    return this.list.some((hold) => hold.id === id);
  }

  /** Takes the hold off the list. The caller has checked that it is there. */
  drop(id: number): void {
    this.list = this.list.filter((hold) => hold.id !== id);
  }

  /** The latest reference to the object in this region, if one is held. */
  reference(region: number): Hold | undefined {
    return this.list.findLast((hold) => hold.region === region && isReference(hold));
  }

  isLocked(region: number, offset: number): boolean {
    return this.list.some((hold) => isLock(hold) && hold.region === region && hold.offset === offset);
  }

  lock(kind: LockKind, region: number, offset: number, at: number, by: string): void {
    if (this.isLocked(region, offset)) {
      throw misuse(`${by} of a lock that is held already: it would wait for ever`);
    }
    this.take(kind, region, offset, at, by);
  }

  /**
   * Gives a lock back; it must be held, of this kind, and the latest one taken. Traps if it is not. One that is held is given back all
   * the same: Linux's unlock functions do not look.
   */
  unlock(kind: LockKind, region: number, offset: number, by: string): void {
    const held = this.list.filter(isLock);
    const top = held.at(-1);
    if (top === undefined) throw misuse(`${by} without taking a lock`);
    const here = held.find((hold) => hold.region === region && hold.offset === offset);
    if (here === undefined)
      throw misuse(`${by} of a lock that is not held (${showAddress(address(region, offset))})`);
    this.drop(here.id);
    if (here.kind !== kind) throw misuse(`${by} of a ${here.kind}`);
    if (here !== top) throw misuse(`${by} out of order: a lock taken later is still held`);
  }

  depth(kind: HoldKind): number {
    let count = 0;
    for (const hold of this.list) if (hold.kind === kind) count++;
    return count;
  }

  /** Leaves the innermost section of this kind; one must be open. */
  leave(kind: SectionKind, by: string): void {
    const hold = this.list.findLast((one) => one.kind === kind);
    if (hold === undefined) throw misuse(`${by} without an open ${kind} section`);
    this.drop(hold.id);
  }

  /** Restores a saved IRQ state: the latest one saved must be restored first. Traps if it is not, and restores it all the same. */
  restoreIrq(id: number, by: string): void {
    const top = this.list.findLast((hold) => hold.kind === 'irq');
    if (top === undefined || !this.has(id)) throw misuse(`${by} of an IRQ state that was restored before`);
    this.drop(id);
    if (top.id !== id) throw misuse(`${by} out of order: an IRQ state saved later is not restored yet`);
  }
}
