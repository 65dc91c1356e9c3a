/** Which registers and stack slots count when two states are compared: those that may be read before they are written. */
import type { PlaceSet } from '../state/places.js';
import type { Code } from '../text/code.js';

/** The calls that led to each frame of a state. */
interface Calls {
  readonly frames: readonly { readonly callsite: number }[];
}

/**
 * Registers of the frame at `depth` that are live when `slot` runs next. A frame that waits for its callee needs them after the return.
 */
export function liveRegs(code: Code, state: Calls, depth: number, slot: number): number {
  const inner = state.frames[depth + 1];
  if (inner === undefined) return code.live[slot]!;
  return code.live[inner.callsite]! | ((code.live[inner.callsite + 1] ?? 0) & ~CALLER_SAVED);
}

/** Registers that a call changes. */
const CALLER_SAVED = 0b111111;

/** A set of stack slots: the first 32 of a frame, and the rest. */
export type SlotWords = readonly [low: number, high: number];

/** Stack slots of each frame that may be needed, as far as can be told without walking. */
export function liveSlots(code: Code, state: Calls, slot: number): readonly SlotWords[] {
  return state.frames.map((_, depth) => liveSlotsOf(code, state, depth, slot));
}

function liveSlotsOf(code: Code, state: Calls, depth: number, slot: number): SlotWords {
  const [low, high] = code.liveStack;
  const inner = state.frames[depth + 1];
  if (inner === undefined) return [low[slot]!, high[slot]!];
  const at = inner.callsite;
  return [low[at]! | (low[at + 1] ?? 0), high[at]! | (high[at + 1] ?? 0)];
}

/** What counts when two states are compared. */
export interface ComparedPlaces {
  /** The insn before which the states are. Registers that are dead there do not count; undefined: all do. */
  readonly at?: number;
  /** Numbers of the old state that checks relied on, for `not_exact`. */
  readonly precise?: PlaceSet | undefined;
  /** Stack slots that count, by depth of the frame; all unless told. */
  readonly slots?: readonly SlotWords[] | undefined;
}
