/** Insns on their way to the kernel. */
import { SLOT_BYTES, toBytes } from '../isa/bytes.js';
import { BPF_CALL, BPF_IMM, BPF_JMP, BPF_LD, BPF_PSEUDO_KFUNC_CALL, SIZE_CODES } from '../isa/opcodes.js';
import type { Program } from '../object/program.js';
import { kernelFunctionId } from './btf.js';
import { KernelError } from './syscall.js';

const CALL = BPF_JMP | BPF_CALL;
/** The 64-bit immediate load, whose second slot is no insn. */
const WIDE = BPF_LD | BPF_IMM | SIZE_CODES[8];

/**
 * The slots of `program` as the kernel wants them: kfunc calls by BTF id, maps by their place in the list of descriptors that
 * goes with the load (which is how programs name them anyway). Throws KernelError for a kfunc that this kernel does not have.
 */
export function kernelInsns(program: Program): Uint8Array {
  if (program.insns.length === 0) throw new KernelError('load program', 'EINVAL', 'it has no insns');
  const bytes = toBytes(program.insns);
  const view = new DataView(bytes.buffer);
  for (let slot = 0; slot < program.insns.length; slot++) {
    const insn = program.insns[slot]!;
    if (insn.opcode === WIDE) slot++;
    else if (insn.opcode === CALL && insn.src === BPF_PSEUDO_KFUNC_CALL) {
      view.setInt32(SLOT_BYTES * slot + 4, kfuncId(program, insn.imm, slot), true);
    }
  }
  return bytes;
}

function kfuncId(program: Program, index: number, slot: number): number {
  const name = program.kfuncs[index];
  if (name === undefined)
    throw new KernelError(`kfunc call at ${slot}`, 'EINVAL', `the program names no kfunc ${index}`);
  const id = kernelFunctionId(name);
  if (id !== undefined) return id;
  throw new KernelError(
    `kfunc call at ${slot}`,
    'ENOENT',
    `${name} is not in this kernel's BTF; kfuncs of modules cannot be called`,
  );
}
