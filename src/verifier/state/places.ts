/**
 * Places of a verifier state: registers and stack slots of its frames, as sets of bits. Used for precision: the marked numbers of a state
 * must be what they are for the paths from it to be safe (`precise` in struct bpf_reg_state).
 */
import { MOST_FRAMES } from '../../isa/insn.js';

/** A place as one number: `frame * 128 + register`, or `frame * 128 + 16 + slot`. */
export const regPlace = (depth: number, reg: number): number => depth * 128 + reg;
/**
 * The number of a stack slot among all places of a state. `depth` is the frame's, the outermost is 0; slot 0 is the one at the frame's
 * top.
 */
export const slotPlace = (depth: number, index: number): number => depth * 128 + 16 + index;

/** Words of a frame: bit n of the first is register n; slots 0 to 31 are in the second, 32 to 63 in the third. */
const REGS = 0;
const LOW = 1;
const HIGH = 2;
const WORDS = 3;

/** Registers that may hold numbers: all but the frame pointer. */
const NUMBERS = 0x3ff;

/** A set of registers and stack slots over all frames of a state, three 32-bit words for a frame. It can be changed in place. */
export class PlaceSet {
  /** Three words for each frame, up to the last frame that ever had a place. There are many sets and most stay empty. */
  private readonly words: number[] = [];

  /** Registers of a frame, one bit each. */
  regs(depth: number): number {
    return this.words[depth * WORDS + REGS] ?? 0;
  }

  /** Stack slots 0 to 31 of a frame. */
  low(depth: number): number {
    return this.words[depth * WORDS + LOW] ?? 0;
  }

  /** Stack slots 32 to 63 of a frame. */
  high(depth: number): number {
    return this.words[depth * WORDS + HIGH] ?? 0;
  }

  private add(at: number, bits: number): void {
    const { words } = this;
    while (words.length <= at) words.push(0);
    words[at]! |= bits;
  }

  private drop(at: number, bits: number): void {
    if (at < this.words.length) this.words[at]! &= ~bits;
  }

  addReg(depth: number, reg: number): void {
    this.add(depth * WORDS + REGS, 1 << reg);
  }

  /** Adds registers of a frame, one bit each. */
  addRegs(depth: number, regs: number): void {
    this.add(depth * WORDS + REGS, regs);
  }

  hasReg(depth: number, reg: number): boolean {
    return (this.regs(depth) & (1 << reg)) !== 0;
  }

  dropReg(depth: number, reg: number): void {
    this.drop(depth * WORDS + REGS, 1 << reg);
  }

  /** Drops registers of a frame, one bit each. */
  dropRegs(depth: number, regs: number): void {
    this.drop(depth * WORDS + REGS, regs);
  }

  addSlot(depth: number, index: number): void {
    this.add(depth * WORDS + (index < 32 ? LOW : HIGH), 1 << (index & 31));
  }

  hasSlot(depth: number, index: number): boolean {
    return ((index < 32 ? this.low(depth) : this.high(depth)) & (1 << (index & 31))) !== 0;
  }

  dropSlot(depth: number, index: number): void {
    this.drop(depth * WORDS + (index < 32 ? LOW : HIGH), 1 << (index & 31));
  }

  /** Removes all places of one frame. */
  dropFrame(depth: number): void {
    for (let at = depth * WORDS; at < (depth + 1) * WORDS; at++) this.drop(at, -1);
  }

  get empty(): boolean {
    const { words } = this;
    for (let at = 0; at < words.length; at++) if (words[at] !== 0) return false;
    return true;
  }

  clear(): void {
    this.words.fill(0);
  }

  /** Adds every place of every frame. */
  addEverything(): void {
    for (let depth = 0; depth < MOST_FRAMES; depth++) {
      this.add(depth * WORDS + REGS, NUMBERS);
      this.add(depth * WORDS + LOW, -1);
      this.add(depth * WORDS + HIGH, -1);
    }
  }

  addAll(other: PlaceSet): void {
    for (let at = 0; at < other.words.length; at++) this.add(at, other.words[at]!);
  }
}
