/** Lists, trees and kptr slots: owned objects that move between the program and maps. */
import type { Outcome } from '../../../kernel/contract.js';
import { address, offsetOf, regionOf } from '../../state/address.js';
import { type GraphNode, rootKey } from '../../state/graph.js';
import type { Hold } from '../../state/ledger.js';
import type { CallbackHelper, HelperStep, MachineState } from '../../state/machine.js';
import { ERRNO } from '../../state/maps.js';
import { misuse } from '../../state/trap.js';
import type { Call } from '../call.js';
import { type CallbackSite, callbackSite } from '../callbacks.js';
import { disown } from '../effects.js';
import { kernelBytes } from '../kernel-struct.js';
import { byPointer, type Model, type Models, signed } from './model.js';

const rootOf = (call: Call): string => rootKey(call.regionNumber(0), call.offset(0));
const nodeAt = (call: Call, index: number): GraphNode => ({
  region: call.regionNumber(index),
  offset: call.offset(index),
});
const pointer = (node: GraphNode): bigint => address(node.region, node.offset);

/** The program's hold on a node that is about to be put into a graph. Traps if it has none. */
function heldNode(machine: MachineState, node: GraphNode, by: string): Hold {
  const hold = machine.ledger.reference(node.region);
  if (hold === undefined) throw misuse(`${by} of an object that is not owned`);
  return hold;
}

/** Gives the program's ownership of a node to a graph. If the node is in a graph already, it is dropped instead; answers false. */
function handOver(machine: MachineState, node: GraphNode, by: string): boolean {
  machine.ledger.drop(heldNode(machine, node, by).id);
  if (!machine.graph.isLinked(node)) return true;
  disown(machine, node.region);
  return false;
}

const push = (back: boolean): Model => ({
  run(call) {
    const { graph } = call.machine;
    const node = nodeAt(call, 1);
    if (!handOver(call.machine, node, call.name)) return signed(ERRNO.EINVAL);
    graph.insert(rootOf(call), back ? graph.nodes(rootOf(call)).length : 0, node);
    return 0n;
  },
});

/** Takes a node out of its graph; the program owns it from now on. */
function takeOut(call: Call, outcome: Outcome, node: GraphNode | undefined): bigint {
  if (node === undefined || outcome.r0.kind !== 'pointer') return 0n;
  call.machine.graph.remove(rootOf(call), node);
  call.machine.ledger.take(outcome.r0.acquires ?? 'object', node.region, node.offset, call.slot, call.name);
  return pointer(node);
}

const pop = (which: (nodes: readonly GraphNode[]) => GraphNode | undefined): Model => ({
  pick: (call, outcomes) => byPointer(outcomes, which(call.machine.graph.nodes(rootOf(call))) !== undefined),
  run: (call, outcome) => takeOut(call, outcome, which(call.machine.graph.nodes(rootOf(call)))),
});

/** Looks at a node without taking it. */
const peek = (which: (nodes: readonly GraphNode[]) => GraphNode | undefined): Model => ({
  pick: (call, outcomes) => byPointer(outcomes, which(call.machine.graph.nodes(rootOf(call))) !== undefined),
  run(call, outcome) {
    const node = outcome.r0.kind === 'pointer' ? which(call.machine.graph.nodes(rootOf(call))) : undefined;
    return node === undefined ? 0n : pointer(node);
  },
});

const first = (nodes: readonly GraphNode[]): GraphNode | undefined => nodes[0];
const last = (nodes: readonly GraphNode[]): GraphNode | undefined => nodes[nodes.length - 1];

function linkedHere(call: Call): GraphNode | undefined {
  const node = nodeAt(call, 1);
  return call.machine.graph.rootOf(node) === rootOf(call) ? node : undefined;
}

const removeNode: Model = {
  pick: (call, outcomes) => byPointer(outcomes, linkedHere(call) !== undefined),
  run: (call, outcome) => takeOut(call, outcome, linkedHere(call)),
};

/** A tree leans to the right here: a node's left child is missing, its right child is the next node. */
function rightOf(call: Call): GraphNode | undefined {
  const node = nodeAt(call, 1);
  const nodes = call.machine.graph.nodes(rootOf(call));
  if (linkedHere(call) === undefined) return undefined;
  return nodes[nodes.findIndex((one) => one.region === node.region && one.offset === node.offset) + 1];
}

const right: Model = {
  pick: (call, outcomes) => byPointer(outcomes, rightOf(call) !== undefined),
  run: (call, outcome) => (outcome.r0.kind === 'pointer' ? pointer(rightOf(call)!) : 0n),
};

const left: Model = { pick: (_call, outcomes) => byPointer(outcomes, false), run: () => 0n };

/**
 * bpf_rbtree_add calls the program's `less` to find the node's place. The node is inserted in any case, also if the program is killed
 * meanwhile. As in a balanced tree each answer leaves half of the nodes: the place is before one of the nodes `from` to `to - 1`, or behind them.
 */
