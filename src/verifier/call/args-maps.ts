/**
 * Arguments that are maps. Also arguments that point into a map's value and must be a constant string, a timer or a work queue there.
 * Follows check_map_func_compatibility, check_reg_const_str and process_timer_func of kernel/bpf/verifier.c.
 */
import type { Arg } from '../../kernel/contract.js';
import { callsSocketMap, MAP_FLAGS, mapType, takesMap } from '../../kernel/maptypes.js';
import type { Program, ProgType } from '../../object/program.js';
import type { Path } from '../state/path.js';
import { fixedOffset, hasFixedOffset, isNull } from '../state/regs.js';
import { fieldsOf } from '../state/special-fields.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import { mismatch } from './args-objects.js';
import type { CallSite } from './call-site.js';
import { requireBtf } from './locks.js';

/** Types of programs that may change a map of sockets as any map (may_update_sockmap). */
const MAY_CHANGE: ReadonlySet<ProgType> = new Set([
  'iter',
  'socket_filter',
  'tc',
  'action',
  'xdp',
  'sk_reuseport',
  'flow_dissector',
  'sk_lookup',
]);

function mayUseSocketMap({ type }: Program, name: string): boolean {
  if (name === 'bpf_map_lookup_elem' || MAY_CHANGE.has(type)) return true;
  return type === 'sock_ops' && name === 'bpf_map_delete_elem';
}

/** Functions that may not be called with a map that programs may only read (record_func_map). */
const WRITES_MAP: ReadonlySet<string> = new Set([
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
  'bpf_map_push_elem',
  'bpf_map_pop_elem',
]);

/**
 * Checks the map that a function is called with. The function must take maps of its type. If the function changes the map, the program
 * must be allowed to change it.
 */
export function checkMap(p: Path, site: CallSite, index: number, arg: Extract<Arg, { kind: 'map' }>): void {
  const reg = site.regs[index]!;
  const regno = index + 1;
  if (reg.type !== 'map_ptr' || reg.nullable) mismatch(reg, regno, 'map_ptr');
  const map = p.program.maps[reg.map]!;
  const mismatched = (): never =>
    refuse(
      `cannot pass map_type ${mapType(map.type).number} into func ${site.contract.name}#${site.contract.id}`,
    );
  const { name } = site.contract;
  if (!takesMap(name, arg, map)) mismatched();
  if (callsSocketMap(name, map) && !mayUseSocketMap(p.program, name)) mismatched();
  if ((map.flags & MAP_FLAGS.RDONLY_PROG) !== 0 && WRITES_MAP.has(name)) refuse('write into map forbidden');
  requireMapOfTimer(site, reg, regno);
}

/**
 * Checks that an argument is a constant string: in a frozen read-only map, at a fixed offset, with a zero at its end. Follows
 * check_reg_const_str.
 */
export function checkConstStr(p: Path, reg: Reg, regno: number): void {
  if (reg.type !== 'map_value' || reg.nullable) mismatch(reg, regno, 'map_value');
  const map = p.program.maps[reg.map]!;
  if ((map.flags & MAP_FLAGS.RDONLY_PROG) === 0 || map.frozen !== true)
    refuse(`R${regno} does not point to a readonly map'`);
  if (!hasFixedOffset(reg)) refuse(`R${regno} is not a constant address'`);
  const off = fixedOffset(reg);
  if (off < 0 || off > map.valueSize) refuse(`R${regno} min value is outside of the allowed memory range`);
  const bytes = map.initial?.subarray(off);
  if (bytes === undefined || !bytes.includes(0)) refuse('string is not zero-terminated');
}

/** Checks that an argument points at the timer or work queue of a map value. Follows process_timer_func and process_wq_func. */
export function checkSpecialField(p: Path, reg: Reg, regno: number, kind: 'timer' | 'wq'): void {
  // Work queues are set up by kfuncs. The kernel's messages for kfuncs are different.
  if (kind === 'wq') {
    if (reg.nullable || isNull(reg)) refuse(`Possibly NULL pointer passed to trusted arg${regno - 1}`);
    if (reg.type !== 'map_value') refuse(`arg#${regno - 1} doesn't point to a map value`);
  }
  if (reg.type !== 'map_value' || reg.nullable) mismatch(reg, regno, 'map_value');
  if (!hasFixedOffset(reg))
    refuse(`R${regno} doesn't have constant offset. bpf_${kind} has to be at the constant offset`);
  requireBtf(p, reg, `bpf_${kind}`);
  const field = fieldsOf(p, reg).find((f) => f.kind === kind);
  if (field === undefined) refuse(`map '${p.program.maps[reg.map]?.name ?? ''}' has no valid bpf_${kind}`);
  if (field.offset !== fixedOffset(reg))
    refuse(`off ${fixedOffset(reg)} doesn't point to 'struct bpf_${kind}' that is at ${field.offset}`);
}

/**
 * A timer or work queue is set up with the map that it lies in. For a work queue Linux 6.18 compares the maps only if the map that is
 * passed has special fields; if it has none, Linux dereferences NULL. We refuse every other map.
 */
function requireMapOfTimer(site: CallSite, reg: Reg, regno: number): void {
  const first = site.contract.args[0];
  if (first?.kind !== 'timer' && first?.kind !== 'wq') return;
  if (site.regs[0]!.map === reg.map) return;
  const what = first.kind === 'timer' ? 'timer' : 'workqueue';
  refuse(`${what} pointer in R1 map_uid=0 doesn't match map pointer in R${regno} map_uid=0`);
}
