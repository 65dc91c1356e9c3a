/**
 * CO-RE against plain second readings: when types are compatible or match (recursive definitions over random types), what each kind of
 * relocation is worth, and which insns it may patch and how.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import type { Insn } from '../../src/isa/insn.js';
import type { CoreRelo } from '../../src/object/btf/ext.js';
import { Btf } from '../../src/object/btf/read.js';
import type { BtfType, Member } from '../../src/object/btf/types.js';
import { Compat } from '../../src/object/core/compat.js';
import { POISON, patchInsn, poison } from '../../src/object/core/patch.js';
import { CoreRelocator } from '../../src/object/core/relocate.js';
import { CORE_KINDS, type CoreKind } from '../../src/object/core/spec.js';
import { btfOf, INT, UINT } from '../support/objects/types.js';
import { seeded } from '../support/seed.js';

const read = (types: readonly BtfType[]): Btf => new Btf(btfOf(types), 'test.btf');
const relo = (kind: CoreKind, type: number, access = '0'): CoreRelo => ({
  offset: 0,
  type,
  access,
  kind: CORE_KINDS.indexOf(kind),
});

const EIGHT = 8;
const id = fc.integer({ min: 0, max: EIGHT });
const named = fc.constantFrom('a', 'b', 'a___x');
const member = fc.record({
  name: fc.constantFrom('m', 'n', ''),
  type: id,
  bitOffset: fc.constantFrom(0, 32, 64),
  bitSize: fc.constant(0),
});
const enumerators = (value: fc.Arbitrary<number>) =>
  fc.array(fc.record({ name: fc.constantFrom('E', 'F', 'G'), value }), { maxLength: 2 });

/** Small types over few names, so that two of them are often nearly the same. */
const someType: fc.Arbitrary<BtfType> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom<1 | 4 | 8>(1, 4, 8),
      fc.constantFrom('signed', 'unsigned', 'char', 'bool'),
      fc.constantFrom(0, 0, 0, 8),
    )
    .map(
      ([size, encoding, bitOffset]): BtfType => ({
        kind: 'int',
        name: 'int',
        size,
        bits: 8 * size,
        bitOffset,
        encoding: encoding as 'signed',
      }),
    ),
  fc.record({ kind: fc.constant('float' as const), name: fc.constant('f'), size: fc.constantFrom(4, 8) }),
  fc.record({ kind: fc.constant('ptr' as const), type: id }),
  fc.record({ kind: fc.constant('ptr' as const), type: id }),
  fc.record({ kind: fc.constant('array' as const), element: id, index: fc.constant(1), count: fc.nat(2) }),
  fc.record({
    kind: fc.constantFrom('struct' as const, 'union' as const),
    name: named,
    size: fc.constant(16),
    members: fc.array(member, { maxLength: 2 }),
  }),
  fc.record({
    kind: fc.constant('enum' as const),
    name: fc.constantFrom('', 'a', 'b'),
    size: fc.constantFrom(4, 8),
    signed: fc.constant(false),
    values: enumerators(fc.nat(3)),
  }),
  fc.record({
    kind: fc.constant('enum64' as const),
    name: fc.constantFrom('', 'a', 'b'),
    size: fc.constant(8),
    signed: fc.constant(false),
    values: enumerators(fc.nat(3)).map((list) =>
      list.map(({ name, value }) => ({ name, value: BigInt(value) })),
    ),
  }),
  fc.record({
    kind: fc.constant('fwd' as const),
    name: named,
    of: fc.constantFrom('struct' as const, 'union' as const),
  }),
  fc.record({ kind: fc.constantFrom('const' as const, 'volatile' as const), type: fc.constant(1) }),
  fc.record({ kind: fc.constant('typedef' as const), name: fc.constant('t'), type: fc.constantFrom(0, 1) }),
  fc.record({
    kind: fc.constant('func_proto' as const),
    returns: id,
    params: fc.array(fc.record({ name: fc.constant('p'), type: fc.integer({ min: 1, max: EIGHT }) }), {
      maxLength: 2,
    }),
  }),
);

