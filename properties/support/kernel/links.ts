/** Numbers that are linked, equal or a constant apart: what a jump tells of one it tells of the others. And what atomic operations fetch. */
import {
  add,
  and,
  atomic,
  callHelper,
  callSub,
  exit,
  jmp,
  ldx,
  lsh,
  mov,
  movsx,
  or,
  r0,
  r2,
  r3,
  r6,
  r7,
  r8,
  r9,
  r10,
  st,
  stx,
  sub,
  w0,
  w6,
  w7,
  w8,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import { arrayMap, done, type KernelCase, kernelCase, lookedUp, type Names, out } from './case.js';

/** r6 points to 64 bytes; leads to `out` where there are none. */
const bytes = (names: Names): Item[] => [...lookedUp(names, arrayMap(64)), callHelper(7)];

const sums: KernelCase[] = [
  kernelCase('links: a bound of a number bounds what is more by a constant', 'xdp', {}, (names) => [
    ...bytes(names),
    mov(r7, r0),
    add(r7, 8),
    jmp('gt', r0, 40, 'out'),
    add(r6, r7),
    ldx(8, r0, r6, 0),
    ...out,
  ]),
  kernelCase('links: and the other way round', 'xdp', {}, (names) => [
    ...bytes(names),
    mov(r7, r0),
    add(r7, 8),
    jmp('gt', r7, 63, 'out'),
    jmp('lt', r7, 8, 'out'),
    add(r6, r0),
    ldx(1, r0, r6, 0),
    ...out,
  ]),
  kernelCase(
    'links: but not one byte too few',
    'xdp',
    { verdict: 'EACCES', message: 'R6 max value is outside of the allowed memory range' },
    (names) => [
      ...bytes(names),
      mov(r7, r0),
      add(r7, 8),
      jmp('gt', r0, 49, 'out'),
      add(r6, r7),
      ldx(8, r0, r6, 0),
      ...out,
    ],
  ),
  kernelCase('links: two sums are none', 'xdp', { verdict: 'EINVAL' }, (names) => [
    ...bytes(names),
    mov(r7, r0),
    add(r7, 4),
    add(r7, 4),
    jmp('gt', r0, 40, 'out'),
    add(r6, r7),
    ldx(8, r0, r6, 0),
    ...out,
  ]),
  kernelCase('links: a difference is a sum', 'xdp', {}, (names) => [
    ...bytes(names),
    mov(r7, r0),
    sub(r7, 8),
    jmp('gt', r0, 40, 'out'),
    jmp('lt', r0, 8, 'out'),
    add(r6, r7),
    ldx(8, r0, r6, 0),
    ...out,
  ]),
];

/** The same, with r8 known to fit in 32 bits. */
const word = (names: Names): Item[] => [...bytes(names), mov(r8, r0), jmp('gt', r8, 0x7fff_ffff, 'out')];

const OUTSIDE = {
  verdict: 'EACCES',
  message: 'R6 max value is outside of the allowed memory range',
} as const;
const BEYOND = { verdict: 'EACCES', message: 'R6 min value is outside of the allowed memory range' } as const;
const FAR = {
  verdict: 'EINVAL',
  message: 'value 4294967296 makes map_value pointer be out of bounds',
} as const;
const UNBOUNDED = {
  verdict: 'EACCES',
  message: 'R6 unbounded memory access, make sure to bounds check any such access',
} as const;
const UNKNOWN = {
  verdict: 'EINVAL',
  message: 'math between map_value pointer and register with unbounded min value is not allowed',
} as const;

const words: KernelCase[] = [
  kernelCase('links: a sum of 32 bits is linked to what fits in them', 'xdp', {}, (names) => [
    ...[...word(names), mov(r7, r8), add(w7, 8)],
    jmp('gt', r8, 40, 'out'),
    ...[add(r6, r7), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: and so is a difference, from the other side', 'xdp', {}, (names) => [
    ...[...word(names), mov(r7, r8), sub(w7, 8)],
    jmp('gt', r7, 40, 'out'),
    ...[add(r6, r8), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: a sum of 32 bits wraps', 'xdp', {}, (names) => [
    ...[...bytes(names), mov(w8, w0), mov(r7, r8), add(w7, 8)],
    jmp('lt', w8, -8, 'out'),
    ...[add(r6, r7), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: of 64 bits it does not', 'xdp', FAR, (names) => [
    ...[...bytes(names), mov(w8, w0), mov(r7, r8), add(r7, 8)],
    jmp('lt', w8, -8, 'out'),
    ...[add(r6, r7), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: the low half of what does not fit is another number', 'xdp', UNBOUNDED, (names) => [
    ...[...bytes(names), mov(r8, r0), mov(r7, r8), add(w7, 8)],
    jmp('gt', r8, 40, 'out'),
    ...[add(r6, r7), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: a sum of 32 bits tells nothing of one of 64', 'xdp', UNBOUNDED, (names) => [
    ...[...word(names), mov(r7, r8), add(w7, 4), mov(r9, r8), add(r9, 8)],
    jmp('gt', r7, 40, 'out'),
    ...[add(r6, r9), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: nothing is a sum too, and there is only one', 'xdp', UNKNOWN, (names) => [
    ...[...bytes(names), mov(r7, r0), add(r7, 0), add(r7, 8)],
    jmp('gt', r0, 40, 'out'),
    ...[add(r6, r7), ldx(8, r0, r6, 0)],
    ...out,
  ]),
];

/** r0 and six more places hold the same number, which then is known to be at most 40. */
const seven = (names: Names): Item[] => [
  ...[...bytes(names), mov(r7, r0), mov(r8, r0), mov(r9, r0)],
  ...[stx(8, r10, -8, r0), stx(8, r10, -16, r0), stx(8, r10, -24, r0)],
  jmp('gt', r0, 40, 'out'),
];
const all: Item[] = [stx(8, r10, -32, r7), stx(8, r10, -40, r8), stx(8, r10, -48, r9)];

const many: KernelCase[] = [
  kernelCase('links: six places learn from a jump', 'xdp', {}, (names) => [
    ...[...seven(names), ldx(8, r2, r10, -16), ...all],
    ...[add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: the seventh does not', 'xdp', UNKNOWN, (names) => [
    ...[...seven(names), ldx(8, r2, r10, -24), ...all],
    ...[add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: but it does where a register is dead', 'xdp', {}, (names) => [
    ...[...seven(names), ldx(8, r2, r10, -24), stx(8, r10, -32, r7), stx(8, r10, -40, r8)],
    ...[add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
];

const twice: KernelCase[] = [
  kernelCase('links: a branch that is decided the second time', 'xdp', {}, () => [
    ...[callHelper(7), mov(r3, r0), callSub('f')],
    ...[mov(r3, 5), callSub('f')],
    ...done,
    label('f'),
    mov(r0, r3),
    jmp('gt', r0, 8, 'far'),
    ...[mov(r0, 5), exit()],
    label('far'),
    ...[mov(r0, 2), exit()],
  ]),
];

const copies: KernelCase[] = [
  kernelCase('links: a sign extension that changes nothing is a copy', 'xdp', {}, (names) => [
    ...[...bytes(names), mov(r8, r0), jmp('gt', r8, 127, 'out'), movsx(8, r7, r8)],
    jmp('gt', r8, 40, 'out'),
    ...[add(r6, r7), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: one of a half is, too, though it forgets which bits are clear', 'xdp', {}, (names) => [
    ...[...bytes(names), mov(r8, r0), and(r8, 56), movsx(16, w7, w8)],
    jmp('gt', w7, 40, 'out'),
    ...[add(r6, r8), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: one that may change something is none', 'xdp', OUTSIDE, (names) => [
    ...[...bytes(names), mov(r8, r0), jmp('gt', r8, 255, 'out'), movsx(8, r7, r8), and(r7, 255)],
    jmp('gt', r8, 40, 'out'),
    ...[add(r6, r7), ldx(1, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: the low half of a number is no copy of it', 'xdp', BEYOND, (names) => [
    ...[...bytes(names), mov(r8, r0), lsh(r8, 32), or(r8, 72), movsx(16, w7, w8)],
    jmp('ne', r8, 40, 'read'),
    label('read'),
    ...[add(r6, r7), ldx(1, r0, r6, 0)],
    ...out,
  ]),
  kernelCase(
    'links: the low half of an address is a number',
    'xdp',
    { verdict: 'EACCES', message: "R7 invalid mem access 'scalar'" },
    (names) => [...bytes(names), movsx(8, w7, w6), ldx(1, r0, r7, 0), ...out],
  ),
  kernelCase('links: a slot that lost its link gives none', 'xdp', UNKNOWN, (names) => [
    ...[...seven(names), ldx(8, r2, r10, -24), ldx(8, r3, r10, -24), ...all],
    jmp('gt', r3, 40, 'out'),
    ...[add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
];

const fetched: KernelCase[] = [
  kernelCase('links: what is exchanged with a slot is what was there', 'xdp', {}, (names) => [
    ...[...bytes(names), st(8, r10, -16, 8), mov(r2, 0), atomic('xchg', 8, r10, -16, r2, true)],
    ...[add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: what is added to was there', 'xdp', {}, (names) => [
    ...[...bytes(names), st(8, r10, -16, 8), mov(r2, 80), atomic('add', 8, r10, -16, r2, true)],
    ...[add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: what is compared with is not what was there', 'xdp', {}, (names) => [
    ...[...bytes(names), st(8, r10, -16, 8), mov(r0, 80), mov(r2, 80)],
    ...[atomic('cmpxchg', 8, r10, -16, r2, true), add(r6, r0), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: afterwards anything is there', 'xdp', UNKNOWN, (names) => [
    ...[...bytes(names), st(8, r10, -16, 8), mov(r2, 8), atomic('xchg', 8, r10, -16, r2, true)],
    ...[ldx(8, r2, r10, -16), add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: half of what was there', 'xdp', {}, (names) => [
    ...[...bytes(names), mov(r2, 8), stx(8, r10, -16, r2), mov(r2, 0), atomic('xchg', 4, r10, -16, r2, true)],
    ...[add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: one byte of zero over a number', 'xdp', {}, (names) => [
    ...[...bytes(names), stx(8, r10, -16, r0), mov(r2, 0), stx(1, r10, -16, r2)],
    ...[ldx(1, r2, r10, -16), add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
  kernelCase('links: an address that was there', 'xdp', {}, (names) => [
    ...[...bytes(names), stx(8, r10, -16, r6), mov(r2, 0), atomic('xchg', 8, r10, -16, r2, true)],
    ldx(8, r0, r2, 0),
    ...out,
  ]),
  kernelCase('links: a copy of what was there', 'xdp', {}, (names) => [
    ...[...bytes(names), stx(8, r10, -16, r0), mov(r2, 0), atomic('xchg', 8, r10, -16, r2, true)],
    jmp('gt', r0, 40, 'out'),
    ...[add(r6, r2), ldx(8, r0, r6, 0)],
    ...out,
  ]),
];

export const linkCases: readonly KernelCase[] = [...sums, ...words, ...many, ...twice, ...copies, ...fetched];
