/** The interface of `insn/speculation.ts` to arithmetic and stores. It is used for loaders without CAP_PERFMON only. */
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
  /**
   * To be called before `size` bytes of a stack slot are written. A load that the processor runs before the store must not see a pointer
   * or old bytes.
   */
  beforeStore(bytes: readonly ByteKind[] | undefined, size: number, pointer: boolean): void;
  /** Notes that two numbers are added or subtracted here. No other path may then do pointer arithmetic at this insn. */
  numbers(dst: number, op: 'add' | 'sub'): void;
  /** To be called before a pointer is moved. Returns what `after` needs; undefined if nothing has to be masked. */
  before(move: PointerMove): number | undefined;
  /** To be called after the pointer was moved; `moved` is the result. */
  after(move: PointerMove, moved: Reg, before: number | undefined): void;
}
