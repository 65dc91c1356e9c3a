/**
 * A program that polls does what the original does while its word is 0. When the word is set, it does from the next poll on what the original does
 * that is killed at that place. Our verifier accepts it, as Linux does. And no way from poll to poll is longer than was said.
 */
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { decodeAll } from '../../src/isa/decode.js';
import { InputError } from '../../src/isa/errors.js';
import type { Program } from '../../src/object/program.js';
import { verify } from '../../src/verifier/verify.js';
import { type Chooser, seededChooser } from '../../src/vm/state/chooser.js';
import {
  killAtPolls,
  killedOriginal,
  type Pair,
  pairOf,
  programOf,
  wholeRun,
} from '../support/live/killable.js';
import { LOOPS } from '../support/live/loops.js';
import { SAMPLES } from '../support/vm/sample-cases.js';

/** The pair, or undefined with the reason where a program cannot be exported. */
function pair(program: Program, distance: number): Pair | undefined {
  try {
    return pairOf(program, { distance, entry: true });
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** A killed run finds the budget of `may_goto` spent; the VM's has the budget that the environment gives. */
const hasBudget = ({ insns }: Program): boolean => decodeAll(insns).some((op) => op?.kind === 'may_goto');

/** Compares runs of one program; answers how many kills were compared. */
function compare(name: string, program: Program, distance: number, seeds: readonly number[]): number {
  const made = pair(program, distance);
  if (made === undefined) return 0;
  const judged = verify(made.flat.program);
  expect(judged.ok ? '' : `${name}: ${judged.message}`).toBe('');
  let count = 0;
  for (const seed of seeds) {
    const about = `${name}, ${distance} insns, seed ${seed}`;
    const { kills, run, longest } = killAtPolls(made, seed, 24);
    const whole = wholeRun(made, seed);
    // A run that is given up is given up elsewhere: polls are insns, too.
    if ((whole as { end: unknown }).end === 'limit') continue;
    expect(run, about).toEqual(whole);
    if (Number.isFinite(made.polls.longest)) expect(longest, about).toBeLessThanOrEqual(made.polls.longest);
    if (hasBudget(program)) continue;
    for (const { nth, slot, steps, outcome } of kills) {
      expect(outcome, `${about}, poll ${nth} before ${slot}`).toEqual(killedOriginal(made, seed, steps));
      count++;
    }
  }
  return count;
}

/** The budget of `may_goto` lasts. */
const LONG_LOOPS: Chooser = { ...seededChooser(1), number: (_key, _min, max) => (max < 250n ? max : 250n) };

describe('killed at a poll it is a killed run of the original', () => {
  it('loops, callbacks and functions of every kind', () => {
    for (const [name, text] of Object.entries(LOOPS)) {
      let kills = 0;
      const made = pair(programOf(text), 7)!;
      expect(made.polls.longest, name).toBeLessThanOrEqual(7);
      for (const distance of [1, 7, 25]) kills += compare(name, programOf(text), distance, [1, 2]);
      expect(kills, name).toBeGreaterThan(hasBudget(programOf(text)) ? -1 : 5);
    }
  });

  it('which goes another round of no loop that may_goto ends, wherever that stands', () => {
    const round = 'r6 += 1\n'.repeat(20);
    const loop = `r6 = 0\nagain:\nmay_goto done\n${round}if r6 < 9000 goto again\ndone:\nr0 = 0\nexit\n`;
    const texts = {
      'the main program': `.type xdp\n${loop}`,
      'a function': `.type xdp\ncall f\nr0 = 0\nexit\nf:\n${loop}`,
      'a function of a function': `.type xdp\ncall g\nr0 = 0\nexit\ng:\ncall f\nr0 = 0\nexit\nf:\n${loop}`,
      'a callback': `.type xdp\nr1 = 3\nr2 = func f\nr3 = 0\nr4 = 0\ncall bpf_loop\nr0 = 0\nexit\nf:\n${loop}`,
    };
    for (const [where, text] of Object.entries(texts)) {
      const { kills } = killAtPolls(pair(programOf(text), 5)!, 1, 60, LONG_LOOPS);
      expect(kills.length, where).toBeGreaterThan(5);
      for (const { after } of kills) expect(after, where).toBeLessThan(60);
    }
  });

  it('the samples', () => {
    let kills = 0;
    for (const [name, { program }] of SAMPLES) kills += compare(name, program, 5, [1, 2]);
    expect(kills).toBeGreaterThan(80);
  });

  it('generated programs', () => {
    let kills = 0;
    for (let index = 0; index < 20; index++)
      kills += compare(`program ${index}`, sample(14, index).program, 1 + (index % 9), [index]);
    expect(kills).toBeGreaterThan(60);
  });
});
