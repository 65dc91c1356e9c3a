/** A program made ready for killing: verified, its fast path laid out, decoded for the VM. */

import { BUILT_IN, type KernelProfile } from '../kernel/profile.js';
import type { Program } from '../object/program.js';
import { callSites, pathOfSites } from '../patch/fast-path.js';
import type { FastPath, RuleSet } from '../patch/rule.js';
import type { Accepted } from '../verifier/result.js';
import type { Profile } from '../verifier/state/profile.js';
import { verify } from '../verifier/verify.js';
import type { Case } from '../vm/case.js';
import { kernelOfCase } from '../vm/case-profile.js';
import { type Code, prepare } from '../vm/code.js';
import { expectationOf } from '../vm/expectation.js';
import { type Replay, replay } from '../vm/replay.js';
import { brokenLines } from '../vm/trap.js';
import type { VmOptions } from '../vm/vm.js';
import { type Cause, causeOf, type DecidedPath } from './cause.js';
import type { BrokenAfterKill, BrokenCheck } from './kill-everywhere.js';
import type { NamedRules } from './rules.js';

/** A program that the verifier accepted and the VM can run. */
export interface PreparedProgram {
  readonly program: Program;
  readonly profile: Profile;
  readonly verdict: Accepted;
  readonly code: Code;
}

/** For which kernel the program is verified, and how far. */
export interface PrepareOptions {
  /** Insns that may be walked; see `VerifyOptions`. */
  readonly budget?: number;
  /** The kernel that the program is for; the built-in profile unless told. */
  readonly kernel?: KernelProfile | undefined;
}

/** The program if our verifier accepts it, else why not. */
export function prepareProgram(
  program: Program,
  profile: Profile,
  { budget, kernel = BUILT_IN }: PrepareOptions = {},
): PreparedProgram | string {
  const verdict = verify(program, { profile, kernel, ...(budget === undefined ? {} : { budget }) });
  if (!verdict.ok) return verdict.slot < 0 ? verdict.message : `insn ${verdict.slot}: ${verdict.message}`;
  return { program, profile, verdict, code: prepare(program) };
}

/** The VM's options for running it under a rule set. */
export function runOptions({ verdict, profile }: PreparedProgram, path: FastPath): VmOptions {
  return { strict: profile === 'strict', facts: verdict.facts, fastPath: path };
}

/** The fast path under a rule set, with the rule that decides each call site. Throws InputError as `callSites`. */
export function pathOf({ program, verdict }: PreparedProgram, rules: RuleSet): DecidedPath {
  const sites = callSites(program, verdict.facts, rules);
  const ruleAt = new Map(
    sites.flatMap(({ slot, rule }) => (rule === undefined ? [] : [[slot, rule.name] as const])),
  );
  return { ...pathOfSites(rules, sites, program, verdict.facts), ruleAt };
}

/** Why a check broke; see `causeOf`. */
export function causeOfBroken(one: PreparedProgram, path: DecidedPath, broken: BrokenAfterKill): Cause {
  return causeOf(one.code, runOptions(one, path), path, broken);
}

/** The case that shows what broke. Its comments tell all that breaks in its run, the gravest first, and then `comments`. */
export function caseOf(
  one: PreparedProgram,
  { name }: NamedRules,
  broken: BrokenCheck,
  comments: readonly string[] = [],
): Case {
  const kernel = kernelOfCase(one.program, one.verdict.kernel);
  return {
    program: one.program,
    profile: one.profile,
    ...(kernel === undefined ? {} : { kernel }),
    rules: name,
    kill: broken.step,
    env: broken.env,
    expect: expectationOf(broken.violation),
    comments: [...brokenLines(broken.all, broken.violation), ...comments],
  };
}

/**
 * Replays a case from scratch: verified (for the kernel that the case says, unless told), patched, run and killed. Answers why not where our verifier
 * refuses its program.
 */
export function replayed(one: Case, rules: RuleSet, kernel?: KernelProfile): Replay | string {
  const prepared = prepareProgram(one.program, one.profile, { kernel: kernel ?? one.kernel });
  if (typeof prepared === 'string') return prepared;
  return replay(one, pathOf(prepared, rules), { facts: prepared.verdict.facts });
}
