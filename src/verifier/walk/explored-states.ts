/**
 * States kept where paths meet, so that a path is not walked again when what it knows was walked before; and the loops that
 * this makes visible. Follows is_state_visited of kernel/bpf/verifier.c.
 *
 * Two ways to compare. With `precision`, as Linux: numbers that no check relied on may differ (`precision/backtrack.ts`). Without, a state is
 * found covered only if the other really contains it.
 */

import { PlaceSet } from '../state/places.js';
import type { State } from '../state/state.js';
import { frameOf } from '../state/state.js';
import type { Code } from '../text/code.js';
import { refuse } from '../text/refusal.js';
import type { Backedge, ExploredState, Round } from './history.js';
import type { Activation, StackLiveness } from './liveness.js';
import type { Backtracker } from './precision/backtrack.js';
import type { Counts } from './states-equal.js';
import { liveSlots, maybeLooping, roundsDiffer, StateComparison, sameCalls } from './states-equal.js';
import type { Visit } from './visit.js';

/** Where a path is: what is compared, and how it came here. */
export interface Arrival {
  readonly slot: number;
  /** The function that is running, and those that called it. */
  readonly activation: Activation | undefined;
  readonly state: State;
  readonly step: number;
  readonly parent: ExploredState | undefined;
}

/**
 * How a loop through this slot comes to an end: at an iterator that runs dry, a callback call, a may_goto. An iterator that is
 * `drained` already ends no loop.
 */
export type LoopKind = 'iterator' | 'drained' | 'callback' | 'may_goto' | undefined;

/** Rounds over which marks are passed on (MAX_BACKEDGE_ITERS); after that every number counts. */
const MAX_ROUNDS = 64;

export interface Found {
  readonly by: ExploredState | undefined;
  /** It differs from what covers it in what facts may say. */
  readonly loose: boolean;
}

export class ExploredStates {
  private readonly bySlot: (ExploredState[] | undefined)[] = [];
  private readonly rounds = new Map<string, Round>();
  private readonly comparison: StateComparison;
  count = 0;

  constructor(
    private readonly code: Code,
    strict: boolean,
    private readonly pruning: boolean,
    /** Undefined: every number counts. */
    private readonly backtracker: Backtracker | undefined,
    private readonly life: StackLiveness | undefined,
    /** Asks the walk how a loop through the insn at hand ends. */
    private readonly loop: () => LoopKind,
  ) {
    this.comparison = new StateComparison(code, strict, backtracker !== undefined);
  }

  /** Jumps walked so far; the walk counts them. */
  jumps = 0;
  private lastJumps = 0;
  private lastWalked = 0;

  /** Enough has happened since a state was last kept that another may be worth it (the heuristic of is_state_visited). */
  private isTime(walked: number): boolean {
    return this.jumps - this.lastJumps >= 2 && walked - this.lastWalked >= 8;
  }

  /** In a loop that is walked round by round states are kept less often. */
  private isSoon(walked: number): boolean {
    return this.jumps - this.lastJumps < 20 && walked - this.lastWalked < 100;
  }

  /** Scalars that differ in anything are not the same (explore_alu_limits). */
  compareExactly(): void {
    this.comparison.exactly = true;
  }

  /** What `visit` found: whether the state should be kept. Holds until the next `visit`. */
  keep = false;

  /**
   * The checkpoint that covers this state, if there is one. Refuses a loop that cannot end. `always`: every state is kept here.
   */
  visit(arrival: Arrival, walked: number, always: boolean): Found {
    const { slot, state } = arrival;
    this.keep = always || this.isTime(walked);
    const list = this.bySlot[slot];
    if (list === undefined) return NOT_FOUND;
    if (this.life !== undefined) for (const old of list) this.clean(old, arrival, this.life);
    const kind = this.loop();
    const { callsite } = frameOf(state);
    // What counts while not all that is read below is known: the same for every state that is looked at.
    const alive: Counts =
      this.life === undefined ? { at: slot, slots: liveSlots(this.code, state, slot) } : { at: slot };
    for (let i = list.length - 1; i >= 0; i--) {
      const old = list[i]!;
      // Those that another call leads to are kept apart (explored_state).
      if (frameOf(old.state).callsite !== callsite) continue;
      const alike = sameCalls(old.state, state);
      if (old.branches > 0) {
        if (alike && this.endsLoop(old, state, kind, alive))
          return this.hit(old, arrival, kind !== 'callback');
        if (!always && this.isSoon(walked)) this.keep = false;
      } else if (alike && (this.pruning || kind !== undefined)) {
        const unfinished = old.round !== undefined && old.round.backedges.length > 0;
        const needed = this.backtracker !== undefined && !unfinished;
        // What counts of a state all of whose paths have ended: what they needed of it.
        const covers = needed
          ? this.comparison.covers(old.state, state, 'needed', {
              at: slot,
              marks: old.marks,
              slots: old.read,
            })
          : this.comparison.covers(old.state, state, 'within', alive);
        if (covers) return this.hit(old, arrival, unfinished);
      }
      if (this.keep) old.misses++;
      const patience = always && old.branches > 0 ? 64 : 3;
      if (old.misses > old.hits * patience + patience) list.splice(i, 1);
    }
    return NOT_FOUND;
  }

