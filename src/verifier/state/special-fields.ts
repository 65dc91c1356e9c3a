/** Special fields (struct btf_record) of what a pointer points to: a map's value, or an object of the program's own types. */
import type { SpecialField } from '../../object/program.js';
import type { Path } from './path.js';
import type { Reg } from './state.js';

/** The special fields of what `reg` points to, wherever in it; none if the map or the type is not known. */
export function fieldsOf(p: Path, reg: Reg): readonly SpecialField[] {
  if (reg.type === 'map_value') return p.program.maps[reg.map]?.fields ?? [];
  return p.program.localTypes.find((t) => t.name === reg.struct)?.fields ?? [];
}

/** The spin lock, plain or resilient, of what `reg` points to. Linux allows one at the most. */
export function lockField(p: Path, reg: Reg): SpecialField | undefined {
  return fieldsOf(p, reg).find((f) => f.kind === 'spin_lock' || f.kind === 'res_spin_lock');
}

/** Whether `reg` points into a map's value with a lock: its id tells one lock from another, so that it is given one and keeps it. */
export function isValueWithLock(p: Path, reg: Reg): boolean {
  return reg.type === 'map_value' && lockField(p, reg) !== undefined;
}
