/**
 * Tells what a walk that was given up was spent on. For each loop: how many insns were walked in it, how many states were kept there, and
 * how many paths wait there. What a loop calls is walked for the loop: called functions and callbacks count, however deep. A call that
 * calls back is a loop of its own.
 */

import type { Code } from '../text/code.js';
import type { JumpHistory } from '../walk/history.js';
import { NO_STEP } from '../walk/history.js';
import type { Walk } from '../walk/walk.js';
import type { Place, Places } from './place.js';

/** What one loop cost a walk that was given up. */
export interface LoopUse {
  /** First and last insn of the loop. */
  readonly from: Place;
  readonly to: Place;
  /** Insns walked in it and in what it calls, on all paths. */
  readonly walked: number;
  /** Those of them in functions that it calls, and in callbacks. */
  readonly walkedInCalls: number;
  /** How often the insn that was walked most often was walked. */
  readonly rounds: number;
  /** States of it that are kept. */
  readonly states: number;
  /** Paths that begin in it and have not been walked. */
  readonly waiting: number;
}

/** The loops of a walk, the most expensive one first. A walk without precision keeps no history, so it has none. */
export function loopsOf(walk: Walk, code: Code, places: Places): LoopUse[] {
  if (walk.tracker === undefined) return [];
  const { steps } = walk.tracker.backtracker;
  const loops = loopsByNumber(code);
  const loopAt = new Int32Array(code.ops.length);
  loops.forEach((slots, n) => {
    for (const slot of slots) loopAt[slot] = n + 1;
  });
  const walkedAt = new Float64Array(code.ops.length);
  const below = new Float64Array(loops.length + 1);
  const calls = callsOf(steps);
  for (let step = 0; step < steps.size; step++) {
    walkedAt[steps.slot(step)]!++;
    // A loop that calls itself, by way of others, counts what it calls once.
    const seen = new Set<number>([loopAt[steps.slot(step)]!, 0]);
    for (let call = calls[step]!; call !== NO_STEP; call = calls[call]!) {
      const loop = loopAt[steps.slot(call)]!;
      if (!seen.has(loop)) below[loop]!++;
      seen.add(loop);
    }
  }
  const { waiting } = walk;
  return loops
    .map((slots, n): LoopUse => {
      const counts = slots.map((slot) => walkedAt[slot]!);
      const walkedInCalls = below[n + 1]!;
      return {
        from: places.at(slots[0]!),
        to: places.at(slots.at(-1)!),
        walked: counts.reduce((sum, count) => sum + count, 0) + walkedInCalls,
        walkedInCalls,
        rounds: Math.max(...counts),
        states: slots.reduce((sum, slot) => sum + walk.statesAt(slot), 0),
        waiting: waiting.filter((slot) => slots.includes(slot)).length,
      };
    })
    .filter(({ walked }) => walked > 0)
    .sort((a, b) => b.walked - a.walked);
}

/** The slots of each loop, in the order of the program. A call that calls back is on a loop of its own: it may run after itself. */
function loopsByNumber(code: Code): readonly (readonly number[])[] {
  const loops = new Map<number, number[]>();
  code.scc.forEach((loop, slot) => {
    if (loop > 0 && code.ops[slot] !== undefined) loops.set(loop, [...(loops.get(loop) ?? []), slot]);
  });
  return [...loops.values()];
}

/** For each step the step of the call that opened the frame it ran in; `NO_STEP` in the outermost frame. */
function callsOf(steps: JumpHistory): Int32Array {
  const calls = new Int32Array(steps.size);
  for (let step = 0; step < steps.size; step++) {
    const before = steps.origin(step);
    const depth = steps.depth(step);
    let call = before;
    // Out of the frames that have returned since; a step one frame further out is the call itself.
    while (call !== NO_STEP && steps.depth(call) >= depth) call = calls[call]!;
    calls[step] = depth === 0 ? NO_STEP : call;
  }
  return calls;
}
