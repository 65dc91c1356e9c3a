/**
 * The smallest program that shows a wrong rule is one that Linux accepts. Functions that the seed picks, under each of the posted sets.
 */
import { expect, it } from 'vitest';
import { RuleChecker } from '../../src/campaign/rule-check/rule-checker.js';
import { contracts } from '../../src/kernel/catalog.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import { parseCase } from '../../src/vm/case/case.js';
import { describeKnownKernel } from '../support/kernel/skip.js';
import { seeded } from '../support/seed.js';

const SEED = seeded(1).seed ?? 0;
/** One function in so many is checked, others with another seed. */
const EVERY = 12;

describeKnownKernel('the program that shows a wrong rule', () => {
  it.each(['rfc-v1', 'rfc-v2', 'rfc-v3', 'naive'])('of %s loads', async (rules) => {
    const checker = await RuleChecker.open({ rules, declared: [] });
    const judge = new KernelJudge();
    const names = [...new Set(contracts().map(({ name }) => name))];
    let shown = 0;
    for (const [at, name] of names.entries()) {
      if ((at + SEED) % EVERY !== 0) continue;
      for (const { shownBy } of (await checker.do({ name })).checked) {
        if (shownBy === undefined) continue;
        shown++;
        const { accepted, judged, message } = judge.judge(parseCase(shownBy.text).program);
        expect({ name, accepted, judged, message }).toMatchObject({ accepted: true });
      }
    }
    judge.close();
    expect(shown).toBeGreaterThan(0);
  });
});
