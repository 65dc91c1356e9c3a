/** Calls in sections and under locks, of functions of every kind, and what they leave known, are accepted and refused as by Linux 6.18. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { describe, expect, it } from 'vitest';
import { disagreements } from '../../support/verifier/judge.js';
import { SITES } from '../../support/verifier/sites.js';

describe('calls are judged by where they are made', () => {
  it.each(SITES.map((family) => [family.name, family] as const))('%s', (_, family) => {
    expect(disagreements(family)).toEqual([]);
  });
});
