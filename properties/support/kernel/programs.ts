/** Programs made in one line, for properties of the oracle itself. */
import { add, exit, mov, r0, r1, r6 } from '../../../src/isa/build.js';
import type { Insn } from '../../../src/isa/insn.js';
import { type Item, link } from '../../../src/isa/label.js';
import type { MapDef, MapType, Program, ProgType } from '../../../src/object/program.js';

/** A program without subprograms. */
export function programOf(
  type: ProgType,
  items: readonly Item[],
  more: Partial<Pick<Program, 'maps' | 'kfuncs'>> = {},
): Program {
  return rawProgram(type, link(items).insns, more);
}

/** A program of raw slots, which need not make sense. */
export function rawProgram(
  type: ProgType,
  insns: readonly Insn[],
  more: Partial<Pick<Program, 'maps' | 'kfuncs'>> = {},
): Program {
  return {
    name: 'property',
    type,
    insns,
    maps: [],
    kfuncs: [],
    subprogs: [{ name: 'main', start: 0, linkage: 'global' }],
    localTypes: [],
    ...more,
  };
}

/** `insns` insns that count, loop-free: what the load rate is measured on. */
export function counting(insns: number): Program {
  const middle = Array.from({ length: insns - 3 }, () => add(r6, 1));
  return programOf('xdp', [mov(r6, r1), ...middle, mov(r0, 2), exit()]);
}

/** A map of each type, as small as can be. */
export function smallMap(type: MapType, name: string = type): MapDef {
  const plain = { name, type, flags: 0, fields: [] };
  if (type === 'ringbuf') return { ...plain, keySize: 0, valueSize: 0, maxEntries: 4096 };
  return { ...plain, keySize: 4, valueSize: type === 'prog_array' ? 4 : 8, maxEntries: 4 };
}
