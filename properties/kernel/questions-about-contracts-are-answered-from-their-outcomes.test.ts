/**
 * What describe.ts answers of a contract is what a table says, effect by effect: for every kind of effect and of r0 alone, for all of them
 * together, and for every contract of the catalog.
 */
import { describe, expect, it } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import type { Arg, Contract, Effect, Outcome, R0 } from '../../src/kernel/contract.js';
import {
  acquires,
  alwaysBlocks,
  callsBack,
  distinctOutcomes,
  firstImitable,
  imitableOutcomes,
  isOutput,
  iteratorRole,
  mayBlock,
  opens,
  outcomeAcquires,
  outcomeReleases,
  releases,
  takesLock,
} from '../../src/kernel/describe.js';

/** What an effect means: letters for the questions below. */
type Meaning = {
  /** Leaves something that must be given back. */
  readonly acquires?: true;
  /** The same, but a null dynptr holds nothing. */
  readonly holds?: true;
  readonly releases?: true;
  readonly opens?: true;
  readonly locks?: true;
  /** A stub can bring it about. */
  readonly imitable?: true;
  readonly iterator?: 'new' | 'next' | 'destroy';
  /** The verifier does not see it. */
  readonly unseen?: true;
};

const EFFECTS: readonly (readonly [Effect, Meaning])[] = [
  [{ kind: 'release', arg: 0 }, { releases: true }],
  [
    { kind: 'lock', arg: 0, lock: 'spin_lock' },
    { acquires: true, holds: true, opens: true, locks: true },
  ],
  [
    { kind: 'lock', arg: 0, lock: 'res_spin_lock' },
    { acquires: true, holds: true, opens: true, locks: true },
  ],
  [{ kind: 'unlock', arg: 0, lock: 'spin_lock' }, { releases: true }],
  [
    { kind: 'enter', section: 'rcu' },
    { acquires: true, holds: true, opens: true },
  ],
  [
    { kind: 'enter', section: 'preempt' },
    { acquires: true, holds: true, opens: true },
  ],
  [{ kind: 'leave', section: 'preempt' }, { releases: true }],
  [
    { kind: 'irq_save', arg: 0 },
    { acquires: true, holds: true, opens: true },
  ],
  [
    { kind: 'irq_save', arg: 0, by: 'lock' },
    { acquires: true, holds: true, opens: true },
  ],
  [{ kind: 'irq_restore', arg: 0 }, { releases: true }],
  [{ kind: 'init_dynptr', arg: 0, type: 'local' }, {}],
  [{ kind: 'init_dynptr', arg: 0, type: 'local', null: true }, { imitable: true }],
  [
    { kind: 'init_dynptr', arg: 0, type: 'ringbuf', acquires: 'dynptr' },
    { acquires: true, holds: true },
  ],
  [
    { kind: 'init_dynptr', arg: 0, type: 'ringbuf', acquires: 'null_dynptr', null: true },
    { acquires: true, imitable: true },
  ],
  [{ kind: 'clone_dynptr', arg: 1, from: 0 }, {}],
  [{ kind: 'destroy_dynptr', arg: 0 }, { releases: true }],
  [
    { kind: 'iter_new', arg: 0 },
    { acquires: true, holds: true, iterator: 'new' },
  ],
  [{ kind: 'iter_next', arg: 0, to: 'active' }, { iterator: 'next' }],
  [
    { kind: 'iter_next', arg: 0, to: 'drained' },
    { iterator: 'next', imitable: true },
  ],
  [
    { kind: 'iter_destroy', arg: 0 },
    { releases: true, iterator: 'destroy' },
  ],
  [{ kind: 'write', arg: 0 }, { imitable: true }],
  [
    { kind: 'callback', arg: 0, times: 'none' },
    { imitable: true, unseen: true },
  ],
  [{ kind: 'callback', arg: 0, times: 'any' }, {}],
  [{ kind: 'arm', arg: 0 }, { unseen: true }],
  [{ kind: 'transfer', arg: 0 }, { releases: true }],
  [{ kind: 'transfer', arg: 0, nonOwning: true }, { releases: true }],
  [{ kind: 'invalidate_packet' }, { imitable: true }],
  [{ kind: 'invalidate_packet', dynptr: 0 }, { imitable: true }],
  [{ kind: 'throw' }, {}],
  [{ kind: 'tail_call' }, {}],
];

