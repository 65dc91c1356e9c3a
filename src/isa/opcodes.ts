/**
 * The numbers of the encoding: classes, sizes, modes, operation codes, and the two-way tables between them and
 * the words of `Op`. Names and values follow RFC 9669 and include/uapi/linux/bpf.h; nothing here decides what is
 * a valid insn, that is decode.ts.
 *
 *     arithmetic, jump         load, store
 *      7    4  3   2   0        7   5 4  3 2   0
 *     | code | S | class |     | mode | sz | class |
 */
import type { AtomicOp, BinaryOp, Comparison, Imm64Kind, Size } from './insn.js';

/** Instruction classes: the low three bits of the opcode. */
export const BPF_LD = 0x00;
export const BPF_LDX = 0x01;
export const BPF_ST = 0x02;
export const BPF_STX = 0x03;
export const BPF_ALU = 0x04;
export const BPF_JMP = 0x05;
export const BPF_JMP32 = 0x06;
export const BPF_ALU64 = 0x07;
export const CLASS_MASK = 0x07;

/** Source bit of arithmetic and jumps: the 32-bit immediate, or the source register. */
export const BPF_K = 0x00;
export const BPF_X = 0x08;

/** Operation code of arithmetic and jumps: the high four bits. */
export const CODE_MASK = 0xf0;

/** Arithmetic. BPF_DIV and BPF_MOD are signed when off is 1; BPF_MOV sign-extends when off is 8, 16 or 32. */
export const BPF_ADD = 0x00;
export const BPF_SUB = 0x10;
export const BPF_MUL = 0x20;
export const BPF_DIV = 0x30;
export const BPF_OR = 0x40;
export const BPF_AND = 0x50;
export const BPF_LSH = 0x60;
export const BPF_RSH = 0x70;
export const BPF_NEG = 0x80;
export const BPF_MOD = 0x90;
export const BPF_XOR = 0xa0;
export const BPF_MOV = 0xb0;
export const BPF_ARSH = 0xc0;
export const BPF_END = 0xd0;

/** Source bit of BPF_END in class BPF_ALU: to little or to big endian. */
export const BPF_TO_LE = 0x00;
export const BPF_TO_BE = 0x08;

/** off of a 64-bit register move that casts between arena address spaces. */
export const BPF_ADDR_SPACE_CAST = 1;

/** Jumps. BPF_JA in class BPF_JMP32 is the long jump, its offset in imm. BPF_JCOND is Linux's may_goto and unwind_goto. */
export const BPF_JA = 0x00;
export const BPF_JEQ = 0x10;
export const BPF_JGT = 0x20;
export const BPF_JGE = 0x30;
export const BPF_JSET = 0x40;
export const BPF_JNE = 0x50;
export const BPF_JSGT = 0x60;
export const BPF_JSGE = 0x70;
export const BPF_CALL = 0x80;
export const BPF_EXIT = 0x90;
export const BPF_JLT = 0xa0;
export const BPF_JLE = 0xb0;
export const BPF_JSLT = 0xc0;
export const BPF_JSLE = 0xd0;
export const BPF_JCOND = 0xe0;

/** src of BPF_JCOND: what decides whether it jumps. */
export const BPF_MAY_GOTO = 0;
/**
 * src of BPF_JCOND for unwind_goto, and of BPF_EXIT for unwind_exit: landing pads, which Linux 7.4 has. What is public of them says that the
 * field is not 0; its value was not to be found, and 1, the first that is free, is taken. Other values are refused, so that a program of
 * another numbering is never read as something else.
 */
export const BPF_UNWIND_GOTO = 1;
export const BPF_UNWIND_EXIT = 1;

/** Access sizes of loads and stores. */
export const BPF_W = 0x00;
export const BPF_H = 0x08;
export const BPF_B = 0x10;
export const BPF_DW = 0x18;
export const SIZE_MASK = 0x18;

/** Modes of loads and stores. */
export const BPF_IMM = 0x00;
export const BPF_ABS = 0x20;
export const BPF_IND = 0x40;
export const BPF_MEM = 0x60;
export const BPF_MEMSX = 0x80;
export const BPF_ATOMIC = 0xc0;
export const MODE_MASK = 0xe0;

