/**
 * One program of a campaign, checked by every witness there is: our verifier, the VM killed at every point, the program proof and, if
 * asked, the kernel. What they say is put side by side here; what counts as a finding and what as a disagreement is decided here.
 */
import { sample } from '../../generators/sample.js';
import type { Program } from '../object/program.js';
import type { Judgement } from '../oracle/bulk.js';
import { type ProgramProof, proveProgram } from '../smt/program-proof.js';
import { parseCase } from '../vm/case.js';
import type { MachineState } from '../vm/machine.js';
import { printCase } from '../vm/print-case.js';
import { type Cause, causeKey } from './cause.js';
import { runEnvironment } from './environments.js';
import { type Broken, disagreementOf, type KillResults, killBeforeEveryInsn } from './kill-everywhere.js';
import {
  caseOf,
  causeOfBroken,
  type PreparedProgram,
  pathOf,
  prepareProgram,
  replayed,
  runOptions,
} from './prepared-program.js';
import type { NamedRules } from './rules.js';
import { written } from './shrink/measure.js';

export interface CheckOptions {
  readonly seed: number;
  readonly rules: readonly NamedRules[];
  /** Worlds that each program is run in, at least 1. */
  readonly worlds: number;
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

/** Two witnesses that contradict each other: a defect of swansong's own, never a finding. */
export interface WitnessDisagreement {
  readonly between: 'verifier' | 'run' | 'proof' | 'replay' | 'kernel' | 'itself';
  readonly rules?: string;
  readonly message: string;
}

/** What is said of one program. Plain data, so that threads can hand it on. */
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
  readonly proofs: readonly { readonly rules: string; readonly verdict: ProgramProof['verdict'] }[];
  /** Broken checks of killed runs by name of the check. */
  readonly broken: Readonly<Record<string, number>>;
  /** One for each cause. */
  readonly suspects: readonly Suspect[];
  readonly troubles: readonly WitnessDisagreement[];
  readonly kernel?: Judgement;
  /** Calls of ordinary runs, by function. */
  readonly calls: Readonly<Record<string, number>>;
  /** Termination points by what is held there, each kind counted once a point. */
  readonly held: Readonly<Record<string, number>>;
}

/** Checks program `index` of the campaign. */
export async function checkProgram(index: number, options: CheckOptions): Promise<ProgramReport> {
  return checkOne(sample(options.seed, index).program, index, options);
}

/** Checks a program that stands for number `index` of the campaign; it must be one that our verifier should accept. */
export function checkOne(program: Program, index: number, options: CheckOptions): Promise<ProgramReport> {
  return new Checking(program, index, options).report();
}

/** Runs of a proof's own search for a counterexample where the VM has found one before. */
const FEW_RUNS = 20;

/** The work on one program; a class for what its parts gather together. */
class Checking {
  private readonly suspects = new Map<string, Suspect>();
  private readonly troubles: WitnessDisagreement[] = [];
  private readonly proofs: { rules: string; verdict: ProgramProof['verdict'] }[] = [];
  private readonly broken = new Counts();
  private readonly calls = new Counts();
  private readonly held = new Counts();
  private points = 0;
  private everywhere = true;
  private worst = 0;

  constructor(
    private readonly program: Program,
    private readonly index: number,
    private readonly options: CheckOptions,
  ) {}

