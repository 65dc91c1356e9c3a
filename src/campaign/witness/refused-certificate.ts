/** A certificate that Linux refused, turned into a case: a run of the program that is killed and breaks a check, shrunk and replayable. */
import type { KernelProfile } from '../../kernel/profile.js';
import type { Program } from '../../object/program.js';
import { KernelJudge } from '../../oracle/bulk.js';
import { certify } from '../../oracle/certify.js';
import { profileHere } from '../../oracle/profile/running.js';
import { proveProgram } from '../../smt/program-proof.js';
import type { Profile } from '../../verifier/state/profile.js';
import { runEnvironment } from '../kill/environments.js';
import { type BrokenCheck, killBeforeEveryInsn } from '../kill/kill-everywhere.js';
import {
  caseOf,
  causeOfBroken,
  type PreparedProgram,
  pathOf,
  prepareProgram,
  replayed,
  runOptions,
} from '../kill/prepared-program.js';
import type { NamedRules } from '../naming/rules.js';
import { type SmallCase, shrinkCase } from '../shrink/shrink.js';

/** Where to look for a run that shows why Linux refused, and how hard. */
export interface RefusalOptions {
  readonly profile?: Profile;
  /** What the kernel is; the running one's profile unless told. */
  readonly kernel?: KernelProfile;
  /** Seed of the worlds that the program is run in; 1 unless told. */
  readonly seed?: number;
  /** A further condition on the smallest program, besides that it is refused. */
  readonly also?: (program: Program) => boolean;
  /** Runs that the symbolic search may make where killing at random shows nothing; 100 unless told. */
  readonly maxRuns?: number;
}

/** Worlds that the program is killed in before the solver is asked. */
const WORLDS = 12;
/** Checks that Linux makes as well. */
const LINUX_CHECKS: ReadonlySet<string> = new Set(['leak', 'misuse', 'fault', 'return', 'disclosure']);

/** Whether Linux takes the program, and refuses to certify it under these rules. */
function refusedByLinux(
  program: Program,
  { rules }: NamedRules,
  options: { readonly profile: Profile; readonly kernel: KernelProfile },
): boolean {
  return certify(program, rules, options).verdict === 'refused';
}

/**
 * The smallest case found that breaks a check of those that Linux makes, in a program that Linux refuses to certify; undefined where no
 * run was found that breaks one. Throws InputError where bpf(2) is refused.
 */
export async function caseOfRefusal(
  program: Program,
  rules: NamedRules,
  options: RefusalOptions = {},
): Promise<SmallCase | undefined> {
  const profile = options.profile ?? 'privileged';
  const kernel = options.kernel ?? profileHere();
  const prepared = prepareProgram(program, profile, { kernel });
  if (typeof prepared === 'string') return undefined;
  const broken =
    brokenByRun(prepared, rules, options.seed ?? 1) ?? (await brokenByProof(prepared, rules, options));
  if (broken === undefined) return undefined;
  const judge = new KernelJudge({ strictCaps: profile === 'strict' });
  try {
    return shrinkCase(caseOf(prepared, rules, broken), {
      rules,
      profile,
      kernel,
      cause: causeOfBroken(prepared, pathOf(prepared, rules.rules), broken),
      kernelAccepts: (smaller) =>
        judge.judge(smaller).accepted &&
        refusedByLinux(smaller, rules, { profile, kernel }) &&
        (options.also?.(smaller) ?? true),
    });
  } finally {
    judge.close();
  }
}

function brokenByRun(
  prepared: PreparedProgram,
  { rules }: NamedRules,
  seed: number,
): BrokenCheck | undefined {
  const path = pathOf(prepared, rules);
  for (let k = 0; k < WORLDS; k++) {
    const world = runEnvironment(prepared.program, seed, 0, k);
    const { ordinary, broken } = killBeforeEveryInsn(prepared.code, {
      ...runOptions(prepared, path),
      ...world,
    });
    if (ordinary.violations.length > 0) continue;
    const found = broken.find(({ violation }) => LINUX_CHECKS.has(violation.check));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The witness of a program proof that failed. */
async function brokenByProof(
  prepared: PreparedProgram,
  { rules }: NamedRules,
  options: RefusalOptions,
): Promise<BrokenCheck | undefined> {
  const { witness } = await proveProgram(prepared.program, rules, {
    profile: prepared.profile,
    verified: prepared.verdict,
    maxRuns: options.maxRuns ?? 100,
  });
  if (witness?.kill === undefined) return undefined;
  const answer = replayed(witness, rules, prepared.verdict.kernel);
  if (typeof answer === 'string') return undefined;
  const violation = answer.result.violations.find(({ check }) => LINUX_CHECKS.has(check));
  return (
    violation && { violation, all: answer.result.violations, step: witness.kill, env: answer.result.env }
  );
}
