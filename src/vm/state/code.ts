/**
 * A program made ready to run: decoded once, both as operations and as flat arrays for the fast tier, with the contract of each
 * call looked up. Shared by all forks of all runs of the program.
 */
import { decodeAll } from '../../isa/decode.js';
import type { Op, Operand } from '../../isa/insn.js';
import { FP, slots } from '../../isa/insn.js';
import { subprogTarget, targetOf } from '../../isa/target.js';
import { contractOf } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import type { Program } from '../../object/program.js';
import { COMPARE_CODE, FAST, OP_CODE, SIZE_SHIFT } from './opcode.js';

/** A decoded program. The arrays are indexed by slot; nothing in it changes while runs use it. */
export interface Code {
  readonly program: Program;
  readonly ops: readonly (Op | undefined)[];
  /** Contract of the call at a slot; undefined at all other slots. */
  readonly contracts: readonly (Contract | undefined)[];
  /** First slot of the subprogram that each slot belongs to. */
  readonly owner: Int32Array;
  /** By slot: operation of the fast tier (opcode.ts), registers, offset, target slot. */
  readonly fast: Uint8Array;
  readonly dst: Uint8Array;
  readonly src: Uint8Array;
  readonly off: Int32Array;
  readonly target: Int32Array;
  /** By slot: immediate operand, as an unsigned 64-bit value. */
  readonly imm: BigUint64Array;
  /** The halves of the immediates, low ones first: the same bytes. */
  readonly immWords: Int32Array;
  /** By slot: bit masks of the registers that are read and written. */
  readonly reads: Uint16Array;
  readonly writes: Uint16Array;
}

/** Decodes a program and looks its calls up. Throws InputError for an undefined encoding. */
export function prepare(program: Program): Code {
  const ops = decodeAll(program.insns);
  const count = ops.length;
  const imm = new BigUint64Array(count);
  const code = {
    program,
    ops,
    contracts: ops.map((op) => (op === undefined ? undefined : contractOf(program, op))),
    owner: new Int32Array(count),
    fast: new Uint8Array(count).fill(FAST.slow),
    dst: new Uint8Array(count),
    src: new Uint8Array(count),
    off: new Int32Array(count),
    target: new Int32Array(count),
    imm,
    immWords: new Int32Array(imm.buffer),
    reads: new Uint16Array(count),
    writes: new Uint16Array(count),
  };
  // No insn names the callback of exceptions, so the program's own list counts too.
  const named = ops.flatMap((op, slot) => (op && subprogTarget(op, slot)) ?? []);
  const starts = [0, ...named, ...program.subprogs.map(({ start }) => start)].sort((a, b) => a - b);
  let owner = 0;
  let next = 0;
  ops.forEach((op, slot) => {
    while (next < starts.length && starts[next]! <= slot) owner = starts[next++]!;
    code.owner[slot] = owner;
    if (op === undefined) return;
    flatten(code, op, slot);
    // A write to the frame pointer is refused by the definitional tier.
    if ((code.writes[slot]! & (1 << FP)) !== 0) code.fast[slot] = FAST.slow;
  });
  return code;
}

/** Fills the arrays for one operation. What the fast tier does not do itself stays `slow` and goes through the interpreter. */
function flatten(code: { -readonly [K in keyof Code]: Code[K] }, op: Op, slot: number): void {
  const bit = (reg: number): number => 1 << reg;
  const operand = (src: Operand): number => {
    if ('reg' in src) {
      code.src[slot] = src.reg;
      code.reads[slot]! |= bit(src.reg);
      return 0;
    }
    code.imm[slot] = BigInt.asUintN(64, BigInt(src.imm));
    return 1;
  };
  code.target[slot] = targetOf(op, slot) ?? slot + slots(op);
  switch (op.kind) {
    case 'alu':
      code.dst[slot] = op.dst;
      code.fast[slot] = OP_CODE[op.op] + (op.width === 32 ? FAST.width32 : 0) + operand(op.src);
      code.reads[slot]! |= bit(op.dst);
      code.writes[slot] = bit(op.dst);
      return;
    case 'mov':
      code.dst[slot] = op.dst;
      code.fast[slot] = FAST.mov + (op.width === 32 ? FAST.width32 : 0) + operand(op.src);
      code.writes[slot] = bit(op.dst);
      return;
    case 'ld_imm64':
      if (op.as !== 'imm') return;
      code.dst[slot] = op.dst;
      code.fast[slot] = FAST.imm64;
      code.imm[slot] = (BigInt(op.hi >>> 0) << 32n) | BigInt(op.imm >>> 0);
      code.writes[slot] = bit(op.dst);
      return;
    case 'ldx':
      if (op.signed) return;
      code.dst[slot] = op.dst;
      code.src[slot] = op.src;
      code.off[slot] = op.off;
      code.fast[slot] = FAST.ldx + SIZE_SHIFT[op.size];
      code.reads[slot] = bit(op.src);
      code.writes[slot] = bit(op.dst);
      return;
    case 'stx':
      code.dst[slot] = op.dst;
      code.src[slot] = op.src;
      code.off[slot] = op.off;
      code.fast[slot] = FAST.stx + SIZE_SHIFT[op.size];
      code.reads[slot] = bit(op.src) | bit(op.dst);
      return;
    case 'st':
      code.dst[slot] = op.dst;
      code.off[slot] = op.off;
      code.fast[slot] = FAST.st + SIZE_SHIFT[op.size];
      code.imm[slot] = BigInt.asUintN(64, BigInt(op.imm));
      code.reads[slot] = bit(op.dst);
      return;
    case 'ja':
      code.fast[slot] = FAST.ja;
      return;
    case 'jmp':
      code.dst[slot] = op.dst;
      code.fast[slot] = COMPARE_CODE[op.op] + (op.width === 32 ? FAST.width32 : 0) + operand(op.src);
      code.reads[slot]! |= bit(op.dst);
      return;
    default:
      return;
  }
}
