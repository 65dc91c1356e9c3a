/**
 * Encodings against a second, plain table of RFC 9669 and include/uapi/linux/bpf.h: every opcode, every operation, every reserved field.
 * The table holds numbers only; nothing in it comes from src/isa.
 */
import { describe, expect, it } from 'vitest';
import { fromBytes, toBytes } from '../../src/isa/bytes.js';
import { decode } from '../../src/isa/decode.js';
import { disassemble } from '../../src/isa/disassemble.js';
import { encode, encodeAll } from '../../src/isa/encode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Insn, Op } from '../../src/isa/insn.js';

type Field = number | readonly number[] | 'reg' | 'any';

/** One encoding: its fields, and the operation that it is. */
interface Row {
  readonly opcode: number;
  readonly dst: Field;
  readonly src: Field;
  readonly off: Field;
  readonly imm: Field;
  readonly op: (insn: Insn, next: Insn | undefined) => Op;
}

const rows: Row[] = [];
const row = (opcode: number, dst: Field, src: Field, off: Field, imm: Field, op: Row['op']): void => {
  rows.push({ opcode, dst, src, off, imm, op });
};

// Arithmetic: 64-bit opcode with an immediate; the register form is 8 more, the 32-bit class is 3 less.
const ARITHMETIC = [
  [0x07, 'add', 0],
  [0x17, 'sub', 0],
  [0x27, 'mul', 0],
  [0x37, 'div', 0],
  [0x37, 'sdiv', 1],
  [0x47, 'or', 0],
  [0x57, 'and', 0],
  [0x67, 'lsh', 0],
  [0x77, 'rsh', 0],
  [0x97, 'mod', 0],
  [0x97, 'smod', 1],
  [0xa7, 'xor', 0],
  [0xc7, 'arsh', 0],
] as const;
for (const [opcode, op, off] of ARITHMETIC) {
  for (const [less, width] of [
    [0, 64],
    [3, 32],
  ] as const) {
    row(opcode - less, 'reg', 0, off, 'any', ({ dst, imm }) => ({
      kind: 'alu',
      op,
      width,
      dst,
      src: { imm },
    }));
    row(opcode - less + 8, 'reg', 'reg', off, 0, ({ dst, src }) => ({
      kind: 'alu',
      op,
      width,
      dst,
      src: { reg: src },
    }));
  }
}
row(0xb7, 'reg', 0, 0, 'any', ({ dst, imm }) => ({ kind: 'mov', width: 64, dst, src: { imm } }));
row(0xb4, 'reg', 0, 0, 'any', ({ dst, imm }) => ({ kind: 'mov', width: 32, dst, src: { imm } }));
row(0xbf, 'reg', 'reg', 0, 0, ({ dst, src }) => ({ kind: 'mov', width: 64, dst, src: { reg: src } }));
row(0xbc, 'reg', 'reg', 0, 0, ({ dst, src }) => ({ kind: 'mov', width: 32, dst, src: { reg: src } }));
for (const bits of [8, 16, 32] as const)
  row(0xbf, 'reg', 'reg', bits, 0, ({ dst, src }) => ({ kind: 'movsx', bits, width: 64, dst, src }));
for (const bits of [8, 16] as const)
  row(0xbc, 'reg', 'reg', bits, 0, ({ dst, src }) => ({ kind: 'movsx', bits, width: 32, dst, src }));
row(0xbf, 'reg', 'reg', 1, [1, 0x10000], ({ dst, src, imm }) => ({ kind: 'addr_space_cast', dst, src, imm }));
row(0x87, 'reg', 0, 0, 0, ({ dst }) => ({ kind: 'neg', width: 64, dst }));
row(0x84, 'reg', 0, 0, 0, ({ dst }) => ({ kind: 'neg', width: 32, dst }));
for (const [opcode, op] of [
  [0xd4, 'le'],
  [0xdc, 'be'],
  [0xd7, 'bswap'],
] as const) {
  for (const bits of [16, 32, 64] as const)
    row(opcode, 'reg', 0, 0, bits, ({ dst }) => ({ kind: 'end', op, bits, dst }));
}

