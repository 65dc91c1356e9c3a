/**
 * A contract in which effects, arguments and results do not fit together is refused, and one in which they do is not: each effect with each
 * kind of argument, each argument with and without the effect that it needs, each number at the edge of what it may be.
 */
import { describe, expect, it } from 'vitest';
import type {
  Arg,
  CallbackSpec,
  Contract,
  Effect,
  Guard,
  Outcome,
  PointerKind,
  R0,
} from '../../src/kernel/contract.js';
import { flaws } from '../../src/kernel/declare/flaws.js';

const VOID: R0 = { kind: 'void' };
const outcome = (effects: readonly Effect[], more: Partial<Outcome> = {}): Outcome => ({
  name: 'one',
  r0: VOID,
  effects,
  ...more,
});
const contract = (
  args: readonly Arg[],
  outcomes: readonly Outcome[],
  more: Partial<Contract> = {},
): Contract => ({
  name: 'bpf_made_up',
  kind: 'kfunc',
  id: -1,
  args,
  outcomes,
  types: ['tc'],
  flags: [],
  ret: 'void',
  ...more,
});
const CALLBACK: CallbackSpec = {
  args: ['scalar', 'none', 'none', 'none', 'none'] as unknown as CallbackSpec['args'],
  returns: [0, 1],
} as CallbackSpec;

/** An argument of each kind, by a name. */
const ZOO: Readonly<Record<string, Arg>> = {
  anything: { kind: 'anything' },
  scalar: { kind: 'scalar' },
  constant: { kind: 'scalar', constant: true },
  map: { kind: 'map' },
  key: { kind: 'map_key' },
  value: { kind: 'map_value' },
  'new value': { kind: 'map_value', uninit: true },
  percpu: { kind: 'percpu' },
  'memory read': { kind: 'mem', access: 'read', size: { bytes: 8 } },
  'memory written': { kind: 'mem', access: 'write', size: { bytes: 8 } },
  'memory changed': { kind: 'mem', access: 'readwrite', size: { bytes: 8 } },
  'alloc size': { kind: 'alloc_size' },
  context: { kind: 'ctx' },
  socket: { kind: 'sock', types: ['sock'] },
  'socket released': { kind: 'sock', types: ['sock'], release: true },
  record: { kind: 'record', release: true },
  'spin lock': { kind: 'spin_lock', lock: 'spin_lock' },
  'resilient lock': { kind: 'spin_lock', lock: 'res_spin_lock' },
  timer: { kind: 'timer' },
  wq: { kind: 'wq' },
  'new dynptr': { kind: 'dynptr', state: 'uninit', type: 'ringbuf' },
  dynptr: { kind: 'dynptr', state: 'init' },
  'dynptr released': { kind: 'dynptr', state: 'init', release: true },
  'new iterator': { kind: 'iter', type: 'num', state: 'uninit' },
  iterator: { kind: 'iter', type: 'num', state: 'init' },
  'new flags': { kind: 'irq_flag', state: 'uninit' },
  flags: { kind: 'irq_flag', state: 'init' },
  struct: { kind: 'btf', structs: ['task_struct'], trust: 'trusted' },
  'struct released': { kind: 'btf', structs: ['task_struct'], trust: 'trusted', release: true },
  'kptr slot': { kind: 'kptr_slot' },
  'kptr value': { kind: 'kptr_value' },
  callback: { kind: 'callback', callback: CALLBACK },
  'stack or NULL': { kind: 'stack_or_null' },
  string: { kind: 'const_str' },
  object: { kind: 'object', release: true },
  refcounted: { kind: 'refcounted' },
  root: { kind: 'graph_root', graph: 'list' },
  'node moved': { kind: 'graph_node', graph: 'list', owned: true },
  'node named': { kind: 'graph_node', graph: 'list', owned: false },
  ignored: { kind: 'ignored' },
};

