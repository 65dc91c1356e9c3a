/**
 * Generated programs of all types, and each with one thing broken in every way there is, get the verdict that Linux gives them, in both
 * capability profiles. SWANSONG_NEAR_MISSES is the number of programs; `npx swansong agree verdicts` judges many more. What may differ is in
 * docs/stricter-than-linux.md.
 */
import { describe, expect, it } from 'vitest';
import { BREAKS, breakProgram } from '../../generators/near-miss.js';
import { sample } from '../../generators/sample.js';
import type { Tally } from '../../src/campaign/agreement/comparison.js';
import { openVerdicts, type VerdictsOptions } from '../../src/campaign/agreement/verdicts.js';
import { verify } from '../../src/verifier/verify.js';
import { describeKnownKernel } from '../support/kernel/skip.js';

const PROGRAMS = Number(process.env.SWANSONG_NEAR_MISSES ?? 12);
const SEED = Number(process.env.SWANSONG_SEED ?? 1);
const BUDGET = 20_000;

interface Seen {
  readonly counts: ReadonlyMap<string, number>;
  /** Differences that docs/stricter-than-linux.md has no row for. */
  readonly unknown: readonly string[];
}

/** What the comparison tells of so many programs, from the first one on. */
function compared(programs: number, options: VerdictsOptions, first = 0): Seen {
  const counts = new Map<string, number>();
  const unknown: string[] = [];
  let isKnown = false;
  const tally: Tally = {
    count(what, by = 1) {
      counts.set(what, (counts.get(what) ?? 0) + by);
      if (what.endsWith('stricter, as the docs say')) isKnown = true;
    },
    differ(kind, about) {
      if (!isKnown) unknown.push(`${kind} (${about})`);
      isKnown = false;
    },
  };
  const comparison = openVerdicts({ budget: BUDGET, ...options });
  try {
    for (let index = first; index < first + programs; index++) comparison.compare(SEED, index, tally);
  } finally {
    comparison.close();
  }
  return { counts, unknown };
}

describeKnownKernel('near misses are judged as by Linux', () => {
  it(`${PROGRAMS} programs in both profiles`, { timeout: 4000 * PROGRAMS + 60_000 }, () => {
    const { counts, unknown } = compared(PROGRAMS, {});
    expect(unknown).toEqual([]);
    for (const profile of ['privileged', 'strict']) {
      const judged = counts.get(`${profile}: near misses`) ?? 0;
      expect(judged).toBeGreaterThan(PROGRAMS * (profile === 'strict' ? 4 : 20));
      // Few are let off for what they might do, and both verdicts are given.
      expect(counts.get(`${profile}: stricter`) ?? 0).toBeLessThan(judged / 20);
      expect(counts.get(`${profile}: accepted by Linux`) ?? 0).toBeGreaterThan(judged / 20);
      expect(counts.get(`${profile}: refused by Linux`) ?? 0).toBeGreaterThan(judged / 20);
    }
  });
});

describe('pruning and widening change no verdict', () => {
  it('of small programs', () => {
    let count = 0;
    for (let index = 0; index < 120; index++) {
      const original = sample(SEED + 1, index, { maxInsns: 40, depth: 2 });
      for (const program of [
        original.program,
        breakProgram(original, BREAKS[index % BREAKS.length]!, index).program,
      ]) {
        const options = { facts: false, budget: 4000 };
        const usual = verify(program, options);
        for (const other of [
          verify(program, { ...options, pruning: false }),
          verify(program, { ...options, widening: false }),
        ]) {
          if (!other.ok && other.reason === 'budget') continue;
          count++;
          expect(other.ok, `program ${index}: ${usual.ok ? '' : usual.message}`).toBe(usual.ok);
        }
      }
    }
    expect(count).toBeGreaterThan(300);
  });
});
