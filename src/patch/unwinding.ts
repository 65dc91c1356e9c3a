/**
 * Where a call that a rule lets end in its landing pad really goes. The function that makes the call is left as by `unwind_exit`, with 0 in
 * r0, so the pad is that of the call of this function. Not every frame has one; where there is none the call is kept.
 */
import type { Op } from '../isa/insn.js';
import { subprogTarget } from '../isa/target.js';
import type { Facts } from '../verifier/result.js';
import type { State } from '../verifier/state/state.js';
import { frameOf } from '../verifier/state/state.js';
import { padOf } from '../verifier/text/pads.js';
import type { Landing } from '../verifier/walk/options.js';
import type { FastPath } from './rule.js';

/**
 * Slots of the calls whose landing pad is there in a running program: an ordinary run may come to it. Linux takes out code that no path of its
 * verifier reaches, and so it does with a pad that nothing leads to. `facts`: those of ordinary runs.
 */
export function livePads(ops: readonly (Op | undefined)[], facts: Facts): ReadonlySet<number> {
  return new Set(
    ops.flatMap((_, slot) =>
      padOf(ops, slot) !== undefined && facts.at(slot + 1).some(({ state }) => state.unwound === true)
        ? [slot]
        : [],
    ),
  );
}

/**
 * Where the function that runs in this state goes on when it is left by unwind_exit: in the pad of its call; in a pad or nowhere, which is for
 * a global function that is called with and without one; nowhere. A callback and the main program have no pad.
 */
export function landingOf(
  state: State,
  ops: readonly (Op | undefined)[],
  pads: ReadonlySet<number>,
): Landing {
  const { callback, callsite, subprog } = frameOf(state);
  if (callback !== undefined) return 'none';
  if (state.frames.length > 1) return pads.has(callsite) ? 'pad' : 'none';
  if (subprog === 0 || pads.size === 0) return 'none';
  // A global function that is verified alone: any of its calls may have led here.
  const calls = ops.flatMap((op, slot) =>
    op?.kind === 'call' && subprogTarget(op, slot) === subprog ? [pads.has(slot)] : [],
  );
  if (!calls.includes(true)) return 'none';
  return calls.includes(false) ? 'some' : 'pad';
}

/** Where the call at a slot goes in this state of a killed run; `none` where it is made, or replaced by a stub. */
export function landingAt(
  { unwinds }: FastPath,
  ops: readonly (Op | undefined)[],
  slot: number,
  state: State,
): Landing {
  return unwinds?.calls.has(slot) === true ? landingOf(state, ops, unwinds.pads) : 'none';
}
