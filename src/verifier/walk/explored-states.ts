/**
 * Keeps states where paths meet. A path ends if its state is covered by one that was walked before. A path that comes back to a state
 * which has not ended is in a loop. Follows is_state_visited of kernel/bpf/verifier.c.
 *
 * There are two ways to compare. With `precision`, as in Linux, numbers that no check relied on may differ (`precision/backtrack.ts`).
 * Without it, a state is covered only if the other state contains it.
 */

import { PlaceSet } from '../state/places.js';
import type { State } from '../state/state.js';
import { frameOf } from '../state/state.js';
import type { Code } from '../text/code.js';
import { refuse } from '../text/refusal.js';
import type { Backedge, ExploredState, SccVisit } from './history.js';
import { type ComparedPlaces, liveSlots } from './live-places.js';
import type { FuncInstance, StackLiveness } from './liveness.js';
import { iterDepthsDiffer, statesMaybeLooping } from './looping.js';
import type { Backtracker } from './precision/backtrack.js';
import { StateComparison, sameCallsites } from './states-equal.js';

/** A path that has come to a place where states are compared: its state and its history. */
export interface Arrival {
  readonly slot: number;
  /** The function that is running, and those that called it. */
  readonly instance: FuncInstance | undefined;
  readonly state: State;
  readonly step: number;
  readonly parent: ExploredState | undefined;
}

/**
 * How a loop through this slot comes to an end: at an iterator that runs dry, a callback call, a may_goto. An iterator that is
 * `drained` already ends no loop.
 */
export type LoopKind = 'iterator' | 'drained' | 'callback' | 'may_goto' | undefined;

/** Rounds over which precision marks are passed on (MAX_BACKEDGE_ITERS). After that every number counts as precise. */
const MAX_BACKEDGE_ITERS = 64;

/**
 * The states that a walk keeps, by slot. It decides where to keep one, whether the present state is covered by one, and whether a loop
 * makes no progress.
 */
export class ExploredStates {
  private readonly bySlot: (ExploredState[] | undefined)[] = [];
  private readonly sccVisits = new Map<string, SccVisit>();
  private readonly comparison: StateComparison;
  /** The states at which paths ended, in the order in which that happened first. */
  readonly covering: ExploredState[] = [];
  count = 0;

  constructor(
    private readonly code: Code,
    strict: boolean,
    private readonly pruning: boolean,
    /** Undefined: every number counts. */
    private readonly backtracker: Backtracker | undefined,
    private readonly liveness: StackLiveness | undefined,
    /** Asks the walk how a loop through the insn at hand ends. */
    private readonly loop: () => LoopKind,
    /** Keep more states, and keep them for good, so that more paths end. */
    private readonly economical = false,
  ) {
    this.comparison = new StateComparison(code, strict, backtracker !== undefined);
  }

  /** Jumps walked so far; the walk counts them. */
  jumps = 0;
  private lastJumps = 0;
  private lastWalked = 0;

  /** Whether enough insns were walked since the last kept state to keep another (the heuristic of is_state_visited). */
  private isDue(walked: number): boolean {
    return this.jumps - this.lastJumps >= 2 && walked - this.lastWalked >= 8;
  }

  /** Whether it is too early to keep another state. In a loop that is walked round by round, states are kept less often. */
  private isTooSoon(walked: number): boolean {
    return this.jumps - this.lastJumps < 20 && walked - this.lastWalked < 100;
  }

  /** States that are kept at this slot now. */
  countAt(slot: number): number {
    return this.bySlot[slot]?.length ?? 0;
  }

  /** The states that are kept now, at all slots. */
  get kept(): readonly ExploredState[] {
    return this.bySlot.flatMap((list) => list ?? []);
  }

  /** Scalars that differ in anything are not the same (explore_alu_limits). */
  compareExactly(): void {
    this.comparison.compareExactly();
  }

