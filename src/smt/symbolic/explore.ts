/**
 * Symbolic exploration of a killed program: every path to the kill and every path from there to the exit, within the budgets. Each
 * violation comes with the environment and the step of the kill that show it in the VM.
 */
import type { Program } from '../../object/program.js';
import type { FastPath } from '../../patch/rule.js';
import type { Facts } from '../../verifier/result.js';
import type { KillViolation } from '../../vm/kill.js';
import { type Code, prepare } from '../../vm/state/code.js';
import { EMPTY, type Environment } from '../../vm/state/environment.js';
import { openSolver, type Solver, type SolverStats } from '../solver.js';
import { Terms } from '../term/terms.js';
import { Inputs } from './inputs.js';
import { runSymbolically } from './run.js';
import { Search, type SearchStats, whyIncomplete } from './search.js';
import type { Trace } from './trace.js';

/** Where to kill, and how much of the program to explore. */
export interface ExploreOptions {
  /** What happens at call sites after the kill; every call is kept unless told. */
  readonly fastPath?: FastPath;
  /** Where to kill: before the insn at this slot (each time it is reached), before any insn, or not at all. `any` unless told. */
  readonly kill?: number | 'any' | 'none';
  readonly facts?: Facts;
  readonly strict?: boolean;
  /** What the search starts from; bytes and choices that it does not name are free all the same. */
  readonly env?: Environment;
  /** Runs at the most, killed and unkilled together; 1,000 unless told. */
  readonly maxPaths?: number;
  /** Insns of one run at the most; 20,000 unless told. */
  readonly maxSteps?: number;
  /** Insns of all runs together, after which the search stops; 20,000,000 unless told. A run that was begun is finished. */
  readonly maxInsns?: number;
  /** Bound of one question to Z3; 1,000,000 unless told. */
  readonly rlimit?: number;
  /** Questions that Z3 may leave open at that bound, after which the search stops; any number unless told. */
  readonly maxUnanswered?: number;
  /** Stop at this many different violations; 1 unless told. */
  readonly maxFindings?: number;
}

/** A violation and all that replays it. */
export interface Counterexample {
  readonly violation: KillViolation;
  readonly env: Environment;
  /** Steps before the kill; `undefined` for a run that was not killed. */
  readonly killStep: number | undefined;
}

/** What the exploration saw, and whether it saw everything. */
export interface Exploration {
  /** `safe`: every path was walked and none breaks a check. `unknown`: none was found, but paths may be missing. */
  readonly verdict: 'safe' | 'violated' | 'unknown';
  readonly findings: readonly Counterexample[];
  /** Why paths may be missing; empty for `safe`. */
  readonly gaps: readonly string[];
  /** Most insns from a kill to the exit that were seen. */
  readonly worstSteps: number;
  readonly stats: SearchStats;
  /** Insns of all runs together. */
  readonly insns: number;
  readonly solver: SolverStats;
}

/** Explores a program. Throws InputError for an undefined encoding or a function that is not modelled. */
export async function explore(program: Program | Code, options: ExploreOptions = {}): Promise<Exploration> {
  const code = 'contracts' in program ? program : prepare(program);
  const terms = new Terms();
  const { rlimit } = options;
  const solver = await openSolver(terms, rlimit === undefined ? {} : { rlimit });
  try {
    return new Explorer(code, terms, solver, options).run();
  } finally {
    solver.close();
  }
}

/** Runs in an environment; killed before the insn at this step, if one is given. */
export type Runner = (env: Environment, killStep?: number) => Trace;

/** Runs of a program under these options. */
export function openRunner(code: Code, inputs: Inputs, options: ExploreOptions): Runner {
  const { fastPath, facts, strict, maxSteps = 20_000 } = options;
  return (env, killStep) =>
    runSymbolically(code, inputs, env, {
      maxSteps,
      ...(killStep === undefined ? {} : { killAt: (step) => step === killStep }),
      ...(fastPath === undefined ? {} : { fastPath }),
      ...(facts === undefined ? {} : { facts }),
      ...(strict === undefined ? {} : { strict }),
    });
}

