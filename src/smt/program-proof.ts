/**
 * Program proof: is a program safe under a rule set, wherever it is killed? All termination points at once, from the verifier's facts.
 *
 * 1. Every call site (`site-proof.ts`): a stub must be an outcome that is possible there, as Z3 decides. A call that is kept must not
 *    acquire anything that a stub could have refused. Where all stubs are such outcomes, a killed run is an ordinary run in an unlucky
 *    environment, and the verifier has walked it.
 * 2. The fast path is walked from every termination point (`patched.ts`): leaks, misuse, faults, the exit value. This does not rely on
 *    step 1. It also accepts a stub that is no outcome of its function, if that does no harm in this program.
 * 3. The longest killed run is computed (`bound.ts`).
 *
 * Where step 1 or 2 raises a concern, `find-witness.ts` searches for a run that really breaks a check. A program is refuted only by such
 * a run. Without one, and without a proof, it is unknown.
 */
import { BUILT_IN, type KernelProfile } from '../kernel/profile.js';
import { POISON_HELPER } from '../object/core/patch.js';
import type { Program } from '../object/program.js';
import type { CallSite } from '../patch/fast-path.js';
import { callSites, enabledAt, pathOfSites } from '../patch/fast-path.js';
import type { FastPath, RuleSet } from '../patch/rule.js';
import { landingAt } from '../patch/unwinding.js';
import type { Accepted, Facts, Refused, Verdict } from '../verifier/result.js';
import type { Profile } from '../verifier/state/profile.js';
import { stricterLine } from '../verifier/stricter.js';
import type { Code } from '../verifier/text/code.js';
import { INSN_BUDGET, type VerifyOptions, verify } from '../verifier/verify.js';
import { cannotRun } from '../vm/state/runnable.js';
import { withAbsent } from './absent-proof.js';
import { type Bounds, bounds, type Weigh } from './bound.js';
import { boundKindOf } from './bound-kind.js';
import { type Concern, callbackProofs } from './callback-proofs.js';
import type { Cost } from './cost.js';
import { findWitness } from './find-witness.js';
import { keptCalls } from './kept-calls.js';
import { callsWhatNoneHave } from './not-given.js';
import { keepsForProof, type Patched, walkPatched } from './patched.js';
import type { ProgramProof, ProvedSite } from './proof.js';
import type { SiteAnswer } from './site-proof.js';
import { proveSites } from './site-proof.js';
import { entersProgram, tailCalls } from './tail-calls.js';
import { whyAllowed } from './why-allowed.js';
import { witnessPath } from './witness-path.js';

/** For whom the program is judged, and how much effort the proof may take. With less effort more programs are unknown. */
export interface ProgramProofOptions {
  readonly profile?: Profile;
  /** What the kernel is that the program is for; the built-in profile unless told. */
  readonly kernel?: KernelProfile;
  /** An accepted verification of the same program for the same loader and kernel, if there is one. */
  readonly verified?: Accepted;
  /** Bound of one question to Z3, in Z3's units. */
  readonly rlimit?: number;
  /** Runs that the search for a counterexample may make; 300 unless told. */
  readonly maxRuns?: number;
  /** Questions that Z3 may leave open in that search, after which it is given up; any number unless told. */
  readonly maxUnanswered?: number;
  /** Entries that maps which begin empty have where the search for a counterexample wants them full; 2 unless told. */
  readonly fill?: number;
  /** Insns to walk in patched mode at the most; 1,000,000 unless told. */
  readonly budget?: number;
  /**
   * Insns that may be walked and run for the program in all: by the verification, in patched mode, and by the search for a counterexample; any number
   * unless told. Facts take as much again as the verification, at the most three times as much, and are not counted.
   */
  readonly effort?: number;
  /** Explain why the program is not verified, and the way of a witness. */
  readonly explain?: boolean;
  /** Count how often each insn is walked. */
  readonly hot?: boolean;
  /** Weighs the insns of this program, for a bound in other units than insns. */
  readonly weigh?: (program: Program, code: Code) => Weigh;
}

/** Said of a program whose search for a counterexample took more than it may. */
const GIVEN_UP = 'the search for a run was given up, because Z3 left too many questions open';

/** The walk of the fast path stops after this many failures. */
const MAX_FAILURES = 4;

/**
 * Proves a program under a rule set, or refutes it: as kernels load it that have all its weak kfuncs, and as those do that lack some. Never
 * throws for a program that the verifier refuses: that is `unknown`.
 */
