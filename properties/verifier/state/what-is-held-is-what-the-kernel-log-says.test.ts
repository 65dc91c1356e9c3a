/**
 * What our verifier knows before each insn of a generated program, held against what Linux prints of it: the same is held, with the insns that
 * acquired it, the same is in registers and stack slots, and no range of ours is narrower. `npm run agree -- facts` compares as many
 * programs as it is told; here are some of each kind.
 */
import { expect, it } from 'vitest';
import { type Counts, emptyCounts, tallyFor } from '../../../src/campaign/agreement/counts.js';
import { compareFacts, openFacts } from '../../../src/campaign/agreement/facts.js';
import type { Profile } from '../../../src/verifier/state/profile.js';
import { callCases } from '../../support/kernel/calls.js';
import { linkCases } from '../../support/kernel/links.js';
import { lockCases } from '../../support/kernel/locks.js';
import { ownedCases } from '../../support/kernel/owned.js';
import { sectionCases } from '../../support/kernel/sections.js';
import { describeKernel, messagesKnown } from '../../support/kernel/skip.js';

const SEED = Number(process.env.SWANSONG_SEED ?? 3);

/** Programs that load, with all that can be held and every way to be called. */
const CASES = [...sectionCases, ...lockCases, ...callCases, ...ownedCases, ...linkCases].filter(
  ({ verdict }) => verdict === 'LOADS',
);

function ofGenerated(programs: readonly number[], kind: 'generated' | 'straight', profile: Profile): Counts {
  const counts = emptyCounts();
  const comparison = openFacts({ kind, profiles: [profile] });
  for (const index of programs) comparison.compare(SEED, index, tallyFor(counts));
  comparison.close();
  return counts;
}

/** Indices spread over the functions, which generated programs call in turn. */
const spread = (count: number, step: number): number[] => Array.from({ length: count }, (_, i) => i * step);

describeKernel('what is held is what the kernel`s log says', () => {
  it.skipIf(!messagesKnown())('in small programs, one a kind of thing that can be held', () => {
    const counts = emptyCounts();
    for (const { name, program } of CASES) {
      compareFacts(program, 'privileged', {}, tallyFor(counts), name);
      compareFacts(program, 'strict', {}, tallyFor(counts), name);
    }
    expect(counts.differences).toEqual({});
    expect(counts.counts['privileged: programs']).toBeGreaterThan(CASES.length - 5);
    expect(counts.counts['strict: programs']).toBeGreaterThan(10);
    expect(counts.counts['privileged: lines and words not understood']).toBeUndefined();
  });

  it.skipIf(!messagesKnown())('in generated programs', { timeout: 120_000 }, () => {
    const { counts, differences } = ofGenerated(spread(40, 7), 'generated', 'privileged');
    expect(differences).toEqual({});
    expect(counts['privileged: programs']).toBeGreaterThan(35);
    // In few programs a reference comes from one of several calls.
    const fewer = counts['privileged: insns that Linux walks with references of fewer calls'] ?? 0;
    expect(fewer).toBeLessThan(counts['privileged: insns']! / 10);
    expect(counts['privileged: insns where the same is held']).toBe(counts['privileged: insns']);
    expect(counts['privileged: states of Linux that are covered']).toBeGreaterThan(1_500);
  });

  it.skipIf(!messagesKnown())('in straight code', { timeout: 120_000 }, () => {
    const { counts, differences } = ofGenerated(spread(3, 1), 'straight', 'privileged');
    expect(differences).toEqual({});
    expect(counts['privileged: states of Linux that are covered']).toBeGreaterThan(300);
  });

  it.skipIf(!messagesKnown())('for a loader without CAP_PERFMON', { timeout: 120_000 }, () => {
    const { counts, differences } = ofGenerated(spread(30, 9), 'generated', 'strict');
    expect(differences).toEqual({});
    expect(counts['strict: programs']).toBeGreaterThan(5);
    expect(counts['strict: states of Linux that are covered']).toBeGreaterThan(200);
  });
});
