/** Arithmetic on every kind of pointer, and every comparison of it, is accepted and refused as by Linux 6.18. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { describe, expect, it } from 'vitest';
import { disagreements } from '../../support/verifier/judge.js';
import { MOVING } from '../../support/verifier/moves.js';

describe('moves and comparisons are judged as by Linux', () => {
  it.each(MOVING.map((family) => [family.name, family] as const))('%s', (_, family) => {
    expect(disagreements(family)).toEqual([]);
  });
});