export async function proveProgram(
  program: Program,
  rules: RuleSet,
  options: ProgramProofOptions = {},
): Promise<ProgramProof> {
  const present = await proveAsLoaded(program, rules, options);
  if (program.weakKfuncs === undefined) return present;
  const { verified: _, ...others } = options;
  return withAbsent(present, program, (without) => proveAsLoaded(without, rules, others));
}

/** Proves a program whose weak kfuncs are all there. */
async function proveAsLoaded(
  program: Program,
  rules: RuleSet,
  options: ProgramProofOptions = {},
): Promise<ProgramProof> {
  const profile = options.profile ?? 'privileged';
  const kernel = options.kernel ?? BUILT_IN;
  const effort = options.effort ?? Number.POSITIVE_INFINITY;
  const hot = options.hot === true;
  const target = { profile, kernel, budget: Math.min(effort, INSN_BUDGET), tally: hot };
  const verified = options.verified ?? verifiedFor(program, { ...target, facts: keepsForProof });
  if (!verified.ok) {
    const refusal = verifiedFor(program, {
      ...target,
      facts: false,
      explain: options.explain === true,
    }) as Refused;
    return effort < INSN_BUDGET && refusal.reason === 'budget'
      ? effortSpent(effort, refusal)
      : notVerified(refusal, program);
  }
  const left = Math.max(1, effort - verified.walked);
  const sites = callSites(program, verified.facts, rules);
  const path = pathOfSites(rules, sites, program, verified.facts);
  const proved = await proveSites(sites, options.rlimit);
  const tally = hot ? new Uint32Array(program.insns.length) : undefined;
  const patched = walkPatched(program, verified.code, verified.facts, path, verified.lastId, {
    profile,
    kernel: verified.kernel,
    budget: Math.min(options.budget ?? 1_000_000, left),
    failures: MAX_FAILURES,
    ...(tally !== undefined && { tally }),
  });
  // A stub may lead a killed run to insns that no ordinary run reaches. The rules were not applied to the calls there.
  const unplanned = callsOnlyKilledRunsReach(program, verified, patched);
  const unplannedProved = await proveSites(unplanned, options.rlimit);
  const settled = sites.map((site, i) =>
    withPad(site, proved.settled[i]!, path, verified.code, [verified.facts, patched.facts]),
  );
  const common = {
    points: countPoints(verified),
    sites: [
      ...sites.map((site, i) => report(site, settled[i]!)),
      ...unplanned.map((site, i) => report(site, unplannedProved.settled[i]!)),
    ],
    walked: { verified: verified.walked, patched: patched.walked },
    ...hotOf(verified.walkedAt, tally),
    kept: keptCalls(program, verified.code, [verified.facts, patched.facts], path, verified.kernel),
    tailCalls: tailCalls(program, verified.code, [verified.facts, patched.facts], path),
  };
  const concerns = [
    ...patched.failures.map(
      (f): Concern => ({
        slot: f.killed.slot,
        message: `insn ${f.slot}: ${f.message}`,
        node: f.killed.node,
      }),
    ),
    ...sites.flatMap((site, i) => concernsAbout(site, settled[i]!)),
    ...unplanned.flatMap((site, i) => concernsAbout(site, unplannedProved.settled[i]!)),
  ];
  if (concerns.length === 0) {
    const found = bounds(program, verified.code, verified.facts, path, patched, verified.kernel);
    const weigh = options.weigh?.(program, verified.code);
    const heaviest =
      weigh && bounds(program, verified.code, verified.facts, path, patched, verified.kernel, weigh);
    const weighed = heaviest && { worst: heaviest.worst, bySlot: heaviest.bySlot };
    const callbacks = callbackProofs(program, verified.facts, [], found);
    return {
      ...common,
      callbacks,
      ...boundedProof(found),
      ...(weighed && { weighed }),
      queries: proved.queries,
    };
  }
  // Nothing is left to search with where the walk was ended by the effort.
  const isSpent = patched.walked >= left;
  const reason = isSpent ? effortReason(effort) : concerns[0]!.message;
  const callbacks = callbackProofs(program, verified.facts, concerns, undefined);
  const verdict = 'unknown' as const;
  const open = { ...common, callbacks, ...NO_BOUND, verdict, reason, queries: proved.queries };
  if (isSpent) return { ...open, advice: ADVICE.effort };
  const cannot = cannotRun(program);
  if (cannot !== undefined) return { ...open, reason: `${reason}; ${cannot}`, advice: ADVICE.notRun };
  // Runs are held against the facts of every insn.
  const whole = options.verified ?? verifiedFor(program, { profile, kernel });
  if (!whole.ok) return open;
  const found = await findWitness(program, whole, rules.name, path, concerns, {
    ...options,
    maxInsns: left - patched.walked,
  });
  const queries = proved.queries + found.queries;
  // The run tells what is wrong; the concern that led to it may speak of another check, at another insn.
  if (found.witness !== undefined) {
    const refuted = {
      ...open,
      queries,
      verdict: 'refuted',
      reason: found.broken,
      witness: found.witness,
    } as const;
    if (options.explain !== true) return refuted;
    const ruleAt = new Map(
      sites.flatMap(({ slot, rule }) => (rule === undefined ? [] : [[slot, rule.name] as const])),
    );
    const { code, facts } = whole;
    return { ...refuted, witnessPath: witnessPath(found.witness, { code, facts, path, ruleAt }) };
  }
  const spent = patched.failures.some((f) => f.reason === 'budget');
  const given = found.givenUp === true ? { reason: `${reason}; ${GIVEN_UP}` } : {};
  return {
    ...open,
    ...given,
    queries,
    advice: found.cut === true ? ADVICE.effort : spent ? ADVICE.budget : ADVICE.noWitness,
  };
}

