/** Every operation as text, against the words and signs that kernel/bpf/disasm.c prints for it. */
import { describe, expect, it } from 'vitest';
import { fromBytes } from '../../src/isa/bytes.js';
import { disassemble } from '../../src/isa/disassemble.js';

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
    [hex(0xe5, 0x10, 2, 0), 'unwind_goto pc+2'],
    [hex(0x85, 0x10, 0, 4), 'call pc+4'],
    [hex(0x95, 0, 0, 0), 'exit'],
    [hex(0x95, 0x10, 0, 0), 'unwind_exit'],
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
