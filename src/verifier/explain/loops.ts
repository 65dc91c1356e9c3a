/**
 * Tells what a walk that was given up was spent on. For each loop: how many insns were walked in it, how many states were kept there, and
 * how many paths wait there.
 */
import type { Code } from '../text/code.js';
import type { Walk } from '../walk/walk.js';
import type { Place, Places } from './place.js';

/** What one loop cost a walk that was given up. */
export interface LoopUse {
  /** First and last insn of the loop. */
  readonly from: Place;
  readonly to: Place;
  /** Insns walked in it, on all paths. */
  readonly walked: number;
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
  const walkedAt = new Map<number, number>();
  for (let step = 0; step < steps.size; step++) {
    const slot = steps.slot(step);
    walkedAt.set(slot, (walkedAt.get(slot) ?? 0) + 1);
  }
  const loops = new Map<number, number[]>();
  code.scc.forEach((loop, slot) => {
    if (loop > 0 && code.ops[slot] !== undefined) loops.set(loop, [...(loops.get(loop) ?? []), slot]);
  });
  const waiting = walk.waiting;
  return [...loops.values()]
    .map((slots): LoopUse => {
      const counts = slots.map((slot) => walkedAt.get(slot) ?? 0);
      return {
        from: places.at(slots[0]!),
        to: places.at(slots.at(-1)!),
        walked: counts.reduce((sum, count) => sum + count, 0),
        rounds: Math.max(...counts),
        states: slots.reduce((sum, slot) => sum + walk.statesAt(slot), 0),
        waiting: waiting.filter((slot) => slots.includes(slot)).length,
      };
    })
    .filter(({ walked }) => walked > 0)
    .sort((a, b) => b.walked - a.walked);
}
