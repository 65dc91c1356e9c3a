/**
 * Objects made byte by byte, read back: every field of headers, sections, symbols and relocations; functions and their linkage; calls,
 * references and data as libbpf links them.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, callHelper, callSub, exit, ldFunc, ldImm64, mov, r0, r1, r2 } from '../../src/isa/build.js';
import { toBytes } from '../../src/isa/bytes.js';
import { encodeAll } from '../../src/isa/encode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Op } from '../../src/isa/insn.js';
import { readElf } from '../../src/object/elf.js';
import { readObject } from '../../src/object/load.js';
import type { Program } from '../../src/object/program.js';
import {
  elfOf,
  type MadeObject,
  type MadeRelocation,
  type MadeSection,
  type MadeSymbol,
} from '../support/objects/elf.js';
import { seeded } from '../support/seed.js';

const name = fc.stringMatching(/^[a-z_.][a-z0-9_.]{0,9}$/).filter((text) => !text.startsWith('.debug'));
const u32 = fc.oneof(fc.nat(16), fc.nat(0xffff_ffff));
const section: fc.Arbitrary<MadeSection> = fc.oneof(
  fc.record({
    name,
    type: fc.constantFrom(1, 3, 7, 0x6000_0000),
    flags: u32,
    data: fc.uint8Array({ maxLength: 24 }),
    align: fc.nat(16),
    entrySize: fc.nat(32),
  }),
  fc.record({ name, type: fc.constant(8), flags: u32, size: fc.nat(1 << 20) }),
);
const symbol: fc.Arbitrary<MadeSymbol> = fc.record({
  name,
  section: fc.nat(4),
  value: u32,
  size: u32,
  type: fc.nat(15),
  bind: fc.nat(15),
  visibility: fc.nat(3),
});

describe('an object reads back as it was made', () => {
  it('sections, symbols, relocations', () => {
    fc.assert(
      fc.property(
        fc.array(section, { minLength: 1, maxLength: 5 }),
        fc.array(symbol, { minLength: 1, maxLength: 6 }),
        fc.array(fc.tuple(fc.nat(), u32, u32, fc.nat()), { maxLength: 6 }),
        (sections, symbols, some) => {
          const relocations = some.map(
            ([at, offset, type, of]): MadeRelocation => ({
              section: 1 + (at % sections.length),
              offset,
              type,
              symbol: of % (symbols.length + 1),
            }),
          );
          const elf = readElf(elfOf({ sections, symbols, relocations }), 'made.o');
          const read = elf.sections.slice(1, sections.length + 1);
          expect(read.map(({ data, ...rest }) => ({ ...rest, data: [...data] }))).toEqual(
            sections.map((one, i) => ({
              index: i + 1,
              name: one.name,
              type: one.type,
              flags: one.flags,
              size: one.size ?? one.data!.length,
              data: one.type === 8 ? [] : [...one.data!],
              align: one.align ?? 0,
              entrySize: one.entrySize ?? 0,
            })),
          );
          expect(elf.symbols.slice(1)).toEqual(symbols);
          const byTarget = new Map<number, unknown[]>();
          for (const { section, offset, type, symbol } of relocations) {
            const found = { offset, type, symbol: elf.symbols[symbol] };
            byTarget.set(section, [...(byTarget.get(section) ?? []), found]);
          }
          expect(elf.relocations).toEqual(byTarget);
        },
      ),
      seeded(300),
    );
  });

  it('a section symbol without a name has that of its section, others have none', () => {
    const symbols = [0, 1, 2, 3, 4].map((type): MadeSymbol => ({ name: '', section: 1, type }));
    const elf = readElf(elfOf({ sections: [{ name: 'here', data: new Uint8Array(8) }], symbols }), 'made.o');
    expect(elf.symbols.slice(1).map((one) => one.name)).toEqual(['', '', '', 'here', '']);
  });
});

const SMALL: MadeObject = {
  sections: [{ name: 'xdp', flags: 6, data: toBytes(encodeAll([mov(r0, 0), exit()])) }],
  symbols: [{ name: 'main', section: 1, size: 16, type: 2 }],
};

/** The message of a refusal, or what was read. */
function refusal(bytes: Uint8Array): string {
  try {
    readElf(bytes, 'made.o');
  } catch (error) {
    if (error instanceof InputError) return error.describe();
    throw error;
  }
  return 'read';
}

