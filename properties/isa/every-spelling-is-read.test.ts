/**
 * Spellings that no disassembler of ours writes: what llvm-objdump and people write, the ends of every number, and which text is refused
 * for being one past an end. Each is held against bytes that were written down by hand.
 */
import { describe, expect, it } from 'vitest';
import { type Assembly, assemble } from '../../src/isa/assemble.js';
import * as b from '../../src/isa/build.js';
import { toBytes } from '../../src/isa/bytes.js';
import { disassemble } from '../../src/isa/disassemble.js';
import { encode, encodeAll } from '../../src/isa/encode.js';
import { InputError } from '../../src/isa/errors.js';
import { BINARY_OPS, type BinaryOp, COMPARISONS, type Op } from '../../src/isa/insn.js';
import { type Item, label, link } from '../../src/isa/label.js';
import { withinReach } from '../../src/isa/reach.js';
import type { Symbols } from '../../src/isa/symbols.js';
import { jumpTarget, subprogStarts, subprogTarget, targetOf } from '../../src/isa/target.js';

const symbols: Symbols = {
  helperId: (name) => (name === 'bpf_get_prandom_u32' ? 7 : undefined),
  helperName: (id) => (id === 7 ? 'bpf_get_prandom_u32' : undefined),
  maps: ['first', 'second'],
  kfuncs: ['bpf_rcu_read_lock'],
};
const hex = (text: string): string => Buffer.from(toBytes(assemble(text, { symbols }).insns)).toString('hex');

