/** Each seeded defect of the verifier is noticed: by a verdict that is known, or by a run of a good program that does not fit the facts. */
import { describe, expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { loadProgram } from '../../src/oracle/load.js';
import type { VerifierDefects } from '../../src/verifier/defects.js';
import { verify } from '../../src/verifier/verify.js';
import { defaultChooser, failingChooser, seededChooser } from '../../src/vm/chooser.js';
import { Vm } from '../../src/vm/vm.js';
import { acrossCases } from '../support/kernel/across.js';
import { callCases } from '../support/kernel/calls.js';
import { lockCases } from '../support/kernel/locks.js';
import { memoryCases } from '../support/kernel/memory.js';
import { ownedCases } from '../support/kernel/owned.js';
import { sectionCases } from '../support/kernel/sections.js';
import { sharpCases } from '../support/kernel/sharp.js';
import { describeKernel } from '../support/kernel/skip.js';

const CASES = [
  ...sharpCases,
  ...memoryCases,
  ...sectionCases,
  ...lockCases,
  ...callCases,
  ...ownedCases,
  ...acrossCases,
];
const CHOOSERS = [defaultChooser, failingChooser, seededChooser(1), seededChooser(2)];

/** What notices a verifier with these defects first; undefined: nothing does. */
function noticed(defects: VerifierDefects): string | undefined {
  for (const { name, program, verdict } of CASES) {
    if (verify(program, { defects, facts: false }).ok !== (verdict === 'LOADS')) return `verdict: ${name}`;
  }
  for (let index = 0; index < 200; index++) {
    const { program } = sample(20, index);
    const verdict = verify(program, { defects, budget: 20_000 });
    if (!verdict.ok) return `refused: generated program ${index}`;
    for (const chooser of CHOOSERS) {
      const vm = new Vm(program, { facts: verdict.facts, checkFacts: true, chooser, maxSteps: 2000 });
      if (vm.run().disagreement !== undefined) return `facts: generated program ${index}`;
    }
  }
  return undefined;
}

/** What cases and runs alone notice. That Linux notices all: a-wrong-verifier-is-caught-by-linux.test.ts. */
const DEFECTS: Readonly<Partial<Record<keyof VerifierDefects, true>>> = {
  exitForgetsReferences: true,
  exitForgetsSections: true,
  copiesSurviveRelease: true,
  slicesSurviveSubmit: true,
  nullKeepsReference: true,
  nullSettlesAll: true,
  nullMayBeRead: true,
  anyLockWillDo: true,
  rcuNeverEnds: true,
  fillsAreWhole: true,
  variableStoresAreLost: true,
  packetRangeKept: true,
  packetRangeOneMore: true,
  regionsOneLonger: true,
  callbacksRunOnce: true,
  lookupsNeverMiss: true,
  jumpsTellTooMuch: true,
  coversIgnoresReferences: true,
  coversIgnoresRanges: true,
  coversIgnoresIterators: true,
  signExtensionsAreZero: true,
  signsIgnored: true,
  nullIdsGoStale: true,
  iteratorsNeedNoDestroying: true,
  irqOrderIgnored: true,
  releasesNeedNoReference: true,
  transfersKeepOwnership: true,
  nodesSurviveUnlock: true,
  sectionsMaySleep: true,
  callbacksReturnAnything: true,
};

describe('a wrong verifier is noticed', () => {
  it('and a right one is not', () => {
    expect(noticed({})).toBeUndefined();
  });

  it.each(Object.keys(DEFECTS))('%s', (name) => {
    expect(noticed({ [name]: true })).toBeDefined();
  });
});

describeKernel('Linux refuses what one rule alone refuses', () => {
  it.each(sharpCases.map((known) => [known.name, known] as const))('%s', (_, { program }) => {
    const result = loadProgram(program);
    if (result.ok) result.close();
    expect(result).toMatchObject({ ok: false, stage: 'program' });
  });
});
