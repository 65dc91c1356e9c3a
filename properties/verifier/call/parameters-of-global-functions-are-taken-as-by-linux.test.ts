/** What a global function takes, by the type and the tags of its parameter, is what Linux 6.18 says. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { expect, it } from 'vitest';
import { disagreements } from '../../support/verifier/judge.js';
import { globalResults, parameterTags } from '../../support/verifier/parameter-tags.js';

it('parameters of global functions are taken as by Linux', () => {
  expect(disagreements(parameterTags)).toEqual([]);
});

it('what global functions return is taken as by Linux', () => {
  expect(disagreements(globalResults)).toEqual([]);
});
