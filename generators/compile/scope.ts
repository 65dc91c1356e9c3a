/**
 * What a fragment can use where it stands: scalars and pointers that enclosing fragments keep, and the sections, locks and
 * references that are open there.
 */
import type { DynptrType } from '../../src/kernel/contract.js';
import type { Home } from './frame.js';

/** A scalar that nested code may read; it does not change while it is in scope. */
export interface ScalarThing {
  readonly home: Home;
}

/** A pointer that nested code may use, or a stack object. */
export type Thing =
  | { readonly kind: 'sock'; readonly home: Home; readonly type: string }
  /** Kernel struct. `owned`: this is the acquired reference itself. */
  | {
      readonly kind: 'btf';
      readonly struct: string;
      readonly home: Home;
      /** `plain`: may be read through, but most functions do not accept it. */
      readonly trust: 'trusted' | 'rcu' | 'untrusted' | 'plain';
      readonly owned: boolean;
    }
  | {
      readonly kind: 'region';
      readonly home: Home;
      /** Bytes that may be read, and written unless `readonly`. */
      readonly size: number;
      readonly readonly: boolean;
      /** Byte ranges [from, to) that only helpers may touch. */
      readonly holes: readonly (readonly [number, number])[];
      /** `map_value` may be passed where an argument has to be memory that outlives the call. */
      readonly of: 'map_value' | 'record' | 'mem' | 'object';
    }
  | {
      readonly kind: 'dynptr';
      readonly slot: number;
      readonly type: DynptrType;
      readonly size: number;
      /** `Context.loops` where it was made. */
      readonly loops: number;
    };

/** Sections and locks open at a point, over all frames. */
export interface Context {
  readonly rcu: boolean;
  /** Something in use here is protected only by RCU, so an RCU section must not end here. */
  readonly rcuPinned: boolean;
  readonly preempt: number;
  readonly irq: number;
  /** Names of the locks held, innermost last. */
  readonly locks: readonly string[];
  /** References, iterators and dynptrs held in this frame and its callers. */
  readonly held: number;
  /** How often the insns here may run at most on one path, as far as loops with a known count go. */
  readonly repeats: number;
  /** Loops and callbacks around this point. */
  readonly loops: number;
  /** Functions that change the packet must not be called here. */
  readonly packetFixed: boolean;
  /** A function whose caller may not sleep. */
  readonly sleepless: boolean;
}

export const OUTSIDE: Context = {
  rcu: false,
  rcuPinned: false,
  preempt: 0,
  irq: 0,
  locks: [],
  held: 0,
  repeats: 1,
  loops: 0,
  packetFixed: false,
  sleepless: false,
};
