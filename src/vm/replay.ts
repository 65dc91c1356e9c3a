/** Replays a case: the same run, the same kill. Then checks whether the run shows what the case expects. */
import type { FastPath } from '../patch/rule.js';
import type { Facts } from '../verifier/result.js';
import { boundOf, type Case } from './case/case.js';
import { expectationOf, matches, printExpectation } from './case/expectation.js';
import { worstFirst } from './state/trap.js';
import { type RunResult, Vm, type VmOptions } from './vm.js';

/** What a case was to show, and what its run showed. */
export interface Replay {
  /** What was expected and what came, as `.expect` writes it; of several broken checks the expected one, or else the gravest. */
  readonly expected: string;
  readonly got: string;
  readonly ok: boolean;
  /** All checks that broke, the gravest first, as `.expect` writes them. */
  readonly breaks: readonly string[];
  readonly result: RunResult;
}

/** Facts about the program, and how far a run may go. */
export type ReplayOptions = Pick<VmOptions, 'maxSteps' | 'bound' | 'tier' | 'invariant'> & {
  readonly facts?: Facts;
};

/**
 * Replays a case under the fast path of its rule set. A case without `.expect` is expected to hold. A kill that comes after the run's
 * end never happens.
 */
export function replay(one: Case, fastPath: FastPath, options: ReplayOptions = {}): Replay {
  const vm = new Vm(one.program, {
    ...options,
    ...boundOf(one),
    env: one.env,
    fastPath,
    strict: one.profile === 'strict',
  });
  if (one.kill !== undefined && vm.advance(one.kill)) vm.kill();
  return compared(one, vm.run());
}

/** Holds what the run of a case showed against what the case expects. */
export function compared(one: Pick<Case, 'expect'>, result: RunResult): Replay {
  const expect = one.expect ?? { kind: 'holds' };
  const matching = result.violations.find((violation) => matches(expect, violation));
  const worst = worstFirst(result.violations);
  const got = expectationOf(matching ?? worst[0]);
  return {
    expected: printExpectation(expect),
    got: matching === undefined ? printExpectation(got) : printExpectation(expect),
    breaks: [...new Set(worst.map((one) => printExpectation(expectationOf(one))))],
    ok: expect.kind === 'holds' ? result.violations.length === 0 : matching !== undefined,
    result,
  };
}
