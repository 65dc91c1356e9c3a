/**
 * Linked numbers. Numbers with the same id are equal, or differ by a constant that was added to a copy. A jump that refines one refines
 * all. Follows collect_linked_regs, sync_linked_regs and the end of adjust_reg_min_max_vals of kernel/bpf/verifier.c, Linux 6.18.
 *
 * A number that is `off` more than what its id stands for has in `size` the width of the addition, 64 or 32 (BPF_ADD_CONST64,
 * BPF_ADD_CONST32). Where it is 32 all are known to fit in 32 bits, and the sum is taken modulo 2^32.
 */
import type { BinaryOp, Width } from '../../isa/insn.js';
import { S32_MAX, S32_MIN, U32_MAX } from '../../isa/integer.js';
import { scalarArithmetic } from '../scalar/alu.js';
import { constant, isConst, type Scalar } from '../scalar/scalar.js';
import type { Code } from '../text/code.js';
import type { Path } from './path.js';
import { regPlace, slotPlace } from './places.js';
import { scalarReg } from './regs.js';
import type { Reg } from './state.js';

/** The most places that the kernel records for one jump (LINKED_REGS_MAX). */
const LINKED_REGS_MAX = 6;

/**
 * The register after an addition with the result `sum`. A linked number stays linked when a constant is added, but only the first time.
 */
export function linkedSum(op: BinaryOp, width: Width, a: Reg, b: Reg, sum: Reg): Reg {
  if ((op !== 'add' && op !== 'sub') || a.id === 0 || a.size !== 0) return sum;
  if (isConst(sum.num) || (width === 32 && a.num.umax > U32_MAX)) return sum;
  const by = knownSigned(width, b.num);
  if (by === undefined || by < S32_MIN || by > S32_MAX) return sum;
  const off = op === 'add' ? by : -by;
  return off > S32_MAX ? sum : { ...sum, id: a.id, off: Number(off), size: width };
}

/** The signed value of the low `width` bits, if it is known. */
function knownSigned(width: Width, { mask, value }: Scalar): bigint | undefined {
  return BigInt.asUintN(width, mask) === 0n ? BigInt.asIntN(width, value) : undefined;
}

/**
 * Places that learn from a jump at `slot` that compares `left` with `right`, with those of both sides in one list: see `regPlace`. At
 * most six places are recorded; the others lose their link.
 */
export function collectLinked(
  path: Path,
  code: Code,
  slot: number,
  left: Reg,
  right: Reg,
): readonly number[] {
  const places: number[] = [];
  // A place linked to both sides is listed twice, as in the kernel.
  if (right.type === 'scalar' && right.id !== 0) collectWithId(path, code, slot, right.id, places);
  if (left.type === 'scalar' && left.id !== 0) collectWithId(path, code, slot, left.id, places);
  return places;
}

function collectWithId(path: Path, code: Code, slot: number, id: number, places: number[]): void {
  for (let depth = path.depth; depth >= 0; depth--) {
    const { regs, stack } = path.frameAt(depth);
    const live = depth === path.depth ? code.live[slot]! : code.live[path.frameAt(depth + 1).callsite]!;
    for (let n = 0; n < 10; n++) {
      const reg = regs[n]!;
      if ((live & (1 << n)) === 0 || reg.type !== 'scalar' || reg.id !== id) continue;
      if (places.length < LINKED_REGS_MAX) places.push(regPlace(depth, n));
      else path.setRegAt(depth, n, unlinked(reg));
    }
    for (let i = 0; i < stack.length; i++) {
      const spilled = stack[i]?.reg;
      if (spilled?.type !== 'scalar' || spilled.id !== id) continue;
      if (places.length < LINKED_REGS_MAX) places.push(slotPlace(depth, i));
      else path.setSlot(depth, i, { ...stack[i]!, reg: unlinked(spilled) });
    }
  }
}

const unlinked = (reg: Reg): Reg => ({ ...reg, id: 0, off: 0, size: 0 });

/** Sets every register that is linked to `known` to what it must be if `known` is `num`. */
export function syncLinked(path: Path, known: Reg, num: Scalar): void {
  let copy: Reg | undefined;
  path.mapRegs((r) => {
    if (r.type !== 'scalar' || r.id !== known.id) return r;
    // A 32-bit sum does not determine a 64-bit one.
    if (r.size !== known.size && r.size !== 0 && known.size !== 0) return r;
    if (r.off === known.off) {
      if (r.num === num && r.size === known.size) return r;
      copy ??= isConst(num) ? scalarReg(num) : { ...known, num };
      return copy;
    }
    const width = r.size === 32 || known.size === 32 ? 32 : 64;
    const sum = scalarArithmetic.binary('add', width, num, constant(BigInt(r.off - known.off)));
    return isConst(sum) ? scalarReg(sum) : { ...r, num: sum };
  });
}
