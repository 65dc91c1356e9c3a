/**
 * Sizes at the ends of their ranges, every flag alone and beside those that must be set, special fields at the edges of a value: the kernel
 * makes such a map exactly where our table says so.
 */
import { expect, it } from 'vitest';
import { exit, mov, r0 } from '../../src/isa/build.js';
import { isMapOfSockets, MAP_FLAGS, mapRefusal, mapType } from '../../src/kernel/maptypes.js';
import { FIELD_LAYOUT } from '../../src/kernel/structs.js';
import { MAP_TYPES, type MapDef, type MapType, type SpecialField } from '../../src/object/program.js';
import { loadProgram } from '../../src/oracle/load.js';
import { programOf, smallMap } from '../support/kernel/programs.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

function made(map: MapDef): boolean {
  const result = loadProgram(programOf('xdp', [mov(r0, 2), exit()], { maps: [map] }), { explain: false });
  if (result.ok) result.close();
  else expect(['map', 'btf'], result.message).toContain(result.stage);
  return result.ok;
}

/** The maps on which the two differ. */
function differing(maps: readonly MapDef[]): string[] {
  return maps
    .filter((map) => (mapRefusal(map) === undefined) !== made(map))
    .map((map) => {
      const { type, keySize, valueSize, maxEntries, flags, fields } = map;
      const where = fields.map((f) => `${f.kind}@${f.offset}`).join(' ');
      return `${type} ${keySize} ${valueSize} ${maxEntries} 0x${flags.toString(16)} ${where}: ${mapRefusal(map) ?? 'made'}`;
    });
}

const of = (type: MapType, more: Partial<MapDef>): MapDef => ({ ...smallMap(type), ...more });
const each = <T>(values: readonly T[], make: (value: T) => MapDef | readonly MapDef[]): MapDef[] =>
  values.flatMap((value) => make(value));

const field = (kind: SpecialField['kind'], offset: number): SpecialField => ({
  kind,
  offset,
  size: FIELD_LAYOUT[kind].size,
  ...(kind.startsWith('kptr') ? { struct: 'task_struct' } : {}),
});

/** What the kernel makes without BTF; those with a value of their own, that lie in a value on their own. */
const FIELDS = ['spin_lock', 'res_spin_lock', 'timer', 'wq', 'kptr', 'kptr_untrusted'] as const;
const WITH_FIELDS: readonly MapType[] = MAP_TYPES.filter((type) => mapType(type).elements);

