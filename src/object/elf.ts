/**
 * ELF64 relocatable objects of the BPF machine, little endian: sections, symbols and relocations, all checked
 * against the size of the file before anything is read. Follows the ELF specification and what clang writes.
 */
import { Bytes } from './bytes.js';

export const SHT_PROGBITS = 1;
export const SHT_NOBITS = 8;
export const SHT_SYMTAB = 2;
const SHT_RELA = 4;
export const SHT_REL = 9;

export const SHF_WRITE = 1;
export const SHF_ALLOC = 2;
export const SHF_EXECINSTR = 4;

export const STT_NOTYPE = 0;
export const STT_OBJECT = 1;
export const STT_FUNC = 2;
export const STT_SECTION = 3;

export const STB_LOCAL = 0;
export const STB_GLOBAL = 1;
export const STB_WEAK = 2;

export const STV_INTERNAL = 1;
export const STV_HIDDEN = 2;

export const SHN_UNDEF = 0;

/** e_machine of BPF. */
export const EM_BPF = 247;
const EM_NONE = 0;
export const ET_REL = 1;
export const EHDR_SIZE = 64;
export const SHDR_SIZE = 64;
export const SYM_SIZE = 24;
export const REL_SIZE = 16;

const MACHINES: Readonly<Record<number, string>> = {
  3: 'x86',
  21: 'PowerPC64',
  22: 's390',
  40: 'ARM',
  62: 'x86-64',
  183: 'AArch64',
  243: 'RISC-V',
  258: 'LoongArch',
};

const FILE_TYPES: Readonly<Record<number, string>> = {
  2: 'executable',
  3: 'shared object',
  4: 'core dump',
};

/** One section with its header and contents. */
export interface Section {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** Bytes in memory; `data` is empty for a section without contents (SHT_NOBITS). */
  readonly size: number;
  readonly data: Uint8Array;
  /** Alignment in bytes, a power of two. */
  readonly align: number;
  /** Bytes of one entry, 0 for a section without entries of a fixed size. */
  readonly entrySize: number;
}

/** One entry of the symbol table: a function, a variable, a section, or a name to be found elsewhere. */
export interface ElfSymbol {
  /** A section symbol has its section's name. */
  readonly name: string;
  /** Section index; SHN_UNDEF for an extern. */
  readonly section: number;
  /** Offset in its section, in bytes. */
  readonly value: number;
  readonly size: number;
  readonly type: number;
  readonly bind: number;
  readonly visibility: number;
}

/** A place in a section that the linker must fill in with what the symbol stands for. */
export interface Relocation {
  /** Offset in the section that is relocated, in bytes. */
  readonly offset: number;
  readonly type: number;
  readonly symbol: ElfSymbol;
}

/** An object file, read and checked. */
export interface Elf {
  readonly file: string;
  readonly sections: readonly Section[];
  readonly symbols: readonly ElfSymbol[];
  /** By index of the section that is relocated. */
  readonly relocations: ReadonlyMap<number, readonly Relocation[]>;
}

