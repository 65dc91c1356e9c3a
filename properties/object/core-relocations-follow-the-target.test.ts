/** CO-RE: members that a target kernel has elsewhere are found there; what it lacks is poisoned, or told to be absent. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import type { Insn } from '../../src/isa/insn.js';
import type { CoreRelo } from '../../src/object/btf/ext.js';
import { Btf } from '../../src/object/btf/read.js';
import type { BtfType } from '../../src/object/btf/types.js';
import { POISON } from '../../src/object/core/patch.js';
import { CoreRelocator } from '../../src/object/core/relocate.js';
import { CORE_KINDS, type CoreKind, essentialName } from '../../src/object/core/spec.js';
import { readObject } from '../../src/object/load.js';
import { objectBytes } from '../support/objects/files.js';
import { btfOf, type Field, INT, layOut, UINT } from '../support/objects/types.js';
import { seeded } from '../support/seed.js';

const read = (types: readonly BtfType[]): Btf => new Btf(btfOf(types), 'test.btf');
const relo = (kind: CoreKind, type: number, access = '0'): CoreRelo => ({
  offset: 0,
  type,
  access,
  kind: CORE_KINDS.indexOf(kind),
});

/** Types 1 and 2: the ints; 3: a pointer to int. */
const BASE: readonly BtfType[] = [INT, UINT, { kind: 'ptr', type: 1 }];
const ALL_FIELDS: readonly Field[] = [
  { name: 'a', type: 1, size: 4 },
  { name: 'b', type: 2, size: 4 },
  { name: 'c', type: 3, size: 8 },
  { name: 'd', type: 2, size: 4 },
];

/** What a relocation of `mov r1, imm` to `local` makes of its immediate; 'poison' for a poisoned insn. */
function resolved(local: Btf, target: Btf, relocation: CoreRelo): bigint | 'poison' {
  const patch = new CoreRelocator(local, target).resolve(relocation);
  return patch === 'poison' ? patch : patch.to;
}

const offsetsIn = (type: BtfType): Map<string, bigint> =>
  new Map(
    type.kind === 'struct' ? type.members.map(({ name, bitOffset }) => [name, BigInt(bitOffset / 8)]) : [],
  );

