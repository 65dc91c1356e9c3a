/**
 * What facts leave out. States are compared where paths meet, without what is dead there; so from there on a fact must not speak of
 * it, until it is needed again: by then it was written.
 */
import type { Code } from './code.js';
import { liveRegs } from './compare.js';
import type { Path } from './path.js';
import { UNINIT } from './regs.js';
import type { Frame, State } from './state.js';

/** Forgets stack slots of the running frame that are written before they are read. What must be given back stays, whoever reads it. */
export function dropDeadSlots(path: Path, code: Code, slot: number): void {
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

/** Links of scalars with one end only say nothing (clear_singular_ids). */
export function clearSingularIds(path: Path): void {
  const ids: number[] = [];
  const counts: number[] = [];
  const count = (id: number): void => {
    const at = ids.indexOf(id);
    if (at >= 0) counts[at]!++;
    else {
      ids.push(id);
      counts.push(1);
    }
  };
  for (let d = 0; d <= path.depth; d++) {
    const { regs, stack } = path.frameAt(d);
    for (let n = 0; n < 10; n++) {
      const reg = regs[n]!;
      if (reg.id !== 0 && reg.type === 'scalar') count(reg.id);
    }
    for (let i = 0; i < stack.length; i++) {
      const reg = stack[i]?.reg;
      if (reg !== undefined && reg.id !== 0 && reg.type === 'scalar') count(reg.id);
    }
  }
  if (!counts.includes(1)) return;
  path.mapRegs((r) =>
    r.type === 'scalar' && r.id !== 0 && counts[ids.indexOf(r.id)] === 1 ? { ...r, id: 0, off: 0 } : r,
  );
}

/** Registers that facts leave out on one path, by frame. */
export class Dropped {
  private regs: number[] = [];
  /** What was made last, by frame: visits in a row share frames. */
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

  /** The state as a fact, before the insn at `slot`. `meets`: states are compared here. */
  fact(state: State, slot: number, meets: boolean): State {
    const top = state.frames.length - 1;
    this.regs.length = top + 1;
    for (let d = meets ? 0 : top; d <= top; d++) {
      const dead = ~liveRegs(this.code, state, d, slot) & 0x3ff;
      this.regs[d] = meets ? dead : (this.regs[d] ?? 0) & dead;
    }
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
