/** An ELF object that is written has what it was made of: every section with its contents and header, every symbol, every relocation, where ELF wants them. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Elf,
  readElf,
  SHF_ALLOC,
  SHT_NOBITS,
  SHT_PROGBITS,
  SHT_REL,
  SHT_SYMTAB,
  STB_GLOBAL,
  STB_LOCAL,
  STB_WEAK,
  STT_FUNC,
  STT_NOTYPE,
  STT_OBJECT,
  STT_SECTION,
} from '../../src/object/elf.js';
import { type NewSection, type NewSymbol, writeElf } from '../../src/object/write/elf.js';
import { seeded } from '../support/seed.js';

interface Made {
  readonly sections: readonly NewSection[];
  readonly symbols: readonly NewSymbol[];
}

const name = fc.stringMatching(/^[a-z._]{1,8}$/);
const section = fc
  .record({
    name,
    empty: fc.boolean(),
    bytes: fc.uint8Array({ minLength: 0, maxLength: 40 }),
    align: fc.constantFrom(1, 2, 4, 8, 16),
    flags: fc.constantFrom(0, SHF_ALLOC, SHF_ALLOC | 4),
    entrySize: fc.constantFrom(0, 8),
  })
  .map(({ empty, bytes, ...rest }) => ({
    ...rest,
    type: empty ? SHT_NOBITS : SHT_PROGBITS,
    size: bytes.length,
    data: empty ? new Uint8Array() : bytes,
  }));

/** An object of up to five sections, with symbols in them or elsewhere, and relocations that name these. */
const made: fc.Arbitrary<Made> = fc
  .record({
    parts: fc.array(section, { minLength: 1, maxLength: 5 }),
    marks: fc.array(
      fc.record({
        name,
        where: fc.nat(6),
        value: fc.nat(40),
        size: fc.nat(16),
        type: fc.constantFrom(STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_SECTION),
        bind: fc.constantFrom(STB_LOCAL, STB_GLOBAL, STB_WEAK),
        visibility: fc.constantFrom(0, 1, 2),
      }),
      { maxLength: 8 },
    ),
    places: fc.array(
      fc.record({ of: fc.nat(4), offset: fc.nat(4), symbol: fc.nat(7), type: fc.constantFrom(1, 2, 10) }),
      {
        maxLength: 6,
      },
    ),
  })
  .map(({ parts, marks, places }): Made => {
    const relocations = parts.map((): { offset: number; type: number; symbol: NewSymbol }[] => []);
    const sections = parts.map((part, i): NewSection => ({ ...part, relocations: relocations[i]! }));
    const symbols = marks.map(({ where, type, value, ...mark }): NewSymbol => {
      const inside = where < sections.length ? sections[where] : undefined;
      const ofSection = type === STT_SECTION && inside !== undefined;
      return {
        ...mark,
        section: inside,
        type: type === STT_SECTION && !ofSection ? STT_NOTYPE : type,
        value: inside === undefined ? 0 : Math.min(value, inside.size),
        ...(ofSection ? { name: inside.name, bind: STB_LOCAL } : {}),
        size: 0,
      };
    });
    for (const { of, offset, symbol, type } of places) {
      const at = parts[of];
      const named = symbols[symbol];
      const taken = relocations[of]?.some((one) => one.offset === offset * 8) === true;
      if (
        at === undefined ||
        named === undefined ||
        at.type === SHT_NOBITS ||
        offset * 8 + 8 > at.size ||
        taken
      )
        continue;
      relocations[of]!.push({ offset: offset * 8, type, symbol: named });
    }
    return { sections, symbols };
  });

const shown = (
  { name: called, type, bind, visibility, value, size }: Omit<NewSymbol, 'section'>,
  at: number,
) => ({
  name: called,
  type,
  bind,
  visibility,
  value,
  size,
  at,
});

function holdsAll({ sections, symbols }: Made, elf: Elf): void {
  const own = elf.sections.slice(1, sections.length + 1);
  expect(
    own.map(({ name: called, type, flags, size, data, align, entrySize }) => ({
      called,
      type,
      flags,
      size,
      data: [...data],
      align,
      entrySize,
    })),
  ).toEqual(
    sections.map(({ name: called, type, flags, size, data, align, entrySize }) => ({
      called,
      type,
      flags,
      size,
      data: [...data],
      align,
      entrySize,
    })),
  );
  const ordered = [
    ...symbols.filter(({ bind }) => bind === STB_LOCAL),
    ...symbols.filter(({ bind }) => bind !== STB_LOCAL),
  ];
  const numberOf = (one: NewSection | undefined): number =>
    one === undefined ? 0 : sections.indexOf(one) + 1;
  expect(elf.symbols.slice(1).map((one) => shown(one, one.section))).toEqual(
    ordered.map((one) => shown(one, numberOf(one.section))),
  );
  sections.forEach((one, i) => {
    const found = elf.relocations.get(i + 1) ?? [];
    expect(found.map(({ offset, type, symbol }) => [offset, type, elf.symbols.indexOf(symbol)])).toEqual(
      [...one.relocations]
        .sort((a, b) => a.offset - b.offset)
        .map(({ offset, type, symbol }) => [offset, type, ordered.indexOf(symbol) + 1]),
    );
  });
}

