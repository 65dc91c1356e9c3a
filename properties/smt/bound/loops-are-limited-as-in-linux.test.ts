/**
 * How often a call may run its callback or give an element, function by function, as Linux limits it: by its argument, by a constant of the kernel, by the entries
 * of the map, or not at all. For every function that calls back or goes through something: there is a limit, or a reason why there is none.
 */
import { expect, it } from 'vitest';
import { contractOf, contracts } from '../../../src/kernel/catalog.js';
import { BUILT_IN } from '../../../src/kernel/profile.js';
import type { MapDef, Program } from '../../../src/object/program.js';
import { callLimit, mayGotoLimit } from '../../../src/smt/loop-limits.js';
import { constant, unknown } from '../../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg, UNINIT } from '../../../src/verifier/state/regs.js';
import type { Reg } from '../../../src/verifier/state/state.js';

const map = (type: MapDef['type'], more: Partial<MapDef> = {}): MapDef => ({
  name: type,
  type,
  keySize: 4,
  valueSize: 8,
  maxEntries: 5,
  flags: 0,
  fields: [],
  ...more,
});
/** BPF_F_INNER_MAP */
const GROWS = 1 << 12;
const inner = map('array');
const growing = map('array', { flags: GROWS });
const perCpu = map('percpu_array');
const OUTER = [inner, growing, perCpu].map((one) => map('array_of_maps', { inner: one }));
/** Each map, and how many entries a walk over it meets at the most. */
const MAPS: readonly (readonly [what: string, def: MapDef, most: number])[] = [
  ['an array', map('array'), 5],
  ['an array with a flag of inner maps, which is none', map('array', { flags: GROWS }), 5],
  ['an array of each CPU', map('percpu_array'), 5],
  ['an inner array', inner, 5],
  ['an inner array that may have more entries', growing, 0xffff_ffff],
  ['an inner array of each CPU', perCpu, 0xffff_ffff],
  ['a hash', map('hash'), Number.POSITIVE_INFINITY],
  ['an LRU hash', map('lru_hash'), Number.POSITIVE_INFINITY],
];
const program: Program = {
  name: 'main',
  type: 'tc',
  insns: [],
  maps: [...MAPS.map(([, def]) => def), ...OUTER],
  kfuncs: [],
  subprogs: [],
  localTypes: [],
};
const limitOf = (name: string, regs: Readonly<Record<number, Reg>> = {}) =>
  callLimit(
    program,
    contractOf(name)!,
    Array.from({ length: 11 }, (_, n) => regs[n] ?? UNINIT),
  );

it.each(MAPS)('a walk over %s', (_, def, most) => {
  const limit = limitOf('bpf_for_each_map_elem', {
    1: pointerReg('map_ptr', { map: program.maps.indexOf(def) }),
  })!;
  expect([limit.rounds, limit.ms, limit.endless !== '']).toEqual([most, 0, !Number.isFinite(most)]);
});

it('a walk over a map that is not known', () => {
  expect(limitOf('bpf_for_each_map_elem', { 1: pointerReg('map_ptr', {}) })!.rounds).toBe(
    Number.POSITIVE_INFINITY,
  );
});

it.each([
  [0n, 0],
  [7n, 7],
  [(1n << 23n) - 1n, (1 << 23) - 1],
  [1n << 23n, 1 << 23],
  [(1n << 23n) + 1n, 1 << 23],
])('bpf_loop over %i', (count, most) => {
  expect(limitOf('bpf_loop', { 1: scalarReg(constant(count)) })!.rounds).toBe(most);
});

it('bpf_loop over any number', () => {
  expect(limitOf('bpf_loop', { 1: scalarReg(unknown) })!.rounds).toBe(1 << 23);
});

it.each([
  ['bpf_iter_num_next', 1 << 23],
  ['bpf_iter_bits_next', 511 * 64],
  ['bpf_iter_task_next', Number.POSITIVE_INFINITY],
  ['bpf_user_ringbuf_drain', 128 * 1024],
  ['bpf_rbtree_add_impl', 120],
  ['bpf_find_vma', 1],
  ['bpf_timer_set_callback', 1],
] as const)('%s', (name, most) => {
  const limit = limitOf(name)!;
  expect([limit.rounds, limit.ms, limit.endless !== '']).toEqual([most, 0, !Number.isFinite(most)]);
});

it('may_goto: by time, or by rounds where the kernel has no clock for it', () => {
  const behaviour = (timedMayGoto: boolean) => ({
    ...BUILT_IN,
    behaviour: { ...BUILT_IN.behaviour, timedMayGoto },
  });
  expect(mayGotoLimit(behaviour(true))).toEqual({ rounds: 2 * 0xffff, ms: 250, endless: '' });
  expect(mayGotoLimit(behaviour(false))).toEqual({ rounds: 1 << 23, ms: 0, endless: '' });
});

it('every function that calls back or goes through something, and no other', () => {
  for (const contract of contracts()) {
    const loops =
      contract.args.some(({ kind }) => kind === 'callback') ||
      contract.outcomes.some(({ effects }) => effects.some(({ kind }) => kind === 'iter_next'));
    const regs = Array.from({ length: 11 }, () => scalarReg(constant(3n)));
    const limit = callLimit(program, contract, regs);
    expect([contract.name, limit !== undefined]).toEqual([contract.name, loops]);
    if (limit !== undefined)
      expect(limit.rounds > 0 && Number.isFinite(limit.rounds) === (limit.endless === '')).toBe(true);
  }
});