const graph = fc.array(someType, { minLength: EIGHT, maxLength: EIGHT });
/** Two graphs, the second often the first with one type changed. */
const graphs: fc.Arbitrary<readonly [BtfType[], BtfType[]]> = fc.oneof(
  fc.tuple(graph, graph),
  fc
    .tuple(graph, fc.nat(EIGHT - 1), someType)
    .map(([types, at, other]): [BtfType[], BtfType[]] => [
      types,
      types.map((type, i) => (i === at ? other : type)),
    ]),
  graph.map((types): [BtfType[], BtfType[]] => [types, types]),
);

/** A name up to its flavour. */
const essential = (name: string): string => name.replace(/^(.*[^_])___[^_].*$/, '$1');
const nameOf = (type: BtfType): string => ('name' in type ? essential(type.name) : '');
const isEnum = (type: BtfType): boolean => type.kind === 'enum' || type.kind === 'enum64';
const isComposite = (type: BtfType): type is Extract<BtfType, { kind: 'struct' | 'union' }> =>
  type.kind === 'struct' || type.kind === 'union';

/** Types deeper than this are not compared: the reader gives up there. */
class Deep extends Error {}

/** The rules of relo_core.c, as recursive definitions. */
class Plain {
  constructor(
    private readonly a: readonly BtfType[],
    private readonly b: readonly BtfType[],
  ) {}

  private at(types: readonly BtfType[], id: number, depth: number): BtfType {
    if (depth > 20) throw new Deep();
    const type = id === 0 ? ({ kind: 'void' } as const) : types[id - 1]!;
    return type.kind === 'const' || type.kind === 'volatile' || type.kind === 'typedef'
      ? this.at(types, type.type, depth + 1)
      : type;
  }

  fields(i: number, j: number, depth = 0): boolean {
    const [x, y] = [this.at(this.a, i, depth), this.at(this.b, j, depth)];
    if (isComposite(x) && isComposite(y)) return true;
    if (isEnum(x) && isEnum(y)) return nameOf(x) === '' || nameOf(y) === '' || nameOf(x) === nameOf(y);
    if (x.kind === 'ptr' && y.kind === 'ptr') return true;
    if (x.kind === 'float' && y.kind === 'float') return true;
    if (x.kind === 'fwd' && y.kind === 'fwd') return nameOf(x) === nameOf(y);
    if (x.kind === 'int' && y.kind === 'int') return x.bitOffset === 0 && y.bitOffset === 0;
    if (x.kind === 'array' && y.kind === 'array') return this.fields(x.element, y.element, depth + 1);
    return false;
  }

  types(i: number, j: number, depth = 0): boolean {
    const [x, y] = [this.at(this.a, i, depth), this.at(this.b, j, depth)];
    if (isEnum(x) && isEnum(y)) return true;
    if (x.kind !== y.kind) return false;
    if (x.kind === 'void' || x.kind === 'struct' || x.kind === 'union' || x.kind === 'fwd') return true;
    if (x.kind === 'int' && y.kind === 'int') return x.bitOffset === 0 && y.bitOffset === 0;
    if (x.kind === 'ptr' && y.kind === 'ptr') return this.types(x.type, y.type, depth + 1);
    if (x.kind === 'array' && y.kind === 'array') return this.types(x.element, y.element, depth + 1);
    if (x.kind === 'func_proto' && y.kind === 'func_proto')
      return (
        x.params.length === y.params.length &&
        x.params.every((param, n) => this.types(param.type, y.params[n]!.type, depth + 1)) &&
        this.types(x.returns, y.returns, depth + 1)
      );
    return false;
  }

