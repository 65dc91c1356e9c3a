/** Which types make a parameter of a global function the context is what Linux 6.18 says. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { expect, it } from 'vitest';
import { contextParameters } from '../../support/verifier/context-parameters.js';
import { disagreements } from '../../support/verifier/judge.js';

it('a parameter is the context by the name of its type, as in Linux', () => {
  expect(disagreements(contextParameters)).toEqual([]);
});
