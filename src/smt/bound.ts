/**
 * How long a killed program runs: the most insns from a termination point to the exit, over all paths of the fast path.
 *
 * It is a longest path in the graph of killed runs (`patched-graph.ts`). A cycle in this graph is a loop that the rules do not end
 * (`loop-cost.ts`). Any other visit takes its own insn and the longest of what follows.
 */
import { MOST_FRAMES } from '../isa/insn.js';
import { BUILT_IN, type KernelProfile } from '../kernel/profile.js';
import type { Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import type { Facts } from '../verifier/result.js';
import type { Code } from '../verifier/text/code.js';
import { type Cost, type CostFrom, inAll, most, NOTHING, plus, seenFrom } from './cost.js';
import { eachComponent } from './graph-components.js';
import { laterCallbackOf } from './later-callback.js';
import { loopCost } from './loop-cost.js';
import type { Patched } from './patched.js';
import { type LoopNote, PatchedGraph, type RunPart, type Weigh } from './patched-graph.js';

export type { LoopNote, RunPart, Weigh } from './patched-graph.js';

/** The longest killed runs of a program, in insns and in time. */
export interface Bounds {
  /** Over all termination points. */
  readonly worst: Cost;
  /** The same by slot; slots that are never reached are missing. */
  readonly bySlot: ReadonlyMap<number, Cost>;
  /** The loops for which no number of insns bounds a killed run, by slot. */
  readonly notes: readonly LoopNote[];
  /** The longest run from the start of the program, as what is passed one after the other. Only with `weigh`. */
  readonly longest: readonly RunPart[];
  /** Slots of a longest killed run, from the worst place to be killed at to the exit. A loop on the way is gone through once. */
  readonly worstPath: readonly number[];
  /** Of each callback that runs later, by its first slot: the longest killed run, and the visit at which it is killed for that. */
  readonly byCallback: ReadonlyMap<number, { readonly cost: Cost; readonly visit: number }>;
}

/**
 * The longest killed run, over all termination points and by slot. `patched` is the walk of `path` that succeeded, `kernel` the kernel that the
 * program is for. With `weigh` it is the run that weighs the most, in its units; then also the call that is in flight at a kill counts, with the weight that it
 * has without a stub. A path without stubs, from which nothing was patched, gives the longest run that is not killed.
 */
export function bounds(
  program: Program,
  code: Code,
  facts: Facts,
  path: FastPath,
  patched: Patched,
  kernel: KernelProfile = BUILT_IN,
  weigh?: Weigh,
): Bounds {
  const graph = new PatchedGraph(program, code, facts, path, patched, kernel, weigh);
  const { globalEntries } = graph;
  const worstOf = new Costs(graph.visits.size);
  const parts = weigh === undefined ? undefined : new Parts(graph, worstOf);
  const roots: number[] = [];
  for (let slot = 0; slot < code.ops.length; slot++) for (const v of facts.nodes(slot)) roots.push(v);
  // The cost of a global subprogram depends on those that it calls. Calls nest at most as deep as there are subprograms, so this many
  // rounds are enough.
  for (let round = 0; round <= globalEntries.size; round++) {
    const costs = costsOf(globalEntries, worstOf);
    if (round > 0 && sameCosts(costs, graph.costOfCall)) break;
    graph.costOfCall = costs;
    longestPaths(roots, graph, worstOf, parts);
  }
  const after = new AfterGlobals(code, facts, graph, worstOf);
  const bySlot = new Map<number, Cost>();
  let worst = NOTHING;
  let worstVisit: number | undefined;
  const byCallback = new Map<number, { cost: Cost; visit: number }>();
  for (let slot = 0; slot < code.ops.length; slot++) {
    const visits = facts.nodes(slot);
    if (visits.length === 0) continue;
    let here: CostFrom = NOTHING;
    for (const v of visits) {
      const cost = plus(inAll(worstOf.get(v)), after.of(v));
      if (worstVisit === undefined || isMore(cost, worst)) worstVisit = v;
      const callback = laterCallbackOf(graph.visits, v);
      const longest = callback === undefined ? undefined : byCallback.get(callback);
      if (callback !== undefined && (longest === undefined || isMore(cost, longest.cost)))
        byCallback.set(callback, { cost: plain(cost), visit: v });
      here = most(here, cost);
      worst = most(worst, cost);
      const inFlight = graph.inFlight(v);
      if (inFlight === undefined) continue;
      let rest = NOTHING;
      graph.eachNormal(v, (n) => {
        rest = most(rest, inAll(worstOf.get(n)));
      });
      here = most(here, plus(plus(inFlight, rest), after.of(v)));
    }
    bySlot.set(slot, plain(here));
    worst = most(worst, here);
  }
  const notes = [...graph.notes.values()].sort((a, b) => a.slot - b.slot);
  const longest = parts?.from(entriesOf(facts, graph)) ?? [];
  const worstPath = pathFrom(worstVisit, graph, worstOf);
  return { worst: plain(worst), bySlot, notes, longest, worstPath, byCallback };
}

const isMore = (a: Cost, b: Cost): boolean => a.ms > b.ms || (a.ms === b.ms && a.insns > b.insns);

/**
 * The way of the longest run from a visit to where that ends; of a subprogram that was verified by itself, to its own exit. A loop is gone through until it
 * comes back to where the way has been; then the way leaves it.
 */
function pathFrom(start: number | undefined, graph: PatchedGraph, worstOf: Costs): readonly number[] {
  const seen = new Set<number>();
  const slots: number[] = [];
  const go = (visit: number): void => {
    seen.add(visit);
    const slot = graph.slot(visit);
    // The patched visit of a call stands for the same insn.
    if (slots.at(-1) !== slot) slots.push(slot);
  };
  for (let at = start; at !== undefined; ) {
    go(at);
    let worst: number | undefined;
    for (const next of graph.next(at)) {
      if (seen.has(next)) continue;
      if (worst === undefined || isMore(worstOf.get(next), worstOf.get(worst))) worst = next;
    }
    if (worst === undefined) {
      const out = wayOut(at, graph, worstOf);
      worst = out.at(-1);
      for (const visit of out.slice(0, -1)) go(visit);
    }
    at = worst;
  }
  return slots;
}

/** The shortest way from a visit in a loop to one behind the loop, which takes less; empty where there is none. */
function wayOut(from: number, graph: PatchedGraph, worstOf: Costs): readonly number[] {
  const before = new Map<number, number>();
  const inside = worstOf.get(from);
  for (let reached = [from]; reached.length > 0; ) {
    const further: number[] = [];
    for (const visit of reached)
      for (const next of graph.next(visit)) {
        if (before.has(next) || next === from) continue;
        before.set(next, visit);
        if (!isMore(inside, worstOf.get(next))) {
          further.push(next);
          continue;
        }
        const way: number[] = [];
        for (let at: number | undefined = next; at !== undefined && at !== from; at = before.get(at))
          way.push(at);
        return way.reverse();
      }
    reached = further;
  }
  return [];
}

/** Where the program begins. */
const entriesOf = (facts: Facts, { visits }: PatchedGraph): readonly number[] =>
  facts.nodes(0).filter((v) => visits.chain(v).depth === 1 && visits.chain(v).outerCallback === undefined);

/** The parts of longest runs, and what each goes on with. */
class Parts {
  /** By a visit of a loop: the loop, and where the longest run leaves it. */
  private readonly loops = new Map<number, { readonly part: RunPart; readonly next: number | undefined }>();

  constructor(
    private readonly graph: PatchedGraph,
    private readonly worstOf: Costs,
  ) {}

  /** A component was found to be a loop, or to take time. */
  loop(component: readonly number[], isLoop: boolean, cost: CostFrom, next: number | undefined): void {
    const slot = component.reduce(
      (low, v) => Math.min(low, this.graph.slot(v)),
      this.graph.slot(component[0]!),
    );
    const loops = isLoop ? this.graph.loopsOf(component) : [];
    const part: RunPart = { slot, cost: plain(inAll(cost)), isLoop, loops };
    for (const v of component) this.loops.set(v, { part, next });
  }

  /** The longest run that begins at one of these visits. */
  from(starts: readonly number[]): RunPart[] {
    const found: RunPart[] = [];
    const { graph } = this;
    let v = this.longest(starts);
    while (v !== undefined) {
      const loop = this.loops.get(v);
      if (loop === undefined) {
        const { insns, ms } = graph.cost(v);
        const cost = { insns: insns + graph.start(v), ms };
        found.push({ slot: graph.slot(v), cost, isLoop: false, loops: [] });
      } else found.push(loop.part);
      v = loop === undefined ? this.longest(graph.next(v)) : loop.next;
    }
    return found;
  }

  /** The visit from which a run takes the longest. Loops that are ended by time take longer than any insns. */
  longest(visits: readonly number[]): number | undefined {
    let found: number | undefined;
    let most: Cost = { insns: -1, ms: -1 };
    for (const v of visits) {
      const cost = inAll(this.worstOf.get(v));
      if (cost.ms < most.ms || (cost.ms === most.ms && cost.insns <= most.insns)) continue;
      found = v;
      most = cost;
    }
    return found;
  }
}

const plain = ({ insns, ms }: Cost): Cost => ({ insns, ms });

/** What a call of each global subprogram adds to the call itself. */
function costsOf(
  globalEntries: ReadonlyMap<number, readonly number[]>,
  worstOf: Costs,
): Map<number, CostFrom> {
  return new Map(
    [...globalEntries].map(([start, entries]) => [
      start,
      entries.reduce((cost, v) => most(cost, inAll(worstOf.get(v))), NOTHING),
    ]),
  );
}

function sameCosts(a: ReadonlyMap<number, CostFrom>, b: ReadonlyMap<number, CostFrom>): boolean {
  return [...a].every(([start, { insns, ms }]) => b.get(start)?.insns === insns && b.get(start)?.ms === ms);
}

/** A cost for each visit. Nearly all are a number of insns, so these are kept in an array. */
export class Costs {
  private readonly insns: Float64Array;
  /** Costs in which there is time. */
  private readonly timed = new Map<number, CostFrom>();

  constructor(size: number) {
    this.insns = new Float64Array(size);
  }

  get(v: number): CostFrom {
    const timed = this.timed.size === 0 ? undefined : this.timed.get(v);
    if (timed !== undefined) return timed;
    const insns = this.insns[v]!;
    return insns === 0 ? NOTHING : { ...NOTHING, insns };
  }

  /** The insns of a cost in which there is no time; undefined if there is. */
  insnsOf(v: number): number | undefined {
    return this.timed.size > 0 && this.timed.has(v) ? undefined : this.insns[v]!;
  }

  setInsns(v: number, insns: number): void {
    this.insns[v] = insns;
  }

  set(v: number, cost: CostFrom): void {
    this.insns[v] = cost.insns;
    if (cost.ms > 0 || cost.open.size > 0) this.timed.set(v, cost);
    else this.timed.delete(v);
  }

  clear(): void {
    this.insns.fill(0);
    this.timed.clear();
  }
}

/**
 * What a run killed inside a global subprogram still takes in the callers. The verifier walks a global subprogram on its own, so its visits do
 * not lead back to them.
 */
class AfterGlobals {
  private readonly known = new Map<number, CostFrom>();

  constructor(
    private readonly code: Code,
    private readonly facts: Facts,
    private readonly graph: PatchedGraph,
    private readonly worstOf: Costs,
  ) {}

  of(v: number, depth = 0): CostFrom {
    const { outermost, outerCallback } = this.graph.visits.chain(v);
    if (outermost === 0 || outerCallback !== undefined || depth > MOST_FRAMES) return NOTHING;
    const known = this.known.get(outermost);
    if (known !== undefined) return known;
    let after = NOTHING;
    for (let slot = 0; slot < this.code.ops.length; slot++) {
      if (this.code.callees[slot] !== outermost) continue;
      for (const call of this.facts.nodes(slot)) {
        let rest = NOTHING;
        this.graph.eachNext(call, (n) => {
          rest = most(rest, this.worstOf.get(n));
        });
        after = most(after, plus(inAll(rest), this.of(call, depth + 1)));
      }
    }
    this.known.set(outermost, after);
    return after;
  }
}

/** Computes, for every visit that can be reached from the roots, the most that a run takes from there to the exit. */
export function longestPaths(
  roots: readonly number[],
  graph: PatchedGraph,
  worstOf: Costs,
  parts?: Parts,
): void {
  worstOf.clear();
  const eachNext = (v: number, each: (next: number) => void): void => {
    graph.eachNext(v, each);
  };
  const insnsFrom = countInsns(graph, worstOf);
  // Components come in an order with successors first.
  eachComponent(roots, graph.visits.size, eachNext, (component, loops) => {
    const first = component[0]!;
    if (!loops) {
      const insns = insnsFrom(first);
      if (insns !== undefined) {
        worstOf.setInsns(first, insns);
        return;
      }
    }
    const inside = new Set(component);
    let after = NOTHING;
    const exits: number[] = [];
    for (const v of component) {
      graph.eachNext(v, (n) => {
        if (inside.has(n)) return;
        after = most(after, worstOf.get(n));
        if (parts !== undefined) exits.push(n);
      });
    }
    // A cycle never leaves the frame of its outermost visit.
    const chain = component.map((v) => graph.chain(v)).reduce((a, b) => (a.length <= b.length ? a : b));
    const cost = loops ? loopCost(component, inside, chain, graph) : onePass(first, graph);
    parts?.loop(component, loops, cost, parts.longest(exits));
    const all = plus(cost, seenFrom(chain, after));
    for (const v of component) worstOf.set(v, all);
  });
}

/** Counts the most insns from a visit that is in no cycle; undefined where there is time in it, or a call of a global subprogram. */
function countInsns(graph: PatchedGraph, worstOf: Costs): (v: number) => number | undefined {
  let longest = 0;
  let timed = false;
  const follow = (n: number): void => {
    const insns = worstOf.insnsOf(n);
    if (insns === undefined) timed = true;
    else if (insns > longest) longest = insns;
  };
  return (v) => {
    const callee = graph.callee(v);
    if (callee !== undefined && graph.costOfCall.has(callee)) return undefined;
    longest = 0;
    timed = false;
    graph.eachNext(v, follow);
    if (timed) return undefined;
    if (graph.weigh === undefined) return longest + (graph.isRun(v) ? 1 : 0);
    return longest + graph.pass(v, graph.weigh) + graph.start(v);
  };
}

/** What a visit in no cycle takes, with a helper that it starts. */
function onePass(v: number, graph: PatchedGraph): CostFrom {
  const start = graph.start(v);
  return start === 0 ? graph.cost(v) : plus(graph.cost(v), { ...NOTHING, insns: start });
}
