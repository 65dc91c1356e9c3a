/**
 * From raw slots to operations. Every encoding that RFC 9669 or Linux leaves undefined is refused with the insn
 * number and the reason, so that what is decoded encodes to the same bytes again. The refusals follow
 * kernel/bpf/verifier.c (the "uses reserved fields" and "unknown opcode" messages). What is well formed but not
 * allowed to run (writing r10, a shift by 64, a call of an unknown helper) is the verifier's to refuse.
 */
import { InputError } from './errors.js';
import type { Insn, Op, Operand, Width } from './insn.js';
import { REGISTERS, slots } from './insn.js';
import {
  ATOMIC_OF,
  BINARY_OF,
  BPF_ABS,
  BPF_ADDR_SPACE_CAST,
  BPF_ALU,
  BPF_ALU64,
  BPF_ATOMIC,
  BPF_CALL,
  BPF_CMPXCHG,
  BPF_END,
  BPF_EXIT,
  BPF_FETCH,
  BPF_HELPER_CALL,
  BPF_IMM,
  BPF_IND,
  BPF_JA,
  BPF_JCOND,
  BPF_JMP,
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
  BPF_UNWIND_EXIT,
  BPF_UNWIND_GOTO,
  BPF_X,
  BPF_XCHG,
  CLASS_MASK,
  CODE_MASK,
  COMPARISON_OF,
  IMM64_OF,
  MODE_MASK,
  SIGNED_OF,
  sizeOf,
} from './opcodes.js';

/** Why a slot is not an insn; `decode` adds the insn number. */
class Undefined extends Error {}

/**
 * The operation that starts at slot `index`. Throws InputError "insn N: reason" for an undefined encoding: a bad
 * opcode, a reserved field that is not zero, a register above r10, a 64-bit immediate without its second slot.
 */
export function decode(insns: readonly Insn[], index: number): Op {
  const insn = insns[index];
  if (insn === undefined) throw new InputError(`insn ${index}: past the end (${insns.length} insns)`);
  try {
    return decodeSlot(insn, insns[index + 1]);
  } catch (error) {
    if (error instanceof Undefined) throw new InputError(`insn ${index}: ${error.message}`);
    throw error;
  }
}

/** All operations by slot, `undefined` at the second slot of a 64-bit immediate. Throws as `decode`. */
export function decodeAll(insns: readonly Insn[]): (Op | undefined)[] {
  const ops: (Op | undefined)[] = [];
  while (ops.length < insns.length) {
    const op = decode(insns, ops.length);
    ops.push(op);
    if (slots(op) === 2) ops.push(undefined);
  }
  return ops;
}

function decodeSlot(insn: Insn, next: Insn | undefined): Op {
  switch (insn.opcode & CLASS_MASK) {
    case BPF_LD:
      return decodeLd(insn, next);
    case BPF_LDX:
      return decodeLdx(insn);
    case BPF_ST:
      return decodeSt(insn);
    case BPF_STX:
      return decodeStx(insn);
    case BPF_ALU:
      return decodeAlu(insn, 32);
    case BPF_ALU64:
      return decodeAlu(insn, 64);
    case BPF_JMP:
      return decodeJmp(insn, 64);
    default:
      return decodeJmp(insn, 32);
  }
}

function decodeAlu(insn: Insn, width: Width): Op {
  const code = insn.opcode & CODE_MASK;
  const fromRegister = (insn.opcode & BPF_X) !== 0;
  const dst = register(insn.dst);
  if (code === BPF_END) return decodeEnd(insn, width);
  if (code === BPF_NEG) {
    if (fromRegister) throw unknownOpcode(insn);
    zero('neg', insn, 'src', 'off', 'imm');
    return { kind: 'neg', width, dst };
  }
  if (code === BPF_MOV) return fromRegister ? decodeMove(insn, width) : movImm(insn, width);
  const op = insn.off === 0 ? BINARY_OF.get(code) : SIGNED_OF.get(code);
  if (op === undefined) {
    if (BINARY_OF.has(code)) throw new Undefined(`off is ${insn.off}; reserved in this arithmetic operation`);
    throw unknownOpcode(insn);
  }
  if (insn.off !== 0 && insn.off !== 1)
    throw new Undefined(`off is ${insn.off}; a division has 0 or 1 (signed)`);
  return { kind: 'alu', op, width, dst, src: operand('an arithmetic operation', insn) };
}