describe('CO-RE relocations follow the target', () => {
  it('a member is found wherever the target has it', () => {
    const moved = fc.tuple(
      fc.shuffledSubarray([...ALL_FIELDS], { minLength: 4 }),
      fc.nat(40),
      fc.constantFrom('s', 's___new'),
    );
    let changed = 0;
    fc.assert(
      fc.property(moved, ([fields, gap, name]) => {
        const [here, there] = [layOut('s___flavour', ALL_FIELDS), layOut(name, fields, gap)];
        const [local, target] = [read([...BASE, here]), read([...BASE, INT, there])];
        for (const [i, field] of ALL_FIELDS.entries()) {
          const offset = resolved(local, target, relo('field_byte_offset', 4, `0:${i}`));
          expect(offset).toBe(offsetsIn(there).get(field.name));
          if (offset !== offsetsIn(here).get(field.name)) changed++;
          expect(resolved(local, target, relo('field_exists', 4, `0:${i}`))).toBe(1n);
          expect(resolved(local, target, relo('field_byte_size', 4, `0:${i}`))).toBe(BigInt(field.size));
        }
        expect(resolved(local, target, relo('type_size', 4))).toBe(BigInt('size' in there ? there.size : 0));
        expect(resolved(local, target, relo('type_id_target', 4))).toBe(5n);
        expect(resolved(local, target, relo('type_id_local', 4))).toBe(4n);
      }),
      seeded(150),
    );
    expect(changed).toBeGreaterThan(200);
  });

  it('a member inside anonymous structs and arrays of the target', () => {
    const local = read([
      ...BASE,
      { kind: 'array', element: 1, index: 1, count: 4 },
      layOut('s', [{ name: 'list', type: 4, size: 16 }]),
    ]);
    const target = read([
      ...BASE,
      { kind: 'array', element: 1, index: 1, count: 8 },
      layOut('', [{ name: 'list', type: 4, size: 32 }], 4),
      { kind: 'union', name: '', size: 36, members: [{ name: '', type: 5, bitOffset: 0, bitSize: 0 }] },
      layOut('s', [{ name: '', type: 6, size: 36 }], 8),
    ]);
    expect(resolved(local, target, relo('field_byte_offset', 5, '0:0:3'))).toBe(8n + 4n + 12n);
    expect(resolved(local, target, relo('field_byte_offset', 5, '1:0:1'))).toBe(44n + 8n + 4n + 4n);
  });

  it('bit fields: the smallest load that holds them, and the shifts that cut them out', () => {
    const bits = fc.record({ at: fc.integer({ min: 0, max: 96 }), size: fc.integer({ min: 1, max: 32 }) });
    fc.assert(
      fc.property(bits, ({ at, size }) => {
        const owner = (bitOffset: number, bitSize: number): BtfType => ({
          kind: 'struct',
          name: 's',
          size: 32,
          members: [{ name: 'f', type: 2, bitOffset, bitSize }],
        });
        const [local, target] = [read([...BASE, owner(0, 1)]), read([...BASE, owner(at, size)])];
        const get = (kind: CoreKind): number => Number(resolved(local, target, relo(kind, 4, '0:0')));
        if (Math.floor(at / 64) !== Math.floor((at + size - 1) / 64)) {
          expect(() => get('field_byte_offset')).toThrow(/does not fit a 64-bit load/);
          return;
        }
        const [byte, width] = [get('field_byte_offset'), get('field_byte_size')];
        // Read the unit out of memory in which only the bits of the field are set, as a program does.
        const memory = ((1n << BigInt(size)) - 1n) << BigInt(at);
        const word = (memory >> BigInt(byte * 8)) & ((1n << BigInt(width * 8)) - 1n);
        const field =
          BigInt.asUintN(64, word << BigInt(get('field_lshift_u64'))) >> BigInt(get('field_rshift_u64'));
        expect(field).toBe((1n << BigInt(size)) - 1n);
        expect(byte % width).toBe(0);
      }),
      seeded(300),
    );
  });

  it('what the target lacks: values are poisoned, questions answered with 0', () => {
    const [local, target] = [
      read([...BASE, layOut('s', ALL_FIELDS)]),
      read([...BASE, layOut('s', ALL_FIELDS.slice(1))]),
    ];
    expect(resolved(local, target, relo('field_byte_offset', 4, '0:0'))).toBe('poison');
    expect(resolved(local, target, relo('field_exists', 4, '0:0'))).toBe(0n);
    expect(resolved(local, target, relo('field_byte_offset', 4, '0:1'))).toBe(0n);
    const empty = read(BASE);
    expect(resolved(local, empty, relo('type_exists', 4))).toBe(0n);
    expect(resolved(local, empty, relo('type_size', 4))).toBe(0n);
    expect(resolved(local, empty, relo('field_byte_size', 4, '0:2'))).toBe('poison');
  });

  it('enumerators by name, whatever their number', () => {
    const anEnum = (name: string, values: [string, number][]): BtfType => ({
      kind: 'enum',
      name,
      size: 4,
      signed: true,
      values: values.map(([name, value]) => ({ name, value })),
    });
    const local = read([
      ...BASE,
      anEnum('e', [
        ['ONE', 1],
        ['GONE', 2],
      ]),
    ]);
    const target = read([
      anEnum('e', [
        ['ZERO', 0],
        ['ONE', -7],
      ]),
    ]);
    expect(resolved(local, target, relo('enumval_value', 4, '0'))).toBe(-7n);
    expect(resolved(local, target, relo('enumval_exists', 4, '1'))).toBe(0n);
    expect(resolved(local, target, relo('enumval_value', 4, '1'))).toBe('poison');
    const wide = read([
      { kind: 'enum64', name: 'e', size: 8, signed: false, values: [{ name: 'ONE', value: 1n << 40n }] },
    ]);
    expect(resolved(local, wide, relo('enumval_value', 4, '0'))).toBe(1n << 40n);
  });

  it('types match by their members, exist by their names', () => {
    const local = read([...BASE, layOut('s', ALL_FIELDS.slice(0, 2))]);
    const matches = (types: readonly BtfType[]): bigint | 'poison' =>
      resolved(local, read([...BASE, ...types]), relo('type_matches', 4));
    expect(matches([layOut('s', ALL_FIELDS)])).toBe(1n);
    expect(matches([layOut('s', ALL_FIELDS.slice(1))])).toBe(0n);
    expect(matches([layOut('s', [{ name: 'a', type: 2, size: 4 }, ALL_FIELDS[1]!])])).toBe(0n);
    expect(resolved(local, read([...BASE, layOut('s', [])]), relo('type_exists', 4))).toBe(1n);
  });

  it('candidates that differ are ambiguous', () => {
    const local = read([...BASE, layOut('s', ALL_FIELDS)]);
    const two = read([...BASE, layOut('s', ALL_FIELDS), layOut('s', ALL_FIELDS, 8)]);
    expect(() => resolved(local, two, relo('field_byte_offset', 4, '0:1'))).toThrow(/ambiguous/);
    expect(
      resolved(
        local,
        read([...BASE, layOut('s', ALL_FIELDS), layOut('s', ALL_FIELDS)]),
        relo('field_byte_offset', 4, '0:1'),
      ),
    ).toBe(4n);
  });

  it('loads are patched in offset and width; one that would read another number is poisoned', () => {
    const load: Insn = { opcode: 0x61, dst: 1, src: 1, off: 4, imm: 0 };
    const local = read([...BASE, layOut('s', ALL_FIELDS)]);
    const wide = (encoding: 'signed' | 'unsigned'): BtfType => ({
      kind: 'int',
      name: 'long',
      size: 8,
      bits: 64,
      bitOffset: 0,
      encoding,
    });
    const patched = (encoding: 'signed' | 'unsigned', insn = load): Insn => {
      const target = read([...BASE, wide(encoding), layOut('s', [{ name: 'b', type: 4, size: 8 }], 24)]);
      const insns = [insn];
      new CoreRelocator(local, target).apply(insns, 0, relo('field_byte_offset', 4, '0:1'));
      return insns[0]!;
    };
    expect(patched('unsigned')).toEqual({ ...load, opcode: 0x79, off: 24 });
    expect(patched('signed')).toEqual(POISON);
    // An insn that does not hold the offset that the program's own types say is no load of that member.
    expect(() => patched('unsigned', { ...load, off: 5 })).toThrow(/holds 5, expected 4/);
    expect(() => patched('unsigned', { ...load, opcode: 0x95 })).toThrow(InputError);
  });

  it('flavours', () => {
    expect(['task', 'task___v2', 'a___b___c', '___x', 'x___', 'x____y'].map(essentialName)).toEqual([
      'task',
      'task',
      'a___b',
      '___x',
      'x___',
      'x____y',
    ]);
  });
});

