/** The outside worlds that a campaign runs a program in: the kindest one, and some drawn from the campaign's seed. */
import { mix } from '../../../generators/random.js';
import { progType } from '../../kernel/progtypes.js';
import type { MapDef, Program } from '../../object/program.js';
import { runsLater } from '../../vm/call/later.js';
import { type Chooser, defaultChooser, seededChooser } from '../../vm/state/chooser.js';
import { EMPTY, type Environment, toHex } from '../../vm/state/environment.js';

/** One outside world for a run: fixed choices, and who makes the others. */
export interface RunEnvironment {
  readonly env: Environment;
  /** Decides what `env` leaves open. */
  readonly chooser: Chooser;
}

/** The shortest packet that a kernel hands to a program (ETH_HLEN), and how much longer ours get. */
const SHORTEST_PACKET = 14;
const LONGER_BY = 150n;
/** Fields whose callbacks run after the program, and the most of them that do. */
const LATER: ReadonlySet<string> = new Set(['timer', 'wq']);
const MOST_LATER = 3n;
/** Entries put into a map at the most. */
const ENTRIES = 3n;

/**
 * The world number `k` (from 0) of program `index` of the campaign with this seed: 0 is the one in which everything goes well, the
 * others have random packets, contexts and map contents, and random outcomes of calls.
 */
export function runEnvironment(program: Program, seed: number, index: number, k: number): RunEnvironment {
  if (k === 0) return { env: EMPTY, chooser: defaultChooser };
  const chooser = seededChooser(mix(mix(seed, index), k));
  const maps = new Map(
    program.maps.filter(takesEntries).map((map) => [map.name, contents(map, chooser)] as const),
  );
  const starts = program.maps.some(({ fields }) => fields.some(({ kind }) => LATER.has(kind)));
  const env: Environment = {
    choices: starts ? runsLater(Number(chooser.number('callbacks later', 0n, MOST_LATER))) : new Map(),
    packet: chooser.bytes('packet', SHORTEST_PACKET + Number(chooser.number('packet length', 0n, LONGER_BY))),
    ctx: chooser.bytes('ctx', progType(program.type).size),
    maps,
  };
  return { env, chooser };
}

/** Maps that user space may fill with plain bytes, or with maps by their numbers. */
function takesEntries(map: MapDef): boolean {
  const kinds: readonly MapDef['type'][] = [
    'array',
    'percpu_array',
    'hash',
    'lru_hash',
    'array_of_maps',
    'hash_of_maps',
  ];
  return (
    kinds.includes(map.type) && map.fields.length === 0 && map.frozen !== true && map.initial === undefined
  );
}

function contents(map: MapDef, chooser: Chooser): ReadonlyMap<string, string> {
  const most = BigInt(map.maxEntries) < ENTRIES ? BigInt(map.maxEntries) : ENTRIES;
  const count = Number(chooser.number(`${map.name} entries`, 0n, most));
  const entries = new Map<string, string>();
  for (let i = 0; i < count; i++)
    entries.set(toHex(keyOf(map, i, chooser)), toHex(chooser.bytes(`${map.name}[${i}]`, map.valueSize)));
  return entries;
}

/** Mostly small keys, which programs are likely to look up; sometimes any key. */
function keyOf(map: MapDef, i: number, chooser: Chooser): Uint8Array {
  if (
    !map.type.startsWith('array') &&
    !map.type.endsWith('array') &&
    chooser.index(`${map.name} key ${i}`, 2) === 0
  ) {
    return chooser.bytes(`${map.name} key ${i}`, map.keySize);
  }
  const key = new Uint8Array(map.keySize);
  key[0] = i;
  return key;
}
