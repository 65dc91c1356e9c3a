/** Constructors of bit-vector terms. Each simplifies what it can see in one look, so that constants fold and addresses stay in the form `x + constant`. */
import { apply } from './evaluate.js';
import { isConst, ones, type Term, type TermOp, TermTable } from './term.js';

const COMMUTATIVE: ReadonlySet<TermOp> = new Set(['add', 'mul', 'and', 'or', 'xor']);

/** Makes bit-vector terms of 1 to 64 bits. Arguments of one operation have the same width; results wrap around as in BPF. */
export class Bits extends TermTable {
  add(a: Term, b: Term): Term {
    return this.commutative('add', a, b, (x, y) => {
      if (!isConst(y)) {
        // Constants move outwards: (x + c) + y is (x + y) + c.
        if (x.op === 'add' && isConst(x.args[1]!)) return this.add(this.add(x.args[0]!, y), x.args[1]!);
        if (y.op === 'add' && isConst(y.args[1]!)) return this.add(this.add(x, y.args[0]!), y.args[1]!);
        return undefined;
      }
      if (y.value === 0n) return x;
      if (x.op === 'add' && isConst(x.args[1]!)) return this.add(x.args[0]!, this.fold('add', x.args[1]!, y));
      return undefined;
    });
  }

  sub(a: Term, b: Term): Term {
    if (isConst(b)) return this.add(a, this.constant(b.width, -b.value));
    if (a === b) return this.constant(a.width, 0n);
    const [x, c] = this.split(a);
    const [y, d] = this.split(b);
    if (x === y) return this.constant(a.width, c - d);
    if (x.op === 'add' && x.args.includes(y)) {
      return this.add(x.args[0] === y ? x.args[1]! : x.args[0]!, this.constant(a.width, c - d));
    }
    if (c !== 0n || d !== 0n) return this.add(this.sub(x, y), this.constant(a.width, c - d));
    return this.intern('sub', a.width, [a, b]);
  }

  neg(a: Term): Term {
    return this.sub(this.constant(a.width, 0n), a);
  }

  /** x and c of `x + c`, c unsigned. */
  split(a: Term): readonly [Term, bigint] {
    return a.op === 'add' && isConst(a.args[1]!) ? [a.args[0]!, a.args[1]!.value] : [a, 0n];
  }

  mul(a: Term, b: Term): Term {
    return this.commutative('mul', a, b, (x, y) => {
      if (!isConst(y)) return undefined;
      if (y.value === 0n) return y;
      if (y.value === 1n) return x;
      const shift = powerOfTwo(y.value);
      return shift === undefined ? undefined : this.shl(x, this.constant(x.width, shift));
    });
  }

  /** `a / b`, unsigned. The caller makes sure that b is not 0. */
  udiv(a: Term, b: Term): Term {
    if (isConst(a) && isConst(b)) return this.fold('udiv', a, b);
    const shift = isConst(b) ? powerOfTwo(b.value) : undefined;
    if (shift !== undefined) return this.lshr(a, this.constant(a.width, shift));
    return this.intern('udiv', a.width, [a, b]);
  }

  urem(a: Term, b: Term): Term {
    if (isConst(a) && isConst(b)) return this.fold('urem', a, b);
    if (isConst(b) && a.hi < b.value) return a;
    const shift = isConst(b) ? powerOfTwo(b.value) : undefined;
    if (shift !== undefined) return this.and(a, this.constant(a.width, b.value - 1n));
    return this.intern('urem', a.width, [a, b]);
  }

  sdiv(a: Term, b: Term): Term {
    return isConst(a) && isConst(b) ? this.fold('sdiv', a, b) : this.intern('sdiv', a.width, [a, b]);
  }

  srem(a: Term, b: Term): Term {
    return isConst(a) && isConst(b) ? this.fold('srem', a, b) : this.intern('srem', a.width, [a, b]);
  }

  and(a: Term, b: Term): Term {
    return this.commutative('and', a, b, (x, y) => {
      if (x === y) return x;
      if (!isConst(y)) return undefined;
      if (y.value === 0n) return y;
      // A mask of low ones that covers all of x changes nothing.
      const low = powerOfTwo(y.value + 1n);
      if (low !== undefined && x.hi <= y.value) return x;
      if (low !== undefined) return this.zext(x.width, this.extract(x, 0, Number(low)));
      if (x.op === 'and' && isConst(x.args[1]!)) return this.and(x.args[0]!, this.fold('and', x.args[1]!, y));
      return undefined;
    });
  }

  or(a: Term, b: Term): Term {
    return this.commutative('or', a, b, (x, y) => {
      if (x === y) return x;
      if (!isConst(y)) return undefined;
      if (y.value === 0n) return x;
      if (y.value === ones(y.width)) return y;
      if (x.op === 'or' && isConst(x.args[1]!)) return this.or(x.args[0]!, this.fold('or', x.args[1]!, y));
      return undefined;
    });
  }

  xor(a: Term, b: Term): Term {
    return this.commutative('xor', a, b, (x, y) => {
      if (x === y) return this.constant(x.width, 0n);
      if (!isConst(y)) return undefined;
      if (y.value === 0n) return x;
      if (x.op === 'xor' && isConst(x.args[1]!)) return this.xor(x.args[0]!, this.fold('xor', x.args[1]!, y));
      return undefined;
    });
  }

