/** A global function that takes several pointers may read those that it has checked, and their copies, and no other, as in Linux 6.18. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { expect, it } from 'vitest';
import { disagreements } from '../../support/verifier/judge.js';
import { severalParameters } from '../../support/verifier/several-parameters.js';

it('whichever is checked, and whichever is read', () => {
  expect(disagreements(severalParameters)).toEqual([]);
});