class Explorer {
  private readonly inputs: Inputs;
  private readonly runOnce: Runner;
  private insns = 0;
  private readonly search: Search;
  private readonly findings: Counterexample[] = [];
  private readonly seen = new Set<string>();
  private longestDeath = 0;

  constructor(
    code: Code,
    terms: Terms,
    private readonly solver: Solver,
    private readonly options: ExploreOptions,
  ) {
    this.inputs = new Inputs(terms, code.program);
    this.search = new Search(solver, this.inputs);
    const run = openRunner(code, this.inputs, options);
    this.runOnce = (env, killStep) => {
      const trace = run(env, killStep);
      this.insns += trace.slots.length;
      return trace;
    };
  }

  private readonly mayAsk = (): boolean =>
    this.solver.stats.unknown < (this.options.maxUnanswered ?? Number.POSITIVE_INFINITY);

  private readonly mayGoOn = (): boolean =>
    this.insns < (this.options.maxInsns ?? 20_000_000) && this.mayAsk();

  private get pathsLeft(): number {
    return (this.options.maxPaths ?? 1_000) - this.search.stats.paths;
  }

  private get hasAllFindings(): boolean {
    return this.findings.length >= (this.options.maxFindings ?? 1);
  }

  run(): Exploration {
    const { kill = 'any', env = EMPTY } = this.options;
    const unkilled = this.search.paths((given) => this.runOnce(given), env, {
      maxPaths: this.pathsLeft,
      mayGoOn: this.mayGoOn,
      mayAsk: this.mayAsk,
    });
    for (const { trace, env: given, forked } of unkilled) {
      if (kill === 'none') this.recordViolations(trace, undefined);
      else this.killAlong(trace, given, forked, kill);
      if (this.hasAllFindings || this.pathsLeft <= 0 || !this.mayGoOn()) break;
    }
    if (this.pathsLeft <= 0 || !this.mayGoOn()) this.search.stats.cut = true;
    return this.report();
  }

  /** Kills a run at every step behind the event that was flipped: the steps before were killed with the parent. */
  private killAlong(trace: Trace, env: Environment, forked: number, kill: number | 'any'): void {
    // Choices that the run made on the way stay the same.
    const settled = this.inputs.environment(trace.values, { ...env, choices: trace.result.env.choices });
    for (let step = forked + 1; step < trace.slots.length; step++) {
      if (kill !== 'any' && trace.slots[step] !== kill) continue;
      if (this.pathsLeft <= 0 || !this.mayGoOn()) return;
      const killed = this.search.paths((given) => this.runOnce(given, step), settled, {
        firstStep: step,
        maxPaths: this.pathsLeft,
        mayGoOn: this.mayGoOn,
        mayAsk: this.mayAsk,
      });
      for (const found of killed) {
        this.longestDeath = Math.max(this.longestDeath, found.trace.result.steps - step);
        this.recordViolations(found.trace, step);
        if (this.hasAllFindings) return;
      }
    }
  }

  private recordViolations(trace: Trace, killStep: number | undefined): void {
    for (const violation of trace.violations) {
      const key = `${violation.check} ${violation.function ?? ''} ${violation.slot} ${violation.from}`;
      if (this.seen.has(key) || this.hasAllFindings) continue;
      this.seen.add(key);
      this.findings.push({
        violation,
        killStep,
        env: this.inputs.environment(trace.values, trace.result.env),
      });
    }
  }

  private report(): Exploration {
    const { stats, exact } = this.search;
    return {
      verdict: this.findings.length > 0 ? 'violated' : exact ? 'safe' : 'unknown',
      findings: this.findings,
      gaps: whyIncomplete(stats),
      worstSteps: this.longestDeath,
      stats,
      insns: this.insns,
      solver: this.solver.stats,
    };
  }
}
