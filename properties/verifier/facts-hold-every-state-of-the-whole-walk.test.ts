/**
 * Every path is walked to its end, without pruning; each state on the way is one that some fact of the usual walk holds for. A path that
 * was cut short because another covers it has no states of its own among the facts: what is known of those that cover it must be true of
 * it too.
 */
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import type { Program } from '../../src/object/program.js';
import { verify } from '../../src/verifier/verify.js';
import { parseCase } from '../../src/vm/case.js';
import { holdsIn } from '../support/pruning/contains.js';
import { known, meetingsIn, nameOf, type Room } from '../support/pruning/meetings.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 5);

/** The first state that no fact holds for; undefined if there is none, or the program is refused. `walked` counts states. */
function stranger(program: Program, seen: { states: number }): string | undefined {
  const usual = verify(program, { budget: 2000 });
  if (!usual.ok) return undefined;
  const whole = verify(program, { budget: 4000, pruning: false, precision: false });
  if (!whole.ok) return undefined;
  for (let slot = 0; slot < program.insns.length; slot++) {
    const facts = usual.facts.at(slot);
    for (const { state } of whole.facts.at(slot)) {
      seen.states++;
      if (!facts.some((fact) => holdsIn(fact.state, state))) return `a state before insn ${slot}`;
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
    const seen = { states: 0 };
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
    expect(stranger(program, { states: 0 })).toBeUndefined();
    const facts = verify(program);
    if (!facts.ok) throw new Error(facts.message);
    // Where it is stored nothing is known of it any more, in any fact.
    const stored = facts.facts.at(program.insns.length - 5).map(({ state }) => state.frames[0]!.regs[7]!.num);
    expect(stored.map((num) => num.mask)).toEqual([2n ** 64n - 1n]);
  });

  it('of generated programs', () => {
    const seen = { states: 0 };
    for (let index = 0; index < 60; index++) {
      const { program } = sample(SEED, index, { maxInsns: 60 });
      expect([index, stranger(program, seen)]).toEqual([index, undefined]);
    }
    expect(seen.states).toBeGreaterThan(1000);
  });
});
