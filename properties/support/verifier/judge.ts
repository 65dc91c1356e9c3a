/** Our verdicts on families of small programs, held against those that Linux 6.18 gave. Needs no kernel. */
import type { Program } from '../../../src/object/program.js';
import type { Profile } from '../../../src/verifier/state/profile.js';
import { verify } from '../../../src/verifier/verify.js';
import { type Family, hasReason, PROFILES, recorded } from './family.js';

/** What is wrong with our verdict, undefined for nothing. */
function wrong(
  family: Family,
  program: Program,
  profile: Profile,
  letter: string | undefined,
): string | undefined {
  const verdict = verify(program, { profile, facts: false });
  switch (letter) {
    case '+':
      return verdict.ok ? undefined : `Linux accepts, we refuse: ${verdict.message}`;
    case '-':
      return verdict.ok ? 'Linux refuses, we accept' : undefined;
    case 's':
      if (verdict.ok) return 'we refuse no longer what Linux accepts';
      return hasReason(family, verdict, program) ? undefined : verdict.message;
    default:
      return 'Linux was never asked';
  }
}

/** One line for each program of the family that we and Linux do not agree about. */
export function disagreements(family: Family): readonly string[] {
  const verdicts = recorded(family);
  const found: string[] = [];
  for (const { name, program: programOf, strictToo } of family.rows) {
    family.columns.forEach((column, i) => {
      const program = programOf(column);
      if (program === undefined) return;
      for (const profile of strictToo(column) ? PROFILES : (['privileged'] as const)) {
        const why = wrong(family, program, profile, verdicts.get(name)?.[profile][i]);
        if (why !== undefined) found.push(`${profile}: ${name}, ${column}: ${why}`);
      }
    });
  }
  return found;
}
