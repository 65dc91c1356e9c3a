/** BTF: whatever graph of types is written is read back as it was, by id and by name; a cut or changed one is refused or differs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../src/isa/errors.js';
import { Btf } from '../../src/object/btf/read.js';
import { BTF_KINDS, type BtfType } from '../../src/object/btf/types.js';
import { btfOf } from '../support/objects/types.js';
import { seeded } from '../support/seed.js';

const name = fc.oneof(fc.constant(''), fc.stringMatching(/^[a-z_][a-z0-9_]{0,12}$/), fc.constant('größe'));
const id = fc.nat(12);
const u32 = fc.oneof(fc.nat(64), fc.nat(0xffffffff), fc.constant(0xffffffff));
const attribute = fc.boolean();
const list = <T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(item, { maxLength: 5 });
const record = <const K extends BtfType['kind'], T extends object>(
  kind: K,
  fields: { [P in keyof T]: fc.Arbitrary<T[P]> },
) => fc.record<T>(fields).map((rest) => ({ kind, ...rest }) as unknown as BtfType);

const plainMember = fc.record({ name, type: id, bitOffset: u32, bitSize: fc.constant(0) });
const bitMember = fc.record({
  name,
  type: id,
  bitOffset: fc.nat(0xffffff),
  bitSize: fc.integer({ min: 1, max: 64 }),
});
const composite = (kind: 'struct' | 'union'): fc.Arbitrary<BtfType> =>
  record(kind, { name, size: u32, members: fc.oneof(list(plainMember), list(bitMember)) });

const anEnum = fc.boolean().chain((signed) =>
  record('enum', {
    name,
    size: fc.constantFrom(1, 2, 4, 8),
    signed: fc.constant(signed),
    values: list(fc.record({ name, value: signed ? fc.integer() : u32 })),
  }),
);
const anEnum64 = fc.boolean().chain((signed) =>
  record('enum64', {
    name,
    size: fc.constant(8),
    signed: fc.constant(signed),
    values: list(
      fc.record({
        name,
        value: fc.bigInt(
          signed ? { min: -(2n ** 63n), max: 2n ** 63n - 1n } : { min: 0n, max: 2n ** 64n - 1n },
        ),
      }),
    ),
  }),
);

const type: fc.Arbitrary<BtfType> = fc.oneof(
  record('int', {
    name,
    size: fc.constantFrom(1, 2, 4, 8, 16),
    bits: fc.nat(128),
    bitOffset: fc.nat(128),
    encoding: fc.constantFrom('unsigned', 'signed', 'char', 'bool'),
  }),
  record('float', { name, size: fc.constantFrom(2, 4, 8, 12, 16) }),
  ...(['ptr', 'volatile', 'const', 'restrict'] as const).map((kind) => record(kind, { type: id })),
  record('array', { element: id, index: id, count: u32 }),
  composite('struct'),
  composite('union'),
  anEnum,
  anEnum64,
  record('fwd', { name, of: fc.constantFrom('struct', 'union') }),
  record('typedef', { name, type: id }),
  record('func', { name, type: id, linkage: fc.constantFrom('static', 'global', 'extern') }),
  record('func_proto', { returns: id, params: list(fc.record({ name, type: id })) }),
  record('var', { name, type: id, linkage: fc.nat(2) }),
  record('datasec', { name, size: u32, vars: list(fc.record({ type: id, offset: u32, size: u32 })) }),
  record('decl_tag', { name, type: id, component: fc.integer({ min: -1, max: 20 }), attribute }),
  record('type_tag', { name, type: id, attribute }),
);

function readAll(bytes: Uint8Array): BtfType[] {
  const btf = new Btf(bytes, 'test.btf');
  return Array.from({ length: btf.count - 1 }, (_, i) => btf.type(i + 1));
}

describe('BTF reads back what was written', () => {
  it('any graph of types, by id', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(fc.array(type, { maxLength: 12 }), (types) => {
        for (const { kind } of types) kinds.add(kind);
        expect(readAll(btfOf(types))).toEqual(types);
      }),
      seeded(400),
    );
    // All kinds but void were in it.
    expect(kinds.size).toBe(BTF_KINDS.length - 1);
  });

  it('kinds and names without decoding, and look-ups by name', () => {
    fc.assert(
      fc.property(fc.array(type, { minLength: 1, maxLength: 12 }), (types) => {
        const btf = new Btf(btfOf(types), 'test.btf');
        for (const [i, expected] of types.entries()) {
          const wanted = 'name' in expected ? expected.name : '';
          expect([btf.kind(i + 1), btf.name(i + 1)]).toEqual([expected.kind, wanted]);
          const first = types.findIndex(
            (other) => other.kind === expected.kind && ('name' in other ? other.name : '') === wanted,
          );
          expect(btf.find(wanted, expected.kind)).toBe(first + 1);
        }
      }),
      seeded(200),
    );
  });

  it('a type that was changed is not taken for the one that was written', () => {
    fc.assert(
      fc.property(fc.array(type, { minLength: 1, maxLength: 6 }), fc.nat(), (types, pick) => {
        const changed = types.map(
          (old, i): BtfType => (i === pick % types.length ? { kind: 'ptr', type: 77 } : old),
        );
        expect(readAll(btfOf(changed))).not.toEqual(types);
      }),
      seeded(100),
    );
  });

  it('cut anywhere, or with any byte changed: refused with one line, or read', () => {
    fc.assert(
      fc.property(
        fc.array(type, { minLength: 1, maxLength: 8 }),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (types, cut, at, flip) => {
          const bytes = btfOf(types);
          const short = bytes.slice(0, cut % bytes.length);
          expect(() => readAll(short)).toThrow(InputError);
          bytes[at % bytes.length]! ^= flip;
          try {
            const btf = new Btf(bytes, 'test.btf');
            for (let i = 0; i < btf.count; i++) {
              btf.type(i);
              btf.resolve(i);
              btf.size(i);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(InputError);
          }
        },
      ),
      seeded(400),
    );
  });

  it('types that name themselves end in an error, not in a loop', () => {
    const loop = new Btf(
      btfOf([
        { kind: 'typedef', name: 'a', type: 2 },
        { kind: 'const', type: 1 },
        { kind: 'array', element: 3, index: 3, count: 2 },
      ]),
      'test.btf',
    );
    expect(() => loop.resolve(1)).toThrow(InputError);
    expect(() => loop.size(3)).toThrow(InputError);
    expect(() => loop.type(4)).toThrow(/names type 4, but there are 4/);
  });
});