it('every section, symbol and relocation', () => {
  fc.assert(
    fc.property(made, (one) => {
      const bytes = writeElf(one.sections, one.symbols);
      holdsAll(one, readElf(Buffer.from(bytes), 'made.o'));
      layoutHolds(Buffer.from(bytes), one);
    }),
    seeded(150),
  );
});

/** What a loader that trusts the file goes by: its kind, the table of sections, where each lies, what links to what. */
function layoutHolds(bytes: Buffer, { sections, symbols }: Made): void {
  expect([...bytes.subarray(0, 7)]).toEqual([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  expect([16, 18, 52, 58].map((at) => bytes.readUInt16LE(at))).toEqual([1, 247, 64, 64]);
  expect(bytes.readUInt32LE(20)).toBe(1);
  const table = Number(bytes.readBigUInt64LE(40));
  const count = bytes.readUInt16LE(60);
  expect([table % 8, table + count * 64]).toEqual([0, bytes.length]);
  expect(bytes.readUInt16LE(62)).toBe(count - 1);
  const headers = Array.from({ length: count }, (_, i) => {
    const at = table + i * 64;
    const word = (off: number): number => bytes.readUInt32LE(at + off);
    const long = (off: number): number => Number(bytes.readBigUInt64LE(at + off));
    return {
      type: word(4),
      flags: long(8),
      offset: long(24),
      size: long(32),
      link: word(40),
      info: word(44),
      align: long(48),
    };
  });
  const filled = headers.filter(({ type }) => type !== 0 && type !== SHT_NOBITS);
  for (const { offset, align } of headers.slice(1)) expect(offset % Math.max(align, 1)).toBe(0);
  const spans = filled.filter(({ size }) => size > 0).sort((a, b) => a.offset - b.offset);
  spans.forEach(({ offset }, i) => {
    expect(offset).toBeGreaterThanOrEqual(i === 0 ? 64 : spans[i - 1]!.offset + spans[i - 1]!.size);
  });
  const symtab = headers.findIndex(({ type }) => type === SHT_SYMTAB);
  expect(headers[symtab]!.info).toBe(1 + symbols.filter(({ bind }) => bind === STB_LOCAL).length);
  expect(headers[headers[symtab]!.link]!.type).toBe(3);
  const relocated = sections.flatMap(({ relocations }, i) => (relocations.length > 0 ? [i + 1] : []));
  const tables = headers.filter(({ type }) => type === SHT_REL);
  expect(tables.map(({ link, info, flags, size }) => [link, info, flags, size])).toEqual(
    relocated.map((i) => [symtab, i, 0x40, 16 * sections[i - 1]!.relocations.length]),
  );
}

const FOLDER = new URL('../../corpus/objects/', import.meta.url);
const OBJECTS = readdirSync(FOLDER).filter((file) => file.endsWith('.o'));

/** An object as it was read, as what the writer takes. */
function again(elf: Elf): Made {
  const plain = elf.sections
    .slice(1)
    .filter(({ type, name: called }) => type !== SHT_SYMTAB && type !== SHT_REL && !/tab$/.test(called));
  const relocations = new Map(plain.map(({ index }) => [index, [] as NewSection['relocations'][number][]]));
  const sections = new Map(
    plain.map((one): [number, NewSection] => [
      one.index,
      { ...one, relocations: relocations.get(one.index)! },
    ]),
  );
  const symbols = new Map(
    elf.symbols
      .slice(1)
      .map((one): [unknown, NewSymbol] => [one, { ...one, section: sections.get(one.section) }]),
  );
  for (const [index, list] of elf.relocations)
    for (const { offset, type, symbol } of list)
      relocations.get(index)?.push({ offset, type, symbol: symbols.get(symbol)! });
  return { sections: [...sections.values()], symbols: [...symbols.values()] };
}

describe('the sample objects', () => {
  it.each(OBJECTS)('%s', (file) => {
    const one = again(readElf(readFileSync(new URL(file, FOLDER)), file));
    holdsAll(one, readElf(Buffer.from(writeElf(one.sections, one.symbols)), file));
  });
});