describe('every spelling is read', () => {
  it.each([
    // Offsets and addresses.
    ['r1 = *(u64 *)(r2 + 0x8)', '7921080000000000'],
    ['r1 = *(u64 *)(r2 - 0x8)', '7921f8ff00000000'],
    ['r1 = *(u64 *)(r2)', '7921000000000000'],
    ['r1 = *(u8 *)(r2 +32767)', '7121ff7f00000000'],
    ['r1 = *(u8 *)(r2 -32768)', '7121008000000000'],
    ['w1 = *(u32 *)(r2 +4)', '6121040000000000'],
    ['*(u32 *)(r1 +4) = w2', '6321040000000000'],
    ['*(u8 *)(r1 +0) = w2', '7321000000000000'],
    ['*(u32 *)(r1 +0) = 0xffffffff', '62010000ffffffff'],
    ['*(u64 *)(r1 +0) = -1', '7a010000ffffffff'],
    // Numbers at the ends of their ranges.
    ['r1 = 0x7fffffff', 'b7010000ffffff7f'],
    ['r1 = -0x80000000', 'b701000000000080'],
    ['w1 = 0xffffffff', 'b4010000ffffffff'],
    ['w1 = 0x80000000', 'b401000000000080'],
    ['w1 += 0xfffffffe', '04010000feffffff'],
    ['if r1 == 0xffffffff goto +0', '15010000ffffffff'],
    ['if w1 == 0x80000000 goto +0', '1601000000000080'],
    ['r1 = 0xffffffffffffffff ll', '18010000ffffffff00000000ffffffff'],
    ['r1 = -0x8000000000000000 ll', '18010000000000000000000000000080'],
    ['r1 = 0x100000002 ll', '18010000020000000000000001000000'],
    // Where jumps lead.
    ['goto +3', '0500030000000000'],
    ['goto -0x2', '0500feff00000000'],
    ['goto pc-0x2', '0500feff00000000'],
    ['goto +32767', '0500ff7f00000000'],
    ['goto -32768', '0500008000000000'],
    ['gotol +2147483647', '06000000ffffff7f'],
    ['gotol -2147483648', '0600000000000080'],
    ['goto +1 <LBB0_2>', '0500010000000000'],
    ['if r1 s> w0 goto +1', undefined],
    ['call -1', undefined],
    ['call pc-1', '85100000ffffffff'],
    ['call 7', '8500000007000000'],
    ['call bpf_get_prandom_u32', '8500000007000000'],
    ['call bpf_get_prandom_u32#7', '8500000007000000'],
    ['call unknown#7', '8500000007000000'],
    ['call bpf_rcu_read_lock', '8520000000000000'],
    ['call bpf_other', '8520000001000000'],
    ['call kfunc#0', '8520000000000000'],
    // LLVM's names of atomic operations.
    ['r2 = xchg_64(r1 + 8, r2)', 'db210800e1000000'],
    ['w2 = xchg32_32(r1 - 8, w2)', 'c321f8ffe1000000'],
    ['r0 = cmpxchg_64(r1 + 0, r0, r2)', 'db210000f1000000'],
    ['w0 = cmpxchg32_32(r1, w0, w2)', 'c3210000f1000000'],
    ['w2 = atomic_fetch_add((u32 *)(r1 +0), w2)', 'c321000001000000'],
    ['lock *(u32 *)(r1 +0) += w2', 'c321000000000000'],
    ['store_release((u32 *)(r1 +0), w2)', 'c321000010010000'],
    ['w1 = load_acquire((u8 *)(r2 +0))', 'd321000000010000'],
    // References.
    ['r1 = map second', '18510000010000000000000000000000'],
    ['r1 = map #1', '18510000010000000000000000000000'],
    ['r1 = mapvalue second +8', '18610000010000000000000008000000'],
    ['r1 = mapvalue first', '18610000000000000000000000000000'],
    ['r1 = mapvalue_fd 5 -8', '182100000500000000000000f8ffffff'],
    ['r1 = btf_id 5 of 6', '18310000050000000000000006000000'],
    ['r1 = func +1', '18410000010000000000000000000000'],
    // Packet loads.
    ['r0 = *(u8 *)skb[r3]', '5030000000000000'],
    ['r0 = *(u16 *)skb[r3 + -4]', '48300000fcffffff'],
    ['r0 = *(u32 *)skb[r3 - 4]', '40300000fcffffff'],
    ['r0 = *(u32 *)skb[0x10]', '2000000010000000'],
    // What stands before and behind an insn.
    ['0: (b7) r1 = 2', 'b701000002000000'],
    ['  0: r1 = 2', 'b701000002000000'],
    ['       0:\tb7 01 00 00 02 00 00 00\tr1 = 2', 'b701000002000000'],
    ['0: (18) r1 = 0x2', '18010000020000000000000000000000'],
    ['r1 = 2 ; more', 'b701000002000000'],
    ['r1 = 2 // more', 'b701000002000000'],
    ['# r1 = 3\nr1 = 2', 'b701000002000000'],
    ['0000000000000000 <name>:\nr1 = 2', 'b701000002000000'],
    ['<name>:\nr1 = 2', 'b701000002000000'],
    ['name: r1 = 2', 'b701000002000000'],
    ['\t r1\t=  2\t\r', 'b701000002000000'],
  ])('%s', (text, bytes) => {
    if (bytes === undefined) expect(() => assemble(text, { symbols })).toThrow(InputError);
    else expect(hex(text)).toBe(bytes);
  });

  it.each([
    ['r1 = *(u8 *)(r2 +32768)', 17],
    ['r1 = *(u8 *)(r2 -32769)', 17],
    ['r1 = 0x80000000', 6],
    ['r1 = -0x80000001', 6],
    ['w1 = 0x100000000', 6],
    ['w1 = -0x80000001', 6],
    ['r1 += 0xffffffff', 7],
    ['*(u64 *)(r1 +0) = 0xffffffff', 19],
    ['if r1 == 0x100000000 goto +0', 10],
    ['r1 = 0x10000000000000000 ll', 6],
    ['r1 = -0x8000000000000001 ll', 6],
    ['goto +32768', 6],
    ['goto -32769', 6],
    ['gotol +2147483648', 7],
    ['may_goto +32768', 10],
    ['if r1 == 1 goto +32768', 17],
    ['r0 = *(u32 *)skb[0x80000000]', 18],
    ['call 0x80000000', 6],
    ['call pc+2147483648', 8],
    ['w1 = 5 ll', 1],
    ['w1 = func +1', 1],
    ['w1 = map first', 1],
    ['w0 = *(u8 *)skb[0]', 1],
    ['r0 = *(u64 *)skb[0]', 14],
    ['r0 = *(s8 *)skb[0]', 13],
    ['w1 = *(u64 *)(r2 +0)', 1],
    ['w1 = be16 w1', 1],
    ['w1 = (s32)w2', 7],
    ['r1 = (u8)r2', 7],
    ['r1 = *(s64 *)(r2 +0)', 8],
    ['lock *(u16 *)(r1 +0) += r2', 7],
    ['r0 = cmpxchg_64(r1 + 0, r1, r2)', 25],
    ['r2 = xchg_64(r1 + 0, r3)', 22],
    ['store_release((u64 *)(r1 +0), w2)', 31],
    ['r1 = map third', 10],
    ['r1 = addr_space_cast(r2, 2, 1)', 26],
    ['call nothing#7', 6],
    ['call bpf_get_prandom_u32#8', 26],
    ['goto r1', 6],
    ['r1: exit', 1],
    ['skb: exit', 1],
    ['unknown: exit', 1],
    ['kfunc: exit', 1],
    ['exit exit', 6],
    ['1: exit', 1],
  ])('%s is refused at column %i', (text, column) => {
    try {
      assemble(text, { symbols, file: 'f' });
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      expect((error as InputError).place).toEqual({ file: 'f', line: 1, column });
      return;
    }
    throw new Error('it was taken');
  });

  it('a place leaves out what is not known', () => {
    expect(new InputError('m').describe()).toBe('m');
    expect(new InputError('m', { line: 3 }).describe()).toBe('3: m');
    expect(new InputError('m', { file: 'f' }).describe()).toBe('f: m');
    expect(new InputError('m', { file: 'f', line: 3, column: 2 }).describe()).toBe('f:3:2: m');
  });
});

