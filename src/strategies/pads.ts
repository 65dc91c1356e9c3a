/**
 * Landing pads (`unwind_goto`, Linux 7.4), used to kill: the call that the run comes to next ends in the pad of the function around it, if that
 * function was called with one. The pads are the program's own, verified as ordinary code. A main program, a callback, and C that is compiled
 * without pads have none.
 */
import { rule, ruleSet } from '../patch/define.js';
import { fastPath } from '../patch/fast-path.js';
import { livePads } from '../patch/unwinding.js';
import type { Strategy } from './strategy.js';

const RULES = ruleSet('pads', [
  rule('a call that gives something back runs')
    .when((f) => f.releases)
    .keep(),
  rule('every other call ends in its landing pad').unwind(),
]);

/** Leaves the running function at its next call, where that has a landing pad. */
export const pads: Strategy = {
  name: 'pads',
  does: 'leaves the running function at its next call, for the landing pad of its caller',
  prepare({ code, facts }) {
    if (livePads(code.ops, facts).size === 0) return { cannot: 'it has no landing pads' };
    return {
      kind: 'runs out',
      bytes: 0,
      fastPath: fastPath(code.program, facts, RULES),
      // A helper that calls back is not left.
      sampled: { helpers: new Set() },
    };
  },
};
