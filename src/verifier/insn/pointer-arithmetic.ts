/**
 * Pointer arithmetic: what is known of a pointer after a number was added to it. Follows adjust_ptr_min_max_vals of
 * kernel/bpf/verifier.c.
 */
import type { BinaryOp, Width } from '../../isa/insn.js';
import { S64_MIN } from '../../isa/integer.js';
import { ALU_MARKS } from '../../isa/words.js';
import { scalarArithmetic } from '../scalar/alu.js';
import { isConst } from '../scalar/scalar.js';
import type { Path } from '../state/path.js';
import { fixedOffset, isOfNothing, isPointer, scalarReg, typeName, unknownReg } from '../state/regs.js';
import type { Reg } from '../state/state.js';
import { refuse } from '../text/refusal.js';

/** BPF_MAX_VAR_OFF: how far a pointer may move away from what it points to. */
const MAX_OFFSET = 1n << 29n;
const MIN_OFFSET = -MAX_OFFSET;

const NO_ARITHMETIC = new Set(['map_ptr', 'packet_end', 'sock', 'sock_common', 'tcp_sock', 'xdp_sock']);

/** `a op b` where at least one side is a pointer. `regno` is the destination, for messages; `src`: the register of b, if it is one. */
export function pointerBinary(
  p: Path,
  op: BinaryOp,
  width: Width,
  a: Reg,
  b: Reg,
  regno: number,
  src: number | undefined,
): Reg {
  if (isPointer(a) && isPointer(b)) {
    // Only the difference of two pointers is allowed. It is an unknown number.
    if (op === 'sub' && !p.strict)
      return width === 64 ? unknownReg : scalarReg(scalarArithmetic.zeroExtend(32, unknownReg.num));
    refuse(`R${regno} pointer ${ALU_MARKS[op]} pointer prohibited`);
  }
  const pointer = isPointer(a) ? a : b;
  const scalar = isPointer(a) ? b : a;
  // A constant whose bounds contradict its value occurs only on a path that no run takes (reg_bounds_sanity_check).
  if (isConst(scalar.num) && (scalar.num.smin !== scalar.num.smax || scalar.num.umin !== scalar.num.umax))
    return unknownReg;
  if (width === 32) {
    if (op === 'sub' && !p.strict) return scalarReg(scalarArithmetic.zeroExtend(32, unknownReg.num));
    refuse(`R${regno} 32-bit pointer arithmetic prohibited`);
  }
  if (pointer.nullable) {
    refuse(`R${regno} pointer arithmetic on ${typeName(pointer)} prohibited, null-check it first`);
  }
  if (isOfNothing(pointer)) {
    // Nothing is known of where this pointer points, and loads through it are safe. So Linux does not track its offset.
    if (pointer === a) return pointer;
    // Linux 6.18 leaves the register as it was, though its value has changed.
    refuse(`R${regno} pointer arithmetic on rdonly_untrusted_mem prohibited`);
  }
  const nowhere = op === 'add' && isConst(scalar.num) && scalar.num.value === 0n;
  if (NO_ARITHMETIC.has(pointer.type) && !(pointer.type === 'map_ptr' && nowhere))
    refuse(`R${regno} pointer arithmetic on ${typeName(pointer)} prohibited`);
  if (op === 'and' || op === 'or' || op === 'xor') {
    refuse(`R${regno} bitwise operator ${ALU_MARKS[op]} on pointer prohibited`);
  }
  if (op !== 'add' && op !== 'sub')
    refuse(`R${regno} pointer arithmetic with ${ALU_MARKS[op]} operator prohibited`);
  if (pointer.type === 'flow_keys' && !isConst(scalar.num))
    refuse(`R${regno} pointer arithmetic on flow_keys prohibited`);
  if (op === 'sub' && pointer !== a) refuse(`R${regno} tried to subtract pointer from scalar`);
  // Linux does not track `fp -= scalar`. Compilers write `fp += -scalar`.
  if (op === 'sub' && pointer.type === 'stack') refuse(`R${regno} subtraction from stack pointer prohibited`);
  // Linux 6.18 gives the sum the frame number that the destination register had last, usually that of the main program.
  if (pointer !== a && pointer.type === 'stack' && pointer.frame !== 0)
    refuse(`R${regno} may not have the stack pointer of a called function added to it`);
  checkScalar(pointer, scalar, regno);
  const moved = pointer === a || pointer.ref === 0 ? pointer : { ...pointer, unowned: true };
  if (p.guard === undefined || src === undefined) return addToPointer(p, op, moved, scalar, regno);
  const move = { op, dst: regno, src, pointer, number: scalar, inPlace: pointer === a };
  const before = p.guard.before(move);
  const result = addToPointer(p, op, moved, scalar, regno);
  p.guard.after(move, result, before);
  return result;
}

