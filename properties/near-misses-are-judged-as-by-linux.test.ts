/**
 * Generated programs, and each with one thing broken, get the verdict that Linux gives them. SWANSONG_NEAR_MISSES is the number of
 * programs; what may differ is in docs/stricter-than-linux.md.
 */
import { describe, expect, it } from 'vitest';
import { BREAKS, mutate } from '../generators/mutant.js';
import { sample } from '../generators/sample.js';
import type { Program } from '../src/object/program.js';
import { KernelJudge } from '../src/oracle/bulk.js';
import { verify } from '../src/verifier/verify.js';
import { describeKernel } from './support/kernel/skip.js';

const PROGRAMS = Number(process.env.SWANSONG_NEAR_MISSES ?? 150);
const SEED = Number(process.env.SWANSONG_SEED ?? 1);
const EACH = 4;
const BUDGET = 60_000;

/** Reasons in docs/stricter-than-linux.md. */
const STRICTER = [/must point to scalar/, /infinite loop/, /At callback return/, /too large/];
const LOOSER = [
  /cannot access ptr member|doesn't have field|beyond the end of/,
  /infinite loop|old state|cur state/,
];

interface Difference {
  readonly what: string;
  readonly ours: string;
  readonly kernel: string;
}

function compare(judge: KernelJudge, program: Program, what: string): Difference | undefined {
  const kernel = judge.judge(program);
  if (!kernel.judged) return undefined;
  const ours = verify(program, { facts: false, budget: BUDGET });
  if (ours.ok === kernel.accepted) return undefined;
  if (!ours.ok && STRICTER.some((reason) => reason.test(ours.message))) return undefined;
  if (ours.ok && LOOSER.some((reason) => reason.test(kernel.message ?? ''))) return undefined;
  return { what, ours: ours.ok ? 'accepted' : ours.message, kernel: kernel.message ?? 'accepted' };
}

describeKernel('near misses are judged as by Linux', () => {
  it(`${PROGRAMS} programs and ${EACH} mutants of each`, { timeout: 1000 * PROGRAMS + 60_000 }, () => {
    const judge = new KernelJudge();
    const differences: Difference[] = [];
    try {
      for (let index = 0; index < PROGRAMS; index++) {
        const original = sample(SEED, index);
        const judged = [{ program: original.program, what: `program ${index}` }];
        for (let n = 0; n < EACH; n++) {
          const way = BREAKS[(index * EACH + n) % BREAKS.length]!;
          const { program, what, slot } = mutate(original, way, index + n);
          judged.push({ program, what: `program ${index}, ${what} at ${slot} (${way}, ${index + n})` });
        }
        for (const { program, what } of judged) {
          const difference = compare(judge, program, what);
          if (difference !== undefined) differences.push(difference);
        }
      }
    } finally {
      judge.close();
    }
    expect(differences).toEqual([]);
  });
});

describe('pruning and widening change no verdict', () => {
  it('of small programs', () => {
    let count = 0;
    for (let index = 0; index < 120; index++) {
      const original = sample(SEED + 1, index, { maxInsns: 40, depth: 2 });
      for (const program of [
        original.program,
        mutate(original, BREAKS[index % BREAKS.length]!, index).program,
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
