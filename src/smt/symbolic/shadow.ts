/**
 * Shadow registers and shadow memory: the terms of a symbolic run, beside the VM's concrete state. A register or byte without a term of its
 * own is the constant that the VM has there.
 *
 * Memory is a map from offset to byte for each region, without a theory of arrays. A region whose contents come from outside has an
 * origin, which makes a variable for each byte when it is first read.
 */
import type { Size } from '../../isa/insn.js';
import type { MachineState } from '../../vm/state/machine.js';
import type { Term } from '../term/term.js';
import type { Terms } from '../term/terms.js';

/** One byte of a term: bits 8 * index and up. */
interface ByteOf {
  readonly term: Term;
  readonly index: number;
}

/** The variable for a byte of a region as it was at the start; `undefined` where the byte is a constant. */
export type Origin = (offset: number) => Term | undefined;

/**
 * The terms of one symbolic run: registers, saved registers of callers, and the bytes that were written. The VM keeps the concrete
 * values beside it.
 */
export class Shadow {
  private readonly regs: (Term | undefined)[] = new Array<Term | undefined>(11).fill(undefined);
  /** r6 to r9 of the callers, outermost first. */
  private readonly savedRegs: (Term | undefined)[][] = [];
  private readonly written = new Map<number, Map<number, ByteOf>>();
  private readonly origins = new Map<number, Origin>();

  constructor(
    readonly t: Terms,
    private readonly machine: MachineState,
  ) {}

  /** The term of a register; a constant if nothing is known of it. */
  reg(reg: number): Term {
    return this.regs[reg] ?? this.t.constant(64, this.machine.regs[reg]!);
  }

  /** Sets a register; `undefined`: it is the constant that the VM has. */
  setReg(reg: number, term: Term | undefined): void {
    this.regs[reg] = term;
  }

  /** r1 to r5 after a call. */
  clobber(): void {
    this.regs.fill(undefined, 1, 6);
  }

  /** A frame was opened: the caller's r6 to r9 are put away. */
  push(): void {
    this.savedRegs.push(this.regs.slice(6, 10));
    this.regs.fill(undefined, 6, 11);
    this.forget(this.machine.stackOf(this.machine.depth));
  }

  /** A frame was closed. */
  pop(): void {
    const saved = this.savedRegs.pop() ?? [];
    for (let reg = 6; reg < 10; reg++) this.regs[reg] = saved[reg - 6];
    this.regs[10] = undefined;
    this.clobber();
  }

  /** All frames were closed and one opened, for which nothing is kept. */
  unwind(): void {
    this.savedRegs.length = 0;
    this.regs.fill(undefined);
    this.forget(this.machine.stackOf(this.machine.depth));
  }

  /** Names the bytes of a region that nobody has written. */
  setOrigin(region: number, origin: Origin): void {
    this.origins.set(region, origin);
  }

  hasOrigin(region: number): boolean {
    return this.origins.has(region);
  }

  /** Copies the contents of region `from` to region `to` (a packet that was moved). */
  move(from: number, to: number): void {
    const written = this.written.get(from);
    const origin = this.origins.get(from);
    if (written !== undefined) this.written.set(to, new Map(written));
    if (origin !== undefined) this.origins.set(to, origin);
  }

  /** All bytes of a region become the constants that the VM has there. */
  forget(region: number): void {
    this.written.delete(region);
    this.origins.delete(region);
  }

  /** Forgets all memory that a kernel function may have changed: everything but stacks and the context. */
  forgetShared(): void {
    for (const region of new Set([...this.written.keys(), ...this.origins.keys()])) {
      const kind = this.machine.memory.get(region)?.kind;
      if (kind !== 'stack' && kind !== 'ctx') this.forget(region);
    }
  }

  /** These bytes become the constants that the VM has there. */
  makeConcrete(region: number, offset: number, size: number): void {
    for (let at = offset; at < offset + size; at++) {
      const byte = this.concrete(region, at);
      this.writtenIn(region).set(at, { term: this.t.constant(8, byte), index: 0 });
    }
  }

  private writtenIn(region: number): Map<number, ByteOf> {
    const known = this.written.get(region);
    if (known !== undefined) return known;
    const fresh = new Map<number, ByteOf>();
    this.written.set(region, fresh);
    return fresh;
  }

  private concrete(region: number, offset: number): number {
    return this.machine.memory.get(region)?.bytes[offset] ?? 0;
  }

  /** `size` bytes at an offset of a region, as a term of 8 * size bits. */
  load(region: number, offset: number, size: Size): Term {
    const { t } = this;
    const bytes = Array.from({ length: size }, (_, i) => this.byte(region, offset + i));
    // A load of exactly what one store wrote gives the stored term.
    const first = bytes[0]!;
    const whole = bytes.every((byte, i) => byte.term === first.term && byte.index === i);
    if (whole && first.term.width === 8 * size) return first.term;
    return bytes
      .map(({ term, index }) => t.extract(term, 8 * index, 8))
      .reduceRight((high, low) => t.concat(high, low));
  }

  private byte(region: number, offset: number): ByteOf {
    const written = this.written.get(region)?.get(offset);
    if (written !== undefined) return written;
    const origin = this.origins.get(region)?.(offset);
    return { term: origin ?? this.t.constant(8, this.concrete(region, offset)), index: 0 };
  }

  /** Stores the low 8 * size bits of a term. */
  store(region: number, offset: number, size: number, value: Term): void {
    const low = this.t.extract(value, 0, 8 * size);
    const written = this.writtenIn(region);
    for (let i = 0; i < size; i++) written.set(offset + i, { term: low, index: i });
  }
}
