/**
 * How long a killed program runs: the most insns from a termination point to the exit, over all paths of the fast path.
 *
 * It is a longest path in the graph of the verifier's visits, with the visits of patched mode put in. A cycle in this graph is a loop that
 * the rules do not end. Linux limits some kinds of loops (MAX_LOOPS below), and that limit bounds it. Any other cycle has no bound.
 */
import { subprogTarget } from '../isa/target.js';
import { exceptionCallbackOf, type Program, type Subprog } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import type { Facts } from '../verifier/result.js';
import { frameOf } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';
import type { Visit } from '../verifier/walk/visit.js';
import { components } from './components.js';
import type { Patched } from './patched.js';

export interface Bounds {
  /** Insns, over all termination points; undefined: there is no bound. */
  readonly worst: number | undefined;
  /** The same by slot; slots that are never reached are missing. */
  readonly bySlot: ReadonlyMap<number, number | undefined>;
}

/** BPF_MAX_LOOPS: the most calls of bpf_loop, numbers of bpf_iter_num, and jumps of one may_goto. */
const MAX_LOOPS = 1 << 23;
/** bpf_iter_bits takes at most 511 words. */
const MAX_BITS = 511 * 64;

/** The longest killed run, over all termination points and by slot. `patched` is the walk of `path` that succeeded. */
export function bounds(program: Program, code: Code, facts: Facts, path: FastPath, patched: Patched): Bounds {
  const worstOf = new Map<Visit, number>();
  const globalEntry = new Map<number, Visit>();
  const entryOf = (s: Subprog): Visit | undefined =>
    facts.at(s.start).find((v) => v.state.frames.length === 1 && v.from === undefined);
  const onThrow = exceptionCallbackOf(program);
  const graph = new PatchedGraph(program, code, path, patched, onThrow && entryOf(onThrow));
  for (const s of program.subprogs) {
    const entry = entryOf(s);
    if (s.linkage === 'global' && s.start !== 0 && entry !== undefined) globalEntry.set(s.start, entry);
  }
  const roots: Visit[] = [];
  for (const entry of globalEntry.values()) roots.push(entry);
  for (let slot = 0; slot < code.ops.length; slot++) roots.push(...facts.at(slot));
  // The cost of a global subprogram depends on those that it calls. They nest at most as deep as there are subprograms.
  for (let round = 0; round <= globalEntry.size; round++) {
    const costs = new Map([...globalEntry].map(([start, entry]) => [start, worstOf.get(entry) ?? 0]));
    graph.costOfCall = (v) => callCost(code, v, costs);
    longestPaths(roots, graph, worstOf);
  }
  const bySlot = new Map<number, number | undefined>();
  let worst = 0;
  for (let slot = 0; slot < code.ops.length; slot++) {
    const visits = facts.at(slot);
    if (visits.length === 0) continue;
    let most = 0;
    for (const v of visits) {
      const after = afterGlobal(v, code, facts, graph, worstOf, 0);
      most = Math.max(most, worstOf.get(v)! + after);
    }
    bySlot.set(slot, Number.isFinite(most) ? most : undefined);
    worst = Math.max(worst, most);
  }
  return { worst: Number.isFinite(worst) ? worst : undefined, bySlot };
}

/** Insns that a call of a global subprogram adds to the call itself; 0 for any other insn. */
function callCost(code: Code, v: Visit, costs: ReadonlyMap<number, number>): number {
  const op = code.ops[v.slot];
  const target = op?.kind === 'call' && op.target === 'subprog' ? subprogTarget(op, v.slot) : undefined;
  return target === undefined ? 0 : (costs.get(target) ?? 0);
}

/**
 * Insns that a run killed inside a global subprogram still makes in the callers. The verifier walks a global subprogram on its own, so its
 * visits do not lead back to them.
 */
function afterGlobal(
  v: Visit,
  code: Code,
  facts: Facts,
  graph: PatchedGraph,
  worstOf: ReadonlyMap<Visit, number>,
  depth: number,
): number {
  const outer = v.state.frames[0]!;
  if (outer.subprog === 0 || outer.callback !== undefined || depth > 8) return 0;
  let most = 0;
  code.ops.forEach((op, slot) => {
    if (op?.kind !== 'call' || op.target !== 'subprog' || subprogTarget(op, slot) !== outer.subprog) return;
    for (const call of facts.at(slot)) {
      const rest = Math.max(0, ...graph.next(call).map((n) => worstOf.get(n) ?? 0));
      most = Math.max(most, rest + afterGlobal(call, code, facts, graph, worstOf, depth + 1));
    }
  });
  return most;
}

class PatchedGraph {
  costOfCall: (v: Visit) => number = () => 0;

