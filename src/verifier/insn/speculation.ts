/**
 * Checks for loaders without CAP_PERFMON. A processor may guess a branch wrong and run the other way for a moment. The kernel walks these
 * speculative paths too. An error on one is no refusal: the kernel puts a barrier before the insn. The kernel also masks pointer
 * arithmetic, and refuses arithmetic that it cannot mask. Follows sanitize_ptr_alu, sanitize_val_alu, retrieve_ptr_limit and
 * error_recoverable_with_nospec of kernel/bpf/verifier.c.
 */

import { isConst } from '../scalar/scalar.js';
import type { Guard, PointerMove } from '../state/guard.js';
import type { Path } from '../state/path.js';
import type { ByteKind, Reg } from '../state/state.js';
import { BYTE } from '../state/state.js';
import { Refusal, refuse, TRAPPED } from '../text/refusal.js';

const STACK = 512;
const PROHIBITED = 'pointer arithmetic with it prohibited for !root';

/** How the operand of an insn is masked. It must be the same on every path to the insn. */
interface Mask {
  readonly how: string;
  readonly limit: number;
}

const PLAIN: Mask = { how: 'number', limit: 0 };

/**
 * Keeps, for one walk, the insns that need a barrier and the limits that pointer arithmetic is masked with. `recover` decides whether
 * a mistake on a wrongly guessed path can be stopped by a barrier.
 */
export class Speculation implements Guard {
  /** The insn being walked. */
  slot = 0;
  private readonly barrier: Uint8Array;
  private readonly barrierAfter: Uint8Array;
  private readonly masks = new Map<number, Mask>();

  /** `guess`: pushes the present state, to be walked as a speculative path from the next insn on. */
  constructor(
    private readonly p: Path,
    slots: number,
    private readonly guess: () => void,
    private readonly compareExactly: () => void,
  ) {
    this.barrier = new Uint8Array(slots);
    this.barrierAfter = new Uint8Array(slots);
  }

  /** Whether a barrier before this insn ends speculative paths. */
  stopsBefore(slot: number): boolean {
    return this.barrier[slot] === 1;
  }

  /** Whether a barrier after this insn ends speculative paths. */
  stopsAfter(slot: number): boolean {
    return this.barrierAfter[slot] === 1;
  }

  /** Handles an error on a speculative path: puts a barrier before the insn. Throws the error again if a barrier does not help. */
  recover(slot: number, error: unknown): void {
    if (
      !(error instanceof Refusal) ||
      error.reason === 'budget' ||
      error.message === TRAPPED ||
      /too complex|too deep/.test(error.message)
    )
      throw error;
    this.barrier[slot] = 1;
    this.masks.delete(slot);
  }

  /**
   * To be called before `size` bytes of a stack slot are written. A load that the processor runs before the store must not see a pointer
   * or old bytes, so a barrier may be needed after it.
   */
  beforeStore(bytes: readonly ByteKind[] | undefined, size: number, pointer: boolean): void {
    const known = (kind: ByteKind | undefined): boolean => kind === BYTE.misc || kind === BYTE.zero;
    let barrier = pointer;
    for (let i = 0; i < size && i < 8; i++) if (!known(bytes?.[7 - i])) barrier = true;
    if (barrier) this.barrierAfter[this.slot] = 1;
  }

  /** Notes that two numbers are added or subtracted here. No other path may then do pointer arithmetic at this insn. */
  numbers(dst: number, op: 'add' | 'sub'): void {
    if (this.barrier[this.slot] !== 1) this.mask(PLAIN, dst, op);
  }

  /** To be called before a pointer is moved. Returns what `after` needs; undefined if nothing has to be masked. */
  before(move: PointerMove): number | undefined {
    if (this.barrier[this.slot] === 1) return undefined;
    const { p } = this;
    const { number, pointer, dst } = move;
    const known = isConst(number.num);
    let limit: number | undefined;
    if (!p.speculative) {
      if (!known && number.num.smin < 0n !== number.num.smax < 0n) {
        const at = move.inPlace ? move.src : dst;
        refuse(`R${at} has unknown scalar with mixed signed bounds, ${PROHIBITED}`);
      }
      limit = limitOf(p, move, pointer);
      if (!known) this.compareExactly();
    }
    if (!known) this.simulate(dst, pointer);
    return limit;
  }

  /** To be called after the pointer was moved; `moved` is the result. */
  after(move: PointerMove, moved: Reg, before: number | undefined): void {
    if (before === undefined || this.barrier[this.slot] === 1) return;
    const limit = Math.abs(before - limitOf(this.p, move, moved));
    const { num } = move.number;
    const how = `${num.smin < 0n ? 'negative ' : ''}${isConst(num) ? 'constant ' : ''}${move.inPlace}`;
    this.mask({ how, limit }, move.dst, move.op);
  }

  /** The mask turns a number that is out of bounds into 0, so that the pointer stays where it is. That case is walked too. */
  private simulate(dst: number, pointer: Reg): void {
    const { p } = this;
    const before = p.reg(dst);
    p.setReg(dst, pointer);
    this.guess();
    p.setReg(dst, before);
  }

  private mask(mask: Mask, dst: number, op: 'add' | 'sub'): void {
    const old = this.masks.get(this.slot);
    if (old !== undefined && (old.how !== mask.how || old.limit !== mask.limit))
      refuse(`R${dst} tried to ${op} from different maps, paths or scalars, ${PROHIBITED}`);
    this.masks.set(this.slot, mask);
  }
}

/** How many bytes the pointer may move in its direction. */
function limitOf(p: Path, { op, number, dst, src, inPlace }: PointerMove, pointer: Reg): number {
  const left = (op === 'add') === number.num.smin < 0n;
  let limit: bigint;
  let most: number;
  switch (pointer.type) {
    case 'stack':
      most = STACK + (left ? 1 : 0);
      limit = -(BigInt.asIntN(64, pointer.num.value) + BigInt(pointer.off));
      break;
    case 'map_value':
      most = p.program.maps[pointer.map]!.valueSize;
      limit = (left ? pointer.num.smin : pointer.num.umax) + BigInt(pointer.off);
      break;
    default:
      return refuse(`R${inPlace ? dst : src} has pointer with unsupported alu operation, ${PROHIBITED}`);
  }
  const bytes = Number(BigInt.asUintN(32, limit));
  if (bytes >= most) refuse(`R${dst} tried to ${op} beyond pointer bounds, ${PROHIBITED}`);
  return bytes;
}
