/**
 * Terms: expressions over bit-vectors and truth values, as Z3 has them. They are our own so that most questions are answered by
 * simplification, without Z3. Equal terms are the same object (hash consing). Every term knows an unsigned interval that its value lies in.
 */

/**
 * Names follow SMT-LIB. A term of width 0 is a truth value. `concat` takes the high part first; `extract` keeps `width` bits from bit `value`
 * upwards. `udiv`, `urem`, `sdiv`, `srem` are only ever made with a divisor that is not 0, so SMT-LIB's value for that case
 * never shows.
 */
export type TermOp =
  | 'const'
  | 'var'
  | 'add'
  | 'sub'
  | 'mul'
  | 'udiv'
  | 'urem'
  | 'sdiv'
  | 'srem'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'lshr'
  | 'ashr'
  | 'concat'
  | 'extract'
  | 'zext'
  | 'sext'
  | 'ite'
  | 'not'
  | 'all'
  | 'any'
  | 'eq'
  | 'ult'
  | 'ule'
  | 'slt'
  | 'sle';

/** An expression. Make one with `Terms`, never by hand: equal terms must be the same object. */
export interface Term {
  readonly op: TermOp;
  /** Bits, 1 to 64; 0 for a truth value. */
  readonly width: number;
  readonly args: readonly Term[];
  /** A constant's unsigned value (0 or 1 for a truth value); the lowest bit of an `extract`. */
  readonly value: bigint;
  /** A variable's name. */
  readonly name: string;
  /** Unique in its table, and greater than its arguments' ids. */
  readonly id: number;
  /** Unsigned bounds, inclusive. */
  readonly lo: bigint;
  readonly hi: bigint;
}

/** Whether a term is a number, or true or false, that needs no solver. */
export const isConst = (term: Term): boolean => term.op === 'const';

/** The greatest unsigned number of this width: all its bits are 1. */
export const ones = (width: number): bigint => (1n << BigInt(width)) - 1n;

/** A constant's value read as a signed number. */
export const signedValue = (term: Term): bigint => BigInt.asIntN(term.width, term.value);

const NO_ARGS: readonly Term[] = [];

/** Holds all terms of one proof or exploration, and is dropped with it. */
export class TermTable {
  private readonly known = new Map<string, Term>();
  readonly true = this.intern('const', 0, NO_ARGS, 1n);
  readonly false = this.intern('const', 0, NO_ARGS, 0n);

  /** Number of different terms made so far. */
  get size(): number {
    return this.known.size;
  }

  /** The term with these parts, made if it is new. No simplification: use the constructors of `Terms`. */
  protected intern(op: TermOp, width: number, args: readonly Term[], value = 0n, name = ''): Term {
    let key = `${op},${width},${value},${name}`;
    for (const arg of args) key += `,${arg.id}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const [lo, hi] = interval(op, width, args, value);
    const term: Term = { op, width, args, value, name, id: this.known.size, lo, hi };
    this.known.set(key, term);
    return term;
  }

  /** A constant; the value may be given signed or unsigned. */
  constant(width: number, value: bigint | number): Term {
    return this.intern('const', width, NO_ARGS, BigInt.asUintN(width, BigInt(value)));
  }

  bool(value: boolean): Term {
    return value ? this.true : this.false;
  }

  /** The variable of this name and width; the same name always means the same variable. */
  variable(width: number, name: string): Term {
    return this.intern('var', width, NO_ARGS, 0n, name);
  }
}

function interval(
  op: TermOp,
  width: number,
  args: readonly Term[],
  value: bigint,
): readonly [bigint, bigint] {
  const max = width === 0 ? 1n : ones(width);
  const [a, b, c] = args;
  switch (op) {
    case 'const':
      return [value, value];
    case 'zext':
      return [a!.lo, a!.hi];
    case 'and':
      return [0n, least(a!.hi, b!.hi)];
    case 'or':
      return [greatest(a!.lo, b!.lo), covering(a!.hi | b!.hi)];
    case 'xor':
      return [0n, covering(a!.hi | b!.hi)];
    case 'add':
      return a!.hi + b!.hi <= max ? [a!.lo + b!.lo, a!.hi + b!.hi] : [0n, max];
    case 'sub':
      return a!.lo >= b!.hi ? [a!.lo - b!.hi, a!.hi - b!.lo] : [0n, max];
    case 'mul':
      return a!.hi * b!.hi <= max ? [a!.lo * b!.lo, a!.hi * b!.hi] : [0n, max];
    case 'udiv':
      return [0n, a!.hi];
    case 'urem':
      return [0n, b!.hi === 0n ? a!.hi : least(a!.hi, b!.hi - 1n)];
    case 'lshr':
      return isConst(b!) && b!.value < 64n ? [a!.lo >> b!.value, a!.hi >> b!.value] : [0n, a!.hi];
    case 'concat': {
      const low = BigInt(b!.width);
      return [(a!.lo << low) | b!.lo, (a!.hi << low) | b!.hi];
    }
    case 'extract':
      return value === 0n && a!.hi <= max ? [a!.lo, a!.hi] : [0n, max];
    case 'ite':
      return [least(b!.lo, c!.lo), greatest(b!.hi, c!.hi)];
    default:
      return [0n, max];
  }
}

function least(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function greatest(a: bigint, b: bigint): bigint {
  if (a < b) return b;
  return a;
}

/** The least number of the form 2^n - 1 that is not below this one. */
function covering(value: bigint): bigint {
  return value === 0n ? 0n : (1n << BigInt(value.toString(2).length)) - 1n;
}

/** All terms that these are made of, arguments before what uses them, each once. */
export function inOrder(roots: readonly Term[]): readonly Term[] {
  const seen = new Set<Term>();
  const stack = [...roots];
  while (stack.length > 0) {
    const term = stack.pop()!;
    if (seen.has(term)) continue;
    seen.add(term);
    for (const arg of term.args) stack.push(arg);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
