/**
 * The search for all paths (generational search, as in SAGE). After each run, every event on it is flipped: the solver is asked for an
 * environment in which the run is the same up to there and then goes the other way. A child flips only events behind its own, so no path
 * is walked twice, and a finite tree is walked completely.
 */
import type { Environment } from '../../vm/state/environment.js';
import type { Solver } from '../solver.js';
import type { Term } from '../term/term.js';
import type { Inputs } from './inputs.js';
import type { Event, Selection, Trace } from './trace.js';

/** One path that was run. */
export interface Found {
  readonly trace: Trace;
  /** The environment that the run was given. */
  readonly env: Environment;
  /** Step of the event that was flipped to get this path; -1 for the first run. */
  readonly forked: number;
}

/** Why a search may have missed paths. */
export interface SearchStats {
  paths: number;
  /** Runs that did not take the path they were made for. */
  diverged: number;
  /** Questions that the solver gave up on. */
  unknown: number;
  /** The budget was spent with points left to change. */
  cut: boolean;
  readonly gaps: Set<string>;
}

/** How many paths to run, and where they may part from each other. */
export interface SearchOptions {
  /** Events before this step are not flipped. */
  readonly firstStep?: number;
  /** Runs at the most. */
  readonly maxPaths: number;
  /** Asked before each run but the first: whether there is effort left for it. */
  readonly mayGoOn?: () => boolean;
  /** Asked before each question: false leaves it open. */
  readonly mayAsk?: () => boolean;
  /** Which events of a trace may be flipped; all unless told. */
  readonly mayFlip?: (trace: Trace, event: Event) => boolean;
}

/** Values of one concretized term that are tried. If there are more, that is a gap. */
const MAX_VALUES = 8;

interface Job {
  readonly env: Environment;
  /** Events below this index are not flipped again. */
  readonly bound: number;
  readonly expected: readonly Event[];
  readonly flipped: Event | undefined;
  /** For a concretized term: it has none of the values tried so far. */
  readonly excluded: readonly Term[];
}

/** One search over the paths of a program. `stats` tell how far it came; `exact` tells whether it saw every path. */
export class Search {
  readonly stats: SearchStats = { paths: 0, diverged: 0, unknown: 0, cut: false, gaps: new Set() };

  constructor(
    private readonly solver: Solver,
    private readonly inputs: Inputs,
  ) {}

  /** No path was missed: a violation that was not found does not exist. */
  get exact(): boolean {
    const { diverged, unknown, cut, gaps } = this.stats;
    return diverged === 0 && unknown === 0 && !cut && gaps.size === 0;
  }

  /** Runs `run` in `env` and in every environment that leads it elsewhere, the latest points changed first. */
  *paths(run: (env: Environment) => Trace, env: Environment, options: SearchOptions): Generator<Found> {
    const jobs: Job[] = [{ env, bound: 0, expected: [], flipped: undefined, excluded: [] }];
    // Other values of concretized terms come last: there may be many, and branches find more.
    const later: Job[] = [];
    let runs = 0;
    for (let job = jobs.pop(); job !== undefined; job = jobs.pop() ?? later.pop()) {
      if (runs >= options.maxPaths || (runs > 0 && options.mayGoOn?.() === false)) {
        this.stats.cut = true;
        return;
      }
      runs += 1;
      this.stats.paths += 1;
      const trace = run(job.env);
      for (const gap of trace.gaps) this.stats.gaps.add(gap);
      if (!wentAsPlanned(trace, job)) {
        this.stats.diverged += 1;
        // The path is worth reporting, but its children would repeat other paths.
        yield { trace, env: job.env, forked: job.flipped?.step ?? -1 };
        continue;
      }
      yield { trace, env: job.env, forked: job.flipped?.step ?? -1 };
      this.children(trace, job, options, jobs, later);
    }
  }

