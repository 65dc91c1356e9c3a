/**
 * Map definitions as clang writes them into BTF: every attribute with every kind of value, what libbpf fills in where they are silent,
 * and the fields in values that only helpers may touch.
 */
import { describe, expect, it } from 'vitest';
import { FieldFinder } from '../../src/object/btf/fields.js';
import { Btf } from '../../src/object/btf/read.js';
import type { BtfType, Member } from '../../src/object/btf/types.js';
import { readElf } from '../../src/object/elf.js';
import { mapTypeNumber } from '../../src/object/map-types.js';
import { readMaps } from '../../src/object/maps.js';
import type { ObjectMap } from '../../src/object/object-map.js';
import { MAP_TYPES, type MapDef, type MapType, type SpecialField } from '../../src/object/program.js';
import { elfOf } from '../support/objects/elf.js';
import { btfOf, INT } from '../support/objects/types.js';

/** Collects types and gives their ids. */
class Types {
  readonly all: BtfType[] = [INT];

  add(type: BtfType): number {
    return this.all.push(type);
  }

  struct(
    name: string,
    size: number,
    members: readonly (readonly [name: string, type: number, byte: number])[],
  ): number {
    return this.add({
      kind: 'struct',
      name,
      size,
      members: members.map(([name, type, byte]): Member => ({ name, type, bitOffset: byte * 8, bitSize: 0 })),
    });
  }

  /** `__uint(name, value)`. */
  uint(value: number): number {
    return this.pointer(this.add({ kind: 'array', element: 1, index: 1, count: value }));
  }

  pointer(type: number): number {
    return this.add({ kind: 'ptr', type });
  }
}

type Attributes = Readonly<Record<string, number | ((types: Types) => number)>>;

/** The struct behind `struct {...} name SEC(".maps")`; numbers are written with `__uint`. */
function definition(types: Types, attributes: Attributes): number {
  const members = Object.entries(attributes).map(
    ([name, value], i) =>
      [name, typeof value === 'number' ? types.uint(value) : value(types), 8 * i] as const,
  );
  return types.struct('', 8 * members.length, members);
}

/** Reads the map `m` of these attributes. */
function map(attributes: Attributes): ObjectMap {
  const types = new Types();
  const variable = types.add({ kind: 'var', name: 'm', type: definition(types, attributes), linkage: 1 });
  types.add({ kind: 'datasec', name: '.maps', size: 32, vars: [{ type: variable, offset: 8, size: 32 }] });
  const elf = readElf(
    elfOf({
      sections: [{ name: '.maps', flags: 3, data: new Uint8Array(40) }],
      symbols: [{ name: 'm', section: 1, value: 8, size: 32, type: 1 }],
    }),
    'made.o',
  );
  const btf = new Btf(btfOf(types.all), 'made.o');
  return readMaps(elf, btf, new FieldFinder(btf))[0]!;
}

function defined(attributes: Attributes): MapDef {
  const found = map(attributes);
  if ('problem' in found) throw new Error(found.problem);
  expect(found).toMatchObject({ name: 'm', section: 1, offset: 8 });
  return found.def;
}

const HASH = mapTypeNumber('hash');
const long = (types: Types): number =>
  types.add({ kind: 'int', name: 'long', size: 8, bits: 64, bitOffset: 0, encoding: 'signed' });

