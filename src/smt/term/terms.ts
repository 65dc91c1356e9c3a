/** Constructors of truth values: comparisons and connectives. With `Bits`, this is the whole language of terms. */

import { Bits } from './bits.js';
import { apply } from './evaluate.js';
import { isConst, ones, type Term } from './term.js';

/** Makes every kind of term, and interns it: equal terms of one table are the same object. A truth value has width 0. */
export class Terms extends Bits {
  not(a: Term): Term {
    if (isConst(a)) return this.bool(a.value === 0n);
    if (a.op === 'not') return a.args[0]!;
    if (a.op === 'ult') return this.ule(a.args[1]!, a.args[0]!);
    if (a.op === 'ule') return this.ult(a.args[1]!, a.args[0]!);
    if (a.op === 'slt') return this.sle(a.args[1]!, a.args[0]!);
    if (a.op === 'sle') return this.slt(a.args[1]!, a.args[0]!);
    return this.intern('not', 0, [a]);
  }

  all(parts: readonly Term[]): Term {
    return this.connect('all', parts, this.true, this.false);
  }

  any(parts: readonly Term[]): Term {
    return this.connect('any', parts, this.false, this.true);
  }

  implies(a: Term, b: Term): Term {
    return this.any([this.not(a), b]);
  }

  /** Whether two truth values are the same. */
  iff(a: Term, b: Term): Term {
    if (isConst(a)) return a.value === 1n ? b : this.not(b);
    if (isConst(b)) return b.value === 1n ? a : this.not(a);
    if (a === b) return this.true;
    return this.all([this.implies(a, b), this.implies(b, a)]);
  }

  eq(a: Term, b: Term): Term {
    if (a === b) return this.true;
    if (isConst(a) && isConst(b)) return this.bool(a.value === b.value);
    if (a.hi < b.lo || b.hi < a.lo) return this.false;
    if (isConst(a)) return this.eq(b, a);
    const [x, c] = this.split(a);
    const [y, d] = this.split(b);
    if (x === y) return this.bool(c === d);
    if (isConst(b)) {
      if (c !== 0n) return this.eq(x, this.constant(a.width, b.value - c));
      const [p, q, r] = a.args;
      if (a.op === 'zext') return this.eq(p!, this.constant(p!.width, b.value));
      if (a.op === 'sext') {
        const low = this.constant(p!.width, b.value);
        return this.sext(a.width, low) === b ? this.eq(p!, low) : this.false;
      }
      if (a.op === 'concat') {
        return this.all([
          this.eq(p!, this.constant(p!.width, b.value >> BigInt(q!.width))),
          this.eq(q!, this.constant(q!.width, b.value)),
        ]);
      }
      if (a.op === 'xor' && isConst(q!)) return this.eq(p!, this.fold('xor', q!, b));
      if (a.op === 'ite' && (isConst(q!) || isConst(r!))) {
        return this.any([this.all([p!, this.eq(q!, b)]), this.all([this.not(p!), this.eq(r!, b)])]);
      }
    }
    return this.intern('eq', 0, a.id > b.id && !isConst(b) ? [b, a] : [a, b]);
  }

  ult(a: Term, b: Term): Term {
    if (a === b || a.lo >= b.hi) return this.false;
    if (a.hi < b.lo) return this.true;
    if (a.op === 'zext' && b.op === 'zext' && a.args[0]!.width === b.args[0]!.width) {
      return this.ult(a.args[0]!, b.args[0]!);
    }
    return this.intern('ult', 0, [a, b]);
  }

  ule(a: Term, b: Term): Term {
    if (a === b || a.hi <= b.lo) return this.true;
    if (a.lo > b.hi) return this.false;
    if (a.op === 'zext' && b.op === 'zext' && a.args[0]!.width === b.args[0]!.width) {
      return this.ule(a.args[0]!, b.args[0]!);
    }
    return this.intern('ule', 0, [a, b]);
  }

  slt(a: Term, b: Term): Term {
    if (a === b) return this.false;
    if (isConst(a) && isConst(b)) return this.bool(apply('slt', a.width, a.value, b.value) === 1n);
    // Where neither can be negative, order does not depend on the sign.
    const positive = ones(a.width - 1);
    if (a.hi <= positive && b.hi <= positive) return this.ult(a, b);
    return this.intern('slt', 0, [a, b]);
  }

  sle(a: Term, b: Term): Term {
    if (a === b) return this.true;
    if (isConst(a) && isConst(b)) return this.bool(apply('sle', a.width, a.value, b.value) === 1n);
    const positive = ones(a.width - 1);
    if (a.hi <= positive && b.hi <= positive) return this.ule(a, b);
    return this.intern('sle', 0, [a, b]);
  }

  /** Flattens, drops duplicates and neutral parts, and sees `x` beside `not x`. */
  private connect(op: 'all' | 'any', parts: readonly Term[], neutral: Term, absorbing: Term): Term {
    const flat = new Set<Term>();
    for (const part of parts) {
      for (const one of part.op === op ? part.args : [part]) {
        if (one === absorbing) return absorbing;
        if (one !== neutral) flat.add(one);
      }
    }
    for (const one of flat) {
      if (one.op === 'not' && flat.has(one.args[0]!)) return absorbing;
    }
    const list = [...flat].sort((a, b) => a.id - b.id);
    if (list.length === 0) return neutral;
    if (list.length === 1) return list[0]!;
    return this.intern(op, 0, list);
  }
}
