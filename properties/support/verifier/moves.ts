/** Arithmetic on every kind of pointer, and comparisons of it. */
import {
  add,
  alu,
  and,
  callHelper,
  end,
  ja,
  jmp,
  ldImm64,
  ldx,
  mov,
  movsx,
  neg,
  r0,
  r1,
  r2,
  r6,
  r8,
  r10,
  sub,
  w0,
  w1,
  w6,
  w8,
} from '../../../src/isa/build.js';
import type { BinaryOp, Comparison } from '../../../src/isa/insn.js';
import { type Item, label } from '../../../src/isa/label.js';
import { type Family, family, small } from './family.js';
import { OBJECTS, POINTERS, type Pointer, usingPointer } from './pointers.js';

const OPS: readonly BinaryOp[] = [
  'add',
  'sub',
  'mul',
  'div',
  'mod',
  'or',
  'and',
  'xor',
  'lsh',
  'rsh',
  'arsh',
];
const COMPARISONS: readonly Comparison[] = [
  'eq',
  'ne',
  'set',
  'gt',
  'ge',
  'lt',
  'le',
  'sgt',
  'sge',
  'slt',
  'sle',
];

const random: Item[] = [callHelper(7), mov(r8, r0)];
const load = ldx(1, r0, r6, 0);

const MOVES: Readonly<Record<string, Item[]>> = {
  ...Object.fromEntries(OPS.map((op) => [`${op} 8`, [alu(op, r6, 8)]])),
  ...Object.fromEntries(OPS.map((op) => [`${op} up to 8`, [and(r8, 8), alu(op, r6, r8)]])),
  'add 16': [add(r6, 16)],
  'add 23': [add(r6, 23)],
  'add 24': [add(r6, 24)],
  'add 8 in a register': [mov(r1, 8), add(r6, r1)],
  'add -8 in a register': [mov(r1, -8), add(r6, r1)],
  'sub 8 in a register': [mov(r1, 8), sub(r6, r1)],
  'number += pointer': [and(r8, 8), add(r8, r6), ldx(1, r0, r8, 0)],
  'number -= pointer': [and(r8, 8), sub(r8, r6)],
  'number &= pointer': [and(r8, r6)],
  'number *= pointer': [alu('mul', r8, r6)],
  'pointer - pointer': [mov(r1, r6), sub(r1, r6), add(r1, r8)],
  'pointer + pointer': [mov(r1, r6), add(r1, r6)],
  'pointer & pointer': [mov(r1, r6), and(r1, r6)],
  'pointer - frame pointer': [mov(r1, r6), sub(r1, r10)],
  'low half += 8': [add(w6, 8)],
  'low half -= 8': [sub(w6, 8)],
  'low half -= low half': [mov(r1, r6), sub(w1, w6)],
  'low half of a number += that of the pointer': [add(w8, w6)],
  'its negative': [neg(r6)],
  'its bytes swapped': [end('be', 64, r6)],
  'its low half': [mov(w0, w6), mov(r1, r0)],
  'its lowest byte, signed': [movsx(8, r0, r6)],
  'its low half, signed': [movsx(32, r0, r6)],
  'a copy of it': [mov(r1, r6), ldx(1, r0, r1, 0)],
  'far away': [add(r6, (1 << 29) - 1)],
  'too far': [add(r6, 1 << 29)],
  'far back': [add(r6, -((1 << 29) - 1))],
  'too far back': [add(r6, -(1 << 29))],
  'too far by one insn after another': [add(r6, (1 << 29) - 1), add(r6, 1)],
  'far away and back': [add(r6, (1 << 29) - 1), sub(r6, (1 << 29) - 1), load],
  'far by 64 bits': [ldImm64(r1, 1n << 40n), add(r6, r1)],
  'by a number without bounds': [add(r6, r8)],
  'by a number of 32 bits': [mov(w8, w8), add(r6, r8)],
  'by a number up to 2^29': [and(r8, (1 << 29) - 1), add(r6, r8)],
  'by a signed number': [alu('arsh', r8, 40), add(r6, r8)],
  'by a number that may be negative, checked': [
    alu('arsh', r8, 40),
    jmp('slt', r8, 0, 'skip'),
    jmp('sgt', r8, 4, 'skip'),
    add(r6, r8),
    load,
  ],
  'by an unknown number and back by it': [and(r8, 4), add(r6, r8), sub(r6, r8), load],
};

