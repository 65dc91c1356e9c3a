/**
 * A head is found for a state exactly where one of the heads of the insn covers the state: as many as there may be, found by value or one by one. For a
 * killed path only heads count from which facts were walked, and whether it was killed in a callback makes no difference.
 */
import { describe, expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import type { State } from '../../../src/verifier/state/state.js';
import { verify } from '../../../src/verifier/verify.js';
import { Head, Heads } from '../../../src/verifier/walk/heads.js';
import { StateComparison, sameCallsites } from '../../../src/verifier/walk/states-equal.js';
import { parseCase } from '../../../src/vm/case/case.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 7);

/** A loop that is walked round by round: hundreds of states at one insn, told apart by a counter in a register or on the stack. */
const loop = (counter: string): string => `.type xdp
main:
 call bpf_get_prandom_u32
 r6 = r0
 r7 = 0
 *(u64 *)(r10 -8) = r7
again:
 r7 = *(u64 *)(r10 -8)
 r7 += 1
 *(u64 *)(r10 -8) = r7
 if r6 > 7 goto over
 r6 += ${counter}
over:
 if r7 < 40 goto again
 r0 = 0
 exit
`;

const CALLBACK = `.type tc
main:
 r1 = 3
 r2 = func each
 r3 = 0
 r4 = 0
 call bpf_loop
 r0 = 0
 exit
each:
 r0 = 0
 exit
`;

/** States of a program, by slot; nothing is pruned, so that many are like each other. */
function statesOf(program: Parameters<typeof verify>[0]) {
  const whole = verify(program, { pruning: false, precision: false, budget: 30_000 });
  if (!whole.ok) return undefined;
  return { code: whole.code, at: (slot: number) => whole.facts.at(slot).map(({ state }) => state) };
}

const programs = [
  ...['1', '2'].map((counter) => parseCase(loop(counter)).program),
  parseCase(CALLBACK).program,
  ...Array.from({ length: 40 }, (_, index) => sample(SEED, index, { maxInsns: 60 }).program),
];

/** The state of a program that is killed in each of the callbacks that run. */
const killedIn = (state: State): State => ({
  ...state,
  frames: state.frames.map((f) =>
    f.callback ? { ...f, callback: { ...f.callback, stops: true as const } } : f,
  ),
});

describe('a head is found exactly where one covers the state', () => {
  it('of every kind of program', () => {
    let found = 0;
    let missed = 0;
    let many = 0;
    for (const program of programs) {
      const states = statesOf(program);
      if (states === undefined) continue;
      const comparison = new StateComparison(states.code, false, false);
      for (let slot = 0; slot < program.insns.length; slot++) {
        const all = states.at(slot).slice(0, 60);
        // Every second state is a head, and every second head was walked from.
        const heads = new Heads(states.code, false);
        const made = all.filter((_, i) => i % 2 === 0).map((state) => new Head(slot, state, undefined));
        made.forEach((head, i) => {
          head.node = i % 2 === 0 ? i : -1;
          heads.add(head);
        });
        if (made.length > 6) many++;
        for (const state of all) {
          const covering = made.filter(
            (head) =>
              sameCallsites(head.state, state) && comparison.covers(head.state, state, 'range_within', {}),
          );
          const head = heads.find(slot, state);
          expect(head === undefined).toBe(covering.length === 0);
          if (head !== undefined) expect(covering).toContain(head);
          const walked = covering.filter(({ node }) => node >= 0);
          for (const one of [state, killedIn(state)]) {
            const fact = heads.findFact(slot, one);
            expect(fact === undefined).toBe(walked.length === 0);
            if (fact !== undefined) expect(walked).toContain(fact);
          }
          if (head === undefined) missed++;
          else found++;
        }
      }
    }
    expect([found > 1000, missed > 100, many >= 8]).toEqual([true, true, true]);
  });

  it('a head that is widened covers more, and is found by what it was', () => {
    const [program] = programs;
    const { code, at } = statesOf(program!)!;
    const slot = 4;
    const [first, ...others] = at(slot);
    const wide: State = {
      ...first!,
      frames: first!.frames.map((f) => ({ ...f, stack: f.stack.map(() => undefined) })),
    };
    const heads = new Heads(code, false);
    const head = new Head(slot, first!, () => wide);
    heads.add(head);
    for (const state of others.slice(0, 8)) {
      const before = heads.find(slot, state);
      const could = heads.findWidest(slot, state);
      if (before === undefined && could !== undefined) {
        could.widen();
        expect(heads.find(slot, state)).toBe(head);
        return;
      }
    }
    expect(others.length).toBeGreaterThan(0);
    head.widen();
    expect(head.state).toBe(wide);
    expect(head.widest).toBeUndefined();
  });
});
