/** A program for a rule that was refuted: the smallest one that calls the function and breaks a check because of its rule. */
import { sample } from '../../../generators/sample.js';
import { CALL_WAYS, coverageOf, smallestCall } from '../../../generators/smallest-call.js';
import { toBytes } from '../../isa/bytes.js';
import type { Contract } from '../../kernel/contract.js';
import type { DeclaredFunction, Program } from '../../object/program.js';
import { toHex } from '../../vm/state/environment.js';
import { cannotRun } from '../../vm/state/runnable.js';
import { gravity } from '../../vm/state/trap.js';
import { type Cause, causeKey } from '../kill/cause.js';
import { runEnvironment } from '../kill/environments.js';
import { killBeforeEveryInsn } from '../kill/kill-everywhere.js';
import {
  caseOf,
  causeOfBroken,
  type PreparedProgram,
  pathOf,
  prepareProgram,
  runOptions,
} from '../kill/prepared-program.js';
import type { NamedRules } from '../naming/rules.js';
import { type SmallCase, shrinkCase } from '../shrink/shrink.js';
import { hiddenBy } from './hidden-rule.js';
import { lastingCase } from './lasting-call.js';

/** Worlds that each program is tried in, and programs that are generated when the plainest one shows nothing. */
const WORLDS = 6;
const GENERATED = 24;
/** The same for a declared function, which no list of shapes knows. */
const GENERATED_FOR_OWN = 60;

/** The smallest case that was found, or why there is none. */
export type Search =
  | { readonly small: Pick<SmallCase, 'text' | 'insns'>; readonly because?: undefined }
  | { readonly small?: undefined; readonly because: string };

/**
 * The smallest case in which `contract`'s function alone is to blame. `lasting`: the call is kept, and what is wrong is that it takes longer
 * than a stub.
 */
export function counterexample(
  rules: NamedRules,
  contract: Contract,
  declared: readonly DeclaredFunction[] = [],
  lasting = false,
): Search {
  if (contract.types.length === 0) return { because: 'no type of program that is modelled may call it' };
  const tried: PreparedProgram[] = [];
  let made = 0;
  let notRun: string | undefined;
  for (const program of candidates(contract, declared)) {
    made++;
    const why = cannotRun(program);
    const prepared = why ?? prepareProgram(program, 'privileged');
    if (typeof prepared === 'string') {
      notRun ??= why;
      continue;
    }
    tried.push(prepared);
    const small = lasting
      ? lastingCase(rules, contract.name, prepared)
      : caseAgainst(rules, contract, prepared);
    if (small !== undefined) return { small };
  }
  if (made === 0) return { because: 'no program can be made here that calls it' };
  if (tried.length === 0) return { because: notRun ?? 'our verifier refuses each program that calls it' };
  const hidden = lasting ? undefined : hiddenBy(rules, contract.name, tried);
  return { because: hidden ?? `none of ${tried.length} programs that call it breaks a check because of it` };
}

function* candidates(contract: Contract, declared: readonly DeclaredFunction[]): Iterable<Program> {
  const seen = new Set<string>();
  for (let way = 0; way < CALL_WAYS; way++) {
    for (const type of contract.types) {
      const plain = smallestCall(contract.name, type, declared, way);
      // What has a shape of its own has only one.
      const key = plain === undefined ? '' : `${type} ${toHex(toBytes(plain.insns))}`;
      if (plain === undefined || seen.has(key)) continue;
      seen.add(key);
      yield plain;
    }
  }
  const { name } = contract;
  const own = declared.some((one) => one.name === name);
  const constraints = own ? { aim: name, declared } : { only: [name], declared };
  for (let index = 0; index < (own ? GENERATED_FOR_OWN : GENERATED); index++) {
    const { program } = sample(0, index, constraints);
    if (coverageOf(program).has(name)) yield program;
  }
}

function caseAgainst(
  rules: NamedRules,
  contract: Contract,
  prepared: PreparedProgram,
): SmallCase | undefined {
  const path = pathOf(prepared, rules.rules);
  const seen = new Set<string>();
  for (let k = 0; k < WORLDS; k++) {
    const world = runEnvironment(prepared.program, 0, 0, k);
    const run = killBeforeEveryInsn(prepared.code, { ...runOptions(prepared, path), ...world });
    if (run.ordinary.violations.length > 0) continue;
    // The worst that the program shows is told.
    const broken = [...run.broken].sort((a, b) => gravity(a.violation.check) - gravity(b.violation.check));
    for (const one of broken) {
      const signature = `${one.violation.check} ${one.violation.message}`;
      if (seen.has(signature)) continue;
      seen.add(signature);
      const cause: Cause = causeOfBroken(prepared, path, one);
      if (cause.function !== contract.name || seen.has(causeKey(cause))) continue;
      const text = caseOf(prepared, rules, one);
      return shrinkCase(text, { rules, profile: 'privileged', cause });
    }
  }
  return undefined;
}
