/**
 * Chooses where a program polls: so that from any place a poll or the exit is reached within so many insns, and at as few places as that
 * needs. None of the chosen places can be left out.
 */
import type { Op } from '../isa/insn.js';
import { slots } from '../isa/insn.js';
import { jumpTarget } from '../isa/target.js';
import type { Plan } from '../patch/two-mode/plan.js';
import { eachComponent } from '../smt/graph-components.js';
import { freeRegister } from './scratch.js';
import { insnsOf, Stretches } from './stretch.js';

/** Where a program polls. */
export interface Polls {
  /** Slots before which it polls because the way is long. */
  readonly chosen: ReadonlySet<number>;
  /** Slots behind calls during which it may have been killed. */
  readonly returns: ReadonlySet<number>;
  /** First slots of the functions in which it may be killed. */
  readonly killable: ReadonlySet<number>;
  /** The most insns from any place to the next poll or the exit. Infinity: no polls make it finite. */
  readonly longest: number;
}

/** Visits times measurements above which no place is tried to be left out: a minute's work. */
const MOST_WORK = 30_000_000;

/** Chooses for a plan's program, with at most `distance` insns between polls; `entry`: it polls before its first insn in any case. */
export function choosePolls(plan: Plan, distance: number, entry = false): Polls {
  return new Chooser(plan, distance, entry).choose();
}

class Chooser {
  private readonly stretches: Stretches;
  private readonly ops: readonly (Op | undefined)[];

  constructor(
    private readonly plan: Plan,
    private readonly distance: number,
    private readonly entry: boolean,
  ) {
    this.stretches = new Stretches(plan.program, plan.verified);
    this.ops = plan.ops;
  }

  choose(): Polls {
    const chosen = new Set<number>(this.entry ? [this.place(0)] : []);
    let longest = this.measure(chosen);
    while (longest > this.distance) {
      const before = chosen.size;
      this.cutLoops(chosen);
      if (chosen.size === before) this.cutPath(chosen);
      if (chosen.size === before) break;
      longest = this.measure(chosen);
    }
    if (longest <= this.distance) this.leaveOut(chosen);
    longest = this.measure(chosen);
    return { chosen, ...this.spread(chosen), longest };
  }

  /** Functions that can be killed where these slots are polled, and where their callers must look whether they were. */
  private spread(chosen: ReadonlySet<number>): Pick<Polls, 'killable' | 'returns'> {
    const { subprogStart } = this.plan.verified.code;
    const killable = new Set([...chosen].map((slot) => subprogStart[slot]!));
    const returns = new Set<number>();
    for (let size = -1; size < killable.size; ) {
      size = killable.size;
      for (const subprog of this.plan.program.subprogs) {
        for (const [slot, op] of this.plan.body(subprog)) {
          if (!this.plan.callees(slot, op).some((start) => killable.has(start))) continue;
          killable.add(subprog.start);
          returns.add(slot + slots(op));
        }
      }
    }
    return { killable, returns };
  }

  private measure(chosen: ReadonlySet<number>): number {
    const { returns } = this.spread(chosen);
    return this.stretches.measure((slot) => chosen.has(slot) || returns.has(slot));
  }

  /** Leaves out what is not needed, first what is passed most often. */
  private leaveOut(chosen: Set<number>): void {
    if (this.stretches.nodes.length * chosen.size > MOST_WORK) return;
    const often = (slot: number): number => {
      const { facts, code } = this.plan.verified;
      const nodes = facts.nodes(slot);
      const deep = nodes.reduce((most, v) => Math.max(most, facts.graph.chain(v).depth), 0);
      return 1000 * deep + (code.scc[slot] === 0 ? 0 : 500) + Math.min(499, nodes.length);
    };
    for (const slot of [...chosen].sort((a, b) => often(b) - often(a) || b - a)) {
      if (this.entry && slot === this.place(0)) continue;
      chosen.delete(slot);
      if (this.measure(chosen) > this.distance) chosen.add(slot);
    }
  }

  /** Polls in the loops that take too long, at the outermost level of each. */
  private cutLoops(chosen: Set<number>): void {
    const { stretches } = this;
    const eachNext = (v: number, each: (next: number) => void): void => stretches.eachNext(v, each);
    const headers: number[] = [];
    eachComponent(stretches.nodes, stretches.visits.size, eachNext, (part, loops) => {
      if (!loops) return;
      const inside = new Set(part);
      let after = 0;
      for (const v of part)
        stretches.eachNext(v, (n) => {
          if (!inside.has(n)) after = Math.max(after, stretches.rest(n));
        });
      // Where what follows has no end, that is cut first.
      if (!(stretches.rest(part[0]!) - after > this.distance)) return;
      const header = this.header(part, chosen);
      if (header !== undefined) headers.push(header);
    });
    for (const header of headers) chosen.add(header);
  }

