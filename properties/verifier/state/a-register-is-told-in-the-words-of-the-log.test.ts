/** A register in the words of Linux's log: each bound where it says something, a known number as itself, a pointer with what is known of it, and nothing else. */
import { expect, it } from 'vitest';
import { S32_MAX, S32_MIN, S64_MAX, S64_MIN, U32_MAX, U64_MAX } from '../../../src/isa/integer.js';
import { valueInWords } from '../../../src/verifier/explain/value.js';
import { constant, type Scalar, unknown } from '../../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg } from '../../../src/verifier/state/regs.js';
import type { Reg, RegType } from '../../../src/verifier/state/state.js';
import { parseCase } from '../../../src/vm/case/case.js';

const { program } = parseCase(
  '.type tc\n.map m hash key=4 value=16 entries=1\n r1 = map m\n r0 = 0\n exit\n',
);
const told = (reg: Reg): string => valueInWords(reg, program);

/** Each bound: its word, the value that says nothing, and another. */
const BOUNDS: readonly (readonly [keyof Scalar, string, bigint | number, bigint | number])[] = [
  ['smin', 'smin', S64_MIN, -5n],
  ['smax', 'smax', S64_MAX, 5n],
  ['umin', 'umin', 0n, 3n],
  ['umax', 'umax', U64_MAX, 9n],
  ['s32min', 'smin32', S32_MIN, -6],
  ['s32max', 'smax32', S32_MAX, 6],
  ['u32min', 'umin32', 0, 4],
  ['u32max', 'umax32', U32_MAX, 8],
];

it('a number is told by the bounds that say something', () => {
  expect(told(scalarReg(unknown))).toBe('scalar()');
  BOUNDS.forEach(([field, word, nothing, value]) => {
    expect(unknown[field]).toBe(nothing);
    expect(told(scalarReg({ ...unknown, [field]: value }))).toBe(`scalar(${word}=${value})`);
  });
  const all: Scalar = {
    ...unknown,
    ...Object.fromEntries(BOUNDS.map(([field, , , value]) => [field, value])),
  };
  expect(told(scalarReg(all))).toBe(
    `scalar(${BOUNDS.map(([, word, , value]) => `${word}=${value}`).join(',')})`,
  );
  expect(told(scalarReg({ ...unknown, value: 0x10n, mask: 0xffn }))).toBe('scalar(var_off=(0x10; 0xff))');
});

it('a known number is itself, signed', () => {
  for (const value of [0n, 7n, -1n, S64_MIN, S64_MAX])
    expect(told(scalarReg(constant(value)))).toBe(`${value}`);
});

it('a place in the frame is told by its offset', () => {
  expect(told(pointerReg('stack'))).toBe('fp0');
  expect(told(pointerReg('stack', { off: -8 }))).toBe('fp-8');
  expect(told(pointerReg('stack', { off: -16, num: constant(8n) }))).toBe('fp-8');
  expect(told(pointerReg('stack', { off: -8, num: constant(-8n) }))).toBe('fp-16');
  expect(told(pointerReg('stack', { off: -8, num: { ...unknown, value: 0n, mask: 7n } }))).toBe(
    'fp(off=-8,var_off=(0x0; 0x7))',
  );
});

it('a pointer is told by its type, its map, its offset and what was checked of it', () => {
  const rows: readonly (readonly [RegType, Partial<Reg>, string])[] = [
    ['ctx', {}, 'ctx()'],
    ['ctx', { off: 4 }, 'ctx(off=4)'],
    ['map_ptr', { map: 0 }, 'map_ptr(map=m,ks=4,vs=16)'],
    ['map_value', { map: 0, off: 8 }, 'map_value(map=m,ks=4,vs=16,off=8)'],
    ['map_value', { map: 0, nullable: true }, 'map_value_or_null(map=m,ks=4,vs=16)'],
    ['map_value', { map: 0, num: constant(4n) }, 'map_value(map=m,ks=4,vs=16,imm=4)'],
    ['map_value', { map: 0, num: constant(-4n) }, 'map_value(map=m,ks=4,vs=16,imm=-4)'],
    ['map_value', { map: 0, num: { ...unknown, umax: 7n } }, 'map_value(map=m,ks=4,vs=16,umax=7)'],
    ['packet', { range: 14 }, 'pkt(r=14)'],
    ['packet_meta', { range: 0, off: 2 }, 'pkt_meta(off=2,r=0)'],
    ['packet_end', { range: 3 }, 'pkt_end()'],
    ['mem', { size: 8, range: 3 }, 'mem()'],
    ['record', { size: 8, nullable: true }, 'ringbuf_mem_or_null()'],
    ['btf', { struct: 'task_struct', trust: 'trusted' }, 'trusted_ptr_task_struct()'],
    ['btf', { struct: 'task_struct', trust: 'trusted', ref: 2 }, 'ptr_task_struct()'],
    ['btf', { struct: 'task_struct', trust: 'trusted', ref: 2, unowned: true }, 'trusted_ptr_task_struct()'],
    ['btf', { struct: 'task_struct', trust: 'rcu', nullable: true }, 'rcu_ptr_or_null_task_struct()'],
    ['btf', { struct: 'void', trust: 'untrusted' }, 'rdonly_untrusted_mem()'],
    ['object', { struct: 'node', size: 16 }, 'ptr_node()'],
    ['object', { struct: 'node', trust: 'rcu', off: 8 }, 'rcu_ptr_node(off=8)'],
    ['object', { struct: 'node', trust: 'trusted', ref: 3 }, 'trusted_ptr_node()'],
    ['sock', { nullable: true }, 'sock_or_null()'],
    ['func', {}, 'func()'],
    ['dynptr', {}, 'dynptr_ptr()'],
  ];
  for (const [type, more, words] of rows) expect(told(pointerReg(type, more))).toBe(words);
});
