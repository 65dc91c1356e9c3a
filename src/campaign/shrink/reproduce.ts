/** The question that shrinking asks again and again: does this program, in this world, still break the same check for the same cause? */
import type { KernelProfile } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import type { Invariants } from '../../patch/invariants.js';
import type { Profile } from '../../verifier/state/profile.js';
import { boundOf } from '../../vm/case/case.js';
import { type Chooser, defaultChooser } from '../../vm/state/chooser.js';
import type { Environment } from '../../vm/state/environment.js';
import type { Violation } from '../../vm/state/trap.js';
import { type Cause, isSameOrPart, kindOf } from '../kill/cause.js';
import { disagreementOf, killBeforeEveryInsn } from '../kill/kill-everywhere.js';
import { causeOfBroken, pathOf, prepareProgram, runOptions } from '../kill/prepared-program.js';
import type { NamedRules } from '../naming/rules.js';

/** What the smaller program must still show. */
export interface ShrinkTarget {
  readonly rules: NamedRules;
  readonly profile: Profile;
  /** The kernel that programs are for; the built-in profile unless told. */
  readonly kernel?: KernelProfile | undefined;
  readonly cause: Cause;
  /**
   * Insns that our verifier may walk for one program, unlimited unless told. An edit may well make a loop that is walked a million
   * times before it is refused.
   */
  readonly budget?: number;
  /** Questions that may be asked for one case, 20,000 unless told. */
  readonly questions?: number;
  /** Whether the kernel takes the program; asked of what would be kept otherwise. */
  readonly kernelAccepts?: (program: Program) => boolean;
  /** What must hold of its maps after every run. */
  readonly invariants?: Invariants | undefined;
  /** Insns that a killed run may take; the usual bound unless told. */
  readonly bound?: number;
  /** What shows it, where it is not `reproduce`. */
  readonly shows?: typeof reproduce;
}

/** Steps of a run that are tried; a small case breaks long before. */
const LONGEST_RUN = 5000;

/** The kill that shows it. */
export interface Reproduction {
  readonly step: number;
  readonly violation: Violation;
  /** All that breaks in that run. */
  readonly all: readonly Violation[];
  readonly cause: Cause;
  /** The `.bound` of its case, where it has one. */
  readonly bound?: number;
  /** Further lines for the head of the case. */
  readonly comments?: readonly string[];
  /** The world of that run, with every choice it made. */
  readonly recorded: Environment;
}

/**
 * The earliest kill that breaks the target's check for its cause. Undefined when there is none, when our verifier (or the kernel, if it
 * is asked) refuses the program, or when the run itself goes wrong before any kill.
 */
export function reproduce(
  program: Program,
  env: Environment,
  target: ShrinkTarget,
  chooser: Chooser = defaultChooser,
): Reproduction | undefined {
  const { rules, profile, kernel, cause, budget, kernelAccepts, bound, invariants } = target;
  const bounded = bound === undefined ? {} : { bound };
  const limited = budget === undefined ? {} : { budget };
  const prepared = prepareProgram(program, profile, { kernel, invariants, ...limited });
  if (typeof prepared === 'string') return undefined;
  const path = pathOf(prepared, rules.rules);
  const run = { ...runOptions(prepared, path), ...boundOf(target), env, chooser, maxSteps: LONGEST_RUN };
  const { ordinary, broken } = killBeforeEveryInsn(prepared.code, run);
  if (disagreementOf(ordinary) !== undefined) return undefined;
  const seen = new Set<string>();
  for (const one of broken) {
    const { check, message } = one.violation;
    if (check !== cause.check || kindOf(one.violation) !== cause.kind || seen.has(message)) continue;
    seen.add(message);
    const found = causeOfBroken(prepared, path, one);
    if (!isSameOrPart(found, cause)) continue;
    if (kernelAccepts !== undefined && !kernelAccepts(program)) return undefined;
    const { step, violation, all, env: recorded } = one;
    return { step, violation, all, cause: found, recorded, ...bounded };
  }
  return undefined;
}

/** What shows the target in this program and world, as far as it fits the program: `reproduce`, or what the target has in its place. */
export const showing: typeof reproduce = (program, env, target, chooser) =>
  (target.shows ?? reproduce)(program, fitting(env, program), target, chooser);

/** The world for a program whose maps may have smaller values by now: values of entries are cut, and those whose key is no key of the map are left out. */
function fitting(env: Environment, { maps }: Program): Environment {
  if (env.maps === undefined) return env;
  const fitted = [...env.maps].flatMap(([name, entries]) => {
    const map = maps.find((one) => one.name === name);
    if (map === undefined) return [];
    const fits = [...entries].filter(([key]) => key.length === 2 * map.keySize);
    return [[name, new Map(fits.map(([key, value]) => [key, value.slice(0, 2 * map.valueSize)]))] as const];
  });
  return { ...env, maps: new Map(fitted) };
}
