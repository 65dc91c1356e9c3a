/** A comparison of a state of ours with one of the kernel's log sees a difference in every part that it compares, and says in which. */
import { describe, expect, it } from 'vitest';
import { heldAtPoint, heldInState } from '../../../src/campaign/agreement/facts/held.js';
import {
  type PointContext,
  sameFrames,
  uncoveredParts,
} from '../../../src/campaign/agreement/facts/point.js';
import { type IdOrigins, mismatch } from '../../../src/campaign/agreement/facts/value.js';
import type { LogSlot } from '../../../src/oracle/walk-log/state.js';
import { type LogValue, parseValue } from '../../../src/oracle/walk-log/value.js';
import type { LogPoint } from '../../../src/oracle/walk-log/walk.js';
import { constant, unknown } from '../../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg, UNINIT } from '../../../src/verifier/state/regs.js';
import { BYTE, type Frame, type Reg, type Slot, type State } from '../../../src/verifier/state/state.js';

import { program, REGS } from '../../support/campaign/compared.js';

const origins: IdOrigins = {
  program,
  depth: 1,
  ours: [
    { id: 9, kind: 'pointer', at: 4 },
    { id: 10, kind: 'pointer', at: 6 },
  ],
  theirs: new Map([[3, { kind: 'pointer', at: 4 }]]),
};