  shl(a: Term, b: Term): Term {
    return this.shift('shl', a, b);
  }

  lshr(a: Term, b: Term): Term {
    return this.shift('lshr', a, b);
  }

  ashr(a: Term, b: Term): Term {
    return this.shift('ashr', a, b);
  }

  /** `high` above `low`. */
  concat(high: Term, low: Term): Term {
    const width = high.width + low.width;
    if (isConst(high) && isConst(low)) {
      return this.constant(width, (high.value << BigInt(low.width)) | low.value);
    }
    if (isConst(high) && high.value === 0n) return this.zext(width, low);
    if (high.op === 'extract' && low.op === 'extract' && high.args[0] === low.args[0]) {
      // Two neighbouring parts of one term are one part of it.
      if (high.value === low.value + BigInt(low.width))
        return this.extract(low.args[0]!, Number(low.value), width);
    }
    return this.intern('concat', width, [high, low]);
  }

  /** `width` bits of `a` from bit `from` upwards. */
  extract(a: Term, from: number, width: number): Term {
    if (width === a.width) return a;
    if (isConst(a)) return this.constant(width, a.value >> BigInt(from));
    const [x, y] = a.args;
    switch (a.op) {
      case 'extract':
        return this.extract(x!, Number(a.value) + from, width);
      case 'zext':
        if (from >= x!.width) return this.constant(width, 0n);
        if (from + width <= x!.width) return this.extract(x!, from, width);
        return this.zext(width, this.extract(x!, from, x!.width - from));
      case 'sext':
        if (from + width <= x!.width) return this.extract(x!, from, width);
        if (from === 0) return this.sext(width, x!);
        break;
      case 'concat':
        if (from >= y!.width) return this.extract(x!, from - y!.width, width);
        if (from + width <= y!.width) return this.extract(y!, from, width);
        return this.concat(
          this.extract(x!, 0, from + width - y!.width),
          this.extract(y!, from, y!.width - from),
        );
      case 'and':
      case 'or':
      case 'xor':
        return this[a.op](this.extract(x!, from, width), this.extract(y!, from, width));
      case 'add':
      case 'sub':
      case 'mul':
        // The low bits of a sum depend on low bits only.
        if (from === 0) return this[a.op](this.extract(x!, 0, width), this.extract(y!, 0, width));
        break;
      case 'ite':
        if (isConst(y!) || isConst(a.args[2]!)) {
          return this.ite(x!, this.extract(y!, from, width), this.extract(a.args[2]!, from, width));
        }
        break;
      default:
    }
    if (a.hi >> BigInt(from) === 0n) return this.constant(width, 0n);
    return this.intern('extract', width, [a], BigInt(from));
  }

  zext(width: number, a: Term): Term {
    if (width === a.width) return a;
    if (isConst(a)) return this.constant(width, a.value);
    if (a.op === 'zext') return this.zext(width, a.args[0]!);
    return this.intern('zext', width, [a]);
  }

  sext(width: number, a: Term): Term {
    if (width === a.width) return a;
    if (isConst(a)) return this.constant(width, BigInt.asIntN(a.width, a.value));
    if (a.op === 'sext') return this.sext(width, a.args[0]!);
    if (a.hi <= ones(a.width - 1)) return this.zext(width, a);
    return this.intern('sext', width, [a]);
  }

  ite(condition: Term, a: Term, b: Term): Term {
    if (isConst(condition)) return condition.value === 1n ? a : b;
    if (a === b) return a;
    if (condition.op === 'not') return this.ite(condition.args[0]!, b, a);
    return this.intern('ite', a.width, [condition, a, b]);
  }

  /** Both constant: the constant they make. */
  protected fold(op: TermOp, a: Term, b: Term): Term {
    return this.constant(a.width, apply(op, a.width, a.value, b.value));
  }

  /** Folds constants and puts a constant on the right; otherwise the arguments in the order of their ids. */
  private commutative(op: TermOp, a: Term, b: Term, simpler: (x: Term, y: Term) => Term | undefined): Term {
    if (isConst(a) && isConst(b)) return this.fold(op, a, b);
    const swapped = isConst(a) || (!isConst(b) && a.id > b.id && COMMUTATIVE.has(op));
    const [x, y] = swapped ? [b, a] : [a, b];
    return simpler(x, y) ?? this.intern(op, a.width, [x, y]);
  }

  private shift(op: 'shl' | 'lshr' | 'ashr', a: Term, b: Term): Term {
    if (isConst(a) && isConst(b)) return this.fold(op, a, b);
    if (isConst(b) && b.value === 0n) return a;
    if (isConst(b) && b.value < BigInt(a.width)) {
      const count = Number(b.value);
      const kept = a.width - count;
      // Shifts by a constant only move bits; as parts of a term they combine with loads and stores.
      if (op === 'shl') return this.concat(this.extract(a, 0, kept), this.constant(count, 0n));
      const high = this.extract(a, count, kept);
      return op === 'lshr' ? this.zext(a.width, high) : this.sext(a.width, high);
    }
    return this.intern(op, a.width, [a, b]);
  }
}

function powerOfTwo(value: bigint): bigint | undefined {
  if (value <= 0n || (value & (value - 1n)) !== 0n) return undefined;
  return BigInt(value.toString(2).length - 1);
}
