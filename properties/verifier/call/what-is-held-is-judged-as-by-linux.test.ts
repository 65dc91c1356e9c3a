/** Small programs that hold all that can be held, and do with it all that can be done, are accepted and refused as by Linux 6.18. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { describe, expect, it } from 'vitest';
import { disagreements } from '../../support/verifier/judge.js';
import { kptrs } from '../../support/verifier/kptrs.js';
import { HOLDING } from '../../support/verifier/resources.js';
import { sequences } from '../../support/verifier/sequences.js';

describe('what is held is judged as by Linux', () => {
  it.each([...HOLDING, sequences, kptrs].map((family) => [family.name, family] as const))(
    '%s',
    (_, family) => {
      expect(disagreements(family)).toEqual([]);
    },
  );
});