  /** What `visit` found: whether the state should be kept. Holds until the next `visit`. */
  keep = false;

  /**
   * The checkpoint that covers this state, if there is one. Refuses a loop that cannot end. `always`: every state is kept here.
   */
  visit(arrival: Arrival, walked: number, always: boolean): ExploredState | undefined {
    const { slot, state } = arrival;
    this.keep = always || this.isDue(walked);
    const list = this.bySlot[slot];
    if (list === undefined) return undefined;
    if (this.liveness !== undefined) for (const old of list) this.noteReadSlots(old, arrival, this.liveness);
    const kind = this.loop();
    const { callsite } = frameOf(state);
    // What counts while it is not known yet what the paths from a state read. It is the same for every state that is looked at.
    const alive: ComparedPlaces =
      this.liveness === undefined ? { at: slot, slots: liveSlots(this.code, state, slot) } : { at: slot };
    for (let i = list.length - 1; i >= 0; i--) {
      const old = list[i]!;
      // States with other call sites are kept apart (explored_state).
      if (frameOf(old.state).callsite !== callsite) continue;
      const sameCalls = sameCallsites(old.state, state);
      if (old.branches > 0) {
        if (sameCalls && this.endsLoop(old, state, kind, alive)) return this.hit(old, arrival, true);
        if (!always && !this.economical && this.isTooSoon(walked)) this.keep = false;
      } else if (sameCalls && (this.pruning || kind !== undefined)) {
        const unfinished = old.sccVisit !== undefined && old.sccVisit.backedges.length > 0;
        const needed = this.backtracker !== undefined && !unfinished;
        // All paths from this state have ended, so only what they needed counts.
        const covers = needed
          ? this.comparison.covers(old.state, state, 'not_exact', {
              at: slot,
              precise: old.precise,
              slots: old.readSlots,
            })
          : this.comparison.covers(old.state, state, 'range_within', alive);
        if (covers) return this.hit(old, arrival, unfinished);
      }
      if (this.keep) old.misses++;
      const patience = always && old.branches > 0 ? 64 : 3;
      if (!this.economical && old.misses > old.hits * patience + patience) list.splice(i, 1);
    }
    return undefined;
  }

  /** The path has come back to `old`, whose paths have not all ended. Does the path end here? */
  private endsLoop(old: ExploredState, state: State, kind: LoopKind, alive: ComparedPlaces): boolean {
    // Entering a callback that runs later a second time is no round of a loop.
    const running = frameOf(old.state).callback;
    if (running?.async === true && running !== frameOf(state).callback) return false;
    if (kind === 'drained') return false;
    if (kind === 'iterator' || kind === 'callback')
      return this.comparison.covers(old.state, state, 'range_within', alive);
    if (kind === 'may_goto' && old.state.mayGoto !== state.mayGoto)
      return this.comparison.covers(old.state, state, 'range_within', alive);
    if (
      statesMaybeLooping(old.state, state) &&
      old.state.mayGoto === state.mayGoto &&
      (old.state.unrolled ?? 0) === (state.unrolled ?? 0) &&
      this.comparison.covers(old.state, state, 'exact', { at: old.slot }) &&
      !iterDepthsDiffer(old.state, state)
    )
      refuse(`infinite loop detected at insn ${old.slot}`);
    return false;
  }

  /** Notes, once all paths from a state have ended, which stack slots they read (clean_live_states). */
  private noteReadSlots(
    old: ExploredState,
    { slot, state, instance }: Arrival,
    liveness: StackLiveness,
  ): void {
    if (old.readSlots !== undefined || old.branches > 0 || instance === undefined) return;
    if ((old.sccVisit !== undefined && old.sccVisit.backedges.length > 0) || !sameCallsites(old.state, state))
      return;
    old.readSlots = state.frames.map((_, depth) => liveness.aliveSlots(instance, slot, depth));
  }

