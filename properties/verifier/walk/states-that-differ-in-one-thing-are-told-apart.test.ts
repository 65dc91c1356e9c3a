/**
 * Two states that are the same but for one field of a register, a stack slot, a frame or the state itself: the one covers the other only where
 * regsafe, stacksafe, refsafe and states_equal of kernel/bpf/verifier.c say so. Every field has its row, so that none is forgotten.
 */
import { describe, expect, it } from 'vitest';
import { constant, type Scalar, unknown } from '../../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg, UNINIT } from '../../../src/verifier/state/regs.js';
import {
  BYTE,
  type ByteKind,
  type CallbackFrame,
  type DynptrSlot,
  type Frame,
  type IrqSlot,
  type IterSlot,
  type Ref,
  type Reg,
  type Slot,
  type State,
} from '../../../src/verifier/state/state.js';
import { prepare } from '../../../src/verifier/text/code.js';
import { IdPairs } from '../../../src/verifier/walk/id-pairs.js';
import { iterDepthsDiffer, statesMaybeLooping } from '../../../src/verifier/walk/looping.js';
import { type ExactLevel, RegComparison } from '../../../src/verifier/walk/regsafe.js';
import { StackComparison } from '../../../src/verifier/walk/stacksafe.js';
import { StateComparison, sameCallsites } from '../../../src/verifier/walk/states-equal.js';
import { parseCase } from '../../../src/vm/case/case.js';

const LEVELS: readonly ExactLevel[] = ['range_within', 'not_exact', 'exact'];
const upTo = (max: bigint): Scalar => ({
  ...unknown,
  value: 0n,
  mask: max,
  umin: 0n,
  umax: max,
  smin: 0n,
  smax: max,
  u32min: 0,
  u32max: Number(max),
  s32min: 0,
  s32max: Number(max),
});

/** `always` and `never`: whether a state with this change is covered, at every level; `unless exact`. */
type Verdict = 'always' | 'never' | 'unless exact';
const holds = (verdict: Verdict, level: ExactLevel): boolean =>
  verdict === 'always' || (verdict === 'unless exact' && level !== 'exact');

const POINTER: Reg = pointerReg('btf', {
  id: 3,
  ref: 4,
  off: 8,
  range: 8,
  num: upTo(7n),
  map: 2,
  size: 16,
  frame: 1,
  struct: 'a',
  trust: 'rcu',
  dynptr: 5,
});

/** What a field of a pointer becomes, and whether the changed register is covered by the one above. */
const POINTER_CHANGES: Readonly<Record<keyof Reg, readonly (readonly [Partial<Reg>, Verdict])[]>> = {
  type: [[{ type: 'object' }, 'never']],
  nullable: [[{ nullable: true }, 'never']],
  off: [[{ off: 9 }, 'never']],
  num: [
    [{ num: constant(3n) }, 'unless exact'],
    [{ num: upTo(15n) }, 'never'],
  ],
  id: [
    [{ id: 9 }, 'always'],
    [{ id: 0 }, 'never'],
  ],
  ref: [
    [{ ref: 9 }, 'always'],
    [{ ref: 0 }, 'never'],
    [{ ref: 3 }, 'never'],
  ],
  range: [
    [{ range: 9 }, 'unless exact'],
    [{ range: 7 }, 'never'],
    [{ range: -1 }, 'never'],
  ],
  map: [[{ map: 3 }, 'never']],
  size: [[{ size: 8 }, 'never']],
  frame: [[{ frame: 0 }, 'never']],
  struct: [[{ struct: 'b' }, 'never']],
  trust: [[{ trust: 'trusted' }, 'never']],
  readonly: [[{ readonly: true }, 'never']],
  nonOwning: [[{ nonOwning: true }, 'never']],
  unowned: [[{ unowned: true }, 'never']],
  percpu: [[{ percpu: true }, 'never']],
  dynptr: [[{ dynptr: 0 }, 'never']],
};

