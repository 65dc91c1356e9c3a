/** Holds programs against the limits of a policy: is the worst within the limit, and can a run that takes longer be killed at all? */
import { type Estimate, estimate } from '../cost/estimate.js';
import type { CostOptions } from '../cost/span.js';
import { type TimeToDie, timeToDie, weighTime } from '../cost/time-to-die.js';
import type { KernelProfile } from '../kernel/profile.js';
import type { Program } from '../object/program.js';
import type { RuleSet } from '../patch/rule.js';
import { proveProgram } from '../smt/program-proof.js';
import type { Profile } from '../verifier/state/profile.js';
import { verify } from '../verifier/verify.js';
import { type Limit, limitOf, type Policy } from './policy.js';

/** What is known of a program under its limit. */
export interface CheckedProgram {
  readonly limit: Limit | undefined;
  readonly estimate: Estimate | undefined;
  /** How long a killed run goes on, where runs are to be killed and that is proven. */
  readonly dies: TimeToDie | undefined;
  /**
   * `within`: its worst is within the limit, or it has none. `killable`: a run may take longer, and can be killed. `over`: its worst is above a limit that refuses it, or
   * killing it breaks a check. `unknown`: one or the other is not known.
   */
  readonly verdict: 'within' | 'killable' | 'over' | 'unknown';
  readonly reason: string;
}

/** For whom programs are checked. */
export interface CheckOptions {
  readonly profile: Profile;
  readonly kernel: KernelProfile;
  readonly costs: CostOptions;
  readonly rules: RuleSet;
}

/** Holds a program against its limit: estimates it, and proves that it can be killed where a run may take longer. */
export async function checkProgram(
  { limits }: Policy,
  program: Program,
  { profile, kernel, costs, rules }: CheckOptions,
): Promise<CheckedProgram> {
  const limit = limitOf(limits, program);
  const verified = verify(program, { profile, kernel });
  if (!verified.ok) {
    const reason = `not verified: ${verified.message}`;
    return { limit, estimate: undefined, dies: undefined, verdict: 'unknown', reason };
  }
  const found = estimate(program, verified, costs);
  const common = { limit, estimate: found, dies: undefined };
  if (limit === undefined) return { ...common, verdict: 'within', reason: 'no limit is for it' };
  if (found.worst <= limit.time) return { ...common, verdict: 'within', reason: '' };
  const above = Number.isFinite(found.worst)
    ? 'its worst is above the limit'
    : `its worst is not bounded: ${found.endless}`;
  if (limit.action === 'refuse') return { ...common, verdict: 'over', reason: above };
  // Such a run is to be killed, so that must be safe wherever it is, and end.
  const proof = await proveProgram(program, rules, { profile, kernel, weigh: weighTime(costs) });
  const dies = timeToDie(proof, costs);
  if (proof.verdict === 'proven') return { ...common, dies, verdict: 'killable', reason: above };
  const cannot = `and whether it can be killed is ${proof.verdict}: ${proof.reason}`;
  return {
    ...common,
    verdict: proof.verdict === 'refuted' ? 'over' : 'unknown',
    reason: `${above}, ${cannot}`,
  };
}
