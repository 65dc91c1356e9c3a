/**
 * Live registers: which registers each kind of insn reads and writes, one row a kind; every loop of the control flow; and for generated programs
 * what Linux prints of them (compute_insn_live_regs).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import type { Op } from '../../../src/isa/insn.js';
import { contractOf } from '../../../src/kernel/catalog.js';
import { loadProgram } from '../../../src/oracle/load.js';
import { readWalk } from '../../../src/oracle/walk-log/walk.js';
import { PRUNE_POINT, prepare } from '../../../src/verifier/text/code.js';
import { TRAIT, traits } from '../../../src/verifier/text/insn-traits.js';
import { numberLoops } from '../../../src/verifier/text/loops.js';
import { liveRegisters } from '../../../src/verifier/text/register-liveness.js';
import { successors } from '../../../src/verifier/text/successors.js';
import { programOf } from '../../support/kernel/programs.js';
import { describeKernel, messagesKnown } from '../../support/kernel/skip.js';
import { seeded } from '../../support/seed.js';

interface Row {
  readonly op: Op;
  readonly reads: readonly number[];
  readonly writes: readonly number[];
  readonly traits: readonly (keyof typeof TRAIT)[];
  /** Slots that may run next, counted from the insn. */
  readonly next: readonly number[];
}

const CALLED = [0, 1, 2, 3, 4, 5];
const size = 8;
const row = (
  op: Op,
  reads: readonly number[],
  writes: readonly number[],
  has: Row['traits'],
  next: readonly number[] = [1],
): Row => ({
  op,
  reads,
  writes,
  traits: has,
  next,
});
const call = { kind: 'call', target: 'helper', imm: 1 } as const;

