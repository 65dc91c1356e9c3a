/** Runs insns on abstract values: registers and stack slots of a verifier state. The interpreter is `semantics/step.ts`. */
import type { AtomicOp, BinaryOp, Imm64Kind, Op, Size, Width } from '../../isa/insn.js';
import type { Machine } from '../../semantics/machine.js';
import { scalarArithmetic } from '../scalar/alu.js';
import { Memo } from '../scalar/memo.js';
import { isConst } from '../scalar/scalar.js';
import { linkedSum } from '../state/linked-regs.js';
import type { Path } from '../state/path.js';
import {
  arenaReg,
  fixedOffset,
  hasFixedOffset,
  isPointer,
  pointerReg,
  scalarReg,
  unknownReg,
} from '../state/regs.js';
import { writeUnknownBytes } from '../state/stack.js';
import type { Reg } from '../state/state.js';
import { TRAIT } from '../text/insn-traits.js';
import { refuse } from '../text/refusal.js';
import type { Access } from './access.js';
import { checkAlignment, checkAtomicOffset, checkAtomicTarget } from './alignment.js';
import { ArenaArithmetic, arenaAddress, isArena, TO_KERNEL, TO_USER } from './arena.js';
import { load, store } from './memory.js';
import { pointerBinary } from './pointer-arithmetic.js';
import { PointerTypes } from './pointer-types.js';
import { kernelVariable } from './variable.js';

/** Shifts by the width or more are refused when the count is an immediate (check_alu_op). */
const SHIFTS: ReadonlySet<BinaryOp> = new Set(['lsh', 'rsh', 'arsh']);
const DIVISIONS: ReadonlySet<BinaryOp> = new Set(['div', 'sdiv', 'mod', 'smod']);

/** Runs insns on abstract registers. It changes the path that it was made for, and throws Refusal where Linux refuses the insn. */
export class AbstractMachine implements Machine<Reg> {
  /** The insn being run; needed for register numbers in messages. */
  private op!: Op;
  private readonly constants: (Reg | undefined)[] = [];
  private readonly results = new Memo<Reg>();
  private readonly extended = new Memo<Reg>();

  private readonly pointerTypes = new PointerTypes();
  private readonly arena: ArenaArithmetic;

  constructor(private readonly p: Path) {
    this.arena = new ArenaArithmetic(p.program.maps);
  }

  /** Must be called before each step, with the insn's `traits`: checks what the kernel checks of its form. */
  begin(op: Op, traits: number): void {
    this.op = op;
    if ((traits & TRAIT.badForm) !== 0) checkForm(op);
  }

  read(n: number): Reg {
    const reg = this.p.reg(n);
    if (reg.type === 'uninit') refuse(`R${n} !read_ok`);
    return reg;
  }

  /** A copy of an unknown scalar is linked to its source, so that a branch on one also refines the other. */
  copy(n: number): Reg {
    const reg = this.read(n);
    if (reg.type !== 'scalar' || (reg.id !== 0 && reg.size === 0)) return reg;
    // A sum that is linked to another number gets a new link instead: Linux keeps only one link of a number.
    if (reg.id === 0 && isConst(reg.num)) return reg;
    const linked = { ...reg, off: 0, size: 0, id: isConst(reg.num) ? 0 : this.p.newId() };
    this.p.setReg(n, linked);
    return linked;
  }

  write(n: number, value: Reg): void {
    this.p.setReg(n, value);
  }

  constant(value: bigint): Reg {
    const { at } = this.p;
    const known = this.constants[at];
    // An insn has one constant at the most.
    if (known !== undefined && known.num.umin === BigInt.asUintN(64, value)) return known;
    const made = scalarReg(scalarArithmetic.constant(value));
    while (this.constants.length <= at) this.constants.push(undefined);
    this.constants[at] = made;
    return made;
  }

  binary(op: BinaryOp, width: Width, a: Reg, b: Reg): Reg {
    if (this.arena.operates(this.p.at, width, a, b)) return arenaReg;
    if (isPointer(a) || isPointer(b))
      return pointerBinary(this.p, op, width, a, b, this.dst, this.srcRegister);
    if (this.srcRegister !== undefined && (op === 'add' || op === 'sub')) this.p.guard?.numbers(this.dst, op);
    const sum = this.sum(op, width, a, b);
    return linkedSum(op, width, a, b, sum);
  }

  private sum(op: BinaryOp, width: Width, a: Reg, b: Reg): Reg {
    const { at } = this.p;
    const known = this.results.find(at, a.num, b.num);
    if (known !== undefined) return known;
    return this.results.remember(
      at,
      a.num,
      b.num,
      scalarReg(scalarArithmetic.binary(op, width, a.num, b.num)),
    );
  }

