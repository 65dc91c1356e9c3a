/** Writes an ELF64 relocatable object of the BPF machine: sections, symbols, relocations. The counterpart of `../elf.ts`. */
import {
  EHDR_SIZE,
  EM_BPF,
  ET_REL,
  REL_SIZE,
  SHDR_SIZE,
  SHT_NOBITS,
  SHT_REL,
  SHT_SYMTAB,
  STB_LOCAL,
  STT_SECTION,
  SYM_SIZE,
} from '../elf.js';

const SHT_STRTAB = 3;

/** What the writer is told of a section: its contents, and what in them is to be relocated. */
export interface NewSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** Bytes in memory; those of `data`, unless it has no contents in the file. */
  readonly size: number;
  readonly data: Uint8Array;
  readonly align: number;
  readonly entrySize: number;
  readonly relocations: readonly NewRelocation[];
}

/** A symbol to be written; `section` undefined: to be found elsewhere. A section symbol has no name. */
export interface NewSymbol {
  readonly name: string;
  readonly section: NewSection | undefined;
  readonly value: number;
  readonly size: number;
  readonly type: number;
  readonly bind: number;
  readonly visibility: number;
}

/** A place to be filled in with what a symbol stands for. Offset in bytes. */
export interface NewRelocation {
  readonly offset: number;
  readonly type: number;
  readonly symbol: NewSymbol;
}

/** Strings one behind the other, each once. */
class Strings {
  private readonly parts: Buffer[] = [Buffer.alloc(1)];
  private readonly known = new Map<string, number>([['', 0]]);
  private size = 1;

  add(text: string): number {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const at = this.size;
    const bytes = Buffer.from(`${text}\0`, 'utf8');
    this.parts.push(bytes);
    this.size += bytes.length;
    this.known.set(text, at);
    return at;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

interface Header {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly size: number;
  readonly data: Uint8Array;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

/** The bytes of an object with these sections and symbols. Symbols are put in the order that ELF asks for: local ones first. */
export function writeElf(sections: readonly NewSection[], symbols: readonly NewSymbol[]): Uint8Array {
  const numbers = new Map(sections.map((section, i) => [section, i + 1]));
  const locals = symbols.filter(({ bind }) => bind === STB_LOCAL);
  const ordered = [...locals, ...symbols.filter(({ bind }) => bind !== STB_LOCAL)];
  const indices = new Map(ordered.map((symbol, i) => [symbol, i + 1]));
  const names = new Strings();
  const table = Buffer.alloc(SYM_SIZE * (ordered.length + 1));
  ordered.forEach((symbol, i) => {
    const at = SYM_SIZE * (i + 1);
    table.writeUInt32LE(symbol.type === STT_SECTION ? 0 : names.add(symbol.name), at);
    table.writeUInt8((symbol.bind << 4) | symbol.type, at + 4);
    table.writeUInt8(symbol.visibility, at + 5);
    table.writeUInt16LE(symbol.section === undefined ? 0 : numbers.get(symbol.section)!, at + 6);
    table.writeBigUInt64LE(BigInt(symbol.value), at + 8);
    table.writeBigUInt64LE(BigInt(symbol.size), at + 16);
  });
  const relocated = sections.filter(({ relocations }) => relocations.length > 0);
  const symtab = 1 + sections.length + relocated.length;
  const headers: Header[] = sections.map((section) => ({ ...section, link: 0, info: 0 }));
  for (const section of relocated) {
    const data = Buffer.alloc(REL_SIZE * section.relocations.length);
    [...section.relocations]
      .sort((a, b) => a.offset - b.offset)
      .forEach(({ offset, type, symbol }, i) => {
        data.writeBigUInt64LE(BigInt(offset), REL_SIZE * i);
        data.writeUInt32LE(type, REL_SIZE * i + 8);
        data.writeUInt32LE(indices.get(symbol)!, REL_SIZE * i + 12);
      });
    headers.push({
      name: `.rel${section.name}`,
      type: SHT_REL,
      flags: 0x40, // SHF_INFO_LINK
      size: data.length,
      data,
      link: symtab,
      info: numbers.get(section)!,
      align: 8,
      entrySize: REL_SIZE,
    });
  }
  const plain = { flags: 0, link: 0, info: 0, align: 1, entrySize: 0 };
  headers.push({
    ...plain,
    name: '.symtab',
    type: SHT_SYMTAB,
    size: table.length,
    data: table,
    link: symtab + 1,
    info: locals.length + 1,
    align: 8,
    entrySize: SYM_SIZE,
  });
  const strtab = names.bytes();
  headers.push({ ...plain, name: '.strtab', type: SHT_STRTAB, size: strtab.length, data: strtab });
  return withHeaders(headers);
}

function withHeaders(headers: readonly Header[]): Uint8Array {
  const names = new Strings();
  const nameAt = headers.map(({ name }) => names.add(name));
  const last = names.add('.shstrtab');
  const strings = names.bytes();
  const all: Header[] = [
    ...headers,
    {
      name: '.shstrtab',
      type: SHT_STRTAB,
      flags: 0,
      size: strings.length,
      data: strings,
      link: 0,
      info: 0,
      align: 1,
      entrySize: 0,
    },
  ];
  const offsets: number[] = [];
  let end = EHDR_SIZE;
  for (const { align, data, type } of all) {
    const step = Math.max(1, align);
    end = Math.ceil(end / step) * step;
    offsets.push(end);
    if (type !== SHT_NOBITS) end += data.length;
  }
  const tableAt = Math.ceil(end / 8) * 8;
  const out = Buffer.alloc(tableAt + SHDR_SIZE * (all.length + 1));
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  out.writeUInt16LE(ET_REL, 16);
  out.writeUInt16LE(EM_BPF, 18);
  out.writeUInt32LE(1, 20);
  out.writeBigUInt64LE(BigInt(tableAt), 40);
  out.writeUInt16LE(EHDR_SIZE, 52);
  out.writeUInt16LE(SHDR_SIZE, 58);
  out.writeUInt16LE(all.length + 1, 60);
  out.writeUInt16LE(all.length, 62);
  all.forEach((header, i) => {
    if (header.type !== SHT_NOBITS) out.set(header.data, offsets[i]);
    const at = tableAt + SHDR_SIZE * (i + 1);
    out.writeUInt32LE(i < nameAt.length ? nameAt[i]! : last, at);
    out.writeUInt32LE(header.type, at + 4);
    out.writeBigUInt64LE(BigInt(header.flags), at + 8);
    out.writeBigUInt64LE(BigInt(offsets[i]!), at + 24);
    out.writeBigUInt64LE(BigInt(header.size), at + 32);
    out.writeUInt32LE(header.link, at + 40);
    out.writeUInt32LE(header.info, at + 44);
    out.writeBigUInt64LE(BigInt(header.align), at + 48);
    out.writeBigUInt64LE(BigInt(header.entrySize), at + 56);
  });
  return out;
}