  /** The path has come round to `old`, which has not ended: is that an end? */
  private endsLoop(old: ExploredState, state: State, kind: LoopKind, alive: Counts): boolean {
    // Another entry of a callback that runs later is no round of a loop.
    const running = frameOf(old.state).callback;
    if (running?.async === true && running !== frameOf(state).callback) return false;
    if (kind === 'drained') return false;
    if (kind === 'iterator' || kind === 'callback')
      return this.comparison.covers(old.state, state, 'within', alive);
    if (kind === 'may_goto' && old.state.mayGoto !== state.mayGoto)
      return this.comparison.covers(old.state, state, 'within', alive);
    if (
      maybeLooping(old.state, state) &&
      old.state.mayGoto === state.mayGoto &&
      (old.state.unrolled ?? 0) === (state.unrolled ?? 0) &&
      this.comparison.covers(old.state, state, 'exact', { at: old.slot }) &&
      !roundsDiffer(old.state, state)
    )
      refuse(`infinite loop detected at insn ${old.slot}`);
    return false;
  }

  /** Notes, once all paths from a state have ended, which stack slots they read (clean_live_states). */
  private clean(old: ExploredState, { slot, state, activation }: Arrival, life: StackLiveness): void {
    if (old.read !== undefined || old.branches > 0 || activation === undefined) return;
    if ((old.round !== undefined && old.round.backedges.length > 0) || !sameCalls(old.state, state)) return;
    old.read = state.frames.map((_, depth) => life.needed(activation, slot, depth));
  }

  private hit(old: ExploredState, arrival: Arrival, unfinished: boolean): Found {
    old.hits++;
    const { loose } = this.comparison;
    if (this.backtracker !== undefined) {
      const depth = arrival.state.frames.length - 1;
      const edge: Backedge = { covered: old, step: arrival.step, parent: arrival.parent, depth };
      this.passOn(edge);
      if (unfinished) old.round?.backedges.push(edge);
    }
    return { by: old, loose };
  }

  /** What the covering state relies on, the covered one relies on too (propagate_precision). */
  private passOn({ covered, step, parent, depth }: Backedge): boolean {
    const tracker = this.backtracker!;
    tracker.wanted.addAll(covered.marks);
    return tracker.mark(step, parent, covered.slot, depth);
  }

  /** `history`: keep the insns that led here. */
  add({ slot, state, step, parent }: Arrival, visit: Visit | undefined, walked: number): ExploredState {
    const round = this.roundOf(slot, state);
    const checkpoint: ExploredState = {
      slot,
      state,
      visit,
      branches: 1,
      hits: 0,
      misses: 0,
      parent,
      history: step,
      marks: new PlaceSet(),
      read: undefined,
      round,
    };
    if (round !== undefined) round.entry ??= checkpoint;
    const list = this.bySlot[slot];
    if (list === undefined) this.bySlot[slot] = [checkpoint];
    else list.push(checkpoint);
    this.count++;
    this.lastJumps = this.jumps;
    this.lastWalked = walked;
    return checkpoint;
  }

  /** The outermost loop that the state is in, told apart by the calls that lead to it (compute_scc_callchain). */
  private roundOf(slot: number, { frames }: State): Round | undefined {
    if (this.backtracker === undefined) return undefined;
    let key = '';
    for (let d = 0; d < frames.length; d++) {
      const at = frames[d + 1]?.callsite ?? slot;
      const loop = this.code.loop[at]!;
      key += loop > 0 ? `#${loop}` : `${at},`;
      if (loop === 0) continue;
      let round = this.rounds.get(key);
      if (round === undefined) {
        round = { entry: undefined, backedges: [] };
        this.rounds.set(key, round);
      }
      return round;
    }
    return undefined;
  }

  /** A path that started at this checkpoint (or below it) has ended. */
  pathEnded(from: ExploredState | undefined): void {
    for (let c = from; c !== undefined; c = c.parent) {
      c.branches--;
      if (c.branches > 0) return;
      if (c.round?.entry === c) this.finish(c.round);
    }
  }

  /** All paths of the loop have ended: passes marks on until they reach every state that was found covered in it (propagate_backedges). */
  private finish(round: Round): void {
    round.entry = undefined;
    const { backedges } = round;
    for (let i = 0, changed = true; changed; i++) {
      changed = false;
      if (i > MAX_ROUNDS) for (const edge of backedges) markAll(edge.parent);
      for (const edge of backedges) if (this.passOn(edge)) changed = true;
    }
    round.backedges = [];
  }
}

const NOT_FOUND: Found = { by: undefined, loose: false };

/** Every number from here up counts (mark_all_scalars_precise). */
function markAll(from: ExploredState | undefined): void {
  for (let c = from; c !== undefined; c = c.parent) c.marks.addEverything();
}

/** The last time this path came through `slot` with the same calls open (find_prev_entry). */
export function lastTimeRound(
  from: ExploredState | undefined,
  slot: number,
  state: State,
): ExploredState | undefined {
  for (let c = from; c !== undefined; c = c.parent) {
    if (c.slot === slot && sameCalls(c.state, state)) return c;
  }
  return undefined;
}
