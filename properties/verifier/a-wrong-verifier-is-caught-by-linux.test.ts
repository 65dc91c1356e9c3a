/**
 * Every way to be wrong that `src/verifier/defects.ts` seeds is caught by holding the verifier against Linux: by its verdicts on generated
 * programs and near misses, by the facts that the kernel's log tells, or by verdicts on small programs that each need one rule. Each comparison
 * is the one that `npm run agree` makes; here it starts close to the program where the defect shows first.
 */
import { expect, it } from 'vitest';
import type { OpenComparison } from '../../src/campaign/agreement/comparison.js';
import { noCounts, tallyInto } from '../../src/campaign/agreement/counts.js';
import { openFacts } from '../../src/campaign/agreement/facts.js';
import { openVerdicts } from '../../src/campaign/agreement/verdicts.js';
import { KernelJudge } from '../../src/oracle/bulk.js';
import type { VerifierDefects } from '../../src/verifier/defects.js';
import { verify } from '../../src/verifier/verify.js';
import { acrossCases } from '../support/kernel/across.js';
import { callCases } from '../support/kernel/calls.js';
import { lockCases } from '../support/kernel/locks.js';
import { memoryCases } from '../support/kernel/memory.js';
import { ownedCases } from '../support/kernel/owned.js';
import { sectionCases } from '../support/kernel/sections.js';
import { sharpCases } from '../support/kernel/sharp.js';
import { describeKernel, messagesKnown } from '../support/kernel/skip.js';

const SEED = 1;
/** Programs that a search goes on for: what programs are drawn may change, and then it starts in the wrong place. */
const MOST = 40;
const BUDGET = 20_000;
const SMALL = [
  ...sharpCases,
  ...acrossCases,
  ...callCases,
  ...lockCases,
  ...memoryCases,
  ...ownedCases,
  ...sectionCases,
];

/** The comparison that catches a defect, and the program to start with. */
type Caught =
  | { readonly by: 'verdicts'; readonly from: number; readonly ways: readonly string[] }
  | { readonly by: 'facts'; readonly from: number; readonly straight?: true }
  | { readonly by: 'small programs' };

const SMALL_PROGRAMS: Caught = { by: 'small programs' };

const DEFECTS: Readonly<Record<keyof VerifierDefects, Caught>> = {
  exitForgetsReferences: { by: 'verdicts', from: 4, ways: ['release dropped'] },
  exitForgetsSections: { by: 'verdicts', from: 9, ways: ['release dropped', 'section left open'] },
  copiesSurviveRelease: { by: 'verdicts', from: 2, ways: ['release doubled'] },
  slicesSurviveSubmit: SMALL_PROGRAMS,
  nullKeepsReference: { by: 'verdicts', from: 2, ways: [] },
  nullSettlesAll: { by: 'verdicts', from: 2, ways: ['access widened'] },
  nullMayBeRead: SMALL_PROGRAMS,
  anyLockWillDo: SMALL_PROGRAMS,
  rcuNeverEnds: SMALL_PROGRAMS,
  fillsAreWhole: SMALL_PROGRAMS,
  variableStoresAreLost: SMALL_PROGRAMS,
  packetRangeKept: SMALL_PROGRAMS,
  packetRangeOneMore: { by: 'facts', from: 5 },
  regionsOneLonger: SMALL_PROGRAMS,
  callbacksRunOnce: SMALL_PROGRAMS,
  lookupsNeverMiss: { by: 'facts', from: 1 },
  jumpsTellTooMuch: { by: 'facts', from: 10 },
  coversIgnoresReferences: { by: 'verdicts', from: 12, ways: ['release dropped'] },
  coversIgnoresRanges: { by: 'facts', from: 5, straight: true },
  coversIgnoresIterators: SMALL_PROGRAMS,
  coversIgnoresSections: { by: 'verdicts', from: 12, ways: ['section left open'] },
  shiftsKeepMask: SMALL_PROGRAMS,
  signExtensionsAreZero: { by: 'facts', from: 5 },
  wordsTellAll: { by: 'facts', from: 10 },
  signsIgnored: { by: 'facts', from: 8 },
  linksSurviveArithmetic: { by: 'facts', from: 19 },
  nullIdsGoStale: SMALL_PROGRAMS,
  iteratorsNeedNoDestroying: { by: 'verdicts', from: 11, ways: ['iterator not destroyed'] },
  dynptrsMayBeOverwritten: { by: 'verdicts', from: 183, ways: ['stack object overwritten'] },
  irqOrderIgnored: SMALL_PROGRAMS,
  globalsTakeAnything: { by: 'verdicts', from: 134, ways: ['argument dropped'] },
  releasesNeedNoReference: SMALL_PROGRAMS,
  transfersKeepOwnership: { by: 'verdicts', from: 2, ways: [] },
  nodesSurviveUnlock: SMALL_PROGRAMS,
  sectionsMaySleep: SMALL_PROGRAMS,
  callbacksReturnAnything: { by: 'verdicts', from: 2, ways: ['result dropped'] },
};

/** What catches these defects, and nothing of the sort where there are none; undefined if nothing does. */
function caught(defects: VerifierDefects, how: Caught): string | undefined {
  if (how.by === 'small programs') return caughtBySmallPrograms(defects);
  const open = (wrong: VerifierDefects): OpenComparison =>
    how.by === 'facts'
      ? openFacts({ profiles: ['privileged'], kind: how.straight ? 'straight' : 'generated', defects: wrong })
      : openVerdicts({
          profiles: ['privileged'],
          budget: BUDGET,
          breaks: how.ways,
          defects: wrong,
        });
  const [wrong, right] = [open(defects), open({})];
  try {
    for (let index = how.from; index < how.from + MOST; index++) {
      const found = differences(wrong, index);
      if (found.length === 0) continue;
      const known = differences(right, index);
      const kind = found.find((one) => !known.includes(one));
      if (kind !== undefined) return `program ${index}: ${kind}`;
    }
    return undefined;
  } finally {
    wrong.close();
    right.close();
  }
}

function differences(comparison: OpenComparison, index: number): readonly string[] {
  const counts = noCounts();
  comparison.compare(SEED, index, tallyInto(counts));
  return Object.keys(counts.differences);
}

function caughtBySmallPrograms(defects: VerifierDefects): string | undefined {
  const judge = new KernelJudge({ explain: false });
  try {
    for (const { name, program } of SMALL) {
      const wrong = verify(program, { facts: false, defects }).ok;
      if (wrong === verify(program, { facts: false }).ok) continue;
      const { judged, accepted } = judge.judge(program);
      if (judged && accepted !== wrong) return name;
    }
    return undefined;
  } finally {
    judge.close();
  }
}

describeKernel('a wrong verifier is caught by Linux', () => {
  it.skipIf(!messagesKnown()).each(Object.entries(DEFECTS))('%s', { timeout: 60_000 }, (name, how) => {
    expect(caught({ [name]: true }, how), name).toBeDefined();
  });
});
