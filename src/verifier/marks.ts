/**
 * Places of a verifier state: registers and stack slots of its frames, as sets of bits. They say which numbers of a state have to be
 * what they are for the paths below it to be safe (`precise` in struct bpf_reg_state).
 */

/** MAX_CALL_FRAMES in include/linux/bpf_verifier.h. */
export const MAX_FRAMES = 8;

/** A set of places. Bit n of `regs[depth]`: register n; slots 0 to 31 are in `low`, 32 to 63 in `high`. */
export class Places {
  readonly regs = new Int32Array(MAX_FRAMES);
  readonly low = new Int32Array(MAX_FRAMES);
  readonly high = new Int32Array(MAX_FRAMES);
  /** No frame from this one on has any. */
  private end = 0;

  addReg(depth: number, reg: number): void {
    this.regs[depth]! |= 1 << reg;
    if (depth >= this.end) this.end = depth + 1;
  }

  /** Adds registers of a frame, one bit each. */
  addRegs(depth: number, regs: number): void {
    this.regs[depth]! |= regs;
    if (depth >= this.end) this.end = depth + 1;
  }

  hasReg(depth: number, reg: number): boolean {
    return (this.regs[depth]! & (1 << reg)) !== 0;
  }

  dropReg(depth: number, reg: number): void {
    this.regs[depth]! &= ~(1 << reg);
  }

  addSlot(depth: number, index: number): void {
    if (index < 32) this.low[depth]! |= 1 << index;
    else this.high[depth]! |= 1 << (index - 32);
    if (depth >= this.end) this.end = depth + 1;
  }

  hasSlot(depth: number, index: number): boolean {
    return ((index < 32 ? this.low[depth]! >> index : this.high[depth]! >> (index - 32)) & 1) !== 0;
  }

  dropSlot(depth: number, index: number): void {
    if (index < 32) this.low[depth]! &= ~(1 << index);
    else this.high[depth]! &= ~(1 << (index - 32));
  }

  /** Forgets what there is of one frame. */
  dropFrame(depth: number): void {
    this.regs[depth] = 0;
    this.low[depth] = 0;
    this.high[depth] = 0;
  }

  get empty(): boolean {
    for (let d = this.end - 1; d >= 0; d--) {
      if ((this.regs[d]! | this.low[d]! | this.high[d]!) !== 0) return false;
    }
    this.end = 0;
    return true;
  }

  clear(): void {
    this.regs.fill(0);
    this.low.fill(0);
    this.high.fill(0);
    this.end = 0;
  }

  /** Adds every place of every frame. */
  addEverything(): void {
    this.regs.fill(-1);
    this.low.fill(-1);
    this.high.fill(-1);
    this.end = MAX_FRAMES;
  }

  addAll(other: Places): void {
    for (let d = 0; d < other.end; d++) {
      this.regs[d]! |= other.regs[d]!;
      this.low[d]! |= other.low[d]!;
      this.high[d]! |= other.high[d]!;
    }
    if (other.end > this.end) this.end = other.end;
  }
}