/** Every kind of effect is in the table: this does not compile otherwise. */
const KINDS: Readonly<Record<Effect['kind'], true>> = {
  release: true,
  lock: true,
  unlock: true,
  enter: true,
  leave: true,
  irq_save: true,
  irq_restore: true,
  init_dynptr: true,
  clone_dynptr: true,
  destroy_dynptr: true,
  iter_new: true,
  iter_next: true,
  iter_destroy: true,
  write: true,
  callback: true,
  arm: true,
  transfer: true,
  invalidate_packet: true,
  throw: true,
  tail_call: true,
};

const value: R0 = { kind: 'pointer', to: { kind: 'map_value' } };
const held: R0 = { kind: 'pointer', to: { kind: 'sock', type: 'sock' }, acquires: 'socket' };
const shared: R0 = { kind: 'pointer', to: { kind: 'sock', type: 'sock' }, derives: 0 };
const number: R0 = { kind: 'scalar', min: 0n, max: 4n };
const R0S: readonly R0[] = [{ kind: 'void' }, { kind: 'null' }, number, value, held, shared];

const meaning = (e: Effect): Meaning => {
  const found = EFFECTS.find(([one]) => {
    if (one.kind !== e.kind) return false;
    if (e.kind === 'init_dynptr' && one.kind === 'init_dynptr')
      return one.acquires === e.acquires && one.null === e.null;
    if (e.kind === 'iter_next' && one.kind === 'iter_next') return one.to === e.to;
    if (e.kind === 'callback' && one.kind === 'callback') return one.times === e.times;
    return true;
  });
  if (found === undefined) throw new Error(`the table does not have ${JSON.stringify(e)}`);
  return found[1];
};

/** The plain second answer: by the table. */
const plain = {
  acquires: (o: Outcome) => o.r0 === held || isHeld(o.r0) || o.effects.some((e) => meaning(e).acquires),
  releases: (o: Outcome) => o.effects.some((e) => meaning(e).releases),
  imitable: (o: Outcome) =>
    o.blocks === undefined &&
    o.r0.kind !== 'pointer' &&
    o.effects.every((e) => meaning(e).imitable === true && meaning(e).holds !== true),
};
function isHeld(r0: R0): boolean {
  return r0.kind === 'pointer' && r0.acquires !== undefined;
}

const contract = (outcomes: readonly Outcome[], args: readonly Arg[] = []): Contract => ({
  name: 'made_up',
  kind: 'kfunc',
  id: -1,
  args,
  outcomes,
  types: ['xdp'],
  flags: [],
  ret: 'int',
});

/** One outcome for each r0 and each effect, alone and beside another one, that blocks or not. */
const made: readonly Outcome[] = R0S.flatMap((r0) =>
  [[], ...EFFECTS.flatMap(([e]) => [[e], [e, EFFECTS[0]![0]], [EFFECTS[20]![0], e]])].flatMap((effects) => [
    { name: 'made', r0, effects },
    { name: 'made', r0, effects, blocks: true } satisfies Outcome,
  ]),
);

const everything: readonly Contract[] = [
  ...made.map((o) => contract([o])),
  ...made.map((o) => contract([{ name: 'plain', r0: number, effects: [] }, o])),
  ...made.map((o) => contract([o, { name: 'slow', r0: { kind: 'void' }, effects: [], blocks: true }])),
  ...contracts(),
];

describe('of every outcome', () => {
  it('the table has every kind of effect', () => {
    expect(new Set(EFFECTS.map(([{ kind }]) => kind))).toEqual(new Set(Object.keys(KINDS)));
  });

  it('it is known what it acquires and releases', () => {
    for (const o of everything.flatMap((c) => c.outcomes)) {
      expect([o, outcomeAcquires(o)]).toEqual([o, plain.acquires(o)]);
      expect([o, outcomeReleases(o)]).toEqual([o, plain.releases(o)]);
    }
  });
});