/** The verdict of the verifier. What Linux walks for too long is walked once more, with less. */
function verifiedFor(program: Program, options: VerifyOptions): Verdict {
  const verdict = verify(program, options);
  if (verdict.ok || verdict.reason !== 'budget') return verdict;
  const again = verify(program, { ...options, economical: true });
  return again.ok ? again : verdict;
}

/** What verifiers say of the call that loaders write over an insn whose CO-RE relocation finds nothing. */
const POISONED = `invalid func unknown#${POISON_HELPER}`;

/** Advice for an unknown program, by the reason why it is unknown. */
const ADVICE = {
  notVerified: 'mend the program first: `verify` says more',
  notModelled: 'this says nothing against the program: ask Linux, `certify`',
  stricter: 'Linux may accept it: docs/stricter-than-linux.md says why we do not, and what helps',
  notThere:
    "the kernel's types lack what a CO-RE relocation names there: prove for a kernel that has it, --btf FILE",
  notGiven:
    'no program of this kernel has the function, but kernels that are built or locked down otherwise give it to some: prove for one, --profile FILE (`kernel --json` writes it)',
  tooLarge: `Linux walks ${INSN_BUDGET} insns and no more: \`verify --hot\` tells where they go`,
  endless: 'let the rules stub the call that goes round, or count the rounds in the program',
  notRun: 'ask Linux: `certify`',
  budget: 'let more insns be walked: --budget',
  effort: 'allow more: --effort',
  noWitness: 'let the rules stub this call, or search for longer (--runs), with fuller maps (--fill)',
} as const;

const effortReason = (effort: number): string => `it takes more than ${effort} insns to prove`;

function effortSpent(effort: number, { walked, walkedAt }: Refused): ProgramProof {
  return {
    ...hotOf(walkedAt),
    ...NO_BOUND,
    verdict: 'unknown',
    reason: effortReason(effort),
    advice: ADVICE.effort,
    points: 0,
    sites: [],
    kept: [],
    tailCalls: [],
    callbacks: [],
    queries: 0,
    walked: { verified: walked, patched: 0 },
  };
}

const hotOf = (verified: Uint32Array | undefined, patched?: Uint32Array): Pick<ProgramProof, 'hot'> =>
  verified === undefined ? {} : { hot: { verified, patched: patched ?? new Uint32Array(verified.length) } };

const NO_BOUND = {
  boundKind: 'unbounded',
  bound: undefined,
  bounds: new Map<number, undefined>(),
  timeLimits: new Map<number, Cost>(),
  worstPath: [],
  loops: [],
  advice: '',
} as const;

/** The part of a proof that depends on the bound, when nothing else is wrong with the program. */
function boundedProof({
  worst,
  bySlot,
  notes,
  worstPath,
}: Bounds): Pick<
  ProgramProof,
  | 'verdict'
  | 'reason'
  | 'advice'
  | 'boundKind'
  | 'bound'
  | 'bounds'
  | 'timeLimit'
  | 'timeLimits'
  | 'worstPath'
  | 'loops'