interface Header {
  readonly name: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

/** Refuses everything but ELF64, little endian, relocatable, machine BPF; says what was found instead. */
function checkIdent(file: Bytes): void {
  const expected =
    'expected a BPF object (ELF64, little endian, relocatable, as clang -target bpf writes it)';
  const magic = [0x7f, 0x45, 0x4c, 0x46];
  if (file.length === 0) file.fail(`${expected}, found an empty file`);
  if (magic.some((byte, i) => file.data[i] !== byte)) file.fail(`${expected}, found no ELF magic`);
  if (file.length < EHDR_SIZE) file.fail(`${expected}, found ${file.length} bytes: the ELF header is cut`);
  const [bits, order, version] = [file.u8(4), file.u8(5), file.u8(6)];
  if (bits !== 2) file.fail(`${expected}, found ${bits === 1 ? 'a 32-bit ELF file' : `ELF class ${bits}`}`);
  if (order !== 1)
    file.fail(`${expected}, found ${order === 2 ? 'a big-endian ELF file' : `ELF byte order ${order}`}`);
  if (version !== 1) file.fail(`${expected}, found ELF version ${version}`);
  const machine = file.u16(18);
  // The first LLVM that wrote BPF gave it no machine.
  if (machine !== EM_BPF && machine !== EM_NONE)
    file.fail(`${expected}, found machine ${machine}${MACHINES[machine] ? ` (${MACHINES[machine]})` : ''}`);
  const type = file.u16(16);
  if (type !== ET_REL)
    file.fail(`${expected}, found ELF type ${type}${FILE_TYPES[type] ? ` (${FILE_TYPES[type]})` : ''}`);
}

function readHeaders(file: Bytes): { headers: Header[]; nameSection: number } {
  const offset = file.u64(40);
  const [entry, count, nameSection] = [file.u16(58), file.u16(60), file.u16(62)];
  if (count === 0) file.fail('the ELF file has no sections');
  if (entry !== SHDR_SIZE)
    file.fail(`the ELF header says ${entry} bytes a section header, expected ${SHDR_SIZE}`);
  const table = file.part(offset, count * SHDR_SIZE, `${file.what} (section headers)`);
  const headers = Array.from({ length: count }, (_, i): Header => {
    const at = i * SHDR_SIZE;
    return {
      name: table.u32(at),
      type: table.u32(at + 4),
      flags: table.u32(at + 8),
      offset: table.u64(at + 24),
      size: table.u64(at + 32),
      link: table.u32(at + 40),
      info: table.u32(at + 44),
      align: table.u64(at + 48),
      entrySize: table.u64(at + 56),
    };
  });
  return { headers, nameSection };
}

function readSymbols(file: Bytes, table: Bytes, strings: Bytes, sections: readonly Section[]): ElfSymbol[] {
  if (table.length % SYM_SIZE !== 0)
    file.fail(`the symbol table has ${table.length} bytes, expected a multiple of ${SYM_SIZE}`);
  return Array.from({ length: table.length / SYM_SIZE }, (_, i): ElfSymbol => {
    const at = i * SYM_SIZE;
    const info = table.u8(at + 4);
    const section = table.u16(at + 6);
    const type = info & 15;
    const name = strings.string(table.u32(at));
    return {
      name: type === STT_SECTION && name === '' ? (sections[section]?.name ?? '') : name,
      section,
      value: table.u64(at + 8),
      size: table.u64(at + 16),
      type,
      bind: info >> 4,
      visibility: table.u8(at + 5) & 3,
    };
  });
}

function readRelocations(
  file: Bytes,
  table: Bytes,
  name: string,
  symbols: readonly ElfSymbol[],
): Relocation[] {
  if (table.length % REL_SIZE !== 0)
    file.fail(`section '${name}' has ${table.length} bytes, expected a multiple of ${REL_SIZE}`);
  return Array.from({ length: table.length / REL_SIZE }, (_, i): Relocation => {
    const at = i * REL_SIZE;
    const index = table.u32(at + 12);
    const symbol = symbols[index];
    if (symbol === undefined)
      file.fail(
        `relocation ${i} of section '${name}' names symbol ${index}, but there are ${symbols.length}`,
      );
    return { offset: table.u64(at), type: table.u32(at + 8), symbol };
  });
}

/**
 * Reads an object file. Section contents are views into `bytes`, not copies.
 * Throws InputError, naming `fileName` and what was expected, for anything but a whole BPF object; the work done is
 * bounded by the size of the file.
 */
export function readElf(bytes: Uint8Array, fileName: string): Elf {
  const file = new Bytes(bytes, fileName, 'the file');
  checkIdent(file);
  const { headers, nameSection } = readHeaders(file);

  const tableOf = (index: number, purpose: string): Bytes => {
    const header = headers[index];
    if (header === undefined || header.type === SHT_NOBITS)
      return file.fail(`section ${index}, expected to hold ${purpose}, does not exist`);
    return file.part(header.offset, header.size, `the section of ${purpose}`);
  };
  const names = tableOf(nameSection, 'section names');
  const sections = headers.map((header, index): Section => {
    const name = names.string(header.name);
    const empty = header.type === SHT_NOBITS || index === 0;
    const data = empty ? new Uint8Array(0) : file.part(header.offset, header.size, `section '${name}'`).data;
    const { type, flags, size, align, entrySize } = header;
    return { index, name, type, flags, size, data, align, entrySize };
  });

  const tables = headers.flatMap((header, index) => (header.type === SHT_SYMTAB ? [index] : []));
  if (tables.length > 1) file.fail(`the file has ${tables.length} symbol tables, expected one`);
  const symbolTable = tables[0];
  const symbols =
    symbolTable === undefined
      ? []
      : readSymbols(
          file,
          tableOf(symbolTable, 'symbols'),
          tableOf(headers[symbolTable]!.link, 'symbol names'),
          sections,
        );

  const relocations = new Map<number, readonly Relocation[]>();
  let left = bytes.length;
  headers.forEach((header, index) => {
    const name = sections[index]!.name;
    if (header.type === SHT_RELA)
      file.fail(`section '${name}' holds relocations with addends, expected none (SHT_REL)`);
    if (header.type !== SHT_REL) return;
    if (sections[header.info] === undefined)
      file.fail(`section '${name}' relocates section ${header.info}, but there are ${sections.length}`);
    // Debug sections are not read, so their relocations need not be either.
    if (sections[header.info]!.name.startsWith('.debug')) return;
    if (relocations.has(header.info))
      file.fail(`section '${sections[header.info]!.name}' has two sections of relocations`);
    left -= header.size;
    if (left < 0) file.fail('the sections of relocations are together larger than the file');
    relocations.set(header.info, readRelocations(file, tableOf(index, 'relocations'), name, symbols));
  });
  return { file: fileName, sections, symbols, relocations };
}