const comparison = (level: ExactLevel, forPruning = true): RegComparison => {
  const regs = new RegComparison(new IdPairs(forPruning));
  regs.level = level;
  return regs;
};

describe('pointers', () => {
  const rows = Object.values(POINTER_CHANGES).flat();
  it.each(LEVELS)('%s', (level) => {
    expect(comparison(level).regsafe(POINTER, { ...POINTER }, false)).toBe(true);
    for (const [change, verdict] of rows)
      expect([change, comparison(level).regsafe(POINTER, { ...POINTER, ...change }, false)]).toEqual([
        change,
        // Ids 3 and 4 cannot both be 3.
        holds(verdict, level),
      ]);
  });
  it('a number, and what was never written', () => {
    for (const level of LEVELS) {
      expect(comparison(level).regsafe(POINTER, scalarReg(unknown), false)).toBe(false);
      expect(comparison(level).regsafe(UNINIT, POINTER, false)).toBe(level !== 'exact');
      expect(comparison(level).regsafe(UNINIT, UNINIT, false)).toBe(true);
    }
  });
  it('an id of dynptrs is the same number where states are pruned, and any other where they are facts', () => {
    for (const forPruning of [true, false])
      expect(comparison('range_within', forPruning).regsafe(POINTER, { ...POINTER, dynptr: 6 }, false)).toBe(
        !forPruning,
      );
  });
  it('ranges below 0 are the same or differ', () => {
    const below = { ...POINTER, range: -2 };
    expect(comparison('range_within').regsafe(below, { ...below }, false)).toBe(true);
    for (const range of [-1, 0, 8])
      expect(comparison('range_within').regsafe(below, { ...POINTER, range }, false)).toBe(false);
  });
});

describe('numbers', () => {
  const linked: Reg = { ...scalarReg(upTo(7n)), id: 3, off: 4, size: 64 };
  const loose = scalarReg(upTo(7n));
  /** The old number, the new one, and whether it is covered: as a number that a check relied on, the same number, or exactly. */
  const rows: readonly (readonly [Reg, Reg, boolean, boolean, boolean])[] = [
    [loose, { ...loose }, true, true, true],
    [loose, scalarReg(constant(7n)), true, false, false],
    [loose, scalarReg(upTo(15n)), false, false, false],
    [loose, { ...loose, id: 3 }, true, true, false],
    [linked, { ...linked }, true, true, true],
    [linked, { ...linked, id: 4 }, true, true, true],
    [linked, { ...linked, num: constant(0n) }, true, false, false],
    [linked, { ...linked, off: 5 }, false, false, false],
    [linked, { ...linked, size: 32 }, false, false, false],
    // Any number without an id has a fresh one.
    [linked, { ...linked, id: 0 }, true, true, false],
  ];
  it.each(rows)('%#', (old, cur, within, same, exact) => {
    expect(comparison('range_within').regsafe(old, cur, false)).toBe(within);
    const strict = comparison('range_within');
    strict.exactScalars = true;
    expect(strict.regsafe(old, cur, false)).toBe(same);
    expect(comparison('exact').regsafe(old, cur, false)).toBe(exact);
  });
  it('facts keep the links of the old state, and need no others', () => {
    const fact = (old: Reg, cur: Reg): boolean => comparison('range_within', false).regsafe(old, cur, false);
    expect(fact(loose, linked)).toBe(true);
    expect(fact(linked, { ...linked, id: 8 })).toBe(true);
    for (const change of [{ id: 0 }, { off: 5 }, { size: 32 }] as const)
      expect([change, fact(linked, { ...linked, ...change })]).toEqual([change, false]);
  });
  it('links are one to one', () => {
    const pairs = (a: readonly number[], b: readonly number[], forPruning: boolean): boolean => {
      const regs = comparison('range_within', forPruning);
      return a.every((id, i) => regs.regsafe({ ...linked, id }, { ...linked, id: b[i]! }, false));
    };
    for (const forPruning of [true, false]) {
      expect(pairs([3, 3], [7, 7], forPruning)).toBe(true);
      expect(pairs([3, 3], [7, 8], forPruning)).toBe(false);
    }
    expect(pairs([3, 4], [7, 7], true)).toBe(false);
    expect(pairs([3, 4], [7, 7], false)).toBe(true);
  });
  it('what no check relied on may be any number, and is noted where it differs', () => {
    for (const [old, cur, noted] of [
      [loose, { ...loose }, false],
      [loose, scalarReg(constant(1n)), false],
      [loose, scalarReg(upTo(15n)), true],
      [linked, { ...linked }, true],
    ] as const) {
      const regs = comparison('not_exact');
      expect([regs.regsafe(old, cur, true), regs.imprecise]).toEqual([true, noted]);
    }
    expect(comparison('not_exact').regsafe(loose, POINTER, true)).toBe(false);
  });
});