  negate(width: Width, a: Reg): Reg {
    if (isPointer(a)) return this.pointerAsNumber();
    return scalarReg(scalarArithmetic.negate(width, a.num));
  }

  zeroExtend(bits: 8 | 16 | 32, a: Reg): Reg {
    if (isPointer(a)) {
      this.partialCopy();
      return scalarReg(scalarArithmetic.zeroExtend(bits, unknownReg.num));
    }
    if (this.op.kind !== 'mov') {
      const num = scalarArithmetic.zeroExtend(bits, a.num);
      if (num === a.num) return a;
      return this.op.kind === 'movsx' && a.id !== 0 && a.num.umax <= 0xffff_ffffn
        ? { ...a, num }
        : scalarReg(num);
    }
    // If the value fits in 32 bits, a 32-bit copy is linked like a 64-bit one.
    if (bits === 32 && 'reg' in this.op.src && a.num.umax < 1n << 32n) return this.copy(this.op.src.reg);
    const { at } = this.p;
    const known = this.extended.find(at, a.num, a.num);
    if (known !== undefined) return known.num === a.num ? a : known;
    const made = this.extended.remember(
      at,
      a.num,
      a.num,
      scalarReg(scalarArithmetic.zeroExtend(bits, a.num)),
    );
    return made.num === a.num ? a : made;
  }

  signExtend(bits: 8 | 16 | 32, a: Reg): Reg {
    if (isPointer(a)) {
      this.partialCopy();
      return scalarReg(scalarArithmetic.signExtend(bits, unknownReg.num));
    }
    // Linux treats this as a copy of the value only if the sign bit is never set.
    const limit = 1n << BigInt(bits - 1);
    const { op } = this;
    const whole = op.kind === 'movsx' ? this.read(op.src) : a;
    const copied = op.kind === 'movsx' && whole.type === 'scalar' && whole.num.umax < limit;
    const num = scalarArithmetic.signExtend(bits, a.num);
    if (copied) return isConst(num) ? scalarReg(num) : { ...this.copy(op.src), num };
    return num === a.num && a.num.umax < limit ? a : scalarReg(num);
  }

  swap(op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, a: Reg): Reg {
    return scalarReg(scalarArithmetic.swap(op, bits, isPointer(a) ? this.pointerAsNumber().num : a.num));
  }

  private get dst(): number {
    return 'dst' in this.op ? this.op.dst : 0;
  }

  /** The insn's second operand, if it is a register. */
  private get srcRegister(): number | undefined {
    return this.op.kind === 'alu' && 'reg' in this.op.src ? this.op.src.reg : undefined;
  }

  private pointerAsNumber(): Reg {
    if (this.p.strict) refuse(`R${'dst' in this.op ? this.op.dst : 0} pointer arithmetic prohibited`);
    return unknownReg;
  }

  private partialCopy(): void {
    const src =
      this.op.kind === 'mov' && 'reg' in this.op.src ? this.op.src.reg : 'src' in this.op ? this.op.src : 0;
    if (this.p.strict) refuse(`R${String(src)} partial copy of pointer`);
  }

  immediate(as: Imm64Kind, imm: number, hi: number, at: number): Reg {
    const { program } = this.p;
    switch (as) {
      case 'imm':
        return this.constant((BigInt(hi) << 32n) | BigInt.asUintN(32, BigInt(imm)));
      case 'map':
        if (program.maps[imm] === undefined) refuse(`there is no map ${imm}`);
        return pointerReg('map_ptr', { map: imm });
      case 'map_value': {
        const map = program.maps[imm];
        if (map === undefined) refuse(`there is no map ${imm}`);
        if (isArena(map)) return arenaAddress(map, hi);
        if (map.type !== 'array' || map.maxEntries !== 1)
          refuse(`direct value access is for arrays of one entry, map '${map.name}' is not one`);
        if (hi < 0 || hi >= map.valueSize) refuse('direct value offset of the map is out of range');
        return pointerReg('map_value', { map: imm, off: hi });
      }
      case 'func':
        return pointerReg('func', { frame: at + 1 + imm });
      case 'map_fd':
      case 'map_fd_value':
        return refuse('a map is named by a file descriptor; name it by its index in the program');
      case 'btf_id':
        return kernelVariable(program, imm);
    }
  }

