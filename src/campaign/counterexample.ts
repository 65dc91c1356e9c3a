/** A program for a rule that was refuted: the smallest one that calls the function and breaks a check because of its rule. */
import { sample } from '../../generators/sample.js';
import { smallestCall } from '../../generators/smallest-call.js';
import type { Contract } from '../kernel/contract.js';
import type { DeclaredFunction, Program } from '../object/program.js';
import { cannotRun } from '../vm/runnable.js';
import { type Cause, causeKey } from './cause.js';
import { runEnvironment } from './environments.js';
import { killBeforeEveryInsn } from './kill-everywhere.js';
import { caseOf, causeOfBroken, pathOf, prepareProgram, runOptions } from './prepared-program.js';
import type { NamedRules } from './rules.js';
import { type SmallCase, shrinkCase } from './shrink/shrink.js';

/** Worlds that each program is tried in, and programs that are generated when the plainest one shows nothing. */
const WORLDS = 6;
const GENERATED = 24;

/** The smallest case in which `contract`'s function alone is to blame; undefined when none was found. */
export function counterexample(
  rules: NamedRules,
  contract: Contract,
  declared: readonly DeclaredFunction[] = [],
): SmallCase | undefined {
  for (const program of candidates(contract, declared)) {
    const found = caseAgainst(rules, contract, program);
    if (found !== undefined) return found;
  }
  return undefined;
}

function* candidates(contract: Contract, declared: readonly DeclaredFunction[]): Iterable<Program> {
  for (const type of contract.types) {
    const plain = smallestCall(contract.name, type, declared);
    if (plain !== undefined) yield plain;
  }
  const { name } = contract;
  const own = declared.some((one) => one.name === name);
  const constraints = own ? { aim: name, declared } : { only: [name], declared };
  for (let index = 0; index < GENERATED; index++) yield sample(0, index, constraints).program;
}

function caseAgainst(rules: NamedRules, contract: Contract, program: Program): SmallCase | undefined {
  if (cannotRun(program) !== undefined) return undefined;
  const prepared = prepareProgram(program, 'privileged');
  if (typeof prepared === 'string') return undefined;
  const path = pathOf(prepared, rules.rules);
  const seen = new Set<string>();
  for (let k = 0; k < WORLDS; k++) {
    const world = runEnvironment(program, 0, 0, k);
    const run = killBeforeEveryInsn(prepared.code, { ...runOptions(prepared, path), ...world });
    if (run.ordinary.violations.length > 0) continue;
    for (const one of run.broken) {
      const signature = `${one.violation.check} ${one.violation.message}`;
      if (seen.has(signature)) continue;
      seen.add(signature);
      const cause: Cause = causeOfBroken(prepared, path, one);
      if (cause.function !== contract.name || seen.has(causeKey(cause))) continue;
      const text = caseOf(prepared, rules, one, [`${one.violation.check}: ${one.violation.message}`]);
      return shrinkCase(text, { rules, profile: 'privileged', cause });
    }
  }
  return undefined;
}
