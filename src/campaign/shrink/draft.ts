/**
 * A program in a form that can be edited: a list of operations in which jumps, calls and function references name labels. So operations
 * can be removed or inserted and the targets stay right. If an operation with a label is removed, the label moves to the next one.
 */
import { decodeAll } from '../../isa/decode.js';
import { InputError } from '../../isa/errors.js';
import type { Op } from '../../isa/insn.js';
import { type Item, type Linked, label, link, type Reference } from '../../isa/label.js';
import { targetOf } from '../../isa/target.js';
import { declaredIn } from '../../kernel/catalog.js';
import type { Program, Subprog } from '../../object/program.js';

/** One operation and the labels that lead to it. */
export interface Node {
  readonly labels: readonly string[];
  readonly item: Op | Linked;
}

/** An editable program. Every edit makes a new draft; the old one stays as it was. */
export interface Draft {
  readonly nodes: readonly Node[];
  /** Labels behind the last operation. */
  readonly tail: readonly string[];
  /** What is not insns: type, maps, kfuncs, local types. */
  readonly program: Program;
  /** Functions by the label of their first operation. */
  readonly functions: ReadonlyMap<string, Subprog>;
}

/** The operation of a node. If its target is a label, its own offset means nothing. */
export function opOf(node: Node): Op {
  return node.item.kind === 'linked' ? node.item.op : node.item;
}

const labelFor = (slot: number): string => `at ${slot}`;

/** Opens a program. Throws InputError for undefined encodings. */
export function open(program: Program): Draft {
  const ops = decodeAll(program.insns);
  const wanted = new Set(program.subprogs.map((subprog) => subprog.start));
  ops.forEach((op, slot) => {
    const target = op && targetOf(op, slot);
    if (target !== undefined) wanted.add(target);
  });
  const nodes = ops.flatMap((op, slot): Node[] => {
    if (op === undefined) return [];
    const labels = wanted.has(slot) ? [labelFor(slot)] : [];
    const target = targetOf(op, slot);
    if (target === undefined) return [{ labels, item: op }];
    return [{ labels, item: { kind: 'linked', op: op as Reference, target: labelFor(target) } }];
  });
  return {
    nodes,
    tail: wanted.has(ops.length) ? [labelFor(ops.length)] : [],
    program,
    functions: new Map(program.subprogs.map((subprog) => [labelFor(subprog.start), subprog])),
  };
}

/** The draft without some of its nodes. */
export function without(draft: Draft, gone: (index: number) => boolean): Draft {
  const nodes: Node[] = [];
  let carried: readonly string[] = [];
  draft.nodes.forEach((node, index) => {
    const labels = [...carried, ...node.labels];
    carried = gone(index) ? labels : [];
    if (!gone(index)) nodes.push(labels.length === node.labels.length ? node : { ...node, labels });
  });
  return { ...draft, nodes, tail: [...carried, ...draft.tail] };
}

/** The draft with other operations in place of node `index`; they are led to as it was. At least one. */
export function replaced(draft: Draft, index: number, items: readonly (Op | Linked)[]): Draft {
  const { labels } = draft.nodes[index]!;
  const made = items.map((item, i): Node => ({ labels: i === 0 ? labels : [], item }));
  return { ...draft, nodes: [...draft.nodes.slice(0, index), ...made, ...draft.nodes.slice(index + 1)] };
}

/**
 * The program that a draft stands for, without the functions, maps and kfuncs that nothing in it names any more. Source lines
 * are left out, since they speak of other insns. Undefined if the draft makes no program, because a jump leads outside or too far.
 */
