/** Computes r0 after an outcome: a number that the environment decides, NULL, or a pointer to a new object. */
import type { Contract, Outcome, PointerKind } from '../../kernel/contract.js';
import { address, regionOf } from '../state/address.js';
import type { RegionInit } from '../state/memory.js';
import { fault } from '../state/trap.js';
import type { Call } from './call.js';
import { newRecord, rootOf } from './effects.js';
import { addKernelStruct, kernelBytes } from './kernel-struct.js';

/** The value of r0, unsigned; undefined for a void function. Takes the reference that the outcome acquires. */
export function result(call: Call, outcome: Outcome): bigint | undefined {
  const { r0 } = outcome;
  switch (r0.kind) {
    case 'void':
      return undefined;
    case 'null':
      return 0n;
    case 'scalar': {
      let [min, max] = outcome.usual ?? [r0.min, r0.max];
      if (r0.upTo !== undefined) {
        const limit = BigInt(call.size(r0.upTo));
        if (limit < max) max = limit;
      }
      if (min < r0.min) min = r0.min;
      return BigInt.asUintN(64, call.number(min, max, resultBits(call.contract)));
    }
    case 'pointer': {
      const derived = r0.derives === undefined ? 0 : rootOf(call.machine, call.regionNumber(r0.derives));
      const parent = isObject(call, derived) ? derived : 0;
      const owners = r0.acquires === undefined ? Number.POSITIVE_INFINITY : 1;
      const at = pointTo(call, r0.to, { parent, owners });
      if (r0.acquires !== undefined) {
        call.machine.ledger.take(r0.acquires, regionOf(at), 0, call.slot, call.name);
      }
      return at;
    }
  }
}

/** C types of results that do not fill r0. The other bits are undefined; mostly they are zero. */
const NARROW: ReadonlyMap<string, number> = new Map([
  ['int', 32],
  ['s32', 32],
  ['u32', 32],
  ['__s32', 32],
  ['__u32', 32],
  ['bool', 8],
]);

/** Bits of r0 that a function sets. Helpers return 64 bits. For an error of a resilient lock Linux counts on all 64 bits. */
export function resultBits({ kind, ret, name }: Contract): number {
  return kind === 'helper' || name.startsWith('bpf_res_spin_lock') ? 64 : (NARROW.get(ret) ?? 64);
}

function isObject(call: Call, region: number): boolean {
  const kind = call.machine.memory.get(region)?.kind;
  return kind === 'sock' || kind === 'btf' || kind === 'object';
}

function pointTo(call: Call, to: PointerKind, life: Pick<RegionInit, 'parent' | 'owners'>): bigint {
  const { machine } = call;
  const add = (kind: RegionInit['kind'], name: string, bytes: Uint8Array, writable: boolean): bigint =>
    address(machine.memory.add({ kind, name, bytes, writable, ...life }), 0);
  switch (to.kind) {
    case 'sock':
      return add('sock', to.type, kernelBytes(call), false);
    case 'btf':
      return addKernelStruct(machine, to.struct, kernelBytes(call), life);
    case 'cast':
    case 'kern_ctx':
      return add('btf', 'kernel struct', kernelBytes(call), false);
    case 'record': {
      const index = call.contract.args.findIndex((arg) => arg.kind === 'alloc_size');
      return address(newRecord(call, call.size(index)), 0);
    }
    case 'mem':
      return add('mem', 'memory', new Uint8Array(call.memSize(to.size)), to.readonly !== true);
    case 'object': {
      const id = Number(call.arg(0) & 0xffff_ffffn);
      const type = machine.code.program.localTypes.find((local) => local.id === id);
      if (type === undefined) throw fault(`${call.name} of a type that the program does not have (${id})`);
      // The allocator does not clear objects, only their special fields.
      const bytes = new Uint8Array(type.size);
      bytes.set((call.someBytes() ?? bytes).subarray(0, type.size));
      for (const { offset, size } of type.fields) bytes.fill(0, offset, offset + size);
      return add('object', type.name, bytes, true);
    }
    case 'same': {
      machine.memory.own(call.regionNumber(to.arg)).owners++;
      return call.arg(to.arg);
    }
    case 'percpu':
      return call.arg(to.arg);
    case 'map_value':
    case 'graph_node':
    case 'kptr':
      throw new Error(`${call.name}: r0 of kind ${to.kind} needs a model`);
  }
}
