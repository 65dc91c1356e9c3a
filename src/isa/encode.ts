/** From an operation to its raw slots. The inverse is decode.ts; what it refuses cannot be written here either. */
import { InputError } from './errors.js';
import type { Insn, Op, Operand, Width } from './insn.js';
import { REGISTERS } from './insn.js';
import {
  ATOMIC_CODES,
  BINARY_CODES,
  BPF_ABS,
  BPF_ADDR_SPACE_CAST,
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_HELPER_CALL,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
  BPF_JMP32,
  BPF_LD,
  BPF_LDX,
  BPF_LOAD_ACQ,
  BPF_MAY_GOTO,
  BPF_MEM,
  BPF_MEMSX,
  BPF_MOV,
  BPF_NEG,
  BPF_PSEUDO_CALL,
  BPF_PSEUDO_KFUNC_CALL,
  BPF_ST,
  BPF_STORE_REL,
  BPF_STX,
  BPF_TO_BE,
  BPF_TO_LE,
  BPF_UNWIND_EXIT,
  BPF_UNWIND_GOTO,
  BPF_X,
  COMPARISON_CODES,
  IMM64_CODES,
  SIZE_CODES,
} from './opcodes.js';

const CALL_SOURCES = {
  helper: BPF_HELPER_CALL,
  subprog: BPF_PSEUDO_CALL,
  kfunc: BPF_PSEUDO_KFUNC_CALL,
} as const;

/**
 * The slots of one operation: two for `ld_imm64`, one for all others. Throws InputError when a field does not fit:
 * a register outside 0..10, `off` outside signed 16 bits, `imm` or `hi` outside signed 32 bits.
 */
export function encode(op: Op): Insn[] {
  switch (op.kind) {
    case 'alu': {
      const { code, off } = BINARY_CODES[op.op];
      return [withOperand(aluClass(op.width) | code, op.dst, op.src, off)];
    }
    case 'mov':
      return [withOperand(aluClass(op.width) | BPF_MOV, op.dst, op.src, 0)];
    case 'movsx':
      if (op.bits === 32 && op.width === 32)
        throw new InputError('movsx: a 32-bit move cannot extend 32 bits');
      return [slot(aluClass(op.width) | BPF_MOV | BPF_X, op.dst, op.src, op.bits, 0)];
    case 'neg':
      return [slot(aluClass(op.width) | BPF_NEG, op.dst, 0, 0, 0)];
    case 'end': {
      const how = op.op === 'bswap' ? BPF_ALU64 : BPF_ALU | (op.op === 'be' ? BPF_TO_BE : BPF_TO_LE);
      return [slot(how | BPF_END, op.dst, 0, 0, op.bits)];
    }
    case 'addr_space_cast':
      if (op.imm !== 1 && op.imm !== 1 << 16) {
        throw new InputError(`addr_space_cast: imm ${op.imm} is not a cast between spaces 0 and 1`);
      }
      return [slot(BPF_ALU64 | BPF_MOV | BPF_X, op.dst, op.src, BPF_ADDR_SPACE_CAST, op.imm)];
    case 'ld_imm64':
      return [
        slot(BPF_LD | BPF_IMM | SIZE_CODES[8], op.dst, IMM64_CODES[op.as], 0, op.imm),
        slot(0, 0, 0, 0, op.hi),
      ];
    case 'ldx':
      if (op.signed && op.size === 8) throw new InputError('ldx: an 8-byte load has nothing to extend');
      return [
        slot(BPF_LDX | (op.signed ? BPF_MEMSX : BPF_MEM) | SIZE_CODES[op.size], op.dst, op.src, op.off, 0),
      ];
    case 'stx':
      return [slot(BPF_STX | BPF_MEM | SIZE_CODES[op.size], op.dst, op.src, op.off, 0)];
    case 'st':
      return [slot(BPF_ST | BPF_MEM | SIZE_CODES[op.size], op.dst, 0, op.off, op.imm)];
    case 'atomic': {
      const how = ATOMIC_CODES[op.op] | (op.fetch ? BPF_FETCH : 0);
      return [slot(BPF_STX | BPF_ATOMIC | SIZE_CODES[op.size], op.dst, op.src, op.off, how)];
    }
    case 'load_acquire':
      return [slot(BPF_STX | BPF_ATOMIC | SIZE_CODES[op.size], op.dst, op.src, op.off, BPF_LOAD_ACQ)];
    case 'store_release':
      return [slot(BPF_STX | BPF_ATOMIC | SIZE_CODES[op.size], op.dst, op.src, op.off, BPF_STORE_REL)];
    case 'ld_packet':
      return op.src < 0
        ? [slot(BPF_LD | BPF_ABS | SIZE_CODES[op.size], 0, 0, 0, op.imm)]
        : [slot(BPF_LD | BPF_IND | SIZE_CODES[op.size], 0, op.src, 0, op.imm)];
    case 'ja':
      return [op.long ? slot(BPF_JMP32 | BPF_JA, 0, 0, 0, op.off) : slot(BPF_JMP | BPF_JA, 0, 0, op.off, 0)];
    case 'jmp': {
      const how = (op.width === 64 ? BPF_JMP : BPF_JMP32) | COMPARISON_CODES[op.op];
      return [withOperand(how, op.dst, op.src, op.off)];
    }
    case 'may_goto':
      return [slot(BPF_JMP | BPF_JCOND, 0, BPF_MAY_GOTO, op.off, 0)];
    case 'unwind_goto':
      return [slot(BPF_JMP | BPF_JCOND, 0, BPF_UNWIND_GOTO, op.off, 0)];
    case 'call':
      return [slot(BPF_JMP | BPF_CALL, 0, CALL_SOURCES[op.target], 0, op.imm)];
    case 'exit':
      return [slot(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)];
    case 'unwind_exit':
      return [slot(BPF_JMP | BPF_EXIT, 0, BPF_UNWIND_EXIT, 0, 0)];
  }
}

/** The slots of a list of operations, one after the other. Throws as `encode`, the message naming the operation by its place in the list. */
export function encodeAll(ops: readonly Op[]): Insn[] {
  return ops.flatMap((op, index) => {
    try {
      return encode(op);
    } catch (error) {
      if (error instanceof InputError) throw new InputError(`operation ${index}: ${error.message}`);
      throw error;
    }
  });
}

function aluClass(width: Width): number {
  return width === 64 ? BPF_ALU64 : BPF_ALU;
}

function withOperand(opcode: number, dst: number, src: Operand, off: number): Insn {
  return 'reg' in src ? slot(opcode | BPF_X, dst, src.reg, off, 0) : slot(opcode, dst, 0, off, src.imm);
}

function slot(opcode: number, dst: number, src: number, off: number, imm: number): Insn {
  if (!(Number.isInteger(dst) && dst >= 0 && dst < REGISTERS)) throw new InputError(`no register r${dst}`);
  if (!(Number.isInteger(src) && src >= 0 && src < REGISTERS)) throw new InputError(`no register r${src}`);
  if ((off << 16) >> 16 !== off) throw new InputError(`offset ${off} does not fit 16 bits`);
  if ((imm | 0) !== imm) throw new InputError(`immediate ${imm} does not fit 32 bits`);
  return { opcode, dst, src, off, imm };
}
