/**
 * What the verifier knows at one point of one path: registers, stack slots, frames, held references, locks, open sections.
 * The shape of struct bpf_verifier_state (include/linux/bpf_verifier.h, Linux 6.18). States that are handed out as facts
 * are never changed again: registers and slots are immutable values, frames are copied before they are written.
 */
import type { DynptrType, IterType, LockKind } from '../../kernel/contract.js';
import type { Scalar } from '../scalar/scalar.js';

export type RegType =
  /** Never written, or clobbered by a call; nothing is known of it. */
  | 'uninit'
  | 'scalar'
  | 'ctx'
  | 'map_ptr'
  | 'map_value'
  | 'map_key'
  | 'stack'
  | 'packet'
  | 'packet_meta'
  | 'packet_end'
  | 'sock'
  | 'sock_common'
  | 'tcp_sock'
  | 'xdp_sock'
  /** Sized memory: a ring-buffer record, a dynptr slice, an iterator's element, a global function's argument. */
  | 'mem'
  | 'record'
  /** A kernel struct known by name. */
  | 'btf'
  /** An object of a local type (bpf_obj_new), or a node of a graph. */
  | 'object'
  | 'func'
  /** The dynptr that bpf_user_ringbuf_drain passes to its callback. */
  | 'dynptr'
  /** What a flow dissector fills in (struct bpf_flow_keys). */
  | 'flow_keys'
  /** Memory whose size is known only when the program is attached. */
  | 'buffer'
  /** An address in the program's arena (PTR_TO_ARENA): 32 bits, of which nothing is known. Every access through it is safe. */
  | 'arena';

/**
 * What is known of one register or spilled value (struct bpf_reg_state). Fields that mean nothing for its type have their neutral
 * value, so that equal registers are equal in all fields.
 */
export interface Reg {
  readonly type: RegType;
  /** May be NULL as far as is known (the `_or_null` types). */
  readonly nullable: boolean;
  /**
   * Constant part of a pointer's offset, in bytes from the start of the object; stack pointers count from the frame's top, so it is <= 0.
   * For a scalar with an id: the constant by which it differs from the number that the id stands for (see `linked-regs.ts`); 0 without an
   * id.
   */
  readonly off: number;
  /** A scalar's value; a pointer's variable offset (added to `off`). */
  readonly num: Scalar;
  /** Registers with the same non-zero id hold the same value (scalars; `off` more, if that is not 0), or are the same possibly-NULL pointer or packet pointer. */
  readonly id: number;
  /** The reference this pointer owns or derives from (ref_obj_id); 0 for none. */
  readonly ref: number;
  /** Packet pointers: bytes from the start that were checked against packet_end. */
  readonly range: number;
  /** map_ptr, map_value, map_key: index into Program.maps; -1 otherwise. */
  readonly map: number;
  /** mem, record: size in bytes. object: size of its struct. A scalar that is the sum of a linked number and `off`: 64 or 32, the width of the addition. */
  readonly size: number;
  /** stack: depth of the frame it points into, 0 is the main program's. func: first slot of the subprogram. */
  readonly frame: number;
  /** btf, object: struct name. mem: type of the dynptr of which a kfunc made it as a slice. */
  readonly struct: string;
  readonly trust: 'none' | 'trusted' | 'rcu' | 'untrusted';
  /** Memory that may only be read. */
  readonly readonly: boolean;
  /** object: a non-owning reference, valid only while the lock is held. */
  readonly nonOwning: boolean;
  /**
   * The pointer was added to a number (`number += pointer`). It is still valid only as long as the reference `ref`, but no function
   * accepts it as the owner (adjust_ptr_min_max_vals does not copy ref_obj_id).
   */
  readonly unowned: boolean;
  /** A per-CPU object. Each CPU has its own copy, so the pointer cannot be used as memory directly. */
  readonly percpu: boolean;
  /** Id of the dynptr that this slice was taken from; 0 for none. */
  readonly dynptr: number;
}

/** What is known of each byte of a stack slot. */
export const BYTE = {
  invalid: 0,
  misc: 1,
  zero: 2,
  spill: 3,
  dynptr: 4,
  iter: 5,
  irq: 6,
  /** The real call would have written this byte, but its stub did not. It must not be read. Occurs only in a killed program. */
  skipped: 7,
} as const;
/** What one byte of a stack slot holds, after enum bpf_stack_slot_type. */
export type ByteKind = (typeof BYTE)[keyof typeof BYTE];

