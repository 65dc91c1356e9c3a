/** Lists and trees of objects: nodes put in and taken out while the lock beside the root is held. */
import fc from 'fast-check';
import { add, exit, jmp, ldFunc, ldx, mov, type Reg, r0, r1, r2, r3, r4, r5 } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import type { LocalType, MapDef } from '../../src/object/program.js';
import { oneIn, spillArbitrary, touchesArbitrary } from '../choices.js';
import type { Compiler } from '../compile/compiler.js';
import type { Home } from '../compile/frame.js';
import {
  LIST_MAP,
  LIST_OBJECT,
  SHARED_LIST_MAP,
  SHARED_OBJECT,
  TREE_MAP,
  TREE_OBJECT,
} from '../compile/maps.js';
import { emitRelease } from '../compile/release.js';
import type { Touch } from '../compile/touch.js';
import { type Fragment, fragment } from '../fragment.js';
import { emitLocked } from './locks.js';
import { emitLookup } from './memory.js';
import { emitNew, loadMember, objectRegion } from './objects.js';
import { type Body, emitTouches } from './values.js';

/** Offsets of the root in the map value and of the node in the object. */
const ROOT = 8;
const NODE = 8;

export type GraphMove =
  | 'bpf_list_push_front_impl'
  | 'bpf_list_push_back_impl'
  | 'bpf_list_pop_front'
  | 'bpf_list_pop_back'
  | 'bpf_list_front'
  | 'bpf_list_back'
  | 'bpf_rbtree_add_impl'
  | 'bpf_rbtree_remove'
  | 'bpf_rbtree_first'
  | 'bpf_rbtree_root'
  | 'bpf_rbtree_left'
  | 'bpf_rbtree_right';

export const GRAPH_MOVES: readonly GraphMove[] = [
  'bpf_list_push_front_impl',
  'bpf_list_push_back_impl',
  'bpf_list_pop_front',
  'bpf_list_pop_back',
  'bpf_list_front',
  'bpf_list_back',
  'bpf_rbtree_add_impl',
  'bpf_rbtree_remove',
  'bpf_rbtree_first',
  'bpf_rbtree_root',
  'bpf_rbtree_left',
  'bpf_rbtree_right',
];

/** The free choices in moving nodes in or out of a list or tree. */
export interface GraphChoices {
  readonly move: GraphMove;
  /** Address the map value directly rather than look it up. */
  readonly direct: boolean;
  readonly spill: boolean;
  readonly touches: readonly Touch[];
}

interface Graph {
  readonly map: MapDef;
  readonly type: Omit<LocalType, 'id'>;
}

/** Writes the move; `inner` is written where a node that was taken out is held, or where the lock is held. */
export function emitGraph(c: Compiler, choices: GraphChoices, inner: () => void): void {
  const { move } = choices;
  c.usable(move);
  const graph: Graph = move.includes('list')
    ? { map: LIST_MAP, type: LIST_OBJECT }
    : { map: TREE_MAP, type: TREE_OBJECT };
  // The head names the struct that it contains, so the program must have that type, even if it allocates none.
  c.localType(graph.type);
  const inValue = (write: (value: Home) => void) => {
    if (choices.direct) {
      c.loadMapValue(r0, graph.map);
      c.keep(false, write);
    } else emitLookup(c, graph.map, { constant: true, key: 0, spill: false }, write);
  };
  inValue((value) => {
    if (move.includes('push') || move.includes('add')) emitPut(c, graph, choices, value, inner);
    else if (move.includes('pop') || move.includes('remove')) emitTake(c, graph, choices, value, inner);
    else emitLook(c, graph, choices, value, inner);
  });
}

function locked(c: Compiler, graph: Graph, value: Home, inner: () => void): void {
  emitLocked(c, 'spin', value, graph.map.name, inner);
}

/** A new object goes in; until the lock is given back the program may still look at it. */
function emitPut(
  c: Compiler,
  graph: Graph,
  { move, spill, touches }: GraphChoices,
  value: Home,
  inner: () => void,
): void {
  const less = move === 'bpf_rbtree_add_impl' ? lessFunction(c) : undefined;
  emitNew(c, graph.type, { spill }, (home) => {
    const region = { ...objectRegion(graph.type, home), full: false };
    emitTouches(c, (reg) => c.load(reg, home), region, touches);
    locked(c, graph, value, () => {
      loadMember(c, r1, value, ROOT);
      loadMember(c, r2, home, NODE);
      if (less === undefined) c.emit(mov(r3, 0), mov(r4, 0));
      else c.emit(ldFunc(r3, less), mov(r4, 0), mov(r5, 0));
      c.call(move);
      emitTouches(c, (reg) => c.load(reg, home), region, touches.slice(0, 1));
      inner();
    });
  });
}

