/**
 * Map elements, for real. A hash may be changed by others at any time: the environment may have an entry appear under a key
 * that is looked up, or vanish. An array's entries are always there.
 */
import type { Outcome } from '../../kernel/contract.js';
import { address } from '../address.js';
import type { Call } from '../call.js';
import { byPointer, type Model, type Models, signed } from './model.js';

/** How seldom a chooser lets others change a hash: one time in so many. */
const SELDOM = 4;

function keyOf(call: Call): Uint8Array {
  return call.world.bytesAt(call.arg(1), call.world.code.program.maps[call.map(0)]!.keySize).slice();
}

function find(call: Call): number {
  return call.world.maps.lookup(call.world.memory, call.map(0), keyOf(call));
}

function pickLookup(call: Call, outcomes: readonly Outcome[]): Outcome {
  const { world } = call;
  const index = call.map(0);
  const there = find(call) !== 0;
  const type = world.code.program.maps[index]!.type;
  if (type === 'array' || type === 'percpu_array') return byPointer(outcomes, there);
  const found = call.decide('found', 'null', there ? 'found' : 'null', SELDOM);
  if (found && !there) {
    const contents = call.someBytes() ?? new Uint8Array(0);
    return byPointer(outcomes, world.maps.insert(world.memory, index, keyOf(call), contents) !== 0);
  }
  if (!found && there) world.maps.remove(index, keyOf(call));
  return byPointer(outcomes, found);
}

const lookup: Model = {
  pick: pickLookup,
  run: (call, outcome) => (outcome.r0.kind === 'pointer' ? address(find(call), 0) : 0n),
};

/** One CPU: any other has no value. */
const lookupPercpu: Model = {
  pick: (call, outcomes) => byPointer(outcomes, call.size(2) === 0 && find(call) !== 0),
  run: lookup.run!,
};

/** A recorded error stands for what the program cannot see: no memory, a bucket locked elsewhere. */
function status(call: Call, real: () => bigint): bigint {
  const given = call.givenValue;
  return signed(given !== undefined && given < 0n ? call.number(given, 0n) : real());
}

const update: Model = {
  run(call) {
    const { world } = call;
    const index = call.map(0);
    const value = world.bytesAt(call.arg(2), world.code.program.maps[index]!.valueSize).slice();
    return status(call, () => world.maps.update(world.memory, index, keyOf(call), value, call.arg(3)));
  },
};

const remove: Model = {
  run: (call) => status(call, () => call.world.maps.remove(call.map(0), keyOf(call))),
};

export const MAP_MODELS: Models = {
  bpf_map_lookup_elem: lookup,
  bpf_map_lookup_percpu_elem: lookupPercpu,
  bpf_map_update_elem: update,
  bpf_map_delete_elem: remove,
};
