/**
 * Shows that a kept call lasts: a program in which the killed run takes more insns to its exit than where a stub refuses the call, or in
 * which the call itself may take long. The case says with `.bound` how many insns the refused run takes.
 */
import type { Program } from '../../object/program.js';
import { callSites } from '../../patch/fast-path.js';
import { firstRefusal } from '../../patch/imitate.js';
import type { FastPath } from '../../patch/rule.js';
import { boundOf, type Case } from '../../vm/case/case.js';
import { type Chooser, defaultChooser } from '../../vm/state/chooser.js';
import type { Environment } from '../../vm/state/environment.js';
import { type RunResult, Vm, type VmOptions } from '../../vm/vm.js';
import { type Cause, type DecidedPath, kindOf } from '../kill/cause.js';
import { type RunEnvironment, runEnvironment } from '../kill/environments.js';
import {
  caseOf,
  type PreparedProgram,
  pathOf,
  prepareProgram,
  runOptions,
} from '../kill/prepared-program.js';
import type { NamedRules } from '../naming/rules.js';
import type { Reproduction, ShrinkTarget } from '../shrink/reproduce.js';
import { type SmallCase, shrinkCase } from '../shrink/shrink.js';

/** Worlds that a program is run in, calls of one run that it is killed before, and insns that an unkilled run is followed for. */
const WORLDS = 4;
const CALLS = 8;
const LONGEST_RUN = 5000;

/** A case in which the call of this function, which the rules keep, lasts longer than a stub in its place; undefined if this program shows none. */
export function lastingCase(
  rules: NamedRules,
  name: string,
  prepared: PreparedProgram,
): SmallCase | undefined {
  for (let k = 0; k < WORLDS; k++) {
    const found = lasting(prepared, rules, name, runEnvironment(prepared.program, 0, 0, k));
    if (found === undefined) continue;
    const { cause, bound, comments = [], recorded: env } = found;
    const broken = caseOf(prepared, rules, { ...found, env });
    const one: Case = { ...broken, ...boundOf({ bound }), comments: [...broken.comments, ...comments] };
    return shrinkCase(one, { rules, profile: 'privileged', cause, shows: showsThatItLasts });
  }
  return undefined;
}

/** As `reproduce`: the earliest kill that shows that the kept call of the cause's function lasts. */
export function showsThatItLasts(
  program: Program,
  env: Environment,
  { rules, profile, kernel, cause, budget, kernelAccepts }: ShrinkTarget,
  chooser: Chooser = defaultChooser,
): Reproduction | undefined {
  const prepared = prepareProgram(program, profile, { kernel, ...(budget === undefined ? {} : { budget }) });
  if (typeof prepared === 'string') return undefined;
  const found = lasting(prepared, rules, cause.function, { env, chooser });
  if (found === undefined || found.cause.kind !== cause.kind) return undefined;
  return kernelAccepts === undefined || kernelAccepts(program) ? found : undefined;
}

/** The cause of a case with a bound, where what breaks it is a kept call that lasts, and the bound is that of the run in which a stub refuses it. */
export function causeThatLasts(
  prepared: PreparedProgram,
  rules: NamedRules,
  { env, bound, kill }: Pick<Case, 'env' | 'bound' | 'kill'>,
): Cause | undefined {
  const names = new Set(prepared.code.contracts.flatMap((contract) => contract?.name ?? []));
  for (const name of names) {
    const found = lasting(prepared, rules, name, { env, chooser: defaultChooser });
    if (found?.bound === bound && found?.step === kill) return found?.cause;
  }
  return undefined;
}

/** The earliest kill in this world that shows it, before a call of this function. */
function lasting(
  prepared: PreparedProgram,
  rules: NamedRules,
  name: string,
  world: RunEnvironment,
): Reproduction | undefined {
  const kept = pathOf(prepared, rules.rules);
  const stubs = new Map(kept.stubs);
  const sites = new Set<number>();
  for (const { slot, contract, enabled, action } of callSites(
    prepared.program,
    prepared.verdict.facts,
    rules.rules,
  )) {
    const stub = contract.name === name ? firstRefusal(contract, enabled) : undefined;
    if (action.kind === 'stub' || stub === undefined) continue;
    stubs.set(slot, stub);
    sites.add(slot);
  }
  if (sites.size === 0) return undefined;
  const paths = { kept, refused: { ...kept, stubs } };
  for (const { step, slot } of callsIn(prepared, kept, world, sites)) {
    const found = lastsAt(prepared, paths, world, step);
    if (found === undefined) continue;
    const rule = kept.ruleAt.get(slot) ?? 'no rule';
    const cause = {
      rules: kept.rules,
      check: 'bound',
      rule,
      function: name,
      kind: kindOf(found.violation),
    } as const;
    return { ...found, step, cause };
  }
  return undefined;
}

/** Where the run that was not killed comes to one of these calls. A run that breaks a check by itself shows nothing. */
function callsIn(
  prepared: PreparedProgram,
  path: FastPath,
  world: RunEnvironment,
  sites: ReadonlySet<number>,
): readonly { readonly step: number; readonly slot: number }[] {
  const vm = new Vm(prepared.code, { ...runOptions(prepared, path), ...world });
  const calls: { step: number; slot: number }[] = [];
  while (vm.running && vm.machine.steps < LONGEST_RUN && calls.length < CALLS) {
    const { pc: slot, steps: step } = vm.machine;
    if (sites.has(slot)) calls.push({ step, slot });
    vm.step();
  }
  return vm.machine.violations.length === 0 ? calls : [];
}

function lastsAt(
  prepared: PreparedProgram,
  { kept, refused }: { readonly kept: DecidedPath; readonly refused: FastPath },
  world: RunEnvironment,
  step: number,
): Omit<Reproduction, 'step' | 'cause'> | undefined {
  const killed = (path: FastPath, options: VmOptions): RunResult => {
    const vm = new Vm(prepared.code, { ...runOptions(prepared, path), ...world, ...options });
    if (vm.advance(step)) vm.kill();
    return vm.run();
  };
  const short = killed(refused, {});
  if (short.violations.length > 0) return undefined;
  const bound = short.steps - step;
  const long = killed(kept, boundOf({ bound }));
  const [violation] = long.violations;
  if (violation?.check !== 'bound') return undefined;
  const takes = `${long.end === 'limit' ? 'more than ' : ''}${long.steps - step}`;
  return {
    violation,
    all: long.violations,
    bound,
    recorded: long.env,
    comments: [`insns from the kill to the exit: ${takes}; where a stub refuses the call: ${bound}`],
  };
}