/** An 8-byte stack slot. Byte 0 is the lowest address. */
export interface Slot {
  readonly bytes: readonly ByteKind[];
  /** The register whose value is spilled here, when bytes are `spill`. */
  readonly reg?: Reg;
  /** The stored value is a constant only because it was truncated. Linux truncates it when it is loaded, not before. */
  readonly cut?: true;
  readonly dynptr?: DynptrSlot;
  readonly iter?: IterSlot;
  readonly irq?: IrqSlot;
}

/** A dynptr takes two slots; `first` marks the one at the lower address. */
export interface DynptrSlot {
  readonly type: DynptrType;
  /** Tells this dynptr and its slices from all others. */
  readonly id: number;
  /** Reference that must be given back, or 0. */
  readonly ref: number;
  readonly first: boolean;
}

/** An iterator takes as many slots as its struct has words; `first` marks the one at the lowest address. */
export interface IterSlot {
  readonly type: IterType;
  readonly state: 'active' | 'drained';
  readonly ref: number;
  readonly depth: number;
  readonly first: boolean;
  /** The iterator needs the RCU section it was made in; it is stale once that section ends. */
  readonly rcu: boolean;
  /** That section has ended. The iterator may not even be destroyed now. */
  readonly stale?: true;
}

/** A stack slot that holds a saved IRQ state, and the id of the reference that restoring it gives back. */
export interface IrqSlot {
  readonly ref: number;
  /** Saved by bpf_local_irq_save, or by a resilient lock. */
  readonly by: 'native' | 'lock';
}

/** Something held: a reference, a lock, a saved IRQ state. In the order of acquisition. */
export interface Ref {
  readonly id: number;
  readonly kind: 'pointer' | 'irq' | LockKind;
  /** Slot of the call that acquired it. */
  readonly at: number;
  /** For a lock: the object that it is in (`map N`, `object N`). Two locks are the same only if this and `id` are the same. */
  readonly owner?: string;
}

/** What makes a frame that of a callback: who called it, and what it may return (inclusive). */
export interface CallbackFrame {
  /** Slot of the helper call that runs this callback. */
  readonly call: number;
  readonly returns: readonly [number, number];
  readonly async: boolean;
  /** The callback runs later and may sleep (a work queue's may, a timer's may not). */
  readonly sleepable?: true;
  /** The program was killed while this callback ran: when it returns, the helper that called it stops. */
  readonly stops?: true;
}

/** The registers and the stack of one function that has been called and has not returned (struct bpf_func_state). */
export interface Frame {
  readonly regs: Reg[];
  /** Index 0 is fp-8, index 1 fp-16, and so on; a missing entry is a slot nothing was written to. */
  readonly stack: (Slot | undefined)[];
  /** First slot of the subprogram that runs in this frame. */
  readonly subprog: number;
  /** Slot of the call insn in the caller's frame; -1 in the main program. */
  readonly callsite: number;
  readonly callback?: CallbackFrame;
  /** How often the callback of the call that is being made from this frame has run so far on this path. */
  readonly callbackDepth: number;
}

/** Everything that is known before one insn on one path (struct bpf_verifier_state). The last frame is the one that runs. */
export interface State {
  readonly frames: Frame[];
  readonly refs: readonly Ref[];
  readonly rcu: number;
  readonly preempt: number;
  /** Reference id of the innermost saved IRQ state, 0 for none. */
  readonly irq: number;
  /** may_goto depth. */
  readonly mayGoto: number;
  /** The function that was called last left by unwind_exit, and the insn at hand is the unwind_goto behind its call. */
  readonly unwound?: true;
  /** The path is speculative: only a processor that guessed a branch wrong gets here, for a moment. The state is no fact. */
  readonly speculative?: true;
  /** How many callbacks were entered on this path (callback_unroll_depth); undefined is none. */
  readonly unrolled?: number;
}

/** The innermost frame: that of the function which runs in this state. */
export const frameOf = (state: State): Frame => state.frames[state.frames.length - 1]!;
