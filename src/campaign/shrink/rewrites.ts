/**
 * Passes that change several operations at once, where no single one can be removed: an acquire and its release, a look-up and its key, a
 * subprogram and its call.
 */
import { FP, type Op } from '../../isa/insn.js';
import type { Linked } from '../../isa/label.js';
import { contractOf, contracts, helperByName, kfunc } from '../../kernel/catalog.js';
import { bodiesOf, type Draft, type Node, opOf, replaced, without } from './draft.js';
import type { Pass } from './passes.js';
import { definedRegister, registersOf, substituteReads } from './registers.js';

const setTo = (dst: number, imm: number): Op => ({ kind: 'mov', width: 64, dst, src: { imm } });
const everyNode = (draft: Draft): number => draft.nodes.length;

/** Which function a node calls, as text; undefined for all but calls. */
function callee({ item }: Node): string | undefined {
  const op = item.kind === 'linked' ? item.op : item;
  if (op.kind !== 'call') return undefined;
  return item.kind === 'linked' ? `to ${item.target}` : `${op.target} ${op.imm}`;
}

/** Replaces a call that acquires by a number, and removes all calls of the function that releases. */
export const dropAcquireAndRelease: Pass = {
  name: 'neither acquire nor release',
  positions: everyNode,
  *candidates(draft, position) {
    const made = callee(draft.nodes[position]!);
    if (made === undefined) return;
    const others = new Set(draft.nodes.flatMap((node) => callee(node) ?? []));
    others.delete(made);
    for (const other of others) {
      for (const value of [1, 0]) {
        const changed = replaced(draft, position, [setTo(0, value)]);
        yield without(changed, (i) => callee(changed.nodes[i]!) === other);
        // Later insns may depend on r0.
        const nodes = changed.nodes.map((node) =>
          callee(node) === other ? { ...node, item: setTo(0, 0) } : node,
        );
        yield { ...changed, nodes };
      }
    }
  },
};

/** A call without the operations right before it that only prepare its arguments; with `r0 = 0` or nothing in its place. */
export const dropCall: Pass = {
  name: 'drop a call with its arguments',
  positions: everyNode,
  *candidates(draft, position) {
    if (callee(draft.nodes[position]!) === undefined) return;
    const from = argumentsFrom(draft, position);
    yield without(draft, (i) => i >= from && i <= position);
    const changed = replaced(draft, position, [setTo(0, 0)]);
    if (from < position) yield without(changed, (i) => i >= from && i < position);
  },
};

function argumentsFrom(draft: Draft, call: number): number {
  let from = call;
  while (from > 0 && draft.nodes[from]!.labels.length === 0) {
    const dst = definedRegister(opOf(draft.nodes[from - 1]!));
    if (dst === undefined || dst < 1 || dst > 5) break;
    from--;
  }
  return from;
}

const MAP_LOOKUP_ELEM = 1;

/** A map's value by its address in place of a look-up and its key. */
export const lookupToAddress: Pass = {
  name: 'address map values directly',
  positions: everyNode,
  *candidates(draft, position) {
    const op = opOf(draft.nodes[position]!);
    if (op.kind !== 'call' || op.target !== 'helper' || op.imm !== MAP_LOOKUP_ELEM) return;
    const from = argumentsFrom(draft, position);
    const map = draft.nodes.slice(from, position).map(opOf).find(isMap);
    if (map === undefined) return;
    // Only a map with one entry has its value at a fixed address.
    const maps = draft.program.maps.map((one, i) =>
      i === map.imm ? { ...one, type: 'array' as const, keySize: 4, maxEntries: 1 } : one,
    );
    const changed = replaced({ ...draft, program: { ...draft.program, maps } }, position, [
      { kind: 'ld_imm64', dst: 0, as: 'map_value', imm: map.imm, hi: 0 },
    ]);
    yield without(changed, (i) => i >= from && i < position);
  },
};

function isMap(op: Op): op is Extract<Op, { kind: 'ld_imm64' }> {
  return op.kind === 'ld_imm64' && op.as === 'map';
}

