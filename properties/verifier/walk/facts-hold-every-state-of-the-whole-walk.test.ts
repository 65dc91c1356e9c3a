/**
 * Every path is walked to its end, without pruning; each state on the way is one that some fact of the usual walk holds for. A path that
 * was cut short because another covers it has no states of its own among the facts: what is known of those that cover it must be true of
 * it too.
 */
import { describe, expect, it, vi } from 'vitest';
import { sample } from '../../../generators/sample.js';
import type { Program } from '../../../src/object/program.js';
import { verify } from '../../../src/verifier/verify.js';
import { Walk } from '../../../src/verifier/walk/walk.js';
import { parseCase } from '../../../src/vm/case/case.js';
import { defaultChooser } from '../../../src/vm/state/chooser.js';
import { Vm } from '../../../src/vm/vm.js';
import { holdsIn } from '../../support/pruning/contains.js';
import { known, meetingsIn, nameOf, type Room } from '../../support/pruning/meetings.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 5);

/** States that were held against facts, and programs whose facts were made in the walk itself, or in a second one. */
interface Seen {
  states: number;
  once: number;
  twice: number;
}

const nothingSeen = (): Seen => ({ states: 0, once: 0, twice: 0 });

/** The first state that no fact holds for, whether facts were made in one walk or in two; undefined if there is none, or the program is refused. */
function stranger(program: Program, seen: Seen): string | undefined {
  const walks = vi.spyOn(Walk.prototype, 'from');
  const usual = verify(program, { budget: 2000 });
  const made = new Set(walks.mock.contexts).size;
  walks.mockRestore();
  const twice = verify(program, { budget: 2000, oneWalk: false });
  if (!usual.ok || !twice.ok) return undefined;
  if (made === 1) seen.once++;
  else seen.twice++;
  const whole = verify(program, { budget: 4000, pruning: false, precision: false });
  if (!whole.ok) return undefined;
  for (let slot = 0; slot < program.insns.length; slot++) {
    for (const { state } of whole.facts.at(slot)) {
      seen.states++;
      for (const { facts } of made === 1 ? [usual, twice] : [usual])
        if (!facts.at(slot).some((fact) => holdsIn(fact.state, state))) return `a state before insn ${slot}`;
    }
  }
  return undefined;
}

describe('facts hold every state of the whole walk', () => {
  const rooms: readonly (readonly [Room, number])[] = [
    ['held', 3],
    ['registers', 2],
    ['stack', 3],
    ['precision', 2],
  ];
  // Without precision more is forgotten in a loop, and no fact need hold for that.
  const isLoop = (name: string): boolean => name.includes('in a loop');

  it.each(rooms)('of programs whose paths meet: %s', (room, step) => {
    const verdicts = known(room);
    const seen = nothingSeen();
    const loading = meetingsIn(room).filter(
      (m) => verdicts.get(nameOf(m))?.ours.startsWith('loads') === true && !isLoop(nameOf(m)),
    );
    for (let i = 0; i < loading.length; i += step)
      expect([nameOf(loading[i]!), stranger(loading[i]!.program, seen)]).toEqual([
        nameOf(loading[i]!),
        undefined,
      ]);
    expect(seen.states).toBeGreaterThan(1000);
  });

  it('where paths meet that differ in a number no check relies on', () => {
    const pad = ' r1 = 1\n'.repeat(9);
    const jumps = (label: string): string => ` if r6 > 100 goto ${label}\n r2 = 1\n${label}:\n`;
    const { program } = parseCase(`.type tc
main:
 call bpf_get_prandom_u32
 r6 = r0
 call bpf_get_prandom_u32
 r9 = r0
${pad} r7 = 1
 if r9 > 3 goto last
 if r6 > 5 goto other
meet:
${pad}${jumps('one')}${pad} if r6 > 200 goto last
 r2 = 1
last:
${pad} *(u64 *)(r10 -8) = r7
 r0 = 0
 exit
other:
 r7 = 0
 goto meet
`);
    const seen = nothingSeen();
    expect([stranger(program, seen), seen.once]).toEqual([undefined, 0]);
    const facts = verify(program);
    if (!facts.ok) throw new Error(facts.message);
    // Where it is stored nothing is known of it any more, in any fact.
    const stored = facts.facts.at(program.insns.length - 5).map(({ state }) => state.frames[0]!.regs[7]!.num);
    expect(stored.map((num) => num.mask)).toEqual([2n ** 64n - 1n]);
  });

  it('of generated programs', () => {
    const seen = nothingSeen();
    for (let index = 0; index < 60; index++) {
      const { program } = sample(SEED, index, { maxInsns: 60 });
      expect([index, stranger(program, seen)]).toEqual([index, undefined]);
    }
    expect(seen.states).toBeGreaterThan(1000);
    // Most are walked once: their paths end at states that contain them.
    expect([seen.once > 4 * seen.twice, seen.twice > 0]).toEqual([true, true]);
  });

  const pad = ' r1 = 1\n'.repeat(9);
  const jumps = (label: string): string => ` if r8 > 100 goto ${label}\n r2 = 1\n${label}:\n`;
  it.each([
    ['a register', 'r7 = 1', 'r7 = 2', ''],
    ['a stack slot', '*(u64 *)(r10 -8) = 1', '*(u64 *)(r10 -8) = 2', ''],
    // The second path to end there needs less to be left out than the first.
    ['a stack slot first, then a register', '*(u64 *)(r10 -8) = 1', '*(u64 *)(r10 -8) = 2', 'r7 = 3'],
  ])(
    'where paths meet that differ in %s that nobody reads, runs fit the facts of one walk',
    (_, one, other, third) => {
      const last = third === '' ? '' : ` if r6 == 7 goto third\n`;
      const { program } = parseCase(`.type tc
main:
 r7 = 1
 *(u64 *)(r10 -8) = 1
 call bpf_get_prandom_u32
 r8 = r0
 r6 = r0
 r6 &= 7
${pad}${last} if r6 > 3 goto other
 ${one}
meet:
${pad}${jumps('one')}${pad}${jumps('two')} r0 = 0
 exit
other:
 ${other}
 goto meet
${third === '' ? '' : `third:\n ${third}\n goto meet\n`}`);
      const walks = vi.spyOn(Walk.prototype, 'from');
      const verdict = verify(program);
      expect(walks).toHaveBeenCalledTimes(1);
      walks.mockRestore();
      if (!verdict.ok) throw new Error(verdict.message);
      const ends = new Set<unknown>();
      for (let value = 0n; value < 8n; value++) {
        const chooser = { ...defaultChooser, number: () => value };
        const { disagreement, steps } = new Vm(program, {
          facts: verdict.facts,
          checkFacts: true,
          chooser,
        }).run();
        expect([value, disagreement]).toEqual([value, undefined]);
        ends.add(steps);
      }
      expect(ends.size).toBeGreaterThan(1);
    },
  );
});
