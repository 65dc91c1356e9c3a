/** Addresses in an arena, and what looks like one: all that programs do with them, and with other values beside them. */
import {
  add,
  addrSpaceCast,
  alu,
  atomic,
  callHelper,
  callSub,
  end,
  exit,
  ja,
  jmp,
  ldx,
  ldxs,
  loadAcquire,
  mov,
  movsx,
  mul,
  neg,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r10,
  st,
  storeRelease,
  stx,
  sub,
  w0,
  w6,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import { MAP_FLAGS } from '../../../src/kernel/maptypes.js';
import type { MapDef } from '../../../src/object/program.js';
import { type Names, stackPointer } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

const ARENA: MapDef = {
  name: 'arena',
  type: 'arena',
  keySize: 0,
  valueSize: 0,
  maxEntries: 10,
  flags: MAP_FLAGS.MMAPABLE,
  extra: 1n << 44n,
  fields: [],
};
const VALUES: MapDef = {
  name: 'values',
  type: 'array',
  keySize: 4,
  valueSize: 16,
  maxEntries: 1,
  flags: 0,
  fields: [],
};

const SLOT = -8;
const BUFFER = -64;

/** Puts the value into r6. */
const VALUES_OF: Readonly<Record<string, (n: Names) => Item[]>> = {
  'number, cast to an address': () => [mov(r6, 64), addrSpaceCast(r6, r6, 0)],
  'address that was moved': () => [mov(r6, 64), addrSpaceCast(r6, r6, 0), add(r6, 8)],
  'number plus address': () => [mov(r7, 64), addrSpaceCast(r7, r7, 0), mov(r6, 8), add(r6, r7)],
  'address that was spilled': () => [
    mov(r6, 64),
    addrSpaceCast(r6, r6, 0),
    stx(8, r10, SLOT, r6),
    mov(r6, 0),
    ldx(8, r6, r10, SLOT),
  ],
  'half of an address': () => [mov(r6, 64), addrSpaceCast(r6, r6, 0), mov(w6, w6)],
  'address of user space': () => [mov(r6, 64), addrSpaceCast(r6, r6, 0), addrSpaceCast(r6, r6, 1)],
  'stack, cast to an address': () => [mov(r6, r10), addrSpaceCast(r6, r6, 0)],
  'variable in the arena': (n) => [n.value(r6, ARENA, 16)],
  'end of the arena': (n) => [n.value(r6, ARENA, 40960)],
  'behind the arena': (n) => [n.value(r6, ARENA, 40968)],
  'allocated page': (n) => [
    n.map(r1, ARENA),
    mov(r2, 0),
    mov(r3, 1),
    mov(r4, -1),
    mov(r5, 0),
    n.kfunc('bpf_arena_alloc_pages'),
    mov(r6, r0),
  ],
  number: () => [mov(r6, 64)],
  stack: () => [mov(r6, r10), add(r6, BUFFER)],
  'map value': (n) => [n.value(r6, VALUES, 0)],
};

const USES: Readonly<Record<string, (n: Names) => Item[]>> = {
  'load a byte': () => [ldx(1, r7, r6, 0)],
  'load a word far away': () => [ldx(8, r7, r6, 32760)],
  'load a word before it': () => [ldx(8, r7, r6, -32768)],
  'load misaligned': () => [ldx(8, r7, r6, 3)],
  'load signed': () => [ldxs(4, r7, r6, 0)],
  'load what may be an index': () =>
    [ldx(1, r7, r6, 0), jmp('gt', r7, 15, 'out'), n2(r8), add(r8, r7), ldx(1, r7, r8, 0)].flat(),
  'load through what is loaded': () => [ldx(8, r7, r6, 0), ldx(8, r7, r7, 0)],
  store: () => [st(8, r6, 0, 1)],
  'store misaligned': () => [st(8, r6, 5, 1)],
  'store an address': () => [stx(8, r6, 0, r6)],
  'store the stack pointer': () => [stx(8, r6, 0, r10)],
  'add atomically': () => [mov(r7, 1), atomic('add', 8, r6, 0, r7)],
  'add misaligned': () => [mov(r7, 1), atomic('add', 8, r6, 4, r7)],
  'add the address atomically': () => [atomic('add', 8, r6, 0, r6)],
  exchange: () => [mov(r7, 1), atomic('xchg', 4, r6, 0, r7)],
  'compare and exchange': () => [mov(r0, 0), mov(r7, 1), atomic('cmpxchg', 8, r6, 0, r7)],
  'load and acquire': () => [loadAcquire(8, r7, r6, 0)],
  'store and release': () => [mov(r7, 1), storeRelease(8, r6, 0, r7)],
  'add a number': () => [add(r6, 100), ldx(1, r7, r6, 0)],
  'add to a number': () => [mov(r7, 100), add(r7, r6), ldx(1, r7, r7, 0)],
  'add much': () => [add(r6, 0x7fff_ffff), ldx(1, r7, r6, 0)],
  'add a half': () => [add(w6, 100), ldx(1, r7, r6, 0)],
  multiply: () => [mul(r6, 3), ldx(1, r7, r6, 0)],
  mask: () => [alu('and', r6, -8), ldx(1, r7, r6, 0)],
  shift: () => [alu('lsh', r6, 3), ldx(1, r7, r6, 0)],
  'shift too far': () => [alu('lsh', r6, 64), ldx(1, r7, r6, 0)],
  'divide by zero': () => [alu('div', r6, 0), ldx(1, r7, r6, 0)],
  'subtract itself': () => [sub(r6, r6), ldx(1, r7, r6, 0)],
  'subtract the stack pointer': () => [sub(r6, r10), ldx(1, r7, r6, 0)],
  'subtract from the stack pointer': () => [mov(r7, r10), sub(r7, r6), ldx(1, r7, r7, 0)],
  'add to a map value': (n) => [n.value(r7, VALUES, 0), add(r7, r6), ldx(1, r7, r7, 0)],
  negate: () => [neg(r6), ldx(1, r7, r6, 0)],
  'swap its bytes': () => [end('bswap', 64, r6), ldx(1, r7, r6, 0)],
  'copy half of it': () => [mov(w6, w6), ldx(1, r7, r6, 0)],
  'extend its sign': () => [movsx(32, r6, r6), ldx(1, r7, r6, 0)],
  'cast to an address': () => [addrSpaceCast(r7, r6, 0), ldx(1, r7, r7, 0)],
  'cast for user space': () => [addrSpaceCast(r7, r6, 1), ldx(1, r7, r7, 0)],
  'compare with zero': () => [jmp('eq', r6, 0, 'out'), ldx(1, r7, r6, 0)],
  'compare with itself': () => [jmp('ne', r6, r6, 'out'), ldx(1, r7, r6, 0)],
  'compare with a map value': (n) => [n.value(r7, VALUES, 0), jmp('gt', r6, r7, 'out'), ldx(1, r7, r6, 0)],
  'decide by it': () => [jmp('gt', r6, 100, 'out'), mov(r1, 0), ldx(1, r1, r1, 0)],
  'return it': () => [mov(r0, r6), exit()],
  'spill a half': () => [stx(4, r10, SLOT, r6), ldx(4, r7, r10, SLOT)],
  'spill and load through it': () => [stx(8, r10, SLOT, r6), ldx(8, r7, r10, SLOT), ldx(1, r7, r7, 0)],
  'store into a map value': (n) => [n.value(r7, VALUES, 0), stx(8, r7, 0, r6)],
  'read by a helper': () => [mov(r1, r6), mov(r2, 4), mov(r3, 0), mov(r4, 0), callHelper(28)],
  'written by a helper': () => [mov(r1, r6), mov(r2, 4), mov(r3, r10), callHelper(113)],
  'key of a map': (n) => [n.map(r1, VALUES), mov(r2, r6), callHelper(1)],
  'flags of a helper': (n) => [
    st(8, r10, BUFFER, 0),
    st(8, r10, BUFFER + 8, 0),
    n.map(r1, VALUES),
    ...stackPointer(r2, BUFFER),
    ...stackPointer(r3, BUFFER),
    mov(r4, r6),
    callHelper(2),
  ],
  'number of a kfunc': (n) => [mov(r1, r6), n.kfunc('bpf_task_from_pid'), mov(r0, 0), ja('out')],
  'free the page': (n) => [n.map(r1, ARENA), mov(r2, r6), mov(r3, 1), n.kfunc('bpf_arena_free_pages')],
  'pages of a map that is no arena': (n) => [
    n.map(r1, VALUES),
    mov(r2, r6),
    mov(r3, 1),
    n.kfunc('bpf_arena_free_pages'),
  ],
  'pages of what is no map': (n) => [mov(r1, r6), mov(r2, 0), mov(r3, 1), n.kfunc('bpf_arena_free_pages')],
  'as many pages as it is': (n) => [
    n.map(r1, ARENA),
    mov(r2, 0),
    mov(r3, r6),
    n.kfunc('bpf_arena_free_pages'),
  ],
  'pass to a function': () => [mov(r1, r6), callSub('function')],
  'pass to a global function': () => [mov(r1, r6), callSub('global')],
  'load, or load from the stack': (n) => [
    st(8, r10, SLOT, 0),
    ...either(n),
    mov(r6, r10),
    add(r6, SLOT),
    label('both'),
    ldx(8, r7, r6, 0),
  ],
  'store, or store to the stack': (n) => [
    ...either(n),
    mov(r6, r10),
    add(r6, SLOT),
    label('both'),
    st(8, r6, 0, 0),
  ],
  'copy, or copy a number': (n) => [...either(n), mov(r6, 5), label('both'), mov(r7, r6)],
  'add a half, or to a number': (n) => [...either(n), mov(r6, 5), label('both'), add(w6, 1)],
  'add, or to a number': (n) => [...either(n), mov(r6, 5), label('both'), add(r6, 1), mov(w0, w6)],
};

/** The address of 16 bytes on the stack that are zero. */
function n2(reg: typeof r8): Item[] {
  return [st(8, r10, BUFFER, 0), st(8, r10, BUFFER + 8, 0), ...stackPointer(reg, BUFFER)];
}

/** Goes to `both` or on; nothing is known of which. */
function either(n: Names): Item[] {
  return [n.value(r7, VALUES, 0), ldx(8, r7, r7, 0), jmp('gt', r7, 7, 'both')];
}

/** Functions behind the main one. */
const REST: Readonly<Record<string, Item[]>> = {
  'pass to a function': [label('function'), ldx(1, r0, r1, 0), exit()],
  'pass to a global function': [label('global'), mov(r0, 0), exit()],
};

/** Each of them in a program that may sleep. The address of the arena is taken in all, for a program has an arena only if it names it. */
export const arenas: Family = family(
  'arenas',
  Object.entries(VALUES_OF).map(([name, items]) => ({ name, items })),
  Object.keys(USES),
  ({ items }, use) =>
    small('syscall', { sleepable: true, globals: ['global'] }, (n) => [
      n.map(r0, ARENA),
      ...items(n),
      ...USES[use]!(n),
      label('out'),
      mov(r0, 0),
      exit(),
      ...(REST[use] ?? []),
    ]),
  () => false,
  /a 64-bit insn that works on an address in the arena/,
);