  private children(trace: Trace, job: Job, options: SearchOptions, jobs: Job[], later: Job[]): void {
    const { firstStep = 0, mayFlip = () => true } = options;
    trace.events.forEach((event, index) => {
      if (index < job.bound || event.step < firstStep || !mayFlip(trace, event)) return;
      if (event.kind === 'branch') jobs.push(...this.flip(trace, index, event.holds, [], options));
      if (event.kind === 'choice') jobs.push(...this.otherChoices(trace, index, event));
      if (event.kind === 'concretization') {
        const excluded = index === job.bound ? job.excluded : [];
        if (excluded.length < MAX_VALUES)
          later.push(...this.flip(trace, index, event.holds, excluded, options));
        else this.stats.gaps.add('not every value of an address, a size or a key was tried');
      }
    });
  }

  /** A job in which this event goes the other way; none if there is no such run. `excluded`: for a concretized term, not the values tried before. */
  private flip(
    trace: Trace,
    index: number,
    holds: Term,
    excluded: readonly Term[],
    { mayAsk }: SearchOptions,
  ): readonly Job[] {
    if (mayAsk?.() === false) {
      this.stats.cut = true;
      return [];
    }
    const { t } = this.inputs;
    const before = trace.events.slice(0, index);
    const prefix = before.flatMap((event) => (event.kind === 'choice' ? [] : [event.holds]));
    const other = [...excluded, t.not(holds)];
    const answer = this.solver.check([...prefix, ...other]);
    if (answer.verdict === 'unknown') this.stats.unknown += 1;
    if (answer.verdict !== 'sat') return [];
    const values = new Map([...trace.values, ...answer.model]);
    const env = this.inputs.environment(values, trace.result.env);
    const flipped = trace.events[index]!;
    // A concretized term may be changed again, to yet another value.
    const bound = flipped.kind === 'concretization' ? index : index + 1;
    return [
      { env, bound, expected: before, flipped, excluded: flipped.kind === 'concretization' ? other : [] },
    ];
  }

  private otherChoices(trace: Trace, index: number, event: Selection): readonly Job[] {
    const given = this.inputs.environment(trace.values, trace.result.env);
    return event.others.map((other) => ({
      env: { ...given, choices: new Map(given.choices).set(event.call, other) },
      bound: index + 1,
      expected: trace.events.slice(0, index),
      flipped: { ...event, chosen: other, others: [event.chosen] },
      excluded: [],
    }));
  }
}

/** Why paths may be missing, in words; empty when none is. */
export function whyIncomplete(stats: SearchStats): readonly string[] {
  const { gaps, cut, unknown, diverged } = stats;
  return [
    ...gaps,
    ...(cut ? ['the budget of paths is spent'] : []),
    ...(unknown > 0 ? [`the solver gave up ${unknown} times`] : []),
    ...(diverged > 0 ? [`${diverged} runs did not go as predicted`] : []),
  ];
}

/** The run took the path that it was made for: the same events up to the flipped one, and there the other way. */
function wentAsPlanned(trace: Trace, job: Job): boolean {
  const { expected, flipped } = job;
  if (flipped === undefined) return true;
  for (let i = 0; i < expected.length; i++) {
    if (!same(expected[i]!, trace.events[i])) return false;
  }
  const turned = trace.events[expected.length];
  if (turned === undefined || turned.kind !== flipped.kind || turned.step !== flipped.step) return false;
  if (turned.kind === 'choice' && flipped.kind === 'choice') return turned.chosen === flipped.chosen;
  return !same(flipped, turned);
}

function same(a: Event, b: Event | undefined): boolean {
  if (b === undefined || a.kind !== b.kind || a.step !== b.step || a.slot !== b.slot) return false;
  if (a.kind === 'choice' || b.kind === 'choice') {
    return a.kind === 'choice' && b.kind === 'choice' && a.call === b.call && a.chosen === b.chosen;
  }
  return a.holds === b.holds;
}
