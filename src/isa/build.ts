/**
 * Operations that read like assembly: `mov(r0, 5)`, `ldx(4, r0, r1, 16)`, `jmp('eq', r0, 0, 'out')`.
 *
 * The register chooses the width, as in the kernel's disassembly: `add(r1, r2)` is 64-bit, `add(w1, w2)` is 32-bit,
 * and mixing them does not type-check. Where a jump, a call or a function reference takes a label instead of an
 * offset, the result is a `Linked` that label.ts resolves.
 */
import type { AtomicOp, BinaryOp, Comparison, Op, Operand, Size, Width } from './insn.js';
import type { Linked } from './label.js';

/** A register seen as 64 (`r0`) or as 32 bits (`w0`). */
export interface Reg<W extends Width = Width> {
  readonly reg: number;
  readonly width: W;
}

const r = (reg: number): Reg<64> => ({ reg, width: 64 });
const w = (reg: number): Reg<32> => ({ reg, width: 32 });

export const [r0, r1, r2, r3, r4, r5] = [r(0), r(1), r(2), r(3), r(4), r(5)];
export const [r6, r7, r8, r9, r10] = [r(6), r(7), r(8), r(9), r(10)];
export const [w0, w1, w2, w3, w4, w5] = [w(0), w(1), w(2), w(3), w(4), w(5)];
export const [w6, w7, w8, w9, w10] = [w(6), w(7), w(8), w(9), w(10)];
/** All registers by number, r0 to r10. */
export const registers: readonly Reg<64>[] = [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10];

type Src<W extends Width> = Reg<NoInfer<W>> | number;
type Alu = <W extends Width>(dst: Reg<W>, src: Src<W>) => Op;

const operand = (src: Reg | number): Operand => (typeof src === 'number' ? { imm: src } : { reg: src.reg });

/** Arithmetic by its word: `dst = dst op src`. An immediate is signed 32-bit. */
export function alu<W extends Width>(op: BinaryOp, dst: Reg<W>, src: Src<W>): Op {
  return { kind: 'alu', op, width: dst.width, dst: dst.reg, src: operand(src) };
}

const binary =
  (op: BinaryOp): Alu =>
  (dst, src) =>
    alu(op, dst, src);

export const add: Alu = binary('add');
export const sub: Alu = binary('sub');
export const mul: Alu = binary('mul');
/** Unsigned. Division by zero gives 0. */
export const div: Alu = binary('div');
export const sdiv: Alu = binary('sdiv');
/** Unsigned. Modulo zero leaves dst. */
export const mod: Alu = binary('mod');
export const smod: Alu = binary('smod');
export const or: Alu = binary('or');
export const and: Alu = binary('and');
export const xor: Alu = binary('xor');
export const lsh: Alu = binary('lsh');
/** Logical shift right. */
export const rsh: Alu = binary('rsh');
/** Arithmetic shift right. */
export const arsh: Alu = binary('arsh');

/** `dst = src`; a 64-bit move sign-extends an immediate, a 32-bit move clears the upper half. */
export const mov: Alu = (dst, src) => ({ kind: 'mov', width: dst.width, dst: dst.reg, src: operand(src) });

/** `dst = (sBITS)src`: sign-extends the low 8, 16 or (64-bit registers only) 32 bits. */
export function movsx<W extends Width>(
  bits: W extends 64 ? 8 | 16 | 32 : 8 | 16,
  dst: Reg<W>,
  src: Reg<NoInfer<W>>,
): Op {
  return { kind: 'movsx', bits, width: dst.width, dst: dst.reg, src: src.reg };
}

/** `dst = -dst`: two's complement, 64 or 32 bits by the register. A 32-bit result clears the upper half. */
export function neg(dst: Reg): Op {
  return { kind: 'neg', width: dst.width, dst: dst.reg };
}

/** `dst = be16 dst` and so on: byte order of the low `bits`, the rest cleared. */
export function end(op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, dst: Reg<64>): Op {
  return { kind: 'end', op, bits, dst: dst.reg };
}

