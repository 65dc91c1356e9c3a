/** Carries out the effects of an outcome on a run. Traps where an effect is impossible. */
import type { Effect } from '../../kernel/contract.js';
import { writeMovesPacket } from '../../kernel/describe.js';
import { progType } from '../../kernel/progtypes.js';
import { offsetOf, regionOf } from '../state/address.js';
import type { MachineState } from '../state/machine.js';
import { movePacket } from '../state/packet.js';
import type { DynptrObject } from '../state/slot-object.js';
import { fault, misuse, Trap } from '../state/trap.js';
import { slotObject } from './args.js';
import type { Call } from './call.js';

/**
 * Carries one effect out. Left to others: callbacks (callbacks.ts), throw and tail_call (invoke.ts), and iterators that count and
 * objects that move into graphs and kptr slots, which have models.
 */
export function applyEffect(call: Call, effect: Effect): void {
  const { machine, name, slot } = call;
  const { ledger, memory } = machine;
  switch (effect.kind) {
    case 'release':
      giveBack(machine, call.arg(effect.arg), name);
      return;
    case 'lock':
      ledger.lock(effect.lock, call.regionNumber(effect.arg), call.offset(effect.arg), slot, name);
      return;
    case 'unlock':
      goingOn(machine, () =>
        ledger.unlock(effect.lock, call.regionNumber(effect.arg), call.offset(effect.arg), name),
      );
      return;
    case 'enter':
      ledger.take(effect.section, 0, 0, slot, name);
      return;
    case 'leave':
      goingOn(machine, () => ledger.leave(effect.section, name));
      return;
    case 'irq_save': {
      const [region, offset] = [call.regionNumber(effect.arg), call.offset(effect.arg)];
      const hold = ledger.take('irq', region, offset, slot, name);
      memory.placeObject(region, offset, { kind: 'irq', hold });
      return;
    }
    case 'irq_restore': {
      const { hold } = slotObject(call, effect.arg, 'irq');
      goingOn(machine, () => ledger.restoreIrq(hold, name));
      memory.removeObject(call.regionNumber(effect.arg), call.offset(effect.arg));
      return;
    }
    case 'init_dynptr':
      initDynptr(call, effect);
      return;
    case 'clone_dynptr':
      memory.placeObject(
        call.regionNumber(effect.arg),
        call.offset(effect.arg),
        slotObject(call, effect.from, 'dynptr'),
      );
      return;
    case 'destroy_dynptr': {
      const dynptr = slotObject(call, effect.arg, 'dynptr');
      if (dynptr.hold === 0) {
        const trap = misuse(`${name} of a dynptr that holds nothing to give back`);
        // Linux does nothing with one that is null; with another it takes memory for a record that is none.
        if (dynptr.region !== 0) throw trap;
        machine.goOnBehind(trap);
      }
      ledger.drop(dynptr.hold);
      if (dynptr.region !== 0) disown(machine, dynptr.region);
      memory.removeObject(call.regionNumber(effect.arg), call.offset(effect.arg));
      return;
    }
    case 'iter_new': {
      const arg = call.contract.args[effect.arg];
      if (arg?.kind !== 'iter') throw fault(`${name} makes no iterator`);
      const [region, offset] = [call.regionNumber(effect.arg), call.offset(effect.arg)];
      const hold = ledger.take('iterator', region, offset, slot, name);
      const still = { next: 0, end: 0, words: [], element: 0 };
      memory.placeObject(region, offset, { kind: 'iter', type: arg.type, state: 'active', hold, ...still });
      return;
    }
    case 'iter_next': {
      const iter = slotObject(call, effect.arg, 'iter');
      const moved = { ...iter, state: effect.to, next: iter.next + 1 };
      memory.placeObject(call.regionNumber(effect.arg), call.offset(effect.arg), moved);
      return;
    }
    case 'iter_destroy': {
      const iter = slotObject(call, effect.arg, 'iter');
      if (!ledger.has(iter.hold)) throw misuse(`${name} of an iterator that was destroyed before`);
      ledger.drop(iter.hold);
      if (iter.element !== 0) memory.kill(iter.element);
      memory.removeObject(call.regionNumber(effect.arg), call.offset(effect.arg));
      return;
    }
    case 'write': {
      const size = writtenSize(call, effect.arg);
      if (size > 0 && call.arg(effect.arg) !== 0n) machine.writeBytes(call.arg(effect.arg), call.bytes(size));
      return;
    }
    case 'transfer': {
      const hold = ledger.reference(rootOf(machine, call.regionNumber(effect.arg)));
      if (hold !== undefined) ledger.drop(hold.id);
      return;
    }
    case 'invalidate_packet':
      if (effect.dynptr === undefined || writeMovesPacket(slotObject(call, effect.dynptr, 'dynptr').type))
        movePacket(machine);
      return;
    case 'arm':
    case 'callback':
    case 'throw':
    case 'tail_call':
      return;
  }
}