  /** A slot that each round of the outermost loop of a component passes, as far as can be told: where its back edge leads, or its callback. */
  private header(part: readonly number[], chosen: ReadonlySet<number>): number | undefined {
    const { stretches } = this;
    const chains = part.map((v) => ({ slot: stretches.slot(v), chain: stretches.visits.chain(v) }));
    const depth = chains.reduce((least, { chain }) => Math.min(least, chain.depth), Number.POSITIVE_INFINITY);
    const outer = chains.filter(({ chain }) => chain.depth === depth);
    const here = new Set(outer.map(({ slot }) => slot));
    const headers = new Set<number>();
    for (const slot of here) {
      const target = jumpTarget(this.ops[slot]!, slot);
      if (target !== undefined && target <= slot && here.has(target)) headers.add(target);
    }
    const entries = chains
      .filter(
        ({ slot, chain }) =>
          chain.depth === depth + 1 && chain.callback !== undefined && chain.innermost === slot,
      )
      .map(({ slot }) => slot);
    const byPlace = (slots: Iterable<number>): number[] => [...new Set(slots)].sort((a, b) => a - b);
    const all = [...byPlace(headers), ...byPlace(entries), ...byPlace(chains.map(({ slot }) => slot))];
    return all.map((slot) => this.place(slot)).find((slot) => !chosen.has(slot));
  }

  /** The slot itself, or one right behind it in a straight line where a register is free. */
  private place(slot: number): number {
    const { facts, code } = this.plan.verified;
    for (let at = slot; ; ) {
      if (freeRegister(this.plan.verified, at) !== undefined) return at;
      const op = this.ops[at]!;
      const straight = code.next[at]!;
      const behind = at + slots(op);
      if (op.kind === 'call' || straight.length !== 1 || straight[0] !== behind) return slot;
      if (code.jumpPoints[behind] === 1 || facts.nodes(behind).length === 0) return slot;
      at = behind;
    }
  }

  /** Polls along the longest way, where each stretch is used up, before the insns that come least often. */
  private cutPath(chosen: Set<number>): void {
    const { stretches, distance } = this;
    // A call counts with all that the function takes, so a function that takes too long is cut before its callers are.
    const global = stretches.globalAbove(distance);
    const nodes =
      global === undefined
        ? stretches.nodes
        : stretches.nodes.filter((v) => stretches.visits.chain(v).outermost === global);
    let start = nodes[0]!;
    for (const v of nodes) if (stretches.rest(v) > stretches.rest(start)) start = v;
    const callee = stretches.callee(start);
    if (callee !== undefined && insnsOf(stretches.cost(start)) > distance) {
      chosen.add(this.place(callee));
      return;
    }
    const path = this.longestWay(start);
    const times = new Map<number, number>();
    const slotAt = (i: number): number => stretches.slot(path[i]!);
    path.forEach((_, i) => {
      times.set(slotAt(i), (times.get(slotAt(i)) ?? 0) + 1);
    });
    for (let from = 0; from < path.length - 1 && stretches.rest(path[from]!) > distance; ) {
      const done = (i: number): number => stretches.rest(path[from]!) - stretches.rest(path[i]!);
      let best: number | undefined;
      for (let to = from + 1; to < path.length && done(to) <= distance; to++) {
        // A poll before the helper's call is not passed where its callback ends.
        if (stretches.endsCallback(path[to - 1]!)) continue;
        if (best !== undefined && done(to) * 2 < distance) continue;
        const fewer = best === undefined || times.get(slotAt(to))! <= times.get(slotAt(best))!;
        if (fewer || done(best!) * 2 < distance) best = to;
      }
      const at = best ?? from + 1;
      const wanted = this.place(slotAt(at));
      // Where the better place is polled already, the way ends before it.
      const slot = chosen.has(wanted) ? slotAt(at) : wanted;
      const known = chosen.has(slot);
      chosen.add(slot);
      // A slot that the way passes again cuts it there, too.
      if (known || times.get(slotAt(at))! > 1) return;
      from = at;
    }
  }

  /** Visits along the way that takes longest from here; a loop counts as one step. */
  private longestWay(start: number): number[] {
    const { stretches } = this;
    const path = [start];
    const seen = new Set(path);
    for (let v = start; ; ) {
      let best: number | undefined;
      stretches.eachNext(v, (n) => {
        if (!seen.has(n) && (best === undefined || stretches.rest(n) > stretches.rest(best))) best = n;
      });
      if (best === undefined) return path;
      path.push(best);
      seen.add(best);
      v = best;
    }
  }
}
