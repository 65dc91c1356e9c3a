/** What the ways to break a program share: finding the place, reading its contract, cutting. */
import type { Op } from '../../src/isa/insn.js';
import { contractOf } from '../../src/kernel/catalog.js';
import type { Contract } from '../../src/kernel/contract.js';
import type { Draft } from '../edit.js';

/** Breaks the `which`-th place of its kind, counted round and round; undefined where there is none. Answers the slot. */
export type Breaker = (draft: Draft, which: number) => number | undefined;

/** The place to break, counted round and round; undefined if there is no place. */
export const nth = (places: readonly number[], which: number): number | undefined =>
  places.length === 0 ? undefined : places[which % places.length];

/** One of several things to do at a place, another each time the places have been gone through, and another at the place beside it. */
export function variant<T>(choices: readonly T[], places: number, which: number): T {
  const count = Math.max(1, places);
  return choices[((which % count) + Math.floor(which / count)) % choices.length]!;
}

/** The contract of the helper or kfunc that an operation calls; undefined for anything but such a call. */
export function contractAt(draft: Draft, op: Op | undefined): Contract | undefined {
  if (op?.kind !== 'call' || op.target === 'subprog') return undefined;
  return contractOf(draft.program, op);
}

/** Call sites of functions that pass. */
export function calls(draft: Draft, test: (contract: Contract) => boolean): number[] {
  return draft.find((op) => {
    const contract = contractAt(draft, op);
    return contract !== undefined && test(contract);
  });
}

/** Whether some outcome of the function has an effect of one of these kinds. */
export const has = (contract: Contract, ...kinds: string[]): boolean =>
  contract.outcomes.some(({ effects }) => effects.some(({ kind }) => kinds.includes(kind)));

/** Index of the first item of the argument loads right before a call: moves and loads into r1 to r5, and what adds to them. */
export function argumentsFrom(draft: Draft, call: number): number {
  let first = call;
  for (let at = call - 1; at >= 0; at--) {
    const op = draft.opAt(at);
    const setsArgument =
      op !== undefined &&
      (op.kind === 'mov' || op.kind === 'ldx' || op.kind === 'alu' || op.kind === 'ld_imm64');
    if (!setsArgument || op.dst < 1 || op.dst > 5) break;
    first = at;
  }
  return first;
}

/** Cuts the item at this index out of the program. */
export function drop(draft: Draft, at: number | undefined): number | undefined {
  if (at === undefined) return undefined;
  const slot = draft.slotAt(at);
  draft.items.splice(at, 1);
  return slot;
}

/** Puts another operation in place of the one at the `which`-th place that passes. `change` may decline. */
export function changing<K extends Op['kind']>(
  kind: K,
  test: (op: Extract<Op, { kind: K }>, draft: Draft, at: number) => boolean,
  change: (op: Extract<Op, { kind: K }>, which: number, places: number, draft: Draft) => Op | undefined,
): Breaker {
  return (draft, which) => {
    const places = draft.find(
      (op, _slot, at) => op.kind === kind && test(op as Extract<Op, { kind: K }>, draft, at),
    );
    const at = nth(places, which);
    if (at === undefined) return undefined;
    const op = draft.opAt(at) as Extract<Op, { kind: K }>;
    const changed = change(op, which, places.length, draft);
    if (changed === undefined) return undefined;
    const slot = draft.slotAt(at);
    draft.replace(at, changed);
    return slot;
  };
}