/** Bytes of the output memory of an argument; 0 for an argument that is none. */
export function writtenSize(call: Call, index: number): number {
  const arg = call.contract.args[index];
  if (arg?.kind === 'mem') return call.memSize(arg.size);
  if (arg?.kind === 'map_value') return call.mapDef.valueSize;
  return 0;
}

/** Marks the buffer of argument `index` as written, as the verifier does. Its bytes stay as they were. */
export function touch(call: Call, index: number, size: number): void {
  const { memory } = call.machine;
  const at = call.arg(index);
  if (size === 0 || at === 0n) return;
  const region = memory.locateAt(at, size);
  call.machine.writeBytes(at, region.bytes.slice(offsetOf(at), offsetOf(at) + size));
}

/** For a socket that was cast to another type, the region of the original; otherwise the region itself. */
export function rootOf(machine: MachineState, region: number): number {
  const parent = machine.memory.get(region)?.parent ?? 0;
  return parent === 0 ? region : rootOf(machine, parent);
}

/** Gives something back. Where the program does not hold it, Linux gives it back all the same, and the program goes on. */
function goingOn(machine: MachineState, giveBack: () => void): void {
  try {
    giveBack();
  } catch (error) {
    if (!(error instanceof Trap)) throw error;
    machine.goOnBehind(error);
  }
}

/** The reference that a pointer stands for is given back; the object dies with its last owner. */
export function giveBack(machine: MachineState, pointer: bigint, by: string): void {
  const region = rootOf(machine, regionOf(pointer));
  const hold = machine.ledger.reference(region);
  if (hold === undefined) {
    const what = machine.memory.get(region)?.name ?? 'something';
    // Linux counts one owner less than there are, and the program goes on.
    machine.goOnBehind(new Trap('misuse', `${by} of a ${what} that is not held`, by));
    return;
  }
  machine.ledger.drop(hold.id);
  disown(machine, region);
}

/** Removes one owner. The object dies with its last owner, unless RCU readers may still see it. */
export function disown(machine: MachineState, region: number): void {
  const { memory, ledger } = machine;
  const owned = memory.own(region);
  owned.owners--;
  if (owned.owners > 0) return;
  // A local object that was in a map may be seen by readers until their RCU section or lock ends.
  const seen =
    owned.kind === 'object' && ledger.holds.some((hold) => hold.kind === 'rcu' || hold.kind === 'spin_lock');
  if (!seen) memory.kill(region);
}

function initDynptr(call: Call, effect: Extract<Effect, { kind: 'init_dynptr' }>): void {
  const { machine } = call;
  const [slotRegion, slotOffset] = [call.regionNumber(effect.arg), call.offset(effect.arg)];
  const take = (): number =>
    effect.acquires === undefined
      ? 0
      : machine.ledger.take(effect.acquires, slotRegion, slotOffset, call.slot, call.name);
  const hold = take();
  const { type } = effect;
  let [region, offset, size, readonly] = [0, 0, 0, false];
  if (effect.null !== true) {
    if (type === 'local') {
      [region, offset, size] = [call.regionNumber(0), call.offset(0), call.size(1)];
    } else if (type === 'ringbuf') {
      size = call.size(1);
      region = newRecord(call, size);
    } else {
      const { meta, data, end } = machine.packet;
      readonly = !progType(machine.code.program.type).packetWritable;
      size = type === 'skb_meta' ? data - meta : end - data;
      region = machine.packet.region;
    }
  }
  const dynptr: DynptrObject = { kind: 'dynptr', type, hold, readonly, region, offset, size };
  machine.memory.placeObject(slotRegion, slotOffset, dynptr);
}

/** A fresh ring-buffer record of the program's own, in the ring of argument 0; its number. It holds what was there before. */
export function newRecord(call: Call, size: number): number {
  const { machine } = call;
  const bytes = new Uint8Array(size);
  bytes.set((call.someBytes() ?? bytes).subarray(0, size));
  const region = machine.memory.add({
    kind: 'record',
    bytes,
    writable: true,
    name: 'ring-buffer record',
    owners: 1,
  });
  machine.records = [...machine.records, { map: call.map(0), region, size }];
  return region;
}

/** Offsets into the memory behind a dynptr: its region and first byte, by where the packet lies now if it is a view of one. */
export function dynptrPlace(
  machine: MachineState,
  dynptr: DynptrObject,
): { readonly region: number; readonly offset: number } {
  if (dynptr.region === 0 || dynptr.type === 'local' || dynptr.type === 'ringbuf') return dynptr;
  const { region, meta, data } = machine.packet;
  return { region, offset: (dynptr.type === 'skb_meta' ? meta : data) + dynptr.offset };
}
