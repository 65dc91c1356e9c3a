/**
 * The encoding and the syntax against two outside witnesses: a disassembly by llvm-objdump, with its bytes, and the
 * insns of a log of the kernel's verifier, with their opcodes. Both listings are assembled just as they are.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../src/isa/assemble.js';
import { fromBytes, toBytes } from '../../src/isa/bytes.js';
import { decode, decodeAll } from '../../src/isa/decode.js';
import { disassemble, formatSlots } from '../../src/isa/disassemble.js';
import { encode } from '../../src/isa/encode.js';
import type { Op } from '../../src/isa/insn.js';
import type { Symbols } from '../../src/isa/symbols.js';

const listing = (name: string) =>
  readFileSync(new URL(`../support/listings/${name}`, import.meta.url), 'utf8');
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

const symbols: Symbols = {
  helperId: (name) => (name === 'bpf_get_prandom_u32' ? 7 : undefined),
  helperName: (id) => (id === 7 ? 'bpf_get_prandom_u32' : undefined),
  maps: [],
  kfuncs: [],
};

describe('a listing of llvm-objdump', () => {
  const text = listing('llvm-objdump.bpf');
  const bytes = [...text.matchAll(/^\s*\d+:\s((?:[0-9a-f]{2}\s){8,16})/gm)]
    .map((match) => (match[1] ?? '').replace(/\s/g, ''))
    .join('');

  it('assembles to the bytes that it shows', () => {
    expect(bytes.length / 16).toBeGreaterThan(160);
    expect(hex(toBytes(assemble(text).insns))).toBe(bytes);
  });

  it('names every kind of operation', () => {
    const kinds = new Set(decodeAll(fromBytes(Buffer.from(bytes, 'hex'))).map((op) => op?.kind));
    for (const kind of [
      'alu',
      'mov',
      'movsx',
      'neg',
      'end',
      'addr_space_cast',
      'ld_imm64',
      'ldx',
      'stx',
      'st',
    ]) {
      expect(kinds).toContain(kind);
    }
    for (const kind of ['atomic', 'ld_packet', 'ja', 'jmp', 'may_goto', 'call', 'exit'])
      expect(kinds).toContain(kind);
  });

  it('is refused when an opcode or a number in it does not fit the insn', () => {
    expect(() => assemble('0:\t0f 21 00 00 00 00 00 00\tr1 -= r2')).toThrow(
      /says opcode 0f, the insn has 1f/,
    );
    expect(() => assemble('0: (b7) r1 += 2')).toThrow(/says opcode b7, the insn has 07/);
    expect(() => assemble('1: (b7) r1 = 2')).toThrow(/numbered 1, but it is insn 0/);
  });
});

describe('a log of the verifier', () => {
  const text = listing('verifier-log.bpf');
  const { insns } = assemble(text, { symbols });

  it('assembles, and disassembles to its own words', () => {
    // The log leaves out the `ll` of a 64-bit immediate, without which the text alone would be ambiguous.
    const ours = formatSlots(insns, symbols).flatMap((line, slot) => {
      const opcode = insns[slot]?.opcode.toString(16).padStart(2, '0');
      return line === undefined ? [] : [`${slot}: (${opcode}) ${line.replace(/ ll$/, '')}`];
    });
    const theirs = text.split('\n').filter((line) => /^\d/.test(line));
    expect(theirs.length).toBeGreaterThan(240);
    expect(ours).toEqual(theirs);
  });

  it('survives being printed and read', () => {
    expect(assemble(disassemble(insns, { symbols }), { symbols }).insns).toEqual(insns);
  });
});

describe('encodings written down by hand', () => {
  it.each<[string, string, Op]>([
    ['r0 = 0', 'b700000000000000', { kind: 'mov', width: 64, dst: 0, src: { imm: 0 } }],
    ['exit', '9500000000000000', { kind: 'exit' }],
    ['r1 = map_fd 3', '18110000030000000000000000000000', imm64('map_fd', 3)],
    ['r1 = mapvalue_fd 3 +8', '18210000030000000000000008000000', imm64('map_fd_value', 3, 8)],
    ['r1 = btf_id 7', '18310000070000000000000000000000', imm64('btf_id', 7)],
    ['r1 = btf_id 7 of 4', '18310000070000000000000004000000', imm64('btf_id', 7, 4)],
    ['r1 = func pc+4', '18410000040000000000000000000000', imm64('func', 4)],
    ['r1 = map #2', '18510000020000000000000000000000', imm64('map', 2)],
    ['r1 = mapvalue #2 -8', '186100000200000000000000f8ffffff', imm64('map_value', 2, -8)],
    ['call unknown#86', '8500000056000000', { kind: 'call', target: 'helper', imm: 86 }],
    ['call pc+5', '8510000005000000', { kind: 'call', target: 'subprog', imm: 5 }],
    ['call kfunc#1', '8520000001000000', { kind: 'call', target: 'kfunc', imm: 1 }],
    [
      'r1 = load_acquire((u16 *)(r2 +16))',
      'cb21100000010000',
      { kind: 'load_acquire', size: 2, dst: 1, src: 2, off: 16 },
    ],
    [
      'store_release((u8 *)(r1 -16), r2)',
      'd321f0ff10010000',
      { kind: 'store_release', size: 1, dst: 1, src: 2, off: -16 },
    ],
    ['may_goto pc+3', 'e500030000000000', { kind: 'may_goto', off: 3 }],
    ['unwind_goto pc+3', 'e510030000000000', { kind: 'unwind_goto', off: 3 }],
    ['unwind_exit', '9510000000000000', { kind: 'unwind_exit' }],
    ['r0 = *(u8 *)skb[r7 + -4]', '50700000fcffffff', { kind: 'ld_packet', size: 1, src: 7, imm: -4 }],
  ])('%s', (text, bytes, op) => {
    expect(hex(toBytes(encode(op)))).toBe(bytes);
    expect(disassemble(encode(op)).trim()).toBe(text);
    expect(assemble(text).insns).toEqual(encode(op));
  });

  it.each([
    ['b711000000000000', 'src is 1; reserved in a move'],
    ['b701010000000000', 'off is 1; reserved in a move'],
    ['bf21010002000000', 'imm is 2; an address space cast is between spaces 0 and 1'],
    ['bf21070000000000', 'off is 7; a 64-bit move extends 8, 16 or 32 bits'],
    ['bc21200000000000', 'off is 32; a 32-bit move extends 8 or 16 bits'],
    ['07b1000000000000', 'src is 11; reserved in an arithmetic operation'],
    ['070b000000000000', 'no register r11'],
    ['0f21020000000000', 'off is 2; reserved in this arithmetic operation'],
    ['3f21020000000000', 'off is 2; a division has 0 or 1 (signed)'],
    ['8f01000000000000', 'no opcode 0x8f'],
    ['d401000011000000', 'imm is 17; a byte swap is of 16, 32 or 64 bits'],
    ['df01000010000000', 'no opcode 0xdf'],
    ['1801000000000000', 'a 64-bit immediate load without its second slot'],
    ['18010000000000000100000000000000', 'the second slot of a 64-bit immediate load holds more than imm'],
    ['18710000000000000000000000000000', 'src is 7; no such kind of 64-bit immediate'],
    ['18110000030000000000000001000000', 'the second imm is 1; reserved in a map_fd reference'],
    ['0000000000000000', 'no opcode 0x00'],
    ['9921000000000000', 'no opcode 0x99'],
    ['db21000002000000', 'imm is 0x2; no such atomic operation'],
    ['cb21000000000000', 'an atomic add of 2 bytes; it must be 4 or 8'],
    ['e520000000000000', 'src is 2; no such conditional pseudo jump'],
    ['e510000001000000', 'imm is 1; reserved in unwind_goto'],
    ['e511000000000000', 'dst is 1; reserved in unwind_goto'],
    ['9520000000000000', 'src is 2; reserved in exit'],
    ['9510010000000000', 'off is 1; reserved in unwind_exit'],
    ['8530000000000000', 'src is 3; a call is of a helper (0), a subprogram (1) or a kfunc (2)'],
    ['8d00000000000000', 'no opcode 0x8d'],
    ['8600000000000000', 'no opcode 0x86'],
    ['9501000000000000', 'dst is 1; reserved in exit'],
    ['0500000001000000', 'imm is 1; reserved in goto'],
    ['0600010001000000', 'off is 1; reserved in goto'],
    ['2801000000000000', 'dst is 1; reserved in a packet load'],
    ['3800000000000000', 'no opcode 0x38'],
  ])('%s is refused: %s', (bytes, reason) => {
    expect(() => decode(fromBytes(Buffer.from(bytes, 'hex')), 0)).toThrow(`insn 0: ${reason}`);
  });
});

function imm64(as: Extract<Op, { kind: 'ld_imm64' }>['as'], imm: number, hi = 0): Op {
  return { kind: 'ld_imm64', dst: 1, as, imm, hi };
}
