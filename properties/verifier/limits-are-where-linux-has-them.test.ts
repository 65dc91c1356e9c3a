/** A number that Linux limits is taken below the limit and refused above it, as by Linux 6.18, and at it as well. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { expect, it } from 'vitest';
import { disagreements } from '../support/verifier/judge.js';
import { limits } from '../support/verifier/limits.js';

it('below, at and above', () => {
  expect(disagreements(limits)).toEqual([]);
});
