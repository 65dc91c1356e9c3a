/** Insns that are refused, or not, by their looks. */
import {
  add,
  alu,
  jmp,
  ldFunc,
  ldMapValue,
  ldx,
  mov,
  neg,
  r0,
  r1,
  r2,
  r7,
  r10,
  st,
  stx,
  w0,
  w1,
} from '../../../src/isa/build.js';
import type { BinaryOp } from '../../../src/isa/insn.js';
import type { Item } from '../../../src/isa/label.js';
import type { MapDef } from '../../../src/object/program.js';
import { arrayMap, done } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

// The form of insns.

const SHIFTS: readonly BinaryOp[] = ['lsh', 'rsh', 'arsh'];
const DIVISIONS: readonly BinaryOp[] = ['div', 'mod', 'sdiv', 'smod'];
const FORMS: Readonly<Record<string, Item[]>> = {
  ...Object.fromEntries(
    SHIFTS.flatMap((op) =>
      [0, 31, 32, 63, 64, -1].flatMap((by) => [
        [`${op} by ${by}`, [mov(r1, 7), alu(op, r1, by)]],
        [`${op} of 32 bits by ${by}`, [mov(w1, 7), alu(op, w1, by)]],
      ]),
    ),
  ),
  ...Object.fromEntries(
    DIVISIONS.flatMap((op) =>
      [0, 1, -1].flatMap((by) => [
        [`${op} by ${by}`, [mov(r1, 7), alu(op, r1, by)]],
        [`${op} of 32 bits by ${by}`, [mov(w1, 7), alu(op, w1, by)]],
        [`${op} by ${by} in a register`, [mov(r1, 7), mov(r2, by), alu(op, r1, r2)]],
      ]),
    ),
  ),
  'r10 = number': [mov(r10, 0)],
  'r10 += number': [add(r10, 8)],
  'r10 = -r10': [neg(r10)],
  'r10 loaded': [ldx(8, r10, r10, -8)],
  'r10 stored through': [st(8, r10, -8, 0)],
  'r10 = map value': [ldMapValue(r10, 0)],
  'r10 = function': [ldFunc(r10, 0)],
  'never written': [mov(r1, r7)],
  'half never written': [mov(w0, { reg: 7, width: 32 })],
  'r2 as it was at the start': [mov(r0, r2)],
  'compared unwritten': [jmp('eq', r7, 0, 0)],
  'compared with unwritten': [jmp('eq', r10, r7, 0)],
  'stored unwritten': [stx(8, r10, -8, r7)],
};
const VALUES = [-1, 0, 7, 8, 15, 16, 17];

/** Insns that are refused, or not, by their looks. */
export const forms: Family = family(
  'forms',
  [
    ...Object.keys(FORMS).map((name) => ({ name, items: FORMS[name]! })),
    ...VALUES.map((off) => ({ name: `map value +${off}`, off })),
  ],
  ['alone', 'before a read'],
  (row, how) =>
    small('tc', {}, (n) => {
      const one: MapDef = { ...arrayMap(16), name: 'one' };
      const items = 'off' in row ? [n.value(r1, one, row.off)] : row.items;
      const used = row.name === 'r10 = map value' ? [n.map(r1, one)] : [];
      return [...used, ...items, ...(how === 'alone' || !('off' in row) ? [] : [ldx(1, r0, r1, 0)]), ...done];
    }),
);
