import { describe, expect, test } from 'vitest';
import { assemble } from '../../src/isa/assemble.js';
import { toBytes } from '../../src/isa/bytes.js';
import { InputError } from '../../src/isa/errors.js';
import { runConformance } from '../../src/vm/conformance.js';
import { toHex } from '../../src/vm/state/environment.js';

const hex = (text: string): string => toHex(toBytes(assemble(text).insns));

describe('programs of plain RFC 9669', () => {
  const RUNS: readonly (readonly [string, string, string, bigint])[] = [
    ['a constant', 'r0 = 42\nexit', '', 42n],
    ['memory and its length', 'r0 = *(u16 *)(r1 +1)\nr0 += r2\nexit', '00 34 12 00', 0x1238n],
    [
      'memory is written',
      '*(u32 *)(r1 +0) = -1\nr0 = *(u64 *)(r1 +0)\nexit',
      '0000000000000080',
      0x8000_0000_ffff_ffffn,
    ],
    ['32 bits clear the rest', 'r0 = -1\nw0 += 0\nexit', '', 0xffff_ffffn],
    ['division by zero', 'r0 = 7\nr1 = 0\nr0 /= r1\nexit', '', 0n],
    ['modulo by zero', 'r0 = 7\nr1 = 0\nr0 %= r1\nexit', '', 7n],
    ['signed division', 'r0 = -7\nr0 s/= 2\nexit', '', 0xffff_ffff_ffff_fffdn],
    ['the stack', 'r1 = 9\n*(u64 *)(r10 -8) = r1\nr0 = *(u64 *)(r10 -8)\nexit', '', 9n],
    ['a subprogram', 'r6 = 5\nr1 = 3\ncall f\nr0 += r6\nexit\nf:\nr6 = 100\nr0 = r1\nexit', '', 8n],
    [
      'cmpxchg',
      '*(u64 *)(r10 -8) = 3\nr0 = 3\nr1 = 8\nr0 = atomic64_cmpxchg((u64 *)(r10 -8), r0, r1)\nr0 = *(u64 *)(r10 -8)\nexit',
      '',
      8n,
    ],
    [
      'fetch_add',
      '*(u32 *)(r10 -8) = -1\nr1 = 2\nr1 = atomic_fetch_add((u32 *)(r10 -8), r1)\nr0 = r1\nexit',
      '',
      0xffff_ffffn,
    ],
    ['a byte swap', 'r0 = 0x1234\nr0 = bswap16 r0\nexit', '', 0x3412n],
    ['a long jump', 'r0 = 1\ngotol end\nr0 = 2\nend:\nexit', '', 1n],
    ['a wide immediate', 'r0 = 0x1122334455667788 ll\nexit', '', 0x1122_3344_5566_7788n],
  ];
  for (const [name, text, memory, r0] of RUNS) {
    test(name, () => {
      expect(runConformance(hex(text), memory)).toBe(r0);
    });
  }
});

describe('what is refused, is refused with a reason', () => {
  const BAD: readonly (readonly [string, string, string, RegExp])[] = [
    ['no program', '', '', /empty/],
    ['half an insn', 'b7000000', '', /whole number of insns/],
    ['no hex', 'zz', '', /program is not bytes in hex/],
    ['no hex in memory', hex('r0 = 0\nexit'), '1', /memory is not bytes in hex/],
    ['an undefined insn', 'ff00000000000000', '', /insn 0/],
    ['a register that is not there', 'b70b000001000000', '', /insn 0/],
    ['a jump out of the program', '0500070000000000', '', /leads to slot 8/],
    ['a helper', hex('call 5\nexit'), '', /no helper/],
    ['the end without exit', hex('r0 = 0'), '', /no insn at slot 1/],
    ['a write to r10', 'b70a000001000000', '', /r10/],
    ['memory that is not there', hex('r0 = *(u64 *)(r1 +0)\nexit'), '00', /8 bytes at 0/],
    ['an endless loop', hex('a:\ngoto a'), '', /no end within/],
  ];
  for (const [name, program, memory, message] of BAD) {
    test(name, () => {
      expect(() => runConformance(program, memory)).toThrow(InputError);
      expect(() => runConformance(program, memory)).toThrow(message);
    });
  }
});