/** Removes a copy of a register; its readers read the original. */
export const propagateCopy: Pass = {
  name: 'read the original',
  positions: everyNode,
  *candidates(draft, position) {
    const op = opOf(draft.nodes[position]!);
    if (op.kind !== 'mov' || !('reg' in op.src) || op.dst === op.src.reg) return;
    const [from, to] = [op.dst, op.src.reg];
    // Up to the end, or only up to the next insn that overwrites the register.
    const end = draft.nodes.findIndex((node, i) => i > position && definedRegister(opOf(node)) === from);
    for (const last of end < 0 ? [draft.nodes.length] : [draft.nodes.length, end]) {
      const nodes = draft.nodes.map(
        (node, i): Node => (i > position && i <= last ? nodeReading(node, from, to) : node),
      );
      yield without({ ...draft, nodes }, (i) => i === position);
    }
  },
};

/** Removes a spill: where the slot was loaded, the register is copied instead. */
export const forwardSpill: Pass = {
  name: 'copy what was spilled',
  positions: everyNode,
  *candidates(draft, position) {
    const spill = opOf(draft.nodes[position]!);
    if (spill.kind !== 'stx' || spill.size !== 8 || spill.dst !== FP) return;
    const nodes = draft.nodes.map((node, i): Node => {
      const fill = opOf(node);
      if (i <= position || fill.kind !== 'ldx' || fill.size !== 8) return node;
      if (fill.src !== FP || fill.off !== spill.off) return node;
      return { ...node, item: { kind: 'mov', width: 64, dst: fill.dst, src: { reg: spill.src } } };
    });
    yield without({ ...draft, nodes }, (i) => i === position);
  },
};

/** Computes an address again where it is needed, instead of keeping it in a register. */
export const rematerializeAddress: Pass = {
  name: 'make addresses anew',
  positions: everyNode,
  *candidates(draft, position) {
    const op = opOf(draft.nodes[position]!);
    if (op.kind !== 'ld_imm64' || draft.nodes[position]!.item.kind === 'linked') return;
    let same = true;
    const nodes = draft.nodes.map((node, i): Node => {
      if (i <= position || !same) return node;
      const copy = opOf(node);
      same = definedRegister(copy) !== op.dst && !(copy.kind === 'call' && op.dst <= 5);
      const copies = copy.kind === 'mov' && 'reg' in copy.src && copy.src.reg === op.dst;
      return copies ? { ...node, item: { ...op, dst: copy.dst } } : node;
    });
    yield without({ ...draft, nodes: folded(nodes) }, (i) => i === position);
  },
};

/** `rN = mapvalue m +A; rN += B` as one, the second part made to do nothing. */
function folded(nodes: readonly Node[]): readonly Node[] {
  const result = [...nodes];
  for (const [i, node] of nodes.entries()) {
    const [op, next] = [opOf(node), nodes[i + 1]];
    const add = next && opOf(next);
    if (op.kind !== 'ld_imm64' || op.as !== 'map_value' || add?.kind !== 'alu' || add.op !== 'add') continue;
    if (add.dst !== op.dst || !('imm' in add.src) || add.width !== 64) continue;
    result[i] = { ...node, item: { ...op, hi: op.hi + add.src.imm } };
    result[i + 1] = { ...next!, item: { ...add, src: { imm: 0 } } };
  }
  return result;
}

function nodeReading(node: Node, from: number, to: number): Node {
  const op = substituteReads(opOf(node), from, to);
  if (node.item.kind !== 'linked') return { ...node, item: op };
  return { ...node, item: { ...node.item, op: op as Linked['op'] } };
}

/** Inlines a subprogram at its call. */
export const inlineSubprog: Pass = {
  name: 'inline a subprogram',
  positions: everyNode,
  *candidates(draft, position) {
    const { item } = draft.nodes[position]!;
    if (item.kind !== 'linked' || item.op.kind !== 'call') return;
    const called = bodiesOf(draft).find(({ start }) => draft.nodes[start]!.labels.includes(item.target));
    if (called === undefined) return;
    const { start, end } = called;
    if (position >= start && position < end) return;
    const after = `after ${position} ${draft.nodes.length}`;
    const suffix = ` in ${position} ${draft.nodes.length}`;
    const inside = new Set(draft.nodes.slice(start, end).flatMap((node) => node.labels));
    const body = draft.nodes.slice(start, end).map((node): Node => {
      const labels = node.labels.map((name) => name + suffix);
      if (node.item.kind === 'exit') {
        return { labels, item: { kind: 'linked', op: { kind: 'ja', off: 0, long: false }, target: after } };
      }
      if (node.item.kind !== 'linked' || !inside.has(node.item.target)) return { labels, item: node.item };
      return { labels, item: { ...node.item, target: node.item.target + suffix } };
    });
    // A jump to the next insn does nothing.
    const last = body.at(-1);
    const whole =
      last?.item.kind === 'linked' && last.item.target === after && last.labels.length === 0
        ? body.slice(0, -1)
        : body;
    const [first, ...rest] = whole;
    if (first === undefined) return;
    const { labels } = draft.nodes[position]!;
    const next = draft.nodes[position + 1];
    const following = next === undefined ? [] : [{ ...next, labels: [...next.labels, after] }];
    yield {
      ...draft,
      nodes: [
        ...draft.nodes.slice(0, position),
        { ...first, labels: [...labels, ...first.labels] },
        ...rest,
        ...following,
        ...draft.nodes.slice(position + 2),
      ],
    };
  },
};

