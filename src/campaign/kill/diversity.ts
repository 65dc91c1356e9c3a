/** Counts what the runs of one program exercised, beyond how often each function was called; see `src/vm/diversity.ts` for the words. */
import type { FastPath } from '../../patch/rule.js';
import { cellOf, outcomesOf, pairsOf, pointOf } from '../../vm/diversity.js';
import type { MachineState } from '../../vm/state/machine.js';
import type { RunResult } from '../../vm/vm.js';

/** How often each thing was met, by its words. */
export interface Diversity {
  /**
   * Termination points by cell: function, action, what is held, depth, where. Points at no call are counted where the next call is, or the end of a
   * callback: a kill at any of them leaves the same run.
   */
  readonly cells: Readonly<Record<string, number>>;
  /** Runs (one for each world and rule set) in which a stub of the function really ran after one of the kills, by function. */
  readonly stubs: Readonly<Record<string, number>>;
  /** The same for calls that were kept. */
  readonly kept: Readonly<Record<string, number>>;
  /** Outcomes that calls of ordinary runs had where there was a choice, as `function outcome`. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** Termination points by each pair of kinds that is held together there, as `kind+kind`. */
  readonly pairs: Readonly<Record<string, number>>;
}

/** What `Diversity` counts, by the names of its fields. */
export const DIVERSITY = ['cells', 'stubs', 'kept', 'outcomes', 'pairs'] as const;

/** Diversity of which nothing was met yet, to be added to. */
export function noDiversity(): { readonly [K in keyof Diversity]: Record<string, number> } {
  return { cells: {}, stubs: {}, kept: {}, outcomes: {}, pairs: {} };
}

/** Sums up, word by word: what `from` has counted comes on top of what `into` has. */
export function addCounts(into: Record<string, number>, from: Readonly<Record<string, number>>): void {
  for (const [word, count] of Object.entries(from)) into[word] = (into[word] ?? 0) + count;
}

/** The same counts, sorted by their words. */
export function sorted(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** How often each word was met. */
export class WordCounts {
  private readonly counts = new Map<string, number>();

  add(word: string, times = 1): void {
    this.counts.set(word, (this.counts.get(word) ?? 0) + times);
  }

  get all(): Record<string, number> {
    // Without a prototype an object is a table from the start. With one, V8 makes a type for each list of words.
    const all: Record<string, number> = Object.create(null);
    for (const [word, count] of this.counts) all[word] = count;
    return all;
  }
}

/** The counts of one program while it is checked. */
export class DiversityCounts {
  private readonly counts = {
    cells: new WordCounts(),
    stubs: new WordCounts(),
    kept: new WordCounts(),
    outcomes: new WordCounts(),
    pairs: new WordCounts(),
  };
  /** Functions whose call sites ran after a kill of the run that goes on. */
  private readonly ran = { stubs: new Set<string>(), kept: new Set<string>() };

  /** Termination points of a run with this fast path, several at a time, as `KillPlan.watch` tells of them. */
  points(machine: MachineState, path: Pick<FastPath, 'stubs'>, points: number, here: boolean): void {
    const point = pointOf(machine, path);
    const atCall = here && point.function !== undefined;
    const before = points - Number(atCall);
    if (atCall) {
      this.counts.cells.add(cellOf(point));
      // The copy that is killed here runs it, though it may be run for a class of points that ends further on.
      this.patchedCall(point.function ?? '', point.action === 'stub');
    }
    if (before > 0)
      this.counts.cells.add(cellOf({ ...point, function: undefined, action: undefined }), before);
    for (const pair of pairsOf(machine.ledger.holds)) this.counts.pairs.add(pair, points);
  }

  /** A call site of this function that was run after a kill. */
  patchedCall(name: string, stubbed: boolean): void {
    this.ran[stubbed ? 'stubs' : 'kept'].add(name);
  }

  /** The run of which the points and calls were, and which was not killed itself, has ended. `outcomes`: count those too. */
  runEnded(result: RunResult, outcomes: boolean): void {
    for (const kind of ['stubs', 'kept'] as const) {
      for (const name of this.ran[kind]) this.counts[kind].add(name);
      this.ran[kind].clear();
    }
    if (outcomes) for (const outcome of outcomesOf(result)) this.counts.outcomes.add(outcome);
  }

  get all(): Diversity {
    const { cells, stubs, kept, outcomes, pairs } = this.counts;
    return {
      cells: cells.all,
      stubs: stubs.all,
      kept: kept.all,
      outcomes: outcomes.all,
      pairs: pairs.all,
    };
  }
}

/** How many different things were met, in all and of each kind. */
export interface DiversitySize {
  readonly features: number;
  readonly cells: number;
  readonly stubs: number;
  readonly kept: number;
  readonly outcomes: number;
  readonly pairs: number;
}

/** Counts the different words of each kind. */
export function sizeOfDiversity(diversity: Diversity): DiversitySize {
  const of = (kind: keyof Diversity): number => Object.keys(diversity[kind]).length;
  const sizes = {
    cells: of('cells'),
    stubs: of('stubs'),
    kept: of('kept'),
    outcomes: of('outcomes'),
    pairs: of('pairs'),
  };
  return { features: Object.values(sizes).reduce((a, b) => a + b, 0), ...sizes };
}

/** Termination points in a table: rows by what is held, columns by action, depth and where. */
export function matrixOf({ cells }: Pick<Diversity, 'cells'>): Record<string, Record<string, number>> {
  const matrix: Record<string, Record<string, number>> = {};
  for (const [cell, count] of Object.entries(cells)) {
    const words = cell.split(', ');
    const [held, depth, where] = words.slice(-3);
    const action = words.at(-4);
    const row = matrix[held ?? ''] ?? {};
    addCounts(row, { [`${action}, ${depth}, ${where}`]: count });
    matrix[held ?? ''] = row;
  }
  return Object.fromEntries(
    Object.entries(matrix)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([held, row]) => [held, sorted(row)]),
  );
}
