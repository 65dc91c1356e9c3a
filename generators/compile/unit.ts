/** Functions of a program while they are written and after: what the compiler keeps of each. */
import { type Reg, r1, registers } from '../../src/isa/build.js';
import { slots } from '../../src/isa/insn.js';
import type { Item } from '../../src/isa/label.js';
import type { Allocator, Home } from './frame.js';
import type { Context, ScalarThing, Thing } from './scope.js';

/** `exception`: the exception callback. */
export type FunctionKind = 'main' | 'static' | 'global' | 'callback' | 'async' | 'exception';

/** The text of one function, with labels, after the last insn was written. */
export interface Unit {
  readonly label: string;
  readonly items: readonly Item[];
  readonly kind: FunctionKind;
}

/** What a function finds in an argument register on entry, and keeps for its fragments. */
export interface Param {
  readonly reg: Reg<64>;
  /** Puts what is kept into scope; `ctx` is the context pointer. */
  readonly as: 'ctx' | 'scalar' | ((home: Home) => Thing);
  /** Keeps it on the stack. */
  readonly spill?: boolean;
}

/** A function that is being written. */
export interface Frame {
  readonly kind: FunctionKind;
  readonly returns: readonly [number, number];
  readonly allocator: Allocator;
  readonly items: Item[];
  readonly things: Thing[];
  readonly scalars: ScalarThing[];
  readonly closers: (() => void)[];
  ctx: Home | undefined;
  /** Homes that were read. */
  readonly read: Set<Home>;
}

/** Nothing is held, no section is open. */
export function isClear({ rcu, preempt, irq, locks, held }: Context): boolean {
  return !rcu && preempt === 0 && irq === 0 && locks.length === 0 && held === 0;
}

/** Slots of an item. */
export function size(item: Item): number {
  return item.kind === 'label' ? 0 : slots(item.kind === 'linked' ? item.op : item);
}

/** Index of `wanted` in `list`, to which it is added if it is missing. */
export function index(list: string[], wanted: string): number {
  const at = list.indexOf(wanted);
  return at >= 0 ? at : list.push(wanted) - 1;
}

/** r1 to r5, in which arguments are passed. */
export const ARGUMENTS: readonly Reg<64>[] = [r1, ...registers.slice(2, 6)];
