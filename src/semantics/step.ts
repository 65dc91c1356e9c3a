/**
 * What one insn does, written once. Every machine runs this; the comments give the section of RFC 9669.
 * A faster tier of the VM may exist, but it is checked against this one.
 */
import type { Op, Operand } from '../isa/insn.js';
import { slots } from '../isa/insn.js';
import type { Machine, Next } from './machine.js';

const NEXT: Next<never> = { kind: 'next' };

function operand<V>(m: Machine<V>, src: Operand): V {
  return 'reg' in src ? m.read(src.reg) : m.constant(BigInt(src.imm));
}

/** Runs one decoded insn at slot `at` on the machine and says where control goes. Errors are the machine's. */
export function step<V>(m: Machine<V>, op: Op, at: number): Next<V> {
  const after = at + slots(op);
  switch (op.kind) {
    // Section 4.1, arithmetic.
    case 'alu': {
      const b = operand(m, op.src);
      m.write(op.dst, m.binary(op.op, op.width, m.read(op.dst), b));
      return NEXT;
    }
    case 'mov': {
      if ('imm' in op.src) {
        const value = BigInt(op.src.imm);
        m.write(op.dst, m.constant(op.width === 64 ? value : BigInt.asUintN(32, value)));
      } else if (op.width === 64) {
        m.write(op.dst, m.copy(op.src.reg));
      } else {
        m.write(op.dst, m.zeroExtend(32, m.read(op.src.reg)));
      }
      return NEXT;
    }
    case 'movsx': {
      // At width 32 the high half is dropped first: it does not matter, and a machine may know more of the low half alone.
      const src = op.width === 64 ? m.read(op.src) : m.zeroExtend(32, m.read(op.src));
      const extended = m.signExtend(op.bits, src);
      m.write(op.dst, op.width === 64 ? extended : m.zeroExtend(32, extended));
      return NEXT;
    }
    case 'neg':
      m.write(op.dst, m.negate(op.width, m.read(op.dst)));
      return NEXT;
    // Section 4.2, byte swaps.
    case 'end':
      m.write(op.dst, m.swap(op.op, op.bits, m.read(op.dst)));
      return NEXT;
    case 'addr_space_cast':
      m.write(op.dst, m.cast(m.read(op.src), op.imm));
      return NEXT;
    // Section 5.4, 64-bit immediates.
    case 'ld_imm64':
      m.write(op.dst, m.immediate(op.as, op.imm, op.hi, at));
      return NEXT;
    // Sections 5.1 and 5.2, loads and stores.
    case 'ldx':
      m.write(op.dst, m.load(m.read(op.src), op.off, op.size, op.signed));
      return NEXT;
    case 'load_acquire':
      m.write(op.dst, m.load(m.read(op.src), op.off, op.size, false));
      return NEXT;
    case 'stx':
    case 'store_release':
      m.store(m.read(op.dst), op.off, op.size, m.read(op.src));
      return NEXT;
    case 'st':
      m.store(m.read(op.dst), op.off, op.size, m.constant(BigInt(op.imm)));
      return NEXT;
    // Section 5.3, atomics. A 32-bit fetch zero-extends; cmpxchg returns the old value in r0.
    case 'atomic': {
      const expected = op.op === 'cmpxchg' ? m.read(0) : undefined;
      const old = m.atomic(op.op, m.read(op.dst), op.off, op.size, m.read(op.src), expected);
      if (op.op === 'cmpxchg') m.write(0, old);
      else if (op.fetch) m.write(op.src, old);
      return NEXT;
    }
    // Section 4.3, jumps.
    case 'ja':
      return { kind: 'jump', slot: after + op.off };
    case 'jmp':
      return {
        kind: 'branch',
        op: op.op,
        width: op.width,
        left: m.read(op.dst),
        right: operand(m, op.src),
        dst: op.dst,
        src: 'reg' in op.src ? op.src.reg : undefined,
        slot: after + op.off,
      };
    case 'may_goto':
      return { kind: 'may_goto', slot: after + op.off };
    case 'unwind_goto':
      return { kind: 'unwind_goto', slot: after + op.off };
    case 'call':
      return op.target === 'subprog'
        ? { kind: 'subprog', slot: after + op.imm }
        : { kind: 'call', target: op.target, imm: op.imm };
    case 'ld_packet':
      return { kind: 'packet', size: op.size, src: op.src, imm: op.imm };
    case 'exit':
      return { kind: 'exit' };
    case 'unwind_exit':
      return { kind: 'unwind_exit' };
  }
}
