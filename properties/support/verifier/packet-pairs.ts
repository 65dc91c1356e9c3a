/** Two pointers into one packet, each moved or not: what comparing one with the other tells of either. */
import {
  add,
  and,
  exit,
  ja,
  jmp,
  ldx,
  mov,
  type Reg,
  r0,
  r1,
  r6,
  r7,
  r8,
  r9,
  sub,
} from '../../../src/isa/build.js';
import type { Comparison } from '../../../src/isa/insn.js';
import { type Item, label } from '../../../src/isa/label.js';
import { type Family, family, small } from './family.js';

/** The pointers of an XDP context, by their offsets in it. */
const STARTS: Readonly<Record<string, number>> = { packet: 0, end: 4, metadata: 8 };

const MOVES: Readonly<Record<string, (reg: Reg<64>) => Item[]>> = {
  '': () => [],
  ' + 4': (reg) => [add(reg, 4)],
  ' - 4': (reg) => [sub(reg, 4)],
  ' + 4 - 4': (reg) => [add(reg, 4), sub(reg, 4)],
  ' + n': (reg) => [ldx(4, r8, r9, 12), and(r8, 4), add(reg, r8)],
};

const SIDES = Object.keys(STARTS).flatMap((start) =>
  Object.keys(MOVES).map((move) => ({ name: `${start}${move}`, start, move })),
);
type Side = (typeof SIDES)[number];

const pairs = SIDES.flatMap((left) =>
  SIDES.filter((right) => right.start !== left.start || right.move !== left.move).map((right) => ({
    name: `${left.name} against ${right.name}`,
    left,
    right,
  })),
);

const JUMPS: readonly Comparison[] = ['gt', 'ge', 'lt', 'le'];
const load = ({ start, move }: Side, reg: Reg<64>): Item[] => [
  ldx(4, reg, r9, STARTS[start]!),
  ...MOVES[move]!(reg),
];

/** Left in r6, right in r7. What is read: the byte before the left or the right pointer, or at it. */
const READS: Readonly<Record<string, Item>> = {
  'before left': ldx(1, r0, r6, -1),
  'at left': ldx(1, r0, r6, 0),
  'before right': ldx(1, r0, r7, -1),
  'at right': ldx(1, r0, r7, 0),
  'four before right': ldx(4, r0, r7, -4),
};

/** Every comparison of every two of them, both ways on, and what may be read there. */
export const packetPairs: Family = family(
  'packet-pairs',
  pairs,
  JUMPS.flatMap((op) =>
    ['then', 'else'].flatMap((where) => Object.keys(READS).map((read) => `${op} ${where} ${read}`)),
  ),
  ({ left, right }, column) => {
    const [, op, where, read] = /^(\w+) (then|else) (.*)$/.exec(column)!;
    const here = READS[read!]!;
    return small('xdp', {}, () => [
      mov(r9, r1),
      ...load(left, r6),
      ...load(right, r7),
      jmp(op as Comparison, r6, r7, 'taken'),
      ...(where === 'else' ? [here] : []),
      ja('out'),
      label('taken'),
      ...(where === 'then' ? [here] : []),
      label('out'),
      mov(r0, 0),
      exit(),
    ]);
  },
  () => false,
);
