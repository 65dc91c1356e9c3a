/**
 * The least that a run takes: the shortest path from the start of a program to its exit, over the verifier's visits.
 *
 * A helper that runs callbacks is passed as one step. The verifier walks it both ways after each round, also where Linux goes on: bpf_loop of 8 rounds never
 * makes 3 of them unless its callback says so. So the insns of callbacks weigh nothing on the path itself, and leaving the helper weighs as many of the
 * shortest rounds as it makes at least.
 */
import TinyQueue from 'tinyqueue';
import type { Contract } from '../kernel/contract.js';
import type { Program } from '../object/program.js';
import type { Accepted } from '../verifier/result.js';
import { frameOf } from '../verifier/state/state.js';
import type { VisitGraph } from '../verifier/walk/visit-graph.js';
import type { CostOptions } from './span.js';
import { runsCallback, VisitCosts } from './weigh.js';

/** BPF_MAX_LOOPS: bpf_loop refuses more, and runs none. */
const MAX_LOOPS = 1n << 23n;
/** In place of a slot. */
const NONE = -1;

/** The least nanoseconds of a run, without what entering and leaving the program costs. Infinity: no visit is an exit. */
export function shortestRun(program: Program, verified: Accepted, options: CostOptions): number {
  return new Search(program, verified, options).from(0);
}

class Search {
  private readonly visits: VisitGraph;
  private readonly costs: VisitCosts;
  /** By first slot: the least of a global subprogram. */
  private readonly globals = new Map<number, number>();
  /** By slot of the call: the least of one round. */
  private readonly rounds = new Map<number, number>();
  /** By slot of the call: the first visits of its callback. */
  private readonly entries = new Map<number, number[]>();
  /** Slots of the calls whose callback may end the run of callbacks. */
  private readonly stopping = new Set<number>();

  constructor(
    private readonly program: Program,
    private readonly verified: Accepted,
    options: CostOptions,
  ) {
    const { facts, code } = verified;
    this.visits = facts.graph;
    this.costs = new VisitCosts(program, code, options);
    const ends = new Set<number>();
    code.ops.forEach((op, slot) => {
      for (const v of facts.nodes(slot)) {
        const { callback, innermost } = this.visits.chain(v);
        if (callback === undefined || callback.async) continue;
        const { call } = callback;
        if (innermost === slot) this.entries.set(call, [...(this.entries.get(call) ?? []), v]);
        if (op?.kind !== 'exit') continue;
        ends.add(call);
        const { num } = frameOf(this.visits.state(v)).regs[0]!;
        if (num.umin !== 0n || num.umax !== 0n) this.stopping.add(call);
      }
    });
    // A callback of which no end is known may end the run of the program.
    for (const call of this.entries.keys()) if (!ends.has(call)) this.stopping.add(call);
  }

  /** From the first insn of a subprogram that is walked on its own to the exit of it. */
  from(start: number): number {
    const alone = (v: number): boolean => {
      const { depth, outerCallback } = this.visits.chain(v);
      return depth === 1 && outerCallback === undefined;
    };
    const starts = this.verified.facts.nodes(start).filter(alone);
    return this.shortest(starts, NONE, (v) => (this.isExit(v) && alone(v)) || this.leaves(v));
  }

  /** One round of the callback that the call at `slot` runs. */
  private round(slot: number): number {
    const known = this.rounds.get(slot);
    if (known !== undefined) return known;
    // Should a helper be called in its own callback, its rounds count as nothing there.
    this.rounds.set(slot, 0);
    const starts = this.entries.get(slot) ?? [];
    const own = (v: number): boolean => this.visits.chain(v).callback?.call === slot;
    const found = this.shortest(starts, slot, (v) => (this.isExit(v) && own(v)) || this.leaves(v));
    const least = Number.isFinite(found) ? found : 0;
    this.rounds.set(slot, least);
    return least;
  }

  private isExit(v: number): boolean {
    const kind = this.verified.code.ops[this.visits.slot(v)]?.kind;
    return kind === 'exit' || kind === 'unwind_exit';
  }

