/** Text loses nothing: what the disassembler prints assembles to the same slots, with labels and without, and bad text is refused at its place. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { opArbitrary } from '../../generators/op.js';
import { assemble } from '../../src/isa/assemble.js';
import { decodeAll } from '../../src/isa/decode.js';
import { disassemble, formatOp } from '../../src/isa/disassemble.js';
import { encode, encodeAll } from '../../src/isa/encode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Op } from '../../src/isa/insn.js';
import type { Symbols } from '../../src/isa/symbols.js';
import { isJump, subprogStarts } from '../../src/isa/target.js';
import { seeded } from '../support/seed.js';

const HELPERS = [
  'unspec',
  'bpf_map_lookup_elem',
  'bpf_map_update_elem',
  'bpf_map_delete_elem',
  'bpf_probe_read',
];
/** Tables with names that a text must not confuse: doubles, blanks, registers, a kfunc called as a helper, as a label. */
const symbols: Symbols = {
  helperId: (name) => (HELPERS.indexOf(name) > 0 ? HELPERS.indexOf(name) : undefined),
  helperName: (id) => (id > 0 ? HELPERS[id] : undefined),
  maps: ['events', '.rodata.str1.1', 'events', 'has blank', 'r1', 'll', 'map', ''],
  kfuncs: [
    'bpf_rcu_read_lock',
    'bpf_map_lookup_elem',
    'r3',
    'pc',
    'L2',
    'sub_3',
    'exit',
    'a b',
    'bpf_rcu_read_lock',
  ],
};

/** Operations whose references lie close: jumps within the program, small indices. */
const near = opArbitrary.chain((op): fc.Arbitrary<Op> => {
  if (op.kind === 'call' || (op.kind === 'ld_imm64' && op.as !== 'imm')) {
    return fc.integer({ min: -9, max: 9 }).map((imm) => ({ ...op, imm }));
  }
  if (isJump(op)) {
    return fc.integer({ min: -9, max: 9 }).map((off) => ({ ...op, off }));
  }
  return fc.constant(op);
});
const programs = fc.array(fc.oneof(opArbitrary, near, near), { maxLength: 16 }).map(encodeAll);
const names = fc
  .array(
    fc.tuple(
      fc.nat(16),
      fc.constantFrom('main', 'out', 'exit', 'r1', 'pc', 'bpf_map_lookup_elem', 'x y', 'L3', '.LBB0_1'),
    ),
  )
  .map((pairs) => new Map(pairs));

describe('assembling undoes disassembling', () => {
  it('with pc-relative targets', () => {
    fc.assert(
      fc.property(programs, (insns) => {
        const { insns: again, kfuncs } = assemble(disassemble(insns, { symbols }), { symbols });
        expect(again).toEqual(insns);
        expect(kfuncs).toEqual(symbols.kfuncs);
      }),
      seeded(2000),
    );
  });

  it('with labels, whatever the functions are called', () => {
    let labels = 0;
    fc.assert(
      fc.property(programs, names, (insns, given) => {
        const result = assemble(disassemble(insns, { symbols, labels: true, names: given }), { symbols });
        labels += result.labels.size;
        expect(result.insns).toEqual(insns);
        expect(result.functions.map(({ start }) => start)).toEqual(subprogStarts(insns));
      }),
      seeded(2000),
    );
    expect(labels).toBeGreaterThan(1000);
  });

  it('without any symbols', () => {
    fc.assert(
      fc.property(programs, (insns) => {
        expect(assemble(disassemble(insns)).insns).toEqual(insns);
        expect(assemble(disassemble(insns, { labels: true })).insns).toEqual(insns);
      }),
      seeded(500),
    );
  });

  it('however it is spaced and commented', () => {
    const blanks = fc.constantFrom('', ' ', '\t', '   ');
    const ends = fc.constantFrom('\n', '\r\n', ' ; why\n', '// why\n', '\n\n# a = b\n');
    fc.assert(
      fc.property(near, blanks, ends, (op, blank, end) => {
        // Blanks between all tokens but inside of none.
        const text = formatOp(op, symbols).replace(/(?<=[()[\],])|(?=[()[\],])/g, blank);
        expect(assemble(`${blank}${text}${end}`, { symbols }).insns).toEqual(encode(op));
      }),
      seeded(2000),
    );
  });

  it('and tells apart any two operations', () => {
    fc.assert(
      fc.property(opArbitrary, opArbitrary, (one, other) => {
        const same = JSON.stringify(encode(one)) === JSON.stringify(encode(other));
        expect(formatOp(one, symbols) === formatOp(other, symbols)).toBe(same);
      }),
      seeded(2000),
    );
  });
});