  matches(i: number, j: number, behind = false, depth = 0): boolean {
    const [x, y] = [this.at(this.a, i, depth), this.at(this.b, j, depth)];
    if (nameOf(x) !== nameOf(y)) return false;
    if (x.kind === 'fwd') return y.kind === 'fwd' ? x.of === y.of : behind && y.kind === x.of;
    if (isComposite(x)) {
      if (behind) return y.kind === x.kind || (y.kind === 'fwd' && y.of === x.kind);
      return (
        y.kind === x.kind &&
        x.members.length <= y.members.length &&
        x.members.every((m) =>
          y.members.some(
            (n) => essential(m.name) === essential(n.name) && this.matches(m.type, n.type, false, depth + 1),
          ),
        )
      );
    }
    if ('values' in x)
      return (
        'values' in y &&
        x.size === y.size &&
        x.values.length <= y.values.length &&
        x.values.every((v) => y.values.some((w) => essential(v.name) === essential(w.name)))
      );
    if (x.kind === 'void') return y.kind === 'void';
    if (x.kind === 'int' && y.kind === 'int')
      return x.size === y.size && (x.encoding === 'signed') === (y.encoding === 'signed');
    if (x.kind === 'ptr' && y.kind === 'ptr') return this.matches(x.type, y.type, true, depth + 1);
    if (x.kind === 'array' && y.kind === 'array')
      return x.count === y.count && this.matches(x.element, y.element, behind, depth + 1);
    if (x.kind === 'func_proto' && y.kind === 'func_proto')
      return (
        x.params.length === y.params.length &&
        x.params.every((param, n) => this.matches(param.type, y.params[n]!.type, behind, depth + 1)) &&
        this.matches(x.returns, y.returns, behind, depth + 1)
      );
    return false;
  }
}

describe('types agree as a plain reading of the rules says', () => {
  it.each(['fields', 'types', 'matches'] as const)('%s', (rule) => {
    const seen = { true: 0, false: 0 };
    fc.assert(
      fc.property(graphs, fc.nat(EIGHT), fc.nat(EIGHT), fc.boolean(), ([a, b], i, k, same) => {
        const j = same ? i : k;
        let plain: boolean;
        try {
          plain = new Plain(a, b)[rule](i, j);
        } catch (error) {
          if (error instanceof Deep) return;
          throw error;
        }
        const [local, target] = [read(a), read(b)];
        // Types that differ before modifiers are looked through are not compared (bpf_core_types_are_compat).
        const kinds = [local.kind(i), target.kind(j)].map((kind) => (kind === 'enum64' ? 'enum' : kind));
        if (rule === 'types' && kinds[0] !== kinds[1]) {
          expect(new Compat(local, target).types(i, j)).toBe(false);
          return;
        }
        expect(new Compat(local, target)[rule](i, j)).toBe(plain);
        seen[`${plain}`]++;
      }),
      seeded(6000),
    );
    expect(Math.min(seen.true, seen.false)).toBeGreaterThan(200);
  });
});