const bytes = (kind: ByteKind): readonly ByteKind[] => Array<ByteKind>(8).fill(kind);
const dynptr: DynptrSlot = { type: 'local', id: 6, ref: 4, first: true };
const iter: IterSlot = { type: 'num', state: 'active', ref: 4, depth: 1, first: true, rcu: true };
const irq: IrqSlot = { ref: 4, by: 'native' };
const slots = {
  dynptr: { bytes: bytes(BYTE.dynptr), dynptr },
  iter: { bytes: bytes(BYTE.iter), iter },
  irq: { bytes: bytes(BYTE.irq), irq },
  spill: { bytes: bytes(BYTE.spill), reg: POINTER },
  number: { bytes: bytes(BYTE.spill), reg: scalarReg(upTo(7n)) },
  misc: { bytes: bytes(BYTE.misc) },
  zero: { bytes: bytes(BYTE.zero) },
  blank: { bytes: bytes(BYTE.invalid) },
} satisfies Readonly<Record<string, Slot>>;

const DYNPTR_CHANGES: Readonly<
  Record<keyof DynptrSlot, readonly (readonly [Partial<DynptrSlot>, boolean])[]>
> = {
  type: [[{ type: 'ringbuf' }, false]],
  id: [
    [{ id: 7 }, true],
    [{ id: 4 }, false],
  ],
  ref: [
    [{ ref: 9 }, true],
    [{ ref: 0 }, false],
  ],
  first: [[{ first: false }, false]],
};
const ITER_CHANGES: Readonly<Record<keyof IterSlot, readonly (readonly [Partial<IterSlot>, boolean])[]>> = {
  type: [[{ type: 'bits' }, false]],
  state: [[{ state: 'drained' }, false]],
  ref: [
    [{ ref: 9 }, true],
    [{ ref: 0 }, false],
  ],
  depth: [[{ depth: 2 }, true]],
  first: [[{ first: false }, false]],
  rcu: [[{ rcu: false }, false]],
  stale: [[{ stale: true }, false]],
};
const IRQ_CHANGES: Readonly<Record<keyof IrqSlot, readonly (readonly [Partial<IrqSlot>, boolean])[]>> = {
  ref: [
    [{ ref: 9 }, true],
    [{ ref: 0 }, false],
  ],
  by: [[{ by: 'lock' }, false]],
};