class Insertion implements CallbackHelper {
  readonly slot: number;
  readonly name: string;
  readonly callback: number;
  readonly spec: CallbackSite['spec'];

  constructor(
    private readonly site: CallbackSite,
    private readonly root: string,
    private readonly node: GraphNode,
    /** The program holds the node until it is in the tree. */
    private readonly hold: number,
    private readonly from: number,
    private readonly to: number,
  ) {
    ({ slot: this.slot, name: this.name, callback: this.callback, spec: this.spec } = site);
  }

  next(machine: MachineState, returned: bigint | undefined, stop: boolean): HelperStep {
    const asked = middle(this.from, this.to);
    const less = returned !== undefined && (returned & 1n) === 1n;
    const from = returned === undefined || less ? this.from : asked + 1;
    const to = less ? asked : this.to;
    const other = from < to ? machine.graph.nodes(this.root)[middle(from, to)] : undefined;
    if (stop || other === undefined) {
      machine.graph.insert(this.root, from, this.node);
      machine.ledger.drop(this.hold);
      return { kind: 'done', r0: 0n };
    }
    const helper = new Insertion(this.site, this.root, this.node, this.hold, from, to);
    return { kind: 'call', args: [pointer(this.node), pointer(other)], helper };
  }
}

/** The node that is compared first where a new one goes before one of the nodes `from` to `to - 1`, or behind them. */
const middle = (from: number, to: number): number => (from + to - 1) >> 1;

/** The first step of bpf_rbtree_add. */
export function insertIntoTree(call: Call): HelperStep {
  const node = nodeAt(call, 1);
  const { id } = heldNode(call.machine, node, call.name);
  if (!call.machine.graph.isLinked(node)) {
    const root = rootOf(call);
    const all = call.machine.graph.nodes(root).length;
    return new Insertion(callbackSite(call), root, node, id, 0, all).next(call.machine, undefined, false);
  }
  handOver(call.machine, node, call.name);
  return { kind: 'done', r0: call.narrow(ERRNO.EINVAL, 32) };
}

/** What lies in a kptr slot; 0 for nothing. */
function kptrIn(call: Call): bigint {
  const bytes = call.machine.bytesAt(call.arg(0), 8);
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}

/** Puts a new object into the slot, as another program might have done. */
function plant(call: Call): bigint {
  const { machine } = call;
  const region = call.region(0);
  const fields = machine.code.program.maps[region.map]?.fields ?? [];
  const struct = fields.find((field) => field.offset === call.offset(0))?.struct ?? 'object';
  const local = machine.code.program.localTypes.find((type) => type.name === struct);
  return address(
    machine.memory.add(
      local === undefined
        ? { kind: 'btf', name: struct, bytes: kernelBytes(), writable: false, owners: 1 }
        : { kind: 'object', name: struct, bytes: new Uint8Array(local.size), writable: true, owners: 1 },
    ),
    0,
  );
}

const kptrXchg: Model = {
  pick(call, outcomes) {
    const there = kptrIn(call) !== 0n;
    return byPointer(outcomes, there || call.decide('held', 'empty', 'empty', 4));
  },
  run(call, outcome) {
    const { machine } = call;
    let old = kptrIn(call);
    const fresh = call.arg(1);
    if (fresh !== 0n) {
      const hold = machine.ledger.reference(regionOf(fresh));
      if (hold === undefined) throw misuse(`${call.name} of an object that is not held`);
      machine.ledger.drop(hold.id);
    }
    if (outcome.r0.kind === 'pointer' && old === 0n) old = plant(call);
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, fresh, true);
    machine.writeBytes(call.arg(0), bytes);
    if (old === 0n || outcome.r0.kind !== 'pointer') return 0n;
    const region = machine.memory.get(regionOf(old));
    // RCU readers may still see the old object. So the program gets a second region with the same bytes, and releasing that one does not
    // affect the readers.
    if (region !== undefined && region.kind === 'btf') {
      const { kind, name, bytes: contents } = region;
      old = address(
        machine.memory.add({ kind, name, bytes: contents, writable: false, owners: 1 }),
        offsetOf(old),
      );
    }
    machine.ledger.take(outcome.r0.acquires ?? 'kptr', regionOf(old), 0, call.slot, call.name);
    return old;
  },
};

export const GRAPH_MODELS: Models = {
  bpf_kptr_xchg: kptrXchg,
  bpf_list_push_front_impl: push(false),
  bpf_list_push_back_impl: push(true),
  bpf_list_pop_front: pop(first),
  bpf_list_pop_back: pop(last),
  bpf_list_front: peek(first),
  bpf_list_back: peek(last),
  bpf_rbtree_first: peek(first),
  bpf_rbtree_root: peek(first),
  bpf_rbtree_remove: removeNode,
  bpf_rbtree_right: right,
  bpf_rbtree_left: left,
};
