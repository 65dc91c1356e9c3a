/**
 * One program of a campaign, checked by every witness there is: our verifier, the VM killed at every point, the program proof and, if
 * asked, the kernel. Their answers are compared here. This file decides what counts as a finding and what as a disagreement.
 */
import { guided } from '../../../generators/guided.js';
import type { ProgramConstraints } from '../../../generators/program.js';
import { sample } from '../../../generators/sample.js';
import { InputError } from '../../isa/errors.js';
import { BUILT_IN, differencesOf, type KernelProfile } from '../../kernel/profile.js';
import type { DeclaredFunction, Program } from '../../object/program.js';
import type { Judgement } from '../../oracle/bulk.js';
import type { Invariants } from '../../patch/invariants.js';
import { proveProgram } from '../../smt/program-proof.js';
import type { ProgramProof } from '../../smt/proof.js';
import type { Profile } from '../../verifier/state/profile.js';
import { parseCase } from '../../vm/case/case.js';
import { printCase } from '../../vm/case/print.js';
import type { MachineState } from '../../vm/state/machine.js';
import { type Cause, causeKey, type DecidedPath } from '../kill/cause.js';
import { type Diversity, DiversityCounts, WordCounts } from '../kill/diversity.js';
import { runEnvironment } from '../kill/environments.js';
import {
  type BrokenCheck,
  disagreementOf,
  type KillResults,
  killBeforeEveryInsn,
} from '../kill/kill-everywhere.js';
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
import { NOT_SHRUNK } from '../shrink/marks.js';
import { insnCount } from '../shrink/size.js';

/** What each program of a campaign is checked against. */
export interface CheckOptions {
  readonly seed: number;
  readonly rules: readonly NamedRules[];
  /** Worlds that each program is run in, at least 1. */
  readonly worlds: number;
  /** Who loads the programs; `privileged` unless told. */
  readonly loader?: Profile | undefined;
  /** The kernel that they are for; the built-in profile unless told. */
  readonly kernel?: KernelProfile | undefined;
  /** What the programs are drawn from. */
  readonly constraints?: ProgramConstraints;
  /** Programs from files, as cases, in place of generated ones: they take turns. */
  readonly given?: readonly string[] | undefined;
  /** What must hold of their maps after every run; nothing unless told. */
  readonly invariants?: Invariants | undefined;
  /** Choose each program by what those before it in its block reached; see `guided`. */
  readonly guided?: boolean;
  /** Whether each program is proven as well. */
  readonly prove: boolean;
  /** Asks the kernel. */
  readonly judge?: (program: Program) => Judgement;
  /** Proves programs; `proveProgram` unless told. */
  readonly prover?: typeof proveProgram;
}

/** A broken check that replays. */
export interface Suspect {
  readonly cause: Cause;
  /** The world it was found in; -1 where a proof's witness shows it. */
  readonly world: number;
  /** The case, as text. */
  readonly text: string;
  readonly insns: number;
}

/** Two witnesses that contradict each other: a bug of swansong's own, never a finding. */
export interface WitnessDisagreement {
  readonly between: 'verifier' | 'run' | 'proof' | 'replay' | 'kernel' | 'itself';
  readonly rules?: string;
  readonly message: string;
}

/** What the program proof says under one rule set. */
export interface ProofVerdict {
  /** The name of the set. */
  readonly rules: string;
  readonly verdict: ProgramProof['verdict'];
  /** Why it is unknown; only there. */
  readonly reason?: string;
}

/** The report on one program. Plain data, so that it can be sent between threads. */
export interface ProgramReport {
  readonly index: number;
  readonly type: string;
  readonly insns: number;
  readonly accepted: boolean;
  /** Termination points tried, over all worlds and rule sets. */
  readonly points: number;
  /** Every run was killed before each of its insns. */
  readonly everywhere: boolean;
  /** The most insns from a kill to the exit. */
  readonly worst: number;
  readonly proofs: readonly ProofVerdict[];
  /** Broken checks of killed runs by name of the check. */
  readonly broken: Readonly<Record<string, number>>;
  /** The same for each rule set by itself, by the name of the set; none for a set under which nothing broke. */
  readonly brokenUnder: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** One for each cause. */
  readonly suspects: readonly Suspect[];
  readonly disagreements: readonly WitnessDisagreement[];
  readonly kernel?: Judgement;
  /** Calls of ordinary runs, by function. */
  readonly calls: Readonly<Record<string, number>>;
  /** Termination points by what is held there, each kind counted once a point. */
  readonly held: Readonly<Record<string, number>>;
  /** What else was different about its runs, over all worlds and rule sets. */
  readonly diversity: Diversity;
}

/** Program `index` of the campaign: the same whenever it is asked for. */
export function programAt(
  index: number,
  {
    seed,
    constraints,
    guided: isGuided,
    given = [],
  }: Pick<CheckOptions, 'seed' | 'constraints' | 'guided' | 'given'>,
): Program {
  if (given.length > 0) return givenProgram(given[index % given.length]!, constraints?.declared);
  return (isGuided === true ? guided : sample)(seed, index, constraints).program;
}

