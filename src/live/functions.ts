/** Types for functions that were written anew: a kernel wants one for each function where it wants any. */
import { Btf } from '../object/btf/read.js';
import { BtfAppender } from '../object/btf/write.js';
import type { Program, Subprog } from '../object/program.js';

/** The program with these functions in place of its own. A function whose type has another name gets a type of its own name. */
export function withStaticFunctions(program: Program, subprogs: readonly Subprog[]): Program {
  if (program.btf === undefined) return { ...program, subprogs };
  const btf = new Btf(program.btf, program.name);
  const types = new BtfAppender(btf);
  const named = subprogs.map((one): Subprog => {
    const type = one.btfId === undefined ? undefined : btf.type(one.btfId);
    if (type?.kind !== 'func' || type.name === one.name) return one;
    return { ...one, btfId: types.add({ ...type, name: one.name }) };
  });
  return { ...program, btf: types.bytes(), subprogs: named };
}
