/** A plain table of the encodings of RFC 9669 and include/uapi/linux/bpf.h. It holds numbers only; nothing in it comes from src/isa. */
import type { Insn, Op } from '../../../src/isa/insn.js';

/** What a field may be: one number, one of some, a register that there is, or anything. */
export type Field = number | readonly number[] | 'reg' | 'any';

/** One encoding: its fields, and the operation that it is. */
export interface Row {
  readonly opcode: number;
  readonly dst: Field;
  readonly src: Field;
  readonly off: Field;
  readonly imm: Field;
  readonly op: (insn: Insn, next: Insn | undefined) => Op;
}

const rows: Row[] = [];

/** All encodings. An insn that fits none of them is refused. */
export const ENCODINGS: readonly Row[] = rows;

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
row(0xe5, 0, 1, 'any', 0, ({ off }) => ({ kind: 'unwind_goto', off }));
row(0x85, 0, 0, 0, 'any', ({ imm }) => ({ kind: 'call', target: 'helper', imm }));
row(0x85, 0, 1, 0, 'any', ({ imm }) => ({ kind: 'call', target: 'subprog', imm }));
row(0x85, 0, 2, 0, 'any', ({ imm }) => ({ kind: 'call', target: 'kfunc', imm }));
row(0x95, 0, 0, 0, 0, () => ({ kind: 'exit' }));
row(0x95, 0, 1, 0, 0, () => ({ kind: 'unwind_exit' }));

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
