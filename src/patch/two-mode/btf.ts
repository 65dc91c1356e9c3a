/** A static function more than a program has, with the type that Linux wants to be told where it is told any. */
import { Btf } from '../../object/btf/read.js';
import { BtfWriter } from '../../object/btf/write.js';
import type { Program, Subprog } from '../../object/program.js';

/** The program with a type for a static function of no arguments, if its functions have types; and that function, its `start` not yet known. */
export function withStaticFunction(
  program: Program,
  name: string,
): { readonly program: Program; readonly subprog: Subprog } {
  const subprog: Subprog = { name, start: -1, linkage: 'static' };
  if (program.btf === undefined || program.subprogs.some(({ btfId }) => btfId === undefined)) {
    return { program, subprog };
  }
  const same = program.subprogs.find(({ linkage }) => linkage === 'static');
  if (same !== undefined) return { program, subprog: { ...subprog, btfId: same.btfId! } };
  const btf = new Btf(program.btf, program.name);
  const writer = new BtfWriter();
  for (let id = 1; id < btf.count; id++) writer.add(btf.type(id));
  const type = writer.add({ kind: 'func_proto', returns: 0, params: [] });
  const btfId = writer.add({ kind: 'func', name, type, linkage: 'static' });
  return { program: { ...program, btf: writer.bytes() }, subprog: { ...subprog, btfId } };
}
