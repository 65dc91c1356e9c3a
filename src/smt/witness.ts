/** A counterexample as a case: the text file that replays it, and the replay that decides whether it is one. */
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import type { Facts, Profile } from '../verifier/result.js';
import type { Case } from '../vm/case.js';
import { expectationOf } from '../vm/printcase.js';
import { type RunResult, Vm } from '../vm/vm.js';
import type { Counterexample } from './symbolic/explore.js';

/** The case that shows a counterexample. `rules`: name of the rule set, or its file. */
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

/**
 * Runs a counterexample in the VM, from nothing but its environment and kill step. It is confirmed iff the same check breaks at the
 * same insn; everything else is a mistake of ours, and no finding.
 */
export function confirm(
  found: Counterexample,
  program: Program,
  fastPath: FastPath,
  facts: Facts,
  profile: Profile,
): { readonly confirmed: boolean; readonly result: RunResult } {
  const { violation, env, killStep } = found;
  const vm = new Vm(program, { env, fastPath, facts, strict: profile === 'strict' });
  if (killStep !== undefined) {
    vm.advance(killStep);
    vm.kill();
  }
  const result = vm.run();
  const confirmed = result.violations.some(
    (one) => one.check === violation.check && one.slot === violation.slot,
  );
  return { confirmed, result };
}
