/** Reads from the verifier's facts where the buffers of a recorded call lie and how long its loop takes. */
import type { Arg } from '../../../kernel/contract.js';
import type { LocalType, MapDef } from '../../../object/program.js';
import type { Reg as AbstractReg } from '../../../verifier/state/state.js';
import { frameOf } from '../../../verifier/state/state.js';
import type { Visit } from '../../../verifier/walk/visit.js';

/** Whether the function may write to this argument. bpf_dynptr_from_mem does not write to its memory; it only makes a dynptr to it. */
export const isBuffer = (arg: Arg): boolean =>
  (arg.kind === 'mem' && arg.access !== 'read' && arg.mapValue !== true) ||
  (arg.kind === 'map_value' && arg.uninit === true);

/** Memory of a known size, in bytes, at a place that is the same in every run. */
export interface BufferPlace {
  /** Index of a map of which it lies in the only value; -1: on the stack of the running frame. */
  readonly map: number;
  readonly off: number;
  readonly size: number;
}

/** Where an output buffer lies, if it is the same in all visits. */
export function bufferOf(
  arg: Arg,
  index: number,
  visits: readonly Visit[],
  maps: readonly MapDef[],
): BufferPlace | undefined {
  let found: BufferPlace | undefined;
  for (const { state } of visits) {
    const { regs } = frameOf(state);
    const reg = regs[index + 1]!;
    const size = sizeOf(arg, regs, maps);
    if (size === undefined) return undefined;
    const isNull = reg.type === 'scalar';
    const onStack = reg.type === 'stack' && reg.frame === state.frames.length - 1;
    const inMap = reg.type === 'map_value' && isOneValue(maps[reg.map]);
    if (!isNull && size > 0 && !onStack && !inMap) return undefined;
    if (reg.num.mask !== 0n) return undefined;
    const off = reg.off + Number(BigInt.asIntN(64, reg.num.value));
    const map = inMap ? reg.map : -1;
    const place: BufferPlace = isNull || size === 0 ? { map: -1, off: 0, size: 0 } : { map, off, size };
    found ??= place;
    if (found.map !== place.map || found.off !== place.off || found.size !== place.size) return undefined;
  }
  return found;
}

const isOneValue = (map: MapDef | undefined): boolean => map?.type === 'array' && map.maxEntries === 1;

function sizeOf(arg: Arg, regs: readonly AbstractReg[], maps: readonly MapDef[]): number | undefined {
  if (arg.kind === 'map_value') return maps[regs[1]!.map]?.valueSize;
  if (arg.kind !== 'mem') return undefined;
  return 'bytes' in arg.size ? arg.size.bytes : constantOf(regs[arg.size.arg + 1]!);
}

/** The low 32 bits of a number that is known. */
export function constantOf(reg: AbstractReg): number | undefined {
  return reg.type === 'scalar' && reg.num.mask === 0n ? Number(reg.num.value & 0xffff_ffffn) : undefined;
}

/** The largest value of a count of rounds. All 64 bits count, because Linux compares all of them where it inlines bpf_loop. */
export const roundsOf = (reg: AbstractReg): bigint => (reg.type === 'scalar' ? reg.num.umax : 0n);

/** An iterator over numbers goes through a few at the most. */
export function hasFewRounds(visits: readonly Visit[], rounds: number): boolean {
  return visits.every(({ state }) => {
    const { regs } = frameOf(state);
    const [start, end] = [constantOf(regs[2]!), constantOf(regs[3]!)];
    return start !== undefined && end !== undefined && (end | 0) - (start | 0) <= rounds;
  });
}

/** Parts of an object that are not special fields, as offset and length. */
export function plainParts({ size, fields }: LocalType): (readonly [number, number])[] {
  const parts: [number, number][] = [];
  for (let at = 0; at < size; at++) {
    if (fields.some((field) => at >= field.offset && at < field.offset + field.size)) continue;
    const last = parts.at(-1);
    if (last !== undefined && last[0] + last[1] === at) last[1]++;
    else parts.push([at, 1]);
  }
  return parts;
}
