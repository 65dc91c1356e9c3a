/** Every kind of pointer, passed, kept, compared, outlived and moved far off in every way, alone or in one insn with another kind, is judged as Linux 6.18 judged it. Needs no kernel: what Linux said is kept in support/verifier/verdicts. */
import { describe, expect, it } from 'vitest';
import { farMoves, metPointers } from '../../support/verifier/far-moves.js';
import { handed } from '../../support/verifier/handed.js';
import { disagreements } from '../../support/verifier/judge.js';
import { passed } from '../../support/verifier/passed.js';

describe('every pointer is used as in Linux', () => {
  it.each([passed, handed, farMoves, metPointers].map((family) => [family.name, family] as const))(
    '%s',
    (_, family) => {
      expect(disagreements(family)).toEqual([]);
    },
  );
});
