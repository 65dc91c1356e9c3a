/**
 * Families of small programs, which differ in one thing each, are accepted and refused as by Linux 6.18, with all capabilities and without
 * CAP_PERFMON and CAP_SYS_ADMIN. Needs no kernel: what Linux said is kept in support/verifier/verdicts.
 */
import { describe, expect, it } from 'vitest';
import type { Program } from '../../src/object/program.js';
import type { Profile } from '../../src/verifier/state/profile.js';
import { STRICTER } from '../../src/verifier/stricter.js';
import { verify } from '../../src/verifier/verify.js';
import { FAMILIES } from '../support/verifier/families.js';
import { PROFILES, recorded } from '../support/verifier/family.js';

/** What is wrong with our verdict, undefined for nothing. */
function wrong(program: Program, profile: Profile, letter: string | undefined): string | undefined {
  const verdict = verify(program, { profile, facts: false });
  switch (letter) {
    case '+':
      return verdict.ok ? undefined : `Linux accepts, we refuse: ${verdict.message}`;
    case '-':
      return verdict.ok ? 'Linux refuses, we accept' : undefined;
    case 's':
      if (verdict.ok) return 'we refuse no longer what Linux accepts';
      return STRICTER.some((words) => words.test(verdict.message)) ? undefined : verdict.message;
    default:
      return 'Linux was never asked';
  }
}

describe('families of small programs are judged as by Linux', () => {
  it.each(FAMILIES.map((family) => [family.name, family] as const))('%s', (_, family) => {
    const verdicts = recorded(family);
    const found: string[] = [];
    for (const { name, programs } of family.rows) {
      programs.forEach((program, i) => {
        if (program === undefined) return;
        for (const profile of PROFILES) {
          const why = wrong(program, profile, verdicts.get(name)?.[profile][i]);
          if (why !== undefined) found.push(`${profile}: ${name}, ${family.columns[i]}: ${why}`);
        }
      });
    }
    expect(found).toEqual([]);
  });
});