/** Each effect on argument 0, and the arguments that it fits. */
const EFFECTS: Readonly<Record<string, readonly [effect: Effect, fits: readonly string[]]>> = {
  release: [{ kind: 'release', arg: 0 }, ['socket released', 'record', 'struct released', 'object']],
  lock: [{ kind: 'lock', arg: 0, lock: 'spin_lock' }, ['spin lock']],
  'lock, resilient': [{ kind: 'lock', arg: 0, lock: 'res_spin_lock' }, ['resilient lock']],
  unlock: [{ kind: 'unlock', arg: 0, lock: 'spin_lock' }, ['spin lock']],
  'unlock, resilient': [{ kind: 'unlock', arg: 0, lock: 'res_spin_lock' }, ['resilient lock']],
  irq_save: [{ kind: 'irq_save', arg: 0 }, ['new flags']],
  irq_restore: [{ kind: 'irq_restore', arg: 0 }, ['flags']],
  'init_dynptr, held': [{ kind: 'init_dynptr', arg: 0, type: 'ringbuf', acquires: 'dynptr' }, ['new dynptr']],
  'init_dynptr, a view': [{ kind: 'init_dynptr', arg: 0, type: 'ringbuf' }, ['new dynptr']],
  'init_dynptr, nothing': [
    { kind: 'init_dynptr', arg: 0, type: 'ringbuf', acquires: 'null_dynptr', null: true },
    ['new dynptr'],
  ],
  'init_dynptr, nothing that holds': [
    { kind: 'init_dynptr', arg: 0, type: 'ringbuf', acquires: 'dynptr', null: true },
    [],
  ],
  'init_dynptr, something that holds nothing': [
    { kind: 'init_dynptr', arg: 0, type: 'ringbuf', acquires: 'null_dynptr' },
    [],
  ],
  'init_dynptr, of another type': [{ kind: 'init_dynptr', arg: 0, type: 'local' }, []],
  destroy_dynptr: [{ kind: 'destroy_dynptr', arg: 0 }, ['dynptr released']],
  iter_new: [{ kind: 'iter_new', arg: 0 }, ['new iterator']],
  iter_next: [{ kind: 'iter_next', arg: 0, to: 'active' }, ['iterator']],
  iter_destroy: [{ kind: 'iter_destroy', arg: 0 }, ['iterator']],
  write: [{ kind: 'write', arg: 0 }, ['memory written', 'memory changed', 'new value']],
  callback: [{ kind: 'callback', arg: 0, times: 'any' }, ['callback']],
  arm: [{ kind: 'arm', arg: 0 }, ['timer', 'wq']],
  transfer: [{ kind: 'transfer', arg: 0 }, ['kptr value']],
  'transfer of a node': [{ kind: 'transfer', arg: 0, nonOwning: true }, ['node moved']],
};

/** Arguments that need an effect, and which ones will do; `once`: in some outcome. */
const NEEDS: Readonly<Record<string, readonly [effects: readonly string[], once?: true]>> = {
  'memory written': [['write']],
  'socket released': [['release']],
  record: [['release']],
  'struct released': [['release']],
  object: [['release']],
  'dynptr released': [['destroy_dynptr']],
  'new dynptr': [['init_dynptr, held', 'init_dynptr, a view', 'init_dynptr, nothing']],
  'new iterator': [['iter_new']],
  'new flags': [['irq_save'], true],
  flags: [['irq_restore'], true],
  'kptr value': [['transfer']],
  'node moved': [['transfer of a node']],
  callback: [['callback']],
};

const effectOf = (name: string): Effect => EFFECTS[name]![0];
/** Flaws that speak of the argument; of an effect that does not fit it. */
const ofArgument = (found: readonly string[]): readonly string[] =>
  found.filter((one) => one.startsWith('argument '));
const ofEffects = (found: readonly string[]): readonly string[] =>
  found.filter((one) => / does not fit its argument$/.test(one));

