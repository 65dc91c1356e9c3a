/**
 * Symbolic exploration of a killed program: every path to the kill, every path from there to the exit, as far as budgets reach. A
 * violation comes with the environment and the step that show it in the VM; nothing else is ever called one.
 */
import type { Program } from '../../object/program.js';
import type { FastPath } from '../../patch/rule.js';
import type { Facts } from '../../verifier/result.js';
import { type Code, prepare } from '../../vm/code.js';
import { EMPTY, type Environment } from '../../vm/environment.js';
import type { KillViolation } from '../../vm/kill.js';
import { openSolver, type Solver, type SolverStats } from '../solver.js';
import { Terms } from '../term/terms.js';
import { Inputs } from './inputs.js';
import { runSymbolically } from './run.js';
import { Search, type SearchStats } from './search.js';
import type { Event, Trace } from './trace.js';

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
  /** Bound of one question to Z3; 1,000,000 unless told. */
  readonly rlimit?: number;
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

export interface Exploration {
  /** `safe`: every path was walked and none breaks a check. `unknown`: none was found, but paths may be missing. */
  readonly verdict: 'safe' | 'violated' | 'unknown';
  readonly findings: readonly Counterexample[];
  /** Why paths may be missing; empty for `safe`. */
  readonly gaps: readonly string[];
  /** Most insns from a kill to the exit that were seen. */
  readonly worstSteps: number;
  readonly stats: SearchStats;
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

class Explorer {
  private readonly inputs: Inputs;
  private readonly search: Search;
  private readonly findings: Counterexample[] = [];
  private readonly seen = new Set<string>();
  private worst = 0;

  constructor(
    private readonly code: Code,
    terms: Terms,
    private readonly solver: Solver,
    private readonly options: ExploreOptions,
  ) {
    this.inputs = new Inputs(terms, code.program);
    this.search = new Search(solver, this.inputs);
  }

  private get left(): number {
    return (this.options.maxPaths ?? 1_000) - this.search.stats.paths;
  }

  private get full(): boolean {
    return this.findings.length >= (this.options.maxFindings ?? 1);
  }

  private trace(env: Environment, killStep?: number): Trace {
    const { fastPath, facts, strict, maxSteps = 20_000 } = this.options;
    return runSymbolically(this.code, this.inputs, env, {
      maxSteps,
      ...(killStep === undefined ? {} : { killAt: (step) => step === killStep }),
      ...(fastPath === undefined ? {} : { fastPath }),
      ...(facts === undefined ? {} : { facts }),
      ...(strict === undefined ? {} : { strict }),
    });
  }

  run(): Exploration {
    const { kill = 'any', env = EMPTY } = this.options;
    const unkilled = this.search.paths((given) => this.trace(given), env, { maxPaths: this.left });
    for (const { trace, env: given, forked } of unkilled) {
      if (kill === 'none') this.note(trace, undefined);
      else this.killAlong(trace, given, forked, kill);
      if (this.full || this.left <= 0) break;
    }
    if (this.left <= 0) this.search.stats.cut = true;
    return this.report();
  }

  /** Kills a run at every step that its parent's path did not share. */
  private killAlong(trace: Trace, env: Environment, forked: number, kill: number | 'any'): void {
    // What was chosen on the way stays chosen.
    const settled = this.inputs.environment(trace.values, { ...env, choices: trace.result.env.choices });
    for (let step = forked + 1; step < trace.slots.length; step++) {
      if (kill !== 'any' && trace.slots[step] !== kill) continue;
      if (this.left <= 0) return;
      const killed = this.search.paths((given) => this.trace(given, step), settled, {
        firstStep: step,
        maxPaths: this.left,
      });
      for (const found of killed) {
        this.worst = Math.max(this.worst, found.trace.result.steps - step);
        this.note(found.trace, step);
        if (this.full) return;
      }
    }
  }

