/** A program made ready for killing: verified, its fast path laid out, decoded for the VM. */

import { BUILT_IN, type KernelProfile } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import { callSites, pathOfSites } from '../../patch/fast-path.js';
import type { Invariants } from '../../patch/invariants.js';
import type { FastPath, RuleSet } from '../../patch/rule.js';
import { fastPathUnder } from '../../strategies/fast-path.js';
import { shippedStrategy } from '../../strategies/index.js';
import { killedUnder } from '../../strategies/killed-run.js';
import type { Strategy } from '../../strategies/strategy.js';
import type { Accepted } from '../../verifier/result.js';
import type { Profile } from '../../verifier/state/profile.js';
import { verify } from '../../verifier/verify.js';
import { boundOf, type Case } from '../../vm/case/case.js';
import { expectationOf } from '../../vm/case/expectation.js';
import { kernelOfCase } from '../../vm/case/profile.js';
import { compared, type Replay, replay } from '../../vm/replay.js';
import { type Code, prepare } from '../../vm/state/code.js';
import { brokenLines } from '../../vm/state/trap.js';
import { Vm, type VmOptions } from '../../vm/vm.js';
import type { NamedRules } from '../naming/rules.js';
import { type Cause, causeOf, type DecidedPath } from './cause.js';
import type { BrokenAfterKill, BrokenCheck } from './kill-everywhere.js';

/** A program that the verifier accepted and the VM can run. */
export interface PreparedProgram {
  readonly program: Program;
  readonly profile: Profile;
  readonly verdict: Accepted;
  readonly code: Code;
  /** What must hold of its maps after every run. */
  readonly invariants?: Invariants;
}

/** For which kernel the program is verified, and how far. */
export interface PrepareOptions {
  /** Insns that may be walked; see `VerifyOptions`. */
  readonly budget?: number;
  /** The kernel that the program is for; the built-in profile unless told. */
  readonly kernel?: KernelProfile | undefined;
  /** What must hold of its maps after every run; nothing unless told. */
  readonly invariants?: Invariants | undefined;
}

/** The program if our verifier accepts it, else why not. */
export function prepareProgram(
  program: Program,
  profile: Profile,
  { budget, kernel = BUILT_IN, invariants }: PrepareOptions = {},
): PreparedProgram | string {
  const verdict = verify(program, { profile, kernel, ...(budget === undefined ? {} : { budget }) });
  if (!verdict.ok) return verdict.slot < 0 ? verdict.message : `insn ${verdict.slot}: ${verdict.message}`;
  const ready = { program, profile, verdict, code: prepare(program) };
  return invariants === undefined ? ready : { ...ready, invariants };
}

/** The VM's options for running it under a rule set. */
export function runOptions(prepared: PreparedProgram, path: FastPath): VmOptions {
  const { verdict, profile } = prepared;
  return { strict: profile === 'strict', facts: verdict.facts, fastPath: path, ...invariantOf(prepared) };
}

/** The VM's option for looking at the maps. */
export function invariantOf({
  invariants,
}: Pick<PreparedProgram, 'invariants'>): Pick<VmOptions, 'invariant'> {
  return invariants === undefined ? {} : { invariant: (maps) => invariants.broken(maps) };
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
    ...(one.invariants === undefined ? {} : { invariants: one.invariants.file }),
    kill: broken.step,
    env: broken.env,
    expect: expectationOf(broken.violation),
    comments: [...brokenLines(broken.all, broken.violation), ...comments],
  };
}

/**
 * Replays a case from scratch: verified (for the kernel that the case says, unless told), patched, run and killed; by its strategy, where it names
 * one: one that does not come with swansong is the fast path under `rules`. `invariants`: those of the file that the case names. Answers why not where our verifier refuses its program, or the strategy
 * cannot take it.
 */
export function replayed(
  one: Case,
  rules: RuleSet,
  kernel?: KernelProfile,
  invariants?: Invariants,
): Replay | string {
  const prepared = prepareProgram(one.program, one.profile, { kernel: kernel ?? one.kernel, invariants });
  if (typeof prepared === 'string') return prepared;
  if (one.strategy !== undefined)
    return replayedUnder(prepared, one, shippedStrategy(one.strategy) ?? fastPathUnder(rules, one.strategy));
  return replay(one, pathOf(prepared, rules), { facts: prepared.verdict.facts, ...invariantOf(prepared) });
}

/** Replays a case of this program, killed by a strategy. Answers why not where the strategy cannot take the program. */
function replayedUnder(prepared: PreparedProgram, one: Case, strategy: Strategy): Replay | string {
  const { code, verdict, profile } = prepared;
  const ready = strategy.prepare({ code, facts: verdict.facts });
  if ('cannot' in ready) return `${strategy.name} cannot take it: ${ready.cannot}`;
  const own = { ...boundOf(one), ...invariantOf(prepared) };
  const options = { ...own, env: one.env, facts: verdict.facts, strict: profile === 'strict' };
  const result =
    one.kill === undefined ? new Vm(code, options).run() : killedUnder(ready, code, options, one.kill);
  return compared(one, result);
}