describe('map definitions are read whole', () => {
  it('numbers', () => {
    expect(defined({ type: HASH, max_entries: 5, map_flags: 3, key_size: 12, value_size: 20 })).toEqual({
      name: 'm',
      type: 'hash',
      keySize: 12,
      valueSize: 20,
      maxEntries: 5,
      flags: 3,
      fields: [],
    });
  });

  it('types of key and value', () => {
    const types = {
      type: HASH,
      max_entries: 1,
      key: (t: Types) => t.pointer(long(t)),
      value: (t: Types) => t.pointer(1),
    };
    const def = defined(types);
    expect(def).toMatchObject({ keySize: 8, valueSize: 4 });
    expect([def.btfKey, def.btfValue].every((id) => id !== undefined && id > 0)).toBe(true);
    expect(def.btfValue).toBe(1);
    // A type and a size may stand together, if they agree.
    expect(defined({ ...types, key_size: 8, value_size: 4 })).toMatchObject({ keySize: 8, valueSize: 4 });
    expect(() => map({ ...types, key_size: 4 })).toThrow("map 'm' gives its key size twice: 8 and 4 bytes");
    expect(() => map({ ...types, value_size: 8 })).toThrow(
      "map 'm' gives its value size twice: 4 and 8 bytes",
    );
    expect(() => map({ key_size: 4, ...types })).toThrow("map 'm' gives its key size twice: 4 and 8 bytes");
    // A key alone is a size only.
    const { value: _, ...keyOnly } = types;
    expect(defined({ ...keyOnly, value_size: 4 })).not.toHaveProperty('btfKey');
  });

  it('map_extra, written as a number or as an enumerator', () => {
    const bloom = mapTypeNumber('bloom_filter');
    expect(defined({ type: bloom, map_extra: 3, max_entries: 1, value_size: 4 }).extra).toBe(3n);
    const wide = (values: bigint[]) => (t: Types) =>
      t.add({
        kind: 'enum64',
        name: '',
        size: 8,
        signed: false,
        values: values.map((value) => ({ name: 'x', value })),
      });
    expect(defined({ type: bloom, map_extra: wide([0x1_0000_0002n]) }).extra).toBe(0x1_0000_0002n);
    expect(
      defined({
        type: bloom,
        map_extra: (t) =>
          t.add({ kind: 'enum', name: '', size: 4, signed: true, values: [{ name: 'x', value: -1 }] }),
      }).extra,
    ).toBe(0xffff_ffff_ffff_ffffn);
    expect(defined({ type: bloom })).not.toHaveProperty('extra');
  });

  it('what makes no difference, and what is not known', () => {
    const plain = { type: HASH, max_entries: 1, key_size: 4, value_size: 4 };
    expect(defined({ ...plain, pinning: 1, numa_node: 1 })).toEqual(defined(plain));
    expect(map({ ...plain, colour: 1 })).toMatchObject({
      problem: "map 'm': its attribute 'colour' is unknown",
    });
    expect(map({ type: 26 })).toMatchObject({ problem: "map 'm': its type struct_ops is not modelled" });
    expect(map({ type: 99 })).toMatchObject({ problem: "map 'm': its type type 99 is not modelled" });
    expect(map({})).toMatchObject({ problem: "map 'm': its type unspec is not modelled" });
    expect(() => map({ type: () => 1 })).toThrow("type of map 'm' is not written with __uint");
    expect(() => map({ key: () => 1 })).toThrow("key of map 'm' is not written with __type");
    expect(() => map({ value: (t) => t.pointer(0) })).toThrow("value of map 'm' has no size");
  });

  it('ring buffers are a power of two of pages', () => {
    for (const type of ['ringbuf', 'user_ringbuf'] as const) {
      for (const [asked, size] of [
        [1, 4096],
        [4096, 4096],
        [4097, 8192],
        [12288, 16384],
        [1 << 20, 1 << 20],
        [0, 4096],
      ]) {
        const def = defined({ type: mapTypeNumber(type), ...(asked === 0 ? {} : { max_entries: asked! }) });
        expect(def.maxEntries, `${asked}`).toBe(size);
      }
    }
  });

  it('what a definition leaves open, for every type', () => {
    const silent: Partial<
      Record<MapType, readonly [keySize: number, valueSize: number, maxEntries: number]>
    > = {
      prog_array: [4, 4, 1],
      perf_event_array: [4, 4, 1],
      cgroup_array: [4, 4, 1],
      stack_trace: [0, 1016, 1],
      cgroup_storage: [0, 0, 0],
      percpu_cgroup_storage: [0, 0, 0],
      sk_storage: [0, 0, 0],
      inode_storage: [0, 0, 0],
      task_storage: [0, 0, 0],
      cgrp_storage: [0, 0, 0],
      ringbuf: [0, 0, 4096],
      user_ringbuf: [0, 0, 4096],
    };
    for (const type of MAP_TYPES) {
      // Which maps are inside a map of maps its loader says, if the object does not.
      if (type.endsWith('_of_maps')) {
        expect(map({ type: mapTypeNumber(type) })).toMatchObject({
          problem: expect.stringContaining('its loader gives the inner map') as unknown,
        });
        continue;
      }
      const { keySize, valueSize, maxEntries } = defined({ type: mapTypeNumber(type) });
      expect([keySize, valueSize, maxEntries], type).toEqual(silent[type] ?? [0, 0, 1]);
      const told = defined({ type: mapTypeNumber(type), key_size: 8, value_size: 16, max_entries: 8192 });
      expect([told.keySize, told.valueSize, told.maxEntries], type).toEqual([8, 16, 8192]);
    }
  });

  it('BTF of key and value goes only with maps that take it', () => {
    const untyped = MAP_TYPES.filter(
      (type) =>
        !type.endsWith('_of_maps') &&
        defined({ type: mapTypeNumber(type), key: (t) => t.pointer(1), value: (t) => t.pointer(1) })
          .btfValue === undefined,
    );
    // The kernel refuses it for these (map_check_no_btf).
    expect([...untyped].sort()).toEqual(
      [
        'arena',
        'bloom_filter',
        'cgroup_array',
        'cpumap',
        'devmap',
        'devmap_hash',
        'perf_event_array',
        'prog_array',
        'queue',
        'reuseport_sockarray',
        'ringbuf',
        'sockhash',
        'sockmap',
        'stack',
        'stack_trace',
        'user_ringbuf',
        'xskmap',
      ].sort(),
    );
  });

  it('what the entries of a map of maps are like', () => {
    const inner = (t: Types): number => {
      const pointer = t.pointer(definition(t, { type: HASH, key_size: 8, value_size: 8, max_entries: 3 }));
      return t.add({ kind: 'array', element: pointer, index: 1, count: 0 });
    };
    for (const type of ['array_of_maps', 'hash_of_maps'] as const) {
      expect(defined({ type: mapTypeNumber(type), max_entries: 2, values: inner }).inner).toEqual({
        name: 'm.inner',
        type: 'hash',
        keySize: 8,
        valueSize: 8,
        maxEntries: 3,
        flags: 0,
        fields: [],
      });
    }
    expect(defined({ type: mapTypeNumber('prog_array'), max_entries: 2, values: inner })).not.toHaveProperty(
      'inner',
    );
  });

  it('what a map of programs begins with', () => {
    const programs = (
      entries: readonly (readonly [symbol: number, offset: number])[],
      type: MapType = 'prog_array',
    ): ObjectMap => {
      const types = new Types();
      const values = types.add({ kind: 'array', element: types.pointer(0), index: 1, count: 0 });
      const def = definition(types, { type: mapTypeNumber(type), max_entries: 4, values: () => values });
      const variable = types.add({ kind: 'var', name: 'm', type: def, linkage: 1 });
      types.add({
        kind: 'datasec',
        name: '.maps',
        size: 72,
        vars: [{ type: variable, offset: 8, size: 48 }],
      });
      const elf = readElf(
        elfOf({
          sections: [
            { name: '.maps', flags: 3, data: new Uint8Array(72) },
            { name: 'xdp', flags: 6, data: new Uint8Array(32) },
          ],
          symbols: [
            { name: 'm', section: 1, value: 8, size: 48, type: 1 },
            { name: 'first', section: 2, value: 0, size: 16, type: 2 },
            { name: 'second', section: 2, value: 16, size: 16, type: 2 },
          ],
          relocations: entries.map(([symbol, offset]) => ({ section: 1, offset, type: 2, symbol })),
        }),
        'made.o',
      );
      const btf = new Btf(btfOf(types.all), 'made.o');
      return readMaps(elf, btf, new FieldFinder(btf))[0]!;
    };
    // The map is at 8, and its values behind two pointers.
    expect(
      programs([
        [3, 40],
        [2, 24],
      ]),
    ).toMatchObject({
      def: {
        programs: [
          { index: 0, program: 'first' },
          { index: 2, program: 'second' },
        ],
      },
    });
    expect(programs([])).not.toHaveProperty('def.programs');
    // An entry of the map behind it.
    expect(programs([[2, 56]])).not.toHaveProperty('def.programs');
    expect(programs([[2, 24]], 'hash')).not.toHaveProperty('def.programs');
    expect(programs([[1, 32]])).toMatchObject({
      problem: "map 'm': its entry 1 is 'm', which is no program",
    });
  });
});

