/** What is made on the stack over something else ends that, or is refused, as by Linux 6.18. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { expect, it } from 'vitest';
import { disagreements } from '../../support/verifier/judge.js';
import { overlaps } from '../../support/verifier/overlaps.js';

it('every two of dynptrs, iterators, IRQ states, spills and bytes', () => {
  expect(disagreements(overlaps)).toEqual([]);
});
