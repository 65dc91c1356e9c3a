/**
 * Rewrites jumps whose offset does not fit into 16 bits: `goto` becomes `gotol`, and a conditional jump uses a `gotol` (`if ... goto +1;
 * goto +1; gotol far`).
 */
import { type Op, slots } from './insn.js';
import type { Item, Linked } from './label.js';
import { isJump, type Jump } from './target.js';

/** A program whose jumps arrive; some items are new, because long jumps need them. */
export interface Reaching {
  readonly items: readonly Item[];
  /** By item, the index of the item it was made for. */
  readonly from: readonly number[];
}

/** Slots of a jump on a condition that goes by way of a `gotol`. */
const DETOUR = 3;

type Short = Linked & { readonly op: Extract<Op, { kind: Jump['kind'] }> };

function isShort(item: Item): item is Short {
  if (item.kind !== 'linked') return false;
  const { op } = item;
  return isJump(op) && !(op.kind === 'ja' && op.long);
}

/** Items of the same meaning in which every jump to a label arrives. Labels that are missing are left for `link` to find. */
export function withinReach(items: readonly Item[]): Reaching {
  const far = new Set<number>();
  while (addFar(items, far));
  const made: Item[] = [];
  const from: number[] = [];
  items.forEach((item, index) => {
    const all = far.has(index) && isShort(item) ? detour(item) : [item];
    made.push(...all);
    from.push(...all.map(() => index));
  });
  return { items: made, from };
}

/** Adds the jumps that do not arrive, given those that are known to go the long way. Answers whether there were any. */
function addFar(items: readonly Item[], far: Set<number>): boolean {
  const labels = new Map<string, number>();
  const at: number[] = [];
  let slot = 0;
  items.forEach((item, index) => {
    at.push(slot);
    if (item.kind === 'label') labels.set(item.name, slot);
    else if (item.kind !== 'linked') slot += slots(item);
    else slot += far.has(index) && item.op.kind !== 'ja' ? DETOUR : slots(item.op);
  });
  const before = far.size;
  items.forEach((item, index) => {
    if (far.has(index) || !isShort(item)) return;
    const distance = (labels.get(item.target) ?? at[index]!) - at[index]! - 1;
    if ((distance << 16) >> 16 !== distance) far.add(index);
  });
  return far.size > before;
}

function detour({ op, target }: Short): Item[] {
  const long: Linked = { kind: 'linked', op: { kind: 'ja', off: 0, long: true }, target };
  if (op.kind === 'ja') return [long];
  return [{ ...op, off: 1 }, { kind: 'ja', off: 1, long: false }, long];
}