describe('a disassembler with a defect', () => {
  it.each<[string, string | RegExp, string]>([
    ['loses the sign of a shift', 's>>=', '>>='],
    ['loses the sign of a division', 's/=', '/='],
    ['loses the sign of a comparison', ' s<', ' <'],
    ['loses a sign extension', /\(s\d+\)/, ''],
    ['loads unsigned', /\*\(s(?=\d)/, '*(u'],
    ['loads other widths', '(u16 *)', '(u32 *)'],
    ['prints 32-bit registers wide', /\bw(?=\d)/g, 'r'],
    ['confuses byte orders', '= le', '= be'],
    ['forgets that a swap is unconditional', 'bswap', 'le'],
    ['forgets to fetch', /r(\d+) = atomic64_fetch_add\((.*), .*\)/, 'lock *$2 += r$1'],
    ['forgets that an immediate is long', ' ll', ''],
    ['loses the offset into a map value', / [-+]\d+$/m, ''],
    ['prints a long jump short', 'gotol', 'goto'],
    ['prints offsets without sign', 'pc-', 'pc+'],
    ['prints kfuncs as helpers', 'kfunc#', 'unknown#'],
    ['casts backwards', '0, 1)', '1, 0)'],
  ])('that %s is caught', (_, find, replace) => {
    const result = fc.check(
      fc.property(programs, (insns) => {
        const text = disassemble(insns, { symbols });
        const broken = text.replaceAll(typeof find === 'string' ? find : new RegExp(find, 'gm'), replace);
        expect(assemble(broken, { symbols }).insns).toEqual(insns);
      }),
      seeded(3000),
    );
    expect(result.failed).toBe(true);
    expect(result.counterexample?.[0].length).toBeLessThanOrEqual(2);
  });
});

describe('text that is cut or changed', () => {
  it('assembles or is refused at a column inside of the line, and never breaks the assembler', () => {
    let refused = 0;
    const noise = fc.constantFrom('', ' ', '(', ')', '=', '0', 'x', '-', 's', '#', '99999999999', 'r11', 'ä');
    fc.assert(
      fc.property(near, fc.nat(60), fc.nat(4), noise, (op, at, length, insert) => {
        const text = formatOp(op, symbols);
        const changed = text.slice(0, at) + insert + text.slice(at + length);
        try {
          decodeAll(assemble(changed, { symbols, file: 'x.bpf', firstLine: 7 }).insns);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          refused++;
          const { file, line, column } = error.place;
          expect({ file, line }).toEqual({ file: 'x.bpf', line: 7 });
          expect(column).toBeGreaterThan(0);
          expect(column).toBeLessThanOrEqual(changed.length + 1);
        }
      }),
      seeded(5000),
    );
    expect(refused).toBeGreaterThan(1000);
  });

  it.each([
    [
      'r1 = ',
      5,
      'expected a value (a register, a number, *(uN *)(...), map NAME, func LABEL), found the end of the line',
    ],
    ['r11 = 1', 1, 'no register r11; they end at r10'],
    ['r1 = w2', 6, "expected r2 (64 bits, as the other side), found 'w2'"],
    ['w1 += r2', 7, "expected w2 (32 bits, as the other side), found 'r2'"],
    ['r1 ~= 2', 4, "unexpected '~='"],
    ['r1 == 2', 4, "expected '=' or an operator as '+=', found '=='"],
    [
      'r1 = 0xffffffff',
      6,
      "immediate 4294967295 would be sign-extended; write -1, or load it into a register with 'll'",
    ],
    ['w1 = 0x1ffffffff', 6, 'immediate 8589934591 does not fit 32 bits'],
    ['r1 = 0x1ffffffffffffffff ll', 6, 'immediate 36893488147419103231 does not fit 64 bits'],
    ['r1 = 5 l', 8, "expected the end of the line, found 'l'"],
    ['r1 = -r2', 7, "expected r1 again, found 'r2'"],
    ['r1 = be16 r2', 11, "expected r1 again, found 'r2'"],
    ['w1 = (s32)w2', 7, "expected s8 or s16, found 's32'"],
    ['r1 = *(u33 *)(r2 +0)', 8, "expected u8, u16, u32, u64, s8, s16 or s32, found 'u33'"],
    ['r1 = *(u32 *)(r2 +40000)', 18, 'an offset 40000 does not fit 16 signed bits'],
    ['r1 = *(u32 *)(r2 r3)', 18, "expected an offset or ')', found 'r3'"],
    ['w1 = *(s8 *)(r2 +0)', 1, "a sign-extending load writes 64 bits: expected r1, found 'w1'"],
    ['*(s8 *)(r2 +0) = r1', 3, "expected u8, u16, u32 or u64, found 's8'"],
    ['*(u64 *)(r2 +0) = w1', 19, "expected r1, as the access has 8 bytes, found 'w1'"],
    ['lock *(u8 *)(r1 +0) += r2', 7, 'an atomic operation is of u32 or u64'],
    ['lock *(u64 *)(r1 +0) -= r2', 22, "expected '+=', '|=', '&=' or '^=', found '-='"],
    [
      'r3 = atomic64_fetch_add((u64 *)(r1 +0), r2)',
      41,
      "expected r3 again (the old value replaces the operand), found 'r2'",
    ],
    ['r2 = atomic64_fetch_add((u32 *)(r1 +0), r2)', 25, 'atomic64_fetch_add is of u64'],
    ['r1 = atomic64_cmpxchg((u64 *)(r1 +0), r0, r2)', 1, 'cmpxchg returns into r0, not r1'],
    ['r1 = *(u8 *)skb[0]', 1, 'a packet load writes r0, not r1'],
    ['if r1 goto +1', 7, "expected a comparison (==, !=, <, s<, &, ...), found 'goto'"],
    ['if r1 == 1 got out', 12, "expected 'goto', found 'got'"],
    ['if r1 == 1 goto 4', 17, "expected a label, or an offset as pc+N, found '4'"],
    ['goto nowhere', 6, 'insn 0: no label nowhere'],
    ['goto pc+40000', 8, 'a jump offset 40000 does not fit 16 signed bits'],
    ['r1 = map nothing', 10, 'no map nothing; known: '],
    ['call bpf_map_lookup_elem#2', 26, 'bpf_map_lookup_elem is helper 1, not 2'],
    ['call bpf_nothing#2', 6, 'helper 2 is bpf_map_update_elem, not bpf_nothing'],
    ['r1 = addr_space_cast(r2, 1, 1)', 26, 'a cast from address space 1 to 1; expected 0 to 1 or 1 to 0'],
    ['pc: exit', 1, 'pc cannot be a label'],
    ['mov r1, 2', 1, "expected an insn (rN = ..., *(uN *)(...) = ..., if, goto, call, exit), found 'mov'"],
  ])('%s: column %i: %s', (text, column, message) => {
    const error = refusal(() => assemble(`# first line\n${text}`, { symbols, file: 'f' }));
    expect(error.message.slice(0, message.length)).toBe(message);
    expect(error.place).toEqual({ file: 'f', line: 2, column });
  });

  it('names the second of two equal labels', () => {
    expect(refusal(() => assemble('a:\nexit\n  a: exit')).describe()).toBe('3:3: label a is defined twice');
  });

  it('takes only kfuncs that exist, where the symbols know', () => {
    const strict: Symbols = { ...symbols, kfuncs: [], isKfunc: (name) => name === 'bpf_rcu_read_lock' };
    expect(assemble('call bpf_rcu_read_lock', { symbols: strict }).kfuncs).toEqual(['bpf_rcu_read_lock']);
    expect(assemble('call bpf_rcu_read_lock#7100', { symbols: strict }).kfuncs).toEqual([
      'bpf_rcu_read_lock',
    ]);
    expect(refusal(() => assemble('call bpf_rcu_raed_lock', { symbols: strict })).describe()).toBe(
      '1:6: no label, helper or kfunc bpf_rcu_raed_lock',
    );
  });
});

describe('an assembled program', () => {
  it('knows its functions, labels, kfuncs and source lines', () => {
    const text = [
      'entry:',
      '    r1 = 0x1 ll   ; two slots',
      '    r2 = func each',
      '    call work',
      'again:',
      '    may_goto again',
      '    call bpf_rcu_read_lock',
      '    exit',
      'work: alias:',
      '    exit',
      'each:',
      '    exit',
    ].join('\n');
    expect(() => assemble(text)).toThrow(InputError);
    const program = assemble(text.replace('work: alias:', 'work:\nalias:'));
    expect(program.functions).toEqual([
      { name: 'entry', start: 0 },
      { name: 'work', start: 8 },
      { name: 'each', start: 9 },
    ]);
    expect(program.lines).toEqual([2, 2, 3, 3, 4, 6, 7, 8, 11, 13]);
    expect(Object.fromEntries(program.labels)).toEqual({ entry: 0, again: 5, work: 8, alias: 8, each: 9 });
    expect(program.kfuncs).toEqual(['bpf_rcu_read_lock']);
  });
});

function refusal(body: () => unknown): InputError {
  try {
    body();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
  throw new Error('was not refused');
}