describe('every field of a header is checked', () => {
  it.each<[string, number, 1 | 2 | 4, number, RegExp]>([
    ['magic 0', 0, 1, 0x7e, /found no ELF magic/],
    ['magic 1', 1, 1, 0x46, /found no ELF magic/],
    ['magic 2', 2, 1, 0x4d, /found no ELF magic/],
    ['magic 3', 3, 1, 0x47, /found no ELF magic/],
    ['class 1', 4, 1, 1, /found a 32-bit ELF file/],
    ['class 3', 4, 1, 3, /found ELF class 3/],
    ['order 2', 5, 1, 2, /found a big-endian ELF file/],
    ['order 0', 5, 1, 0, /found ELF byte order 0/],
    ['version', 6, 1, 2, /found ELF version 2/],
    ['type 2', 16, 2, 2, /found ELF type 2 \(executable\)/],
    ['type 3', 16, 2, 3, /found ELF type 3 \(shared object\)/],
    ['type 5', 16, 2, 5, /found ELF type 5$/],
    ['machine', 18, 2, 183, /found machine 183 \(AArch64\)/],
    ['machine', 18, 2, 246, /found machine 246$/],
    ['entry size', 58, 2, 40, /says 40 bytes a section header, expected 64/],
    ['no sections', 60, 2, 0, /has no sections/],
    ['too many sections', 60, 2, 60000, /section headers\) |ends at byte/],
    ['names', 62, 2, 999, /section 999, expected to hold section names, does not exist/],
    ['offset', 44, 4, 0x7fff_ffff, /impossible size or offset|ends at byte/],
  ])('%s', (_, at, size, value, message) => {
    const bytes = elfOf(SMALL);
    expect(refusal(bytes)).toBe('read');
    new DataView(bytes.buffer).setUint8(at, value & 0xff);
    if (size >= 2) new DataView(bytes.buffer).setUint16(at, value & 0xffff, true);
    if (size === 4) new DataView(bytes.buffer).setUint32(at, value, true);
    expect(refusal(bytes)).toMatch(message);
  });

  it('what may not be in a file', () => {
    const [one] = SMALL.sections;
    const table = (type: number, length: number, info = 1): MadeSection => ({
      name: '.more',
      type,
      data: new Uint8Array(length),
      info,
      link: 2,
    });
    const message = (...more: MadeSection[]): string =>
      refusal(elfOf({ ...SMALL, sections: [one!, ...more] }));
    expect(message(table(4, 24))).toMatch(/'\.more' holds relocations with addends, expected none/);
    expect(message(table(9, 17))).toMatch(/'\.more' has 17 bytes, expected a multiple of 16/);
    expect(message(table(9, 16, 77))).toMatch(/'\.more' relocates section 77, but there are 6/);
    expect(message(table(9, 16), table(9, 16))).toMatch(/section 'xdp' has two sections of relocations/);
    expect(message(table(2, 24))).toMatch(/has 2 symbol tables, expected one/);
    expect(message(table(9, 16))).toBe('read');
    const bad = elfOf({ ...SMALL, relocations: [{ section: 1, offset: 0, type: 1, symbol: 2 }] });
    expect(refusal(bad)).toMatch(/relocation 0 of section '\.relxdp' names symbol 2, but there are 2/);
    const debug = { name: '.debug_line', data: new Uint8Array(8) };
    expect(
      readElf(
        elfOf({
          ...SMALL,
          sections: [one!, debug],
          relocations: [{ section: 2, offset: 0, type: 1, symbol: 1 }],
        }),
        'f',
      ).relocations.size,
    ).toBe(0);
  });
});

