/**
 * A recorded run keeps what each call wrote, so that the kernel's run and the VM's can be compared. Which arguments a helper writes through is what Linux's
 * prototypes say. Where its buffer lies is known if all visits of the call agree on it: each pair of places is tried. The parts of an object that are
 * recorded are its bytes without special fields, and an iterator is recorded if its rounds are few.
 */
import { describe, expect, it } from 'vitest';
import {
  bufferOf,
  constantOf,
  hasFewRounds,
  isBuffer,
  plainParts,
  roundsOf,
} from '../../../src/campaign/agreement/values/buffers.js';
import { helper } from '../../../src/kernel/catalog.js';
import type { Arg } from '../../../src/kernel/contract.js';
import { HELPERS } from '../../../src/kernel/tables/rows.js';
import type { LocalType, MapDef } from '../../../src/object/program.js';
import { constant, unknown } from '../../../src/verifier/scalar/scalar.js';
import { pointerReg, scalarReg, UNINIT } from '../../../src/verifier/state/regs.js';
import type { Frame, Reg, State } from '../../../src/verifier/state/state.js';
import type { Visit } from '../../../src/verifier/walk/visit.js';

it('what a helper writes is what its prototype says', () => {
  let buffers = 0;
  const more: string[] = [];
  for (const row of HELPERS) {
    const contract = helper(row.id);
    if (contract === undefined) continue;
    row.args.forEach((type, index) => {
      const arg = contract.args[index];
      if (arg === undefined) return;
      const memory = /ARG_PTR_TO_(UNINIT_MEM|MEM|FIXED_SIZE_MEM|MAP_VALUE)/.test(type);
      const writes = memory && /UNINIT|MEM_WRITE/.test(type);
      // Memory of a map is lent to a dynptr, not written.
      const lent = row.name === 'bpf_dynptr_from_mem';
      if (writes) buffers++;
      if (isBuffer(arg) && !writes) more.push(`${row.name} ${index}`);
      else expect([row.name, index, isBuffer(arg)]).toEqual([row.name, index, writes && !lent]);
    });
  }
  expect(buffers).toBeGreaterThan(30);
  // Of these Linux says only that they are given memory.
  expect(more).toEqual([
    'bpf_fib_lookup 1',
    'bpf_sysctl_get_name 1',
    'bpf_read_branch_records 1',
    'bpf_d_path 1',
    'bpf_snprintf_btf 0',
    'bpf_snprintf 0',
  ]);
});

const map = (more: Partial<MapDef>): MapDef => ({
  name: 'm',
  type: 'array',
  keySize: 4,
  valueSize: 16,
  maxEntries: 1,
  flags: 0,
  fields: [],
  ...more,
});
const MAPS = [map({}), map({ maxEntries: 2 }), map({ type: 'hash' }), map({ valueSize: 0 })];
const frame = (regs: readonly Reg[]): Frame => ({
  regs: [...regs],
  stack: [],
  subprog: 0,
  callsite: -1,
  callbackDepth: 0,
});
/** A visit in the second frame, whose r2 and r3 are these. */
const visit = (at: Reg, size: Reg = UNINIT, first: Reg = UNINIT): Visit => {
  const regs = Array.from({ length: 11 }, (_, n) => [UNINIT, first, at, size][n] ?? UNINIT);
  const state: State = { frames: [frame([]), frame(regs)], refs: [], rcu: 0, preempt: 0, irq: 0, mayGoto: 0 };
  return { state } as Visit;
};

/** What a register holds and where that is: a place, none at all (NULL), or nothing that is the same in each run. */
const PLACES: readonly (readonly [
  what: string,
  reg: Reg,
  place: readonly [number, number] | 'none' | undefined,
])[] = [
  ['the stack', pointerReg('stack', { frame: 1, off: -16 }), [-1, -16]],
  ['another place of it', pointerReg('stack', { frame: 1, off: -24 }), [-1, -24]],
  [
    'the same place, in two parts',
    pointerReg('stack', { frame: 1, off: -8, num: constant(BigInt.asUintN(64, -8n)) }),
    [-1, -16],
  ],
  ['the stack of the caller', pointerReg('stack', { frame: 0, off: -16 }), undefined],
  ['somewhere in the stack', pointerReg('stack', { frame: 1, off: -16, num: unknown }), undefined],
  ['the only value of a map', pointerReg('map_value', { map: 0, off: 4 }), [0, 4]],
  ['one of two values', pointerReg('map_value', { map: 1 }), undefined],
  ['a value of a hash', pointerReg('map_value', { map: 2 }), undefined],
  ['other memory', pointerReg('mem', { size: 64 }), undefined],
  ['NULL', scalarReg(constant(0n)), 'none'],
];

