/** Is a path going round a loop that does not end? Follows states_maybe_looping and iter_active_depths_differ of kernel/bpf/verifier.c. */
import { equal } from '../scalar/scalar.js';
import { UNINIT } from '../state/regs.js';
import type { Reg, State } from '../state/state.js';

/**
 * Whether the path may be in an endless loop: the registers of the running frame are exactly the same, ids included
 * (states_maybe_looping).
 */
export function statesMaybeLooping(old: State, cur: State): boolean {
  const depth = cur.frames.length - 1;
  const a = old.frames[depth]!;
  const b = cur.frames[depth]!;
  for (let n = 0; n < 10; n++) {
    const x = a.regs[n]!;
    const y = b.regs[n]!;
    if (x !== y && !same(x, y)) return false;
  }
  return true;
}

/** What Linux compares byte by byte: all but the frame that a pointer points into, and whether it lost its owner. */
const COMPARED = Object.keys(UNINIT).filter(
  (field) => field !== 'num' && field !== 'frame' && field !== 'unowned',
) as readonly (keyof Reg)[];

const same = (x: Reg, y: Reg): boolean =>
  COMPARED.every((field) => x[field] === y[field]) && equal(x.num, y.num);

/** Whether an iterator has moved on since then, so that this is another round (iter_active_depths_differ). */
export function iterDepthsDiffer(old: State, cur: State): boolean {
  for (let d = 0; d < old.frames.length; d++) {
    const { stack } = old.frames[d]!;
    for (let i = 0; i < stack.length; i++) {
      const iter = stack[i]?.iter;
      if (iter === undefined || !iter.first || iter.state !== 'active') continue;
      if (cur.frames[d]?.stack[i]?.iter?.depth !== iter.depth) return true;
    }
  }
  return false;
}