describe('a register', () => {
  it.each(REGS)('is held against %s', (text, ours, wrong) => {
    const theirs = parseValue(text)!;
    expect(mismatch(ours, theirs, origins)).toBeUndefined();
    for (const [change, what] of wrong)
      expect(
        mismatch({ ...ours, ...change }, theirs, origins)?.what,
        JSON.stringify(change, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
      ).toBe(what);
    // What we have forgotten covers anything.
    expect(mismatch(UNINIT, theirs, origins)).toBeUndefined();
  });

  it('may know less than Linux does: a wider range, a shorter packet', () => {
    expect(mismatch(scalarReg(unknown), parseValue('5')!, origins)).toBeUndefined();
    expect(mismatch(pointerReg('packet', { range: 8 }), parseValue('pkt(r=14)')!, origins)).toBeUndefined();
  });
});

const NO_REGS = Array.from({ length: 11 }, () => UNINIT);
const frame = (more: Partial<Frame> = {}): Frame => ({
  regs: NO_REGS,
  stack: [],
  subprog: 0,
  callsite: -1,
  callbackDepth: 0,
  ...more,
});
const state = (more: Partial<State> = {}): State => ({
  frames: [frame()],
  refs: [],
  rcu: 0,
  preempt: 0,
  irq: 0,
  mayGoto: 0,
  ...more,
});
const point = (more: Partial<LogPoint> = {}): LogPoint => ({
  slot: 3,
  from: 2,
  frame: 0,
  callsites: [],
  complete: true,
  regs: new Map(),
  slots: new Map(),
  held: [],
  rcu: 0,
  preempt: 0,
  async: false,
  ...more,
});

describe('what is held', () => {
  const refs = [
    { id: 9, kind: 'pointer' as const, at: 4 },
    { id: 10, kind: 'spin_lock' as const, at: 6 },
    { id: 11, kind: 'irq' as const, at: 7 },
  ];
  const calls = [frame(), frame({ callsite: 12 })];
  const full = heldInState(state({ refs, frames: calls, rcu: 1, preempt: 2 }));

  it('is spelled alike of both sides', () => {
    expect(full).toEqual({
      exact: 'pointer@4 spin_lock@6 irq@7, rcu, preempt 2 in 12',
      kinds: 'pointer spin_lock irq, rcu, preempt 2 in 12',
      locks: 'spin_lock@6, rcu, preempt 2 in 12',
    });
    expect(heldAtPoint(point({ held: refs, callsites: [12], rcu: 1, preempt: 2 }))).toEqual(full);
    expect(heldInState(state())).toEqual({ exact: 'nothing', kinds: 'nothing', locks: 'nothing' });
  });

  it.each([
    ['a reference', { refs: refs.slice(1) }],
    ['a lock', { refs: [refs[0]!, refs[2]!] }],
    ['where it was acquired', { refs: [{ ...refs[0]!, at: 5 }, ...refs.slice(1)] }],
    ['the order', { refs: [refs[0]!, refs[2]!, refs[1]!] }],
    ['the RCU section', { rcu: 0 }],
    ['the preempt depth', { preempt: 1 }],
    ['the call', { frames: [frame(), frame({ callsite: 13 })] }],
  ])('differs in %s', (_, change) => {
    const other = heldInState(state({ refs, frames: calls, rcu: 1, preempt: 2, ...change }));
    expect(other.exact).not.toBe(full.exact);
  });
});

describe('the calls that lead there', () => {
  const deep = [frame(), frame({ callsite: 5 }), frame({ callsite: 9 })];
  const there = point({ frame: 2, callsites: [5, 9] });

  it('are the same ones, as many, in one context', () => {
    expect(sameFrames(state({ frames: deep }), there)).toBe(true);
    expect(sameFrames(state({ frames: deep }), point({ frame: 2, callsites: [5, 8] }))).toBe(false);
    expect(sameFrames(state({ frames: deep }), point({ frame: 2, callsites: [4, 9] }))).toBe(false);
    expect(sameFrames(state({ frames: deep.slice(0, 2) }), there)).toBe(false);
    expect(sameFrames(state({ frames: deep }), point({ frame: 1, callsites: [5] }))).toBe(false);
    expect(sameFrames(state({ frames: deep }), { ...there, async: true })).toBe(false);
  });
});

describe('a state', () => {
  const context: PointContext = { program, theirs: origins.theirs, live: 0b1, dead: 0, strict: false };
  const value = (text: string): LogValue => parseValue(text)!;
  const regsWith = (more: Readonly<Record<number, Reg>>): Reg[] => NO_REGS.map((reg, n) => more[n] ?? reg);
  const bytes = (kind: number): Slot['bytes'] =>
    Array.from({ length: 8 }, () => kind as Slot['bytes'][number]);
  const shown = (text: string, more: Partial<LogSlot> = {}): LogSlot => ({
    bytes: [...text] as never,
    ...more,
  });
  const DYNPTR = { type: 'local', id: 1, ref: 0, slice: 0 };
  const found = (
    ours: {
      regs?: Readonly<Record<number, Reg>>;
      stack?: readonly (Slot | undefined)[];
      refs?: State['refs'];
    },
    theirs: Partial<LogPoint>,
    more: Partial<PointContext> = {},
  ) =>
    uncoveredParts(
      state({
        frames: [frame({ regs: regsWith(ours.regs ?? {}), stack: [...(ours.stack ?? [])] })],
        refs: ours.refs ?? [],
      }),
      point(theirs),
      { ...context, ...more },
    ).map(({ where, what }) => `${where} ${what}`);
  const slots = (off: number, slot: LogSlot): Partial<LogPoint> => ({ slots: new Map([[off, slot]]) });

  it('covers Linux in every register, or says in which it does not', () => {
    for (let n = 0; n < 10; n++) {
      const regs = { [n]: scalarReg(constant(5n)) };
      expect(found({ regs }, { regs: new Map([[n, value('5')]]) })).toEqual([]);
      expect(found({ regs }, { regs: new Map([[n, value('6')]]) })).toEqual([`r${n} narrower`]);
      // What is dead in Linux may be wider there, but is no other kind of thing.
      expect(found({ regs }, { regs: new Map([[n, value('6')]]) }, { dead: 1 << n })).toEqual([]);
      expect(found({ regs }, { regs: new Map([[n, value('ctx()')]]) }, { dead: 1 << n })).toEqual([
        `r${n} kind`,
      ]);
      expect(found({ regs }, { regs: new Map([[n, value('ctx()')]]) })).toEqual([`r${n} kind`]);
      // Known to us alone; but a log that does not print all says nothing of it.
      expect(found({ regs }, {})).toEqual([`r${n} kind`]);
      expect(found({ regs }, { complete: false })).toEqual([]);
      // Forgotten by us: only where Linux holds it to be live.
      const live = { live: 1 << n };
      expect(found({}, { regs: new Map([[n, value('5')]]) }, live)).toEqual([`r${n} kind`]);
      expect(found({}, { regs: new Map([[n, value('5')]]) }, { live: 0x3ff & ~(1 << n) })).toEqual([]);
    }
  });

  it.each<[string, Slot, LogSlot, readonly string[]]>([
    ['anything', { bytes: bytes(BYTE.misc) }, shown('mmmmmmmm'), []],
    [
      'anything over what is spilled',
      { bytes: bytes(BYTE.misc) },
      shown('rrrrrrrr', { reg: value('5') }),
      [],
    ],
    [
      'anything over a dynptr',
      { bytes: bytes(BYTE.misc) },
      shown('dddddddd', { dynptr: { ...DYNPTR, ref: 3 } }),
      ['kind'],
    ],
    ['anything over saved flags', { bytes: bytes(BYTE.misc) }, shown('ffffffff'), ['kind']],
    ['nothing', { bytes: bytes(BYTE.invalid) }, shown('mmmmmmmm'), []],
    ['zeroes', { bytes: bytes(BYTE.zero) }, shown('00000000'), []],
    ['zeroes over a spilled zero', { bytes: bytes(BYTE.zero) }, shown('rrrrrrrr', { reg: value('0') }), []],
    [
      'zeroes over a spilled number',
      { bytes: bytes(BYTE.zero) },
      shown('rrrrrrrr', { reg: value('5') }),
      ['kind'],
    ],
    ['zeroes over anything', { bytes: bytes(BYTE.zero) }, shown('0000000m'), ['kind']],
    ['saved flags', { bytes: bytes(BYTE.irq) }, shown('ffffffff'), []],
    ['saved flags over anything', { bytes: bytes(BYTE.irq) }, shown('mmmmmmmm'), ['kind']],
    [
      'a spilled number',
      { bytes: bytes(BYTE.spill), reg: scalarReg(constant(5n)) },
      shown('rrrrrrrr', { reg: value('5') }),
      [],
    ],
    [
      'another number',
      { bytes: bytes(BYTE.spill), reg: scalarReg(constant(5n)) },
      shown('rrrrrrrr', { reg: value('6') }),
      ['narrower'],
    ],
    [
      'a spilled number over anything',
      { bytes: bytes(BYTE.spill), reg: scalarReg(constant(5n)) },
      shown('mmmmmmmm'),
      ['kind'],
    ],
    [
      'a dynptr',
      { bytes: bytes(BYTE.dynptr), dynptr: { type: 'local', ref: 0, first: true } as never },
      shown('dddddddd', { dynptr: DYNPTR }),
      [],
    ],
    [
      'another dynptr',
      { bytes: bytes(BYTE.dynptr), dynptr: { type: 'ringbuf', ref: 0, first: true } as never },
      shown('dddddddd', { dynptr: DYNPTR }),
      ['kind'],
    ],
    [
      'a dynptr of nothing',
      { bytes: bytes(BYTE.dynptr), dynptr: { type: 'local', ref: 0, first: true } as never },
      shown('dddddddd', { dynptr: { ...DYNPTR, ref: 3 } }),
      ['kind'],
    ],
    [
      'an iterator',
      { bytes: bytes(BYTE.iter), iter: { type: 'num', state: 'active', ref: 0, first: true } as never },
      shown('iiiiiiii', { iter: { type: 'num', state: 'active', ref: 0, depth: 0 } }),
      [],
    ],
    [
      'a drained iterator',
      { bytes: bytes(BYTE.iter), iter: { type: 'num', state: 'drained', ref: 0, first: true } as never },
      shown('iiiiiiii', { iter: { type: 'num', state: 'active', ref: 0, depth: 0 } }),
      ['kind'],
    ],
    [
      'another iterator',
      { bytes: bytes(BYTE.iter), iter: { type: 'task', state: 'active', ref: 0, first: true } as never },
      shown('iiiiiiii', { iter: { type: 'num', state: 'active', ref: 0, depth: 0 } }),
      ['kind'],
    ],
  ])('holds in a slot %s', (_, ours, theirs, wrong) => {
    expect(found({ stack: [undefined, ours] }, slots(-16, theirs))).toEqual(
      wrong.map((what) => `fp-16 ${what}`),
    );
  });

  it('holds what lies in a slot against whatever Linux has there, object by object', () => {
    // Reference 9 of ours was acquired where reference 3 of Linux was; 10 was acquired elsewhere.
    type Thing = readonly [name: string, owner: 'none' | 'same' | 'other', ours: Slot];
    const owners = [
      ['none', 0],
      ['same', 9],
      ['other', 10],
    ] as const;
    const things: readonly Thing[] = [
      ['nothing', 'none', { bytes: bytes(BYTE.invalid) }],
      ['anything', 'none', { bytes: bytes(BYTE.misc) }],
      ['zeroes', 'none', { bytes: bytes(BYTE.zero) }],
      ['flags', 'none', { bytes: bytes(BYTE.irq) }],
      ['number', 'none', { bytes: bytes(BYTE.spill), reg: scalarReg(unknown) }],
      ...owners.flatMap(([owner, ref]): Thing[] => [
        ...(['local', 'ringbuf'] as const).map(
          (type): Thing => [
            `dynptr ${type}`,
            owner,
            { bytes: bytes(BYTE.dynptr), dynptr: { type, id: 1, ref, first: true } },
          ],
        ),
        ...(['active', 'drained'] as const).map(
          (now): Thing => [
            `iterator ${now}`,
            owner,
            {
              bytes: bytes(BYTE.iter),
              iter: { type: 'num', state: now, ref, depth: 0, first: true, rcu: false },
            },
          ],
        ),
      ]),
    ];
    const asLinux = ([name, owner, { dynptr, iter }]: Thing): LogSlot => {
      const ref = owner === 'none' ? 0 : owner === 'same' ? 3 : 8;
      if (dynptr !== undefined)
        return shown('dddddddd', { dynptr: { type: dynptr.type, id: 1, ref, slice: 0 } });
      if (iter !== undefined)
        return shown('iiiiiiii', { iter: { type: iter.type, state: iter.state, ref, depth: 0 } });
      const letter = { nothing: '?', anything: 'm', zeroes: '0', flags: 'f' }[name];
      return letter === undefined ? shown('rrrrrrrr', { reg: value('scalar()') }) : shown(letter.repeat(8));
    };
    const theirs = new Map([...origins.theirs, [8, { kind: 'pointer' as const, at: 6 }]]);
    const covers = ([one, owner]: Thing, [other, otherOwner]: Thing): boolean => {
      if (one === other) return owner === otherOwner;
      if (one === 'nothing')
        return !/^(dynptr|iterator)/.test(other) || (other.startsWith('dynptr') && otherOwner === 'none');
      if (one === 'anything')
        return (
          ['nothing', 'zeroes', 'number'].includes(other) ||
          (other.startsWith('dynptr') && otherOwner === 'none')
        );
      return false;
    };
    for (const ours of things)
      for (const linux of things) {
        const seen = found({ stack: [ours[2]], refs: origins.ours }, slots(-8, asLinux(linux)), { theirs });
        const told = `${ours[0]} ${ours[1]} over ${linux[0]} ${linux[1]}`;
        expect([told, seen]).toEqual([told, covers(ours, linux) ? [] : ['fp-8 kind']]);
      }
  });

  it('may not lack a dynptr, an iterator or saved flags, nor have a slot that Linux has not', () => {
    for (const theirs of [
      shown('dddddddd', { dynptr: DYNPTR }),
      shown('iiiiiiii', { iter: { type: 'num', state: 'active', ref: 0, depth: 0 } }),
      shown('ffffffff'),
    ])
      expect(found({}, slots(-8, theirs))).toEqual(['fp-8 kind']);
    expect(found({}, slots(-8, shown('mmmmmmmm')))).toEqual([]);
    expect(found({ stack: [{ bytes: bytes(BYTE.zero) }] }, {})).toEqual(['fp-8 kind']);
    expect(found({ stack: [{ bytes: bytes(BYTE.misc) }] }, {})).toEqual([]);
    expect(found({ stack: [{ bytes: bytes(BYTE.misc) }] }, {}, { strict: true })).toEqual(['fp-8 kind']);
  });

  it('in the strict profile says nothing of what was never written', () => {
    const misc = { bytes: bytes(BYTE.misc) };
    expect(found({ stack: [misc] }, slots(-8, shown('mmmmmmm?')))).toEqual([]);
    expect(found({ stack: [misc] }, slots(-8, shown('mmmmmmm?')), { strict: true })).toEqual(['fp-8 kind']);
    const spilled = shown('rrrrrrrr', { reg: value('ctx()') });
    expect(found({ stack: [misc] }, slots(-8, spilled), { strict: true })).toEqual(['fp-8 kind']);
  });

  it('holds two places to be the same only where Linux does, and as far apart', () => {
    const linked = (off: number): Reg => ({ ...scalarReg(unknown), id: 4, off });
    const pair = (a: string, b: string, off = 0) =>
      found(
        { regs: { 1: linked(0), 2: linked(off) } },
        {
          regs: new Map([
            [1, value(a)],
            [2, value(b)],
          ]),
        },
      );
    expect(pair('scalar(id=7)', 'scalar(id=7)')).toEqual([]);
    expect(pair('scalar(id=7)', 'scalar(id=8)')).toEqual(['r2 narrower']);
    expect(pair('scalar()', 'scalar()')).toEqual(['r2 narrower']);
    expect(pair('scalar(id=7)', 'scalar(id=7+4)', 4)).toEqual([]);
    expect(pair('scalar(id=7)', 'scalar(id=7+4)')).toEqual(['r2 narrower']);
    expect(pair('scalar(id=7)', 'scalar(id=7+5)', 4)).toEqual(['r2 narrower']);
    expect(pair('5', '5')).toEqual([]);
    expect(pair('5', '9', 4)).toEqual([]);
    expect(pair('5', '9')).toEqual(['r2 narrower']);
  });

  it.each([
    ...REGS.map(([text, ours]): [string, Reg] => [text, ours]),
    ...REGS.filter(([, { type }]) => type !== 'scalar' && type !== 'stack').map(
      ([text, ours]): [string, Reg] => [
        text.replace(/^(rcu_ptr|[a-z_]+)(?=[_(])/, '$1_or_null'),
        { ...ours, nullable: true },
      ],
    ),
  ])('holds two of %s to be the same only where Linux does, if the id means anything there', (text, ours) => {
    // Linux drops the id of a pointer that is known not to be NULL, unless a lock or the checked part of a packet hangs on it.
    const dropsId = !ours.nullable && !['scalar', 'packet', 'packet_meta'].includes(ours.type);
    const theirs = value(text);
    expect(mismatch(ours, theirs, origins)).toBeUndefined();
    const isConstant = theirs.type === 'scalar' && theirs.num.mask === 0n;
    for (const id of [0, 4])
      for (const [a, b] of [
        [0, 0],
        [0, 7],
        [7, 0],
        [7, 7],
        [7, 8],
      ] as const) {
        const same = (a === b && a !== 0) || isConstant;
        const excused = id === 0 || (dropsId && (a === 0 || b === 0));
        const pair = uncoveredParts(
          state({
            frames: [frame(), frame({ regs: regsWith({ 1: { ...ours, id }, 2: { ...ours, id } }) })],
            refs: origins.ours,
          }),
          point({
            frame: 1,
            regs: new Map([
              [1, { ...theirs, id: a }],
              [2, { ...theirs, id: b }],
            ]),
          }),
          context,
        );
        expect([id, a, b, pair.map(({ where, what }) => `${where} ${what}`)]).toEqual([
          id,
          a,
          b,
          same || excused ? [] : ['r2 narrower'],
        ]);
      }
  });

  it('names kinds before ranges', () => {
    const regs = { 1: scalarReg(constant(5n)), 2: scalarReg(constant(5n)) };
    expect(
      found(
        { regs },
        {
          regs: new Map([
            [1, value('6')],
            [2, value('ctx()')],
          ]),
        },
      ),
    ).toEqual(['r2 kind', 'r1 narrower']);
  });
});