const ROWS: Readonly<Record<string, Row>> = {
  'an addition of a register': row(
    { kind: 'alu', op: 'add', width: 64, dst: 3, src: { reg: 4 } },
    [3, 4],
    [3],
    ['relies'],
  ),
  'an addition of a constant': row(
    { kind: 'alu', op: 'add', width: 32, dst: 3, src: { imm: 4 } },
    [3],
    [3],
    [],
  ),
  'a shift by a constant': row(
    { kind: 'alu', op: 'arsh', width: 64, dst: 3, src: { imm: 4 } },
    [3],
    [3],
    ['badForm'],
  ),
  'a remainder by a constant': row(
    { kind: 'alu', op: 'smod', width: 64, dst: 3, src: { imm: 4 } },
    [3],
    [3],
    ['badForm'],
  ),
  'an and with a constant': row(
    { kind: 'alu', op: 'and', width: 64, dst: 3, src: { imm: 4 } },
    [3],
    [3],
    ['selects'],
  ),
  'an or with a register': row(
    { kind: 'alu', op: 'or', width: 64, dst: 3, src: { reg: 9 } },
    [3, 9],
    [3],
    ['relies', 'selects'],
  ),
  'an addition to the frame pointer': row(
    { kind: 'alu', op: 'add', width: 64, dst: 10, src: { imm: 4 } },
    [10],
    [10],
    ['badForm'],
  ),
  'a move of a register': row({ kind: 'mov', width: 64, dst: 3, src: { reg: 4 } }, [4], [3], []),
  'a move of a constant': row({ kind: 'mov', width: 64, dst: 3, src: { imm: 4 } }, [], [3], []),
  'a sign-extending move': row({ kind: 'movsx', bits: 8, width: 64, dst: 3, src: 4 }, [4], [3], []),
  'a cast of address spaces': row({ kind: 'addr_space_cast', dst: 3, src: 4, imm: 1 }, [4], [3], []),
  'a negation': row({ kind: 'neg', width: 64, dst: 3 }, [3], [3], []),
  'a change of byte order': row({ kind: 'end', op: 'be', bits: 16, dst: 3 }, [3], [3], []),
  'a long constant': row({ kind: 'ld_imm64', dst: 3, as: 'imm', imm: 1, hi: 0 }, [], [3], [], [2]),
  'a load': row(
    { kind: 'ldx', size, signed: false, dst: 3, src: 4, off: 0 },
    [4],
    [3],
    ['loads', 'readsStack'],
  ),
  'a load that acquires': row(
    { kind: 'load_acquire', size, dst: 3, src: 4, off: 0 },
    [4],
    [3],
    ['readsStack'],
  ),
  'a store': row({ kind: 'stx', size, dst: 3, src: 4, off: 0 }, [3, 4], [], ['stores', 'relies']),
  'a store that releases': row(
    { kind: 'store_release', size, dst: 3, src: 4, off: 0 },
    [3, 4],
    [],
    ['stores', 'relies'],
  ),
  'a store of a constant': row({ kind: 'st', size, dst: 3, imm: 1, off: 0 }, [3], [], ['stores']),
  'an atomic addition': row(
    { kind: 'atomic', op: 'add', size, fetch: false, dst: 3, src: 4, off: 0 },
    [3, 4],
    [],
    ['readsStack'],
  ),
  'one that fetches': row(
    { kind: 'atomic', op: 'add', size, fetch: true, dst: 3, src: 4, off: 0 },
    [3, 4],
    [4],
    ['readsStack'],
  ),
  'an exchange': row(
    { kind: 'atomic', op: 'xchg', size, fetch: true, dst: 3, src: 4, off: 0 },
    [3, 4],
    [4],
    ['readsStack'],
  ),
  'an exchange where it compares equal': row(
    { kind: 'atomic', op: 'cmpxchg', size, fetch: true, dst: 3, src: 4, off: 0 },
    [0, 3, 4],
    [0],
    ['readsStack'],
  ),
  'a packet load': row(
    { kind: 'ld_packet', mode: 'abs', size: 4, src: -1, imm: 0 } as unknown as Op,
    [6],
    CALLED,
    [],
  ),
  'a packet load at a register': row(
    { kind: 'ld_packet', mode: 'ind', size: 4, src: 7, imm: 0 } as unknown as Op,
    [6, 7],
    CALLED,
    [],
  ),
  'a jump': row({ kind: 'ja', off: 3, wide: false } as unknown as Op, [], [], ['jumps'], [4]),
  'a jump on registers': row(
    { kind: 'jmp', op: 'eq', width: 64, dst: 3, src: { reg: 4 }, off: 3 },
    [3, 4],
    [],
    ['jumps'],
    [1, 4],
  ),
  'a jump on a constant': row(
    { kind: 'jmp', op: 'eq', width: 64, dst: 3, src: { imm: 4 }, off: -3 },
    [3],
    [],
    ['jumps'],
    [1, -2],
  ),
  may_goto: row({ kind: 'may_goto', off: 3 } as unknown as Op, [], [], ['jumps'], [1, 4]),
  unwind_goto: row({ kind: 'unwind_goto', off: 3 } as unknown as Op, [], [], ['jumps'], [1, 4]),
  'an unwind_exit': row({ kind: 'unwind_exit' } as Op, [0], [], ['jumps', 'changesFrame', 'relies'], []),
  'an exit': row({ kind: 'exit' } as Op, [0], [], ['jumps', 'changesFrame', 'relies'], []),
  'a call of a helper of two arguments': row(call as unknown as Op, [1, 2], CALLED, [
    'jumps',
    'changesFrame',
    'readsStack',
    'relies',
  ]),
};

const bits = (list: readonly number[]): number => list.reduce((mask, n) => mask | (1 << n), 0);
const ALL = (1 << 11) - 1;
/** Reads every register. */
const readAll: readonly Op[] = Array.from(
  { length: 11 },
  (_, dst): Op => ({ kind: 'st', size: 8, dst, imm: 0, off: 0 }),
);

