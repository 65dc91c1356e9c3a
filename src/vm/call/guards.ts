/** Tells which outcomes of a function are possible at a call, given the state of the run. */
import type { Guard, Outcome } from '../../kernel/contract.js';
import { isMapOfSockets } from '../../kernel/maptypes.js';
import { regionOf } from '../state/address.js';
import type { Call } from './call.js';

/** The outcomes whose guard holds now. For example, a lookup in an array with a key in range cannot miss. */
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
