/** Maps of every type, and all that programs do with them: which functions take the map, and what may be done with what a lookup finds. */
import {
  atomic,
  callHelper,
  exit,
  jmp,
  ldFunc,
  ldx,
  mov,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r10,
  st,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import { MAP_TYPES, type MapDef } from '../../../src/object/program.js';
import { type Names, stackPointer } from '../kernel/case.js';
import { smallMap } from '../kernel/programs.js';
import { type Family, family, small } from './family.js';

const KEY = -64;
const VALUE = -48;

/** The first two arguments; 16 zero bytes at KEY and at VALUE. */
const mapAndKey = (n: Names, map: MapDef): Item[] => [n.map(r1, map), ...stackPointer(r2, KEY)];
const withValue = (n: Names, map: MapDef): Item[] => [
  ...mapAndKey(n, map),
  ...stackPointer(r3, VALUE),
  mov(r4, 0),
];
const found = (n: Names, map: MapDef, use: Item[]): Item[] => [
  ...mapAndKey(n, map),
  callHelper(1),
  jmp('eq', r0, 0, 'out'),
  ...use,
];
const queue = (helper: number) => (n: Names, map: MapDef) => [
  n.map(r1, map),
  ...stackPointer(r2, VALUE),
  mov(r3, 0),
  callHelper(helper),
];

const USES: Readonly<Record<string, (n: Names, map: MapDef) => Item[]>> = {
  'look up': (n, map) => found(n, map, [mov(r6, r0)]),
  'read what is found': (n, map) => found(n, map, [ldx(4, r6, r0, 0)]),
  'read a byte at its end': (n, map) => found(n, map, [ldx(1, r6, r0, map.valueSize - 1)]),
  'read behind its end': (n, map) => found(n, map, [ldx(1, r6, r0, map.valueSize)]),
  'write what is found': (n, map) => found(n, map, [st(4, r0, 0, 1)]),
  'add to what is found': (n, map) => found(n, map, [mov(r6, 1), atomic('add', 4, r0, 0, r6)]),
  'read what may not be found': (n, map) => [...mapAndKey(n, map), callHelper(1), ldx(4, r6, r0, 0)],
  'pass on what is found': (n, map) =>
    found(n, map, [mov(r1, r0), mov(r2, 4), mov(r3, 0), mov(r4, 0), callHelper(28)]),
  update: (n, map) => [...withValue(n, map), callHelper(2)],
  delete: (n, map) => [...mapAndKey(n, map), callHelper(3)],
  'look up on a CPU': (n, map) => [...mapAndKey(n, map), mov(r3, 0), callHelper(195)],
  push: queue(87),
  pop: queue(88),
  peek: queue(89),
  'for each': (n, map) => [n.map(r1, map), ldFunc(r2, 'callback'), mov(r3, 0), mov(r4, 0), callHelper(164)],
  redirect: (n, map) => [n.map(r1, map), mov(r2, 0), mov(r3, 0), callHelper(51)],
};

const REST: Readonly<Record<string, Item[]>> = {
  'for each': [label('callback'), mov(r0, 0), exit()],
};

const sized = (map: MapDef): MapDef =>
  map.inner === undefined ? map : { ...map, inner: { ...map.inner, name: 'in' } };

/** Each of them in an XDP program. */
export const mapUses: Family = family(
  'map-uses',
  MAP_TYPES.map((type) => ({ name: type, map: sized(smallMap(type)) })),
  Object.keys(USES),
  ({ map }, use) =>
    small('xdp', {}, (n) => [
      ...[0, 8].flatMap((off) => [st(8, r10, KEY + off, 0), st(8, r10, VALUE + off, 0)]),
      // What the entries of a map of maps are like is told by a map of the program.
      ...(map.inner === undefined ? [] : [n.map(r1, map.inner)]),
      ...USES[use]!(n, map),
      label('out'),
      mov(r0, 0),
      exit(),
      ...(REST[use] ?? []),
    ]),
  () => false,
);