> {
  const boundKind = boundKindOf(worst);
  const endless = notes.find((note) => note.endless !== undefined);
  const exact = (cost: Cost): number | undefined => (boundKindOf(cost) === 'exact' ? cost.insns : undefined);
  return {
    ...(boundKind === 'unbounded'
      ? {
          verdict: 'unknown',
          reason:
            endless === undefined ? 'a killed run has no bound' : `insn ${endless.slot}: ${endless.endless}`,
          advice: ADVICE.endless,
        }
      : { verdict: 'proven', reason: '', advice: '' }),
    boundKind,
    bound: exact(worst),
    bounds: new Map([...bySlot].map(([slot, cost]) => [slot, exact(cost)])),
    ...(boundKind === 'time-limited' && { timeLimit: worst }),
    timeLimits: new Map([...bySlot].filter(([, cost]) => boundKindOf(cost) === 'time-limited')),
    worstPath,
    loops: notes,
  };
}

/** Whose turn it is where a program is not verified: its writer's, ours, or Linux's, whose reason to accept it we do not share. */
function adviceOn(refusal: Refused, program: Program): string {
  switch (refusal.reason) {
    case 'budget':
      return ADVICE.tooLarge;
    case 'unsupported':
      return ADVICE.notModelled;
    case 'rejected':
      if (refusal.message === POISONED) return ADVICE.notThere;
      if (callsWhatNoneHave(refusal, program)) return ADVICE.notGiven;
      return stricterLine(refusal, program) === undefined ? ADVICE.notVerified : ADVICE.stricter;
  }
}

function notVerified(refusal: Refused, program: Program): ProgramProof {
  const { message, walked, walkedAt } = refusal;
  return {
    ...hotOf(walkedAt),
    ...NO_BOUND,
    refusal,
    verdict: 'unknown',
    reason: `not verified: ${message}`,
    advice: adviceOn(refusal, program),
    points: 0,
    sites: [],
    kept: [],
    tailCalls: [],
    callbacks: [],
    queries: 0,
    walked: { verified: walked, patched: 0 },
  };
}

/** Call sites that only killed runs reach. They are kept: rules are applied only where the verifier has been. */
function callsOnlyKilledRunsReach(program: Program, { facts, code }: Accepted, patched: Patched): CallSite[] {
  return code.contracts.flatMap((contract, slot): CallSite[] => {
    if (contract === undefined || facts.at(slot).length > 0 || patched.facts.at(slot).length === 0) return [];
    const enabled = enabledAt(contract, program, patched.facts, slot);
    return [{ slot, contract, enabled, hasPad: false, rule: undefined, action: { kind: 'keep' } }];
  });
}

/** What is settled of a site: `pad` where no killed run makes the call, because in every state that reaches it there is a pad to go to. */
function withPad(
  { slot, action }: CallSite,
  settled: SiteAnswer,
  path: FastPath,
  code: Code,
  facts: readonly Facts[],
): SiteAnswer {
  if (action.kind !== 'unwind') return settled;
  const visits = facts.flatMap((one) => one.at(slot));
  return visits.every(({ state }) => landingAt(path, code.ops, slot, state) === 'pad') ? 'pad' : settled;
}

function report(site: CallSite, settled: SiteAnswer): ProvedSite {
  return {
    slot: site.slot,
    function: site.contract.name,
    action: site.action.kind,
    rule: site.rule?.name,
    settled,
    ...(site.action.kind === 'stub' && { stub: site.action.stub }),
    why: whyAllowed(site, settled),
  };
}

/** What may be wrong with a call that is kept: no concern, or one. Stubs raise no concern here: the walk of the fast path judges them. */
function concernsAbout(site: CallSite, settled: SiteAnswer): { slot: number; message: string }[] {
  const { slot, contract, action } = site;
  if (action.kind === 'stub' || settled === 'pad') return [];
  const kept = action.kind === 'unwind' ? 'is kept where it has no landing pad' : 'is kept';
  const say = (what: string) => [{ slot, message: `insn ${slot}: ${contract.name} ${kept}, and ${what}` }];
  if (settled === 'refusable') return say('may acquire what it could have refused');
  if (settled === 'unknown') return say('whether it could have been refused is not known');
  return entersProgram(contract) ? say('may run another program, which is not patched') : [];
}

/** Counts termination points: slots, told apart by the subprograms and call sites of the frames. */
function countPoints({ facts, code }: Accepted): number {
  const { graph } = facts;
  let count = 0;
  for (let slot = 0; slot < code.ops.length; slot++)
    count += new Set(facts.nodes(slot).map((node) => graph.chain(node).point)).size;
  return count;
}