// Jumps: 64-bit opcode with an immediate; the register form is 8 more, the 32-bit class is 1 more.
const JUMPS = [
  [0x15, 'eq'],
  [0x25, 'gt'],
  [0x35, 'ge'],
  [0x45, 'set'],
  [0x55, 'ne'],
  [0x65, 'sgt'],
  [0x75, 'sge'],
  [0xa5, 'lt'],
  [0xb5, 'le'],
  [0xc5, 'slt'],
  [0xd5, 'sle'],
] as const;
for (const [opcode, op] of JUMPS) {
  for (const [more, width] of [
    [0, 64],
    [1, 32],
  ] as const) {
    row(opcode + more, 'reg', 0, 'any', 'any', ({ dst, off, imm }) => ({
      kind: 'jmp',
      op,
      width,
      dst,
      src: { imm },
      off,
    }));
    row(opcode + more + 8, 'reg', 'reg', 'any', 0, ({ dst, src, off }) => ({
      kind: 'jmp',
      op,
      width,
      dst,
      src: { reg: src },
      off,
    }));
  }
}
row(0x05, 0, 0, 'any', 0, ({ off }) => ({ kind: 'ja', off, long: false }));
row(0x06, 0, 0, 0, 'any', ({ imm }) => ({ kind: 'ja', off: imm, long: true }));
row(0xe5, 0, 0, 'any', 0, ({ off }) => ({ kind: 'may_goto', off }));
row(0x85, 0, 0, 0, 'any', ({ imm }) => ({ kind: 'call', target: 'helper', imm }));
row(0x85, 0, 1, 0, 'any', ({ imm }) => ({ kind: 'call', target: 'subprog', imm }));
row(0x85, 0, 2, 0, 'any', ({ imm }) => ({ kind: 'call', target: 'kfunc', imm }));
row(0x95, 0, 0, 0, 0, () => ({ kind: 'exit' }));

// Loads and stores.
const WIDTHS = [
  [4, 0x00],
  [2, 0x08],
  [1, 0x10],
  [8, 0x18],
] as const;
for (const [size, bits] of WIDTHS) {
  row(0x61 | bits, 'reg', 'reg', 'any', 0, ({ dst, src, off }) => ({
    kind: 'ldx',
    size,
    signed: false,
    dst,
    src,
    off,
  }));
  row(0x62 | bits, 'reg', 0, 'any', 'any', ({ dst, off, imm }) => ({ kind: 'st', size, dst, off, imm }));
  row(0x63 | bits, 'reg', 'reg', 'any', 0, ({ dst, src, off }) => ({ kind: 'stx', size, dst, src, off }));
  row(0xc3 | bits, 'reg', 'reg', 'any', 0x100, ({ dst, src, off }) => ({
    kind: 'load_acquire',
    size,
    dst,
    src,
    off,
  }));
  row(0xc3 | bits, 'reg', 'reg', 'any', 0x110, ({ dst, src, off }) => ({
    kind: 'store_release',
    size,
    dst,
    src,
    off,
  }));
  if (size !== 8) {
    row(0x81 | bits, 'reg', 'reg', 'any', 0, ({ dst, src, off }) => ({
      kind: 'ldx',
      size,
      signed: true,
      dst,
      src,
      off,
    }));
    row(0x20 | bits, 0, 0, 0, 'any', ({ imm }) => ({ kind: 'ld_packet', size, src: -1, imm }));
    row(0x40 | bits, 0, 'reg', 0, 'any', ({ src, imm }) => ({ kind: 'ld_packet', size, src, imm }));
  }
  if (size !== 4 && size !== 8) continue;
  for (const [imm, op, fetch] of [
    [0x00, 'add', false],
    [0x01, 'add', true],
    [0x40, 'or', false],
    [0x41, 'or', true],
    [0x50, 'and', false],
    [0x51, 'and', true],
    [0xa0, 'xor', false],
    [0xa1, 'xor', true],
    [0xe1, 'xchg', true],
    [0xf1, 'cmpxchg', true],
  ] as const) {
    row(0xc3 | bits, 'reg', 'reg', 'any', imm, ({ dst, src, off }) => ({
      kind: 'atomic',
      op,
      fetch,
      size,
      dst,
      src,
      off,
    }));
  }
}
for (const [src, as] of [
  [0, 'imm'],
  [1, 'map_fd'],
  [2, 'map_fd_value'],
  [3, 'btf_id'],
  [4, 'func'],
  [5, 'map'],
  [6, 'map_value'],
] as const) {
  row(0x18, 'reg', src, 0, 'any', ({ dst, imm }, next) => ({
    kind: 'ld_imm64',
    dst,
    as,
    imm,
    hi: next!.imm,
  }));
}

