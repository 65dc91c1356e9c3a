/**
 * Encodings against a second, plain table of RFC 9669 and include/uapi/linux/bpf.h: every opcode, every operation, every reserved field.
 * The table holds numbers only; nothing in it comes from src/isa.
 */
import { describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../src/isa/bytes.js';
import { decode } from '../../src/isa/decode.js';
import { encode, encodeAll } from '../../src/isa/encode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Insn, Op } from '../../src/isa/insn.js';
import { ENCODINGS, type Field, type Row } from '../support/isa/encodings.js';

const allows = (field: Field, value: number): boolean => {
  if (field === 'any') return true;
  if (field === 'reg') return value >= 0 && value <= 10;
  return typeof field === 'number' ? field === value : field.includes(value);
};

const fits = (r: Row, { opcode, dst, src, off, imm }: Insn): boolean =>
  r.opcode === opcode && allows(r.dst, dst) && allows(r.src, src) && allows(r.off, off) && allows(r.imm, imm);

const byOpcode = new Map<number, Row[]>();
for (const one of ENCODINGS) byOpcode.set(one.opcode, [...(byOpcode.get(one.opcode) ?? []), one]);

const NEXT: Insn = { opcode: 0, dst: 0, src: 0, off: 0, imm: 7 };
/** Second slot of kinds of 64-bit immediates that have no use for it. */
const EMPTY: Insn = { ...NEXT, imm: 0 };

const nextOf = ({ opcode, src }: Insn): Insn[] =>
  opcode !== 0x18 ? [] : src === 1 || src === 4 || src === 5 ? [EMPTY] : [NEXT];

/** What decoding says: the operation, or the reason it is refused. */
function decoded(insns: readonly Insn[]): Op | string {
  try {
    return decode(insns, 0);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

const DST = [0, 10, 11, 15];
const SRC = [0, 1, 2, 3, 4, 5, 6, 7, 10, 11];
const OFF = [0, 1, 2, 8, 16, 32, 64, -1, 0x7fff, -0x8000];
const IMM = [
  0, 1, 2, 8, 16, 24, 32, 64, 128, -1, 0x7fff_ffff, -0x8000_0000, 0x10000, 0x10001, 0x20000, 0x10, 0x40, 0x41,
  0x42, 0x50, 0x51, 0xa0, 0xa1, 0xb0, 0xe0, 0xe1, 0xf0, 0xf1, 0x100, 0x101, 0x110, 0x111, 0x120,
];

const VALUES = { dst: DST, src: SRC, off: OFF, imm: IMM };
const PAIRS = [
  ['dst', 'src'],
  ['dst', 'off'],
  ['dst', 'imm'],
  ['src', 'off'],
  ['src', 'imm'],
  ['off', 'imm'],
] as const;
const least = (field: Field): number =>
  typeof field === 'number' ? field : typeof field === 'string' ? 0 : field[0]!;

describe('every encoding is the one of the standard', () => {
  it('all opcodes, and any two fields of each encoding changed: taken as the table says, or refused', () => {
    let taken = 0;
    const wrong: string[] = [];
    const check = (insn: Insn): void => {
      const found = decoded([insn, ...nextOf(insn)]);
      const expected = byOpcode.get(insn.opcode)?.find((one) => fits(one, insn));
      if (expected === undefined) {
        if (typeof found !== 'string') wrong.push(`${JSON.stringify(insn)} was taken`);
        return;
      }
      taken++;
      const op = expected.op(insn, nextOf(insn)[0]);
      if (typeof found === 'string' || JSON.stringify(sorted(found)) !== JSON.stringify(sorted(op)))
        wrong.push(`${JSON.stringify(insn)}: ${JSON.stringify(found)}, expected ${JSON.stringify(op)}`);
    };
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    try {
      for (let opcode = 0; opcode < 256; opcode++) {
        if (!byOpcode.has(opcode)) {
          for (const src of [0, 1]) check({ opcode, dst: 0, src, off: 0, imm: 0 });
          continue;
        }
        for (const one of byOpcode.get(opcode)!) {
          const base: Insn = {
            opcode,
            dst: least(one.dst),
            src: least(one.src),
            off: least(one.off),
            imm: least(one.imm),
          };
          for (const [a, b] of PAIRS)
            for (const x of VALUES[a]) for (const y of VALUES[b]) check({ ...base, [a]: x, [b]: y });
        }
      }
    } finally {
      Error.stackTraceLimit = limit;
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(taken).toBeGreaterThan(30_000);
  });

  it.each(ENCODINGS.map((one) => [one.opcode.toString(16), one] as const))(
    '0x%s encodes to the bytes of the table, at the ends of every field',
    (_, one) => {
      const ends = (field: Field, all: readonly number[]): readonly number[] =>
        field === 'reg' ? [0, 10] : field === 'any' ? all : typeof field === 'number' ? [field] : field;
      for (const dst of ends(one.dst, []))
        for (const src of ends(one.src, []))
          for (const off of ends(one.off, [0, 1, -1, 0x7fff, -0x8000]))
            for (const imm of ends(one.imm, [0, 1, -1, 0x7fff_ffff, -0x8000_0000])) {
              const insn: Insn = { opcode: one.opcode, dst, src, off, imm };
              const insns = [insn, ...nextOf(insn)];
              expect(encode(one.op(insn, insns[1]))).toEqual(insns);
              const bytes = Buffer.alloc(8);
              bytes.writeUInt8(one.opcode, 0);
              bytes.writeUInt8(src * 16 + dst, 1);
              bytes.writeInt16LE(off, 2);
              bytes.writeInt32LE(imm, 4);
              expect(Buffer.from(toBytes([insn])).equals(bytes)).toBe(true);
              expect(fromBytes(bytes)).toEqual([insn]);
            }
    },
  );

  it('the second slot of a 64-bit immediate holds nothing but imm, and that only where it is used', () => {
    for (let src = 0; src <= 6; src++) {
      const first: Insn = { opcode: 0x18, dst: 1, src, off: 0, imm: 3 };
      for (const change of [{ opcode: 0xb7 }, { dst: 1 }, { src: 1 }, { off: 1 }, { off: -1 }])
        expect(decoded([first, { ...EMPTY, ...change }])).toMatch(/holds more than imm/);
      expect(decoded([first])).toMatch(/without its second slot/);
      for (const imm of [1, -1]) {
        const found = decoded([first, { ...EMPTY, imm }]);
        if (src === 1 || src === 4 || src === 5)
          expect(found).toBe(
            `insn 0: the second imm is ${imm}; reserved in a ${['', 'map_fd', '', '', 'func', 'map'][src]} reference`,
          );
        else expect(found).toMatchObject({ hi: imm });
      }
    }
  });

  it('a program of raw bytes that is no whole number of slots is refused', () => {
    for (const length of [1, 7, 9, 15]) expect(() => fromBytes(new Uint8Array(length))).toThrow(InputError);
    expect(fromBytes(new Uint8Array(0))).toEqual([]);
  });
});

const REG: readonly (readonly [string, (reg: number) => Op])[] = [
  ['alu dst', (dst) => ({ kind: 'alu', op: 'add', width: 64, dst, src: { imm: 0 } })],
  ['alu src', (reg) => ({ kind: 'alu', op: 'add', width: 32, dst: 0, src: { reg } })],
  ['mov dst', (dst) => ({ kind: 'mov', width: 64, dst, src: { imm: 0 } })],
  ['mov src', (reg) => ({ kind: 'mov', width: 64, dst: 0, src: { reg } })],
  ['movsx src', (src) => ({ kind: 'movsx', bits: 8, width: 64, dst: 0, src })],
  ['neg dst', (dst) => ({ kind: 'neg', width: 64, dst })],
  ['end dst', (dst) => ({ kind: 'end', op: 'be', bits: 16, dst })],
  ['cast src', (src) => ({ kind: 'addr_space_cast', dst: 0, src, imm: 1 })],
  ['ld_imm64 dst', (dst) => ({ kind: 'ld_imm64', dst, as: 'imm', imm: 0, hi: 0 })],
  ['ldx src', (src) => ({ kind: 'ldx', size: 4, signed: false, dst: 0, src, off: 0 })],
  ['stx dst', (dst) => ({ kind: 'stx', size: 4, dst, src: 0, off: 0 })],
  ['st dst', (dst) => ({ kind: 'st', size: 4, dst, off: 0, imm: 0 })],
  ['atomic src', (src) => ({ kind: 'atomic', op: 'add', fetch: false, size: 4, dst: 0, src, off: 0 })],
  ['acquire dst', (dst) => ({ kind: 'load_acquire', size: 4, dst, src: 0, off: 0 })],
  ['release src', (src) => ({ kind: 'store_release', size: 4, dst: 0, src, off: 0 })],
  ['jmp dst', (dst) => ({ kind: 'jmp', op: 'eq', width: 64, dst, src: { imm: 0 }, off: 0 })],
  ['jmp src', (reg) => ({ kind: 'jmp', op: 'eq', width: 64, dst: 0, src: { reg }, off: 0 })],
];
const OFFSET: readonly (readonly [string, (off: number) => Op])[] = [
  ['ldx', (off) => ({ kind: 'ldx', size: 4, signed: false, dst: 0, src: 0, off })],
  ['stx', (off) => ({ kind: 'stx', size: 4, dst: 0, src: 0, off })],
  ['st', (off) => ({ kind: 'st', size: 4, dst: 0, off, imm: 0 })],
  ['atomic', (off) => ({ kind: 'atomic', op: 'add', fetch: false, size: 4, dst: 0, src: 0, off })],
  ['ja', (off) => ({ kind: 'ja', off, long: false })],
  ['jmp', (off) => ({ kind: 'jmp', op: 'eq', width: 64, dst: 0, src: { imm: 0 }, off })],
  ['may_goto', (off) => ({ kind: 'may_goto', off })],
  ['unwind_goto', (off) => ({ kind: 'unwind_goto', off })],
];
const IMMEDIATE: readonly (readonly [string, (imm: number) => Op])[] = [
  ['alu', (imm) => ({ kind: 'alu', op: 'add', width: 64, dst: 0, src: { imm } })],
  ['st', (imm) => ({ kind: 'st', size: 8, dst: 0, off: 0, imm })],
  ['long ja', (off) => ({ kind: 'ja', off, long: true })],
  ['call', (imm) => ({ kind: 'call', target: 'subprog', imm })],
  ['ld_packet', (imm) => ({ kind: 'ld_packet', size: 4, src: -1, imm })],
  ['low word', (imm) => ({ kind: 'ld_imm64', dst: 0, as: 'imm', imm, hi: 0 })],
  ['high word', (hi) => ({ kind: 'ld_imm64', dst: 0, as: 'imm', imm: 0, hi })],
];

describe('fields are as wide as they are', () => {
  it.each(REG)('register: %s', (_, make) => {
    for (const reg of [0, 10]) expect(() => encode(make(reg))).not.toThrow();
    for (const reg of [-1, 11, 0.5]) expect(() => encode(make(reg))).toThrow(`no register r${reg}`);
  });

  it.each(OFFSET)('offset: %s', (_, make) => {
    for (const off of [-0x8000, 0x7fff]) expect(encode(make(off))[0]!.off).toBe(off);
    for (const off of [-0x8001, 0x8000]) expect(() => encode(make(off))).toThrow('does not fit 16 bits');
  });

  it.each(IMMEDIATE)('immediate: %s', (_, make) => {
    for (const imm of [-0x8000_0000, 0x7fff_ffff])
      expect(encode(make(imm)).map((slot) => slot.imm)).toContain(imm);
    for (const imm of [-0x8000_0001, 0x8000_0000, 0.5])
      expect(() => encode(make(imm))).toThrow('does not fit 32 bits');
  });

  it('what no encoding has is refused', () => {
    expect(() => encode({ kind: 'movsx', bits: 32, width: 32, dst: 0, src: 0 })).toThrow(InputError);
    expect(() => encode({ kind: 'ldx', size: 8, signed: true, dst: 0, src: 0, off: 0 })).toThrow(InputError);
    for (const imm of [0, 2, 0x10001, 0x20000])
      expect(() => encode({ kind: 'addr_space_cast', dst: 0, src: 0, imm })).toThrow(InputError);
    expect(() => encodeAll([{ kind: 'exit' }, { kind: 'neg', width: 64, dst: 11 }])).toThrow(
      'operation 1: no register r11',
    );
  });
});

function sorted(op: Op): unknown {
  return Object.entries(op).sort(([a], [b]) => (a < b ? -1 : 1));
}