/** imm of BPF_ATOMIC: an arithmetic code, BPF_FETCH, or one of these. */
export const BPF_FETCH = 0x01;
export const BPF_XCHG = 0xe0 | BPF_FETCH;
export const BPF_CMPXCHG = 0xf0 | BPF_FETCH;
export const BPF_LOAD_ACQ = 0x100;
export const BPF_STORE_REL = 0x110;

/** src of BPF_CALL: what imm names. */
export const BPF_HELPER_CALL = 0;
export const BPF_PSEUDO_CALL = 1;
export const BPF_PSEUDO_KFUNC_CALL = 2;

/** Arithmetic codes with their off field. */
export const BINARY_CODES: Readonly<Record<BinaryOp, { readonly code: number; readonly off: 0 | 1 }>> = {
  add: { code: BPF_ADD, off: 0 },
  sub: { code: BPF_SUB, off: 0 },
  mul: { code: BPF_MUL, off: 0 },
  div: { code: BPF_DIV, off: 0 },
  sdiv: { code: BPF_DIV, off: 1 },
  or: { code: BPF_OR, off: 0 },
  and: { code: BPF_AND, off: 0 },
  lsh: { code: BPF_LSH, off: 0 },
  rsh: { code: BPF_RSH, off: 0 },
  mod: { code: BPF_MOD, off: 0 },
  smod: { code: BPF_MOD, off: 1 },
  xor: { code: BPF_XOR, off: 0 },
  arsh: { code: BPF_ARSH, off: 0 },
};

export const COMPARISON_CODES: Readonly<Record<Comparison, number>> = {
  eq: BPF_JEQ,
  ne: BPF_JNE,
  gt: BPF_JGT,
  ge: BPF_JGE,
  lt: BPF_JLT,
  le: BPF_JLE,
  sgt: BPF_JSGT,
  sge: BPF_JSGE,
  slt: BPF_JSLT,
  sle: BPF_JSLE,
  set: BPF_JSET,
};

/** imm of an atomic operation without BPF_FETCH; xchg and cmpxchg always carry it. */
export const ATOMIC_CODES: Readonly<Record<AtomicOp, number>> = {
  add: BPF_ADD,
  or: BPF_OR,
  and: BPF_AND,
  xor: BPF_XOR,
  xchg: BPF_XCHG,
  cmpxchg: BPF_CMPXCHG,
};

/** src of a 64-bit immediate load. */
export const IMM64_CODES: Readonly<Record<Imm64Kind, number>> = {
  imm: 0,
  map_fd: 1,
  map_fd_value: 2,
  btf_id: 3,
  func: 4,
  map: 5,
  map_value: 6,
};

export const SIZE_CODES: Readonly<Record<Size, number>> = { 1: BPF_B, 2: BPF_H, 4: BPF_W, 8: BPF_DW };

/** The comparison of a jump code, undefined for BPF_JA, BPF_CALL, BPF_EXIT, BPF_JCOND and codes that are not used. */
export const COMPARISON_OF: ReadonlyMap<number, Comparison> = invert(COMPARISON_CODES);
export const ATOMIC_OF: ReadonlyMap<number, AtomicOp> = invert(ATOMIC_CODES);
export const IMM64_OF: ReadonlyMap<number, Imm64Kind> = invert(IMM64_CODES);
/** Arithmetic by code for off 0; `SIGNED_OF` for off 1. */
export const BINARY_OF: ReadonlyMap<number, BinaryOp> = binaryWithOff(0);
export const SIGNED_OF: ReadonlyMap<number, BinaryOp> = binaryWithOff(1);

/** Bytes of an access by the size bits of the opcode (all four values are used). */
export function sizeOf(opcode: number): Size {
  switch (opcode & SIZE_MASK) {
    case BPF_B:
      return 1;
    case BPF_H:
      return 2;
    case BPF_W:
      return 4;
    default:
      return 8;
  }
}

function invert<K extends string>(codes: Readonly<Record<K, number>>): Map<number, K> {
  return new Map((Object.keys(codes) as K[]).map((word) => [codes[word], word]));
}

function binaryWithOff(off: 0 | 1): Map<number, BinaryOp> {
  const words = Object.keys(BINARY_CODES) as BinaryOp[];
  return new Map(
    words.filter((word) => BINARY_CODES[word].off === off).map((word) => [BINARY_CODES[word].code, word]),
  );
}