/** Programs that came as text, read once. */
const read = new Map<string, Program>();

function givenProgram(text: string, declared: readonly DeclaredFunction[] = []): Program {
  const known = read.get(text);
  if (known !== undefined) return known;
  const { program } = parseCase(text, undefined, { first: declared, last: [] });
  read.set(text, program);
  return program;
}

/** Checks program `index` of the campaign. */
export async function checkProgram(index: number, options: CheckOptions): Promise<ProgramReport> {
  return checkOne(programAt(index, options), index, options);
}

/** Checks a program that stands for number `index` of the campaign; it must be one that our verifier should accept. */
export function checkOne(program: Program, index: number, options: CheckOptions): Promise<ProgramReport> {
  return new ProgramCheck(program, index, options).report();
}

/**
 * What the proof of one program may take: insns walked in patched mode, and questions that Z3 leaves open in the search for a run. Both are
 * counted, so that a proof ends alike on every machine. All but a few generated programs take a hundredth. One that takes more is unknown,
 * and its reason says so.
 */
export const PROOF_EFFORT = { budget: 400_000, maxUnanswered: 20 } as const;

/** Runs of a proof's own search for a counterexample where the VM has found one before. */
const RUNS_AFTER_A_BREAK = 20;

/** The work on one program. A class, because its parts add to the same report. */
class ProgramCheck {
  private readonly suspects = new Map<string, Suspect>();
  private readonly disagreements: WitnessDisagreement[] = [];
  private readonly proofs: ProofVerdict[] = [];
  private readonly broken = new WordCounts();
  private readonly brokenUnder = new Map<string, WordCounts>();
  private readonly calls = new WordCounts();
  private readonly held = new WordCounts();
  private readonly diversity = new DiversityCounts();
  private points = 0;
  private everywhere = true;
  private worst = 0;

  constructor(
    private readonly program: Program,
    private readonly index: number,
    private readonly options: CheckOptions,
  ) {}

  async report(): Promise<ProgramReport> {
    const accepted = await this.catchingErrors(() => this.check());
    const { judge } = this.options;
    // No kernel has the functions that are declared.
    const known = this.program.declared === undefined;
    const kernel = judge && known ? this.askKernel(judge, accepted === true) : undefined;
    return {
      index: this.index,
      type: this.program.type,
      insns: this.program.insns.length,
      accepted: accepted === true,
      points: this.points,
      everywhere: this.everywhere,
      worst: this.worst,
      proofs: this.proofs,
      broken: this.broken.all,
      brokenUnder: Object.fromEntries([...this.brokenUnder].map(([rules, { all }]) => [rules, all])),
      suspects: [...this.suspects.values()],
      disagreements: this.disagreements,
      ...(kernel ? { kernel } : {}),
      calls: this.calls.all,
      held: this.held.all,
      diversity: this.diversity.all,
    };
  }

