/** An object goes into a list or tree by the node that this is of, at its start, and under the lock beside the root, as in Linux 6.18. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { expect, it } from 'vitest';
import { graphPlaces } from '../../support/verifier/graph-places.js';
import { disagreements } from '../../support/verifier/judge.js';

it('by every node, into every root, under every lock', () => {
  expect(disagreements(graphPlaces)).toEqual([]);
});
