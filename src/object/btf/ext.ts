/**
 * `.BTF.ext`: which function starts where, which source line each insn is from, and the CO-RE relocations, each by
 * ELF section. Follows the "BTF.ext" part of Documentation/bpf/btf.rst.
 */
import { Bytes } from '../bytes.js';
import type { Btf } from './read.js';

const MAGIC = 0xeb9f;

/** The BTF type of the function that begins at an insn (struct bpf_func_info). */
export interface FuncInfo {
  /** Offset in the section, in bytes. */
  readonly offset: number;
  /** Id of a FUNC type. */
  readonly type: number;
}

/** The source line that insns come from, from this one on (struct bpf_line_info). */
export interface LineRecord {
  /** Offset in the section, in bytes. */
  readonly offset: number;
  /** Offsets into the BTF strings: file name and text of the line. */
  readonly file: number;
  readonly text: number;
  readonly line: number;
  readonly column: number;
}

/** A relocation as clang wrote it; see enum bpf_core_relo_kind for `kind`. */
export interface CoreRelo {
  /** Offset in the section, in bytes. */
  readonly offset: number;
  readonly type: number;
  /** Which member: indices as `0:1:2`. */
  readonly access: string;
  readonly kind: number;
}

/** The same as a record: a writer needs the place of its text. */
export interface CoreRecord extends CoreRelo {
  /** Offset of `access` in the BTF strings. */
  readonly accessAt: number;
}

/** Records by the name of the section they are about. */
export interface BtfExt {
  readonly funcs: ReadonlyMap<string, readonly FuncInfo[]>;
  readonly lines: ReadonlyMap<string, readonly LineRecord[]>;
  readonly relos: ReadonlyMap<string, readonly CoreRecord[]>;
}

function readInfo<T>(part: Bytes, btf: Btf, least: number, record: (at: number) => T): Map<string, T[]> {
  const out = new Map<string, T[]>();
  if (part.length === 0) return out;
  const size = part.u32(0);
  if (size < least || size % 4 !== 0)
    part.fail(`${part.what} has records of ${size} bytes, expected at least ${least}`);
  for (let at = 4; at < part.length; ) {
    const section = btf.string(part.u32(at));
    const count = part.u32(at + 4);
    at += 8;
    part.part(at, count * size);
    const records = out.get(section) ?? [];
    for (let i = 0; i < count; i++, at += size) records.push(record(at));
    out.set(section, records);
  }
  return out;
}

/** Reads a `.BTF.ext` section whose strings are in `btf`. Throws InputError for one that is cut or corrupt. */
export function readBtfExt(data: Uint8Array, file: string, btf: Btf): BtfExt {
  const bytes = new Bytes(data, file, 'section .BTF.ext');
  if (bytes.u16(0) !== MAGIC || bytes.u8(2) !== 1)
    bytes.fail('section .BTF.ext is not little-endian BTF of version 1');
  const header = bytes.u32(4);
  if (header < 24) bytes.fail(`section .BTF.ext has a header of ${header} bytes, expected at least 24`);
  const part = (at: number, what: string): Bytes =>
    bytes.part(header + bytes.u32(at), bytes.u32(at + 4), `section .BTF.ext (${what})`);
  const funcs = part(8, 'functions');
  const lines = part(16, 'lines');
  // Objects without CO-RE relocations may have the shorter, older header.
  const relos = header >= 32 ? part(24, 'relocations') : bytes.part(0, 0);
  return {
    funcs: readInfo(funcs, btf, 8, (at) => ({ offset: funcs.u32(at), type: funcs.u32(at + 4) })),
    lines: readInfo(lines, btf, 16, (at) => {
      const place = lines.u32(at + 12);
      return {
        offset: lines.u32(at),
        file: lines.u32(at + 4),
        text: lines.u32(at + 8),
        line: place >>> 10,
        column: place & 1023,
      };
    }),
    relos: readInfo(relos, btf, 16, (at) => ({
      offset: relos.u32(at),
      type: relos.u32(at + 4),
      access: btf.string(relos.u32(at + 8)),
      accessAt: relos.u32(at + 8),
      kind: relos.u32(at + 12),
    })),
  };
}