function checkScalar(pointer: Reg, scalar: Reg, regno: number): void {
  const { num } = scalar;
  if (isConst(num) && (num.smin >= MAX_OFFSET || num.smin <= MIN_OFFSET)) {
    refuse(`math between ${typeName(pointer)} pointer and ${num.smin} is not allowed`);
  }
  if (num.smin > num.smax || num.umin > num.umax) refuse(`R${regno} has inconsistent bounds`);
  if (num.smin === S64_MIN && !isConst(num)) {
    refuse(`math between ${typeName(pointer)} pointer and register with unbounded min value is not allowed`);
  }
  if (num.smin <= MIN_OFFSET || num.smin >= MAX_OFFSET) {
    refuse(`value ${num.smin} makes ${typeName(pointer)} pointer be out of bounds`);
  }
}

function addToPointer(p: Path, op: 'add' | 'sub', pointer: Reg, scalar: Reg, regno: number): Reg {
  const isPacket = pointer.type === 'packet' || pointer.type === 'packet_meta';
  const known = isConst(scalar.num) ? Number(op === 'add' ? scalar.num.smin : -scalar.num.smin) : undefined;
  if (known !== undefined) {
    const off = pointer.off + known;
    if (off === (off | 0)) return checkResult(known === 0 ? pointer : { ...pointer, off }, p, regno);
  }
  const num = scalarArithmetic.binary(op, 64, pointer.num, scalar.num);
  const result: Reg = { ...pointer, num };
  // A packet pointer that moved by an unknown amount is a new packet pointer. What was checked of the old one
  // holds for it only if it moved towards the start.
  if (!isPacket) return checkResult(result, p, regno);
  const backwards = op === 'sub' && scalar.num.smin >= 0n;
  return checkResult({ ...result, id: p.newId(), range: backwards ? pointer.range : 0 }, p, regno);
}

function checkResult(reg: Reg, p: Path, regno: number): Reg {
  const { num } = reg;
  if (p.strict && reg.type === 'map_value') {
    const low = BigInt(reg.off) + num.smin;
    const high = BigInt(reg.off) + num.smax;
    const map = p.program.maps[reg.map]!;
    const special = map.fields.some((f) => low < BigInt(f.offset + f.size) && high >= BigInt(f.offset));
    const unbounded = !isConst(num) && num.umax >= MAX_OFFSET;
    if (special || unbounded || low < 0n || high >= BigInt(map.valueSize))
      refuse(`R${regno} pointer arithmetic of map value goes out of range, prohibited for !root`);
  }
  if (isConst(num)) {
    const at = fixedOffset(reg);
    if (at >= Number(MAX_OFFSET) || at <= Number(MIN_OFFSET))
      refuse(
        `${typeName(reg)} pointer offset ${BigInt(reg.off) + BigInt.asIntN(64, num.value)} is not allowed`,
      );
    if (p.strict && reg.type === 'stack' && (at >= 0 || at < -512)) {
      refuse(`R${regno} stack pointer arithmetic goes out of range, prohibited for !root; off=${at}`);
    }
    return reg;
  }
  if (p.strict && reg.type === 'stack')
    refuse(
      `R${regno} variable stack access prohibited for !root, var_off=(0x${num.value.toString(16)}; 0x${num.mask.toString(16)}) off=${fixedOffset(reg)}`,
    );
  if (num.smin <= MIN_OFFSET || num.smin >= MAX_OFFSET) {
    refuse(
      num.smin === S64_MIN
        ? `math between ${typeName(reg)} pointer and register with unbounded min value is not allowed`
        : `value ${num.smin} makes ${typeName(reg)} pointer be out of bounds`,
    );
  }
  if (reg.off >= Number(MAX_OFFSET) || reg.off <= Number(MIN_OFFSET)) {
    refuse(`${typeName(reg)} pointer offset ${reg.off} is not allowed`);
  }
  return reg;
}
