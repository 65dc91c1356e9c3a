/** Loads of the address of a kernel variable or function. Follows check_pseudo_btf_id and check_ld_imm of kernel/bpf/verifier.c. */
import type { Program } from '../../object/program.js';
import { pointerReg } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse, unsupported } from '../text/refusal.js';

/** What a load of the address of BTF type `id` gives. */
export function kernelVariable(program: Program, id: number): Reg {
  const types = program.kernelTypes;
  if (types === undefined) unsupported('the address of a kernel variable, without the BTF of the kernel');
  const found = types.variable(id) ?? refuse(`ldimm64 insn specifies invalid btf_id ${id}.`);
  if (found.struct !== undefined) return pointerReg('btf', { struct: found.struct, percpu: found.percpu });
  return pointerReg('mem', { size: found.size, readonly: true, percpu: found.percpu });
}
