/**
 * Our verifier takes every generated program too. Its strict profile refuses some, but only for what a loader without CAP_PERFMON may
 * not call, read or compare: nothing unwritten is read, no pointer leaks.
 */
import { expect, it } from 'vitest';
import { outline } from '../../generators/fragment.js';
import { sample } from '../../generators/sample.js';
import { verify } from '../../src/verifier/verify.js';
import { seeded } from '../support/seed.js';

/** Insns that the verifier may walk. The kernel walks fewer than 3,000 for any of these programs. */
const BUDGET = 20_000;
/** Why a generated program may be refused without CAP_PERFMON; wrong guesses are walked as well then, which takes longer. */
const NOT_CAPABLE =
  /cannot use helper|prohibited for !root|comparison prohibited|only to CAP_PERFMON|need CAP_PERFMON|too large|too complex/;
const SEED = seeded(1).seed ?? 0;

for (const profile of ['privileged', 'strict'] as const) {
  it(`programs of a campaign are accepted (${profile})`, () => {
    for (let index = 0; index < 300; index++) {
      const { program, tree } = sample(SEED, index);
      const verdict = verify(program, { profile, facts: false, budget: BUDGET });
      if (!verdict.ok && !(profile === 'strict' && NOT_CAPABLE.test(verdict.message))) {
        expect.fail(
          `${index} ${program.type}, at ${verdict.slot}: ${verdict.message}\n${outline(tree.body)}`,
        );
      }
    }
  });
}
