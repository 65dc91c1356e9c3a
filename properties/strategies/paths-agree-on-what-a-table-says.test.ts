/**
 * Two strategies give back what a table says of the frame's registers and stack slots, one table for all paths to an insn. Whatever lies in a place
 * on two or three paths, in whatever order they come: exceptions take the program unless a reference lies there on one path, and nothing or a
 * reference of another kind on another; object tables take it only where the others have NULL there, or a reference of the same kind.
 */
import { describe, expect, it } from 'vitest';
import { described } from '../../src/strategies/held.js';
import { objectTable } from '../../src/strategies/object-table.js';
import type { Strategy, Subject } from '../../src/strategies/strategy.js';
import { unwindTable } from '../../src/strategies/unwind-table.js';
import { constant, unknown } from '../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg, UNINIT } from '../../src/verifier/state/regs.js';
import { BYTE, type ByteKind, type Reg, type Slot, type State } from '../../src/verifier/state/state.js';
import { parseCase } from '../../src/vm/case/case.js';
import { prepare } from '../../src/vm/state/code.js';
import type { HoldKind } from '../../src/vm/state/ledger.js';

const code = prepare(
  parseCase(
    `.type tc
again:
  call bpf_sk_lookup_tcp
  call bpf_ringbuf_reserve
  call bpf_ktime_get_ns
  goto again
`,
  ).program,
);
const SOCKET = { id: 1, kind: 'pointer' as const, at: 0 };
const RECORD = { id: 2, kind: 'pointer' as const, at: 1 };

/** What lies in a place: a reference to give back, NULL, something else that was written, or nothing. */
interface Lying<T> {
  readonly what: string;
  readonly there: T | undefined;
  readonly is: 'socket' | 'record' | 'NULL' | 'something' | 'nothing';
}

const REGISTERS: readonly Lying<Reg>[] = [
  { what: 'no value', there: UNINIT, is: 'nothing' },
  { what: 'NULL', there: scalarReg(constant(0n)), is: 'NULL' },
  { what: 'a number', there: scalarReg(constant(5n)), is: 'something' },
  { what: 'any number', there: scalarReg(unknown), is: 'something' },
  { what: 'another pointer', there: pointerReg('map_value', { map: 0 }), is: 'something' },
  { what: 'a socket', there: pointerReg('sock', { ref: SOCKET.id }), is: 'socket' },
  { what: 'a record', there: pointerReg('record', { ref: RECORD.id, size: 8 }), is: 'record' },
];

const bytes = (low: ByteKind, high: ByteKind = low): readonly ByteKind[] =>
  Array.from({ length: 8 }, (_, i) => (i < 4 ? low : high));
const { invalid, misc, zero, spill, dynptr, iter } = BYTE;
const NULL = scalarReg(constant(0n));

const SLOTS: readonly Lying<Slot>[] = [
  { what: 'no slot', there: undefined, is: 'nothing' },
  { what: 'bytes that were never written', there: { bytes: bytes(invalid) }, is: 'nothing' },
  { what: 'plain bytes', there: { bytes: bytes(misc) }, is: 'nothing' },
  { what: 'plain bytes above zeroes', there: { bytes: bytes(zero, misc) }, is: 'nothing' },
  { what: 'plain bytes above half a NULL', there: { bytes: bytes(spill, misc), reg: NULL }, is: 'nothing' },
  { what: 'zeroes above plain bytes', there: { bytes: bytes(misc, zero) }, is: 'something' },
  { what: 'zeroes', there: { bytes: bytes(zero) }, is: 'NULL' },
  { what: 'a spilled NULL', there: { bytes: bytes(spill), reg: NULL }, is: 'NULL' },
  { what: 'zeroes above half a NULL', there: { bytes: bytes(spill, zero), reg: NULL }, is: 'NULL' },
  {
    what: 'a dynptr of nothing',
    there: { bytes: bytes(dynptr), dynptr: { type: 'local', id: 4, ref: 0, first: true } },
    is: 'something',
  },
  {
    what: 'an iterator of nothing',
    there: {
      bytes: bytes(iter),
      iter: { type: 'num', state: 'active', ref: 0, depth: 0, first: true, rcu: false },
    },
    is: 'something',
  },
  ...REGISTERS.slice(2).map(
    ({ there, ...one }): Lying<Slot> => ({ ...one, there: { bytes: bytes(spill), reg: there! } }),
  ),
];