  constructor(
    private readonly program: Program,
    private readonly code: Code,
    private readonly path: FastPath,
    private readonly patched: Patched,
    /** The first visit of the exception callback, if there is one. */
    private readonly onThrow: Visit | undefined,
  ) {}

  next(v: Visit): readonly Visit[] {
    if (this.onThrow !== undefined && this.code.contracts[v.slot]?.name === 'bpf_throw')
      return [this.onThrow];
    const entries = this.patched.entries.get(v);
    if (entries === undefined) return v.next;
    if (this.path.stubs.has(v.slot)) return entries;
    // The end of a callback: in flight at the kill, its helper stops; called after it, the helper goes on if it was kept.
    const call = frameOf(v.state).callback?.call;
    return call !== undefined && !this.path.stubs.has(call) ? [...entries, ...v.next] : entries;
  }

  cost(v: Visit): number {
    // The entries stand for the same insn.
    if (this.patched.entries.has(v) && this.path.stubs.has(v.slot)) return 0;
    return 1 + this.costOfCall(v);
  }

  /** The most rounds of a loop that this insn controls; undefined if it controls none. */
  maxRounds(v: Visit): number | undefined {
    const op = this.code.ops[v.slot];
    if (op?.kind === 'may_goto') return MAX_LOOPS;
    const contract = this.code.contracts[v.slot];
    // A stub ends no loop by itself.
    if (contract === undefined || this.path.stubs.has(v.slot)) return undefined;
    const args = frameOf(v.state).regs;
    for (const arg of contract.args) {
      if (
        arg.kind === 'iter' &&
        contract.outcomes.some((o) => o.effects.some((e) => e.kind === 'iter_next'))
      ) {
        return arg.type === 'num' ? MAX_LOOPS : arg.type === 'bits' ? MAX_BITS : Number.POSITIVE_INFINITY;
      }
      if (arg.kind === 'callback') {
        const { countArg } = arg.callback;
        if (countArg !== undefined) {
          const count = args[countArg + 1]!.num.umax;
          return count < BigInt(MAX_LOOPS) ? Number(count) : MAX_LOOPS;
        }
        const map = this.program.maps[args[1]!.map];
        return map === undefined ? 1 : map.maxEntries;
      }
    }
    return undefined;
  }

  /** Visits with the same key control the same loop: same insn, same chain of calls. */
  loopKey(v: Visit): string {
    return `${v.state.frames.map((f) => f.callsite).join(' ')} ${v.slot}`;
  }
}

/** Fills in, for every visit that can be reached from the roots, the most insns from there to the exit. */
function longestPaths(roots: readonly Visit[], graph: PatchedGraph, worstOf: Map<Visit, number>): void {
  worstOf.clear();
  // Successors come out before what leads to them.
  for (const component of components(roots, (v) => graph.next(v))) {
    const inside = new Set(component);
    let after = 0;
    for (const v of component) {
      for (const n of graph.next(v)) if (!inside.has(n)) after = Math.max(after, worstOf.get(n)!);
    }
    const first = component[0]!;
    const loops = component.length > 1 || graph.next(first).includes(first);
    const cost = loops ? loopCost(component, inside, graph) : graph.cost(first);
    for (const v of component) worstOf.set(v, cost + after);
  }
}

/**
 * The most insns that are run inside a cycle: the longest round, times the rounds. n rounds take n + 1 passes of the insn that controls
 * the loop, because the last pass ends it. Infinite if some cycle inside is controlled by nothing.
 */
function loopCost(component: readonly Visit[], inside: ReadonlySet<Visit>, graph: PatchedGraph): number {
  const rounds = new Map<string, number>();
  const controls = new Set<Visit>();
  for (const v of component) {
    const n = graph.maxRounds(v);
    if (n === undefined) continue;
    controls.add(v);
    rounds.set(graph.loopKey(v), Math.max(n, rounds.get(graph.loopKey(v)) ?? 0));
  }
  const rest = component.filter((v) => !controls.has(v));
  const longest = new Map<Visit, number>();
  let longestRound = 0;
  for (const part of components(rest, (v) =>
    graph.next(v).filter((n) => inside.has(n) && !controls.has(n)),
  )) {
    const v = part[0]!;
    if (part.length > 1) return Number.POSITIVE_INFINITY;
    let most = 0;
    for (const n of graph.next(v)) {
      if (n === v) return Number.POSITIVE_INFINITY;
      if (inside.has(n) && !controls.has(n)) most = Math.max(most, longest.get(n)!);
    }
    longest.set(v, most + graph.cost(v));
    longestRound = Math.max(longestRound, most + graph.cost(v));
  }
  let product = 1;
  for (const n of rounds.values()) product *= n + 1;
  let controlCost = 0;
  for (const v of controls) controlCost += graph.cost(v);
  return (longestRound + controlCost) * product;
}
