/** Which outcomes of a function can happen at a call, by the situation at hand. */
import type { Guard, Outcome } from '../kernel/contract.js';
import { isMapOfSockets } from '../kernel/maptypes.js';
import { regionOf } from './address.js';
import type { Call } from './call.js';

/** The outcomes whose guard holds right now. A key in range of an array is found, an owned object can be had once more. */
export function possible(call: Call): readonly Outcome[] {
  return call.contract.outcomes.filter(
    (outcome) => outcome.guard === undefined || holdsNow(call, outcome.guard),
  );
}

function holdsNow(call: Call, guard: Guard): boolean {
  if (guard.kind === 'not_owning') {
    return call.machine.ledger.reference(regionOf(call.arg(guard.arg))) === undefined;
  }
  const map = call.machine.maps.def(call.map(0));
  if (guard.kind === 'map_of_sockets') return isMapOfSockets(map) === guard.is;
  if (map.type !== 'array' && map.type !== 'percpu_array') return true;
  const key = call.machine.bytesAt(call.arg(1), 4);
  return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true) >= map.maxEntries;
}
