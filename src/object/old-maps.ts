/**
 * Maps in sections `maps` and `maps/NAME`, as objects had them before BTF: a struct of numbers for each map. libbpf 1.0 no longer reads them; other loaders
 * do. Follows bpf_object__init_user_maps of libbpf 0.8.
 */
import { InputError } from '../isa/errors.js';
import type { Elf, ElfSymbol, Section } from './elf.js';
import { mapType, mapTypeName } from './map-types.js';
import type { ObjectMap } from './object-map.js';
import type { MapDef } from './program.js';

/** `type`, `key_size`, `value_size`, `max_entries`, `map_flags`. What loaders put behind them says where a map is pinned and the like. */
const WORDS = 5;
const BYTES = 4 * WORDS;
const BPF_F_NUMA_NODE = 1 << 2;

/** Whether a section holds map definitions of the old kind. */
export const isOldMapSection = (name: string): boolean => name === 'maps' || name.startsWith('maps/');

/**
 * The maps of an old section, one for each symbol in it. Throws InputError where the symbols do not divide it into definitions of one size; a map
 * whose type is not modelled is a problem of the programs that use it.
 */
export function readOldMaps(elf: Elf, section: Section): ObjectMap[] {
  const fail = (message: string): never => {
    throw new InputError(`section '${section.name}': ${message}`, { file: elf.file });
  };
  const symbols = elf.symbols
    .filter((symbol) => symbol.section === section.index && symbol.name !== '' && symbol.type <= 1)
    .sort((a, b) => a.value - b.value);
  if (symbols.length === 0) return section.size === 0 ? [] : fail('no symbol says where its maps are');
  const size = section.size / symbols.length;
  if (!Number.isInteger(size) || size < BYTES)
    return fail(
      `${section.size} bytes are no ${symbols.length} map definitions, expected ${BYTES} bytes or more for each`,
    );
  const { data } = section;
  const words = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return symbols.map((symbol: ElfSymbol): ObjectMap => {
    const { name, value: offset } = symbol;
    if (offset % size !== 0) return fail(`map '${name}' begins at ${offset}, expected a multiple of ${size}`);
    const word = (n: number): number => words.getUint32(offset + 4 * n, true);
    const place = { name, section: section.index, offset };
    const type = mapType(word(0));
    if (type === undefined)
      return { ...place, problem: `map '${name}': its type ${mapTypeName(word(0))} is not modelled` };
    const def: MapDef = {
      name,
      type,
      keySize: word(1),
      valueSize: word(2),
      // A loader fills in what the object leaves open, as for other maps.
      maxEntries: word(3) === 0 ? 1 : word(3),
      flags: word(4) & ~BPF_F_NUMA_NODE,
      fields: [],
    };
    return { ...place, def };
  });
}