  async report(): Promise<ProgramReport> {
    const accepted = await this.guarded(() => this.check());
    const { judge } = this.options;
    const kernel = judge && this.judged(judge);
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
      suspects: [...this.suspects.values()],
      troubles: this.troubles,
      ...(kernel ? { kernel } : {}),
      calls: this.calls.all,
      held: this.held.all,
    };
  }

  /** A defect that shows as an exception is a disagreement of swansong with itself, and the campaign goes on. */
  private async guarded<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.troubles.push({ between: 'itself', message });
      return undefined;
    }
  }

  private async check(): Promise<boolean> {
    const made = prepareProgram(this.program, 'privileged');
    if (typeof made === 'string') {
      this.troubles.push({
        between: 'verifier',
        message: `a program made to be accepted is refused: ${made}`,
      });
      return false;
    }
    for (const [nth, rules] of this.options.rules.entries()) {
      await this.guarded(async () => this.underRules(made, rules, nth === 0));
    }
    return true;
  }

  private judged(judge: (program: Program) => Judgement): Judgement {
    const kernel = judge(this.program);
    if (!kernel.accepted && kernel.judged) {
      this.troubles.push({
        between: 'kernel',
        message: `Linux refuses it: ${kernel.message ?? kernel.errno ?? ''}`,
      });
    }
    return kernel;
  }

  private async underRules(made: PreparedProgram, rules: NamedRules, first: boolean): Promise<void> {
    const path = pathOf(made, rules.rules);
    const before = this.suspects.size;
    for (let k = 0; k < this.options.worlds; k++) {
      const world = runEnvironment(this.program, this.options.seed, this.index, k);
      const run = { ...runOptions(made, path), ...world, checkFacts: first };
      const result = killBeforeEveryInsn(made.code, run, first ? (at) => this.watch(made, at) : undefined);
      this.count(result);
      const trouble = disagreementOf(result.ordinary);
      if (first && trouble !== undefined) this.troubles.push({ between: 'run', message: trouble });
      // What an unkilled run breaks is no work of the fast path.
      if (trouble === undefined) this.suspect(made, rules, result.broken, k);
    }
    if (!this.options.prove) return;
    const broken = this.suspects.size > before;
    const prover = this.options.prover ?? proveProgram;
    const proof = await prover(this.program, rules.rules, {
      verified: made.verdict,
      // Where a case is at hand there is no need to look far for another.
      ...(broken ? { maxRuns: FEW_RUNS } : {}),
    });
    const verdict = broken && proof.verdict === 'unknown' ? 'refuted' : proof.verdict;
    this.proofs.push({ rules: rules.name, verdict });
    this.compare(made, rules, proof, broken);
  }

  private watch(made: PreparedProgram, world: MachineState): void {
    const name = made.code.contracts[world.pc]?.name;
    if (name !== undefined) this.calls.add(name);
    const kinds = new Set(world.ledger.holds.map((hold) => hold.kind));
    for (const kind of kinds) this.held.add(kind);
    if (kinds.size === 0) this.held.add('nothing');
  }

  private count(result: KillResults): void {
    this.points += result.points;
    this.everywhere &&= result.everywhere;
    this.worst = Math.max(this.worst, result.worst);
    for (const { violation } of result.broken) this.broken.add(violation.check);
  }

  /** Keeps what broke, once for each cause, if it replays from its text. */
  private suspect(made: PreparedProgram, rules: NamedRules, broken: readonly Broken[], world: number): void {
    const path = pathOf(made, rules.rules);
    const seen = new Set<string>();
    for (const one of broken) {
      // Hits that look alike from outside have one cause; finding it takes many runs.
      const { check, message, function: named } = one.violation;
      const look = `${check} ${named ?? ''} ${message}`;
      if (seen.has(look)) continue;
      seen.add(look);
      const cause = causeOfBroken(made, path, one);
      const key = causeKey(cause);
      if (this.suspects.has(key)) continue;
      const text = printCase(caseOf(made, rules, one, [`${check}: ${message}`]));
      const answer = replayed(parseCase(text), rules.rules);
      if (typeof answer !== 'string' && answer.ok) {
        this.suspects.set(key, { cause, world, text, insns: written(this.program) });
      } else {
        const got = typeof answer === 'string' ? answer : answer.got;
        this.troubles.push({
          between: 'replay',
          rules: rules.name,
          message: `${key}: the case gives ${got}`,
        });
      }
    }
  }

  /** The proof against what the VM saw. */
  private compare(made: PreparedProgram, rules: NamedRules, proof: ProgramProof, broken: boolean): void {
    if (proof.verdict === 'proven' && broken) this.disagree(rules, 'proven, but killing it breaks a check');
    if (proof.verdict !== 'refuted') return;
    const { witness } = proof;
    const answer = witness === undefined ? 'there is none' : replayed(witness, rules.rules);
    if (typeof answer === 'string' || !answer.ok || witness?.expect?.kind !== 'breaks') {
      const got = typeof answer === 'string' ? answer : answer.got;
      this.disagree(rules, `refuted, but the witness does not replay: ${got}`);
      return;
    }
    if (broken) return;
    for (const violation of answer.result.violations) {
      const one = { violation, step: answer.result.killedAt, env: answer.result.env };
      this.suspect(made, rules, [one], -1);
    }
  }

  private disagree(rules: NamedRules, message: string): void {
    this.troubles.push({ between: 'proof', rules: rules.name, message });
  }
}

/** How often each word was met. */
class Counts {
  private readonly counts = new Map<string, number>();

  add(word: string): void {
    this.counts.set(word, (this.counts.get(word) ?? 0) + 1);
  }

  get all(): Record<string, number> {
    return Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