describe('every kind of insn', () => {
  it.each(Object.entries(ROWS))('%s', (_, { op, reads, writes, traits: has, next }) => {
    const program = programOf('xdp', []);
    const contracts = [contractOf(program, op)];
    expect(liveRegisters([op], contracts, [[]])[0]).toBe(bits(reads));
    const ops = [op, ...readAll];
    const afterwards = ops.map((_op, at) => (at < readAll.length ? [at + 1] : []));
    expect(liveRegisters(ops, contracts, afterwards)[0]).toBe((ALL & ~bits(writes)) | bits(reads));
    expect(traits(op)).toBe(has.reduce((mask, name) => mask | TRAIT[name], 0));
    expect(successors(op, 100).map((slot) => slot - 100)).toEqual(next);
  });
});

describe('loops', () => {
  const graphs = fc
    .integer({ min: 1, max: 9 })
    .chain((count) =>
      fc.array(fc.array(fc.nat(count), { maxLength: 2 }), { minLength: count, maxLength: count }),
    );
  it('two slots have one number iff each leads to the other', () => {
    fc.assert(
      fc.property(graphs, (next) => {
        const numbers = numberLoops(next);
        // By one edge at least; a slot behind the last is an exit.
        const reached = next.map((_, from) => {
          const seen = new Set<number>();
          const work = [...next[from]!];
          while (work.length > 0) {
            const at = work.pop()!;
            if (at >= next.length || seen.has(at)) continue;
            seen.add(at);
            work.push(...next[at]!);
          }
          return seen;
        });
        for (const a of next.keys()) {
          expect(numbers[a] !== 0).toBe(reached[a]!.has(a));
          for (const b of next.keys())
            if (a !== b && numbers[a] !== 0)
              expect(numbers[a] === numbers[b]).toBe(reached[a]!.has(b) && reached[b]!.has(a));
        }
      }),
      seeded(2_000),
    );
  });
});

describe('the shape of a program', () => {
  it('where states are compared, and where jumps lead', () => {
    const { insns, subprogs } = sample(1, 0).program;
    expect(insns.length).toBeGreaterThan(0);
    expect(subprogs.length).toBeGreaterThan(0);
    const program = programOf('xdp', [
      { kind: 'mov', width: 64, dst: 0, src: { imm: 0 } },
      { kind: 'jmp', op: 'eq', width: 64, dst: 0, src: { imm: 0 }, off: 1 },
      { kind: 'mov', width: 64, dst: 0, src: { imm: 1 } },
      call as unknown as Op,
      { kind: 'may_goto', off: 1 } as unknown as Op,
      { kind: 'ja', off: -4, wide: false } as unknown as Op,
      { kind: 'exit' } as Op,
    ]);
    const { prunePoints, jumpPoints, scc } = prepare(program);
    const { no, point, forced } = PRUNE_POINT;
    //                              mov jmp    mov    call   may_goto ja  exit
    expect([...prunePoints]).toEqual([no, point, point, point, forced, no, point]);
    expect([...jumpPoints]).toEqual([0, 0, 1, 1, 1, 0, 1]);
    expect([...scc].map((n) => n !== 0)).toEqual([false, false, true, true, true, true, false]);
  });
});

describeKernel('Linux says so', () => {
  it.skipIf(!messagesKnown())('of generated programs', () => {
    let compared = 0;
    for (let index = 0; index < 40; index++) {
      const { program } = sample(5, index);
      const loaded = loadProgram(program, { logLevel: 2 });
      if (!loaded.ok) continue;
      loaded.close();
      const { live } = readWalk(loaded.log, program, () => {});
      const ours = prepare(program).live;
      for (const [slot, mask] of live) {
        compared++;
        expect([index, slot, ours[slot]! & 0x3ff]).toEqual([index, slot, mask & 0x3ff]);
      }
    }
    expect(compared).toBeGreaterThan(1_000);
  });
});
