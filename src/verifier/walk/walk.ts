/**
 * The walk over all paths of a program: one insn after the other (`insn-step.ts`), both ways at a branch, into subprograms and callbacks,
 * until every path has ended or is covered by a state that was explored before (`explored-states.ts`). Follows do_check of
 * kernel/bpf/verifier.c.
 *
 * A walk can also start from states in the middle of a program and replace calls by stubs: `smt/program-proof.ts` examines the fast path
 * this way.
 */
import type { Op } from '../../isa/insn.js';
import type { Program } from '../../object/program.js';
import { iterAt } from '../call/args-slots.js';
import type { CalledBack } from '../call/calls.js';
import type { Globals } from '../call/globals.js';
import { Speculation } from '../insn/speculation.js';
import { Path } from '../state/path.js';
import type { State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { callsSyncCallback, PRUNE_POINT } from '../text/code.js';
import { TRAIT } from '../text/insn-traits.js';
import { Refusal, refuse } from '../text/refusal.js';
import { cleanDeadSlots } from './clean-state.js';
import { containedWithout } from './contained.js';
import type { LoopKind } from './explored-states.js';
import { ExploredStates } from './explored-states.js';
import type { ExploredState } from './history.js';
import { NO_STEP } from './history.js';
import { InsnStep, type Paths } from './insn-step.js';
import type { Start, WalkOptions } from './options.js';
import { type HistoryPosition, NO_HISTORY, PrecisionTracker } from './precision/tracker.js';
import type { Visit } from './visit.js';
import { LEAVES_OUT, type LeftWhereStatesMeet, NO_VISIT } from './visit-graph.js';
import { NO_VISITS, Visits, type VisitsPosition } from './visits.js';

/** A path to be walked later. */
interface Pending extends Start {
  readonly visits: VisitsPosition;
  /** The state that was kept last on the path. */
  readonly parent: ExploredState | undefined;
  readonly history: HistoryPosition;
}

/** BPF_COMPLEXITY_LIMIT_JMP_SEQ: paths that wait to be walked, at the most. */
const MOST_PENDING = 8192;
/** Entries of the jump history since a state was last kept, after which another is due (jmp_history_cnt > 40 in is_state_visited). */
const LONG_HISTORY = 40;

/**
 * One walk. `program-proof.ts` reads its visits, counts and imprecise prunes afterwards. It throws Refusal at the first insn that
 * Linux refuses.
 */
export class Walk implements Paths {
  readonly path: Path;
  /** Slot of the insn at hand. */
  slot = -1;
  /** Insns walked so far. */
  walked = 0;
  parent: ExploredState | undefined;
  tracker: PrecisionTracker | undefined;
  private readonly step: InsnStep;
  private readonly explored: ExploredStates;
  private visited: Visits | undefined;
  /** What facts leave out where states are compared, of a walk with precision. */
  leavesOut: LeftWhereStatesMeet = LEAVES_OUT.nothing;
  /** For a loader without CAP_PERFMON. */
  private readonly speculation: Speculation | undefined;
  private work: Pending[] = [];
  /** No insn of the present start was walked yet. */
  private atStart = false;

  constructor(
    readonly program: Program,
    readonly code: Code,
    private readonly options: WalkOptions,
    firstId = 0,
  ) {
    this.path = new Path(program, options.profile, { next: firstId });
    this.path.cpus = options.cpus;
    this.path.kernel = options.kernel;
    this.step = new InsnStep(this, this.path, program, code, options);
    const precise = options.precision === true;
    this.tracker = precise ? new PrecisionTracker(this.path, code) : undefined;
    this.explored = new ExploredStates(
      code,
      options.profile === 'strict',
      options.pruning !== false,
      this.tracker?.backtracker,
      this.tracker?.liveness,
      () => this.loopKind(),
      options.economical === true,
    );
    if (options.profile === 'strict' && options.stubAt === undefined) {
      this.speculation = new Speculation(
        this.path,
        code.ops.length,
        () => this.guess(this.slot + 1),
        () => this.explored.compareExactly(),
      );
      this.path.guard = this.speculation;
    }
    if (options.visits !== undefined)
      this.visited = new Visits(
        options.visits,
        code,
        options.keepsState ?? (() => true),
        options.closing === undefined,
      );
  }

  /** States kept for pruning, as the kernel's total_states. */
  get states(): number {
    return this.explored.count;
  }

  /** Slots at which paths wait to be walked. */
  get waiting(): readonly number[] {
    return this.work.map(({ slot }) => slot);
  }

  /** States that are kept at this slot now. */
  statesAt(slot: number): number {
    return this.explored.countAt(slot);
  }

  /**
   * Whether the visits are facts: every path that ended at a state is contained in it, without what facts leave out. Where something was widened they would be
   * too, but a walk from the widened state has no rounds before it, so that its loops have tighter bounds.
   */
  get makesFacts(): boolean {
    return this.visited !== undefined && !this.widened;
  }

  /** The states that are kept now. */
  get kept(): readonly ExploredState[] {
    return this.explored.kept;
  }

  /** The states at which paths ended because they cover them. */
  get covering(): readonly ExploredState[] {
    return this.explored.covering;
  }

  /** The visit at which the walk was when it stopped; undefined where it adds none. */
  get current(): Visit | undefined {
    const { visited } = this;
    return visited === undefined || visited.current === NO_VISIT
      ? undefined
      : visited.graph.visit(visited.current);
  }

  /** Whether something was widened. A refusal may then come from the lost precision. */
  get widened(): boolean {
    return this.step.widened;
  }

  /** First slots of the global subprograms that were called. */
  get called(): Set<number> {
    return this.step.called;
  }

  /** Subprograms that functions of the kernel call back. */
  get calledBack(): CalledBack {
    return this.step.calledBack;
  }

  get globals(): Globals {
    return this.step.globals;
  }

  /**
   * Walks everything that may happen from this state. Throws `Refusal`. Returns the visit that stands for the start; `NO_VISIT` where no visits
   * are kept. Its first insn is walked even if a head covers the start.
   */
  from(start: Start): number {
    const { visited, path } = this;
    if (visited !== undefined) visited.first = undefined;
    this.atStart = true;
    const { slot, state } = start;
    this.work.push({ slot, state, visits: NO_VISITS, parent: undefined, history: NO_HISTORY });
    while (this.work.length > 0) {
      const pending = this.work.pop()!;
      path.restore(pending.state);
      this.parent = pending.parent;
      visited?.restore(pending.visits);
      this.tracker?.restore(pending.history);
      this.run(pending.slot);
      this.explored.updateBranchCounts(this.parent);
    }
    return visited?.first?.node ?? NO_VISIT;
  }

  push(slot: number): void {
    if (this.work.length >= MOST_PENDING) refuse(`The sequence of ${MOST_PENDING + 1} jumps is too complex.`);
    const { path, parent, visited } = this;
    // A callback that runs later does not depend on the path that led here.
    if (this.startsAsyncCallback(slot, path.peek())) {
      const visits = { ...NO_VISITS, current: visited?.current ?? NO_VISIT };
      this.work.push({ slot, state: path.snapshot(), visits, parent: undefined, history: NO_HISTORY });
      return;
    }
    if (parent !== undefined) parent.branches++;
    const history = this.tracker?.save() ?? NO_HISTORY;
    this.work.push({ slot, state: path.snapshot(), visits: visited?.save() ?? NO_VISITS, parent, history });
  }

  guess(slot: number): void {
    const { path } = this;
    const real = !path.speculative;
    path.speculative = true;
    this.push(slot);
    path.speculative = !real;
  }

  /** Whether this is the start of a callback that the insn at hand registered to run later. */
  startsAsyncCallback(slot: number, { frames }: State): boolean {
    const frame = frames[0]!;
    return (
      frames.length === 1 &&
      frame.callback?.async === true &&
      frame.callsite === this.slot &&
      frame.subprog === slot
    );
  }

  /** Follows one path to its end, or to where a state that was explored before covers it. */
  private run(start: number): void {
    const { code, path, explored, tracker } = this;
    const { visited } = this;
    const { tally } = this.options;
    let slot: number | undefined = start;
    while (slot !== undefined) {
      this.slot = slot;
      const op: Op | undefined = code.ops[slot];
      if (op === undefined) refuse(`no insn at slot ${slot}`);
      this.walked++;
      if (tally !== undefined) tally[slot]!++;
      if (this.walked > this.options.budget) {
        throw new Refusal(`BPF program is too large. Processed ${this.walked} insn`, 'budget', -1);
      }
      const how = code.prunePoints[slot]!;
      if (how !== PRUNE_POINT.no) {
        if (this.isVisited(slot, how)) return;
      } else if (visited !== undefined && !path.speculative) this.visit(slot, false);
      this.atStart = false;
      const traits = code.traits[slot]!;
      if ((traits & TRAIT.jumps) !== 0) explored.jumps++;
      slot = path.speculative ? this.guessed(slot, op) : this.step.run(slot, op);
      if ((traits & TRAIT.changesFrame) !== 0) tracker?.findInstance();
    }
  }

  /**
   * The path has come to where states are compared. True if an explored state covers it: the path ends here. Otherwise its state is kept,
   * if one is due (is_state_visited).
   */
  private isVisited(slot: number, how: number): boolean {
    const { path, explored, tracker, visited } = this;
    const fact = this.meetsFact(slot);
    if (fact !== 'unknown') return fact === 'ends';
    if (tracker === undefined || this.options.economical === true) cleanDeadSlots(path, this.code, slot);
    const arrival = {
      slot,
      state: path.peek(),
      step: tracker?.step ?? NO_STEP,
      parent: this.parent,
      instance: tracker?.instance,
    };
    const always = how === PRUNE_POINT.forced || (tracker?.entries ?? 0) > LONG_HISTORY;
    const by = explored.visit(arrival, this.walked, always);
    if (by !== undefined) {
      if (!path.speculative) this.endsAt(by);
      return true;
    }
    const node = visited === undefined || path.speculative ? NO_VISIT : this.visit(slot, true);
    if (explored.keep) {
      this.parent = explored.add({ ...arrival, state: path.snapshot() }, node, this.walked);
      tracker?.stateKept();
    }
    return false;
  }

  /** The path ends because an explored state covers it. If that state is not true of the path, the visits are no facts, and no more are made. */
  private endsAt(by: ExploredState): void {
    const { visited, path, code } = this;
    if (visited === undefined) return;
    visited.leadTo(by);
    if (this.tracker === undefined) return;
    const leaves = containedWithout(code, path.strict, by, path.peek());
    if (leaves === undefined) this.visited = undefined;
    else if (leaves === LEAVES_OUT.places || this.leavesOut === LEAVES_OUT.nothing) this.leavesOut = leaves;
  }

  /** Whether the path ends at a fact of another walk, or of the walk whose facts this one makes. If not, and it is the latter, it goes on. */
  private meetsFact(slot: number): 'ends' | 'goes on' | 'unknown' {
    const { path, visited, options } = this;
    const { heads, closing } = options;
    if ((heads === undefined && closing === undefined) || path.speculative) return 'unknown';
    if (!this.atStart) {
      const by = closing?.meet(slot, path.peek()) ?? heads?.findFact(slot, path.peek());
      if (by !== undefined) {
        visited?.leadTo(by);
        return 'ends';
      }
    }
    if (closing === undefined) return 'unknown';
    this.visit(slot, true);
    return 'goes on';
  }

  private visit(slot: number, meets: boolean): number {
    return this.visited!.add(slot, this.path, meets);
  }

  /** Runs one insn on a speculative path. An error there is no refusal: a barrier before the insn keeps the processor from running it. */
  private guessed(slot: number, op: Op): number | undefined {
    const guard = this.speculation;
    if (guard === undefined || guard.stopsBefore(slot)) return undefined;
    try {
      const next = this.step.run(slot, op);
      return guard.stopsAfter(slot) ? undefined : next;
    } catch (error) {
      guard.recover(slot, error);
      return undefined;
    }
  }

  /** How a loop through the insn at hand ends. */
  private loopKind(): LoopKind {
    const { slot } = this;
    if (this.code.prunePoints[slot] !== PRUNE_POINT.forced) return undefined;
    if (this.code.ops[slot]?.kind === 'may_goto') return 'may_goto';
    const contract = this.code.contracts[slot];
    if (contract === undefined) return undefined;
    if (contract.outcomes.some((o) => o.effects.some((e) => e.kind === 'iter_next'))) {
      return iterAt(this.path, this.path.reg(1))?.state === 'active' ? 'iterator' : 'drained';
    }
    return callsSyncCallback(contract) ? 'callback' : undefined;
  }
}
