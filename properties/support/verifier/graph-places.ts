/** Lists and trees of objects that have two nodes each: by which node an object is put in, under which lock, and what is taken for its root. */
import {
  add,
  callHelper,
  exit,
  jmp,
  ldFunc,
  mov,
  type Reg,
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
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { LocalType, MapDef } from '../../../src/object/program.js';
import { arrayMap, type Names } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

type Graph = 'list' | 'rbtree';
const SIZE = { list: 24, rbtree: 32 } as const;
const NODE = { list: 'list_node', rbtree: 'rb_node' } as const;
const ROOT = { list: 'list_head', rbtree: 'rb_root' } as const;

/** Two nodes, `a` behind a word and `b` behind it. */
const typeOf = (graph: Graph): LocalType => ({
  name: `two_${graph}`,
  size: 8 + 2 * SIZE[graph],
  fields: [
    { kind: NODE[graph], offset: 8, size: SIZE[graph], node: 'a' },
    { kind: NODE[graph], offset: 8 + SIZE[graph], size: SIZE[graph], node: 'b' },
  ],
  id: 1,
});

const mapOf = (graph: Graph, node: string, name: string): MapDef => ({
  ...arrayMap(24),
  name,
  maxEntries: 1,
  fields: [
    { kind: 'spin_lock', offset: 0, size: 4 },
    { kind: ROOT[graph], offset: 8, size: 16, struct: `two_${graph}`, node },
  ],
});

/** r7 and r8 are values of the first map, looked up one after the other; r1 = the value that is meant. */
const VALUES: Readonly<Record<string, (n: Names, maps: readonly MapDef[]) => Item[]>> = {
  first: () => [mov(r1, r7)],
  second: () => [mov(r1, r8)],
  'the map itself': (n, [map]) => [n.value(r1, map!)],
  'another map': (n, [, other]) => [n.value(r1, other!)],
};

const lookUp = (n: Names, map: MapDef, into: Reg<64>, key: number): Item[] => [
  st(4, r10, -4, key),
  n.map(r1, map),
  mov(r2, r10),
  add(r2, -4),
  callHelper(1),
  jmp('eq', r0, 0, 'out'),
  mov(into, r0),
];

const PLACES = ['before the nodes', 'a', 'b', 'behind a byte of a'] as const;
const offsetIn = (graph: Graph, place: string): number =>
  place === 'a' ? 8 : place === 'b' ? 8 + SIZE[graph] : place === 'before the nodes' ? 0 : 9;

const ROWS = (['list', 'rbtree'] as const).flatMap((graph) =>
  ['a', 'b'].flatMap((node) =>
    Object.keys(VALUES).map((lock) => ({ name: `${graph} of ${node}, locked: ${lock}`, graph, node, lock })),
  ),
);

export const graphPlaces: Family = family(
  'graph-places',
  ROWS,
  Object.keys(VALUES).flatMap((root) => PLACES.map((place) => `${root} by ${place}`)),
  ({ graph, node, lock }, column) => {
    const [, root, place] = /^(.*) by (.*)$/.exec(column)!;
    const maps = ['one', 'two'].map((name) => mapOf(graph, node, name));
    return small('tc', { localTypes: [typeOf(graph)] }, (n) => [
      ...lookUp(n, maps[0]!, r7, 0),
      ...lookUp(n, maps[0]!, r8, 1),
      mov(r1, 1),
      mov(r2, 0),
      n.kfunc('bpf_obj_new_impl'),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      ...VALUES[lock]!(n, maps),
      callHelper(93),
      ...VALUES[root!]!(n, maps),
      add(r1, 8),
      mov(r2, r6),
      add(r2, offsetIn(graph, place!)),
      ...(graph === 'list' ? [mov(r3, 0)] : [ldFunc(r3, 'less')]),
      mov(r4, 0),
      mov(r5, 0),
      n.kfunc(graph === 'list' ? 'bpf_list_push_back_impl' : 'bpf_rbtree_add_impl'),
      ...VALUES[lock]!(n, maps),
      callHelper(94),
      label('out'),
      mov(r0, 0),
      exit(),
      ...(graph === 'list' ? [] : [label('less'), mov(r0, 0), exit()]),
    ]);
  },
  () => false,
);
