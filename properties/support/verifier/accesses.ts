/** Every kind of pointer, every kind of access, at each edge of what the pointer reaches: by the insn's offset, a constant, an unknown number. */
import {
  add,
  alu,
  and,
  atomic,
  callHelper,
  jmp,
  ldx,
  ldxs,
  loadAcquire,
  mov,
  r0,
  r1,
  r6,
  r8,
  r10,
  st,
  storeRelease,
  stx,
  sub,
} from '../../../src/isa/build.js';
import type { Size } from '../../../src/isa/insn.js';
import type { Item } from '../../../src/isa/label.js';
import { type Family, family, small } from './family.js';
import { OBJECTS, POINTERS, usingPointer } from './pointers.js';

interface Access {
  readonly name: string;
  readonly size: Size;
  readonly insn: (off: number) => Item[];
}

const number = mov(r1, 7);

const ACCESSES: readonly Access[] = [
  ...([1, 2, 4, 8] as const).map(
    (size): Access => ({ name: `u${size * 8} load`, size, insn: (off) => [ldx(size, r0, r6, off)] }),
  ),
  ...([1, 4] as const).map(
    (size): Access => ({ name: `s${size * 8} load`, size, insn: (off) => [ldxs(size, r0, r6, off)] }),
  ),
  ...([1, 4, 8] as const).map(
    (size): Access => ({
      name: `u${size * 8} store of a constant`,
      size,
      insn: (off) => [st(size, r6, off, 0)],
    }),
  ),
  ...([2, 8] as const).map(
    (size): Access => ({
      name: `u${size * 8} store of a number`,
      size,
      insn: (off) => [number, stx(size, r6, off, r1)],
    }),
  ),
  ...([4, 8] as const).map(
    (size): Access => ({
      name: `u${size * 8} store of a pointer`,
      size,
      insn: (off) => [stx(size, r6, off, r10)],
    }),
  ),
  ...([4, 8] as const).map(
    (size): Access => ({
      name: `u${size * 8} atomic add`,
      size,
      insn: (off) => [number, atomic('add', size, r6, off, r1)],
    }),
  ),
  { name: 'u64 atomic add of a pointer', size: 8, insn: (off) => [atomic('add', 8, r6, off, r10)] },
  {
    name: 'u64 atomic or that fetches',
    size: 8,
    insn: (off) => [number, atomic('or', 8, r6, off, r1, true)],
  },
  { name: 'u32 xchg', size: 4, insn: (off) => [number, atomic('xchg', 4, r6, off, r1)] },
  { name: 'u64 cmpxchg', size: 8, insn: (off) => [mov(r0, 0), number, atomic('cmpxchg', 8, r6, off, r1)] },
  { name: 'u8 load that acquires', size: 1, insn: (off) => [loadAcquire(1, r0, r6, off)] },
  { name: 'u64 load that acquires', size: 8, insn: (off) => [loadAcquire(8, r0, r6, off)] },
  { name: 'u16 store that releases', size: 2, insn: (off) => [number, storeRelease(2, r6, off, r1)] },
  { name: 'u64 store that releases', size: 8, insn: (off) => [number, storeRelease(8, r6, off, r1)] },
];

interface Place {
  /** Before the access: the pointer is moved. */
  readonly move: Item[];
  readonly off: number;
}

/** r8 is at most `most`. */
const atMost = (most: number): Item => jmp('gt', r8, most, 'skip');

/** Where the access is, for a pointer that reaches `limit` bytes. */
const PLACES: Readonly<Record<string, (limit: number, size: number) => Place>> = {
  start: () => ({ move: [], off: 0 }),
  'one byte before': () => ({ move: [], off: -1 }),
  'its size before': (_, size) => ({ move: [], off: -size }),
  'one byte in': () => ({ move: [], off: 1 }),
  'half in': () => ({ move: [], off: 4 }),
  'a word in': () => ({ move: [], off: 8 }),
  'two words in': () => ({ move: [], off: 16 }),
  'moved by 4': () => ({ move: [add(r6, 4)], off: 0 }),
  last: (limit, size) => ({ move: [], off: limit - size }),
  'one byte too far': (limit, size) => ({ move: [], off: limit - size + 1 }),
  beyond: (limit) => ({ move: [], off: limit }),
  'moved to the last': (limit, size) => ({ move: [add(r6, limit - size)], off: 0 }),
  'moved one byte too far': (limit, size) => ({ move: [add(r6, limit - size + 1)], off: 0 }),
  'moved before': () => ({ move: [add(r6, -8)], off: 0 }),
  'moved before and back': () => ({ move: [add(r6, -8)], off: 8 }),
  'moved by nothing': () => ({ move: [add(r6, 0)], off: 0 }),
  'taken back by nothing': () => ({ move: [sub(r6, 0)], off: 0 }),
  'unknown, up to the last': (limit, size) => ({ move: [atMost(limit - size), add(r6, r8)], off: 0 }),
  'unknown, up to one too far': (limit, size) => ({ move: [atMost(limit - size + 1), add(r6, r8)], off: 0 }),
  'unknown, aligned': () => ({ move: [and(r8, 8), add(r6, r8)], off: 0 }),
  'unknown, from one before': () => ({ move: [and(r8, 8), add(r6, r8)], off: -1 }),
  'unknown, backwards': () => ({ move: [and(r8, 8), sub(r6, r8)], off: 0 }),
  'unknown, back from the last': (limit, size) => ({
    move: [and(r8, 4), add(r6, limit - size), sub(r6, r8)],
    off: 0,
  }),
  'unknown sign': () => ({ move: [alu('arsh', r8, 2), jmp('sgt', r8, 4, 'skip'), add(r6, r8)], off: 0 }),
  unbounded: () => ({ move: [add(r6, r8)], off: 0 }),
};

const random: Item[] = [callHelper(7), mov(r8, r0)];

/** Accesses that are tried at every place; the others at a few. */
const EVERYWHERE: ReadonlySet<string> = new Set([
  'u8 load',
  'u64 load',
  'u32 store of a constant',
  'u64 store of a number',
  'u64 cmpxchg',
]);
const FEW: ReadonlySet<string> = new Set([
  'start',
  'one byte in',
  'half in',
  'a word in',
  'two words in',
  'last',
  'one byte too far',
]);

export const accesses: Family = family(
  'accesses',
  POINTERS.flatMap((pointer) =>
    ACCESSES.map((access) => ({ name: `${pointer.name}, ${access.name}`, pointer, access })),
  ),
  Object.keys(PLACES),
  ({ pointer, access }, place) => {
    if (!EVERYWHERE.has(access.name) && !FEW.has(place)) return undefined;
    const { move, off } = PLACES[place]!(pointer.limit, access.size);
    return small(pointer.type, { localTypes: OBJECTS }, (n) =>
      usingPointer(pointer, n, random, [...move, ...access.insn(off), { kind: 'label', name: 'skip' }]),
    );
  },
  ({ access }) => EVERYWHERE.has(access.name) || access.name.includes('pointer'),
);

export const ACCESSING: readonly Family[] = [accesses];
