/** Every kind of pointer, passed, kept, compared and outlived in every way, is judged as Linux 6.18 judged it. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { expect, it } from 'vitest';
import { disagreements } from '../support/verifier/judge.js';
import { passed } from '../support/verifier/passed.js';

it('every pointer is used as in Linux', () => {
  expect(disagreements(passed)).toEqual([]);
});
