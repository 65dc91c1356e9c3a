/** Small programs that access memory through every kind of pointer, by every insn and at every edge, are accepted and refused as by Linux 6.18. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { describe, expect, it } from 'vitest';
import { ACCESSING } from '../../support/verifier/accesses.js';
import { arenas } from '../../support/verifier/arenas.js';
import { disagreements } from '../../support/verifier/judge.js';
import { mapUses } from '../../support/verifier/map-uses.js';

describe('accesses are judged as by Linux', () => {
  it.each([...ACCESSING, mapUses, arenas].map((family) => [family.name, family] as const))(
    '%s',
    (_, family) => {
      expect(disagreements(family)).toEqual([]);
    },
  );
});
