/**
 * Shows that a kept call lasts: a program in which the killed run takes more insns to its exit than where a stub refuses the call, or in
 * which the call itself may take long. The case says with `.bound` how many insns the refused run takes.
 */
import type { Contract } from '../kernel/contract.js';
import type { Program } from '../object/program.js';
import { callSites } from '../patch/fast-path.js';
import { firstRefusal } from '../patch/imitate.js';
import type { FastPath } from '../patch/rule.js';
import { boundOf, type Case, parseCase } from '../vm/case.js';
import { expectationOf } from '../vm/expectation.js';
import { printCase } from '../vm/print-case.js';
import { cannotRun } from '../vm/runnable.js';
import { Vm, type VmOptions } from '../vm/vm.js';
import { type RunEnvironment, runEnvironment } from './environments.js';
import { type PreparedProgram, pathOf, prepareProgram, replayed, runOptions } from './prepared-program.js';
import type { NamedRules } from './rules.js';
import { insnCount } from './shrink/size.js';

/** Worlds that a program is run in, calls of one run that it is killed before, and insns that an unkilled run is followed for. */
const WORLDS = 4;
const CALLS = 8;
const LONGEST_RUN = 5000;

/** A case in which the call of this function, which the rules keep, lasts longer than a stub in its place; undefined if this program shows none. */
export function lastingCase(
  rules: NamedRules,
  contract: Contract,
  program: Program,
): { readonly text: string; readonly insns: number } | undefined {
  if (cannotRun(program) !== undefined) return undefined;
  const prepared = prepareProgram(program, 'privileged');
  if (typeof prepared === 'string') return undefined;
  const kept = pathOf(prepared, rules.rules);
  const stubs = new Map(kept.stubs);
  const sites = new Set<number>();
  for (const { slot, contract: called, enabled, action } of callSites(
    program,
    prepared.verdict.facts,
    rules.rules,
  )) {
    const stub = called.name === contract.name ? firstRefusal(called, enabled) : undefined;
    if (action.kind === 'stub' || stub === undefined) continue;
    stubs.set(slot, stub);
    sites.add(slot);
  }
  if (sites.size === 0) return undefined;
  for (let k = 0; k < WORLDS; k++) {
    const world = runEnvironment(program, 0, 0, k);
    for (const step of callsIn(prepared, kept, world, sites)) {
      const found = caseAt(prepared, rules, { kept, refused: { ...kept, stubs } }, world, step);
      if (found !== undefined) return { text: found, insns: insnCount(program) };
    }
  }
  return undefined;
}

/** The steps of the run that was not killed at which it comes to one of these calls. */
function callsIn(
  prepared: PreparedProgram,
  path: FastPath,
  world: RunEnvironment,
  sites: ReadonlySet<number>,
): readonly number[] {
  const vm = new Vm(prepared.code, { ...runOptions(prepared, path), ...world });
  const steps: number[] = [];
  while (vm.running && vm.machine.steps < LONGEST_RUN && steps.length < CALLS) {
    if (sites.has(vm.machine.pc)) steps.push(vm.machine.steps);
    vm.step();
  }
  return steps;
}

function caseAt(
  prepared: PreparedProgram,
  rules: NamedRules,
  { kept, refused }: { readonly kept: FastPath; readonly refused: FastPath },
  world: RunEnvironment,
  step: number,
): string | undefined {
  const killed = (path: FastPath, options: VmOptions) => {
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
  const whole = killed(kept, {});
  const takes = whole.end === 'limit' ? `more than ${whole.steps - step}` : whole.steps - step;
  const one: Case = {
    program: prepared.program,
    profile: prepared.profile,
    rules: rules.name,
    kill: step,
    bound,
    env: long.env,
    expect: expectationOf(violation),
    comments: [
      `bound: ${violation.message}`,
      `insns from the kill to the exit: ${takes}; where a stub refuses the call: ${bound}`,
    ],
  };
  const text = printCase(one);
  const answer = replayed(parseCase(text), rules.rules);
  return typeof answer !== 'string' && answer.ok ? text : undefined;
}