describe('functions of a text', () => {
  const names = ({ functions }: Assembly): string[] => functions.map(({ name, start }) => `${name}@${start}`);

  it('start at slot 0 and where calls and references lead; the label that is called names them', () => {
    const text = 'call two\nr1 = func pc+3\nexit\none: two: exit\nthree: exit'.replace(
      'one: two:',
      'one:\ntwo:',
    );
    // pc+3 from slot 1 is slot 5, which is `three`.
    expect(names(assemble(text))).toEqual(['main@0', 'two@4', 'three@5']);
    expect(names(assemble('call pc+1\nexit\nexit'))).toEqual(['main@0', 'sub_2@2']);
    expect(names(assemble('prog:\nexit'))).toEqual(['prog@0']);
    expect(names(assemble('exit\na:\nexit\nb:\nexit', { functions: ['b', 'none'] }))).toEqual([
      'main@0',
      'b@2',
    ]);
    expect(names(assemble('exit\nend:', { functions: ['end'] }))).toEqual(['main@0']);
  });

  it('targets at the ends of a program count, those outside do not', () => {
    const at = (imm: number): number[] =>
      subprogStarts(
        encodeAll([{ kind: 'call', target: 'subprog', imm }, { kind: 'exit' }, { kind: 'exit' }]),
      );
    expect([at(1), at(2), at(-1), at(-2), at(0)]).toEqual([[0, 2], [0], [0], [0], [0, 1]]);
  });

  it('every kind of operation that leads somewhere', () => {
    const jumps: Op[] = [b.ja(4), b.jal(4), b.jmp('eq', b.r1, 0, 4), b.mayGoto(4), b.unwindGoto(4)];
    const calls: Op[] = [b.callSub(4), b.ldFunc(b.r1, 4)];
    for (const op of jumps)
      expect([jumpTarget(op, 10), subprogTarget(op, 10), targetOf(op, 10)]).toEqual([15, undefined, 15]);
    for (const op of calls)
      expect([jumpTarget(op, 10), subprogTarget(op, 10), targetOf(op, 10)]).toEqual([undefined, 15, 15]);
    for (const op of [b.callHelper(4), b.callKfunc(4), b.ldMap(b.r1, 4), b.mov(b.r0, 4), b.exit()])
      expect(targetOf(op, 10)).toBeUndefined();
  });
});

