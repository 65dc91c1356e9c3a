/** A counterexample as a case: the text file that replays it. */
import type { Program } from '../object/program.js';
import type { Profile } from '../verifier/state/profile.js';
import type { Case } from '../vm/case/case.js';
import { expectationOf } from '../vm/case/expectation.js';
import type { Counterexample } from './symbolic/explore.js';

/** The case that shows a counterexample of a program. `rules`: name of the rule set, or its file. */
export function caseOf(found: Counterexample, program: Program, rules: string, profile: Profile): Case {
  const { violation, env, killStep } = found;
  return {
    program,
    profile,
    rules,
    env,
    ...(killStep === undefined ? {} : { kill: killStep }),
    expect: expectationOf(violation),
    comments: [`${violation.check}: ${violation.message}`],
  };
}
