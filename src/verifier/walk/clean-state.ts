/**
 * Removes dead registers and stack slots from a state before it becomes a fact. Two paths that differ only in dead values share a fact,
 * so the fact must not mention them.
 */

import type { Path } from '../state/path.js';
import { UNINIT } from '../state/regs.js';
import type { Frame, Slot, State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { liveRegs, liveSlots, type SlotWords } from './live-places.js';

/**
 * Removes stack slots of the running frame that are written before they are read. Objects that must be given back stay, even if nothing
 * reads them.
 */
export function cleanDeadSlots(path: Path, code: Code, slot: number): void {
  const { stack } = path.frame;
  const [lows, highs] = code.liveStack;
  const low = lows[slot]!;
  const high = highs[slot]!;
  if (low === -1 && high === -1) return;
  for (let i = 0; i < stack.length; i++) {
    const s = stack[i];
    if (s === undefined || ((i < 32 ? low >> i : high >> (i - 32)) & 1) !== 0) continue;
    if (!mustStay(s)) path.setSlot(path.depth, i, undefined);
  }
}

/** What a fact leaves out: registers and stack slots, one bit each, for every frame of its state, outermost first. Never changed once it is made. */
export interface LeftOut {
  readonly regs: readonly number[];
  readonly slots: readonly SlotWords[];
}

const NO_SLOTS: SlotWords = [0, 0];

/**
 * All that is dead when the insn at `slot` runs next. `callsites`: slots of the calls that led to each frame, outermost first. `stack`: stack slots too, not
 * only registers.
 */
export function deadAt(code: Code, callsites: readonly number[], slot: number, stack: boolean): LeftOut {
  const frames = callsites.map((callsite) => ({ callsite }));
  return {
    regs: frames.map((_, depth) => ~liveRegs(code, { frames }, depth, slot) & 0x3ff),
    slots: stack
      ? liveSlots(code, { frames }, slot).map(([low, high]) => [~low, ~high])
      : frames.map(() => NO_SLOTS),
  };
}

/**
 * What is still dead of what was left out at the insn before, when the insn at `slot` runs next in the frame at `depth`. A place that is alive again was
 * written.
 */
export function stillDead(code: Code, out: LeftOut, depth: number, slot: number): LeftOut {
  const regs = out.regs[depth] ?? 0;
  const [low, high] = out.slots[depth] ?? NO_SLOTS;
  const deadRegs = regs & ~code.live[slot]!;
  // What is alive on the stack takes long to compute.
  const [lows, highs] = low === 0 && high === 0 ? [undefined, undefined] : code.liveStack;
  const deadLow = lows === undefined ? 0 : low & ~lows[slot]!;
  const deadHigh = highs === undefined ? 0 : high & ~highs[slot]!;
  const sameFrames = out.regs.length === depth + 1;
  if (sameFrames && deadRegs === regs && deadLow === low && deadHigh === high) return out;
  const below = Array.from({ length: depth }, (_, d) => d);
  return {
    regs: [...below.map((d) => out.regs[d] ?? 0), deadRegs],
    slots: [...below.map((d) => out.slots[d] ?? NO_SLOTS), [deadLow, deadHigh]],
  };
}

/** The state without these places. Objects that must be given back stay. */
export function without(state: State, { regs, slots }: LeftOut): State {
  let frames: Frame[] | undefined;
  state.frames.forEach((frame, d) => {
    const made = frameWithout(frame, regs[d] ?? 0, slots[d] ?? NO_SLOTS);
    if (made === frame) return;
    frames ??= state.frames.slice();
    frames[d] = made;
  });
  return frames === undefined ? state : { ...state, frames };
}

function frameWithout(frame: Frame, dropped: number, [low, high]: SlotWords): Frame {
  let regs: Frame['regs'] | undefined;
  for (let n = 0; dropped >> n !== 0; n++) {
    if ((dropped & (1 << n)) === 0 || frame.regs[n] === UNINIT) continue;
    regs ??= frame.regs.slice();
    regs[n] = UNINIT;
  }
  let stack: Frame['stack'] | undefined;
  for (let i = 0; i < frame.stack.length; i++) {
    const slot = frame.stack[i];
    if (slot === undefined || ((i < 32 ? low >> i : high >> (i - 32)) & 1) === 0 || mustStay(slot)) continue;
    stack ??= frame.stack.slice();
    stack[i] = undefined;
  }
  if (regs === undefined && stack === undefined) return frame;
  return { ...frame, ...(regs && { regs }), ...(stack && { stack }) };
}

/** Objects that must be given back, even if nothing reads them. */
const mustStay = ({ iter, irq, dynptr }: Slot): boolean =>
  iter !== undefined || irq !== undefined || dynptr !== undefined;
