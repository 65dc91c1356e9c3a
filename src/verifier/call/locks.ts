/** Spin locks: which lock an argument names, taking it and giving it back. Follows process_spin_lock of kernel/bpf/verifier.c. */
import type { LockKind } from '../../kernel/contract.js';
import type { Path } from '../state/path.js';
import { isLock } from '../state/path.js';
import { fixedOffset, hasFixedOffset, isNull, typeName } from '../state/regs.js';
import { fieldsOf } from '../state/special-fields.js';
import type { Ref, Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';

/**
 * Names the map or object that a lock, a list head or a tree root lies in. Two pointers lead into the same object only if these names and
 * their ids are the same.
 */
export function ownerOf(reg: Reg): string {
  return reg.type === 'map_value' ? `map ${reg.map}` : `object ${reg.struct}`;
}

/** Special fields are known only if the map's value has a BTF type. A map that is declared by its size has none. */
export function requireBtf(p: Path, reg: Reg, struct: string): void {
  const map = reg.type === 'map_value' ? p.program.maps[reg.map] : undefined;
  if (map !== undefined && map.fields.length === 0 && map.btfValue === undefined)
    refuse(`map '${map.name}' has to have BTF in order to use ${struct}`);
}

/** Checks that an argument points at the lock field of a map value or object, and at nothing else of it. */
export function checkLock(p: Path, reg: Reg, regno: number, lock: LockKind): void {
  // Resilient locks are kfuncs. The kernel's messages for kfuncs are different.
  if (lock !== 'spin_lock') {
    const index = regno - 1;
    if (reg.nullable || isNull(reg)) refuse(`Possibly NULL pointer passed to trusted arg${index}`);
    if (reg.type !== 'map_value' && reg.type !== 'object')
      refuse(`arg#${index} doesn't point to map value or allocated object`);
  }
  if (reg.nullable || (reg.type !== 'map_value' && reg.type !== 'object')) {
    refuse(`R${regno} type=${typeName(reg)} expected=map_value, ptr_`);
  }
  const struct = lock === 'spin_lock' ? 'bpf_spin_lock' : 'bpf_res_spin_lock';
  if (!hasFixedOffset(reg))
    refuse(`R${regno} doesn't have constant offset. ${struct} has to be at the constant offset`);
  const kind = lock === 'spin_lock' ? 'spin_lock' : 'res_spin_lock';
  const field = fieldsOf(p, reg).find((f) => f.kind === kind);
  requireBtf(p, reg, struct);
  if (field === undefined)
    refuse(`${reg.type === 'map_value' ? 'map' : 'local'} '${ownerName(p, reg)}' has no valid ${struct}`);
  if (fixedOffset(reg) !== field.offset) {
    refuse(`off ${fixedOffset(reg)} doesn't point to 'struct ${struct}' that is at ${field.offset}`);
  }
}

const ownerName = (p: Path, reg: Reg): string =>
  reg.type === 'map_value' ? (p.program.maps[reg.map]?.name ?? '') : reg.struct;

/** Takes the lock. Refuses a second `bpf_spin_lock`, and a resilient lock that is held already. */
export function takeLock(p: Path, reg: Reg, lock: LockKind, at: number): void {
  const owner = ownerOf(reg);
  if (lock === 'spin_lock') {
    if (p.lockHeld !== undefined) refuse('Locking two bpf_spin_locks are not allowed');
  } else if (
    p.refs.some((r) => isLock(r) && r.kind !== 'spin_lock' && r.id === reg.id && r.owner === owner)
  ) {
    refuse('Acquiring the same lock again, AA deadlock detected');
  }
  p.acquire({ id: reg.id, kind: lock, at, owner });
}

/**
 * Gives the lock back. Refuses a lock that is not held, and one that was not taken last. Non-owning pointers to nodes are lost with
 * it.
 */
export function dropLock(p: Path, reg: Reg, lock: LockKind): void {
  const name = lock === 'spin_lock' ? 'bpf_spin' : 'bpf_res_spin';
  if (p.lockHeld === undefined) refuse(`${name}_unlock without taking a lock`);
  const owner = ownerOf(reg);
  const held = p.refs.findLast((r: Ref) => r.kind === lock && r.id === reg.id && r.owner === owner);
  if (held === undefined) refuse(`${name}_unlock of different lock`);
  if (held !== p.lockHeld) refuse(`${name}_unlock cannot be out of order`);
  p.dropLock(held);
  // Pointers to nodes that the program put into a list or tree are valid only under the lock.
  p.mapRegs((r) => (r.nonOwning ? p.invalid() : r));
}