describe('of every contract', () => {
  it.each<[string, (c: Contract) => unknown, (c: Contract) => unknown]>([
    ['acquires', acquires, (c) => c.outcomes.some(plain.acquires)],
    ['releases', releases, (c) => c.outcomes.some(plain.releases)],
    ['takes a lock', takesLock, (c) => effectsOf(c).some((e) => meaning(e).locks === true)],
    ['opens', opens, (c) => effectsOf(c).some((e) => meaning(e).opens === true)],
    ['always blocks', alwaysBlocks, (c) => !c.outcomes.some((o) => o.blocks === undefined)],
    ['may block', mayBlock, (c) => c.outcomes.filter((o) => o.blocks !== undefined).length > 0],
    ['iterator', iteratorRole, (c) => first(effectsOf(c).map((e) => meaning(e).iterator))],
    [
      'imitable outcomes',
      (c) => imitableOutcomes(c).map((o) => c.outcomes.indexOf(o)),
      (c) => c.outcomes.flatMap((o, i) => (plain.imitable(o) ? [i] : [])),
    ],
    ['the first of them', firstImitable, (c) => c.outcomes.filter(plain.imitable)[0]],
    ['none of no name', (c) => imitableOutcomes(c, []), () => []],
    [
      'the last of them by name',
      (c) => firstImitable(c, [c.outcomes.at(-1)!.name]),
      (c) => c.outcomes.filter((o) => plain.imitable(o) && o.name === c.outcomes.at(-1)!.name)[0],
    ],
  ])('it is known: %s', (_, ours, theirs) => {
    for (const c of everything) expect([c, ours(c)]).toEqual([c, theirs(c)]);
  });

  it('outcomes that the verifier can tell apart are walked, once each', () => {
    for (const c of everything) {
      const kept: Outcome[] = [];
      for (const o of c.outcomes) if (!kept.some((one) => alike(one, o))) kept.push(o);
      expect(distinctOutcomes(c)).toEqual(kept);
    }
    const two = (a: Partial<Outcome>, b: Partial<Outcome>): number =>
      distinctOutcomes(
        contract([
          { name: 'a', r0: number, effects: [], ...a },
          { name: 'b', r0: number, effects: [], ...b },
        ]),
      ).length;
    expect(two({}, {})).toBe(1);
    expect(two({ blocks: true }, { usual: [0n, 1n] })).toBe(1);
    expect(two({ guard: { kind: 'key_may_miss' } }, {})).toBe(2);
    expect(two({ guard: { kind: 'not_owning', arg: 0 } }, { guard: { kind: 'not_owning', arg: 1 } })).toBe(2);
    expect(two({ r0: { kind: 'scalar', min: 0n, max: 5n } }, {})).toBe(2);
    expect(two({ r0: { kind: 'scalar', min: 1n, max: 4n } }, {})).toBe(2);
    expect(two({ r0: { kind: 'scalar', min: 0n, max: 4n, upTo: 1 } }, {})).toBe(2);
    for (const [e, { unseen }] of EFFECTS)
      expect([e, two({ effects: [e] }, {})]).toEqual([e, unseen ? 1 : 2]);
  });
});

describe('of every argument', () => {
  it('it is known whether the function writes through it', () => {
    const outputs = (args: readonly Arg[]): boolean[] => args.map(isOutput);
    const mem = { kind: 'mem', size: { bytes: 8 } } as const;
    expect(
      outputs([
        { ...mem, access: 'read' },
        { ...mem, access: 'write' },
        { ...mem, access: 'readwrite' },
        { kind: 'map_value' },
        { kind: 'map_value', uninit: true },
        { kind: 'map_value', nullable: true },
        { kind: 'map_key' },
        { kind: 'dynptr', state: 'uninit' },
      ]),
    ).toEqual([false, true, true, false, true, false, false, false]);
  });

  it('it is known whether it is a callback, wherever it stands', () => {
    const callback: Arg = { kind: 'callback', callback: { args: ['scalar'], returns: [0, 1] } };
    const scalar: Arg = { kind: 'scalar' };
    expect(callsBack(contract([], [scalar, callback]))).toBe(true);
    expect(callsBack(contract([], [callback, scalar]))).toBe(true);
    expect(callsBack(contract([], [scalar, scalar]))).toBe(false);
    const called = contracts().filter(callsBack);
    expect(called).toEqual(contracts().filter((c) => c.args.map(({ kind }) => kind).includes('callback')));
  });
});

function effectsOf(c: Contract): readonly Effect[] {
  return c.outcomes.flatMap((o) => o.effects);
}

/** The role that comes first in the order new, next, destroy. */
function first(roles: readonly Meaning['iterator'][]): Meaning['iterator'] {
  return (['new', 'next', 'destroy'] as const).find((role) => roles.includes(role));
}

function alike(a: Outcome, b: Outcome): boolean {
  const seen = (o: Outcome): unknown => [o.r0, o.effects.filter((e) => meaning(e).unseen !== true), o.guard];
  return deepEqual(seen(a), seen(b));
}

function deepEqual(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => deepEqual((a as never)[key], (b as never)[key]));
}