  private note(trace: Trace, killStep: number | undefined): void {
    for (const violation of trace.violations) {
      const key = `${violation.check} ${violation.function ?? ''} ${violation.slot} ${violation.from}`;
      if (this.seen.has(key) || this.full) continue;
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
    const gaps = [...stats.gaps];
    if (stats.cut) gaps.push('the budget of paths is spent');
    if (stats.unknown > 0) gaps.push(`the solver gave up ${stats.unknown} times`);
    if (stats.diverged > 0) gaps.push(`${stats.diverged} runs did not go as predicted`);
    return {
      verdict: this.findings.length > 0 ? 'violated' : exact ? 'safe' : 'unknown',
      findings: this.findings,
      gaps,
      worstSteps: this.worst,
      stats,
      solver: this.solver.stats,
    };
  }
}

/** One insn of a path that is asked for. */
export interface GuideStep {
  readonly slot: number;
  /** Outcome of the call at this insn, where it matters. */
  readonly outcome?: string;
}

export interface Guide {
  /** Insns in the order in which they are executed, from slot 0. */
  readonly path: readonly GuideStep[];
  /** Index in `path` of the insn before which the program is killed; absent: it is not. */
  readonly killAt?: number;
}

export type Followed =
  /** A run takes the path; `trace` goes on to the program's end. */
  | { readonly verdict: 'feasible'; readonly env: Environment; readonly trace: Trace }
  /** No run does. */
  | { readonly verdict: 'infeasible' }
  | { readonly verdict: 'unknown'; readonly gaps: readonly string[] };

/** Whether some run takes a path, and in which environment. Options as for `explore`; `kill` does not apply. */
export async function follow(
  program: Program | Code,
  guide: Guide,
  options: ExploreOptions = {},
): Promise<Followed> {
  const code = 'contracts' in program ? program : prepare(program);
  const terms = new Terms();
  const solver = await openSolver(terms, options.rlimit === undefined ? {} : { rlimit: options.rlimit });
  try {
    const inputs = new Inputs(terms, code.program);
    const search = new Search(solver, inputs);
    const { fastPath, facts, strict, env = EMPTY, maxSteps = 20_000, maxPaths = 1_000 } = options;
    const run = (given: Environment): Trace =>
      runSymbolically(code, inputs, given, {
        maxSteps,
        ...(guide.killAt === undefined ? {} : { killAt: (step) => step === guide.killAt }),
        ...(fastPath === undefined ? {} : { fastPath }),
        ...(facts === undefined ? {} : { facts }),
        ...(strict === undefined ? {} : { strict }),
      });
    const worth = (trace: Trace, event: Event): boolean => mayHelp(code, guide, trace, event);
    for (const { trace } of search.paths(run, env, { maxPaths, worth })) {
      if (departure(guide, trace) === undefined) {
        return { verdict: 'feasible', env: inputs.environment(trace.values, trace.result.env), trace };
      }
    }
    const { gaps, diverged, unknown, cut } = search.stats;
    if (search.exact) return { verdict: 'infeasible' };
    const why = [...gaps];
    if (diverged > 0) why.push(`${diverged} runs did not go as predicted`);
    if (unknown > 0) why.push(`the solver gave up ${unknown} times`);
    if (cut) why.push('the budget of paths is spent');
    return { verdict: 'unknown', gaps: why };
  } finally {
    solver.close();
  }
}

/** The step at which a run is off the path, if it is: the first insn that is another, or the call whose outcome is. */
function departure(guide: Guide, trace: Trace): number | undefined {
  for (let step = 0; step < guide.path.length; step++) {
    const wanted = guide.path[step]!;
    if (trace.slots[step] !== wanted.slot) return step;
    const outcome = trace.outcomes.get(step);
    if (wanted.outcome !== undefined && outcome !== undefined && outcome !== wanted.outcome) return step + 1;
  }
  return undefined;
}

/** Changing a point helps only before the run is off the path, and not where a jump goes the right way already. */
function mayHelp(code: Code, guide: Guide, trace: Trace, event: Event): boolean {
  const off = departure(guide, trace);
  if (off === undefined || event.step >= off) return false;
  if (event.step === off - 1) return true;
  if (guide.path[event.step]?.outcome !== undefined) return false;
  return code.ops[event.slot]?.kind === 'call';
}
