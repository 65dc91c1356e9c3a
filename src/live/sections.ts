/** Sections of an object while texts are put into it. */
import type { CoreRecord, FuncInfo, LineRecord } from '../object/btf/ext.js';
import {
  type Section,
  SHF_ALLOC,
  SHF_EXECINSTR,
  SHF_WRITE,
  SHT_NOBITS,
  SHT_PROGBITS,
} from '../object/elf.js';
import type { NewRelocation, NewSection } from '../object/write/elf.js';
import { KILL_SECTION } from './words.js';

/** Where functions lie that are no programs. */
export const TEXT = '.text';

/** A section while it is filled. */
export interface Filled extends NewSection {
  size: number;
  data: Uint8Array;
  readonly relocations: NewRelocation[];
  readonly funcs: FuncInfo[];
  readonly lines: LineRecord[];
  readonly relos: CoreRecord[];
}

const LEFT_OUT = /^\.(?:debug|rel\.|BTF|eh_frame|llvm|comment|note|symtab|strtab|shstrtab)/;

/** Sections that mean something to a loader. Symbols, relocations and types are written anew. */
export function isKept({ index, name, type }: Section): boolean {
  return index > 0 && (type === SHT_PROGBITS || type === SHT_NOBITS) && !LEFT_OUT.test(name);
}

/** A section of the object before it is filled: code begins empty, data is copied. */
export function fresh({ name, type, flags, size, data, align, entrySize }: Section): Filled {
  const records = { funcs: [], lines: [], relos: [], relocations: [] };
  const code = (flags & SHF_EXECINSTR) !== 0;
  return {
    ...records,
    name,
    type,
    flags,
    size: code ? 0 : size,
    data: code ? new Uint8Array(0) : data.slice(),
    align,
    entrySize,
  };
}

/** A `.text` section without functions. */
export function emptyText(): Filled {
  return newSection(TEXT, SHF_EXECINSTR, 0);
}

/** The section of the words that texts poll: data that may be written, zero at first. `size` in bytes. */
export function wordsSection(size: number): Filled {
  return newSection(KILL_SECTION, SHF_WRITE, size);
}

function newSection(name: string, flags: number, size: number): Filled {
  const records = { funcs: [], lines: [], relos: [], relocations: [] };
  const [type, align] = [SHT_PROGBITS, 8];
  const data = new Uint8Array(size);
  return { ...records, name, type, flags: SHF_ALLOC | flags, size, data, align, entrySize: 0 };
}

/** A section that loaders read and do not load. */
export function plain(name: string, data: Uint8Array): NewSection {
  return {
    name,
    type: SHT_PROGBITS,
    flags: 0,
    size: data.length,
    data,
    align: 4,
    entrySize: 0,
    relocations: [],
  };
}

/** Puts bytes behind what the section holds. */
export function append(filled: Filled, bytes: Uint8Array): void {
  const data = new Uint8Array(filled.data.length + bytes.length);
  data.set(filled.data);
  data.set(bytes, filled.data.length);
  filled.data = data;
  filled.size = data.length;
}
