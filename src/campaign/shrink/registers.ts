/** Operations with one register in place of another where it is only read. */
import type { Op } from '../../isa/insn.js';

/** The operation reading `to` wherever it read `from`. What it sets stays. */
export function substituteReads(op: Op, from: number, to: number): Op {
  const swap = (reg: number): number => (reg === from ? to : reg);
  switch (op.kind) {
    case 'mov':
    case 'alu':
      return 'reg' in op.src ? { ...op, src: { reg: swap(op.src.reg) } } : op;
    case 'movsx':
    case 'ldx':
    case 'load_acquire':
      return { ...op, src: swap(op.src) };
    case 'stx':
    case 'store_release':
      return { ...op, dst: swap(op.dst), src: swap(op.src) };
    case 'st':
      return { ...op, dst: swap(op.dst) };
    case 'jmp':
      return { ...op, dst: swap(op.dst), src: 'reg' in op.src ? { reg: swap(op.src.reg) } : op.src };
    default:
      return op;
  }
}

/** The register that an operation overwrites without reading it, if the operation does nothing else. */
export function definedRegister(op: Op): number | undefined {
  if (op.kind === 'mov' && 'imm' in op.src) return op.dst;
  if (op.kind === 'mov' || op.kind === 'ldx' || op.kind === 'ld_imm64' || op.kind === 'movsx') return op.dst;
  return op.kind === 'alu' && 'imm' in op.src ? op.dst : undefined;
}

/** Registers that an operation names. */
export function registersOf(op: Op): readonly number[] {
  const found: number[] = [];
  if ('dst' in op) found.push(op.dst);
  if ('src' in op) {
    if (typeof op.src === 'number') found.push(op.src);
    else if ('reg' in op.src) found.push(op.src.reg);
  }
  return found;
}
