/** Whether some run takes a given path, such as a path of the verifier's visits, killed at a given insn; and in which environment. */
import type { Program } from '../../object/program.js';
import { type Code, prepare } from '../../vm/state/code.js';
import { EMPTY, type Environment } from '../../vm/state/environment.js';
import { openSolver } from '../solver.js';
import { Terms } from '../term/terms.js';
import { type ExploreOptions, openRunner } from './explore.js';
import { Inputs } from './inputs.js';
import { Search, whyIncomplete } from './search.js';
import type { Event, Trace } from './trace.js';

/** One insn of a path that is asked for. */
export interface GuideStep {
  readonly slot: number;
  /** Outcome of the call at this insn, where it matters. */
  readonly outcome?: string;
}

/** A path that a run is asked to take. */
export interface Guide {
  /** Insns in the order in which they are executed, from slot 0. */
  readonly path: readonly GuideStep[];
  /** Index in `path` of the insn before which the program is killed; absent: it is not. */
  readonly killAt?: number;
}

/** Whether a run can take the path. `unknown`: some of it cannot be written as terms, or the solver gave up. */
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
    const { env = EMPTY, maxPaths = 1_000 } = options;
    const trace = openRunner(code, inputs, options);
    const run = (given: Environment): Trace => trace(given, guide.killAt);
    const mayFlip = (trace: Trace, event: Event): boolean => isWorthFlipping(code, guide, trace, event);
    for (const { trace } of search.paths(run, env, { maxPaths, mayFlip })) {
      if (firstDeviation(guide, trace) === undefined) {
        return { verdict: 'feasible', env: inputs.environment(trace.values, trace.result.env), trace };
      }
    }
    return search.exact
      ? { verdict: 'infeasible' }
      : { verdict: 'unknown', gaps: whyIncomplete(search.stats) };
  } finally {
    solver.close();
  }
}

/** The first step at which a run is off the path; after a call with another outcome that is the step behind it. `undefined`: it takes the path. */
function firstDeviation(guide: Guide, trace: Trace): number | undefined {
  for (let step = 0; step < guide.path.length; step++) {
    const wanted = guide.path[step]!;
    if (trace.slots[step] !== wanted.slot) return step;
    const outcome = trace.outcomes.get(step);
    if (wanted.outcome !== undefined && outcome !== undefined && outcome !== wanted.outcome) return step + 1;
  }
  return undefined;
}

/** Flipping an event helps only before the run is off the path, and not where a jump already goes the right way. */
function isWorthFlipping(code: Code, guide: Guide, trace: Trace, event: Event): boolean {
  const off = firstDeviation(guide, trace);
  if (off === undefined || event.step >= off) return false;
  if (event.step === off - 1 || event.kind === 'concretization') return true;
  if (guide.path[event.step]?.outcome !== undefined) return false;
  return code.ops[event.slot]?.kind === 'call';
}
