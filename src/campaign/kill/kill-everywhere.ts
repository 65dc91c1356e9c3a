/**
 * Runs one program in a world and kills it before every insn; each killed copy goes on patched to its exit. A check that breaks in a
 * killed copy is a suspect. A check that breaks in the run without a kill is a disagreement with the verifier.
 */

import { type KillPlan, KillPoints, killInClasses } from '../../vm/kill-classes.js';
import type { Code } from '../../vm/state/code.js';
import type { Environment } from '../../vm/state/environment.js';
import type { Violation } from '../../vm/state/trap.js';
import { type RunResult, Vm, type VmOptions } from '../../vm/vm.js';

/** Steps of a run up to which it is killed before every insn; beyond, only before one in `STRIDE`. */
const DENSE_STEPS = 20_000;
const STRIDE = 97;
/** Beyond this many steps the run is not killed any more. */
const LONGEST_RUN = 100_000;

/** A check that broke after a kill, with all that is needed to see it again. */
export interface BrokenAfterKill {
  readonly violation: Violation;
  /** Steps before the kill. */
  readonly step: number;
  readonly env: Environment;
}

/** The same, with all that broke in that run, this among it. */
export interface BrokenCheck extends BrokenAfterKill {
  readonly all: readonly Violation[];
}

/** What one run and its killed copies showed. */
export interface KillResults {
  /** Termination points tried. */
  readonly points: number;
  /** False when the run was too long to be killed before every insn. */
  readonly everywhere: boolean;
  /** The most steps that a killed run took to its exit. */
  readonly worst: number;
  readonly broken: readonly BrokenCheck[];
  /** The run that was not killed. */
  readonly ordinary: RunResult;
}

/**
 * Runs `code` as `options` say and kills it everywhere, up to `maxSteps` at the most. `watch` is told of all termination points, as
 * `KillPlan` says.
 */
export function killBeforeEveryInsn(code: Code, options: VmOptions, watch?: KillPlan['watch']): KillResults {
  const vm = new Vm(code, options);
  const end = Math.min(LONGEST_RUN, options.maxSteps ?? LONGEST_RUN);
  const where = new KillPoints(DENSE_STEPS, STRIDE);
  const broken: BrokenCheck[] = [];
  let points = 0;
  let worst = 0;
  let everywhere = true;
  killInClasses(vm, { points: where, end, watch }, ({ first, last, result }) => {
    points += where.count(first, last);
    worst = Math.max(worst, result.steps - first);
    if (last >= DENSE_STEPS) everywhere = false;
    if (result.violations.length === 0) return;
    for (let step = first; step <= last; step = where.from(step + 1)) {
      const all = result.violations;
      for (const violation of all) broken.push({ violation, all, step, env: result.env });
    }
  });
  const ordinary = vm.run();
  // A program that leaves its maps in disorder by itself is not to be blamed on the kill.
  const own = ordinary.violations.some(isOfMaps);
  const blamed = own ? broken.filter(({ violation }) => !isOfMaps(violation)) : broken;
  return { points, everywhere, worst, broken: blamed, ordinary };
}

/** The program's own maps are not as a person wants them; no part of swansong says that they are. */
const isOfMaps = ({ check }: Violation): boolean => check === 'invariant';

/** How the run without a kill contradicts the verifier, if it does: a check broke, or it was in a state that the facts exclude. */
export function disagreementOf({ disagreement, violations }: RunResult): string | undefined {
  if (disagreement !== undefined) {
    const { slot, step, message } = disagreement;
    return `the facts exclude the state at insn ${slot}, step ${step}: ${message}`;
  }
  const first = violations.find((one) => !isOfMaps(one));
  return first && `${first.check} at insn ${first.slot} of a run that was not killed: ${first.message}`;
}

/** Kills a run before each of these steps (ascending), as far as it comes, and lets each killed copy run out. */
export function killedAt(code: Code, options: VmOptions, steps: Iterable<number>): readonly RunResult[] {
  const vm = new Vm(code, options);
  const results: RunResult[] = [];
  for (const step of steps) {
    if (!vm.running || (step > vm.machine.steps && !vm.advance(step))) break;
    const killed = vm.fork();
    killed.kill();
    results.push(killed.run());
  }
  return results;
}
