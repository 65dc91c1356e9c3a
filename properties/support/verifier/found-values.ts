/** What a lookup gives: where it cannot miss, and of two values what a check of one tells of the other. */
import { callHelper, jmp, ldx, mov, r0, r1, r2, r6, r7, r10, st, stx } from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { MapDef } from '../../../src/object/program.js';
import { arrayMap, done, lookedUp, type Names, stackPointer } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

// Lookups with keys that are known.

const KEYS: Readonly<Record<string, Item[]>> = {
  ...Object.fromEntries([0, 1, 2, 3, 4, -1].map((key) => [`key ${key}`, [st(4, r10, -8, key)]])),
  'key 0 of 8 bytes': [st(8, r10, -8, 0)],
  'key 1 of 8 bytes': [st(8, r10, -8, 1)],
  'key 1 in a register': [mov(r1, 1), stx(4, r10, -8, r1)],
  'key 1 in a register of 8 bytes': [mov(r1, 1), stx(8, r10, -8, r1)],
  'key of two halves': [st(2, r10, -8, 0), st(2, r10, -6, 0)],
  'key 1 of two halves': [st(2, r10, -8, 1), st(2, r10, -6, 0)],
  'key 0 one byte at a time': [st(1, r10, -8, 0), st(1, r10, -7, 0), st(1, r10, -6, 0), st(1, r10, -5, 0)],
  'unknown key': [ldx(4, r1, r10, -64), stx(4, r10, -8, r1)],
  'key 1 overwritten in part': [st(4, r10, -8, 1), ldx(4, r1, r10, -64), stx(1, r10, -7, r1)],
  'key cut to 1': [mov(r1, 257), stx(1, r10, -8, r1)],
};

const LOOKED_UP: readonly MapDef[] = [
  { ...arrayMap(16, 3), name: 'three' },
  { ...arrayMap(16, 1), name: 'one' },
  { ...arrayMap(16, 3), name: 'percpu', type: 'percpu_array' },
  { ...arrayMap(16, 3), name: 'hash', type: 'hash' },
];

/** What a lookup gives is read without a check: allowed only where it cannot miss. */
export const lookups: Family = family('lookups', LOOKED_UP, Object.keys(KEYS), (map, key) =>
  small('tc', {}, (n) => [
    st(8, r10, -64, 0),
    ...(key.includes('unknown') || key.includes('in part') ? [callHelper(7), stx(8, r10, -64, r0)] : []),
    ...KEYS[key]!,
    n.map(r1, map),
    ...stackPointer(r2, -8),
    callHelper(1),
    ldx(8, r0, r0, 0),
    ...done,
  ]),
);

// Two values that may be NULL, and what a check of one tells of the other.

const TWO: Readonly<Record<string, (n: Names) => Item[]>> = Object.fromEntries(
  [
    ['of one map', 0],
    ['of two maps', 1],
    ['one of them a copy', 2],
  ].map(([name, which]) => [
    name,
    (n: Names): Item[] => {
      const find = (at: number, into: typeof r6): Item[] =>
        lookedUp(n, LOOKED_UP[at]!, { key: 5, into }).filter((item) => item.kind !== 'linked');
      const second = which === 2 ? [mov(r7, r6)] : find(which === 1 ? 3 : 0, r7);
      return [...find(0, r6), ...second];
    },
  ]),
);

const USES: Readonly<Record<string, Item[]>> = {
  'the first after a check of it': [jmp('eq', r6, 0, 'out'), ldx(8, r0, r6, 0)],
  'the second after a check of the first': [jmp('eq', r6, 0, 'out'), ldx(8, r0, r7, 0)],
  'the first after a check of the second': [jmp('eq', r7, 0, 'out'), ldx(8, r0, r6, 0)],
  'both after checks of both': [
    jmp('eq', r7, 0, 'out'),
    jmp('eq', r6, 0, 'out'),
    ldx(8, r0, r6, 0),
    ldx(8, r0, r7, 0),
  ],
  'the second where the first is NULL': [jmp('ne', r6, 0, 'out'), ldx(8, r0, r7, 0)],
  'the second spilled, after a check of the first': [
    stx(8, r10, -40, r7),
    jmp('eq', r6, 0, 'out'),
    ldx(8, r7, r10, -40),
    ldx(8, r0, r7, 0),
  ],
  'the first spilled, after a check of it': [
    stx(8, r10, -40, r6),
    jmp('eq', r6, 0, 'out'),
    ldx(8, r7, r10, -40),
    ldx(8, r0, r7, 0),
  ],
};

export const twoValues: Family = family(
  'two-values',
  Object.keys(TWO).map((name) => ({ name })),
  Object.keys(USES),
  ({ name }, use) => small('tc', {}, (n) => [...TWO[name]!(n), ...USES[use]!, label('out'), ...done]),
);
