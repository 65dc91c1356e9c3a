/**
 * What we say of a refused program is what Linux's log ends in: all of its lines, with its numbers of references. Generated programs are broken
 * in every way there is. A few complaints are about another of two faults, where Linux looks for them in another order.
 */
import { expect, it } from 'vitest';
import { BREAKS, breakProgram } from '../../generators/near-miss.js';
import { sample } from '../../generators/sample.js';
import { runningKernelTypes } from '../../src/oracle/btf.js';
import { loadProgram } from '../../src/oracle/load.js';
import { complaint } from '../../src/oracle/log.js';
import { verify } from '../../src/verifier/verify.js';
import { describeKernel } from '../support/kernel/skip.js';

const PROGRAMS = 10;
const SEED = Number(process.env.SWANSONG_SEED ?? 1);

interface Pair {
  readonly ours: readonly string[];
  readonly linux: readonly string[];
}

function refusals(): Pair[] {
  const kernelTypes = runningKernelTypes();
  const pairs: Pair[] = [];
  for (let index = 0; index < PROGRAMS; index++) {
    const original = sample(SEED + 6, index, {});
    for (const way of BREAKS) {
      const broken = breakProgram(original, way, index);
      const program = { ...broken.program, kernelTypes };
      const verdict = verify(program, { facts: false, budget: 20_000 });
      if (verdict.ok || verdict.reason !== 'rejected') continue;
      const result = loadProgram(program, { logLevel: 0, explain: true });
      if (result.ok) result.close();
      else if (result.stage === 'program')
        pairs.push({ ours: verdict.lines, linux: complaint(result.log).lines });
    }
  }
  return pairs;
}

const anonymous = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/\bid=\d+/g, 'id=N'));
const same = (a: readonly string[], b: readonly string[]): boolean => a.join('\n') === b.join('\n');

describeKernel('a refusal says what Linux says, line by line', () => {
  it('in near misses', { timeout: 60_000 }, () => {
    const pairs = refusals();
    expect(pairs.length).toBeGreaterThan(PROGRAMS * 10);
    const agreeing = pairs.filter(({ ours, linux }) => same(anonymous(ours), anonymous(linux)));
    expect(agreeing.length).toBeGreaterThan(pairs.length * 0.93);
    // Whoever comes to the same end says the same before it.
    const ends = pairs.filter(({ ours, linux }) =>
      same(anonymous(ours.slice(-1)), anonymous(linux.slice(-1))),
    );
    for (const { ours, linux } of ends) expect(anonymous(ours)).toEqual(anonymous(linux));
    expect(ends.filter(({ linux }) => linux.length > 1).length).toBeGreaterThan(10);
    const numbered = agreeing.filter(({ linux }) => linux.some((line) => /\bid=\d/.test(line)));
    const exact = numbered.filter(({ ours, linux }) => same(ours, linux));
    expect(numbered.length).toBeGreaterThan(10);
    expect(exact.length).toBeGreaterThan(numbered.length * 0.8);
  });
});
