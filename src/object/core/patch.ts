/** Writes the value of a CO-RE relocation into an insn, or poisons the insn. Follows bpf_core_patch_insn of libbpf. */
import { InputError } from '../../isa/errors.js';
import type { Insn } from '../../isa/insn.js';
import {
  BPF_ALU,
  BPF_ALU64,
  BPF_CALL,
  BPF_DW,
  BPF_IMM,
  BPF_JMP,
  BPF_LD,
  BPF_LDX,
  BPF_ST,
  BPF_STX,
  BPF_X,
  CLASS_MASK,
  SIZE_CODES,
  SIZE_MASK,
  sizeOf,
} from '../../isa/opcodes.js';

/** Helper number of the call that libbpf writes over an insn that cannot be relocated: no kernel has it. */
export const POISON_HELPER = 0xbad2310;

/** A call that no verifier accepts where it can be reached. */
export const POISON: Insn = { opcode: BPF_JMP | BPF_CALL, dst: 0, src: 0, off: 0, imm: POISON_HELPER };

/** What a relocation changes in one insn. */
export interface Patch {
  /** What the program's own BTF says the insn holds now; checked if `validate`. */
  readonly from: bigint;
  readonly to: bigint;
  readonly validate: boolean;
  /**
   * Bytes read by a load there: in the program's BTF and in the target's. 'unsafe': they differ and another width
   * would read another value.
   */
  readonly width?: { readonly from: number; readonly to: number } | 'unsafe';
}

const LD_IMM64 = BPF_LD | BPF_IMM | BPF_DW;

function low(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** Overwrites the operation at `slot`, all its slots, with calls that may not be reached. */
export function poison(insns: Insn[], slot: number): void {
  if (insns[slot]?.opcode === LD_IMM64 && slot + 1 < insns.length) insns[slot + 1] = POISON;
  insns[slot] = POISON;
}

/** Patches `insns` in place. Throws InputError when the insn is of no kind that can be relocated or holds another value. */
export function patchInsn(insns: Insn[], slot: number, patch: Patch): void {
  const bad = (why: string): never => {
    throw new InputError(`insn ${slot} cannot be relocated: ${why}`);
  };
  const insn = insns[slot] ?? bad('it is outside its function');
  const holds = (value: bigint): void => {
    if (patch.validate && value !== patch.from) bad(`it holds ${value}, expected ${patch.from}`);
  };
  const insnClass = insn.opcode & CLASS_MASK;
  if (insnClass === BPF_ALU || insnClass === BPF_ALU64) {
    if (insn.opcode & BPF_X) bad('it has no immediate');
    holds(
      BigInt.asUintN(32, BigInt(insn.imm)) === BigInt.asUintN(32, patch.from) ? patch.from : BigInt(insn.imm),
    );
    insns[slot] = { ...insn, imm: low(patch.to) };
  } else if (insnClass === BPF_LDX || insnClass === BPF_ST || insnClass === BPF_STX) {
    holds(BigInt(insn.off));
    if (patch.to < -32768n || patch.to > 32767n) bad(`the offset ${patch.to} does not fit 16 bits`);
    if (patch.width === 'unsafe') {
      poison(insns, slot);
      return;
    }
    const { from, to } = patch.width ?? { from: 0, to: 0 };
    let { opcode } = insn;
    if (from !== to) {
      if (sizeOf(opcode) !== from) bad(`it accesses ${sizeOf(opcode)} bytes, expected ${from}`);
      if (to !== 1 && to !== 2 && to !== 4 && to !== 8) throw bad(`no insn accesses ${to} bytes`);
      opcode = (opcode & ~SIZE_MASK) | SIZE_CODES[to];
    }
    insns[slot] = { ...insn, opcode, off: Number(patch.to) };
  } else if (insn.opcode === LD_IMM64 && insn.src === 0) {
    const next = insns[slot + 1];
    if (next === undefined || next.opcode !== 0) throw bad('its second slot is missing');
    const value = (BigInt(next.imm) << 32n) | BigInt.asUintN(32, BigInt(insn.imm));
    holds(BigInt.asUintN(64, value) === BigInt.asUintN(64, patch.from) ? patch.from : value);
    insns[slot] = { ...insn, imm: low(patch.to) };
    insns[slot + 1] = { ...next, imm: low(patch.to >> 32n) };
  } else bad(`opcode 0x${insn.opcode.toString(16)} is no move, load or store`);
}
