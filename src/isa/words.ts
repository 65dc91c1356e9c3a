/** The spellings that assembler and disassembler share: operators, sizes, the names of atomic operations. */
import type { AtomicOp, BinaryOp, Comparison, Size } from './insn.js';

export const ALU_MARKS: Readonly<Record<BinaryOp, string>> = {
  add: '+=',
  sub: '-=',
  mul: '*=',
  div: '/=',
  sdiv: 's/=',
  mod: '%=',
  smod: 's%=',
  or: '|=',
  and: '&=',
  xor: '^=',
  lsh: '<<=',
  rsh: '>>=',
  arsh: 's>>=',
};

export const COMPARISON_MARKS: Readonly<Record<Comparison, string>> = {
  eq: '==',
  ne: '!=',
  gt: '>',
  ge: '>=',
  lt: '<',
  le: '<=',
  sgt: 's>',
  sge: 's>=',
  slt: 's<',
  sle: 's<=',
  set: '&',
};

export const ALU_OF_MARK: ReadonlyMap<string, BinaryOp> = byMark(ALU_MARKS);
export const COMPARISON_OF_MARK: ReadonlyMap<string, Comparison> = byMark(COMPARISON_MARKS);

/** The words of `lock *(...) OP= reg`. */
export const LOCKED = ['add', 'or', 'and', 'xor'] as const satisfies readonly AtomicOp[];

/** `u8` to `u64`, and for sign-extending loads `s8` to `s32`. */
export const SIZE_WORDS: ReadonlyMap<string, { readonly size: Size; readonly signed: boolean }> = new Map([
  ['u8', { size: 1, signed: false }],
  ['u16', { size: 2, signed: false }],
  ['u32', { size: 4, signed: false }],
  ['u64', { size: 8, signed: false }],
  ['s8', { size: 1, signed: true }],
  ['s16', { size: 2, signed: true }],
  ['s32', { size: 4, signed: true }],
]);

/** How the name of a function such as `atomic64_fetch_add` is read: what it does and how the address after it is written. */
export interface AtomicWord {
  readonly op: AtomicOp;
  /** Bytes, where the name tells; otherwise the cast before the address does. */
  readonly size?: 4 | 8;
  /** Whether the address is written as `(u64 *)(r1 +0)` rather than `r1 +0`. */
  readonly cast: boolean;
}

/** The functions that an atomic operation with a result is written as: by the kernel, and (the last four) by LLVM. */
export const ATOMIC_WORDS: ReadonlyMap<string, AtomicWord> = new Map<string, AtomicWord>([
  ...(['add', 'or', 'and', 'xor', 'xchg', 'cmpxchg'] as const).flatMap((op): [string, AtomicWord][] => {
    const name = op === 'xchg' || op === 'cmpxchg' ? op : `fetch_${op}`;
    return [
      [`atomic_${name}`, { op, cast: true }],
      [`atomic64_${name}`, { op, size: 8, cast: true }],
    ];
  }),
  ['xchg_64', { op: 'xchg', size: 8, cast: false }],
  ['xchg32_32', { op: 'xchg', size: 4, cast: false }],
  ['cmpxchg_64', { op: 'cmpxchg', size: 8, cast: false }],
  ['cmpxchg32_32', { op: 'cmpxchg', size: 4, cast: false }],
]);

function byMark<K extends string>(marks: Readonly<Record<K, string>>): Map<string, K> {
  return new Map((Object.keys(marks) as K[]).map((word) => [marks[word], word]));
}