describe('labels of a disassembly', () => {
  const listing = (items: readonly Item[], names: [number, string][] = []): string[] =>
    disassemble(link(items).insns, { symbols, labels: true, names: new Map(names) })
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');

  it('functions are sub_N, other targets LN, also behind the last insn; given names come first', () => {
    const items = [b.callSub('s'), b.jmp('eq', b.r1, 0, 'e'), b.ja('s'), label('s'), b.exit(), label('e')];
    expect(listing(items)).toEqual([
      'call sub_3',
      'if r1 == 0x0 goto L4',
      'goto sub_3',
      'sub_3:',
      'exit',
      'L4:',
    ]);
    expect(
      listing(items, [
        [3, 'work'],
        [0, 'start'],
        [4, 'end'],
      ]),
    ).toEqual(['start:', 'call work', 'if r1 == 0x0 goto end', 'goto work', 'work:', 'exit', 'end:']);
  });

  it('names that mean something else, or that are taken, are passed over', () => {
    const items = [b.ja('x'), b.ja('x'), label('x'), b.exit()];
    for (const name of [
      'r1',
      'w10',
      'pc',
      'skb',
      'kfunc',
      'unknown',
      'bpf_rcu_read_lock',
      'bpf_get_prandom_u32',
      'a b',
      '1a',
      '',
    ])
      expect(listing(items, [[2, name]])).toEqual(['goto L2', 'goto L2', 'L2:', 'exit']);
    expect(
      listing(items, [
        [0, 'n'],
        [2, 'n'],
      ]),
    ).toEqual(['n:', 'goto L2', 'goto L2', 'L2:', 'exit']);
  });

  it('no label stands inside of a 64-bit immediate', () => {
    expect(listing([b.ja(1), b.ldImm64(b.r1, 5), b.exit()], [[2, 'inside']])).toEqual([
      'goto pc+1',
      'r1 = 0x5 ll',
      'exit',
    ]);
  });
});

describe('jumps reach as far as their fields', () => {
  const nops = (count: number): Item[] => Array.from({ length: count }, () => b.mov(b.r0, 0));
  const SHORT: readonly (readonly [string, (to: string) => Item, number])[] = [
    ['goto', (to) => b.ja(to), 1],
    ['if', (to) => b.jmp('ne', b.r1, 5, to), 3],
    ['may_goto', (to) => b.mayGoto(to), 3],
    ['unwind_goto', (to) => b.unwindGoto(to), 3],
  ];
  const LONG: readonly (readonly [string, (to: string) => Item])[] = [
    ['gotol', (to) => b.jal(to)],
    ['call', (to) => b.callSub(to)],
    ['func', (to) => b.ldFunc(b.r1, to)],
  ];

  it.each(SHORT)('%s: 32767 slots ahead and 32768 back, and a detour beyond', (_, jump, slots) => {
    const ahead = (distance: number): Item[] => [jump('x'), ...nops(distance), label('x'), b.exit()];
    const back = (distance: number): Item[] => [label('x'), ...nops(distance - 1), jump('x'), b.exit()];
    for (const [near, far, off] of [
      [ahead(32767), ahead(32768), 32767],
      [back(32768), back(32769), -32768],
    ] as const) {
      expect(withinReach(near).items).toEqual(near);
      const at = near.findIndex((item) => item.kind === 'linked');
      const slot = link(near).items.indexOf(at);
      expect(link(near).insns[slot]!.off).toBe(off);
      expect(() => link(far)).toThrow(/too far for a 16-bit offset/);
      const reaching = withinReach(far);
      expect(reaching.items.length).toBe(far.length + slots - 1);
      const { insns, labels } = link(reaching.items);
      const jumpAt = far.findIndex((item) => item.kind === 'linked');
      const first = link(reaching.items).items.indexOf(reaching.from.indexOf(jumpAt));
      const long = insns[first + slots - 1]!;
      expect(long.opcode).toBe(0x06);
      expect(first + slots + long.imm).toBe(labels.get('x'));
      if (slots === 3) {
        expect(insns[first]!.off).toBe(1);
        expect(insns[first + 1]).toEqual({ opcode: 0x05, dst: 0, src: 0, off: 1, imm: 0 });
      }
      expect(reaching.from.filter((from) => from === jumpAt).length).toBe(slots);
    }
  });

  it.each(LONG)('%s: further', (_, jump) => {
    const items = [jump('x'), ...nops(40_000), label('x'), b.exit()];
    expect(withinReach(items).items).toEqual(items);
    expect(link(items).labels.get('x')).toBe(link(items).insns.length - 1);
  });

  it('a detour may push another jump out of reach', () => {
    const items: Item[] = [
      b.ja('near'),
      b.jmp('eq', b.r1, 0, 'far'),
      ...nops(32766),
      label('near'),
      ...nops(5),
      label('far'),
      b.exit(),
    ];
    const { items: made } = withinReach(items);
    const { insns, labels } = link(made);
    expect([insns[0]!.opcode, insns[0]!.imm + 1]).toEqual([0x06, labels.get('near')]);
    expect(labels.get('near')).toBe(32767 + 3);
  });

  it('a missing label is left for linking to find', () => {
    expect(withinReach([b.ja('gone')]).items).toEqual([b.ja('gone')]);
  });
});