export function close(draft: Draft): Program | undefined {
  const { program } = draft;
  const live = liveNodes(draft);
  const kept = without(draft, (index) => !live.has(index));
  const maps = usedIndices(kept.nodes, (op) =>
    op.kind === 'ld_imm64' && (op.as === 'map' || op.as === 'map_value') ? op.imm : undefined,
  );
  const kfuncs = usedIndices(kept.nodes, (op) =>
    op.kind === 'call' && op.target === 'kfunc' ? op.imm : undefined,
  );
  const items = kept.nodes.flatMap(({ labels, item }): Item[] => [
    ...labels.map((name) => label(name)),
    item.kind === 'linked' ? item : withIndices(item, maps, kfuncs),
  ]);
  try {
    const linked = link([...items, ...kept.tail.map((name) => label(name))]);
    const { lines: _lines, declared: all, ...rest } = program;
    const names = kfuncs.map((index) => program.kfuncs[index]!);
    const declared = all && declaredIn({ insns: linked.insns, kfuncs: names }, all);
    return {
      ...rest,
      insns: linked.insns,
      maps: maps.map((index) => program.maps[index]!),
      kfuncs: names,
      ...(declared === undefined || declared.length === 0 ? {} : { declared }),
      subprogs: subprogsOf(kept, linked.labels),
    };
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** The indices that operations name, ascending. */
function usedIndices(nodes: readonly Node[], indexOf: (op: Op) => number | undefined): number[] {
  const found = new Set<number>();
  for (const node of nodes) {
    const index = indexOf(opOf(node));
    if (index !== undefined) found.add(index);
  }
  return [...found].sort((a, b) => a - b);
}

function withIndices(op: Op, maps: readonly number[], kfuncs: readonly number[]): Op {
  if (op.kind === 'ld_imm64' && (op.as === 'map' || op.as === 'map_value')) {
    return { ...op, imm: maps.indexOf(op.imm) };
  }
  if (op.kind === 'call' && op.target === 'kfunc') return { ...op, imm: kfuncs.indexOf(op.imm) };
  return op;
}

/** Targets of calls and function references, by label. */
function calledLabels(nodes: readonly Node[]): Set<string> {
  const found = new Set<string>();
  for (const { item } of nodes) {
    if (item.kind === 'linked' && (item.op.kind === 'call' || item.op.kind === 'ld_imm64'))
      found.add(item.target);
  }
  return found;
}

/** The label of the exception callback, which no operation names. */
function exceptionCallbackLabels({ functions }: Draft): Set<string> {
  return new Set(
    [...functions].flatMap(([name, { exceptionCallback }]) => (exceptionCallback ? [name] : [])),
  );
}

/** The functions of a draft, in order: from the node of the first operation to the one behind the last. Each node lies in one. */
export function bodiesOf(draft: Draft): readonly { readonly start: number; readonly end: number }[] {
  const { nodes } = draft;
  const named = new Set([...calledLabels(nodes), ...exceptionCallbackLabels(draft)]);
  const starts = nodes.flatMap((node, i) =>
    i === 0 || node.labels.some((name) => named.has(name)) ? [i] : [],
  );
  return starts.map((start, i) => ({ start, end: starts[i + 1] ?? nodes.length }));
}

/** Nodes of functions that are reached from the main program through calls and references. */
function liveNodes(draft: Draft): Set<number> {
  const { nodes } = draft;
  const bodies = bodiesOf(draft);
  const live = new Set<number>();
  const visit = (names: ReadonlySet<string>): void => {
    for (const { start, end } of bodies) {
      if (live.has(start) || (start > 0 && !nodes[start]!.labels.some((name) => names.has(name)))) continue;
      for (let i = start; i < end; i++) live.add(i);
      visit(calledLabels(nodes.slice(start, end)));
    }
  };
  visit(exceptionCallbackLabels(draft));
  return live;
}

function subprogsOf(draft: Draft, labels: ReadonlyMap<string, number>): Subprog[] {
  const found = new Map<number, Subprog>();
  const named = new Set([...calledLabels(draft.nodes), ...exceptionCallbackLabels(draft)]);
  for (const [name, subprog] of draft.functions) {
    const start = labels.get(name);
    if (start === undefined || found.has(start) || (start !== 0 && !named.has(name))) continue;
    found.set(start, { ...subprog, start });
  }
  return [...found.values()].sort((a, b) => a.start - b.start);
}