describe('stack slots', () => {
  const covers = (
    old: Slot | undefined,
    cur: Slot | undefined,
    level: ExactLevel,
    forPruning: boolean,
    strict = false,
  ): boolean =>
    new StackComparison(comparison(level, forPruning), strict, forPruning).slot(old, cur, false, true);
  const changed: readonly (readonly [Slot, Slot, boolean])[] = [
    ...Object.values(DYNPTR_CHANGES)
      .flat()
      .map(
        ([change, ok]) => [slots.dynptr, { ...slots.dynptr, dynptr: { ...dynptr, ...change } }, ok] as const,
      ),
    ...Object.values(ITER_CHANGES)
      .flat()
      .map(([change, ok]) => [slots.iter, { ...slots.iter, iter: { ...iter, ...change } }, ok] as const),
    ...Object.values(IRQ_CHANGES)
      .flat()
      .map(([change, ok]) => [slots.irq, { ...slots.irq, irq: { ...irq, ...change } }, ok] as const),
  ];
  it.each([true, false])('objects, for pruning: %s', (forPruning) => {
    for (const level of LEVELS)
      for (const [old, cur, ok] of changed)
        expect([cur, covers(old, cur, level, forPruning)]).toEqual([cur, ok]);
  });
  it('a dynptr that nobody has to give back may be new', () => {
    const free: Slot = { ...slots.dynptr, dynptr: { ...dynptr, ref: 0 } };
    for (const old of [undefined, slots.blank]) {
      for (const level of LEVELS) {
        expect(covers(old, free, level, false)).toBe(level !== 'exact');
        expect(covers(old, slots.dynptr, level, false)).toBe(false);
      }
    }
    expect(covers(slots.misc, free, 'range_within', false)).toBe(false);
  });

  /** Which slot is covered by which where facts are compared: rows cover columns. `!`: only where stack that was never written may be read. */
  const TABLE: Readonly<Record<keyof typeof slots, string>> = {
    // dynptr iter irq spill number misc zero blank
    dynptr: '+-------',
    iter: '-+------',
    irq: '--+-----',
    spill: '---+----',
    number: '----+---',
    misc: '---!+++!',
    zero: '------+-',
    blank: '---+++++',
  };
  it.each([true, false])('one thing over another; without capabilities: %s', (strict) => {
    const found = Object.fromEntries(
      Object.entries(slots).map(([name, old]) => [
        name,
        Object.values(slots)
          .map((cur) => (covers(old, cur, 'range_within', false, strict) ? '+' : '-'))
          .join(''),
      ]),
    );
    expect(found).toEqual(
      Object.fromEntries(
        Object.entries(TABLE).map(([name, row]) => [name, row.replaceAll('!', strict ? '-' : '+')]),
      ),
    );
  });
  it('exactly the same bytes', () => {
    for (const [a, old] of Object.entries(slots))
      for (const [b, cur] of Object.entries(slots))
        expect([a, b, covers(old, cur, 'exact', true)]).toEqual([a, b, a === b]);
    for (const cur of Object.values(slots))
      expect(covers(undefined, cur, 'exact', false)).toBe(cur === slots.blank);
    expect(covers(slots.number, { ...slots.number, reg: scalarReg(constant(1n)) }, 'exact', true)).toBe(
      false,
    );
    expect(
      covers(slots.number, { ...slots.number, reg: scalarReg(constant(1n)) }, 'range_within', true),
    ).toBe(true);
  });
});

const callback: CallbackFrame = { call: 3, returns: [0, 1], async: false };
const frame: Frame = {
  regs: Array<Reg>(10).fill(UNINIT),
  stack: [],
  subprog: 0,
  callsite: -1,
  callbackDepth: 1,
  callback,
};
const lock: Ref = { id: 4, kind: 'spin_lock', at: 2, owner: 'map 0' };
const STATE: State = { frames: [frame], refs: [lock], rcu: 1, preempt: 1, irq: 4, mayGoto: 0 };

