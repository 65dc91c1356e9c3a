/**
 * Ways to make a program smaller: each pass lists drafts that are a little simpler than a given one. The caller checks whether one of
 * them is smaller and still shows what it should.
 */
import type { Op } from '../../isa/insn.js';
import type { Linked } from '../../isa/label.js';
import { type Draft, opOf, replaced, without } from './draft.js';

/** A pass offers candidates by position, so that after a success it can go on where it was. */
export interface Pass {
  readonly name: string;
  /** Number of positions in this draft. */
  positions(draft: Draft): number;
  candidates(draft: Draft, position: number): Iterable<Draft>;
}

/** Runs of operations dropped, long runs first: `length` operations at once. */
export function dropRuns(length: number): Pass {
  return {
    name: `drop ${length}`,
    positions: (draft) => Math.max(0, draft.nodes.length - length + 1),
    *candidates(draft, position) {
      yield without(draft, (i) => i >= position && i < position + length);
    },
  };
}

/** Removes two operations that are not neighbours, such as one that opens something and one that closes it. */
export const dropPairs: Pass = {
  name: 'drop pairs',
  positions: (draft) => draft.nodes.length,
  *candidates(draft, first) {
    for (let second = first + 2; second < draft.nodes.length; second++) {
      yield without(draft, (i) => i === first || i === second);
    }
  },
};

/** A jump, and all that it jumps over (or an operation and all up to where some label is). */
export const dropJumpedOver: Pass = {
  name: 'drop what is jumped over',
  positions: (draft) => draft.nodes.length,
  *candidates(draft, position) {
    const { item } = draft.nodes[position]!;
    if (item.kind !== 'linked') return;
    const to = draft.nodes.findIndex((node) => node.labels.includes(item.target));
    if (to > position + 1) yield without(draft, (i) => i >= position && i < to);
    if (to > position + 1) yield without(draft, (i) => i > position && i < to);
  },
};

/** Replaces operations by simpler ones. */
export const simplify: Pass = {
  name: 'simplify',
  positions: (draft) => draft.nodes.length,
  *candidates(draft, position) {
    const node = draft.nodes[position]!;
    for (const plainer of simplerOps(opOf(node), node.item.kind === 'linked')) {
      const same = node.item.kind === 'linked' && plainer.kind === 'ja';
      const item: Op | Linked = same ? { ...node.item, op: plainer } : plainer;
      yield replaced(draft, position, [item]);
    }
    // Makes a branch always taken.
    if (node.item.kind === 'linked' && node.item.op.kind === 'jmp') {
      yield replaced(draft, position, [{ ...node.item, op: { kind: 'ja', off: 0, long: false } }]);
      for (const jump of simplerJumps(node.item.op))
        yield replaced(draft, position, [{ ...node.item, op: jump }]);
    }
  },
};

const ZERO = { imm: 0 } as const;

function* simplerOps(op: Op, leads: boolean): Iterable<Op> {
  const zero = (dst: number): Op => ({ kind: 'mov', width: 64, dst, src: ZERO });
  switch (op.kind) {
    case 'mov':
      if ('reg' in op.src) yield zero(op.dst);
      else yield* smallerNumbers(op.src.imm).map((imm): Op => ({ ...op, src: { imm } }));
      if (op.width === 32) yield { ...op, width: 64 };
      return;
    case 'alu':
      yield zero(op.dst);
      if ('reg' in op.src) {
        yield { kind: 'mov', width: op.width, dst: op.dst, src: op.src };
        yield { ...op, src: ZERO };
      } else yield* smallerNumbers(op.src.imm).map((imm): Op => ({ ...op, src: { imm } }));
      return;
    case 'ld_imm64':
      if (!leads && op.as === 'imm') yield zero(op.dst);
      return;
    case 'movsx':
      yield { kind: 'mov', width: op.width, dst: op.dst, src: { reg: op.src } };
      yield zero(op.dst);
      return;
    case 'neg':
    case 'end':
    case 'ldx':
    case 'load_acquire':
      yield zero(op.dst);
      return;
    case 'st':
      yield* smallerNumbers(op.imm).map((imm): Op => ({ ...op, imm }));
      return;
    case 'stx':
    case 'store_release':
    case 'atomic':
      yield { kind: 'st', size: op.size, dst: op.dst, off: op.off, imm: 0 };
      return;
    case 'ld_packet':
    case 'call':
      yield zero(0);
      return;
    default:
      return;
  }
}

function* simplerJumps(op: Extract<Op, { kind: 'jmp' }>): Iterable<Extract<Op, { kind: 'jmp' }>> {
  if (op.op !== 'eq') yield { ...op, op: 'eq' };
  if (op.op !== 'eq' && op.op !== 'ne') yield { ...op, op: 'ne' };
  if (op.width === 32) yield { ...op, width: 64 };
  if ('reg' in op.src) yield { ...op, src: ZERO };
  else for (const imm of smallerNumbers(op.src.imm)) yield { ...op, src: { imm } };
}

/** Simpler numbers, the simplest first. */
function smallerNumbers(value: number): readonly number[] {
  if (value === 0) return [];
  const halves = [Math.trunc(value / 2), value - Math.sign(value)];
  return [...new Set([0, 1, -1, ...halves])].filter((one) => Math.abs(one) < Math.abs(value));
}
