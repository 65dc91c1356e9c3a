/**
 * Programs with labels: a list of operations in which jumps, subprogram calls and function references may name a
 * label, made into raw slots.
 *
 *     link([
 *       mov(r0, 0),
 *       jmp('eq', r1, 0, 'out'),
 *       callSub('work'),
 *       label('out'),
 *       exit(),
 *       label('work'),
 *       mov(r0, 1),
 *       exit(),
 *     ])
 */
import { encode } from './encode.js';
import { InputError, type Place } from './errors.js';
import { type Insn, type Op, slots } from './insn.js';
import { isJump, targetOf } from './target.js';

/** The operations that can lead somewhere; of the calls and the 64-bit immediates only some do. */
export type Reference = Extract<
  Op,
  { readonly kind: 'ja' | 'jmp' | 'may_goto' | 'unwind_goto' | 'call' | 'ld_imm64' }
>;

/** An operation whose offset is that of a label; the offset in `op` itself is not used. */
export interface Linked {
  readonly kind: 'linked';
  readonly op: Reference;
  readonly target: string;
}

/** Names the slot of the operation that follows. */
export interface Label {
  readonly kind: 'label';
  readonly name: string;
}

/** One line of a program with labels: an operation, one whose target is a label, or the label itself. */
export type Item = Op | Linked | Label;

/** Raw slots with all labels replaced by offsets, and where each slot comes from. */
export interface LinkedProgram {
  readonly insns: readonly Insn[];
  /** Slot of each label. */
  readonly labels: ReadonlyMap<string, number>;
  /** By slot, the index of its item; both slots of a 64-bit immediate have the same. */
  readonly items: readonly number[];
}

/** Marks the place of the next operation, so that jumps, calls and function references can name it. It takes no slot. */
export function label(name: string): Label {
  return { kind: 'label', name };
}

/**
 * Lays the items out and resolves labels. Throws InputError for a label that is missing, defined twice or too far
 * away for the insn's offset, and where `encode` throws; `placeOf` may say where item number i was written.
 */
export function link(items: readonly Item[], placeOf: (item: number) => Place = () => ({})): LinkedProgram {
  const labels = new Map<string, number>();
  let slot = 0;
  items.forEach((item, index) => {
    if (item.kind !== 'label') slot += slots(item.kind === 'linked' ? item.op : item);
    else if (labels.has(item.name))
      throw new InputError(`label ${item.name} is defined twice`, placeOf(index));
    else labels.set(item.name, slot);
  });

  const insns: Insn[] = [];
  const itemOf: number[] = [];
  items.forEach((item, index) => {
    if (item.kind === 'label') return;
    try {
      const op = item.kind === 'linked' ? resolve(item, insns.length, labels) : item;
      for (const insn of encode(op)) {
        insns.push(insn);
        itemOf.push(index);
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`insn ${insns.length}: ${error.message}`, placeOf(index));
    }
  });
  return { insns, labels, items: itemOf };
}

function resolve({ op, target }: Linked, slot: number, labels: ReadonlyMap<string, number>): Op {
  const to = labels.get(target);
  if (to === undefined) throw new InputError(`no label ${target}`);
  const distance = to - slot - 1;
  const short = isJump(op) && !(op.kind === 'ja' && op.long);
  if (short && (distance << 16) >> 16 !== distance) {
    throw new InputError(`label ${target} is ${distance} slots away, too far for a 16-bit offset`);
  }
  const resolved: Op = 'off' in op ? { ...op, off: distance } : { ...op, imm: distance };
  if (targetOf(resolved, slot) !== to) throw new InputError(`a ${op.kind} cannot name a label`);
  return resolved;
}