function movImm(insn: Insn, width: Width): Op {
  zero('a move', insn, 'off');
  return { kind: 'mov', width, dst: register(insn.dst), src: operand('a move', insn) };
}

function decodeMove(insn: Insn, width: Width): Op {
  const dst = register(insn.dst);
  const src = register(insn.src);
  const { off, imm } = insn;
  if (width === 64 && off === BPF_ADDR_SPACE_CAST) {
    if (imm !== 1 && imm !== 1 << 16) {
      throw new Undefined(`imm is ${imm}; an address space cast is between spaces 0 and 1`);
    }
    return { kind: 'addr_space_cast', dst, src, imm };
  }
  zero('a move', insn, 'imm');
  if (off === 0) return { kind: 'mov', width, dst, src: { reg: src } };
  if (off === 8 || off === 16 || (off === 32 && width === 64))
    return { kind: 'movsx', bits: off, width, dst, src };
  throw new Undefined(
    `off is ${off}; a ${width}-bit move extends 8${width === 64 ? ', 16 or 32' : ' or 16'} bits`,
  );
}

function decodeEnd(insn: Insn, width: Width): Op {
  const toBigEndian = (insn.opcode & BPF_TO_BE) !== 0;
  if (width === 64 && toBigEndian) throw unknownOpcode(insn);
  zero('a byte swap', insn, 'src', 'off');
  const bits = insn.imm;
  if (bits !== 16 && bits !== 32 && bits !== 64) {
    throw new Undefined(`imm is ${bits}; a byte swap is of 16, 32 or 64 bits`);
  }
  const op = width === 64 ? 'bswap' : toBigEndian ? 'be' : 'le';
  return { kind: 'end', op, bits, dst: register(insn.dst) };
}

function decodeLd(insn: Insn, next: Insn | undefined): Op {
  const mode = insn.opcode & MODE_MASK;
  const size = sizeOf(insn.opcode);
  if (mode === BPF_IMM && size === 8) return decodeImm64(insn, next);
  if ((mode !== BPF_ABS && mode !== BPF_IND) || size === 8) throw unknownOpcode(insn);
  zero('a packet load', insn, 'dst', 'off');
  if (mode === BPF_ABS) zero('an absolute packet load', insn, 'src');
  return { kind: 'ld_packet', size, src: mode === BPF_ABS ? -1 : register(insn.src), imm: insn.imm };
}

function decodeImm64(insn: Insn, next: Insn | undefined): Op {
  const dst = register(insn.dst);
  const as = IMM64_OF.get(insn.src);
  if (as === undefined) throw new Undefined(`src is ${insn.src}; no such kind of 64-bit immediate`);
  zero('a 64-bit immediate load', insn, 'off');
  if (next === undefined) throw new Undefined('a 64-bit immediate load without its second slot');
  if (next.opcode !== 0 || next.dst !== 0 || next.src !== 0 || next.off !== 0) {
    throw new Undefined('the second slot of a 64-bit immediate load holds more than imm');
  }
  // Only a plain immediate, an offset into a map value and the BTF object of a variable use the high word.
  if ((as === 'map' || as === 'map_fd' || as === 'func') && next.imm !== 0) {
    throw new Undefined(`the second imm is ${next.imm}; reserved in a ${as} reference`);
  }
  return { kind: 'ld_imm64', dst, as, imm: insn.imm, hi: next.imm };
}

function decodeLdx(insn: Insn): Op {
  const mode = insn.opcode & MODE_MASK;
  const size = sizeOf(insn.opcode);
  if (mode !== BPF_MEM && (mode !== BPF_MEMSX || size === 8)) throw unknownOpcode(insn);
  zero('a load', insn, 'imm');
  const signed = mode === BPF_MEMSX;
  return { kind: 'ldx', size, signed, dst: register(insn.dst), src: register(insn.src), off: insn.off };
}

function decodeSt(insn: Insn): Op {
  if ((insn.opcode & MODE_MASK) !== BPF_MEM) throw unknownOpcode(insn);
  zero('a store of an immediate', insn, 'src');
  return { kind: 'st', size: sizeOf(insn.opcode), dst: register(insn.dst), off: insn.off, imm: insn.imm };
}

