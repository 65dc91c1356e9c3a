/**
 * `shrink --time` goes on where a campaign has stopped. Without time it does one round, as the campaign does; each round makes the case smaller or
 * leaves it; with time enough nothing smaller is left to try. Whatever the time, the case breaks the same check for the same cause, and what comes
 * out depends on the number of rounds alone.
 */
import { expect, it } from 'vitest';
import { sample } from '../../../generators/sample.js';
import { checkOne, type Suspect } from '../../../src/campaign/check/check.js';
import { replayText } from '../../../src/campaign/check/replay.js';
import { causeKey, isSameOrPart } from '../../../src/campaign/kill/cause.js';
import { loadRuleSets } from '../../../src/campaign/naming/rules.js';
import { shrinkLonger } from '../../../src/campaign/shrink/longer.js';
import { sizeMark } from '../../../src/campaign/shrink/marks.js';
import { shrinkCase } from '../../../src/campaign/shrink/shrink.js';
import { insnCount, isSmaller, sizeOf } from '../../../src/campaign/shrink/size.js';
import { parseCase } from '../../../src/vm/case/case.js';

/** Causes that are looked for. */
const ENOUGH = 3;
/** So few questions that the first round spends them all. */
const FEW = 8;

/** Says that the time is over when it has been asked so often. */
function over(after: number): { readonly asked: () => number; readonly isOver: () => boolean } {
  let count = 0;
  return { asked: () => count, isOver: () => count++ >= after };
}

const measured = (text: string) => {
  const { program, env, kill } = parseCase(text);
  return sizeOf({ program, env, step: kill ?? 0 });
};

it.each(['rfc-v1', 'naive'])('cases of %s', async (name) => {
  const [rules] = await loadRuleSets([name]);
  const found = new Map<string, Suspect>();
  for (let index = 0; found.size < ENOUGH && index < 60; index++) {
    const { program } = sample(7, index, { maxInsns: 50 });
    const report = await checkOne(program, index, { seed: 7, rules: [rules!], worlds: 1, prove: false });
    for (const one of report.suspects) if (found.size < ENOUGH) found.set(causeKey(one.cause), one);
  }
  expect(found.size).toBe(ENOUGH);
  let grew = 0;
  for (const [key, { text, cause }] of found) {
    const before = parseCase(text);
    const target = { rules: rules!, profile: before.profile, cause, questions: FEW };
    const none = shrinkLonger(before, target, () => true);
    expect(none, key).toEqual(shrinkCase(before, target));
    expect(sizeMark(none.text), key).toBe('still shrinking');
    const short = over(1);
    const some = shrinkLonger(before, target, short.isOver);
    expect(short.asked(), key).toBeLessThanOrEqual(2);
    expect(some, key).toEqual(shrinkLonger(before, target, over(1).isOver));
    const all = shrinkLonger(before, target, () => false);
    expect(sizeMark(all.text), key).toBe('minimal');
    for (const [less, more] of [
      [none, some],
      [some, all],
    ] as const) {
      expect(isSmaller(measured(less.text), measured(more.text)), key).toBe(false);
      expect(isSameOrPart(more.cause, cause), key).toBe(true);
      expect(insnCount(parseCase(more.text).program), key).toBe(more.insns);
      expect(await replayText(more.text, 'more.bpf'), key).toMatchObject({ ok: true });
    }
    if (all.insns < none.insns) grew++;
  }
  // Otherwise time would bring nothing, and this property would hold of anything.
  expect(grew).toBeGreaterThan(0);
});