describe('what each kind of relocation is worth', () => {
  const place = (name: string, type: number, bit: number, bitSize = 0): Member => ({
    name,
    type,
    bitOffset: bit,
    bitSize,
  });
  const [SIGNED, UNSIGNED, SHORT, POINTER, ARRAY, ENUM, BOOL] = [1, 2, 3, 4, 5, 6, 7];
  const BASE: BtfType[] = [
    INT,
    UINT,
    { kind: 'int', name: 'short', size: 2, bits: 16, bitOffset: 0, encoding: 'signed' },
    { kind: 'ptr', type: 1 },
    { kind: 'array', element: 3, index: 1, count: 4 },
    { kind: 'enum', name: 'e', size: 4, signed: true, values: [{ name: 'A', value: -3 }] },
    { kind: 'int', name: 'bool', size: 1, bits: 8, bitOffset: 0, encoding: 'bool' },
  ];
  const owner: BtfType = {
    kind: 'struct',
    name: 's',
    size: 40,
    members: [
      place('signed', SIGNED, 0),
      place('unsigned', UNSIGNED, 32),
      place('short', SHORT, 64),
      place('pointer', POINTER, 128),
      place('array', ARRAY, 192),
      place('enum', ENUM, 256),
      place('bool', BOOL, 288),
    ],
  };
  const types = read([...BASE, owner]);
  const worth = (kind: CoreKind, access: string, local = types, target = types): bigint | 'poison' => {
    const patch = new CoreRelocator(local, target).resolve(relo(kind, 8, access));
    return patch === 'poison' ? patch : patch.to;
  };

  it.each([
    ['0:0', 0, 4, 1],
    ['0:1', 4, 4, 0],
    ['0:2', 8, 2, 1],
    ['0:3', 16, 8, 0],
    ['0:4', 24, 8, 0],
    ['0:5', 32, 4, 1],
    ['0:6', 36, 1, 0],
  ])('%s: at %i, of %i bytes', (access, offset, size, signed) => {
    const all = [
      'field_byte_offset',
      'field_byte_size',
      'field_exists',
      'field_signed',
      'field_lshift_u64',
      'field_rshift_u64',
    ] as const;
    expect(all.map((kind) => worth(kind, access))).toEqual(
      [offset, size, 1, signed, 64 - 8 * size, 64 - 8 * size].map(BigInt),
    );
  });

  it('elements of arrays and of the struct itself', () => {
    expect(worth('field_byte_offset', '0:4:3')).toBe(30n);
    expect(worth('field_byte_size', '0:4:3')).toBe(2n);
    expect(worth('field_byte_offset', '2')).toBe(80n);
    expect(worth('field_byte_size', '0')).toBe(40n);
    expect(worth('field_byte_offset', '1:2')).toBe(48n);
    for (const access of ['0:4:4', '0:7', '0:0:0', '', '0:x', 'a'])
      expect(() => worth('field_byte_offset', access), access).toThrow(InputError);
    expect(() => worth('field_signed', '0:4:1')).toThrow(/not possible for an array element/);
  });

  it('types', () => {
    const all = ['type_exists', 'type_matches', 'type_size', 'type_id_target', 'type_id_local'] as const;
    expect(all.map((kind) => worth(kind, '0'))).toEqual([1n, 1n, 40n, 8n, 8n]);
    const moved = read([...BASE, INT, owner]);
    expect(all.map((kind) => worth(kind, '0', types, moved))).toEqual([1n, 1n, 40n, 9n, 8n]);
    const none = read(BASE);
    expect(all.map((kind) => worth(kind, '0', types, none))).toEqual([0n, 0n, 0n, 0n, 8n]);
    for (const kind of all) expect(() => worth(kind, '0:1')).toThrow(/has the path 0/);
  });

  it('what a target lacks: questions are answered, the rest is poison', () => {
    const none = read(BASE);
    const fields = CORE_KINDS.filter((kind) => kind.startsWith('field_'));
    expect(fields.map((kind) => worth(kind, '0:0', types, none))).toEqual(
      fields.map((kind) => (kind === 'field_exists' ? 0n : 'poison')),
    );
    expect(() =>
      new CoreRelocator(types, { missing: 'no types' }).resolve(relo('field_exists', 8, '0:0')),
    ).toThrow(/is relocated against a kernel's BTF: no types/);
    expect(new CoreRelocator(types, { missing: 'no types' }).resolve(relo('type_id_local', 8))).toEqual({
      from: 8n,
      to: 8n,
      validate: false,
    });
  });

  it('elements that arrays of the target have, and no others', () => {
    // An array of `rows` arrays of `columns` shorts; a member follows it, or it is the last.
    const grid = (rows: number, columns: number, last: boolean): Btf =>
      read([
        BASE[2]!,
        { kind: 'array', element: 1, index: 1, count: columns },
        { kind: 'array', element: 2, index: 1, count: rows },
        {
          kind: 'struct',
          name: 's',
          size: 8 + 2 * rows * columns,
          members: [place('grid', 3, 32), ...(last ? [] : [place('next', 1, 32 + 16 * rows * columns)])],
        },
      ]);
    const seen = { found: 0, poison: 0 };
    for (const last of [false, true])
      for (const rows of [0, 1, 2, 3, 4])
        for (const columns of [1, 2, 3])
          for (let row = 0; row < 3; row++)
            for (let column = 0; column < 3; column++) {
              const local = grid(3, 3, false);
              const patch = new CoreRelocator(local, grid(rows, columns, last)).resolve(
                relo('field_byte_offset', 4, `0:0:${row}:${column}`),
              );
              // A last member of no elements has as many as there is memory.
              const has = (row < rows || (rows === 0 && last)) && column < columns;
              const at = [rows, columns, last, row, column];
              const expected = has ? BigInt(4 + 2 * (row * columns + column)) : 'poison';
              expect([at, patch === 'poison' ? patch : patch.to]).toEqual([at, expected]);
              seen[has ? 'found' : 'poison']++;
            }
    expect(Math.min(seen.found, seen.poison)).toBeGreaterThan(50);
  });

  it('members without a name in common, of another shape, are not found', () => {
    const other = (type: number, name = 'signed'): Btf =>
      read([
        ...BASE,
        { kind: 'struct', name: 's', size: 8, members: [place('first', 1, 0), place(name, type, 32)] },
      ]);
    expect(worth('field_byte_offset', '0:0', types, other(SIGNED))).toBe(4n);
    expect(worth('field_byte_offset', '0:0', types, other(UNSIGNED))).toBe(4n);
    expect(worth('field_exists', '0:0', types, other(POINTER))).toBe(0n);
    expect(worth('field_exists', '0:0', types, other(SIGNED, 'else'))).toBe(0n);
  });

  it('pointers that relocated loads lead to are remembered once', () => {
    const task: BtfType[] = [
      INT,
      { kind: 'ptr', type: 3 },
      { kind: 'type_tag', name: 'rcu', type: 4, attribute: false },
      {
        kind: 'struct',
        name: 'task',
        size: 24,
        members: [place('parent', 2, 64), place('pid', 1, 128), place('other', 5, 0)],
      },
      { kind: 'ptr', type: 4 },
    ];
    const btf = read(task);
    const core = new CoreRelocator(btf, btf);
    for (const access of ['0:0', '0:1', '0:0', '0:2']) core.resolve(relo('field_byte_offset', 4, access));
    core.resolve(relo('field_exists', 4, '0:0'));
    expect(core.pointers).toEqual([
      { struct: 'task', member: 'parent', offset: 8, to: 'task', rcu: true },
      { struct: 'task', member: 'other', offset: 0, to: 'task' },
    ]);
  });
});

describe('which insns are patched, and how', () => {
  const insn = (opcode: number, off: number, imm: number): Insn => ({ opcode, dst: 1, src: 0, off, imm });
  const patched = (insns: Insn[], patch: Parameters<typeof patchInsn>[2]): Insn[] => {
    const copy = [...insns];
    patchInsn(copy, 0, patch);
    return copy;
  };
  const of = (from: bigint, to: bigint, more = {}) => ({ from, to, validate: true, ...more });

  it.each([0x07, 0x04, 0xb7, 0xb4, 0x17, 0x57])('arithmetic with an immediate, 0x%s', (opcode) => {
    expect(patched([insn(opcode, 0, 8)], of(8n, 24n))).toEqual([insn(opcode, 0, 24)]);
    expect(patched([insn(opcode, 0, -1)], of(0xffff_ffffn, 0xffff_fffen))).toEqual([insn(opcode, 0, -2)]);
    expect(() => patched([insn(opcode, 0, 7)], of(8n, 24n))).toThrow(
      'insn 0 cannot be relocated: it holds 7, expected 8',
    );
    expect(patched([insn(opcode, 0, 7)], { ...of(8n, 24n), validate: false })).toEqual([insn(opcode, 0, 24)]);
    expect(() => patched([insn(opcode | 8, 0, 8)], of(8n, 24n))).toThrow('it has no immediate');
  });

  it.each([
    [0x61, 4],
    [0x69, 2],
    [0x71, 1],
    [0x79, 8],
    [0x62, 4],
    [0x7a, 8],
    [0x63, 4],
    [0x6b, 2],
  ])('a load or store, 0x%s', (opcode, size) => {
    expect(patched([insn(opcode, 8, 5)], of(8n, 24n))).toEqual([insn(opcode, 24, 5)]);
    for (const to of [-32768n, 32767n])
      expect(patched([insn(opcode, 8, 5)], of(8n, to))).toEqual([insn(opcode, Number(to), 5)]);
    for (const to of [-32769n, 32768n])
      expect(() => patched([insn(opcode, 8, 5)], of(8n, to))).toThrow(
        `the offset ${to} does not fit 16 bits`,
      );
    expect(() => patched([insn(opcode, 9, 5)], of(8n, 24n))).toThrow('it holds 9, expected 8');
    const codes = { 1: 0x10, 2: 0x08, 4: 0x00, 8: 0x18 } as const;
    for (const to of [1, 2, 4, 8] as const)
      expect(patched([insn(opcode, 8, 5)], of(8n, 24n, { width: { from: size, to } }))).toEqual([
        insn((opcode & ~0x18) | codes[to], 24, 5),
      ]);
    expect(() => patched([insn(opcode, 8, 5)], of(8n, 24n, { width: { from: 16, to: 8 } }))).toThrow(
      `it accesses ${size} bytes, expected 16`,
    );
    expect(() => patched([insn(opcode, 8, 5)], of(8n, 24n, { width: { from: size, to: 16 } }))).toThrow(
      'no insn accesses 16 bytes',
    );
    expect(patched([insn(opcode, 8, 5)], of(8n, 24n, { width: 'unsafe' }))).toEqual([POISON]);
  });

  it('a 64-bit immediate, both slots', () => {
    const wide = (low: number, high: number): Insn[] => [
      insn(0x18, 0, low),
      { opcode: 0, dst: 0, src: 0, off: 0, imm: high },
    ];
    expect(patched(wide(-1, 1), of(0x1_ffff_ffffn, 0x2_8000_0000n))).toEqual(wide(-0x8000_0000, 2));
    expect(patched(wide(-3, -1), of(-3n, -4n))).toEqual(wide(-4, -1));
    expect(() => patched(wide(1, 1), of(1n, 2n))).toThrow('it holds 4294967297, expected 1');
    expect(() => patched(wide(1, 0).slice(0, 1), of(1n, 2n))).toThrow('its second slot is missing');
    expect(() => patched([wide(1, 0)[0]!, insn(0xb7, 0, 0)], of(1n, 2n))).toThrow(
      'its second slot is missing',
    );
    expect(() => patched([{ ...wide(1, 0)[0]!, src: 1 }, wide(1, 0)[1]!], of(1n, 2n))).toThrow(
      'opcode 0x18 is no move',
    );
    const all = [...wide(1, 0), insn(0xb7, 0, 0)];
    poison(all, 0);
    expect(all).toEqual([POISON, POISON, insn(0xb7, 0, 0)]);
    poison(all, 2);
    expect(all[2]).toEqual({ opcode: 0x85, dst: 0, src: 0, off: 0, imm: 195896080 });
  });

  it.each([0x05, 0x85, 0x95, 0x15, 0x16])('no jump or call, 0x%s', (opcode) => {
    expect(() => patched([insn(opcode, 8, 8)], of(8n, 24n))).toThrow(/is no move, load or store/);
    expect(() => patchInsn([], 0, of(1n, 1n))).toThrow('it is outside its function');
  });

  it('loads follow the width of unsigned numbers and pointers, of nothing else', () => {
    const int = (size: 1 | 2 | 4 | 8, encoding: 'signed' | 'unsigned' | 'char' | 'bool'): BtfType => ({
      kind: 'int',
      name: 'int',
      size,
      bits: 8 * size,
      bitOffset: 0,
      encoding,
    });
    const POINTER: BtfType = { kind: 'ptr', type: 0 };
    const enumOf = (size: number): BtfType => ({ kind: 'enum', name: '', size, signed: false, values: [] });
    const owner = (type: BtfType, bitSize = 0): Btf =>
      read([
        type,
        { kind: 'struct', name: 's', size: 16, members: [{ name: 'm', type: 1, bitOffset: 64, bitSize }] },
      ]);
    const width = (a: Btf, b: Btf): unknown => {
      const patch = new CoreRelocator(a, b).resolve(relo('field_byte_offset', 2, '0:0'));
      return patch === 'poison' ? patch : patch.width;
    };
    for (const a of ['signed', 'unsigned', 'char', 'bool'] as const)
      for (const b of ['signed', 'unsigned', 'char', 'bool'] as const) {
        expect(width(owner(int(4, a)), owner(int(4, b)))).toEqual({ from: 4, to: 4 });
        const follows = a !== 'signed' && b !== 'signed';
        expect(width(owner(int(4, a)), owner(int(8, b)))).toEqual(follows ? { from: 4, to: 8 } : 'unsafe');
      }
    expect(width(owner(POINTER), owner(POINTER))).toEqual({ from: 8, to: 8 });
    expect(width(owner(enumOf(4)), owner(enumOf(8)))).toBe('unsafe');
    expect(width(owner(int(4, 'unsigned')), owner(int(4, 'unsigned'), 3))).toBe('unsafe');
    expect(width(owner(int(4, 'unsigned'), 3), owner(int(4, 'unsigned')))).toBe('unsafe');
    expect(width(owner(int(4, 'unsigned'), 3), owner(int(4, 'unsigned'), 5))).toBeUndefined();
  });
});
