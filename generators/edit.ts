/** A program taken apart into operations with labels, so that insns can be dropped, added and changed, and put together again. */
import { decodeAll } from '../src/isa/decode.js';
import type { Op } from '../src/isa/insn.js';
import { type Item, type Label, type Linked, label, link, type Reference } from '../src/isa/label.js';
import { targetOf } from '../src/isa/target.js';
import type { Program } from '../src/object/program.js';

/** An operation of the program, where it stood. */
export interface Place {
  /** Its first slot in the program that was taken apart. */
  readonly slot: number;
  readonly op: Op;
}

/**
 * A program that can be edited: change `items` in place, then put it together again. Labels keep jumps and calls right when insns come
 * and go.
 */
export class Draft {
  private readonly labels = new Map<number, Label>();
  /** Operations and labels, in order; to be edited in place. */
  readonly items: Item[];
  private readonly slots = new Map<Item, number>();

  /** Throws InputError for insns that cannot be decoded. */
  constructor(readonly program: Program) {
    const ops = decodeAll(program.insns);
    for (const [slot, op] of ops.entries()) {
      const target = op === undefined ? undefined : targetOf(op, slot);
      if (target !== undefined) this.labels.set(target, label(`s${target}`));
    }
    for (const { start } of program.subprogs) this.labels.set(start, label(`s${start}`));
    this.items = ops.flatMap((op, slot) => {
      const at = this.labels.get(slot);
      const items: Item[] = at === undefined ? [] : [at];
      if (op === undefined) return items;
      const target = targetOf(op, slot);
      const item: Item =
        target === undefined
          ? op
          : ({ kind: 'linked', op: op as Reference, target: `s${target}` } satisfies Linked);
      this.slots.set(item, slot);
      return [...items, item];
    });
  }

  /** Index in `items` of the operations that pass, in order. */
  find(test: (op: Op, slot: number, index: number) => boolean): number[] {
    return this.items.flatMap((item, index) => {
      const op = opOf(item);
      return op !== undefined && test(op, this.slots.get(item) ?? -1, index) ? [index] : [];
    });
  }

  /** The slot where the item at `index` stood; -1 for a label or a new item. */
  slotAt(index: number): number {
    const item = this.items[index];
    return item === undefined ? -1 : (this.slots.get(item) ?? -1);
  }

  opAt(index: number): Op | undefined {
    const item = this.items[index];
    return item === undefined ? undefined : opOf(item);
  }

  /** Puts another operation in place of one. A jump keeps its label if it stays a jump. */
  replace(index: number, op: Op): void {
    const before = this.items[index];
    if (before?.kind === 'linked') this.items[index] = { ...before, op: op as Reference };
    else this.items[index] = op;
  }

  /** The program as edited. Throws InputError when it cannot be linked any more. */
  link(name: string): Program {
    const { insns, labels } = link(this.items);
    const subprogs = this.program.subprogs.map((subprog) => ({
      ...subprog,
      start: labels.get(`s${subprog.start}`) ?? subprog.start,
    }));
    const { lines: _, ...rest } = this.program;
    return { ...rest, name, insns, subprogs };
  }
}

function opOf(item: Item): Op | undefined {
  if (item.kind === 'label') return undefined;
  return item.kind === 'linked' ? item.op : item;
}