describe('an effect fits the arguments of its kind, and no others', () => {
  it.each(Object.entries(EFFECTS))('%s', (_, [effect, fits]) => {
    const fitting = Object.entries(ZOO).flatMap(([name, arg]) =>
      ofEffects(flaws(contract([arg], [outcome([effect])]))).length === 0 ? [name] : [],
    );
    expect(fitting).toEqual(Object.keys(ZOO).filter((name) => fits.includes(name)));
    // The argument must be there.
    expect(ofEffects(flaws(contract([], [outcome([effect])])))).toHaveLength(1);
  });

  it('a clone, of a dynptr', () => {
    const clone: Effect = { kind: 'clone_dynptr', arg: 1, from: 0 };
    for (const [from, first] of Object.entries(ZOO))
      for (const [to, second] of Object.entries(ZOO)) {
        const good = (from === 'dynptr' || from === 'dynptr released') && to === 'new dynptr';
        expect(
          ofEffects(flaws(contract([first, second], [outcome([clone])]))),
          `${from}, ${to}`,
        ).toHaveLength(good ? 0 : 1);
      }
  });

  it('a packet that moves under a dynptr', () => {
    for (const [name, arg] of Object.entries(ZOO)) {
      const moves: Effect = { kind: 'invalidate_packet', dynptr: 0 };
      const good = name === 'dynptr' || name === 'dynptr released';
      expect(ofEffects(flaws(contract([arg], [outcome([moves])]))), name).toHaveLength(good ? 0 : 1);
    }
    expect(flaws(contract([], [outcome([{ kind: 'invalidate_packet' }])]))).toEqual([]);
  });

  it('none is there twice, but for locks', () => {
    const twice = (name: string): readonly string[] =>
      flaws(
        contract(
          [ZOO[name === 'lock' ? 'spin lock' : 'iterator']!],
          [outcome([effectOf(name), effectOf(name)])],
        ),
      );
    expect(twice('iter_next')).toContain('outcome one: one effect twice');
    expect(twice('lock')).toEqual([]);
  });
});

describe('an argument needs its effect in every outcome', () => {
  it.each(Object.entries(ZOO))('%s', (name, arg) => {
    const [effects, once] = NEEDS[name] ?? [[]];
    const given = (...outcomes: readonly (readonly Effect[])[]): readonly string[] =>
      ofArgument(
        flaws(
          contract(
            [arg, arg],
            outcomes.map((one, i) => outcome(one, { name: `${i}` })),
          ),
        ),
      );
    const need = effects.length > 0;
    // Of two such arguments neither, one, both; in one outcome of two.
    expect(given([]).length).toBe(need ? 2 : 0);
    for (const one of effects.map(effectOf)) {
      const other = { ...one, arg: 1 } as Effect;
      expect(given([one])).toHaveLength(1);
      expect(given([other])).toHaveLength(1);
      expect(given([one])[0]).toMatch(/^argument 1: /);
      expect(given([other])[0]).toMatch(/^argument 0: /);
      expect(given([one, other])).toEqual([]);
      expect(given([one, other], [])).toHaveLength(once ? 0 : 2);
      expect(given([one, other], [one, other])).toEqual([]);
    }
    // What does not fit will not do: it is named itself, or the argument still lacks its effect.
    for (const [other, [effect]] of Object.entries(EFFECTS)) {
      if (effects.includes(other)) continue;
      const found = flaws(contract([arg], [outcome([effect])]));
      expect(ofEffects(found).length + ofArgument(found).length, other).toBeGreaterThanOrEqual(
        EFFECTS[other]![1].includes(name) ? 0 : 1,
      );
    }
  });
});

