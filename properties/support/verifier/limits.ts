/** Numbers that Linux limits: sizes, offsets and counts, just below the limit, at it and just above. */
import {
  add,
  callHelper,
  exit,
  jmp,
  ldx,
  mov,
  movsx,
  type Reg,
  r0,
  r1,
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
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { LocalType, ProgType } from '../../../src/object/program.js';
import { arrayMap, type Names } from '../kernel/case.js';
import { type Family, family, type Needs, small } from './family.js';

interface Limit {
  readonly name: string;
  readonly type: ProgType;
  /** The limit, and how far its neighbours are away. */
  readonly at: number;
  readonly step: number;
  readonly needs?: (n: number) => Needs;
  readonly body: (names: Names, n: number) => readonly Item[];
}

const FAR = 1 << 29;
const PACKET = 0xffff;
/** An object of the program of so many bytes. */
const object = (size: number): LocalType => ({ name: 'thing', size, fields: [], id: 1 });
const end = [mov(r0, 0), exit()];

/** A number up to `n` in a register, which the verifier does not know otherwise. */
const upTo = (reg: Reg<64>, n: number): Item[] => [
  callHelper(7),
  mov(reg, r0),
  jmp('le', reg, n, `fits${n}`),
  ...end,
  label(`fits${n}`),
];

const value = (names: Names): Item[] => [names.value(r6, arrayMap(64))];
const objectOf =
  (kfunc: string, drop: string) =>
  (names: Names): Item[] => [
    mov(r1, 1),
    mov(r2, 0),
    names.kfunc(kfunc),
    jmp('eq', r0, 0, 'out'),
    mov(r1, r0),
    mov(r2, 0),
    names.kfunc(drop),
    label('out'),
    ...end,
  ];

const LIMITS: readonly Limit[] = [
  ...(['bpf_percpu_obj_new_impl', 'bpf_obj_new_impl'] as const).map(
    (kfunc): Limit => ({
      name: `${kfunc} of n bytes`,
      type: 'tc',
      at: 512,
      step: 8,
      needs: (n) => ({ localTypes: [object(n)] }),
      body: (names) => objectOf(kfunc, kfunc.replace('new', 'drop'))(names),
    }),
  ),
  ...[FAR, -FAR].flatMap((at): Limit[] => [
    {
      name: `a value moved by ${at}`,
      type: 'tc',
      at,
      step: 1,
      body: (m, n) => [...value(m), add(r6, n), ...end],
    },
    {
      name: `a value moved by ${at} in two steps`,
      type: 'tc',
      at,
      step: 1,
      body: (m, n) => [...value(m), add(r6, n / 2 < 0 ? -5 : 5), add(r6, n - (n < 0 ? -5 : 5)), ...end],
    },
    {
      name: `a value moved by ${at} from a register`,
      type: 'tc',
      at,
      step: 1,
      body: (m, n) => [...value(m), mov(r7, n), add(r6, r7), ...end],
    },
    {
      name: `a value moved back by ${at}`,
      type: 'tc',
      at,
      step: 1,
      body: (m, n) => [...value(m), sub(r6, n), ...end],
    },
    {
      name: `the stack moved by ${at}`,
      type: 'tc',
      at,
      step: 1,
      body: (_, n) => [mov(r6, r10), add(r6, n), ...end],
    },
    {
      name: `a packet moved by ${at}`,
      type: 'tc',
      at,
      step: 1,
      body: (_, n) => [ldx(4, r6, r1, 76), add(r6, n), ...end],
    },
  ]),
  {
    name: 'a value moved by up to n',
    type: 'tc',
    at: FAR,
    step: 1,
    body: (m, n) => [...upTo(r7, n), ...value(m), add(r6, r7), ...end],
  },
  {
    name: 'a packet moved by up to n, and read',
    type: 'tc',
    at: PACKET,
    step: 1,
    body: (_, n) => [
      mov(r9, r1),
      ...upTo(r7, n),
      ldx(4, r6, r9, 76),
      ldx(4, r8, r9, 80),
      add(r6, r7),
      mov(r2, r6),
      add(r2, 1),
      jmp('gt', r2, r8, 'out'),
      ldx(1, r3, r6, 0),
      label('out'),
      ...end,
    ],
  },
  {
    name: 'a packet of n bytes, its last byte read',
    type: 'tc',
    at: PACKET,
    step: 1,
    body: (_, n) => [
      ldx(4, r6, r1, 76),
      ldx(4, r8, r1, 80),
      mov(r2, r6),
      add(r2, n),
      jmp('gt', r2, r8, 'out'),
      mov(r3, r6),
      add(r3, n - 1),
      ldx(1, r3, r3, 0),
      label('out'),
      ...end,
    ],
  },
  ...[
    ['a store to the stack', (n: number): Item[] => [st(8, r10, n, 0), ...end]],
    ['a load from the stack', (n: number): Item[] => [ldx(8, r2, r10, n), ...end]],
    ['the stack moved', (n: number): Item[] => [mov(r6, r10), add(r6, n), ...end]],
    ['the stack moved and used', (n: number): Item[] => [mov(r6, r10), add(r6, n), st(1, r6, 0, 0), ...end]],
    ['a spill', (n: number): Item[] => [stx(8, r10, n, r1), ldx(8, r2, r10, n), ...end]],
  ].flatMap(([name, body]) =>
    [-512, 0, -8].map(
      (at): Limit => ({
        name: `${name as string} at ${at}`,
        type: 'tc',
        at,
        step: 1,
        body: (_, n) => (body as (n: number) => Item[])(n),
      }),
    ),
  ),
  {
    name: 'a value read at n',
    type: 'tc',
    at: 56,
    step: 1,
    body: (m, n) => [...value(m), ldx(8, r2, r6, n), ...end],
  },
  {
    name: 'a value read by a function, n bytes',
    type: 'tc',
    at: 64,
    step: 1,
    body: (m, n) => [
      ...value(m),
      mov(r1, r10),
      add(r1, -64),
      mov(r2, n),
      mov(r3, r6),
      callHelper(113),
      ...end,
    ],
  },
  {
    name: 'a value written by a function, n bytes',
    type: 'tc',
    at: 64,
    step: 1,
    body: (m, n) => [...value(m), mov(r1, r6), mov(r2, n), mov(r3, 0), callHelper(113), ...end],
  },
  {
    name: 'a value moved by up to n, and read',
    type: 'tc',
    at: 56,
    step: 1,
    body: (m, n) => [...upTo(r7, n), ...value(m), add(r6, r7), ldx(8, r2, r6, 0), ...end],
  },
  {
    name: 'a value moved down by up to n, and read',
    type: 'tc',
    at: 56,
    step: 1,
    body: (m, n) => [...upTo(r7, n), ...value(m), add(r6, 56), sub(r6, r7), ldx(8, r2, r6, 0), ...end],
  },
  {
    name: 'a signed byte, and n more',
    type: 'tc',
    at: 128,
    step: 1,
    body: (_, n) => [
      callHelper(7),
      movsx(8, r7, r0),
      add(r7, n),
      jmp('slt', r7, 0, 'negative'),
      ...end,
      label('negative'),
      ldx(8, r2, r7, 0),
      ...end,
    ],
  },
  {
    name: 'a record of n bytes, its last read',
    type: 'tc',
    at: 16,
    step: 1,
    body: (names, n) => [
      names.map(r1, {
        name: 'rb',
        type: 'ringbuf',
        keySize: 0,
        valueSize: 0,
        maxEntries: 4096,
        flags: 0,
        fields: [],
      }),
      mov(r2, 16),
      mov(r3, 0),
      callHelper(131),
      jmp('eq', r0, 0, 'out'),
      ldx(1, r6, r0, n - 1),
      mov(r1, r0),
      mov(r2, 0),
      callHelper(133),
      label('out'),
      ...end,
    ],
  },
];

export const limits: Family = family('limits', LIMITS, ['below', 'at', 'above'], (limit, column) => {
  const n = limit.at + { below: -1, at: 0, above: 1 }[column as 'at'] * limit.step;
  return small(limit.type, limit.needs?.(n) ?? {}, (names) => limit.body(names, n));
});
