/** Calls with every kind of argument, and with everything else in its place, are accepted and refused as by Linux 6.18. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { describe, expect, it } from 'vitest';
import { CALLING } from '../../support/verifier/calling.js';
import { disagreements } from '../../support/verifier/judge.js';

describe('arguments are judged as by Linux', () => {
  it.each(CALLING.map((family) => [family.name, family] as const))('%s', (_, family) => {
    expect(disagreements(family)).toEqual([]);
  });
});