  private hit(old: ExploredState, arrival: Arrival, unfinished: boolean): ExploredState {
    if (old.hits === 0) this.covering.push(old);
    old.hits++;
    if (this.comparison.imprecise) old.coversLoosely = true;
    if (this.backtracker !== undefined) {
      const depth = arrival.state.frames.length - 1;
      const edge: Backedge = { covered: old, step: arrival.step, parent: arrival.parent, depth };
      this.propagatePrecision(edge);
      if (unfinished) old.sccVisit?.backedges.push(edge);
    }
    return old;
  }

  /** Numbers that are precise in the covering state become precise in the covered one (propagate_precision). */
  private propagatePrecision({ covered, step, parent, depth }: Backedge): boolean {
    const tracker = this.backtracker!;
    tracker.wanted.addAll(covered.precise);
    return tracker.markChainPrecision(step, parent, covered.slot, depth);
  }

  /** `history`: keep the insns that led here. */
  add({ slot, state, step, parent }: Arrival, node: number, walked: number): ExploredState {
    const sccVisit = this.sccVisitOf(slot, state);
    const explored: ExploredState = {
      slot,
      state,
      node,
      branches: 1,
      hits: 0,
      coversLoosely: false,
      misses: 0,
      parent,
      history: step,
      precise: new PlaceSet(),
      readSlots: undefined,
      sccVisit,
    };
    if (sccVisit !== undefined) sccVisit.entry ??= explored;
    const list = this.bySlot[slot];
    if (list === undefined) this.bySlot[slot] = [explored];
    else list.push(explored);
    this.count++;
    this.lastJumps = this.jumps;
    this.lastWalked = walked;
    return explored;
  }

  /** The outermost loop that the state is in, told apart by the calls that lead to it (compute_scc_callchain). */
  private sccVisitOf(slot: number, { frames }: State): SccVisit | undefined {
    if (this.backtracker === undefined) return undefined;
    let key = '';
    for (let d = 0; d < frames.length; d++) {
      const at = frames[d + 1]?.callsite ?? slot;
      const loop = this.code.scc[at]!;
      key += loop > 0 ? `#${loop}` : `${at},`;
      if (loop === 0) continue;
      let visit = this.sccVisits.get(key);
      if (visit === undefined) {
        visit = { entry: undefined, backedges: [] };
        this.sccVisits.set(key, visit);
      }
      return visit;
    }
    return undefined;
  }

  /** A path that started at this checkpoint (or below it) has ended. */
  updateBranchCounts(from: ExploredState | undefined): void {
    for (let c = from; c !== undefined; c = c.parent) {
      c.branches--;
      if (c.branches > 0) return;
      if (c.sccVisit?.entry === c) this.propagateBackedges(c.sccVisit);
    }
  }

  /** All paths of the loop have ended: passes marks on until they reach every state that was found covered in it (propagate_backedges). */
  private propagateBackedges(visit: SccVisit): void {
    visit.entry = undefined;
    const { backedges } = visit;
    for (let i = 0, changed = true; changed; i++) {
      changed = false;
      if (i > MAX_BACKEDGE_ITERS) for (const edge of backedges) markAllScalarsPrecise(edge.parent);
      for (const edge of backedges) if (this.propagatePrecision(edge)) changed = true;
    }
    visit.backedges = [];
  }
}

/** Every number in this state and in its parents counts as precise (mark_all_scalars_precise). */
function markAllScalarsPrecise(from: ExploredState | undefined): void {
  for (let c = from; c !== undefined; c = c.parent) c.precise.addEverything();
}

/** The last time this path came through `slot` with the same calls open (find_prev_entry). */
export function findPrevEntry(
  from: ExploredState | undefined,
  slot: number,
  state: State,
): ExploredState | undefined {
  for (let c = from; c !== undefined; c = c.parent) {
    if (c.slot === slot && sameCallsites(c.state, state)) return c;
  }
  return undefined;
}