describeKnownKernel('a map', () => {
  it('of each type with each size of keys and values', () => {
    const maps = each(MAP_TYPES, (type) => {
      const { keySize, valueSize } = smallMap(type);
      return [
        ...[0, 1, 4, 5, 8, 16, 512, 513].map((size) => of(type, { keySize: size })),
        ...[0, 1, 4, 7, 8, 9, 16].map((size) => of(type, { valueSize: size })),
        of(type, { keySize: keySize + 1, valueSize: valueSize + 1 }),
      ];
    });
    expect(differing(maps)).toEqual([]);
  });

  it('with sizes at the ends of their ranges', () => {
    const PERCPU = 32 << 10;
    const LARGEST = (4 << 20) - 48;
    expect(
      differing([
        ...each(['percpu_array', 'percpu_hash', 'lru_percpu_hash'] as const, (type) =>
          [-8, -1, 0, 1, 8].map((by) => of(type, { valueSize: PERCPU + by })),
        ),
        ...each([4, 5, 6, 259, 260, 261], (keySize) => of('lpm_trie', { keySize })),
        ...each([4, 8, 12, 1008, 1016, 1017, 1024, 4064], (valueSize) => of('stack_trace', { valueSize })),
        ...each([8, 32, 40, 64, 4032, 4064, 4096], (valueSize) =>
          of('stack_trace', { valueSize, flags: MAP_FLAGS.STACK_BUILD_ID }),
        ),
        ...each([512, 513], (keySize) => of('sockhash', { keySize })),
        ...each(['ringbuf', 'user_ringbuf'] as const, (type) =>
          [0, 1, 2048, 4095, 4096, 4097, 8192, 12288, 16384].map((maxEntries) => of(type, { maxEntries })),
        ),
        ...each(['hash', 'lru_hash'] as const, (type) =>
          [-9, -5, -4, 4096].map((by) => of(type, { keySize: 4, valueSize: LARGEST + by, maxEntries: 1 })),
        ),
        ...each(MAP_TYPES, (type) => [0, 1].map((maxEntries) => of(type, { maxEntries }))),
      ]),
    ).toEqual([]);
  });

  it('with each flag, alone and beside those that must be set', () => {
    const maps = each(MAP_TYPES, (type) => {
      const { needs } = mapType(type);
      return [0, ...Object.values(MAP_FLAGS)].flatMap((bit) => [
        of(type, { flags: bit }),
        of(type, { flags: bit | needs }),
      ]);
    });
    expect(differing(maps)).toEqual([]);
  });

  it('that may be neither read nor written', () => {
    const F = MAP_FLAGS;
    const sets = [
      F.RDONLY | F.WRONLY,
      F.RDONLY_PROG | F.WRONLY_PROG,
      F.RDONLY | F.WRONLY_PROG,
      F.WRONLY | F.RDONLY_PROG,
      F.RDONLY | F.RDONLY_PROG,
      F.WRONLY | F.WRONLY_PROG,
    ];
    const types = ['array', 'hash', 'percpu_array', 'queue', 'lpm_trie'] as const;
    expect(
      differing(each(types, (type) => sets.map((flags) => of(type, { flags: flags | mapType(type).needs })))),
    ).toEqual([]);
  });

  it('with a special field at each edge of its value', () => {
    const maps = each(WITH_FIELDS, (type) =>
      FIELDS.flatMap((kind) => {
        const { size } = FIELD_LAYOUT[kind];
        return [0, 8, 64 - size].map((offset) => of(type, { valueSize: 64, fields: [field(kind, offset)] }));
      }),
    );
    expect(differing(maps)).toEqual([]);
    // What BTF could not even say.
    for (const kind of FIELDS) {
      const { size, align } = FIELD_LAYOUT[kind];
      for (const offset of [align / 2, 64 - size + align, 64])
        expect([
          kind,
          offset,
          mapRefusal(of('array', { valueSize: 64, fields: [field(kind, offset)] })),
        ]).toEqual([kind, offset, expect.stringContaining('misaligned or outside')]);
      expect(mapRefusal(of('array', { valueSize: size, fields: [field(kind, 0)] }))).toBeUndefined();
      expect(mapRefusal(of('array', { valueSize: size - 1, fields: [field(kind, 0)] }))).toMatch(
        /outside the value/,
      );
    }
  });

  it('with two special fields, and with one that programs may only read or write', () => {
    const pairs = FIELDS.flatMap((a) => FIELDS.map((b) => [field(a, 0), field(b, 32)] as const));
    // With two of the kinds that a value has once the kernel makes the map, and knows no field of it.
    const taken = pairs.filter(
      ([a, b]) => a.kind !== b.kind || a.kind.startsWith('kptr') || a.kind === 'spin_lock',
    );
    const readable = [0, MAP_FLAGS.RDONLY_PROG, MAP_FLAGS.WRONLY_PROG];
    expect(
      differing([
        ...taken.map((fields) => of('array', { valueSize: 64, fields: [...fields] })),
        ...readable.flatMap((flags) =>
          FIELDS.map((kind) => of('array', { valueSize: 64, flags, fields: [field(kind, 0)] })),
        ),
      ]),
    ).toEqual([]);
    for (const kind of ['res_spin_lock', 'timer', 'wq'] as const)
      expect(mapRefusal(of('array', { valueSize: 64, fields: [field(kind, 0), field(kind, 32)] }))).toMatch(
        /more than one/,
      );
  });

  it('of maps has one that its entries are like', () => {
    for (const type of ['array_of_maps', 'hash_of_maps'] as const) {
      const { inner: _, ...none } = smallMap(type);
      expect(mapRefusal(none)).toMatch(/no map says/);
      expect(mapRefusal(smallMap(type))).toBeUndefined();
    }
  });

  it('holds sockets if it is one of two types', () => {
    expect(MAP_TYPES.filter((type) => isMapOfSockets(smallMap(type)))).toEqual(['sockmap', 'sockhash']);
    expect(isMapOfSockets(undefined)).toBe(false);
  });
});
