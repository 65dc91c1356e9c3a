/** The text of one function of a two-mode program while it is written: operations with labels, each with where it comes from. */
import type { Op } from '../../isa/insn.js';
import { type Item, type Linked, label, type Reference } from '../../isa/label.js';

/**
 * Where an insn of a two-mode program comes from. `normal`: the program as it runs until the kill. `switch`: the jump that stands for
 * the kill. `patched`: the program after the kill. `stub`: what stands there for a call. `guard`: reached only where a stub was
 * written for less than can happen; a verifier that comes there refuses.
 */
export interface Origin {
  readonly mode: 'normal' | 'switch' | 'patched' | 'stub' | 'guard';
  /** Slot of the insn in the program; -1 for none. */
  readonly slot: number;
}

/** One line of the new program, and the slot of the original (or the stub) that it was written for. */
export interface Line {
  readonly item: Item;
  readonly origin: Origin;
}

/** How a kill is written: a jump that a verifier takes both ways, whatever it knows. */
export type Switch = 'may_goto' | 'compare';

/** r10 is never equal to this number, but no verifier knows that. */
const NEVER_AN_ADDRESS = 1;

/** The jump to `target` that stands for a kill. */
export function switchTo(target: string, how: Switch): Linked {
  const op: Reference =
    how === 'may_goto'
      ? { kind: 'may_goto', off: 0 }
      : { kind: 'jmp', op: 'eq', width: 64, dst: 10, src: { imm: NEVER_AN_ADDRESS }, off: 0 };
  return { kind: 'linked', op, target };
}

/** `goto target`. */
export function goTo(target: string): Linked {
  return { kind: 'linked', op: { kind: 'ja', off: 0, long: false }, target };
}

/** Collects the lines of one function. */
export class Text {
  readonly lines: Line[] = [];

  label(name: string): void {
    this.lines.push({ item: label(name), origin: { mode: 'normal', slot: -1 } });
  }

  add(mode: Origin['mode'], slot: number, ...items: readonly (Op | Linked)[]): void {
    for (const item of items) this.lines.push({ item, origin: { mode, slot } });
  }

  /** The lines that can be reached from the first one; Linux refuses a program with others. */
  reachable(): readonly Line[] {
    const { lines } = this;
    const labels = new Map<string, number>();
    lines.forEach(({ item }, index) => {
      if (item.kind === 'label') labels.set(item.name, index);
    });
    const reached = new Set<number>();
    const work = [0];
    while (work.length > 0) {
      for (let at = work.pop(); at !== undefined && at < lines.length && !reached.has(at); ) {
        reached.add(at);
        const { item } = lines[at]!;
        const op = item.kind === 'linked' ? item.op : item;
        const target = item.kind === 'linked' && jumps(item.op) ? labels.get(item.target) : undefined;
        if (target !== undefined) work.push(target);
        at = op.kind === 'ja' || op.kind === 'exit' ? undefined : at + 1;
      }
    }
    return lines.filter(({ item }, index) => item.kind === 'label' || reached.has(index));
  }
}

function jumps(op: Reference): boolean {
  return op.kind === 'ja' || op.kind === 'jmp' || op.kind === 'may_goto';
}
