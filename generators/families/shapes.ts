/** Shapes in which ownership takes a way that is not that of one call and one release in the same frame; and callbacks that really run. */
import fc from 'fast-check';
import { add, ja, jmp, mov, r0, r1, r2, r3, r4, r10, st } from '../../src/isa/build.js';
import { label } from '../../src/isa/label.js';
import { contractOf } from '../../src/kernel/catalog.js';
import {
  oneIn,
  pickArbitrary,
  picksArbitrary,
  spillArbitrary,
  type Test,
  testArbitrary,
  touchesArbitrary,
} from '../choices.js';
import { pickFrom, withCalled } from '../compile/call.js';
import type { Compiler } from '../compile/compiler.js';
import { Elided } from '../compile/frame.js';
import { PLAIN_MAPS } from '../compile/maps.js';
import { resultOf } from '../compile/names.js';
import { closing } from '../compile/release.js';
import type { Thing } from '../compile/scope.js';
import { type Fragment, fragment } from '../fragment.js';
import { callbackArbitrary, emitCallback } from './callbacks.js';
import { emitTailCall } from './flow.js';
import { iteratorArbitrary } from './iterators.js';
import { lockArbitrary } from './locks.js';
import { emitParked } from './objects.js';
import { type Body, emitTest } from './values.js';

/** Functions that acquire the same resource, by pairs, so that a register may hold what either of them gave. */
const MERGED = [
  ['bpf_sk_lookup_tcp', 'bpf_sk_lookup_udp'],
  ['bpf_task_from_pid', 'bpf_task_from_vpid'],
  ['bpf_cgroup_from_id', 'bpf_cgroup_from_id'],
  ['bpf_cpumask_create', 'bpf_cpumask_create'],
] as const;

/** The free choices in a register that holds one of two references. */
export interface MergedChoices {
  /** Index into `MERGED`. */
  readonly which: number;
  readonly picks: readonly number[];
  readonly test: Test;
  /** On the second way there is no reference, but NULL. */
  readonly orNull: boolean;
  readonly spill: boolean;
  readonly inSubprogram: boolean;
}

/** One of two calls acquires, as a test has it; one register holds what either gave, and one release gives it back. */
export function emitMerged(c: Compiler, choices: MergedChoices, inner: () => void): void {
  const { which, picks, test, orNull, spill, inSubprogram } = choices;
  const [first, second] = MERGED[which % MERGED.length]!;
  const { acquires, to } = resultOf(contractOf(first)!).pointer ?? {};
  if (acquires === undefined || to === undefined) throw new Elided(`${first} acquires nothing`);
  const acquire = (name: string): void =>
    withCalled(c, name, pickFrom(picks), (prepared) => prepared.finish());
  c.usable(first);
  c.usable(second);
  c.withHome(spill, (home) => {
    const [other, joined, none] = [c.fresh(), c.fresh(), c.fresh()];
    emitTest(c, test, other);
    acquire(first);
    c.emit(ja(joined), label(other));
    if (orNull) c.emit(mov(r0, 0));
    else acquire(second);
    c.emit(label(joined));
    c.store(home, r0);
    c.emit(jmp('eq', r0, 0, none));
    c.holding(closing(c, acquires, home, 0, inSubprogram, to), () => {
      const thing: Thing | undefined =
        to.kind === 'sock'
          ? { kind: 'sock', home, type: to.type }
          : to.kind === 'btf'
            ? { kind: 'btf', struct: to.struct, home, trust: 'trusted', owned: true }
            : undefined;
      if (thing === undefined) inner();
      else c.withThing(thing, inner);
    });
    c.emit(label(none));
  });
}

/** References from two calls that meet in one register. */
export function mergedArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      which: pickArbitrary,
      picks: picksArbitrary,
      test: testArbitrary,
      orNull: oneIn(4),
      spill: spillArbitrary,
      inSubprogram: fc.boolean(),
      body,
    })
    .map(({ body, ...choices }) =>
      fragment('merged references', body, (c) => emitMerged(c, choices, () => c.body(body))),
    );
}

