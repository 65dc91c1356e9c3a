/** The semantics of insns over terms: the definitional interpreter's machine, reading and writing a run's shadow. */
import type { AtomicOp, BinaryOp, Imm64Kind, Op, Size, Width } from '../../isa/insn.js';
import { progType } from '../../kernel/progtypes.js';
import type { Machine } from '../../semantics/machine.js';
import { hiddenPointer } from '../../vm/insn/context.js';
import { offsetOf, regionOf } from '../../vm/state/address.js';
import type { MachineState } from '../../vm/state/machine.js';
import * as arith from '../arith.js';
import { isConst, type Term } from '../term/term.js';
import type { Terms } from '../term/terms.js';
import type { Shadow } from './shadow.js';

/** What the machine reports to the run, and asks of it. */
export interface Watcher {
  /** An address was replaced by the number that it is in this run. */
  concretize(term: Term, value: bigint): void;
  /** The end of the packet, as a term of 64 bits. */
  packetEnd(): Term;
}

/** Runs one insn; made anew for each. The VM has not executed the insn yet, and does so afterwards. */
export class TermMachine implements Machine<Term> {
  private readonly t: Terms;
  /** The address that the insn accesses, before its offset, as the VM has it. */
  private readonly base: bigint;

  constructor(
    private readonly machine: MachineState,
    private readonly shadow: Shadow,
    private readonly watcher: Watcher,
    op: Op,
  ) {
    this.t = shadow.t;
    this.base = machine.regs[baseRegister(op)]!;
  }

  constant(value: bigint): Term {
    return this.t.constant(64, value);
  }

  binary(op: BinaryOp, width: Width, a: Term, b: Term): Term {
    return arith.binary(this.t, op, width, a, b);
  }

  negate(width: Width, a: Term): Term {
    return arith.negate(this.t, width, a);
  }

  zeroExtend(bits: 8 | 16 | 32, a: Term): Term {
    return arith.zeroExtend(this.t, bits, a);
  }

  signExtend(bits: 8 | 16 | 32, a: Term): Term {
    return arith.signExtend(this.t, bits, a);
  }

  swap(op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, a: Term): Term {
    return arith.swap(this.t, op, bits, a);
  }

  read(reg: number): Term {
    return this.shadow.reg(reg);
  }

  copy(reg: number): Term {
    return this.shadow.reg(reg);
  }

  write(reg: number, value: Term): void {
    this.shadow.setReg(reg, value);
  }

  /** Maps, values and functions have the addresses that the VM gives them; the run puts those in after the insn. */
  immediate(_as: Imm64Kind, imm: number, hi: number): Term {
    return this.t.constant(64, (BigInt(hi >>> 0) << 32n) | BigInt(imm >>> 0));
  }

  load(base: Term, off: number, size: Size, signed: boolean): Term {
    this.concretize(base);
    const [region, offset] = this.place(off);
    const from = this.machine.memory.get(region);
    const pointer = from === undefined ? undefined : hiddenPointer(this.machine, region, offset, size);
    if (pointer !== undefined) {
      const { members } = progType(this.machine.code.program.type);
      const end = members.some((member) => member.offset === offset && member.value === 'packet_end');
      return from?.kind === 'ctx' && end ? this.watcher.packetEnd() : this.t.constant(64, pointer);
    }
    const value = this.shadow.load(region, offset, size);
    return signed ? this.t.sext(64, value) : this.t.zext(64, value);
  }

  store(base: Term, off: number, size: Size, value: Term): void {
    this.concretize(base);
    const [region, offset] = this.place(off);
    this.shadow.store(region, offset, size, value);
  }

  atomic(op: AtomicOp, base: Term, off: number, size: 4 | 8, value: Term, expected: Term | undefined): Term {
    const { t } = this;
    this.concretize(base);
    const [region, offset] = this.place(off);
    const old = this.shadow.load(region, offset, size);
    const operand = t.extract(value, 0, 8 * size);
    const wide = t.zext(64, old);
    let next: Term;
    if (op === 'cmpxchg') next = t.ite(t.eq(old, t.extract(expected!, 0, 8 * size)), operand, old);
    else if (op === 'xchg') next = operand;
    else next = t.extract(arith.binary(t, op, size === 8 ? 64 : 32, wide, t.zext(64, operand)), 0, 8 * size);
    this.shadow.store(region, offset, size, next);
    return wide;
  }

  cast(value: Term): Term {
    return value;
  }

  private concretize(base: Term): void {
    if (!isConst(base)) this.watcher.concretize(base, this.base);
  }

  /** Region and offset of the access. A place that does not exist traps in the VM, so what is answered then does not matter. */
  private place(off: number): readonly [number, number] {
    return [regionOf(this.base), offsetOf(this.base) + off];
  }
}

/** The register that a memory access goes through; r0 for insns that access none. */
function baseRegister(op: Op): number {
  switch (op.kind) {
    case 'ldx':
    case 'load_acquire':
      return op.src;
    case 'stx':
    case 'st':
    case 'store_release':
    case 'atomic':
      return op.dst;
    default:
      return 0;
  }
}