describe('numbers at their edges', () => {
  const five = Array.from({ length: 5 }, () => ZOO.scalar!);
  it('five arguments, not six', () => {
    expect(flaws(contract(five, [outcome([])]))).toEqual([]);
    expect(flaws(contract([...five, ZOO.scalar!], [outcome([])]))).toEqual(['more than five arguments']);
  });

  it.each([
    [1, true],
    [0, false],
    [-1, false],
  ])('memory of %i bytes: %s', (bytes, good) => {
    const found = flaws(contract([{ kind: 'mem', access: 'read', size: { bytes } }], [outcome([])]));
    expect(found).toEqual(good ? [] : ['argument 0: no bytes']);
  });

  it('a size is in the size argument behind its memory', () => {
    const memory = (arg: number): Arg => ({ kind: 'mem', access: 'read', size: { arg } });
    const size: Arg = { kind: 'size', zero: true };
    const given = (...args: readonly Arg[]): readonly string[] => flaws(contract(args, [outcome([])]));
    expect(given(memory(1), size)).toEqual([]);
    expect(given(memory(1), ZOO.scalar!)).toEqual(['argument 0: its size is not in a size argument']);
    expect(given(size)).toEqual(['argument 0: a size without memory before it']);
    expect(given(ZOO.scalar!, size)).toEqual(['argument 1: a size without memory before it']);
    expect(given(ZOO['memory read']!, size)).toEqual(['argument 1: a size without memory before it']);
    expect(given(memory(1), size, memory(1), size)).toEqual(['argument 3: a size without memory before it']);
  });

  it.each<[readonly [bigint, bigint], boolean]>([
    [[3n, 9n], true],
    [[5n, 5n], true],
    [[3n, 3n], true],
    [[9n, 9n], true],
    [[2n, 9n], false],
    [[3n, 10n], false],
    [[9n, 3n], false],
    [[6n, 5n], false],
  ])('usual values %s of 3 to 9: %s', (usual, good) => {
    const r0: R0 = { kind: 'scalar', min: 3n, max: 9n };
    expect(flaws(contract([], [outcome([], { r0, usual })]))).toEqual(
      good ? [] : ['outcome one: usual values outside r0'],
    );
    for (const other of [VOID, { kind: 'null' } as const])
      expect(flaws(contract([], [outcome([], { r0: other, usual })]))).toHaveLength(1);
  });

  it('r0 between two numbers, and up to a size', () => {
    const given = (r0: R0, ...args: readonly Arg[]): readonly string[] =>
      flaws(contract(args, [outcome([], { r0 })]));
    expect(given({ kind: 'scalar', min: 4n, max: 4n })).toEqual([]);
    expect(given({ kind: 'scalar', min: 5n, max: 4n })).toHaveLength(1);
    const memory: Arg = { kind: 'mem', access: 'read', size: { arg: 1 } };
    const upTo = (arg: number): R0 => ({ kind: 'scalar', min: 0n, max: 4n, upTo: arg });
    expect(given(upTo(1), memory, { kind: 'size', zero: true })).toEqual([]);
    expect(given(upTo(0), memory, { kind: 'size', zero: true })).toHaveLength(1);
    expect(given(upTo(0))).toHaveLength(1);
  });

  it('what a callback is given and returns', () => {
    const given = (spec: Partial<CallbackSpec>, ...args: readonly Arg[]): readonly string[] =>
      ofArgument(
        flaws(
          contract(
            [{ kind: 'callback', callback: { ...CALLBACK, ...spec } }, ...args],
            [outcome([effectOf('callback')])],
          ),
        ),
      );
    expect(given({})).toEqual([]);
    expect(given({ returns: [1, 1] })).toEqual([]);
    expect(given({ returns: [1, 0] })).toHaveLength(1);
    const { args } = CALLBACK;
    expect(given({ args: [...args, args[0]!] as unknown as CallbackSpec['args'] })).toHaveLength(1);
    const withContext = ['context', ...args.slice(1)] as unknown as CallbackSpec['args'];
    expect(given({ args: withContext, contextArg: 1 }, ZOO['stack or NULL']!)).toEqual([]);
    expect(given({ args: withContext }, ZOO['stack or NULL']!)).toHaveLength(1);
    expect(given({ contextArg: 1 }, ZOO['stack or NULL']!)).toHaveLength(1);
    expect(given({ args: withContext, contextArg: 1 }, ZOO.scalar!)).toHaveLength(1);
    expect(given({ countArg: 1 }, ZOO.scalar!)).toEqual([]);
    expect(given({ countArg: 1 }, ZOO.map!)).toHaveLength(1);
  });
});

