/**
 * Results of operations on scalars, by insn. A walk meets the same insn with the same scalars many times. Most are constants or unknown
 * numbers, and each of those is one shared object. Scalars are compared as objects.
 */
import type { Scalar } from './scalar.js';

/** The last two results of each insn. */
export class Memo<T> {
  private readonly operands: (Scalar | undefined)[] = [];
  private readonly results: (T | undefined)[] = [];
  private newest = 0;

  /** What the insn at slot `at` made of these operands, if that is remembered. */
  find(at: number, a: Scalar, b: Scalar): T | undefined {
    const i = 4 * at;
    const { operands } = this;
    if (operands[i] === a && operands[i + 1] === b) return this.results[2 * at];
    if (operands[i + 2] === a && operands[i + 3] === b) return this.results[2 * at + 1];
    return undefined;
  }

  remember(at: number, a: Scalar, b: Scalar, result: T): T {
    while (this.results.length <= 2 * at + 1) {
      this.results.push(undefined);
      this.operands.push(undefined, undefined);
    }
    this.newest ^= 1;
    const i = 2 * at + this.newest;
    this.operands[2 * i] = a;
    this.operands[2 * i + 1] = b;
    this.results[i] = result;
    return result;
  }
}
