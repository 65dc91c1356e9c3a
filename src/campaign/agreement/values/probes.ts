/** Two small helper programs for comparisons: one reads out the context, the other is the target of tail calls. */
import {
  add,
  and,
  exit,
  jmp,
  ldMapValue,
  ldx,
  lsh,
  mov,
  or,
  r0,
  r1,
  r2,
  r3,
  r6,
  st,
  stx,
  xor,
} from '../../../isa/build.js';
import type { Size } from '../../../isa/insn.js';
import { type Item, label, link } from '../../../isa/label.js';
import { progType } from '../../../kernel/progtypes.js';
import type { MapDef, Program, ProgType } from '../../../object/program.js';

function programOf(
  name: string,
  type: ProgType,
  items: readonly Item[],
  maps: readonly MapDef[] = [],
): Program {
  const subprogs = [{ name: 'main', start: 0, linkage: 'static' as const }];
  return { name, type, insns: link(items).insns, maps, kfuncs: [], subprogs, localTypes: [] };
}

/**
 * A program that copies its context to the one value of its map. Packet pointers are left out. Of other pointers one bit is kept: whether
 * they are NULL.
 */
export function contextProbe(type: ProgType): Program {
  const { members, size } = progType(type);
  const items: Item[] = [ldMapValue(r6, 0)];
  for (const { offset, size: all, value, reads, readBy } of members) {
    if (reads.length === 0 || readBy !== undefined) continue;
    if (value !== 'scalar' && value !== 'sock_common') continue;
    const step = (Math.min(4, all) === 4 && !reads.includes(4) ? all : Math.min(4, all)) as Size;
    for (let at = offset; at < offset + all; at += value === 'scalar' ? step : all) {
      const width = value === 'scalar' ? step : 8;
      items.push(ldx(width, r2, r1, at));
      if (value === 'scalar') items.push(stx(width, r6, at, r2));
      else items.push(jmp('eq', r2, 0, `null${at}`), st(8, r6, at, 1), label(`null${at}`));
    }
  }
  items.push(mov(r0, 0), exit());
  const map: MapDef = {
    name: 'seen',
    type: 'array',
    keySize: 4,
    valueSize: Math.max(8, size),
    maxEntries: 1,
    flags: 0,
    fields: [],
  };
  return programOf('context', type, items, [map]);
}

/** Offsets of the packet's start and end in the context. */
const PACKET: Partial<Record<ProgType, readonly [number, number]>> = {
  xdp: [0, 4],
  tc: [76, 80],
  action: [76, 80],
  lwt_xmit: [76, 80],
};

/** Targets for tail calls of this program type: programs that report their arguments. */
export function jumpTargets(type: ProgType): readonly Program[] {
  const limited = progType(type).returns !== undefined;
  const constant = programOf('constant', type, [mov(r0, limited ? 1 : 77), exit()]);
  const bounds = PACKET[type];
  if (bounds === undefined) {
    return [
      constant,
      programOf('length', type, [
        ldx(4, r0, r1, 0),
        ...(limited ? [and(r0, 1)] : [lsh(r0, 1), or(r0, 1)]),
        exit(),
      ]),
    ];
  }
  const [start, end] = bounds;
  const packet: Item[] = [
    ldx(4, r2, r1, start),
    ldx(4, r3, r1, end),
    mov(r0, r2),
    add(r0, 14),
    jmp('gt', r0, r3, 'short'),
    ldx(1, r0, r2, 13),
    xor(r0, 0x55),
    stx(1, r2, 3, r0),
    exit(),
    label('short'),
    mov(r0, 5),
    exit(),
  ];
  return [constant, programOf('packet', type, packet)];
}
