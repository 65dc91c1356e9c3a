/**
 * The baseline of the bench: a BPF interpreter as one would write it first, over decoded insns, registers in an array of big integers.
 * It knows arithmetic, jumps and the stack, which is all that the bench's program needs. It is no part of swansong.
 */
import { decodeAll } from '../../../isa/decode.js';
import type { Insn, Op } from '../../../isa/insn.js';
import { jumpTarget } from '../../../isa/target.js';

const MASK64 = (1n << 64n) - 1n;

/** Runs a program to its exit; answers r0 and the insns executed. Throws for an insn that it does not know. */
export function runPlain(insns: readonly Insn[]): { readonly r0: bigint; readonly steps: number } {
  const ops = decodeAll(insns);
  const regs: bigint[] = new Array(11).fill(0n);
  const stack = new DataView(new ArrayBuffer(512));
  regs[10] = 512n;
  let pc = 0;
  let steps = 0;
  for (;;) {
    const op = ops[pc];
    if (op === undefined) throw new Error(`no insn at ${pc}`);
    steps++;
    let next = pc + 1;
    switch (op.kind) {
      case 'alu':
      case 'mov': {
        const src = 'reg' in op.src ? regs[op.src.reg]! : BigInt.asUintN(64, BigInt(op.src.imm));
        const value = op.kind === 'mov' ? src : compute(op.op, regs[op.dst]!, src);
        regs[op.dst] = op.width === 32 ? value & 0xffff_ffffn : value & MASK64;
        break;
      }
      case 'ldx':
        regs[op.dst] = stack.getBigUint64(Number(regs[op.src]!) + op.off, true);
        break;
      case 'stx':
        stack.setBigUint64(Number(regs[op.dst]!) + op.off, regs[op.src]!, true);
        break;
      case 'ja':
        next = jumpTarget(op, pc)!;
        break;
      case 'jmp': {
        const src = 'reg' in op.src ? regs[op.src.reg]! : BigInt.asUintN(64, BigInt(op.src.imm));
        if (holds(op.op, regs[op.dst]!, src)) next = jumpTarget(op, pc)!;
        break;
      }
      case 'exit':
        return { r0: regs[0]!, steps };
      default:
        throw new Error(`the baseline does not know ${op.kind}`);
    }
    pc = next;
  }
}

function compute(op: Extract<Op, { kind: 'alu' }>['op'], a: bigint, b: bigint): bigint {
  switch (op) {
    case 'add':
      return a + b;
    case 'sub':
      return a - b;
    case 'mul':
      return a * b;
    case 'xor':
      return a ^ b;
    case 'or':
      return a | b;
    case 'and':
      return a & b;
    case 'lsh':
      return a << (b & 63n);
    case 'rsh':
      return a >> (b & 63n);
    default:
      throw new Error(`the baseline does not know ${op}`);
  }
}

function holds(op: Extract<Op, { kind: 'jmp' }>['op'], a: bigint, b: bigint): boolean {
  switch (op) {
    case 'eq':
      return a === b;
    case 'ne':
      return a !== b;
    case 'lt':
      return a < b;
    case 'gt':
      return a > b;
    default:
      throw new Error(`the baseline does not know ${op}`);
  }
}