/** Another function that takes fewer arguments, the first of the same kind. */
export const simplerCall: Pass = {
  name: 'call something simpler',
  positions: everyNode,
  *candidates(draft, position) {
    const op = opOf(draft.nodes[position]!);
    if (op.kind !== 'call' || op.target === 'subprog') return;
    const contract = contractOf(draft.program, op);
    if (contract === undefined || contract.args.length < 2) return;
    const from = argumentsFrom(draft, position);
    for (const other of contracts()) {
      if (other.args.length >= contract.args.length || !other.types.includes(draft.program.type)) continue;
      if (other.args[0]?.kind !== contract.args[0]?.kind) continue;
      const changed = replaced(withKfunc(draft, other.name), position, [callOf(draft, other.name)]);
      yield without(changed, (i) => {
        if (i < from || i >= position) return false;
        const dst = definedRegister(opOf(changed.nodes[i]!));
        return dst !== undefined && dst > other.args.length;
      });
    }
  },
};

function withKfunc(draft: Draft, name: string): Draft {
  if (kfunc(name) === undefined || draft.program.kfuncs.includes(name)) return draft;
  return { ...draft, program: { ...draft.program, kfuncs: [...draft.program.kfuncs, name] } };
}

function callOf(draft: Draft, name: string): Op {
  const known = helperByName(name);
  if (known !== undefined) return { kind: 'call', target: 'helper', imm: known.id };
  const { kfuncs } = draft.program;
  const index = kfuncs.indexOf(name);
  return { kind: 'call', target: 'kfunc', imm: index < 0 ? kfuncs.length : index };
}

/** Keeps a stack address in a register that is computed several times. */
export const shareStackAddress: Pass = {
  name: 'keep a stack address',
  positions: () => 1,
  *candidates(draft) {
    const used = new Set(draft.nodes.flatMap((node) => registersOf(opOf(node))));
    const free = [6, 7, 8, 9].find((reg) => !used.has(reg));
    if (free === undefined || draft.functions.size > 1) return;
    const places = new Map<number, number[]>();
    for (const [i, node] of draft.nodes.entries()) {
      const off = addressAt(draft, i);
      if (off !== undefined && node.labels.length === 0) places.set(off, [...(places.get(off) ?? []), i]);
    }
    for (const [off, at] of places) {
      if (at.length < 3) continue;
      const nodes = draft.nodes.map((node, i): Node => {
        const op = opOf(node);
        return at.includes(i) && op.kind === 'mov' ? { ...node, item: { ...op, src: { reg: free } } } : node;
      });
      const fewer = without({ ...draft, nodes }, (i) => at.includes(i - 1));
      const [first, ...rest] = fewer.nodes;
      const ahead: Node[] = [
        { labels: first!.labels, item: { kind: 'mov', width: 64, dst: free, src: { reg: FP } } },
        { labels: [], item: { kind: 'alu', op: 'add', width: 64, dst: free, src: { imm: off } } },
      ];
      yield { ...fewer, nodes: [...ahead, { ...first!, labels: [] }, ...rest] };
    }
  },
};

/** The offset from r10 that operations `i` and `i + 1` make, `rN = r10; rN += off`. */
function addressAt(draft: Draft, i: number): number | undefined {
  const [first, second] = [draft.nodes[i], draft.nodes[i + 1]];
  if (first === undefined || second === undefined || second.labels.length > 0) return undefined;
  const [mov, add] = [opOf(first), opOf(second)];
  if (mov.kind !== 'mov' || !('reg' in mov.src) || mov.src.reg !== FP || mov.width !== 64) return undefined;
  if (add.kind !== 'alu' || add.op !== 'add' || add.dst !== mov.dst || !('imm' in add.src)) return undefined;
  return add.src.imm;
}
