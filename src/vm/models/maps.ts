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

/** Region of the value of the CPU in argument 2, 0 when there is no such CPU or key. */
function findOn(call: Call): number {
  const { world } = call;
  const cpu = call.size(2);
  if (cpu === world.cpu.current) return find(call);
  return cpu < world.cpu.count ? world.maps.lookupOn(world.memory, call.map(0), keyOf(call), cpu) : 0;
}

const lookupPercpu: Model = {
  pick: (call, outcomes) => byPointer(outcomes, findOn(call) !== 0),
  run: (call, outcome) => (outcome.r0.kind === 'pointer' ? address(findOn(call), 0) : 0n),
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