describe('constructors', () => {
  const CODES: Readonly<Record<BinaryOp, string>> = {
    add: '07',
    sub: '17',
    mul: '27',
    div: '37',
    sdiv: '37',
    or: '47',
    and: '57',
    lsh: '67',
    rsh: '77',
    mod: '97',
    smod: '97',
    xor: 'a7',
    arsh: 'c7',
  };
  const MAKE: Readonly<Record<BinaryOp, typeof b.add>> = {
    add: b.add,
    sub: b.sub,
    mul: b.mul,
    div: b.div,
    sdiv: b.sdiv,
    or: b.or,
    and: b.and,
    lsh: b.lsh,
    rsh: b.rsh,
    mod: b.mod,
    smod: b.smod,
    xor: b.xor,
    arsh: b.arsh,
  };
  it.each(BINARY_OPS)('%s', (op) => {
    const make = MAKE[op];
    expect(make(b.r3, -7)).toEqual({ kind: 'alu', op, width: 64, dst: 3, src: { imm: -7 } });
    expect(make(b.w3, b.w4)).toEqual({ kind: 'alu', op, width: 32, dst: 3, src: { reg: 4 } });
    expect(b.alu(op, b.r3, b.r4)).toEqual(make(b.r3, b.r4));
    expect(encode(make(b.r3, 1))[0]!.opcode.toString(16).padStart(2, '0')).toBe(CODES[op]);
  });

  it('registers, by name and number', () => {
    const wide = [b.r0, b.r1, b.r2, b.r3, b.r4, b.r5, b.r6, b.r7, b.r8, b.r9, b.r10];
    const narrow = [b.w0, b.w1, b.w2, b.w3, b.w4, b.w5, b.w6, b.w7, b.w8, b.w9, b.w10];
    expect(b.registers).toEqual(wide);
    wide.forEach((reg, i) => {
      expect(reg).toEqual({ reg: i, width: 64 });
    });
    narrow.forEach((reg, i) => {
      expect(reg).toEqual({ reg: i, width: 32 });
    });
  });

  it('every comparison, atomic operation and access size', () => {
    for (const op of COMPARISONS)
      expect(b.jmp(op, b.w1, b.w2, 3)).toEqual({
        kind: 'jmp',
        op,
        width: 32,
        dst: 1,
        src: { reg: 2 },
        off: 3,
      });
    for (const op of ['add', 'or', 'and', 'xor', 'xchg', 'cmpxchg'] as const)
      for (const size of [4, 8] as const) {
        const swaps = op === 'xchg' || op === 'cmpxchg';
        const made = (fetch: boolean): Op => ({ kind: 'atomic', op, fetch, size, dst: 1, src: 2, off: -4 });
        expect(b.atomic(op, size, b.r1, -4, b.r2)).toEqual(made(swaps));
        expect(b.atomic(op, size, b.r1, -4, b.r2, true)).toEqual(made(true));
        expect(b.atomic(op, size, b.r1, -4, b.r2, false)).toEqual(made(swaps));
      }
    expect(b.addrSpaceCast(b.r1, b.r2, 1)).toEqual({ kind: 'addr_space_cast', dst: 1, src: 2, imm: 0x10000 });
    expect(b.addrSpaceCast(b.r1, b.r2, 0)).toEqual({ kind: 'addr_space_cast', dst: 1, src: 2, imm: 1 });
    expect(b.words(-2n)).toEqual([-2, -1]);
    expect(b.words(0x8000_0000_7fff_ffffn)).toEqual([0x7fff_ffff, -0x8000_0000]);
    expect(b.ldImm64(b.r1, 2 ** 32 + 5)).toEqual({ kind: 'ld_imm64', dst: 1, as: 'imm', imm: 5, hi: 1 });
  });
});