describe('fields that only helpers may touch', () => {
  const KINDS: readonly (readonly [string, SpecialField['kind'], number])[] = [
    ['bpf_spin_lock', 'spin_lock', 4],
    ['bpf_res_spin_lock', 'res_spin_lock', 4],
    ['bpf_timer', 'timer', 16],
    ['bpf_wq', 'wq', 16],
    ['bpf_refcount', 'refcount', 4],
  ];
  const find = (build: (t: Types) => number): SpecialField[] => {
    const types = new Types();
    const id = build(types);
    return new FieldFinder(new Btf(btfOf(types.all), 'made.o')).find(id);
  };
  const value = (build: (t: Types) => number, tags: readonly string[] = []) =>
    find((t) => {
      const id = t.struct('value', 64, [
        ['first', 1, 0],
        ['it', build(t), 8],
      ]);
      for (const name of tags) t.add({ kind: 'decl_tag', name, type: id, component: 1, attribute: false });
      return id;
    });

  it.each(KINDS)('struct %s', (name, kind, size) => {
    const field = { kind, offset: 8, size };
    expect(value((t) => t.struct(name, size, []))).toEqual([field]);
    // Behind a typedef and const, in a struct in a struct, and in an array.
    expect(
      value((t) =>
        t.add({ kind: 'typedef', name: 'x', type: t.add({ kind: 'const', type: t.struct(name, size, []) }) }),
      ),
    ).toEqual([field]);
    expect(value((t) => t.struct('mid', 24, [['deep', t.struct(name, size, []), 4]]))).toEqual([
      { ...field, offset: 12 },
    ]);
    expect(
      value((t) => t.add({ kind: 'array', element: t.struct(name, size, []), index: 1, count: 2 })),
    ).toEqual([field, { ...field, offset: 8 + size }]);
    // A pointer to one is none, and neither is a union's.
    expect(value((t) => t.pointer(t.struct(name, size, [])))).toEqual([]);
    expect(value((t) => t.add({ kind: 'union', name, size, members: [] }))).toEqual([]);
  });

  it('heads with what they contain, nodes with their names', () => {
    for (const [name, kind, size] of [
      ['bpf_list_head', 'list_head', 16],
      ['bpf_rb_root', 'rb_root', 16],
    ] as const) {
      const head = (t: Types): number => t.struct(name, size, []);
      expect(value(head, ['other', 'contains:node_data:node'])).toEqual([
        { kind, offset: 8, size, struct: 'node_data', node: 'node' },
      ]);
      expect(() => value(head)).toThrow(`a ${name} without a 'contains:STRUCT:NODE' tag`);
      expect(() => value(head, ['contains:node_data'])).toThrow('without a');
    }
    for (const [name, kind, size] of [
      ['bpf_list_node', 'list_node', 24],
      ['bpf_rb_node', 'rb_node', 32],
    ] as const)
      expect(value((t) => t.struct(name, size, []))).toEqual([{ kind, offset: 8, size, node: 'it' }]);
  });

  it('pointers by their tags', () => {
    const tagged = (tag: string) => (t: Types) =>
      t.pointer(
        t.add({ kind: 'type_tag', name: tag, attribute: false, type: t.struct('task_struct', 8, []) }),
      );
    for (const kind of ['kptr', 'kptr_untrusted'] as const)
      expect(value(tagged(kind))).toEqual([{ kind, offset: 8, size: 8, struct: 'task_struct' }]);
    expect(value(tagged('rcu'))).toEqual([]);
    expect(value(tagged('percpu_kptr'))).toEqual([
      { kind: 'kptr_percpu', offset: 8, size: 8, struct: 'task_struct' },
    ]);
    for (const tag of ['uptr']) expect(() => value(tagged(tag))).toThrow(`tagged '${tag}'`);
    expect(() => value((t) => t.struct('bpf_task_work', 8, []))).toThrow(
      "'struct bpf_task_work' is not modelled",
    );
  });

  it('eleven at most, in order of offset', () => {
    const many = (count: number) =>
      find((t) => {
        const lock = t.struct('bpf_timer', 16, []);
        const places = Array.from(
          { length: count },
          (_, i) => [`t${i}`, lock, 16 * (count - 1 - i)] as const,
        );
        return t.struct('value', 16 * count, places);
      });
    expect(many(11).map(({ offset }) => offset)).toEqual(Array.from({ length: 11 }, (_, i) => 16 * i));
    expect(() => many(12)).toThrow('more than 11 special fields');
  });

  it('in the variables of a data section, and not in bit fields', () => {
    expect(
      find((t) => {
        const lock = t.struct('bpf_spin_lock', 4, []);
        const head = t.struct('bpf_list_head', 16, []);
        const a = t.add({ kind: 'var', name: 'a', type: lock, linkage: 1 });
        const b = t.add({ kind: 'var', name: 'b', type: head, linkage: 1 });
        t.add({ kind: 'decl_tag', name: 'contains:n:l', type: b, component: -1, attribute: false });
        return t.add({
          kind: 'datasec',
          name: '.data',
          size: 32,
          vars: [
            { type: b, offset: 16, size: 16 },
            { type: a, offset: 4, size: 4 },
          ],
        });
      }),
    ).toEqual([
      { kind: 'spin_lock', offset: 4, size: 4 },
      { kind: 'list_head', offset: 16, size: 16, struct: 'n', node: 'l' },
    ]);
    expect(
      find((t) =>
        t.add({
          kind: 'struct',
          name: 'v',
          size: 4,
          members: [{ name: 'x', type: t.struct('bpf_spin_lock', 4, []), bitOffset: 0, bitSize: 3 }],
        }),
      ),
    ).toEqual([]);
  });
});