  private access(off: number, size: number): Access {
    const { op } = this;
    const regno =
      op.kind === 'ldx' || op.kind === 'load_acquire' ? op.src : 'dst' in op ? (op.dst as number) : 0;
    const atomic = op.kind !== 'ldx' && op.kind !== 'stx' && op.kind !== 'st';
    return { reg: this.p.reg(regno), regno, off, size, atomic };
  }

  load(_base: Reg, off: number, size: Size, signed: boolean): Reg {
    const a = this.access(off, size);
    checkAlignment(a, this.op.kind === 'load_acquire');
    // A fill is linked to its slot, if the slot is linked to anything.
    const value = load(this.p, a);
    if (this.op.kind === 'load_acquire') checkAtomicTarget(a, 'loads from');
    this.pointerTypes.check(this.p.at, a.reg, this.op.kind === 'ldx');
    if (!signed || size === 8) return value;
    if (a.reg.type === 'ctx' && isPointer(value))
      refuse(`invalid bpf_context access off=${fixedOffset(a.reg) + a.off} size=${size}`);
    return this.signExtend((size * 8) as 8 | 16 | 32, value);
  }

  store(_base: Reg, off: number, size: Size, value: Reg): void {
    const a = this.access(off, size);
    checkAlignment(a, this.op.kind === 'store_release');
    // A spill of the whole value links the slot to the register, so that a branch refines both.
    const whole = size === 8 || (value.type === 'scalar' && value.num.umax < 1n << BigInt(size * 8));
    const linked = this.op.kind === 'stx' && whole && a.reg.type === 'stack' ? this.copy(this.op.src) : value;
    store(this.p, a, linked);
    if (this.op.kind === 'store_release') checkAtomicTarget(a, 'stores into');
    this.pointerTypes.check(this.p.at, a.reg, false);
  }

  /**
   * An atomic operation reads the old value as a load does, and leaves the memory unknown: it is a fill, but no spill (check_atomic_rmw).
   * Without `fetch` the old value is not returned.
   */
  atomic(_op: AtomicOp, _base: Reg, off: number, size: 4 | 8, value: Reg, expected: Reg | undefined): Reg {
    const a = this.access(off, size);
    const { op } = this;
    if (isPointer(value) && this.p.strict)
      refuse(`R${op.kind === 'atomic' ? op.src : 0} leaks addr into mem`);
    if (expected !== undefined && isPointer(expected) && this.p.strict) refuse('R0 leaks addr into mem');
    checkAtomicTarget(a, 'stores into');
    checkAlignment(a, true);
    checkAtomicOffset(a);
    const old = load(this.p, a);
    // A spilled pointer that was released since then is not a number.
    if (this.p.strict && a.reg.type === 'stack' && (isPointer(old) || old.type === 'uninit'))
      refuse(`leaking pointer from stack off ${fixedOffset(a.reg) + off}`);
    const fetched = op.kind === 'atomic' && op.fetch ? old : unknownReg;
    store(this.p, a, unknownReg);
    // The bytes are marked as written, but hold no spill that a load could be linked to.
    if (a.reg.type === 'stack' && hasFixedOffset(a.reg))
      writeUnknownBytes(this.p, a.reg.frame, fixedOffset(a.reg) + a.off, size);
    return size === 8 || fetched.num.umax <= 0xffff_ffffn
      ? fetched
      : scalarReg(scalarArithmetic.zeroExtend(32, fetched.num));
  }

  cast(_value: Reg, imm: number): Reg {
    if (imm !== TO_KERNEL && imm !== TO_USER)
      refuse('addr_space_cast insn can only convert between address space 1 and 0');
    if (!this.arena.hasArena)
      refuse('addr_space_cast insn can only be used in a program that has an associated arena');
    return imm === TO_KERNEL ? arenaReg : unknownReg;
  }
}

/** Refuses insns whose form alone is invalid (check_alu_op). */
function checkForm(op: Op): void {
  if ('dst' in op && op.dst === 10 && writesDst(op)) refuse('frame pointer is read only');
  if (op.kind === 'alu' && 'imm' in op.src) {
    const { imm } = op.src;
    if (SHIFTS.has(op.op) && (imm < 0 || imm >= op.width)) refuse(`invalid shift ${imm}`);
    if (DIVISIONS.has(op.op) && imm === 0) refuse('div by zero');
  }
}

function writesDst(op: Op): boolean {
  switch (op.kind) {
    case 'alu':
    case 'mov':
    case 'movsx':
    case 'neg':
    case 'end':
    case 'ld_imm64':
    case 'ldx':
    case 'load_acquire':
    case 'addr_space_cast':
      return true;
    default:
      return false;
  }
}