/** `dst = addr_space_cast(src, dstSpace, srcSpace)`, between arena space 1 and kernel space 0. */
export function addrSpaceCast(dst: Reg<64>, src: Reg<64>, dstSpace: 0 | 1): Op {
  return { kind: 'addr_space_cast', dst: dst.reg, src: src.reg, imm: dstSpace === 1 ? 1 << 16 : 1 };
}

/** `dst = value ll`. The low 64 bits of `value` are taken, signed or unsigned. */
export function ldImm64(dst: Reg<64>, value: bigint | number): Op {
  const [imm, hi] = words(BigInt(value));
  return { kind: 'ld_imm64', dst: dst.reg, as: 'imm', imm, hi };
}

/** `dst = map NAME`: the map at `index` of `Program.maps`. */
export function ldMap(dst: Reg<64>, index: number): Op {
  return { kind: 'ld_imm64', dst: dst.reg, as: 'map', imm: index, hi: 0 };
}

/** `dst = mapvalue NAME +off`: `off` bytes into the only value of the array map at `index` of `Program.maps`. */
export function ldMapValue(dst: Reg<64>, index: number, off = 0): Op {
  return { kind: 'ld_imm64', dst: dst.reg, as: 'map_value', imm: index, hi: off };
}

/** `dst = func LABEL`: a pointer to a subprogram, for a callback. A number counts slots from this insn's first slot + 1. */
export function ldFunc(dst: Reg<64>, target: number): Op;
export function ldFunc(dst: Reg<64>, target: string): Linked;
export function ldFunc(dst: Reg<64>, target: number | string): Op | Linked;
export function ldFunc(dst: Reg<64>, target: number | string): Op | Linked {
  return linked({ kind: 'ld_imm64', dst: dst.reg, as: 'func', imm: 0, hi: 0 }, target);
}

/** `dst = *(uSIZE *)(src + off)`. `size` in bytes. */
export function ldx(size: Size, dst: Reg<64>, src: Reg<64>, off: number): Op {
  return { kind: 'ldx', size, signed: false, dst: dst.reg, src: src.reg, off };
}

/** `dst = *(sSIZE *)(src + off)`: sign-extended to 64 bits. */
export function ldxs(size: 1 | 2 | 4, dst: Reg<64>, src: Reg<64>, off: number): Op {
  return { kind: 'ldx', size, signed: true, dst: dst.reg, src: src.reg, off };
}

/** `*(uSIZE *)(dst + off) = src`, from a register. */
export function stx(size: Size, dst: Reg<64>, off: number, src: Reg<64>): Op {
  return { kind: 'stx', size, dst: dst.reg, src: src.reg, off };
}

/** `*(uSIZE *)(dst + off) = imm`; an 8-byte store sign-extends. */
export function st(size: Size, dst: Reg<64>, off: number, imm: number): Op {
  return { kind: 'st', size, dst: dst.reg, off, imm };
}

/** `lock *(dst + off) op= src`; with `fetch`, src becomes the old value. xchg and cmpxchg always fetch; cmpxchg compares r0. */
export function atomic(
  op: AtomicOp,
  size: 4 | 8,
  dst: Reg<64>,
  off: number,
  src: Reg<64>,
  fetch: boolean = op === 'xchg' || op === 'cmpxchg',
): Op {
  return {
    kind: 'atomic',
    op,
    fetch: fetch || op === 'xchg' || op === 'cmpxchg',
    size,
    dst: dst.reg,
    src: src.reg,
    off,
  };
}

/** `dst = load_acquire((uSIZE *)(src + off))`. */
export function loadAcquire(size: Size, dst: Reg<64>, src: Reg<64>, off: number): Op {
  return { kind: 'load_acquire', size, dst: dst.reg, src: src.reg, off };
}

