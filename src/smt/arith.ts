/**
 * BPF arithmetic over terms: the symbolic counterpart of src/semantics/arith.ts, and checked against it by properties.
 * RFC 9669, sections 4.1 to 4.3.
 */
import type { BinaryOp, Comparison, Width } from '../isa/insn.js';
import type { Domain } from '../semantics/machine.js';
import { isConst, type Term } from './term/term.js';
import type { Terms } from './term/terms.js';

/** `a op b` on terms of 64 bits. */
export function binary(t: Terms, op: BinaryOp, width: Width, a: Term, b: Term): Term {
  if (width === 32) {
    return t.zext(64, narrow(t, op, t.extract(a, 0, 32), t.extract(b, 0, 32)));
  }
  return narrow(t, op, a, b);
}

/** `a op b`, where both operands already have the width of the operation. */
function narrow(t: Terms, op: BinaryOp, a: Term, b: Term): Term {
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'or':
    case 'and':
    case 'xor':
      return t[op](a, b);
    // x / 0 = 0 and x % 0 = x; the most negative number divided by -1 wraps to itself, which is SMT-LIB's value too.
    case 'div':
      return divide(t, b, t.constant(a.width, 0n), (divisor) => t.udiv(a, divisor));
    case 'sdiv':
      return divide(t, b, t.constant(a.width, 0n), (divisor) => t.sdiv(a, divisor));
    case 'mod':
      return divide(t, b, a, (divisor) => t.urem(a, divisor));
    case 'smod':
      return divide(t, b, a, (divisor) => t.srem(a, divisor));
    case 'lsh':
      return t.shl(a, shiftCount(t, b));
    case 'rsh':
      return t.lshr(a, shiftCount(t, b));
    case 'arsh':
      return t.ashr(a, shiftCount(t, b));
  }
}

function divide(t: Terms, divisor: Term, byZero: Term, quotient: (divisor: Term) => Term): Term {
  const zero = t.constant(divisor.width, 0n);
  if (isConst(divisor)) return divisor.value === 0n ? byZero : quotient(divisor);
  if (divisor.lo > 0n) return quotient(divisor);
  return t.ite(t.eq(divisor, zero), byZero, quotient(divisor));
}

const shiftCount = (t: Terms, count: Term): Term => t.and(count, t.constant(count.width, count.width - 1));

/** Two's complement of the low `width` bits. A 32-bit result is extended with zeros to 64 bits. */
export function negate(t: Terms, width: Width, a: Term): Term {
  return width === 64 ? t.neg(a) : t.zext(64, t.neg(t.extract(a, 0, 32)));
}

/** Takes the low `bits` of a term and fills up to 64 bits with zeros. */
export const zeroExtend = (t: Terms, bits: number, a: Term): Term => t.zext(64, t.extract(a, 0, bits));

/** Takes the low `bits` of a term and fills up to 64 bits with copies of its top bit. */
export const signExtend = (t: Terms, bits: number, a: Term): Term => t.sext(64, t.extract(a, 0, bits));

/** Byte order on a little-endian host: `le` truncates to `bits`; `be` and `bswap` swap the low `bits` and zero the rest. */
export function swap(t: Terms, op: 'le' | 'be' | 'bswap', bits: 16 | 32 | 64, a: Term): Term {
  if (op === 'le') return zeroExtend(t, bits, a);
  let swapped = t.extract(a, 0, 8);
  for (let from = 8; from < bits; from += 8) swapped = t.concat(swapped, t.extract(a, from, 8));
  return t.zext(64, swapped);
}

/** The condition under which the jump `if a op b` is taken. */
export function compare(t: Terms, op: Comparison, width: Width, a: Term, b: Term): Term {
  const x = width === 64 ? a : t.extract(a, 0, 32);
  const y = width === 64 ? b : t.extract(b, 0, 32);
  switch (op) {
    case 'eq':
      return t.eq(x, y);
    case 'ne':
      return t.not(t.eq(x, y));
    case 'gt':
      return t.ult(y, x);
    case 'ge':
      return t.ule(y, x);
    case 'lt':
      return t.ult(x, y);
    case 'le':
      return t.ule(x, y);
    case 'sgt':
      return t.slt(y, x);
    case 'sge':
      return t.sle(y, x);
    case 'slt':
      return t.slt(x, y);
    case 'sle':
      return t.sle(x, y);
    case 'set':
      return t.not(t.eq(t.and(x, y), t.constant(x.width, 0n)));
  }
}

/** The domain of terms, for the interpreter. All values have 64 bits. */
export function termDomain(t: Terms): Domain<Term> {
  return {
    constant: (value) => t.constant(64, value),
    binary: (op, width, a, b) => binary(t, op, width, a, b),
    negate: (width, a) => negate(t, width, a),
    zeroExtend: (bits, a) => zeroExtend(t, bits, a),
    signExtend: (bits, a) => signExtend(t, bits, a),
    swap: (op, bits, a) => swap(t, op, bits, a),
  };
}