function decodeStx(insn: Insn): Op {
  const mode = insn.opcode & MODE_MASK;
  if (mode !== BPF_MEM && mode !== BPF_ATOMIC) throw unknownOpcode(insn);
  const size = sizeOf(insn.opcode);
  const place = { dst: register(insn.dst), src: register(insn.src), off: insn.off };
  if (mode === BPF_MEM) {
    zero('a store', insn, 'imm');
    return { kind: 'stx', size, ...place };
  }
  const { imm } = insn;
  if (imm === BPF_LOAD_ACQ) return { kind: 'load_acquire', size, ...place };
  if (imm === BPF_STORE_REL) return { kind: 'store_release', size, ...place };
  const swap = imm === BPF_XCHG || imm === BPF_CMPXCHG;
  const op = ATOMIC_OF.get(swap ? imm : imm & ~BPF_FETCH);
  if (op === undefined) throw new Undefined(`imm is 0x${(imm >>> 0).toString(16)}; no such atomic operation`);
  if (size !== 4 && size !== 8) throw new Undefined(`an atomic ${op} of ${size} bytes; it must be 4 or 8`);
  return { kind: 'atomic', op, fetch: (imm & BPF_FETCH) !== 0, size, ...place };
}

function decodeJmp(insn: Insn, width: Width): Op {
  const code = insn.opcode & CODE_MASK;
  const { off, imm } = insn;
  const op = COMPARISON_OF.get(code);
  if (op !== undefined) {
    return { kind: 'jmp', op, width, dst: register(insn.dst), src: operand('a jump', insn), off };
  }
  const long = width === 32;
  if ((insn.opcode & BPF_X) !== 0 || (long && code !== BPF_JA)) throw unknownOpcode(insn);
  switch (code) {
    case BPF_JA:
      zero('goto', insn, 'dst', 'src', long ? 'off' : 'imm');
      return { kind: 'ja', off: long ? imm : off, long };
    case BPF_CALL:
      return decodeCall(insn);
    case BPF_EXIT:
      if (insn.src === BPF_UNWIND_EXIT) {
        zero('unwind_exit', insn, 'dst', 'off', 'imm');
        return { kind: 'unwind_exit' };
      }
      zero('exit', insn, 'dst', 'src', 'off', 'imm');
      return { kind: 'exit' };
    case BPF_JCOND:
      if (insn.src === BPF_UNWIND_GOTO) {
        zero('unwind_goto', insn, 'dst', 'imm');
        return { kind: 'unwind_goto', off };
      }
      zero('may_goto', insn, 'dst', 'imm');
      if (insn.src !== BPF_MAY_GOTO)
        throw new Undefined(`src is ${insn.src}; no such conditional pseudo jump`);
      return { kind: 'may_goto', off };
    default:
      throw unknownOpcode(insn);
  }
}

function decodeCall(insn: Insn): Op {
  zero('a call', insn, 'dst');
  switch (insn.src) {
    case BPF_HELPER_CALL:
      zero('a helper call', insn, 'off');
      return { kind: 'call', target: 'helper', imm: insn.imm };
    case BPF_PSEUDO_CALL:
      zero('a subprogram call', insn, 'off');
      return { kind: 'call', target: 'subprog', imm: insn.imm };
    case BPF_PSEUDO_KFUNC_CALL:
      // Linux takes off as an index of a module's BTF; programs here name kfuncs by Program.kfuncs instead.
      if (insn.off !== 0) throw new Undefined(`off is ${insn.off}; kfuncs of modules are not supported`);
      return { kind: 'call', target: 'kfunc', imm: insn.imm };
    default:
      throw new Undefined(`src is ${insn.src}; a call is of a helper (0), a subprogram (1) or a kfunc (2)`);
  }
}

function operand(what: string, insn: Insn): Operand {
  if ((insn.opcode & BPF_X) === 0) {
    zero(what, insn, 'src');
    return { imm: insn.imm };
  }
  zero(what, insn, 'imm');
  return { reg: register(insn.src) };
}

function register(number: number): number {
  if (number >= REGISTERS) throw new Undefined(`no register r${number}`);
  return number;
}

function zero(what: string, insn: Insn, ...fields: readonly ('dst' | 'src' | 'off' | 'imm')[]): void {
  for (const field of fields) {
    if (insn[field] !== 0) throw new Undefined(`${field} is ${insn[field]}; reserved in ${what}`);
  }
}

function unknownOpcode(insn: Insn): Undefined {
  return new Undefined(`no opcode 0x${insn.opcode.toString(16).padStart(2, '0')}`);
}
