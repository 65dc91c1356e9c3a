/**
 * What a machine offers to the interpreter in `step.ts`. Three machines implement it: the verifier (abstract values), the
 * VM (64-bit values) and the symbolic engine (Z3 terms). A value `V` is whatever the machine puts in a register.
 */
import type { AtomicOp, BinaryOp, Comparison, Imm64Kind, Size, Width } from '../isa/insn.js';

/** Arithmetic on values of one kind: abstract, concrete, or terms. */
export interface Domain<V> {
  /** A 64-bit constant, given as a signed or unsigned bigint. */
  constant(value: bigint): V;
  /**
   * `a op b`. At width 32 only the low halves count and the result is zero-extended. Shift counts are masked by width - 1,
   * x / 0 = 0, x % 0 = x (RFC 9669, section 4.1).
   */
  binary(op: BinaryOp, width: Width, a: V, b: V): V;
  negate(width: Width, a: V): V;
  /** The low `bits` of a, the rest zero. */
  zeroExtend(bits: 8 | 16 | 32, a: V): V;
  /** The low `bits` of a, sign-extended to 64. */
  signExtend(bits: 8 | 16 | 32, a: V): V;
  /** Byte order: `le` truncates to bits (little-endian host), `be` and `bswap` swap the low `bits` and zero the rest. */
  swap(op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, a: V): V;
}

/**
 * Arithmetic, registers and memory. Control flow and calls are not its part: `step` answers where the insn leads, and the caller goes
 * there.
 */
export interface Machine<V> extends Domain<V> {
  /** Reads a register; a machine that knows about unwritten registers refuses here. */
  read(reg: number): V;
  /** Copies a whole 64-bit register; a machine may link the copy to its source. */
  copy(reg: number): V;
  write(reg: number, value: V): void;
  /** A 64-bit immediate: a constant, a map, an address in a map value, a subprogram. Slots: `at` is its first. */
  immediate(as: Imm64Kind, imm: number, hi: number, at: number): V;
  load(base: V, off: number, size: Size, signed: boolean): V;
  store(base: V, off: number, size: Size, value: V): void;
  /** Memory op value; returns the old contents, zero-extended. `expected` only for cmpxchg. */
  atomic(op: AtomicOp, base: V, off: number, size: 4 | 8, value: V, expected: V | undefined): V;
  /** Arena address-space cast. */
  cast(value: V, imm: number): V;
}

/** Where control goes after an insn. The caller handles calls and exits, because they need contracts and frames. */
export type Next<V> =
  | { readonly kind: 'next' }
  | { readonly kind: 'jump'; readonly slot: number }
  | {
      readonly kind: 'branch';
      readonly op: Comparison;
      readonly width: Width;
      readonly left: V;
      readonly right: V;
      /** Register numbers, so that a machine can refine what it knows of them; `src` is absent for an immediate. */
      readonly dst: number;
      readonly src: number | undefined;
      /** Slot where the branch leads when it is taken. */
      readonly slot: number;
    }
  /** may_goto: whether it jumps depends on a budget outside the program. */
  | { readonly kind: 'may_goto'; readonly slot: number }
  /** unwind_goto: jumps if the subprogram that was called before it left by unwind_exit. */
  | { readonly kind: 'unwind_goto'; readonly slot: number }
  | { readonly kind: 'call'; readonly target: 'helper' | 'kfunc'; readonly imm: number }
  | { readonly kind: 'subprog'; readonly slot: number }
  /** Legacy packet access: r0 = bytes in network order, or the program ends with 0. */
  | { readonly kind: 'packet'; readonly size: 1 | 2 | 4; readonly src: number; readonly imm: number }
  | { readonly kind: 'exit' }
  | { readonly kind: 'unwind_exit' };
