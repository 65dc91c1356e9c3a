/** Nodes of lists and trees: who holds them, before and after they are put in. */
import {
  add,
  callHelper,
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
  st,
} from '../../../src/isa/build.js';
import { type Item, label } from '../../../src/isa/label.js';
import type { LocalType, MapDef } from '../../../src/object/program.js';
import { arrayMap, done } from '../kernel/case.js';
import { type Family, family, small } from './family.js';

// Nodes of lists and trees.

const NODES: Readonly<Record<'list' | 'rbtree', { readonly type: LocalType; readonly map: MapDef }>> = {
  list: {
    type: { name: 'node_data', size: 40, fields: [{ kind: 'list_node', offset: 8, size: 24 }], id: 1 },
    map: {
      ...arrayMap(24),
      name: 'list',
      fields: [
        { kind: 'spin_lock', offset: 0, size: 4 },
        { kind: 'list_head', offset: 8, size: 16, struct: 'node_data', node: 'node' },
      ],
    },
  },
  rbtree: {
    type: { name: 'tree_data', size: 48, fields: [{ kind: 'rb_node', offset: 8, size: 32 }], id: 1 },
    map: {
      ...arrayMap(24),
      name: 'tree',
      fields: [
        { kind: 'spin_lock', offset: 0, size: 4 },
        { kind: 'rb_root', offset: 8, size: 16, struct: 'tree_data', node: 'node' },
      ],
    },
  },
};

const GRAPHS = [{ name: 'list' as const }, { name: 'rbtree' as const }];

/** What is done with a node, r6, of which there is one reference. `push` puts it into the list or tree. */
const NODE_DEEDS: Readonly<
  Record<
    string,
    (parts: { lock: Item[]; unlock: Item[]; push: Item[]; drop: Item[]; look: Item[] }) => Item[]
  >
> = {
  'put in': ({ lock, unlock, push }) => [...lock, ...push, ...unlock],
  'put in twice': ({ lock, unlock, push }) => [...lock, ...push, ...push, ...unlock],
  'put in without a lock': ({ push }) => push,
  'put in and dropped': ({ lock, unlock, push, drop }) => [...lock, ...push, ...unlock, ...drop],
  'put in and dropped under the lock': ({ lock, unlock, push, drop }) => [
    ...lock,
    ...push,
    ...drop,
    ...unlock,
  ],
  'put in and read': ({ lock, unlock, push, look: read }) => [...lock, ...push, ...read, ...unlock],
  'put in and read after the unlock': ({ lock, unlock, push, look: read }) => [
    ...lock,
    ...push,
    ...unlock,
    ...read,
  ],
  'put in and written': ({ lock, unlock, push }) => [...lock, ...push, st(8, r6, 0, 1), ...unlock],
  'put in and written after the unlock': ({ lock, unlock, push }) => [
    ...lock,
    ...push,
    ...unlock,
    st(8, r6, 0, 1),
  ],
  'read and dropped': ({ look: read, drop }) => [...read, ...drop],
  'node field read': ({ drop }) => [ldx(8, r0, r6, 8), ...drop],
  'node field written': ({ drop }) => [st(8, r6, 16, 0), ...drop],
  'last byte before the node field': ({ drop }) => [ldx(1, r0, r6, 7), ...drop],
  'first byte of the node field': ({ drop }) => [ldx(1, r0, r6, 8), ...drop],
  'byte behind it all': ({ drop }) => [ldx(1, r0, r6, 48), ...drop],
  kept: () => [],
  dropped: ({ drop }) => drop,
  'dropped under the lock': ({ lock, unlock, drop }) => [...lock, ...drop, ...unlock],
};

export const nodes: Family = family('nodes', GRAPHS, Object.keys(NODE_DEEDS), ({ name }, deed) => {
  const { type, map } = NODES[name];
  return small('tc', { localTypes: [type] }, (n) => {
    const push: Item[] =
      name === 'list'
        ? [
            n.value(r1, map, 8),
            mov(r2, r6),
            add(r2, 8),
            mov(r3, 0),
            mov(r4, 0),
            n.kfunc('bpf_list_push_front_impl'),
          ]
        : [
            n.value(r1, map, 8),
            mov(r2, r6),
            add(r2, 8),
            ldFunc(r3, 'less'),
            mov(r4, 0),
            mov({ reg: 5, width: 64 }, 0),
            n.kfunc('bpf_rbtree_add_impl'),
          ];
    const deeds = NODE_DEEDS[deed]!({
      lock: [n.value(r1, map), callHelper(93)],
      unlock: [n.value(r1, map), callHelper(94)],
      push,
      drop: [mov(r1, r6), mov(r2, 0), n.kfunc('bpf_obj_drop_impl')],
      look: [ldx(8, r0, r6, 0)],
    });
    return [
      mov(r1, 1),
      mov(r2, 0),
      n.kfunc('bpf_obj_new_impl'),
      jmp('eq', r0, 0, 'out'),
      mov(r6, r0),
      ...deeds,
      label('out'),
      ...done,
      ...(name === 'rbtree' && deeds.some((item) => push.includes(item)) ? [label('less'), ...done] : []),
    ];
  });
});