const code = (ops: readonly Op[]): Uint8Array => toBytes(encodeAll(ops));
const read = (made: MadeObject): readonly Program[] =>
  readObject(elfOf(made), 'made.o', { targetBtf: 'none' }).programs;
/** A function symbol in the code of a section; places in slots. */
const fn = (
  name: string,
  section: number,
  start: number,
  slots: number,
  more: Partial<MadeSymbol> = {},
): MadeSymbol => ({
  name,
  section,
  value: 8 * start,
  size: 8 * slots,
  type: 2,
  ...more,
});
const programSection = (name: string, ops: readonly Op[]): MadeSection => ({
  name,
  flags: 6,
  data: code(ops),
});

describe('functions', () => {
  it.each([
    [0, 0, undefined, 'static'],
    [1, 0, 'global', 'global'],
    [1, 1, 'static', 'static'],
    [1, 2, 'static', 'static'],
    [1, 3, 'global', 'global'],
    [2, 0, 'global', 'global'],
  ] as const)(
    'bound %i, visibility %i: as a program %s, as a subprogram %s',
    (bind, visibility, program, subprogram) => {
      const main = {
        sections: [programSection('xdp', [mov(r0, 0), exit()])],
        symbols: [fn('main', 1, 0, 2, { bind, visibility })],
      };
      if (program === undefined) expect(() => read(main)).toThrow(/no program that can be read/);
      else expect(read(main)[0]!.subprogs).toEqual([{ name: 'main', start: 0, linkage: program }]);
      const [called] = read({
        sections: [programSection('xdp', [callSub(-1), exit()]), programSection('.text', [exit()])],
        symbols: [fn('main', 1, 0, 2), fn('work', 2, 0, 1, { bind, visibility })],
        relocations: [{ section: 1, offset: 0, type: 10, symbol: 2 }],
      });
      expect(called!.subprogs[1]).toEqual({ name: 'work', start: 2, linkage: subprogram });
    },
  );

  it.each([
    ['not a function', fn('x', 1, 0, 2, { type: 1 }), undefined],
    ['of no size', fn('x', 1, 0, 0), undefined],
    ['not in code', fn('x', 2, 0, 1), undefined],
    ['half an insn', fn('x', 1, 0, 2, { size: 12 }), /^function 'x' is not a whole number of insns/],
    ['at half an insn', fn('x', 1, 0, 1, { value: 4 }), /^function 'x' is not a whole number of insns/],
    ['behind the end', fn('x', 1, 1, 2), /ends outside section 'xdp'/],
  ] as const)('a symbol that is %s', (_, symbol, message) => {
    const made: MadeObject = {
      sections: [
        programSection('xdp', [mov(r0, 0), exit()]),
        { name: '.data', flags: 3, data: new Uint8Array(8) },
      ],
      symbols: [symbol, fn('main', 1, 0, 2)],
    };
    if (message !== undefined) expect(() => read(made)).toThrow(message);
    else expect(read(made).map((one) => one.name)).toEqual(['main']);
  });

  it('several in one section are several programs; those of .text are none; the license goes with each', () => {
    const programs = read({
      sections: [
        programSection('xdp', [mov(r0, 0), exit(), mov(r0, 1), exit()]),
        programSection('?tc/ingress', [exit()]),
        programSection('.text', [exit()]),
        programSection('.text.unlikely', [exit()]),
        { name: 'license', data: Buffer.from('Dual MIT/GPL\0more') },
      ],
      symbols: [fn('a', 1, 0, 2), fn('b', 1, 2, 2), fn('c', 2, 0, 1), fn('d', 3, 0, 1), fn('e', 4, 0, 1)],
    });
    expect(programs.map(({ name, type, section, license }) => [name, type, section, license])).toEqual([
      ['a', 'xdp', 'xdp', 'Dual MIT/GPL'],
      ['b', 'xdp', 'xdp', 'Dual MIT/GPL'],
      ['c', 'tc', '?tc/ingress', 'Dual MIT/GPL'],
    ]);
    expect(programs[1]!.insns[0]!.imm).toBe(1);
  });
});