/** `store_release((uSIZE *)(dst + off), src)`. */
export function storeRelease(size: Size, dst: Reg<64>, off: number, src: Reg<64>): Op {
  return { kind: 'store_release', size, dst: dst.reg, src: src.reg, off };
}

/** `r0 = *(uSIZE *)skb[imm]`: the legacy packet load, at a constant. */
export function ldAbs(size: 1 | 2 | 4, imm: number): Op {
  return { kind: 'ld_packet', size, src: -1, imm };
}

/** `r0 = *(uSIZE *)skb[src + imm]`. */
export function ldInd(size: 1 | 2 | 4, src: Reg<64>, imm: number): Op {
  return { kind: 'ld_packet', size, src: src.reg, imm };
}

/** `goto`. A number counts slots from the next insn; a string is a label. */
export function ja(target: number): Op;
export function ja(target: string): Linked;
export function ja(target: number | string): Op | Linked;
export function ja(target: number | string): Op | Linked {
  return linked({ kind: 'ja', off: 0, long: false }, target);
}

/** `gotol`: `goto` with a 32-bit offset. */
export function jal(target: number): Op;
export function jal(target: string): Linked;
export function jal(target: number | string): Op | Linked;
export function jal(target: number | string): Op | Linked {
  return linked({ kind: 'ja', off: 0, long: true }, target);
}

/** `if dst op src goto target`, 64-bit or 32-bit by the register. */
export function jmp<W extends Width>(op: Comparison, dst: Reg<W>, src: Src<W>, target: number): Op;
export function jmp<W extends Width>(op: Comparison, dst: Reg<W>, src: Src<W>, target: string): Linked;
export function jmp<W extends Width>(
  op: Comparison,
  dst: Reg<W>,
  src: Src<W>,
  target: number | string,
): Op | Linked;
export function jmp<W extends Width>(
  op: Comparison,
  dst: Reg<W>,
  src: Src<W>,
  target: number | string,
): Op | Linked {
  return linked({ kind: 'jmp', op, width: dst.width, dst: dst.reg, src: operand(src), off: 0 }, target);
}

/** `may_goto`: falls through until the kernel's loop budget is spent, then jumps; a verifier takes it both ways. */
export function mayGoto(target: number): Op;
export function mayGoto(target: string): Linked;
export function mayGoto(target: number | string): Op | Linked;
export function mayGoto(target: number | string): Op | Linked {
  return linked({ kind: 'may_goto', off: 0 }, target);
}

/** `unwind_goto`: where the caller goes on if the subprogram called by the insn before left by `unwind_exit`. */
export function unwindGoto(target: number): Op;
export function unwindGoto(target: string): Linked;
export function unwindGoto(target: number | string): Op | Linked;
export function unwindGoto(target: number | string): Op | Linked {
  return linked({ kind: 'unwind_goto', off: 0 }, target);
}

/** Call of a helper by its id (`enum bpf_func_id`). */
export function callHelper(id: number): Op {
  return { kind: 'call', target: 'helper', imm: id };
}

/** Call of a kfunc by its index in `Program.kfuncs`. */
export function callKfunc(index: number): Op {
  return { kind: 'call', target: 'kfunc', imm: index };
}

/** Call of a subprogram. A number counts slots from the next insn; a string is a label. */
export function callSub(target: number): Op;
export function callSub(target: string): Linked;
export function callSub(target: number | string): Op | Linked;
export function callSub(target: number | string): Op | Linked {
  return linked({ kind: 'call', target: 'subprog', imm: 0 }, target);
}

/** `exit`: leaves the frame and gives r0 to the caller, or ends the program. */
export function exit(): Op {
  return { kind: 'exit' };
}

/** Low and high word of a 64-bit value, both as signed 32-bit numbers. */
export function words(value: bigint): readonly [imm: number, hi: number] {
  return [Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))];
}

function linked(op: Linked['op'], target: number | string): Op | Linked {
  if (typeof target === 'string') return { kind: 'linked', op, target };
  return 'off' in op ? { ...op, off: target } : { ...op, imm: target };
}
