/** Pointers moved as far as they may go and further, by constants, by numbers within bounds and without; and one insn that goes through two kinds of pointers. */
import {
  add,
  alu,
  atomic,
  callHelper,
  exit,
  jmp,
  ldImm64,
  ldx,
  loadAcquire,
  mov,
  r0,
  r1,
  r2,
  r6,
  r7,
  r8,
  r9,
  r10,
  st,
  stx,
  sub,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { Names } from '../kernel/case.js';
import { type Family, family, small } from './family.js';
import { POINTERS, type Pointer, usingPointer } from './pointers.js';
import { RARE_OBJECTS, RARE_POINTERS } from './rare-pointers.js';

const ALL: readonly Pointer[] = [...POINTERS, ...RARE_POINTERS];
const named = (...names: readonly string[]): readonly Pointer[] =>
  names.map((name) => {
    const found = ALL.find((pointer) => pointer.name === name);
    if (found === undefined) throw new Error(`no pointer is called ${name}`);
    return found;
  });

const MOVED = named(
  'stack',
  'array value',
  'record',
  'packet of XDP',
  'packet never checked',
  'context of XDP',
  'context of a tracepoint',
  'socket of the skb',
  'flow keys',
  'object',
  'slice of the packet only to be read',
  'map key',
  'current task',
  'buffer of a writable tracepoint',
  'memory only to be read',
);

/** 2^29, BPF_MAX_VAR_OFF. */
const FAR = 1 << 29;
const load: Item = ldx(1, r0, r6, 0);

const byConstant = (by: number): Item[] => [add(r6, by), add(r6, -by), load];
const byRegister = (by: bigint): Item[] => [
  ldImm64(r1, by),
  add(r6, r1),
  ldImm64(r2, -by),
  add(r6, r2),
  load,
];
/** An unknown number from `least` to `most`, added. */
const byUnknown = (least: number | undefined, most: number | undefined): Item[] => [
  ...(least === undefined ? [] : [jmp('slt', r8, least, 'skip')]),
  ...(most === undefined ? [] : [jmp('sgt', r8, most, 'skip')]),
  add(r6, r8),
];

const MOVES: Readonly<Record<string, Item[]>> = {
  ...Object.fromEntries(
    [FAR - 1, FAR, FAR + 1, -FAR + 1, -FAR, -FAR - 1].map((by) => [`by ${by}`, byConstant(by)]),
  ),
  ...Object.fromEntries(
    [BigInt(FAR), BigInt(FAR) - 1n, 1n << 40n, -(1n << 63n) + 1n, -BigInt(FAR) + 1n].map((by) => [
      `by ${by} in a register`,
      byRegister(by),
    ]),
  ),
  'back by as much as can be': [ldImm64(r1, -(1n << 63n)), sub(r6, r1)],
  'by half of it, twice': [add(r6, FAR / 2), add(r6, FAR / 2)],
  'by half of it, twice, but for one': [add(r6, FAR / 2), add(r6, FAR / 2 - 1)],
  'back by half of it, twice': [add(r6, -FAR / 2), add(r6, -FAR / 2)],
  'back by half of it, twice, but for one': [add(r6, -FAR / 2), add(r6, -FAR / 2 + 1)],
  ...Object.fromEntries(
    (
      [
        [0, FAR - 1],
        [0, FAR],
        [0, FAR + 1],
        [-FAR + 1, 0],
        [-FAR, 0],
        [-FAR - 1, 0],
        [FAR - 1, FAR - 1],
        [FAR - 2, FAR - 1],
        [FAR - 1, FAR],
        [FAR, FAR + 1],
        [undefined, 0],
        [0, undefined],
        [undefined, undefined],
      ] as const
    ).map(([least, most]) => [`by ${least ?? 'any'} to ${most ?? 'any'}`, byUnknown(least, most)]),
  ),
  'by up to FAR - 1, and read': [...byUnknown(0, FAR - 1), load],
  'by up to FAR, and read': [...byUnknown(0, FAR), load],
  'by up to FAR - 1, and back': [...byUnknown(0, FAR - 1), sub(r6, r8), load],
  'by up to half of it, twice': [...byUnknown(0, FAR / 2), add(r6, r8)],
  'by half of it, twice, unknown': [...byUnknown(FAR / 2, FAR / 2 + 1), add(r6, r8)],
  'back by half of it, twice, unknown': [...byUnknown(-FAR / 2 - 1, -FAR / 2), add(r6, r8)],
  'far, then by up to 8': [add(r6, FAR - 1), ...byUnknown(0, 8)],
  'by up to 8, then far': [...byUnknown(0, 8), add(r6, FAR - 1)],
  'by up to 8, then too far': [...byUnknown(0, 8), add(r6, FAR - 1), add(r6, 1)],
  'by up to 8, then too far back': [...byUnknown(0, 8), add(r6, -FAR + 1), add(r6, -1)],
  'by up to 8, then back': [...byUnknown(0, 8), add(r6, -8)],
  'by up to 8 of any sign, and read': [...byUnknown(-8, 8), load],
  'by up to 7, and read': [...byUnknown(0, 7), load],
  'by up to 7, and written': [...byUnknown(0, 7), st(1, r6, 0, 0)],
  'by more than can be, as it turns out': [alu('or', r8, 1), alu('lsh', r8, 40), add(r6, r8)],
};

const random: Item[] = [callHelper(7), mov(r8, r0)];
const STRICT = new Set(['stack', 'array value', 'record', 'packet of XDP', 'context of XDP']);

/** Every pointer, and every way far off. */
export const farMoves: Family = family(
  'far-moves',
  MOVED,
  Object.keys(MOVES),
  (pointer, move) =>
    small(pointer.type, { localTypes: RARE_OBJECTS }, (n) =>
      usingPointer(pointer, n, random, [...MOVES[move]!, label('skip')]),
    ),
  ({ name }) => STRICT.has(name),
);

const MET = named(
  'stack',
  'packet of an skb',
  'socket of the skb',
  'TCP socket',
  'value of a per-CPU map',
  'current task',
  'memory only to be read',
  'object that is kept',
  'task that is kept',
  'slice of the packet only to be read',
  'task that nobody counts',
);
const CONTEXT: Pointer = { name: 'context', type: 'tc', limit: 24, make: () => [mov(r6, r9)] };

const INSNS: Readonly<Record<string, Item[]>> = {
  read: [ldx(4, r0, r6, 0)],
  written: [st(4, r6, 0, 0)],
  'added to': [mov(r1, 1), atomic('add', 4, r6, 0, r1)],
  'read with acquire': [loadAcquire(4, r0, r6, 0)],
};

/** r6 is one of the two; which, nobody knows. */
const either = (n: Names, a: Pointer, b: Pointer, insn: readonly Item[]): Item[] => [
  mov(r9, r1),
  ...random,
  ...(a.name === 'stack' ? [st(8, r10, -24, 0)] : []),
  ...a.make(n),
  stx(8, r10, -200, r6),
  ...b.make(n).map((item) => renamed(item)),
  ldx(8, r7, r10, -200),
  jmp('eq', r8, 0, 'met'),
  mov(r6, r7),
  label('met'),
  ...insn,
  label('given'),
  label('other'),
  label('out'),
  mov(r0, 0),
  exit(),
];
const renamed = (item: Item): Item =>
  'target' in item && item.target === 'given' ? { ...item, target: 'other' } : item;

const PAIRS = [CONTEXT, ...MET];

/** One insn, through pointers of two kinds. */
export const metPointers: Family = family(
  'met-pointers',
  PAIRS,
  PAIRS.flatMap(({ name }) => Object.keys(INSNS).map((insn) => `${name} ${insn}`)),
  (pointer, column) => {
    const insn = Object.keys(INSNS).find((each) => column.endsWith(` ${each}`))!;
    const other = PAIRS.find(({ name }) => column === `${name} ${insn}`)!;
    return small('tc', { localTypes: RARE_OBJECTS }, (n) => either(n, pointer, other, INSNS[insn]!));
  },
  () => false,
);