describe('outcomes', () => {
  const guarded = (...guards: readonly (Guard | undefined)[]): Outcome[] =>
    guards.map((guard, i) => outcome([], { name: `${i}`, ...(guard === undefined ? {} : { guard }) }));
  const sockets = (is: boolean): Guard => ({ kind: 'map_of_sockets', is });
  const given = (args: readonly Arg[], ...guards: readonly (Guard | undefined)[]): readonly string[] =>
    flaws(contract(args, guarded(...guards)));

  it('are there, with names of their own', () => {
    expect(flaws(contract([], []))).toEqual(['no outcome']);
    expect(flaws(contract([], [outcome([]), outcome([])]))).toEqual(['two outcomes of one name']);
  });

  it('are possible at every call', () => {
    const map = [ZOO.map!];
    expect(given(map, sockets(true), undefined)).toEqual([]);
    expect(given(map, sockets(true), sockets(false))).toEqual([]);
    expect(given(map, sockets(true))).toEqual(['every outcome is guarded']);
    expect(given(map, sockets(false))).toEqual(['every outcome is guarded']);
    expect(given(map, sockets(true), { kind: 'key_may_miss' })).toContain('every outcome is guarded');
    const lookup = [ZOO.map!, ZOO.key!];
    expect(given(lookup, { kind: 'key_may_miss' })).toEqual(['every outcome is guarded']);
    const taking = [ZOO.refcounted!];
    expect(given(taking, { kind: 'not_owning', arg: 0 })).toEqual(['every outcome is guarded']);
  });

  it('are guarded by what the arguments tell', () => {
    for (const [name, arg] of Object.entries(ZOO)) {
      const fits = (args: readonly Arg[], guard: Guard): boolean =>
        !given(args, guard, undefined).some((one) => / does not fit the arguments$/.test(one));
      expect(fits([arg], sockets(true)), name).toBe(name === 'map');
      expect(fits([arg], { kind: 'not_owning', arg: 0 }), name).toBe(name === 'refcounted');
      expect(fits([arg, ZOO.key!], { kind: 'key_may_miss' }), name).toBe(name === 'map');
      expect(fits([ZOO.map!, arg], { kind: 'key_may_miss' }), name).toBe(name === 'key');
    }
  });

  it('a helper has a number, and a kfunc none', () => {
    const numbered = (kind: 'helper' | 'kfunc', id: number): readonly string[] =>
      flaws(contract([], [outcome([])], { kind, id }));
    expect([numbered('helper', 1), numbered('kfunc', -1)]).toEqual([[], []]);
    expect(numbered('helper', -1)).toHaveLength(1);
    expect(numbered('kfunc', 1)).toHaveLength(1);
  });
});

/** What r0 may point to, and which argument must be the first for that; undefined for none. */
const POINTEES: readonly (readonly [to: PointerKind, needs: readonly string[] | undefined])[] = [
  [{ kind: 'map_value' }, ['map']],
  [{ kind: 'record' }, ['alloc size']],
  [{ kind: 'mem', size: { bytes: 8 } }, undefined],
  [{ kind: 'mem', size: { arg: 0 } }, ['alloc size']],
  [{ kind: 'mem', size: { bytes: 8 }, slice: { arg: 0 } } as PointerKind, ['dynptr', 'dynptr released']],
  [{ kind: 'object' }, ['constant']],
  [{ kind: 'cast', arg: 0 }, ['constant']],
  [{ kind: 'same', arg: 0 }, ['refcounted']],
  [{ kind: 'percpu', arg: 0 }, ['percpu']],
  [{ kind: 'graph_node', owning: true }, ['root']],
  [{ kind: 'kptr' }, ['kptr slot']],
  [{ kind: 'kern_ctx' }, ['context']],
  [{ kind: 'sock', type: 'sock' }, undefined],
];

describe('a pointer that is returned', () => {
  const found = (arg: Arg, r0: R0): readonly string[] =>
    flaws(contract([arg], [outcome([], { r0 })])).filter((one) => one.startsWith('outcome one: r0'));

  it.each(POINTEES.map(([to, needs]) => [JSON.stringify(to), to, needs] as const))('%s', (_, to, needs) => {
    for (const [name, arg] of Object.entries(ZOO))
      expect(found(arg, { kind: 'pointer', to }), name).toHaveLength(
        needs === undefined || needs.includes(name) ? 0 : 1,
      );
  });

  it('shares a reference with what may hold one, and then takes none', () => {
    const HOLDING = ['socket', 'socket released', 'iterator', 'new iterator', 'struct', 'struct released'];
    const to: PointerKind = { kind: 'sock', type: 'sock' };
    for (const [name, arg] of Object.entries(ZOO))
      expect(found(arg, { kind: 'pointer', to, derives: 0 }), name).toHaveLength(
        HOLDING.includes(name) ? 0 : 1,
      );
    expect(found(ZOO.socket!, { kind: 'pointer', to, acquires: 'socket' })).toEqual([]);
    expect(found(ZOO.socket!, { kind: 'pointer', to, acquires: 'socket', derives: 0 })).toHaveLength(1);
  });
});