const allows = (field: Field, value: number): boolean => {
  if (field === 'any') return true;
  if (field === 'reg') return value >= 0 && value <= 10;
  return typeof field === 'number' ? field === value : field.includes(value);
};

const fits = (r: Row, { opcode, dst, src, off, imm }: Insn): boolean =>
  r.opcode === opcode && allows(r.dst, dst) && allows(r.src, src) && allows(r.off, off) && allows(r.imm, imm);

const byOpcode = new Map<number, Row[]>();
for (const one of rows) byOpcode.set(one.opcode, [...(byOpcode.get(one.opcode) ?? []), one]);

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

  it.each(rows.map((one) => [one.opcode.toString(16), one] as const))(
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

describe('every operation is spelled as in the log of the verifier', () => {
  // Opcode, off and imm as kernel/bpf/disasm.c prints them, with dst r1 and src r2.
  const spelled: readonly (readonly [string, string])[] = [
    ...(
      [
        [0x07, '+=', 0],
        [0x17, '-=', 0],
        [0x27, '*=', 0],
        [0x37, '/=', 0],
        [0x37, 's/=', 1],
        [0x47, '|=', 0],
        [0x57, '&=', 0],
        [0x67, '<<=', 0],
        [0x77, '>>=', 0],
        [0x97, '%=', 0],
        [0x97, 's%=', 1],
        [0xa7, '^=', 0],
        [0xc7, 's>>=', 0],
      ] as const
    ).flatMap(([opcode, mark, off]) => [
      [hex(opcode, 1, off, -5), `r1 ${mark} -5`] as const,
      [hex(opcode + 8, 0x21, off, 0), `r1 ${mark} r2`] as const,
      [hex(opcode - 3, 1, off, 5), `w1 ${mark} 5`] as const,
      [hex(opcode + 5, 0x21, off, 0), `w1 ${mark} w2`] as const,
    ]),
    ...(
      [
        [0x15, '=='],
        [0x25, '>'],
        [0x35, '>='],
        [0x45, '&'],
        [0x55, '!='],
        [0x65, 's>'],
        [0x75, 's>='],
        [0xa5, '<'],
        [0xb5, '<='],
        [0xc5, 's<'],
        [0xd5, 's<='],
      ] as const
    ).flatMap(([opcode, mark]) => [
      [hex(opcode, 1, 3, -1), `if r1 ${mark} 0xffffffff goto pc+3`] as const,
      [hex(opcode + 8, 0x21, -3, 0), `if r1 ${mark} r2 goto pc-3`] as const,
      [hex(opcode + 1, 1, 0, 16), `if w1 ${mark} 0x10 goto pc+0`] as const,
      [hex(opcode + 9, 0x21, 1, 0), `if w1 ${mark} w2 goto pc+1`] as const,
    ]),
    ...(
      [
        [0x71, 'u8'],
        [0x69, 'u16'],
        [0x61, 'u32'],
        [0x79, 'u64'],
        [0x91, 's8'],
        [0x89, 's16'],
        [0x81, 's32'],
      ] as const
    ).map(([opcode, type]) => [hex(opcode, 0x21, -8, 0), `r1 = *(${type} *)(r2 -8)`] as const),
    ...(
      [
        [0x72, 'u8'],
        [0x6a, 'u16'],
        [0x62, 'u32'],
        [0x7a, 'u64'],
      ] as const
    ).flatMap(([opcode, type]) => [
      [hex(opcode, 1, 8, -2), `*(${type} *)(r1 +8) = -2`] as const,
      [hex(opcode + 1, 0x21, 8, 0), `*(${type} *)(r1 +8) = r2`] as const,
      [hex(opcode + 0x61, 0x21, 8, 0x100), `r1 = load_acquire((${type} *)(r2 +8))`] as const,
      [hex(opcode + 0x61, 0x21, 8, 0x110), `store_release((${type} *)(r1 +8), r2)`] as const,
    ]),
    ...(
      [
        [0xc3, 'u32', 'atomic'],
        [0xdb, 'u64', 'atomic64'],
      ] as const
    ).flatMap(([opcode, type, word]) => [
      [hex(opcode, 0x21, 0, 0x00), `lock *(${type} *)(r1 +0) += r2`] as const,
      [hex(opcode, 0x21, 0, 0x40), `lock *(${type} *)(r1 +0) |= r2`] as const,
      [hex(opcode, 0x21, 0, 0x50), `lock *(${type} *)(r1 +0) &= r2`] as const,
      [hex(opcode, 0x21, 0, 0xa0), `lock *(${type} *)(r1 +0) ^= r2`] as const,
      [hex(opcode, 0x21, 0, 0x01), `r2 = ${word}_fetch_add((${type} *)(r1 +0), r2)`] as const,
      [hex(opcode, 0x21, 0, 0x41), `r2 = ${word}_fetch_or((${type} *)(r1 +0), r2)`] as const,
      [hex(opcode, 0x21, 0, 0x51), `r2 = ${word}_fetch_and((${type} *)(r1 +0), r2)`] as const,
      [hex(opcode, 0x21, 0, 0xa1), `r2 = ${word}_fetch_xor((${type} *)(r1 +0), r2)`] as const,
      [hex(opcode, 0x21, 0, 0xe1), `r2 = ${word}_xchg((${type} *)(r1 +0), r2)`] as const,
      [hex(opcode, 0x21, 0, 0xf1), `r0 = ${word}_cmpxchg((${type} *)(r1 +0), r0, r2)`] as const,
    ]),
    [hex(0xb7, 1, 0, -1), 'r1 = -1'],
    [hex(0xb4, 1, 0, -1), 'w1 = -1'],
    [hex(0xbf, 0x21, 0, 0), 'r1 = r2'],
    [hex(0xbc, 0x21, 0, 0), 'w1 = w2'],
    [hex(0xbf, 0x21, 8, 0), 'r1 = (s8)r2'],
    [hex(0xbf, 0x21, 16, 0), 'r1 = (s16)r2'],
    [hex(0xbf, 0x21, 32, 0), 'r1 = (s32)r2'],
    [hex(0xbc, 0x21, 8, 0), 'w1 = (s8)w2'],
    [hex(0xbc, 0x21, 16, 0), 'w1 = (s16)w2'],
    [hex(0xbf, 0x21, 1, 1), 'r1 = addr_space_cast(r2, 0, 1)'],
    [hex(0xbf, 0x21, 1, 0x10000), 'r1 = addr_space_cast(r2, 1, 0)'],
    [hex(0x87, 1, 0, 0), 'r1 = -r1'],
    [hex(0x84, 1, 0, 0), 'w1 = -w1'],
    ...([16, 32, 64] as const).flatMap((bits) => [
      [hex(0xd4, 1, 0, bits), `r1 = le${bits} r1`] as const,
      [hex(0xdc, 1, 0, bits), `r1 = be${bits} r1`] as const,
      [hex(0xd7, 1, 0, bits), `r1 = bswap${bits} r1`] as const,
    ]),
    [hex(0x20, 0, 0, -4), 'r0 = *(u32 *)skb[-4]'],
    [hex(0x28, 0, 0, 4), 'r0 = *(u16 *)skb[4]'],
    [hex(0x30, 0, 0, 0), 'r0 = *(u8 *)skb[0]'],
    [hex(0x50, 0x20, 0, 4), 'r0 = *(u8 *)skb[r2 + 4]'],
    [hex(0x05, 0, -1, 0), 'goto pc-1'],
    [hex(0x06, 0, 0, 70_000), 'gotol pc+70000'],
    [hex(0xe5, 0, 2, 0), 'may_goto pc+2'],
    [hex(0x85, 0x10, 0, 4), 'call pc+4'],
    [hex(0x95, 0, 0, 0), 'exit'],
  ];

  it.each(spelled)('%s: %s', (bytes, text) => {
    expect(disassemble(fromBytes(Buffer.from(bytes, 'hex')))).toBe(`    ${text}\n`);
  });
});

function hex(opcode: number, regs: number, off: number, imm: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(opcode, 0);
  bytes.writeUInt8(regs, 1);
  bytes.writeInt16LE(off, 2);
  bytes.writeInt32LE(imm, 4);
  return bytes.toString('hex');
}

function sorted(op: Op): unknown {
  return Object.entries(op).sort(([a], [b]) => (a < b ? -1 : 1));
}