/**
 * Takes a second reference to an object that a list owns already: the program may only look at it there, so it may be gone, and the call may
 * fail. `inner` is written where both are held.
 */
export function emitShareOfListed(c: Compiler, inner: () => void): void {
  c.usable('bpf_refcount_acquire_impl');
  const graph: Graph = { map: SHARED_LIST_MAP, type: SHARED_OBJECT };
  c.localType(graph.type);
  emitLookup(c, graph.map, { constant: true, key: 0, spill: false }, (value) => {
    c.withHome(true, (second) => {
      c.emit(mov(r0, 0));
      c.store(second, r0);
      emitNew(c, graph.type, { spill: false }, (home) => {
        locked(c, graph, value, () => {
          loadMember(c, r1, value, ROOT);
          loadMember(c, r2, home, NODE);
          c.emit(mov(r3, 0), mov(r4, 0));
          c.call('bpf_list_push_front_impl');
          c.load(r1, home);
          c.emit(mov(r2, 0));
          c.call('bpf_refcount_acquire_impl');
          c.store(second, r0);
        });
        const none = c.fresh();
        c.load(r1, second);
        c.emit(jmp('eq', r1, 0, none));
        const drop = () => {
          c.load(r1, second);
          emitRelease(c, 'object', 'bpf_obj_drop_impl');
        };
        c.holding(drop, inner);
        c.emit(label(none));
      });
    });
  });
}

/** Orders nodes by their first word. */
function lessFunction(c: Compiler): string {
  return c.func('callback', [], [0, 1], () => {
    const no = c.fresh();
    c.emit(mov(r0, 0), ldx(8, r1, r1, -NODE), ldx(8, r2, r2, -NODE));
    c.emit(jmp('ge', r1, r2, no), mov(r0, 1), label(no), exit());
  }).label;
}

/** A node comes out, outlives the lock and is dropped. */
function emitTake(
  c: Compiler,
  graph: Graph,
  { move, spill, touches }: GraphChoices,
  value: Home,
  inner: () => void,
): void {
  c.withHome(spill, (home) => {
    locked(c, graph, value, () => {
      loadMember(c, r1, value, ROOT);
      if (move !== 'bpf_rbtree_remove') c.call(move);
      else {
        c.call('bpf_rbtree_first');
        const none = c.fresh();
        c.emit(jmp('eq', r0, 0, none));
        loadMember(c, r1, value, ROOT);
        c.emit(mov(r2, r0));
        c.call(move);
        c.emit(label(none));
      }
      c.store(home, r0);
    });
    const none = c.fresh();
    c.load(r1, home);
    c.emit(jmp('eq', r1, 0, none), add(r1, -NODE));
    c.store(home, r1);
    const drop = () => {
      c.load(r1, home);
      emitRelease(c, 'object', 'bpf_obj_drop_impl');
    };
    c.holding(drop, () => {
      const region = objectRegion(graph.type, home);
      emitTouches(c, (reg) => c.load(reg, home), { ...region, full: false }, touches);
      c.withThing(region, inner);
    });
    c.emit(label(none));
  });
}

/** Looks at a node without taking it out. */
function emitLook(
  c: Compiler,
  graph: Graph,
  { move, touches }: GraphChoices,
  value: Home,
  inner: () => void,
): void {
  locked(c, graph, value, () => {
    const none = c.fresh();
    const side = move === 'bpf_rbtree_left' || move === 'bpf_rbtree_right';
    loadMember(c, r1, value, ROOT);
    c.call(side ? 'bpf_rbtree_root' : move);
    c.emit(jmp('eq', r0, 0, none));
    if (side) {
      loadMember(c, r1, value, ROOT);
      c.emit(mov(r2, r0));
      c.call(move);
      c.emit(jmp('eq', r0, 0, none));
    }
    c.emit(add(r0, -NODE));
    c.keep(false, (home) => {
      const load = (reg: Reg<64>) => c.load(reg, home);
      emitTouches(c, load, { ...objectRegion(graph.type, home), full: false }, touches);
      inner();
    });
    c.emit(label(none));
  });
}

/** Moves of nodes between a program and a list or tree: pushed, popped, added, removed. `body` makes what runs around the move. */
export function graphArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      move: fc.constantFrom(...GRAPH_MOVES),
      direct: oneIn(4),
      spill: spillArbitrary,
      touches: touchesArbitrary,
      body,
    })
    .map(({ body, ...choices }) =>
      fragment(choices.move, body, (c) => emitGraph(c, choices, () => c.body(body))),
    );
}
