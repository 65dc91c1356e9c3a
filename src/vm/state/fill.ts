/** Fills maps before a run, as user space would. The entries become part of the environment, so that a case replays with them. */
import type { MapDef, MapType, Program } from '../../object/program.js';
import { type Environment, toHex } from './environment.js';
import { indexKey, isOuter } from './maps.js';

/** Maps that begin empty and that user space may put plain bytes into. Arrays have all their elements from the start. */
const FILLABLE: ReadonlySet<MapType> = new Set([
  'hash',
  'lru_hash',
  'percpu_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'array_of_maps',
  'hash_of_maps',
]);

/** Entries that a run may be given in each map. */
export const MOST_ENTRIES = 4_096;

/** Whether there is a map that `filled` would put something into. */
export const isFillable = (program: Program): boolean => program.maps.some(({ type }) => FILLABLE.has(type));

/**
 * The environment with so many entries, or as many as fit, in each map that begins empty. Keys are 1, 2, ... as little-endian numbers (of a trie: whole
 * keys that begin so); values are zero. An entry of a map of maps
 * is a map of its own, known by the number of the entry; an array of them has the keys from 0. Entries that `env` already has stay.
 */
export function filled(program: Program, env: Environment, entries: number): Environment {
  if (entries === 0) return env;
  const maps = new Map(env.maps);
  for (const map of program.maps) {
    if (!FILLABLE.has(map.type) || (maps.get(map.name)?.size ?? 0) > 0) continue;
    const keys = Array.from({ length: Math.min(entries, map.maxEntries) }, (_, i) =>
      toHex(keyOf(map, i + 1)),
    );
    const value = (i: number): string => (isOuter(map) ? indexKey(i) : toHex(new Uint8Array(map.valueSize)));
    maps.set(map.name, new Map(keys.map((key, i) => [key, value(i)])));
  }
  return maps.size === 0 ? env : { ...env, maps };
}

function keyOf(map: MapDef, nth: number): Uint8Array {
  const number = map.type === 'array_of_maps' ? nth - 1 : nth;
  const key = new Uint8Array(map.keySize);
  const isTrie = map.type === 'lpm_trie';
  const at = isTrie ? 4 : 0;
  if (isTrie) new DataView(key.buffer).setUint32(0, 8 * (map.keySize - 4), true);
  for (let i = 0; i < 4 && at + i < key.length; i++) key[at + i] = (number >>> (8 * i)) & 0xff;
  return key;
}
