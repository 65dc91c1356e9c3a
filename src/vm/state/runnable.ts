/** Tells which programs the VM cannot run, because it has no model of a map or of a pointer. They can still be verified and proved. */

import { IMM64_CODES } from '../../isa/opcodes.js';
import { progType } from '../../kernel/progtypes.js';
import { Btf } from '../../object/btf/read.js';
import type { MapType, Program } from '../../object/program.js';
import { paramsFromBtf } from '../../verifier/text/params.js';
import { isOuter } from './maps.js';

/** Maps of memory that user space shares. */
const NOT_HERE: ReadonlySet<MapType> = new Set(['arena']);

/** The 64-bit immediate load. */
const LD_IMM64 = 0x18;

/** BTF ids whose addresses the program takes. */
export function kernelAddresses({ insns }: Program): readonly number[] {
  const found: number[] = [];
  for (const { opcode, src, imm } of insns)
    if (opcode === LD_IMM64 && src === IMM64_CODES.btf_id) found.push(imm);
  return found;
}

/** Why a program cannot be run, in one sentence; undefined if it can. */
export function cannotRun(program: Program): string | undefined {
  if (progType(program.type).arguments === true && program.kernelTypes === undefined)
    return `programs of type ${program.type} cannot be run here without the types of a kernel`;
  if (program.replaces !== undefined && !takesContext(program))
    return 'a program that replaces a function which takes more than its context cannot be run here';
  const map = program.maps.find(({ type }) => NOT_HERE.has(type));
  if (map !== undefined) return `map '${map.name}': maps of type ${map.type} cannot be run here`;
  const outer = program.maps.find((one) => isOuter(one) && !program.maps.includes(one.inner!));
  if (outer !== undefined)
    return `map '${outer.name}': a map of maps cannot be run here where what its entries are like is no map of the program`;
  if (kernelAddresses(program).some((id) => program.kernelTypes?.variable(id)?.size !== 0))
    return 'a program that takes the address of a kernel variable cannot be run here';
  return undefined;
}

/** The main function takes the context alone, or nothing. */
function takesContext(program: Program): boolean {
  const [main] = program.subprogs;
  if (program.btf === undefined || main?.btfId === undefined) return true;
  return paramsFromBtf(program, new Btf(program.btf, program.name), main.btfId).every(
    ({ kind }, at) => at === 0 && kind === 'ctx',
  );
}
