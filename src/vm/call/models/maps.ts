/**
 * Map elements, for real. A hash may be changed by others at any time: the environment may have an entry appear under a key
 * that is looked up, or vanish. An array's entries are always there.
 */
import type { Outcome } from '../../../kernel/contract.js';
import { isMapOfSockets } from '../../../kernel/maptypes.js';
import type { MapDef, MapType } from '../../../object/program.js';
import { address } from '../../state/address.js';
import type { Call } from '../call.js';
import { kernelBytes } from '../kernel-struct.js';
import { byPointer, type Model, type Models, signed } from './model.js';

/** A chooser lets others change a hash about once in so many times. */
const SELDOM = 4;

function keyOf(call: Call): Uint8Array {
  return call.machine.bytesAt(call.arg(1), call.machine.maps.def(call.map(0)).keySize).slice();
}

/** Maps that are indexed but hold no plain values. A lookup at or above the number of entries finds nothing. */
const INDEXED: ReadonlySet<MapType> = new Set(['array_of_maps', 'devmap', 'xskmap', 'sockmap']);
/** The entries are sockets that user space or another program puts in and takes out. So the environment decides each lookup. */
const holdsSockets = (map: MapDef): boolean => isMapOfSockets(map) || map.type === 'xskmap';

function isBeyond(call: Call, { type, maxEntries }: MapDef): boolean {
  return INDEXED.has(type) && new DataView(keyOf(call).buffer).getUint32(0, true) >= maxEntries;
}

function find(call: Call): number {
  return call.machine.maps.lookup(call.machine.memory, call.map(0), keyOf(call));
}

function pickLookup(call: Call, outcomes: readonly Outcome[]): Outcome {
  const { machine } = call;
  const index = call.map(0);
  const map = machine.maps.def(index);
  if (isBeyond(call, map)) return byPointer(outcomes, false);
  if (holdsSockets(map)) return call.choose(outcomes);
  const there = find(call) !== 0;
  if (map.type === 'array' || map.type === 'percpu_array') return byPointer(outcomes, there);
  const found = call.decide('found', 'null', there ? 'found' : 'null', SELDOM);
  if (found && !there) {
    const contents = call.someBytes() ?? new Uint8Array(0);
    return byPointer(outcomes, machine.maps.insert(machine.memory, index, keyOf(call), contents) !== 0);
  }
  if (!found && there) machine.maps.remove(index, keyOf(call));
  return byPointer(outcomes, found);
}

const lookup: Model = {
  pick: pickLookup,
  run(call, outcome, rest) {
    if (outcome.r0.kind !== 'pointer') return 0n;
    const map = call.machine.maps.def(call.map(0));
    if (isMapOfSockets(map)) return rest();
    if (map.type !== 'xskmap') return address(find(call), 0);
    // The program holds no reference. The object lives as long as the run, which is one RCU section.
    const socket = { kind: 'sock', name: 'xdp_sock', bytes: kernelBytes(call), writable: false } as const;
    return address(call.machine.memory.add({ ...socket, owners: Number.POSITIVE_INFINITY }), 0);
  },
};

/** Region of the value of the CPU in argument 2, 0 when there is no such CPU or key. */
function findOn(call: Call): number {
  const { machine } = call;
  const cpu = call.size(2);
  if (cpu === machine.cpu.current) return find(call);
  return cpu < machine.cpu.count ? machine.maps.lookupOn(machine.memory, call.map(0), keyOf(call), cpu) : 0;
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
  run(call, _outcome, rest) {
    const { machine } = call;
    const index = call.map(0);
    if (isMapOfSockets(machine.maps.def(index))) return rest();
    const value = machine.bytesAt(call.arg(2), machine.maps.def(index).valueSize).slice();
    const flags = call.arg(3);
    return status(call, () => machine.maps.update(machine.memory, index, keyOf(call), value, flags));
  },
};

const remove: Model = {
  run: (call, _outcome, rest) =>
    isMapOfSockets(call.machine.maps.def(call.map(0)))
      ? rest()
      : status(call, () => call.machine.maps.remove(call.map(0), keyOf(call))),
};

export const MAP_MODELS: Models = {
  bpf_map_lookup_elem: lookup,
  bpf_map_lookup_percpu_elem: lookupPercpu,
  bpf_map_update_elem: update,
  bpf_map_delete_elem: remove,
};
