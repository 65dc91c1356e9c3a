/** Object files made in memory, byte by byte after the ELF specification: nothing here comes from the reader. */

export interface MadeSection {
  readonly name: string;
  /** SHT_PROGBITS unless told. */
  readonly type?: number;
  readonly flags?: number;
  readonly data?: Uint8Array;
  /** Bytes in memory, where that is not the length of `data` (SHT_NOBITS). */
  readonly size?: number;
  readonly link?: number;
  readonly info?: number;
  readonly align?: number;
  readonly entrySize?: number;
}

export interface MadeSymbol {
  readonly name: string;
  readonly section: number;
  readonly value?: number;
  readonly size?: number;
  readonly type?: number;
  readonly bind?: number;
  readonly visibility?: number;
}

export interface MadeRelocation {
  /** Section that is relocated. */
  readonly section: number;
  readonly offset: number;
  readonly type: number;
  /** Index into `symbols`, counted from 1: symbol 0 is the empty one. */
  readonly symbol: number;
}

export interface MadeObject {
  /** The first has index 1. */
  readonly sections: readonly MadeSection[];
  readonly symbols?: readonly MadeSymbol[];
  readonly relocations?: readonly MadeRelocation[];
}

/** Strings behind one another, and where each starts. */
function strings(texts: readonly string[]): { readonly bytes: Buffer; at(text: string): number } {
  const starts = new Map<string, number>([['', 0]]);
  const parts = [Buffer.alloc(1)];
  let size = 1;
  for (const text of texts) {
    if (starts.has(text)) continue;
    starts.set(text, size);
    const bytes = Buffer.from(`${text}\0`);
    parts.push(bytes);
    size += bytes.length;
  }
  return { bytes: Buffer.concat(parts), at: (text) => starts.get(text)! };
}

/** The bytes of the object: ELF header, contents of the sections, symbols, strings, relocations, section headers. */
export function elfOf({ sections, symbols = [], relocations = [] }: MadeObject): Uint8Array {
  const symbolNames = strings(symbols.map(({ name }) => name));
  const table = Buffer.alloc(24 * (symbols.length + 1));
  symbols.forEach((symbol, i) => {
    const at = 24 * (i + 1);
    table.writeUInt32LE(symbolNames.at(symbol.name), at);
    table.writeUInt8(((symbol.bind ?? 1) << 4) | (symbol.type ?? 0), at + 4);
    table.writeUInt8(symbol.visibility ?? 0, at + 5);
    table.writeUInt16LE(symbol.section, at + 6);
    table.writeBigUInt64LE(BigInt(symbol.value ?? 0), at + 8);
    table.writeBigUInt64LE(BigInt(symbol.size ?? 0), at + 16);
  });
  const symtab = sections.length + 1;
  const all: MadeSection[] = [
    ...sections,
    { name: '.symtab', type: 2, data: table, link: symtab + 1, info: 1 },
    { name: '.strtab', type: 3, data: symbolNames.bytes },
  ];
  for (const info of new Set(relocations.map(({ section }) => section))) {
    const mine = relocations.filter(({ section }) => section === info);
    const data = Buffer.alloc(16 * mine.length);
    mine.forEach(({ offset, type, symbol }, i) => {
      data.writeBigUInt64LE(BigInt(offset), 16 * i);
      data.writeUInt32LE(type, 16 * i + 8);
      data.writeUInt32LE(symbol, 16 * i + 12);
    });
    all.push({ name: `.rel${sections[info - 1]!.name}`, type: 9, data, link: symtab, info });
  }
  const names = strings([...all.map(({ name }) => name), '.shstrtab']);
  all.push({ name: '.shstrtab', type: 3, data: names.bytes });

  const contents: Buffer[] = [];
  let offset = 64;
  const headers = all.map(
    ({ name, type = 1, flags = 0, data, size, link = 0, info = 0, align = 0, entrySize = 0 }) => {
      const header = Buffer.alloc(64);
      header.writeUInt32LE(names.at(name), 0);
      header.writeUInt32LE(type, 4);
      header.writeBigUInt64LE(BigInt(flags), 8);
      header.writeBigUInt64LE(BigInt(offset), 24);
      header.writeBigUInt64LE(BigInt(size ?? data?.length ?? 0), 32);
      header.writeUInt32LE(link, 40);
      header.writeUInt32LE(info, 44);
      header.writeBigUInt64LE(BigInt(align), 48);
      header.writeBigUInt64LE(BigInt(entrySize), 56);
      const bytes = Buffer.from(data ?? new Uint8Array(0));
      contents.push(bytes);
      offset += bytes.length;
      return header;
    },
  );
  const head = Buffer.alloc(64);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(head);
  head.writeUInt16LE(1, 16);
  head.writeUInt16LE(247, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(offset), 40);
  head.writeUInt16LE(64, 52);
  head.writeUInt16LE(64, 58);
  head.writeUInt16LE(headers.length + 1, 60);
  head.writeUInt16LE(headers.length, 62);
  return new Uint8Array(Buffer.concat([head, ...contents, Buffer.alloc(64), ...headers]));
}
