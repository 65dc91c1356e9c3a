/**
 * How far a program runs between polls: the most insns from any place to the next poll or the exit, over all paths of the verifier's walk.
 * Called functions and callbacks count, and loops whose rounds are known count round by round.
 */
import type { Program } from '../object/program.js';
import { Costs, longestPaths } from '../smt/bound.js';
import { type CostFrom, inAll, most, NOTHING } from '../smt/cost.js';
import { PatchedGraph } from '../smt/patched-graph.js';
import type { Accepted } from '../verifier/result.js';

/** Insns of a cost; a loop that is ended by time may take any number. */
export const insnsOf = (cost: CostFrom): number => {
  const { insns, ms } = inAll(cost);
  return ms > 0 ? Number.POSITIVE_INFINITY : insns;
};

/** The program as it runs before a kill, cut where it polls. Visits are numbers, as in the verifier's graph. */
export class Stretches extends PatchedGraph {
  private polled: (slot: number) => boolean = () => false;
  /** The most that is run from each visit to a poll or the exit; of the last `measure`. */
  private readonly from: Costs;
  /** All visits of the program. */
  readonly nodes: readonly number[];

  constructor(
    program: Program,
    private readonly verified: Accepted,
  ) {
    const { facts, code, kernel } = verified;
    // Nothing is patched: runs go the way that the verifier walked.
    const patched = { entries: new Map(), failures: [], facts, walked: 0 };
    super(program, code, facts, { rules: '', stubs: new Map() }, patched, kernel);
    this.from = new Costs(this.visits.size);
    const nodes: number[] = [];
    for (let slot = 0; slot < code.ops.length; slot++) nodes.push(...facts.nodes(slot));
    this.nodes = nodes;
  }

  /** The most insns from any place to the next poll or the exit, where the program polls before these slots. */
  measure(polled: (slot: number) => boolean): number {
    this.polled = polled;
    this.costOfCall = new Map();
    // The cost of a global function depends on those that it calls, and calls nest only as deep as there are functions.
    for (let round = 0; round <= this.globalEntries.size; round++) {
      longestPaths(this.nodes, this, this.from);
      const costs = new Map<number, CostFrom>();
      for (const [start, entries] of this.globalEntries)
        costs.set(
          start,
          entries.reduce(
            (cost, v) => most(cost, this.polled(this.slot(v)) ? NOTHING : inAll(this.from.get(v))),
            NOTHING,
          ),
        );
      const same = [...costs].every(([start, cost]) => {
        const before = this.costOfCall.get(start);
        return before !== undefined && insnsOf(before) === insnsOf(cost);
      });
      this.costOfCall = costs;
      if (same) break;
    }
    let longest = 0;
    for (const v of this.nodes) longest = Math.max(longest, this.rest(v));
    return longest;
  }

  /** The global function of the least cost above `insns`, by its first slot: what it calls does not take that long. Undefined: none does. */
  globalAbove(insns: number): number | undefined {
    const above = [...this.costOfCall].filter(([, cost]) => insnsOf(cost) > insns);
    return above.sort(([, a], [, b]) => insnsOf(a) - insnsOf(b))[0]?.[0];
  }

  /** The most insns from a visit to a poll or the exit, of the last `measure`. */
  rest(v: number): number {
    return insnsOf(this.from.get(v));
  }

  override eachNext(v: number, each: (next: number) => void): void {
    // A callback returns into its helper: a poll before the helper's call is not passed again.
    const all = this.endsCallback(v);
    super.eachNext(v, (next) => {
      if (all || !this.polled(this.slot(next))) each(next);
    });
  }

  /** The insn returns from a callback to the helper that called it. */
  endsCallback(v: number): boolean {
    const op = this.verified.code.ops[this.slot(v)];
    return op?.kind === 'exit' && this.visits.chain(v).callback !== undefined;
  }
}