const program = (pointer: Pointer, body: readonly Item[]) =>
  small(pointer.type, { localTypes: OBJECTS }, (n) =>
    usingPointer(pointer, n, random, [...body, label('skip')]),
  );

/** Every kind of pointer moved in every way. */
export const moves: Family = family('moves', POINTERS, Object.keys(MOVES), (pointer, how) =>
  program(pointer, MOVES[how]!),
);

/** What it is compared with: items that come first, and the jump. */
const AGAINST: Readonly<Record<string, (op: Comparison, to: string) => Item[]>> = {
  '0': (op, to) => [jmp(op, r6, 0, to)],
  '1': (op, to) => [jmp(op, r6, 1, to)],
  'a register of 0': (op, to) => [mov(r1, 0), jmp(op, r6, r1, to)],
  'from a register of 0': (op, to) => [mov(r1, 0), jmp(op, r1, r6, to)],
  'a number': (op, to) => [jmp(op, r6, r8, to)],
  'from a number': (op, to) => [jmp(op, r8, r6, to)],
  itself: (op, to) => [mov(r1, r6), jmp(op, r6, r1, to)],
  'a frame pointer': (op, to) => [jmp(op, r6, r10, to)],
  'from a frame pointer': (op, to) => [jmp(op, r10, r6, to)],
};

/** Copies in every place are settled by a check of one. */
const CHECKS: Readonly<Record<string, Item[]>> = {
  'a copy after a check': [mov(r2, r6), jmp('eq', r6, 0, 'skip'), ldx(1, r0, r2, 0)],
  'after a check of a copy': [mov(r2, r6), jmp('eq', r2, 0, 'skip'), load],
  'after a check of a copy made before a move': [mov(r2, r6), add(r2, 8), load],
  'moved after a check': [jmp('eq', r6, 0, 'skip'), add(r6, 1), ldx(1, r0, r6, 0)],
  'used where it is NULL': [jmp('ne', r6, 0, 'skip'), load],
  'a number where it is NULL': [
    jmp('ne', r6, 0, 'skip'),
    and(r6, 7),
    mov(r1, r10),
    add(r1, r6),
    ldx(1, r0, r1, -8),
  ],
  'checked twice': [
    jmp('eq', r6, 0, 'skip'),
    jmp('eq', r6, 0, 'yes'),
    load,
    ja('skip'),
    label('yes'),
    ldx(1, r0, r8, 0),
  ],
};

/** Every kind of pointer compared with everything, and accessed on one of the ways on. */
export const comparisons: Family = family(
  'comparisons',
  POINTERS,
  [
    ...COMPARISONS.flatMap((op) =>
      Object.keys(AGAINST)
        .filter((what) => op === 'eq' || op === 'ne' || what === '0' || what === 'a number')
        .flatMap((what) => [`${op} ${what}, then`, `${op} ${what}, else`]),
    ),
    ...Object.keys(CHECKS),
  ],
  (pointer, column) => {
    const items = CHECKS[column];
    if (items !== undefined) return program(pointer, items);
    const [, op, what, where] = /^(\w+) (.*), (then|else)$/.exec(column)!;
    const jump = AGAINST[what!]!(op as Comparison, 'taken');
    return program(
      pointer,
      where === 'then' ? [...jump, ja('skip'), label('taken'), load] : [...jump, load, label('taken')],
    );
  },
);

export const MOVING: readonly Family[] = [moves, comparisons];