describe('where a buffer lies', () => {
  const eight: Arg = { kind: 'mem', access: 'write', size: { bytes: 8 } } as Arg;
  const sized: Arg = { kind: 'mem', access: 'write', size: { arg: 2 } } as Arg;
  const value: Arg = { kind: 'map_value', uninit: true };

  it('is known where all visits agree', () => {
    for (const [a, one, place] of PLACES)
      for (const [b, other, second] of PLACES) {
        const told = (of: typeof place) =>
          of === 'none' ? { map: -1, off: 0, size: 0 } : of && { map: of[0], off: of[1], size: 8 };
        const [x, y] = [told(place), told(second)];
        const same = x !== undefined && JSON.stringify(x) === JSON.stringify(y);
        expect([a, b, bufferOf(eight, 1, [visit(one)], MAPS)]).toEqual([a, b, x]);
        const both = bufferOf(eight, 1, [visit(one), visit(other)], MAPS);
        expect([a, b, both]).toEqual([a, b, same ? x : undefined]);
      }
  });

  it('is as large as the size says, if that is one number', () => {
    const stack = pointerReg('stack', { frame: 1, off: -16 });
    for (const size of [1, 7, 8, 16])
      expect(bufferOf(sized, 1, [visit(stack, scalarReg(constant(BigInt(size))))], MAPS)?.size).toBe(size);
    expect(bufferOf(sized, 1, [visit(stack, scalarReg(unknown))], MAPS)).toBeUndefined();
    expect(bufferOf(sized, 1, [visit(stack, stack)], MAPS)).toBeUndefined();
    const [two, four] = [2n, 4n].map((size) => visit(stack, scalarReg(constant(size))));
    expect(bufferOf(sized, 1, [two!, two!], MAPS)?.size).toBe(2);
    expect(bufferOf(sized, 1, [two!, four!], MAPS)).toBeUndefined();
    const none = visit(stack, scalarReg(constant(0n)));
    expect(bufferOf(sized, 1, [two!, none], MAPS)).toBeUndefined();
    expect(bufferOf(sized, 1, [none, two!], MAPS)).toBeUndefined();
    // Nothing is written, wherever it would be.
    const nothing = visit(pointerReg('mem', { size: 64 }), scalarReg(constant(0n)));
    expect(bufferOf(sized, 1, [nothing], MAPS)).toEqual({ map: -1, off: 0, size: 0 });
    for (const [index, { valueSize }] of MAPS.entries())
      expect(
        bufferOf(value, 1, [visit(stack, UNINIT, pointerReg('map_ptr', { map: index }))], MAPS)?.size,
      ).toBe(valueSize);
    expect(bufferOf({ kind: 'any' } as unknown as Arg, 1, [visit(stack)], MAPS)).toBeUndefined();
  });
});

it('numbers that are known', () => {
  expect(constantOf(scalarReg(constant(5n)))).toBe(5);
  expect(constantOf(scalarReg(constant((1n << 33n) + 7n)))).toBe(7);
  expect(constantOf(scalarReg(unknown))).toBeUndefined();
  expect(constantOf(pointerReg('ctx'))).toBeUndefined();
  expect(roundsOf(scalarReg(constant((1n << 33n) + 7n)))).toBe((1n << 33n) + 7n);
  expect(roundsOf(scalarReg(unknown))).toBe((1n << 64n) - 1n);
  expect(roundsOf(pointerReg('ctx'))).toBe(0n);
});

it('an iterator has few rounds if its ends are known and near, in every visit', () => {
  const between = (start: number, end: number): Visit =>
    visit(
      scalarReg(constant(BigInt.asUintN(64, BigInt(start)))),
      scalarReg(constant(BigInt.asUintN(64, BigInt(end)))),
    );
  for (const start of [-3, 0, 5])
    for (let rounds = -1; rounds <= 6; rounds++) {
      expect(hasFewRounds([between(start, start + rounds)], 4)).toBe(rounds <= 4);
      expect(hasFewRounds([between(0, 1), between(start, start + rounds)], 4)).toBe(rounds <= 4);
      expect(hasFewRounds([between(start, start + rounds), between(0, 1)], 4)).toBe(rounds <= 4);
    }
  const five = scalarReg(constant(5n));
  expect(hasFewRounds([visit(scalarReg(unknown), five)], 4)).toBe(false);
  expect(hasFewRounds([visit(five, scalarReg(unknown))], 4)).toBe(false);
});

it('the plain parts of an object are its bytes without special fields', () => {
  for (let bits = 0; bits < 1 << 6; bits++) {
    // A field of four bytes wherever a bit is set.
    const fields = Array.from({ length: 6 }, (_, i) => ({
      kind: 'spin_lock' as const,
      offset: 4 * i,
      size: 4,
    })).filter((_, i) => ((bits >> i) & 1) === 1);
    const parts = plainParts({ id: 1, name: 'one', size: 26, fields } as LocalType);
    const inParts = Array.from(
      { length: 26 },
      (_, at) => parts.filter(([off, length]) => at >= off && at < off + length).length,
    );
    expect(inParts).toEqual(
      Array.from({ length: 26 }, (_, at) =>
        fields.some((one) => at >= one.offset && at < one.offset + 4) ? 0 : 1,
      ),
    );
    // As few parts as there are gaps between fields.
    for (const [i, [off, length]] of parts.entries()) expect(parts[i + 1]?.[0]).not.toBe(off + length);
  }
});
