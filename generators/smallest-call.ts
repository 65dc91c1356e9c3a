/**
 * The smallest program that calls a function correctly. It shows what is wrong with a refuted rule, and that every contract can be
 * satisfied.
 */

import { add, ldx, mov, r0, r1, r10 } from '../src/isa/build.js';
import { contractOf, contracts } from '../src/kernel/catalog.js';
import type { Contract } from '../src/kernel/contract.js';
import type { DeclaredFunction, Program, ProgType } from '../src/object/program.js';
import { UNFILLED } from './compile/arguments.js';
import { PLAIN } from './compile/call.js';
import { holesOf, LOCKED_MAPS, PLAIN_MAPS, RESILIENT_MAPS, SOCKET_MAP } from './compile/maps.js';
import { resultOf } from './compile/names.js';
import { compileTree } from './compile/program.js';
import { closing, RELEASERS, releasersOf } from './compile/release.js';
import { type CallbackName, emitCallback, emitLater } from './families/callbacks.js';
import { call, isPlainCall } from './families/calls.js';
import { declaredShape } from './families/declared.js';
import { emitTailCall, emitThrow } from './families/flow.js';
import { emitGraph, emitShareOfListed, GRAPH_MOVES, type GraphMove } from './families/graphs.js';
import { emitIterator, ITERATORS } from './families/iterators.js';
import { emitLocked, type LockName } from './families/locks.js';
import { emitLookup } from './families/memory.js';
import { emitExchange, emitObject, emitPeek, KEPT } from './families/objects.js';
import { emitSection, type SectionName } from './families/sections.js';
import { type Fragment, fragment, type Write } from './fragment.js';

const section =
  (name: SectionName): Write =>
  (c, inner) =>
    emitSection(c, name, inner);

/** `signed`: the program tests for a number below 0, as most people write it; otherwise for one that is not 0. */
const lock =
  (name: LockName, signed = false): Write =>
  (c, inner) => {
    const map = (name === 'spin' ? LOCKED_MAPS : RESILIENT_MAPS)[0]!;
    emitLookup(c, map, { constant: true, key: 0, spill: false }, (home) =>
      emitLocked(c, name, home, map.name, inner, signed),
    );
  };

const object =
  (kind: 'plain' | 'shared' | 'percpu'): Write =>
  (c, inner) =>
    emitObject(c, { kind, spill: false, inSubprogram: false, touches: [] }, inner);

const callback =
  (name: CallbackName): Write =>
  (c, inner) =>
    emitCallback(
      c,
      { name, count: 4, which: 0, shared: false, spill: false, touches: [], stop: undefined, value: 0 },
      inner,
    );

const later =
  (work: boolean): Write =>
  (c, inner) => {
    emitLater(c, { work, cancel: true, touches: [], spill: false }, () => {});
    inner();
  };

/** Calls that cannot be made from the contract alone. */
const SHAPES: Readonly<Record<string, Write>> = {
  bpf_spin_lock: lock('spin'),
  bpf_spin_unlock: lock('spin'),
  bpf_res_spin_lock: lock('resilient', true),
  bpf_res_spin_unlock: lock('resilient'),
  bpf_res_spin_lock_irqsave: lock('irqsave', true),
  bpf_res_spin_unlock_irqrestore: lock('irqsave'),
  bpf_rcu_read_lock: section('rcu'),
  bpf_rcu_read_unlock: section('rcu'),
  bpf_preempt_disable: section('preempt'),
  bpf_preempt_enable: section('preempt'),
  bpf_local_irq_save: section('irq'),
  bpf_local_irq_restore: section('irq'),
  bpf_obj_new_impl: object('plain'),
  bpf_obj_drop_impl: object('plain'),
  bpf_percpu_obj_new_impl: object('percpu'),
  bpf_percpu_obj_drop_impl: object('percpu'),
  bpf_refcount_acquire_impl: object('shared'),
  // The local type: every program type that may exchange pointers may allocate it, or take it out again.
  bpf_kptr_xchg: (c, inner) => emitExchange(c, { which: 0, take: true, spill: false }, inner),
  bpf_loop: callback('bpf_loop'),
  bpf_for_each_map_elem: callback('bpf_for_each_map_elem'),
  bpf_find_vma: callback('bpf_find_vma'),
  bpf_timer_init: later(false),
  bpf_timer_set_callback: later(false),
  bpf_timer_start: later(false),
  bpf_timer_cancel: later(false),
  bpf_wq_init: later(true),
  bpf_wq_set_callback_impl: later(true),
  bpf_wq_start: later(true),
  bpf_tail_call: (c, inner) => {
    emitTailCall(c, { test: undefined, value: 0 });
    inner();
  },
  // The program ends here, so whatever is nested comes first.
  bpf_throw: (c, inner) => {
    inner();
    emitThrow(c, { test: undefined, value: 0 });
  },
  bpf_map_lookup_elem: (c, inner) => {
    const def = PLAIN_MAPS[0]!;
    const region = {
      size: def.valueSize,
      readonly: false,
      holes: holesOf(def.fields),
      of: 'map_value',
    } as const;
    emitLookup(c, def, { constant: true, key: 0, spill: false }, (home) =>
      c.withThing({ kind: 'region', home, ...region }, inner),
    );
  },
};