const stateWith = (
  { is }: Lying<unknown>,
  regs: readonly Reg[],
  stack: readonly (Slot | undefined)[],
): State => ({
  frames: [{ regs: [...regs], stack: [...stack], subprog: 0, callsite: -1, callbackDepth: 0 }],
  refs: is === 'socket' ? [SOCKET] : is === 'record' ? [RECORD] : [],
  rcu: 0,
  preempt: 0,
  irq: 0,
  mayGoto: 0,
});
const NO_REGS = Array.from({ length: 11 }, () => UNINIT);

/** By place, what can lie there and the state in which it does. */
const PLACES: readonly (readonly [
  place: string,
  lying: readonly (Lying<unknown> & { readonly state: State })[],
])[] = [
  ...[6, 9].map((reg) => {
    const states = REGISTERS.map((one) => ({
      ...one,
      state: stateWith(
        one,
        NO_REGS.map((none, n) => (n === reg ? one.there! : none)),
        [],
      ),
    }));
    return [`r${reg}`, states] as const;
  }),
  ...[0, 63].map((index) => {
    const states = SLOTS.map((one) => ({
      ...one,
      state: stateWith(one, NO_REGS, [...Array<undefined>(index).fill(undefined), one.there]),
    }));
    states.push({ ...SLOTS[0]!, what: 'no stack', state: stateWith(SLOTS[0]!, NO_REGS, []) });
    return [`fp${-8 * (index + 1)}`, states] as const;
  }),
];

const isReference = ({ is }: Lying<unknown>): boolean => is === 'socket' || is === 'record';

const RULES: readonly (readonly [
  strategy: Strategy,
  slot: number,
  agree: (reference: Lying<unknown>, other: Lying<unknown>) => boolean,
])[] = [
  [unwindTable, 2, (one, { is }) => is === one.is || is === 'NULL' || is === 'something'],
  [objectTable, 3, (one, { is }) => is === one.is || is === 'NULL'],
];

describe.each(RULES.map(([strategy, slot, agree]) => ({ name: strategy.name, strategy, slot, agree })))(
  '$name',
  ({ strategy, slot, agree }) => {
    const takes = (states: readonly State[]): number | undefined => {
      const facts = { at: (at: number) => (at === slot ? states.map((state) => ({ state })) : []) };
      const prepared = strategy.prepare({ code, facts } as unknown as Subject);
      return 'cannot' in prepared ? undefined : prepared.bytes;
    };
    const expected = (lying: readonly Lying<unknown>[]): number | undefined => {
      const references = lying.filter(isReference);
      if (!references.every((one) => lying.every((other) => agree(one, other)))) return undefined;
      return references.length === 0 ? 0 : 48;
    };

    it.each(PLACES)('on two and three paths, in %s', (place, all) => {
      for (const one of all)
        for (const two of all)
          for (const more of [[], ...(place === 'fp-512' ? [] : all.map((three) => [three]))]) {
            const lying = [one, two, ...more];
            const told = lying.map(({ what }) => what).join(', ');
            expect([told, takes(lying.map(({ state }) => state))]).toEqual([told, expected(lying)]);
          }
    });
  },
);

/** Everything that can be held, by kind, and how it stands in a sentence. */
const SENTENCES: readonly (readonly [HoldKind, string])[] = [
  ['socket', 'a socket'],
  ['object', 'an object'],
  ['iterator', 'an iterator'],
  ['key', 'a key'],
  ['spin_lock', 'a spin_lock'],
  ['reference', 'a reference'],
  ['rcu', 'an open rcu section'],
  ['preempt', 'an open preempt section'],
  ['irq', 'a saved IRQ state'],
];

it.each(SENTENCES)('what is held is told in a sentence: %s', (kind, words) => {
  expect(described(kind)).toBe(words);
});
