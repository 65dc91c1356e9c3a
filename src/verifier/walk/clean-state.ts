/**
 * Removes dead registers and stack slots from a state before it becomes a fact. Two paths that differ only in dead values share a fact,
 * so the fact must not mention them.
 */

import type { Path } from '../state/path.js';
import { UNINIT } from '../state/regs.js';
import type { Frame, State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { liveRegs } from './live-places.js';

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
    if (s.iter === undefined && s.irq === undefined && s.dynptr === undefined)
      path.setSlot(path.depth, i, undefined);
  }
}

/** Registers that facts leave out on one path, by frame. */
export class DeadRegs {
  private regs: number[] = [];
  /** The frame that was made last, by depth. Visits in a row share frames. */
  private readonly from: Frame[] = [];
  private readonly without: number[] = [];
  private readonly made: Frame[] = [];

  constructor(private readonly code: Code) {}

  save(): readonly number[] {
    return this.regs.slice();
  }

  restore(regs: readonly number[]): void {
    this.regs = regs.slice();
  }

  /** The path comes to the insn at `slot` in this state. `meets`: states are compared here. */
  pass(state: State, slot: number, meets: boolean): void {
    const top = state.frames.length - 1;
    this.regs.length = top + 1;
    for (let d = meets ? 0 : top; d <= top; d++) {
      const dead = ~liveRegs(this.code, state, d, slot) & 0x3ff;
      this.regs[d] = meets ? dead : (this.regs[d] ?? 0) & dead;
    }
  }

  /** The state of the insn that was passed last, as a fact. */
  withoutDead(state: State): State {
    const top = state.frames.length - 1;
    let frames: Frame[] | undefined;
    for (let d = 0; d <= top; d++) {
      const frame = state.frames[d]!;
      const made = this.frame(frame, d);
      if (made === frame) continue;
      frames ??= state.frames.slice();
      frames[d] = made;
    }
    return frames === undefined ? state : { ...state, frames };
  }

  private frame(frame: Frame, d: number): Frame {
    const dropped = this.regs[d] ?? 0;
    if (dropped === 0) return frame;
    if (this.from[d] === frame && this.without[d] === dropped) return this.made[d]!;
    let regs: Frame['regs'] | undefined;
    for (let n = 0; n < 10; n++) {
      if ((dropped & (1 << n)) === 0 || frame.regs[n] === UNINIT) continue;
      regs ??= frame.regs.slice();
      regs[n] = UNINIT;
    }
    const made = regs === undefined ? frame : { ...frame, regs };
    this.from[d] = frame;
    this.without[d] = dropped;
    this.made[d] = made;
    return made;
  }
}
