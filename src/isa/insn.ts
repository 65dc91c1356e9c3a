/**
 * What an insn is: the raw 8-byte slot and the operation it stands for.
 *
 * A program is an array of raw slots, indexed as the kernel indexes them: a 64-bit immediate load takes two
 * slots, and the second one (opcode 0) is never the start of an operation.
 *
 *      63            32 31     16 15   12 11    8 7        0
 *     +----------------+---------+-------+-------+----------+
 *     |      imm       |   off   |  src  |  dst  |  opcode  |
 *     +----------------+---------+-------+-------+----------+
 *
 * Follows RFC 9669 and, for what Linux adds, include/uapi/linux/bpf.h.
 */

/** One raw 8-byte slot. `off` is signed 16-bit, `imm` signed 32-bit, registers 0..10 (0..15 in raw bytes). */
export interface Insn {
  readonly opcode: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}

/** Bytes in memory: the width of a load, a store, an atomic operation. */
export type Size = 1 | 2 | 4 | 8;
/** Width of an arithmetic operation or of a comparison, in bits. */
export type Width = 32 | 64;

/** A source operand: a register, or an immediate already sign-extended to a JavaScript number. */
export type Operand = { readonly reg: number } | { readonly imm: number };

export const BINARY_OPS = [
  'add',
  'sub',
  'mul',
  'div',
  'sdiv',
  'mod',
  'smod',
  'or',
  'and',
  'xor',
  'lsh',
  'rsh',
  'arsh',
] as const;
/** Arithmetic with two operands, `dst = dst op src`, as RFC 9669 names it. */
export type BinaryOp = (typeof BINARY_OPS)[number];

export const COMPARISONS = ['eq', 'ne', 'gt', 'ge', 'lt', 'le', 'sgt', 'sge', 'slt', 'sle', 'set'] as const;
/** The condition of a jump. Those with `s` compare signed; `set` tests whether two numbers share a 1 bit. */
export type Comparison = (typeof COMPARISONS)[number];

export type AtomicOp = 'add' | 'or' | 'and' | 'xor' | 'xchg' | 'cmpxchg';

/**
 * What the 64-bit immediate means (the src field of `ld_imm64`).
 * `map` and `map_value` hold an index into `Program.maps` (BPF_PSEUDO_MAP_IDX, BPF_PSEUDO_MAP_IDX_VALUE), so that
 * a program does not depend on file descriptors; `map_fd` and `map_fd_value` appear only in raw insns from outside.
 */
export type Imm64Kind = 'imm' | 'map_fd' | 'map_fd_value' | 'btf_id' | 'func' | 'map' | 'map_value';

/** A decoded insn. Jump offsets count slots from the slot after the insn, as in the kernel. */
export type Op =
  | {
      readonly kind: 'alu';
      readonly op: BinaryOp;
      readonly width: Width;
      readonly dst: number;
      readonly src: Operand;
    }
  | { readonly kind: 'mov'; readonly width: Width; readonly dst: number; readonly src: Operand }
  /** Sign-extending move: the low `bits` of src, extended to `width`. */
  | {
      readonly kind: 'movsx';
      readonly bits: 8 | 16 | 32;
      readonly width: Width;
      readonly dst: number;
      readonly src: number;
    }
  | { readonly kind: 'neg'; readonly width: Width; readonly dst: number }
  /** `le`/`be`: host to little/big endian, truncating to `bits`; `bswap`: swap unconditionally. */
  | {
      readonly kind: 'end';
      readonly op: 'le' | 'be' | 'bswap';
      readonly bits: 16 | 32 | 64;
      readonly dst: number;
    }
  /** Arena address-space cast (BPF_ADDR_SPACE_CAST): `imm` is dst_as << 16 | src_as. */
  | { readonly kind: 'addr_space_cast'; readonly dst: number; readonly src: number; readonly imm: number }
  /** Two slots. `imm` is the low and `hi` the high word, both signed 32-bit; see `Imm64Kind`. */
  | {
      readonly kind: 'ld_imm64';
      readonly dst: number;
      readonly as: Imm64Kind;
      readonly imm: number;
      readonly hi: number;
    }
  | {
      readonly kind: 'ldx';
      readonly size: Size;
      readonly signed: boolean;
      readonly dst: number;
      readonly src: number;
      readonly off: number;
    }
  | {
      readonly kind: 'stx';
      readonly size: Size;
      readonly dst: number;
      readonly src: number;
      readonly off: number;
    }
  | {
      readonly kind: 'st';
      readonly size: Size;
      readonly dst: number;
      readonly off: number;
      readonly imm: number;
    }
  /** `fetch` is always true for xchg and cmpxchg. cmpxchg compares with and returns into r0. */
  | {
      readonly kind: 'atomic';
      readonly op: AtomicOp;
      readonly fetch: boolean;
      readonly size: 4 | 8;
      readonly dst: number;
      readonly src: number;
      readonly off: number;
    }
  | {
      readonly kind: 'load_acquire';
      readonly size: Size;
      readonly dst: number;
      readonly src: number;
      readonly off: number;
    }
  | {
      readonly kind: 'store_release';
      readonly size: Size;
      readonly dst: number;
      readonly src: number;
      readonly off: number;
    }
  /** Legacy packet load: `ld_abs` at imm, `ld_ind` at src + imm (src 0..10; -1 for ld_abs). */
  | { readonly kind: 'ld_packet'; readonly size: 1 | 2 | 4; readonly src: number; readonly imm: number }
  /** `long`: the jump offset is the 32-bit immediate (`gotol`). */
  | { readonly kind: 'ja'; readonly off: number; readonly long: boolean }
  | {
      readonly kind: 'jmp';
      readonly op: Comparison;
      readonly width: Width;
      readonly dst: number;
      readonly src: Operand;
      readonly off: number;
    }
  /** Linux `may_goto`: jumps when the loop budget is spent; a verifier takes it both ways. */
  | { readonly kind: 'may_goto'; readonly off: number }
  /**
   * Linux `unwind_goto`, right behind a call of a subprogram: jumps to the call's landing pad if the subprogram left by `unwind_exit`, and
   * falls through if it left by `exit`.
   */
  | { readonly kind: 'unwind_goto'; readonly off: number }
  /** `imm`: helper id; or index into `Program.kfuncs`; or offset of the subprogram from the next slot. */
  | { readonly kind: 'call'; readonly target: 'helper' | 'kfunc' | 'subprog'; readonly imm: number }
  | { readonly kind: 'exit' }
  /** Linux `unwind_exit`: leaves a subprogram so that its caller goes on in the landing pad of the call; in the main program it is `exit`. */
  | { readonly kind: 'unwind_exit' };

/** Slots that an operation takes: 2 for `ld_imm64`, 1 for all others. */
export function slots(op: Op): 1 | 2 {
  return op.kind === 'ld_imm64' ? 2 : 1;
}

/** Number of registers, r0 to r10. */
export const REGISTERS = 11;
/** The frame pointer, read-only. */
export const FP = 10;
/** Bytes of stack in one frame (MAX_BPF_STACK). */
export const STACK_SIZE = 512;
/** Frames that may be open at once (MAX_CALL_FRAMES in include/linux/bpf_verifier.h). */
export const MAX_FRAMES = 8;
/** Frames that later kernels allow. */
export const MOST_FRAMES = 16;
