/**
 * Map elements, for real. A hash may be changed by others at any time: the environment may have an entry appear under a key
 * that is looked up, or vanish. An array's entries are always there.
 */
import { InputError } from '../../isa/errors.js';
import type { Outcome } from '../../kernel/contract.js';
import { address } from '../address.js';
import type { Call } from '../call.js';
import { byPointer, type Model, type Models, signed } from './model.js';

/** How seldom a chooser lets others change a hash: one time in so many. */
const SELDOM = 4;

function keyOf(call: Call): Uint8Array {
  return call.world.bytesAt(call.arg(1), call.world.code.program.maps[call.map(0)]!.keySize).slice();
}

/** Maps whose entries are no values that a program may touch. */
const NO_VALUES: ReadonlySet<string> = new Set(['sockmap', 'sockhash', 'xskmap', 'devmap', 'devmap_hash']);

function find(call: Call): number {
  const { name, type } = call.world.code.program.maps[call.map(0)]!;
  if (NO_VALUES.has(type))
    throw new InputError(`map '${name}': maps of type ${type} cannot be looked into here`);
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
  if (cpu === world.cpu.current || world.options.defects?.oneCpu) return find(call);
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
    const flags = world.options.defects?.updatesAlways ? 0n : call.arg(3);
    return status(call, () => world.maps.update(world.memory, index, keyOf(call), value, flags));
  },
};

const remove: Model = {
  run: (call) =>
    status(call, () =>
      call.world.options.defects?.deletesNothing ? 0n : call.world.maps.remove(call.map(0), keyOf(call)),
    ),
};

export const MAP_MODELS: Models = {
  bpf_map_lookup_elem: lookup,
  bpf_map_lookup_percpu_elem: lookupPercpu,
  bpf_map_update_elem: update,
  bpf_map_delete_elem: remove,
};