/** A node goes in, so that the call that takes one out finds it. */
const putBefore =
  (put: GraphMove, move: GraphMove): Write =>
  (c, inner) => {
    const plain = { direct: false, spill: false, touches: [] };
    emitGraph(c, { move: put, ...plain }, () => {});
    emitGraph(c, { move, ...plain }, inner);
  };

/** Calls for which the plainest shape does not show all that they may do, and another one does. */
const OTHER_SHAPES: Readonly<Record<string, Write>> = {
  bpf_list_pop_front: putBefore('bpf_list_push_front_impl', 'bpf_list_pop_front'),
  bpf_list_pop_back: putBefore('bpf_list_push_front_impl', 'bpf_list_pop_back'),
  bpf_rbtree_remove: putBefore('bpf_rbtree_add_impl', 'bpf_rbtree_remove'),
  bpf_refcount_acquire_impl: emitShareOfListed,
  // What is found in a map of sockets is held.
  bpf_map_lookup_elem: (c, inner) =>
    emitLookup(c, SOCKET_MAP, { constant: true, key: 0, spill: false }, (home) =>
      c.holding(closing(c, 'socket', home, 0, false), inner),
    ),
};

/** Reads through what the call has answered, which is still in r0; a dynptr is asked for its size. */
function useOfResult([size, offset]: NonNullable<Way['uses']>): Fragment {
  return fragment('use of the result', [], (c) => {
    const thing = c.things.at(-1);
    if (thing?.kind === 'dynptr') {
      c.emit(mov(r1, r10), add(r1, thing.slot));
      c.call('bpf_dynptr_size');
      return;
    }
    c.emit(ldx(size, r1, r0, offset));
  });
}

function writerOf(contract: Contract, way: Way): Write | undefined {
  const { name } = contract;
  const shape = way.other === true ? (OTHER_SHAPES[name] ?? SHAPES[name]) : SHAPES[name];
  if (shape !== undefined) return shape;
  const graph = GRAPH_MOVES.find((move) => move === name);
  if (graph !== undefined) {
    return (c, inner) => emitGraph(c, { move: graph, direct: false, spill: false, touches: [] }, inner);
  }
  const iterator = ITERATORS.find((type) =>
    [`bpf_iter_${type}_new`, `bpf_iter_${type}_next`, `bpf_iter_${type}_destroy`].includes(name),
  );
  if (iterator === undefined) return undefined;
  return (c, inner) =>
    emitIterator(c, { type: iterator, picks: [0, 0, 0, 4, 0], spill: false, stop: undefined }, inner);
}

/** The contract whose call leads to a call of a releasing function. */
function acquirerFor(
  name: string,
  type: ProgType,
  declared: readonly DeclaredFunction[],
): { readonly name: string; readonly release: number } | undefined {
  for (const contract of declared.length === 0 ? [] : contracts(declared)) {
    const pointer = resultOf(contract).pointer;
    if (pointer?.acquires === undefined || !contract.types.includes(type)) continue;
    const release = releasersOf(pointer.acquires, pointer.to, declared).indexOf(name);
    const own = declared.some((one) => one.name === name || one.name === contract.name);
    if (own && release >= 0 && isPlainCall(contract, declared)) return { name: contract.name, release };
  }
  if (name === 'bpf_ringbuf_submit_dynptr') return { name: 'bpf_ringbuf_reserve_dynptr', release: 0 };
  if (name === 'bpf_ringbuf_discard_dynptr') return { name: 'bpf_ringbuf_reserve_dynptr', release: 1 };
  for (const [resource, names] of Object.entries(RELEASERS)) {
    const release = names.indexOf(name);
    if (release < 0) continue;
    const acquirer = contracts().find(
      (contract) =>
        isPlainCall(contract) &&
        contract.types.includes(type) &&
        resultOf(contract).pointer?.acquires === resource,
    );
    if (acquirer !== undefined) return { name: acquirer.name, release };
  }
  return undefined;
}

/**
 * A fragment that calls `name` validly in programs of `type`, around `body`. Undefined when nothing here knows how to, or the
 * type may not call it.
 */
