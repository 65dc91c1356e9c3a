/** Puts insns into a program that is there already; jumps, calls and functions lead where they led before. */
import { decodeAll } from '../../isa/decode.js';
import type { Op } from '../../isa/insn.js';
import { type Item, label, link, type Reference } from '../../isa/label.js';
import { targetOf } from '../../isa/target.js';
import type { MapDef, Program } from '../../object/program.js';

/** Insns that run before the insn at a slot on every way that leads there. */
export type Insertions = ReadonlyMap<number, readonly Op[]>;

/**
 * The program with the insertions, and with one more map, whose index is that of the last. Source lines are left out. Throws InputError
 * where a jump does not reach any more.
 */
export function spliced(program: Program, insertions: Insertions, map: MapDef): Program {
  const items: Item[] = [];
  decodeAll(program.insns).forEach((op, slot) => {
    if (op === undefined) return;
    items.push(label(`at ${slot}`));
    items.push(...(insertions.get(slot) ?? []));
    const target = targetOf(op, slot);
    items.push(target === undefined ? op : { kind: 'linked', op: op as Reference, target: `at ${target}` });
  });
  const { insns, labels } = link(items);
  const subprogs = program.subprogs.map((one) => ({ ...one, start: labels.get(`at ${one.start}`)! }));
  const { lines: _, ...rest } = program;
  return { ...rest, insns, subprogs, maps: [...program.maps, map] };
}
