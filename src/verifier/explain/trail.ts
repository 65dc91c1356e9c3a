/**
 * The path that was refused, insn by insn. It is read from what a walk keeps anyway (the jump history, or the visits), so it costs an
 * accepted program nothing.
 */
import type { State } from '../state/state.js';
import { NO_STEP } from '../walk/history.js';
import type { Walk } from '../walk/walk.js';

/** One insn that the path ran. */
export interface TrailStep {
  readonly slot: number;
  /** Frame that ran it, 0 is the outermost. */
  readonly depth: number;
}

/** The insns of a path from its start to where it was refused. */
export interface Trail {
  readonly steps: readonly TrailStep[];
  /** States on the way, first one first: each before the step at its index. */
  readonly states: readonly { readonly index: number; readonly state: State }[];
}

/** The trail from the start of the path to the insn that the walk is at. Empty if the walk kept no history. */
export function trailOf(walk: Walk): Trail {
  const { steps, states } = walk.tracker === undefined ? fromVisits(walk) : fromHistory(walk);
  // At a pruning point the walk is before the insn, so the insn is not in the history yet.
  if (steps.at(-1)?.slot !== walk.slot && walk.slot >= 0)
    steps.push({ slot: walk.slot, depth: walk.path.depth });
  return { steps, states };
}

interface Found {
  readonly steps: TrailStep[];
  readonly states: { readonly index: number; readonly state: State }[];
}

function fromHistory({ tracker, parent }: Walk): Found {
  const { steps } = tracker!.backtracker;
  const backwards: TrailStep[] = [];
  const kept: { readonly after: number; readonly state: State }[] = [];
  let state = parent;
  let step = tracker!.step;
  for (;;) {
    for (; step !== NO_STEP; step = steps.prev(step))
      backwards.push({ slot: steps.slot(step), depth: steps.depth(step) });
    if (state === undefined) break;
    kept.push({ after: backwards.length, state: state.state });
    step = state.history;
    state = state.parent;
  }
  const states = kept.reverse().map((one) => ({ index: backwards.length - one.after, state: one.state }));
  return { steps: backwards.reverse(), states };
}

function fromVisits({ current }: Walk): Found {
  const visits = [];
  for (let v = current; v !== undefined; v = v.from) visits.push(v);
  visits.reverse();
  return {
    steps: visits.map(({ slot, state }) => ({ slot, depth: state.frames.length - 1 })),
    states: visits.map(({ state }, index) => ({ index, state })),
  };
}

/** Indices of the calls that are open at `index` of a trail, outermost first. */
export function openCalls(steps: readonly TrailStep[], index: number): number[] {
  const calls: number[] = [];
  let depth = steps[index]?.depth ?? 0;
  for (let i = index - 1; i >= 0 && depth > 0; i--) {
    if (steps[i]!.depth >= depth) continue;
    calls.push(i);
    depth = steps[i]!.depth;
  }
  return calls.reverse();
}
