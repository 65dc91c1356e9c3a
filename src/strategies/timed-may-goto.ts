/**
 * Timed may_goto: each function that loops with may_goto has a clock of its own, and when its time is over its loops end. The kill is that moment,
 * for all functions that are open then. A function that is called later begins with a clock of its own.
 */
import type { Strategy } from './strategy.js';

/** Ends the may_goto loops of the open functions, and nothing else. */
export const timedMayGoto: Strategy = {
  name: 'timed-may-goto',
  does: 'ends the may_goto loops of the functions that are open; the program runs on',
  prepare({ code: { ops } }) {
    const slots = ops.flatMap((op, slot) => (op?.kind === 'may_goto' ? [slot] : []));
    if (slots.length === 0) return { cannot: 'it has no may_goto' };
    return {
      kind: 'runs out',
      bytes: 0,
      // The clock is looked at besides the count.
      extra: ({ visits }) => slots.reduce((sum, slot) => sum + visits[slot]!, 0),
      fastPath: { rules: 'timed-may-goto', stubs: new Map() },
      sampled: { mayGoto: 'open', helpers: new Set() },
    };
  },
};
