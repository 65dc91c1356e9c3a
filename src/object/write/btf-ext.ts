/** Writes `.BTF.ext`: functions, source lines and CO-RE relocations by section. The counterpart of `../btf/ext.ts`. */
import type { CoreRecord, FuncInfo, LineRecord } from '../btf/ext.js';

/** Bytes of the header with all three kinds of records. */
const HEADER = 32;
const MAGIC = 0xeb9f;

/** The records of one section, in any order. */
export interface SectionInfo {
  /** Offset of the section's name in the BTF strings. */
  readonly name: number;
  readonly funcs: readonly FuncInfo[];
  readonly lines: readonly LineRecord[];
  readonly relos: readonly CoreRecord[];
}

const byOffset = <T extends { readonly offset: number }>(records: readonly T[]): T[] =>
  [...records].sort((a, b) => a.offset - b.offset);

/** The records of one kind: the size of a record, then for each section its name, their number, and they. */
function part<T>(
  infos: readonly SectionInfo[],
  of: (info: SectionInfo) => readonly T[],
  words: (record: T) => readonly number[],
  size: number,
): number[] {
  const out: number[] = [];
  for (const info of infos) {
    const records = of(info);
    if (records.length > 0) out.push(info.name, records.length, ...records.flatMap(words));
  }
  return out.length === 0 ? [] : [size, ...out];
}

/** The bytes of a `.BTF.ext` section with these records, sorted by offset as loaders expect them. */
export function writeBtfExt(infos: readonly SectionInfo[]): Uint8Array {
  const sorted = infos.map((info) => ({
    name: info.name,
    funcs: byOffset(info.funcs),
    lines: byOffset(info.lines),
    relos: byOffset(info.relos),
  }));
  const funcs = part(
    sorted,
    (info) => info.funcs,
    ({ offset, type }) => [offset, type],
    8,
  );
  const lines = part(
    sorted,
    (info) => info.lines,
    ({ offset, file, text, line, column }) => [offset, file, text, (line << 10) | (column & 1023)],
    16,
  );
  const relos = part(
    sorted,
    (info) => info.relos,
    ({ offset, type, accessAt, kind }) => [offset, type, accessAt, kind],
    16,
  );
  const words = [...funcs, ...lines, ...relos];
  const out = new Uint8Array(HEADER + 4 * words.length);
  const view = new DataView(out.buffer);
  view.setUint16(0, MAGIC, true);
  view.setUint8(2, 1);
  let at = 0;
  view.setUint32(4, HEADER, true);
  [funcs, lines, relos].forEach((list, i) => {
    view.setUint32(8 + 8 * i, at, true);
    view.setUint32(12 + 8 * i, 4 * list.length, true);
    at += 4 * list.length;
  });
  words.forEach((word, i) => {
    view.setUint32(HEADER + 4 * i, word >>> 0, true);
  });
  return out;
}