  /** A bug that shows as an exception is a disagreement of swansong with itself, and the campaign goes on. */
  private async catchingErrors<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      // A mistake in a file of invariants is told as such.
      if (error instanceof InputError && error.place.file !== undefined) throw error;
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.disagreements.push({ between: 'itself', message });
      return undefined;
    }
  }

  private async check(): Promise<boolean> {
    const { loader = 'privileged', kernel = BUILT_IN, invariants } = this.options;
    const prepared = prepareProgram(this.program, loader, { kernel, invariants });
    if (typeof prepared === 'string') {
      if (this.mayBeRefused) return false;
      this.disagreements.push({
        between: 'verifier',
        message: `a program made to be accepted is refused: ${prepared}`,
      });
      return false;
    }
    for (const [nth, rules] of this.options.rules.entries()) {
      await this.catchingErrors(async () => this.checkUnderRules(prepared, rules, nth === 0));
    }
    return true;
  }

  /** Programs are made for a loader with all capabilities, and for the built-in kernel: another may lack what they call. */
  private get mayBeRefused(): boolean {
    const { loader, kernel } = this.options;
    if (loader === 'strict' || this.options.given !== undefined) return true;
    const others = kernel !== undefined && differencesOf(kernel).length > 0;
    return others && typeof prepareProgram(this.program, 'privileged') !== 'string';
  }

  private askKernel(judge: (program: Program) => Judgement, accepted: boolean): Judgement {
    const kernel = judge(this.program);
    if (!kernel.accepted && kernel.judged && (accepted || !this.mayBeRefused)) {
      this.disagreements.push({
        between: 'kernel',
        message: `Linux refuses it: ${kernel.message ?? kernel.errno ?? ''}`,
      });
    }
    return kernel;
  }

  private async checkUnderRules(prepared: PreparedProgram, rules: NamedRules, first: boolean): Promise<void> {
    const path = pathOf(prepared, rules.rules);
    const before = this.suspects.size;
    for (let k = 0; k < this.options.worlds; k++) {
      const world = runEnvironment(this.program, this.options.seed, this.index, k);
      const onPatchedCall = (slot: number, stubbed: boolean): void =>
        this.diversity.patchedCall(prepared.code.contracts[slot]?.name ?? '', stubbed);
      const run = { ...runOptions(prepared, path), ...world, checkFacts: first, onPatchedCall };
      const result = killBeforeEveryInsn(prepared.code, run, (at, points, here) => {
        this.diversity.points(at, path, points, here);
        if (first) this.countPoints(prepared, at, points, here);
      });
      this.countKills(result, path.rules);
      this.diversity.runEnded(result.ordinary, first);
      const message = disagreementOf(result.ordinary);
      if (first && message !== undefined) this.disagreements.push({ between: 'run', message: message });
      // If the run breaks a check without a kill, the fast path is not at fault.
      if (message === undefined) this.addSuspects(prepared, rules, path, result.broken, k);
    }
    if (!this.options.prove) return;
    // No proof speaks of what people want of their maps.
    const broken = [...this.suspects.values()].slice(before).some(({ cause }) => cause.check !== 'invariant');
    const prover = this.options.prover ?? proveProgram;
    const proof = await prover(this.program, rules.rules, {
      profile: prepared.profile,
      verified: prepared.verdict,
      ...PROOF_EFFORT,
      // If a case was found already, a short search for another is enough.
      ...(broken ? { maxRuns: RUNS_AFTER_A_BREAK } : {}),
    });
    const verdict = broken && proof.verdict === 'unknown' ? 'refuted' : proof.verdict;
    const why = verdict === 'unknown' ? { reason: proof.reason } : {};
    this.proofs.push({ rules: rules.rules.name, verdict, ...why });
    this.compareProof(prepared, rules, path, proof, broken);
  }

  private countPoints(prepared: PreparedProgram, world: MachineState, points: number, here: boolean): void {
    const name = prepared.code.contracts[world.pc]?.name;
    if (here && name !== undefined) this.calls.add(name);
    const { holds } = world.ledger;
    for (const [i, { kind }] of holds.entries())
      if (holds.findIndex((hold) => hold.kind === kind) === i) this.held.add(kind, points);
    if (holds.length === 0) this.held.add('nothing', points);
  }

  private countKills(result: KillResults, rules: string): void {
    this.points += result.points;
    this.everywhere &&= result.everywhere;
    this.worst = Math.max(this.worst, result.worst);
    const own = result.broken.filter(({ violation }) => !violation.after);
    if (own.length === 0) return;
    const under = this.brokenUnder.get(rules) ?? new WordCounts();
    this.brokenUnder.set(rules, under);
    for (const { violation } of own) {
      this.broken.add(violation.check);
      under.add(violation.check);
    }
  }

  /**
   * Keeps what broke, once for each cause, if it replays from its text. What only follows from a check that broke before has no finding of its own: the
   * case of that check tells it.
   */
  private addSuspects(
    prepared: PreparedProgram,
    rules: NamedRules,
    path: DecidedPath,
    broken: readonly BrokenCheck[],
    world: number,
  ): void {
    const seen = new Set<string>();
    for (const one of broken) {
      // Hits with the same check, place and message have the same cause. Finding a cause takes many runs, so it is done once.
      const { check, message, function: named, after } = one.violation;
      if (after) continue;
      const signature = `${check} ${named ?? ''} ${message}`;
      if (seen.has(signature)) continue;
      seen.add(signature);
      const cause = causeOfBroken(prepared, path, one);
      const key = causeKey(cause);
      if (this.suspects.has(key)) continue;
      const text = printCase(caseOf(prepared, rules, one, [NOT_SHRUNK]));
      const { kernel, invariants } = this.options;
      const answer = replayed(parseCase(text), rules.rules, kernel, invariants);
      if (typeof answer !== 'string' && answer.ok) {
        this.suspects.set(key, { cause, world, text, insns: insnCount(this.program) });
      } else {
        const got = typeof answer === 'string' ? answer : answer.got;
        this.disagreements.push({
          between: 'replay',
          rules: rules.rules.name,
          message: `${key}: the case gives ${got}`,
        });
      }
    }
  }

  /** Compares the proof with what the VM saw. */
  private compareProof(
    prepared: PreparedProgram,
    rules: NamedRules,
    path: DecidedPath,
    proof: ProgramProof,
    broken: boolean,
  ): void {
    if (proof.verdict === 'proven' && broken)
      this.proofDisagrees(rules, 'proven, but killing it breaks a check');
    if (proof.verdict !== 'refuted') return;
    const { witness } = proof;
    const answer =
      witness === undefined ? 'there is none' : replayed(witness, rules.rules, this.options.kernel);
    if (typeof answer === 'string' || !answer.ok || witness?.expect?.kind !== 'breaks') {
      const got = typeof answer === 'string' ? answer : answer.got;
      this.proofDisagrees(rules, `refuted, but the witness does not replay: ${got}`);
      return;
    }
    if (broken) return;
    const all = answer.result.violations;
    for (const violation of all) {
      const one = { violation, all, step: answer.result.killedAt, env: answer.result.env };
      this.addSuspects(prepared, rules, path, [one], -1);
    }
  }

  private proofDisagrees(rules: NamedRules, message: string): void {
    this.disagreements.push({ between: 'proof', rules: rules.rules.name, message });
  }
}