export function callFragment(
  name: string,
  type: ProgType,
  around: readonly Fragment[] = [],
  declared: readonly DeclaredFunction[] = [],
  number = 0,
): Fragment | undefined {
  const way = WAYS[number % WAYS.length]!;
  const body = way.uses === undefined ? around : [useOfResult(way.uses), ...around];
  const contract = contractOf(name, declared);
  if (contract === undefined || !contract.types.includes(type)) return undefined;
  const own = declared.some((one) => one.name === name) ? declaredShape(contract, declared) : undefined;
  if (own !== undefined) return fragment(`feature ${name}`, body, (c) => own(c, () => c.body(body)));
  const write = writerOf(contract, way);
  if (write !== undefined) return fragment(`feature ${name}`, body, (c) => write(c, () => c.body(body)));
  const acquirer = acquirerFor(name, type, declared);
  if (acquirer !== undefined) return call({ ...PLAIN, picks: [2], ...acquirer }, body);
  // A cipher is made where sleeping is allowed, and used where it is not: there it comes from a map.
  if (name.startsWith('bpf_crypto_') && type !== 'syscall') {
    const which = KEPT.findIndex(({ struct }) => struct === 'bpf_crypto_ctx');
    return fragment(`feature ${name}`, body, (c) =>
      emitPeek(c, which, false, () => c.body([call({ ...PLAIN, name, picks: [2] }, body)])),
    );
  }
  if (!isPlainCall(contract, declared)) return undefined;
  return call({ ...PLAIN, name, picks: way.picks }, body);
}

/** A way to write a call. */
interface Way {
  /** See `CallChoices`. */
  readonly picks: readonly number[];
  /** The program reads so many bytes through what the call answers, at this offset, whatever it answers. */
  readonly uses?: readonly [size: 1 | 4 | 8, offset: number];
  /** The shape is that of `OTHER_SHAPES`, where there is one. */
  readonly other?: true;
}

/**
 * Ways to write a call: in the plainest one the program trusts what the call answers. In the others it reads what the call fills whatever it
 * answers, does what is bad where the answer is none that the call gives, or reads through what it answers.
 */
const WAYS: readonly Way[] = [
  { picks: [2] },
  { picks: [2, 2, 2, 2, 1] },
  { picks: [2, 2, 2, 2, 3] },
  { picks: [UNFILLED, UNFILLED, UNFILLED, UNFILLED, 1] },
  { picks: [2], uses: [8, 0] },
  { picks: [2], uses: [4, 8] },
  { picks: [2], uses: [1, 0] },
  { picks: [2], other: true },
];

/** How many different ways there are for `smallestCall`. */
export const CALL_WAYS = WAYS.length;

/** The numbers of those ways whose programs are accepted for every function: they read only what is known to be there. */
export const ACCEPTED_WAYS: readonly number[] = WAYS.flatMap(({ uses, picks }, number) =>
  uses === undefined && !picks.includes(UNFILLED) ? [number] : [],
);

/** More slots than any of these programs has. */
const ROOM = 200;

/**
 * The smallest program that calls `name` as the kernel wants it, and gives back what it got; in the first program type that may call it, or
 * in `type`. `way`: one of `CALL_WAYS` ways to write it, the plainest unless told. Undefined when there is no contract of that name, or its type may not call it.
 */
export function smallestCall(
  name: string,
  type?: ProgType,
  declared: readonly DeclaredFunction[] = [],
  way = 0,
): Program | undefined {
  const types = type === undefined ? (contractOf(name, declared)?.types ?? []) : [type];
  for (const each of types) {
    // What such a program is given and may call hangs on the member of the struct that it stands in for.
    if (each === 'struct_ops') continue;
    const feature = callFragment(name, each, [], declared, way);
    if (feature === undefined) continue;
    const tree = { type: each, body: [feature], spillCtx: false, value: 0, declared };
    const program = compileTree(tree, ROOM, 'witness');
    if (coverageOf(program).has(name)) return program;
  }
  return undefined;
}

/** Types of which a program can be made that calls `name`. */
export function aimedTypes(
  name: string,
  {
    types,
    declared = [],
  }: { readonly types?: readonly ProgType[]; readonly declared?: readonly DeclaredFunction[] },
): readonly ProgType[] {
  const all = types ?? contractOf(name, declared)?.types ?? [];
  return all.filter((type) => smallestCall(name, type, declared) !== undefined);
}

const CALL = 0x85;
const helperNames = new Map(contracts().map((contract) => [contract.id, contract.name]));

/** Names of the helpers and kfuncs that a program calls, reached or not; helpers without a contract as `#id`. */
export function coverageOf(program: Program): ReadonlySet<string> {
  const names = new Set<string>();
  const declared = new Map(program.declared?.map(({ id, name }) => [id, name]));
  let second = false;
  for (const { opcode, src, imm } of program.insns) {
    if (!second && opcode === CALL && src === 0)
      names.add(declared.get(imm) ?? helperNames.get(imm) ?? `#${imm}`);
    if (!second && opcode === CALL && src === 2) names.add(program.kfuncs[imm] ?? `#${imm}`);
    second = !second && opcode === 0x18;
  }
  return names;
}