  /** The run may end here: an exception, or another program takes its place. */
  private leaves(v: number): boolean {
    const outcomes = this.contract(v)?.outcomes ?? [];
    return outcomes.some((o) => o.effects.some(({ kind }) => kind === 'throw' || kind === 'tail_call'));
  }

  private contract(v: number): Contract | undefined {
    return this.verified.code.contracts[this.visits.slot(v)];
  }

  /** `within`: the slot of the call in whose callback the path is, or NONE. */
  private shortest(starts: readonly number[], within: number, ends: (v: number) => boolean): number {
    const least = new Map<number, number>();
    const queue = new TinyQueue<{ readonly v: number; readonly at: number }>([], (a, b) => a.at - b.at);
    /** `before`: what the way to the visit weighs. The visit's own weight counts before it is compared: an end may weigh more than a longer way. */
    const reach = (v: number, before: number): void => {
      const at = before + this.weight(v, within);
      if (at >= (least.get(v) ?? Number.POSITIVE_INFINITY)) return;
      least.set(v, at);
      queue.push({ v, at });
    };
    for (const v of starts) reach(v, 0);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const { v, at } = next;
      if (at > least.get(v)!) continue;
      if (ends(v)) return at;
      this.visits.eachNext(v, (n) => {
        if (this.visits.chain(n).outerCallback?.async !== true) reach(n, at + this.leaving(v, n));
      });
    }
    return Number.POSITIVE_INFINITY;
  }

  /** Insns of callbacks weigh nothing here, but for those of the callback in question. */
  private weight(v: number, within: number): number {
    const { calledBackBy } = this.visits.chain(v);
    const base = within === NONE ? 0 : calledBackBy.lastIndexOf(within);
    if (calledBackBy.some((call, depth) => depth > base && call >= 0)) return 0;
    const contract = this.contract(v);
    if (contract !== undefined && runsCallback(contract)) {
      // The rounds of a helper are weighed where it is left.
      const begun = frameOf(this.visits.state(v)).callbackDepth > 0;
      return begun ? 0 : this.costs.start(this.visits, v).best;
    }
    const callee = this.verified.code.callees[this.visits.slot(v)];
    const inside = callee === undefined ? 0 : this.ofGlobal(callee);
    return this.costs.pass(this.visits, v, false).best + inside;
  }

  private ofGlobal(start: number): number {
    if (this.program.subprogs.find((s) => s.start === start)?.linkage !== 'global') return 0;
    const known = this.globals.get(start);
    if (known !== undefined) return known;
    this.globals.set(start, 0);
    const found = this.from(start);
    const least = Number.isFinite(found) ? found : 0;
    this.globals.set(start, least);
    return least;
  }

  /** What the rounds of a helper weigh at least, on the way from its call to the insn behind it. */
  private leaving(v: number, next: number): number {
    const contract = this.contract(v);
    const slot = this.visits.slot(v);
    if (contract === undefined || !runsCallback(contract) || this.visits.slot(next) !== slot + 1) return 0;
    const rounds = this.leastRounds(v, contract);
    return rounds === 0 ? 0 : rounds * this.round(slot);
  }

  /** How often the helper calls its callback at least: as often as it says, or once where the callback may stop it. */
  private leastRounds(v: number, contract: Contract): number {
    const { regs } = frameOf(this.visits.state(v));
    const index = contract.args.findIndex((arg) => arg.kind === 'callback');
    const arg = contract.args[index];
    const count = arg?.kind === 'callback' ? arg.callback.countArg : undefined;
    let least = 0;
    if (count !== undefined) {
      const { umin, umax } = regs[count + 1]!.num;
      least = umax > MAX_LOOPS ? 0 : Number(umin);
    } else if (contract.name === 'bpf_for_each_map_elem') {
      const map = this.program.maps[regs[1]!.map];
      const isInner = this.program.maps.some(({ inner }) => inner !== undefined && inner === map);
      least = map?.type === 'array' && !isInner ? map.maxEntries : 0;
    }
    return this.stopping.has(this.visits.slot(v)) ? Math.min(least, 1) : least;
  }
}
