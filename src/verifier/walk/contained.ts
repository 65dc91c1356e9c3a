/** Whether a path that ends at a kept state is contained in it, number by number. Then what is known behind that state is true of the path. */
import type { State } from '../state/state.js';
import type { Code } from '../text/code.js';
import type { ExploredState } from './history.js';
import { liveSlots } from './live-places.js';
import { StateComparison } from './states-equal.js';
import { LEAVES_OUT, type LeftWhereStatesMeet } from './visit-graph.js';

/**
 * How much must be left out of the kept state `old` for it to be true of the present state of a path: nothing, registers that are dead at its insn, or dead
 * stack slots too. Undefined: more. A walk with precision ends paths at such states.
 */
export function containedWithout(
  code: Code,
  strict: boolean,
  { slot, state: old }: ExploredState,
  state: State,
): LeftWhereStatesMeet | undefined {
  const comparison = new StateComparison(code, strict, false);
  if (comparison.covers(old, state, 'range_within', {})) return LEAVES_OUT.nothing;
  if (comparison.covers(old, state, 'range_within', { at: slot })) return LEAVES_OUT.registers;
  const alive = { at: slot, slots: liveSlots(code, state, slot) };
  return comparison.covers(old, state, 'range_within', alive) ? LEAVES_OUT.places : undefined;
}
