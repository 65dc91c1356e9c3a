/** The value of a term when its variables have values: the meaning that simplification, Z3 and the VM must all agree with. */
import { inOrder, ones, type Term } from './term.js';

/** Values of variables by name, unsigned. A variable that is missing is 0. */
export type Assignment = ReadonlyMap<string, bigint>;

/** The value of one term, unsigned; a truth value is 0 or 1. */
export function evaluate(term: Term, assignment: Assignment): bigint {
  return evaluator(assignment)(term);
}

/** As `evaluate`, for many terms under one assignment: what they share is worked out once. */
export function evaluator(assignment: Assignment): (term: Term) => bigint {
  const values = new Map<Term, bigint>();
  return (term) => {
    if (term.op === 'const') return term.value;
    const known = values.get(term);
    if (known !== undefined) return known;
    for (const part of inOrder([term])) {
      if (!values.has(part)) values.set(part, valueIn(part, assignment, values));
    }
    return values.get(term)!;
  };
}

function valueIn(term: Term, assignment: Assignment, values: ReadonlyMap<Term, bigint>): bigint {
  const { op, width } = term;
  if (op === 'const') return term.value;
  if (op === 'var') return BigInt.asUintN(width === 0 ? 1 : width, assignment.get(term.name) ?? 0n);
  if (op === 'all') return term.args.every((arg) => values.get(arg) === 1n) ? 1n : 0n;
  if (op === 'any') return term.args.some((arg) => values.get(arg) === 1n) ? 1n : 0n;
  const first = term.args[0]!;
  const a = values.get(first)!;
  const b = term.args.length > 1 ? values.get(term.args[1]!)! : 0n;
  if (op === 'ite') return a === 1n ? b : values.get(term.args[2]!)!;
  if (op === 'extract') return BigInt.asUintN(width, a >> term.value);
  if (op === 'zext') return a;
  if (op === 'sext') return BigInt.asUintN(width, BigInt.asIntN(first.width, a));
  if (op === 'concat') return (a << BigInt(term.args[1]!.width)) | b;
  if (op === 'not') return 1n - a;
  return apply(op, first.width, a, b);
}

/** Applies a two-argument operator to unsigned values of `width` bits. Comparisons give 0 or 1. */
export function apply(op: Term['op'], width: number, a: bigint, b: bigint): bigint {
  const signed = (value: bigint): bigint => BigInt.asIntN(width, value);
  const wrap = (value: bigint): bigint => BigInt.asUintN(width, value);
  switch (op) {
    case 'add':
      return wrap(a + b);
    case 'sub':
      return wrap(a - b);
    case 'mul':
      return wrap(a * b);
    // Division by 0 as in SMT-LIB.
    case 'udiv':
      return b === 0n ? ones(width) : a / b;
    case 'urem':
      return b === 0n ? a : a % b;
    case 'sdiv':
      return b === 0n ? (signed(a) < 0n ? 1n : ones(width)) : wrap(signed(a) / signed(b));
    case 'srem':
      return b === 0n ? a : wrap(signed(a) % signed(b));
    case 'and':
      return a & b;
    case 'or':
      return a | b;
    case 'xor':
      return a ^ b;
    // A shift by the width or more leaves nothing (or only the sign).
    case 'shl':
      return b >= BigInt(width) ? 0n : wrap(a << b);
    case 'lshr':
      return b >= BigInt(width) ? 0n : a >> b;
    case 'ashr':
      return wrap(signed(a) >> (b >= BigInt(width) ? BigInt(width) : b));
    case 'eq':
      return a === b ? 1n : 0n;
    case 'ult':
      return a < b ? 1n : 0n;
    case 'ule':
      return a <= b ? 1n : 0n;
    case 'slt':
      return signed(a) < signed(b) ? 1n : 0n;
    case 'sle':
      return signed(a) <= signed(b) ? 1n : 0n;
    default:
      throw new Error(`no two-argument operator ${op}`);
  }
}
