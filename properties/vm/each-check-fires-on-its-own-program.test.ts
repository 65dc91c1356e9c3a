import { describe, expect, test } from 'vitest';
import { CHECKS } from '../../src/vm/state/trap.js';
import { PAIRS, runBad, runGood, show } from '../support/vm/pairs.js';

describe('a program that breaks one check is told so, and the program put right is not', () => {
  for (const pair of PAIRS) {
    test(pair.name, () => {
      expect(show(runBad(pair))).toEqual([pair.expected]);
      expect(show(runGood(pair))).toEqual([]);
    });

    test(`${pair.name}, in the definitional tier`, () => {
      expect(show(runBad(pair, { tier: 'definitional' }))).toEqual([pair.expected]);
      expect(show(runGood(pair, { tier: 'definitional' }))).toEqual([]);
    });
  }

  test('all checks are here', () => {
    const seen = new Set(PAIRS.map(({ expected }) => expected.split(' ')[0]));
    // Invariants are what a person says of the maps: campaign/corpus/an-invariant-over-maps-is-a-finding-of-its-own.
    expect([...seen].sort()).toEqual(CHECKS.filter((check) => check !== 'invariant').sort());
  });
});
