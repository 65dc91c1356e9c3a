/**
 * How far a program runs between polls: the most insns from any place to the next poll or the exit, over all paths of the verifier's walk.
 * Called functions and callbacks count, and loops whose rounds are known count round by round.
 */
import { subprogTarget } from '../isa/target.js';
import type { Program } from '../object/program.js';
import { longestPaths, VisitGraph } from '../smt/bound.js';
import { type Cost, type CostFrom, inAll, NOTHING, plus } from '../smt/cost.js';
import { callLimit, type LoopLimit, mayGotoLimit } from '../smt/loop-limits.js';
import type { Accepted } from '../verifier/result.js';
import { frameOf } from '../verifier/state/state.js';
import type { Visit } from '../verifier/walk/visit.js';

const ONE: CostFrom = { ...NOTHING, insns: 1 };

/** Insns of a cost; a loop that is ended by time may take any number. */
export const insnsOf = (cost: CostFrom): number => {
  const { insns, ms }: Cost = inAll(cost);
  return ms > 0 ? Number.POSITIVE_INFINITY : insns;
};

/** The program as it runs before a kill, cut where it polls. */
export class Stretches extends VisitGraph {
  private readonly callCosts = new Map<number, CostFrom>();
  private readonly roots: Visit[] = [];
  private readonly globals = new Map<number, Visit>();
  private polled: (slot: number) => boolean = () => false;
  /** By visit, the most that is run from there to a poll or the exit; of the last `measure`. */
  readonly from = new Map<Visit, CostFrom>();

  constructor(
    private readonly program: Program,
    private readonly verified: Accepted,
  ) {
    super(verified.code);
    const { facts, code } = verified;
    for (const { start, linkage } of program.subprogs) {
      const entry = facts.at(start).find((v) => v.state.frames.length === 1 && v.from === undefined);
      if (linkage === 'global' && start !== 0 && entry !== undefined) this.globals.set(start, entry);
    }
    for (const entry of this.globals.values()) this.roots.push(entry);
    for (let slot = 0; slot < code.ops.length; slot++) this.roots.push(...facts.at(slot));
  }

  /** The most insns from any place to the next poll or the exit, where the program polls before these slots. */
  measure(polled: (slot: number) => boolean): number {
    this.polled = polled;
    this.callCosts.clear();
    // The cost of a global function depends on those that it calls, and calls nest only as deep as there are functions.
    for (let round = 0; ; round++) {
      longestPaths(this.roots, this, this.from);
      const before = [...this.callCosts].map(([start, cost]) => `${start} ${insnsOf(cost)}`).join();
      for (const [start, entry] of this.globals)
        this.callCosts.set(start, inAll(this.from.get(entry) ?? NOTHING));
      const after = [...this.callCosts].map(([start, cost]) => `${start} ${insnsOf(cost)}`).join();
      if (before === after || round > this.globals.size) break;
    }
    let longest = 0;
    for (const cost of this.from.values()) longest = Math.max(longest, insnsOf(cost));
    return longest;
  }

  get visits(): readonly Visit[] {
    return this.roots;
  }

  next(v: Visit): readonly Visit[] {
    // A callback returns into its helper: a poll before the helper's call is not passed again.
    if (this.endsCallback(v)) return v.next;
    return v.next.filter(({ slot }) => !this.polled(slot));
  }

  cost(v: Visit): CostFrom {
    const op = this.code.ops[v.slot];
    const target = op?.kind === 'call' && op.target === 'subprog' ? subprogTarget(op, v.slot) : undefined;
    const called = target === undefined ? undefined : this.callCosts.get(target);
    return called === undefined ? ONE : plus(ONE, called);
  }

  limit(v: Visit): LoopLimit | undefined {
    if (this.isMayGoto(v)) return mayGotoLimit(this.verified.kernel);
    const contract = this.code.contracts[v.slot];
    return contract === undefined ? undefined : callLimit(this.program, contract, frameOf(v.state).regs);
  }

  note(): void {}

  /** The insn returns from a callback to the helper that called it. */
  endsCallback(v: Visit): boolean {
    return this.code.ops[v.slot]?.kind === 'exit' && frameOf(v.state).callback !== undefined;
  }
}
