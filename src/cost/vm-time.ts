/** The time of one run in the VM, as what it executes usually costs. */
import { InputError } from '../isa/errors.js';
import type { Program } from '../object/program.js';
import type { Accepted } from '../verifier/result.js';
import type { Profile } from '../verifier/state/profile.js';
import { EMPTY, type Environment } from '../vm/state/environment.js';
import { Vm } from '../vm/vm.js';
import { actualTime, TimedRun } from './actual.js';
import type { CostOptions } from './span.js';

/** Steps after which a run is given up. */
const MOST_STEPS = 3_000_000;

/** Nanoseconds of a run in this environment; null where it does not end in time, or cannot be run. */
export function vmTime(
  program: Program,
  { facts }: Accepted,
  profile: Profile,
  options: CostOptions,
  env: Partial<Environment> = {},
): number | null {
  try {
    const vm = new Vm(program, { env: { ...EMPTY, ...env }, strict: profile === 'strict', facts });
    const time = actualTime(new TimedRun(vm, options), MOST_STEPS);
    return time === undefined ? null : Math.round(time.usual * 1000) / 1000;
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
