/** What keeps guard against a processor that guesses wrong, as the arithmetic and the stores of a path see it; see `speculation.ts`. */
import type { ByteKind, Reg } from './state.js';

/** Pointer arithmetic with a register: `pointer op number`, written to register `dst`. */
export interface PointerMove {
  readonly op: 'add' | 'sub';
  readonly dst: number;
  readonly src: number;
  readonly pointer: Reg;
  readonly number: Reg;
  /** The pointer is in the destination register. */
  readonly inPlace: boolean;
}

/** Is asked by arithmetic and stores on the way, so that it can note where the program needs a barrier or a mask. */
export interface Guard {
  /** The insn being walked. */
  slot: number;
  /** Before `size` bytes of a stack slot are written: a load that overtakes the store must not see a pointer, or what was there before. */
  beforeStore(bytes: readonly ByteKind[] | undefined, size: number, pointer: boolean): void;
  /** Two numbers are added or subtracted: on no other way may it be a pointer. */
  numbers(dst: number, op: 'add' | 'sub'): void;
  /** Before a pointer is moved. Returns what `after` needs; undefined: nothing is to be masked. */
  before(move: PointerMove): number | undefined;
  /** After it was moved to where `moved` points. */
  after(move: PointerMove, moved: Reg, before: number | undefined): void;
}