const FRAME_CHANGES: Readonly<Record<keyof Frame, readonly (readonly [Partial<Frame>, boolean])[]>> = {
  regs: [[{ regs: [POINTER, ...frame.regs.slice(1)] }, true]],
  stack: [[{ stack: [slots.misc] }, true]],
  subprog: [[{ subprog: 5 }, false]],
  callsite: [[{ callsite: 5 }, false]],
  callback: [
    [{ callback: { ...callback, stops: true } }, false],
    [{ callback: { ...callback, call: 9 } }, true],
  ],
  callbackDepth: [
    [{ callbackDepth: 0 }, false],
    [{ callbackDepth: 2 }, true],
  ],
};
const STATE_CHANGES: Readonly<Record<keyof State, readonly (readonly [Partial<State>, boolean])[]>> = {
  frames: [[{ frames: [frame, frame] }, false]],
  refs: [
    [{ refs: [] }, false],
    [{ refs: [lock, lock] }, false],
    [{ refs: [{ ...lock, kind: 'res_spin_lock' }] }, false],
    [{ refs: [{ ...lock, owner: 'map 1' }] }, false],
    [{ refs: [{ ...lock, id: 0 }] }, false],
    [{ refs: [{ ...lock, id: 9 }], irq: 9 }, true],
    [{ refs: [{ ...lock, at: 9 }] }, true],
  ],
  rcu: [
    [{ rcu: 0 }, false],
    [{ rcu: 2 }, false],
  ],
  preempt: [
    [{ preempt: 0 }, false],
    [{ preempt: 2 }, false],
  ],
  irq: [
    [{ irq: 0 }, false],
    [{ irq: 5 }, false],
  ],
  mayGoto: [[{ mayGoto: 3 }, true]],
  unwound: [[{ unwound: true }, false]],
  speculative: [[{ speculative: true }, true]],
  unrolled: [[{ unrolled: 3 }, true]],
};

describe('states', () => {
  const code = prepare(parseCase('.type tc\nr0 = 0\nexit\n').program);
  const covers = (old: State, cur: State): boolean =>
    new StateComparison(code, false, false).covers(old, cur, 'range_within', {});
  it('fields of the state', () => {
    expect(covers(STATE, { ...STATE })).toBe(true);
    for (const [change, ok] of Object.values(STATE_CHANGES).flat())
      expect([change, covers(STATE, { ...STATE, ...change })]).toEqual([change, ok]);
    expect(covers({ ...STATE, speculative: true }, STATE)).toBe(false);
  });
  it('fields of a frame', () => {
    for (const [change, ok] of Object.values(FRAME_CHANGES).flat())
      expect([change, covers(STATE, { ...STATE, frames: [{ ...frame, ...change }] })]).toEqual([change, ok]);
  });
  it('calls that lead to them', () => {
    const called = (change: Partial<Frame>): State => ({
      ...STATE,
      frames: [frame, { ...frame, ...change }],
    });
    expect(sameCallsites(called({}), called({ regs: [] }))).toBe(true);
    expect(sameCallsites(called({}), STATE)).toBe(false);
    expect(sameCallsites(called({}), called({ subprog: 5 }))).toBe(false);
    expect(sameCallsites(called({}), called({ callsite: 5 }))).toBe(false);
  });
});

describe('loops', () => {
  const at = (reg: Reg): State => ({ ...STATE, frames: [{ ...frame, regs: frame.regs.with(6, reg) }] });
  it('go on for ever where all of a register is the same, but its frame and its owner', () => {
    expect(statesMaybeLooping(at(POINTER), at({ ...POINTER, num: upTo(7n) }))).toBe(true);
    for (const [field, rows] of Object.entries(POINTER_CHANGES))
      for (const [change] of rows)
        expect([change, statesMaybeLooping(at(POINTER), at({ ...POINTER, ...change }))]).toEqual([
          change,
          field === 'frame' || field === 'unowned',
        ]);
  });
  it('of an iterator are told by how far it is', () => {
    const having = (one: IterSlot): State => ({
      ...STATE,
      frames: [{ ...frame, stack: [undefined, { ...slots.iter, iter: one }] }],
    });
    expect(iterDepthsDiffer(having(iter), having(iter))).toBe(false);
    expect(iterDepthsDiffer(having(iter), having({ ...iter, depth: 2 }))).toBe(true);
    expect(
      iterDepthsDiffer(having({ ...iter, first: false }), having({ ...iter, first: false, depth: 2 })),
    ).toBe(false);
    expect(iterDepthsDiffer(having({ ...iter, state: 'drained' }), having({ ...iter, depth: 2 }))).toBe(
      false,
    );
    expect(iterDepthsDiffer(having(iter), STATE)).toBe(true);
  });
});