describe('linking', () => {
  const [WORK, OTHER] = [2, 3];

  it('subprograms stand in the order in which they are first met, each once; calls find them', () => {
    const [program] = read({
      sections: [
        programSection('xdp', [callSub(-1), callSub(-1), callSub(-1), exit()]),
        programSection('.text', [mov(r0, 1), exit(), callSub(-1), exit(), mov(r0, 3), exit()]),
      ],
      symbols: [fn('main', 1, 0, 4), fn('first', 2, 0, 2), fn('second', 2, 2, 2), fn('third', 2, 4, 2)],
      relocations: [
        { section: 1, offset: 0, type: 10, symbol: OTHER },
        { section: 1, offset: 8, type: 10, symbol: WORK },
        { section: 1, offset: 16, type: 10, symbol: OTHER },
        { section: 2, offset: 16, type: 10, symbol: 4 },
      ],
    });
    expect(program!.subprogs.map(({ name, start }) => `${name}@${start}`)).toEqual([
      'main@0',
      'second@4',
      'third@6',
      'first@8',
    ]);
    expect(program!.insns.filter(({ opcode }) => opcode === 0x85).map(({ imm, src }) => [imm, src])).toEqual([
      [3, 1],
      [6, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  it('against a section, the insn says where in it; without a relocation, within its own', () => {
    const program = (symbol: MadeSymbol, imm: number): string[] => {
      const [one] = read({
        sections: [
          programSection('xdp', [callSub(imm), exit()]),
          programSection('.text', [mov(r0, 1), exit(), callSub(-3), exit()]),
        ],
        symbols: [fn('main', 1, 0, 2), fn('first', 2, 0, 2), fn('second', 2, 2, 2), symbol],
        relocations: [{ section: 1, offset: 0, type: 10, symbol: 4 }],
      });
      return one!.subprogs.map(({ name, start }) => `${name}@${start}`);
    };
    const whole: MadeSymbol = { name: '', section: 2, type: 3, bind: 0 };
    expect(program(whole, -1)).toEqual(['main@0', 'first@2']);
    expect(program(whole, 1)).toEqual(['main@0', 'second@2', 'first@4']);
    expect(() => program(whole, 0)).toThrow(/no function starts at insn 1 of section '\.text'/);
  });

  it('addresses of functions, by symbol and by section', () => {
    const program = (symbol: MadeSymbol, imm: number): Program =>
      read({
        sections: [
          programSection('xdp', [{ ...ldImm64(r2, imm) } as Op, callHelper(1), exit()]),
          programSection('.text', [exit(), exit()]),
        ],
        symbols: [fn('main', 1, 0, 4), fn('first', 2, 0, 1), fn('second', 2, 1, 1), symbol],
        relocations: [{ section: 1, offset: 0, type: 1, symbol: 4 }],
      })[0]!;
    const whole: MadeSymbol = { name: '', section: 2, type: 3, bind: 0 };
    for (const found of [program(whole, 8), program(fn('second', 2, 1, 1), 0)]) {
      expect(found.subprogs[1]!.name).toBe('second');
      expect(found.insns.slice(0, 2)).toEqual(encodeAll([ldFunc(r2, 3)]));
    }
    expect(() => program(whole, 4)).toThrow(/is not the address of a function/);
  });

  it('data: the offset of the symbol and what the insn adds, in a map of the section', () => {
    const data = (name: string, symbolAt: number, imm: number): Program =>
      read({
        sections: [
          programSection('xdp', [ldImm64(r1, imm), exit()]),
          { name: '.other', data: new Uint8Array(8) },
          {
            name,
            flags: 3,
            ...(name.startsWith('.bss')
              ? { type: 8, size: 24 }
              : { data: Uint8Array.from({ length: 24 }, (_, i) => i) }),
          },
        ],
        symbols: [fn('main', 1, 0, 3), { name: 'x', section: 3, value: symbolAt, size: 4, type: 1 }],
        relocations: [{ section: 1, offset: 0, type: 1, symbol: 2 }],
      })[0]!;
    for (const name of ['.data', '.rodata', '.bss', '.data.more', '.rodata.str1.1', '.bss.x']) {
      const found = data(name, 8, 4);
      expect(found.insns.slice(0, 2).map(({ src, imm }) => [src, imm])).toEqual([
        [6, 0],
        [0, 12],
      ]);
      const readOnly = name.startsWith('.rodata');
      expect(found.maps).toEqual([
        {
          name,
          type: 'array',
          keySize: 4,
          valueSize: 24,
          maxEntries: 1,
          flags: readOnly ? 1 << 7 : 0,
          fields: [],
          initial: name.startsWith('.bss')
            ? new Uint8Array(24)
            : Uint8Array.from({ length: 24 }, (_, i) => i),
          ...(readOnly && { frozen: true }),
        },
      ]);
    }
    expect(data('.dataset', 0, 0)).toBeUndefined();
  });

  it.each<[string, Op, number, RegExp]>([
    ['a call relocated as an address', callSub(-1), 1, /relocation type 1 does not fit opcode 0x85/],
    ['an address relocated as a call', ldImm64(r1, 0), 10, /relocation type 10 does not fit opcode 0x18/],
    ['an addition', add(r1, 1), 1, /relocation type 1 does not fit opcode 0x7/],
    ['a type that is not known', callSub(-1), 2, /relocation type 2 does not fit/],
    ['a call of a helper', callHelper(1), 10, /it is no call of a subprogram/],
  ])('%s is refused', (_, op, type, message) => {
    expect(() =>
      read({
        sections: [programSection('xdp', [op, exit()]), programSection('.text', [exit()])],
        symbols: [fn('main', 1, 0, op.kind === 'ld_imm64' ? 3 : 2), fn('work', 2, 0, 1)],
        relocations: [{ section: 1, offset: 0, type, symbol: 2 }],
      }),
    ).toThrow(message);
  });

  it('what is not relocated must not need it', () => {
    const one = (op: Op): unknown =>
      read({
        sections: [programSection('xdp', [op, exit()])],
        symbols: [fn('main', 1, 0, op.kind === 'ld_imm64' ? 3 : 2)],
      });
    expect(() => one({ kind: 'call', target: 'kfunc', imm: 0 })).toThrow(
      /calls a kfunc without a relocation/,
    );
    expect(() => one({ kind: 'ld_imm64', dst: 1, as: 'map_fd', imm: 0, hi: 0 })).toThrow(
      /loads an address without a relocation/,
    );
    expect(() => one(callSub(4))).toThrow(/no function starts at insn 5/);
    expect(one(ldImm64(r1, 5))).toHaveLength(1);
  });

  it('a relocation between insns, and one of what is nowhere, are refused', () => {
    const at = (offset: number, symbol: MadeSymbol): unknown =>
      read({
        sections: [programSection('xdp', [callSub(-1), exit()])],
        symbols: [fn('main', 1, 0, 2), symbol],
        relocations: [{ section: 1, offset, type: 10, symbol: 2 }],
      });
    expect(() => at(4, fn('w', 1, 0, 2))).toThrow(
      /relocation against 'w' in function 'main' is not at an insn \(offset 4\)/,
    );
    // Only the program that uses it is concerned.
    expect(at(0, { name: 'gone', section: 0 })).toEqual([]);
    expect(() => at(0, { name: 'far', section: 99 })).toThrow(/its section does not exist/);
  });

  it('tables of the old kind that make no sense, and of no types, are refused', () => {
    const also = (one: MadeSection): unknown => read({ ...SMALL, sections: [...SMALL.sections, one] });
    for (const name of ['maps', 'maps/x'])
      expect(() => also({ name, data: new Uint8Array(8) })).toThrow(/no symbol says where its maps are/);
    expect(() => also({ name: '.maps', data: new Uint8Array(8) })).toThrow(/has no BTF: compile with -g/);
  });
});