/** What is owned goes into a map, a tail call is tried and refused, and what is in the map comes out again. */
export function acrossTailCallArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      which: pickArbitrary,
      test: testArbitrary,
      value: fc.nat({ max: 7 }),
      spill: spillArbitrary,
      body,
    })
    .map(({ body, which, spill, ...end }) =>
      fragment('ownership across a tail call', body, (c) => {
        c.usable('bpf_tail_call');
        emitParked(
          c,
          { which, spill },
          () => emitTailCall(c, end),
          () => c.body(body),
        );
      }),
    );
}

/** Three callbacks, each called from the one before, around these. */
export function deepCallbacksArbitrary(body: Body): fc.Arbitrary<Fragment> {
  const one = (inner: Body): Body => callbackArbitrary(inner).map((node) => [node]);
  return named('three callbacks deep', callbackArbitrary(one(one(body))));
}

/** An iterator in the loop of another. */
export function nestedIteratorsArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return named('nested iterators', iteratorArbitrary(iteratorArbitrary(body).map((node) => [node])));
}

/** A lock that is taken and given back in a callback. */
export function lockedCallbackArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return named('lock in a callback', callbackArbitrary(lockArbitrary(body).map((node) => [node])));
}

/** `wrapped` under a name of its own. */
function named(name: string, wrapped: fc.Arbitrary<Fragment>): fc.Arbitrary<Fragment> {
  return wrapped.map((node) => fragment(name, [node], (c) => c.body([node])));
}

/** Maps whose elements are only those that were put in, by their places in `PLAIN_MAPS`. */
const HASHES = PLAIN_MAPS.flatMap(({ type }, i) => (type.endsWith('hash') ? [i] : []));

/** The free choices in filling a map and walking it. */
export interface FilledChoices {
  readonly which: number;
  /** Elements that are put in, from 1. */
  readonly elements: number;
  readonly shared: boolean;
  readonly spill: boolean;
  readonly touches: Parameters<typeof emitCallback>[1]['touches'];
  readonly stop: Test | undefined;
  readonly value: number;
}

/** Puts elements into a map, then calls back for each of them: the callback, whose body is `inner`, runs in every world. */
export function emitFilled(c: Compiler, choices: FilledChoices, inner: () => void): void {
  const place = HASHES[choices.which % HASHES.length]!;
  const map = PLAIN_MAPS[place]!;
  c.usable('bpf_for_each_map_elem');
  c.usable('bpf_map_update_elem');
  for (let key = 0; key < choices.elements; key++) {
    const at = c.takeStack(map.keySize);
    const value = c.takeStack(map.valueSize);
    c.emit(st(map.keySize === 8 ? 8 : 4, r10, at, key));
    for (let word = 0; word < map.valueSize; word += 8) c.emit(st(8, r10, value + word, key));
    c.loadMap(r1, map);
    c.emit(mov(r2, r10), add(r2, at), mov(r3, r10), add(r3, value), mov(r4, 0));
    c.call('bpf_map_update_elem');
    c.giveStack(value, map.valueSize);
    c.giveStack(at, map.keySize);
  }
  emitCallback(c, { ...choices, name: 'bpf_for_each_map_elem', count: 0, which: place }, inner);
}

/** A map that is filled and walked with a callback. */
export function filledArbitrary(body: Body): fc.Arbitrary<Fragment> {
  return fc
    .record({
      which: pickArbitrary,
      elements: fc.integer({ min: 1, max: 2 }),
      shared: fc.boolean(),
      spill: spillArbitrary,
      touches: touchesArbitrary,
      stop: fc.option(testArbitrary, { nil: undefined, freq: 3 }),
      value: fc.nat({ max: 7 }),
      body,
    })
    .map(({ body, ...choices }) =>
      fragment('filled map', body, (c) => emitFilled(c, choices, () => c.body(body))),
    );
}
