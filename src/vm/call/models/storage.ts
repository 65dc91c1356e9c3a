/** Queues, stacks, bloom filters, and the storage that belongs to a socket, a task or a cgroup. */
import type { Outcome } from '../../../kernel/contract.js';
import { address } from '../../state/address.js';
import { ERRNO } from '../../state/maps.js';
import type { Call } from '../call.js';
import { byPointer, type Model, type Models, signed } from './model.js';

/** Update flags of bpf_map_push_elem: the oldest element makes room. */
const BPF_EXIST = 2n;
/** The element is made if it is not there. */
const STORAGE_GET_CREATE = 1n;

/** The element of the object in argument 1, by the object's address. */
function keyOf(call: Call): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, call.arg(1), true);
  return key;
}

const find = (call: Call): number => call.machine.maps.lookup(call.machine.memory, call.map(0), keyOf(call));

function pick(call: Call, outcomes: readonly Outcome[]): Outcome {
  if (call.arg(1) === 0n) return byPointer(outcomes, false);
  if (find(call) !== 0) return byPointer(outcomes, true);
  // There may be no memory for it.
  return (call.arg(3) & STORAGE_GET_CREATE) === 0n ? byPointer(outcomes, false) : call.choose(outcomes);
}

const get: Model = {
  pick,
  run(call, outcome) {
    if (outcome.r0.kind !== 'pointer') return 0n;
    const { machine } = call;
    const there = find(call);
    if (there !== 0) return address(there, 0);
    const size = machine.maps.def(call.map(0)).valueSize;
    const initial = call.arg(2) === 0n ? new Uint8Array(0) : machine.bytesAt(call.arg(2), size).slice();
    return address(machine.maps.put(machine.memory, call.map(0), keyOf(call), initial), 0);
  },
};

const remove: Model = {
  run: (call) =>
    signed(call.arg(1) === 0n ? ERRNO.EINVAL : call.machine.maps.remove(call.map(0), keyOf(call))),
};

/** This storage exists before the program is attached. There is only one, because the run is in one cgroup with one attachment. */
const local: Model = {
  run(call) {
    const { machine } = call;
    const key = new Uint8Array(8);
    const there = machine.maps.lookup(machine.memory, call.map(0), key);
    return address(
      there !== 0 ? there : machine.maps.put(machine.memory, call.map(0), key, new Uint8Array(0)),
      0,
    );
  },
};

/** The place of an element in a queue or stack: how many were put in before it. */
function keyAt(count: number): Uint8Array {
  const key = new Uint8Array(8);
  new DataView(key.buffer).setBigUint64(0, BigInt(count), true);
  return key;
}

const orderOf = (key: Uint8Array): number =>
  Number(new DataView(key.buffer, key.byteOffset).getBigUint64(0, true));

/** Keys of the elements, the first put in first. */
function inOrder(call: Call): Uint8Array[] {
  const { count, at } = call.machine.maps.snapshot(call.map(0));
  return Array.from({ length: count }, (_, i) => at(i)).sort((a, b) => orderOf(a) - orderOf(b));
}

const push: Model = {
  run(call) {
    const { machine } = call;
    const index = call.map(0);
    const map = machine.maps.def(index);
    const value = machine.bytesAt(call.arg(1), map.valueSize).slice();
    const flags = call.arg(2);
    if (flags > BPF_EXIST || flags === 1n) return signed(ERRNO.EINVAL);
    if (map.type === 'bloom_filter') {
      if (flags === BPF_EXIST) return signed(ERRNO.EINVAL);
      machine.maps.put(machine.memory, index, value, new Uint8Array(0));
      return 0n;
    }
    const keys = inOrder(call);
    if (keys.length >= map.maxEntries) {
      if (flags !== BPF_EXIST) return signed(ERRNO.E2BIG);
      machine.maps.remove(index, keys[0]!);
    }
    const last = keys.at(-1);
    machine.maps.put(machine.memory, index, keyAt(last === undefined ? 0 : orderOf(last) + 1), value);
    return 0n;
  },
};

/** Copies the element that is next out, and takes it out if asked; without one the buffer is zeroed. */
function next(call: Call, taken: boolean): bigint {
  const { machine } = call;
  const index = call.map(0);
  const map = machine.maps.def(index);
  if (map.type === 'bloom_filter') {
    const value = machine.bytesAt(call.arg(1), map.valueSize).slice();
    return signed(machine.maps.lookup(machine.memory, index, value) === 0 ? ERRNO.ENOENT : 0n);
  }
  const keys = inOrder(call);
  const key = map.type === 'queue' ? keys[0] : keys.at(-1);
  if (key === undefined) {
    machine.writeBytes(call.arg(1), new Uint8Array(map.valueSize));
    return signed(ERRNO.ENOENT);
  }
  const region = machine.maps.lookup(machine.memory, index, key);
  machine.writeBytes(call.arg(1), machine.memory.get(region)!.bytes.slice(0, map.valueSize));
  if (taken) machine.maps.remove(index, key);
  return 0n;
}

export const STORAGE_MODELS: Models = {
  bpf_sk_storage_get: get,
  bpf_task_storage_get: get,
  bpf_cgrp_storage_get: get,
  bpf_inode_storage_get: get,
  bpf_sk_storage_delete: remove,
  bpf_task_storage_delete: remove,
  bpf_cgrp_storage_delete: remove,
  bpf_inode_storage_delete: remove,
  bpf_get_local_storage: local,
  bpf_map_push_elem: push,
  bpf_map_pop_elem: { run: (call) => next(call, true) },
  bpf_map_peek_elem: { run: (call) => next(call, false) },
};
