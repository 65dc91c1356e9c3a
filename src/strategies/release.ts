/** Gives back what a run holds, as the kernel would on its behalf: the program's own code does not run. */

import { disown } from '../vm/call/effects.js';
import { type Hold, isReference } from '../vm/state/ledger.js';
import { type MachineState, mostFrames } from '../vm/state/machine.js';
import type { DynptrObject, IterObject } from '../vm/state/slot-object.js';

/** Gives one thing back that is held. */
export function release(machine: MachineState, hold: Hold): void {
  machine.ledger.drop(hold.id);
  if (isReference(hold)) disown(machine, hold.region);
  const object = slotObjectOf(machine, hold);
  // A dynptr's record is discarded; an iterator's element is gone with it.
  if (object?.kind === 'dynptr' && object.region !== 0) disown(machine, object.region);
  if (object?.kind === 'iter' && object.element !== 0) machine.memory.kill(object.element);
}

/** The dynptr or iterator through which something is held: one of its clones, if its own slot is no longer there. */
function slotObjectOf(machine: MachineState, hold: Hold): DynptrObject | IterObject | undefined {
  for (let depth = 0; depth < mostFrames(machine.code.program); depth++) {
    for (const object of machine.memory.get(machine.stackOf(depth))?.objects?.values() ?? [])
      if (object.kind !== 'irq' && object.hold === hold.id) return object;
  }
  return undefined;
}