describe('the sample with CO-RE', () => {
  const bytes = objectBytes('core_read.o');
  const task = (gap: number, without: string): Uint8Array => {
    const pointer: Field = { name: 'group_leader', type: 3, size: 8 };
    const fields = [{ name: 'tgid', type: 1, size: 4 }, pointer, { name: 'pid', type: 1, size: 4 }];
    return btfOf([
      ...BASE.slice(0, 2),
      { kind: 'ptr', type: 4 },
      layOut(
        'task_struct',
        fields.filter((field) => field.name !== without),
        gap,
      ),
      {
        kind: 'enum',
        name: 'pid_type',
        size: 4,
        signed: false,
        values: [{ name: 'PIDTYPE_TGID', value: 1 }],
      },
    ]);
  };
  const insnsOf = (targetBtf: Uint8Array): readonly Insn[] =>
    readObject(bytes, 'core_read.o', { targetBtf }).programs[0]!.insns;

  it('reads members where each target has them', () => {
    const [near, far] = [insnsOf(task(0, '')), insnsOf(task(100, ''))];
    const differing = near.flatMap((insn, i) => (insn.imm !== far[i]!.imm ? [[insn.imm, far[i]!.imm]] : []));
    // Offsets of pid, group_leader and tgid, and what depends on the size of the struct.
    expect(differing).toEqual(
      expect.arrayContaining([
        [12, 312],
        [4, 204],
        [0, 100],
      ]),
    );
  });

  it('poisons a member that is absent, and nothing else', () => {
    const [with_, without] = [insnsOf(task(0, '')), insnsOf(task(0, 'pid'))];
    const poisoned = (insns: readonly Insn[]): number =>
      insns.filter((insn) => insn.imm === POISON.imm).length;
    // The read of `state`, which no target here has, is behind a question and is poisoned in both.
    expect(poisoned(without)).toBe(poisoned(with_) + 1);
    expect(without.length).toBe(with_.length);
  });

  it('is refused without types, naming the first relocation', () => {
    const failing = () => readObject(bytes, 'core_read.o', { targetBtf: 'none' });
    expect(failing).toThrow(InputError);
    expect(failing).toThrow(
      /^function 'core_read': .* of task_struct\.\w+ \(0:\d\) is relocated against a kernel's BTF: none was given$/,
    );
  });
});
