/**
 * Calls that keep all registers they do not need (bpf_fastcall). If a compiler put stores of registers to the stack before such a call
 * and loads after it, Linux removes the stores and loads. Follows mark_fastcall_pattern_for_call of kernel/bpf/verifier.c.
 *
 * Linux 6.18 does not check whether a jump leads in between. A path that comes by the jump should load what was stored earlier. With the
 * load removed, it goes on with another value in the register, which was not verified.
 */
import { FP, type Op } from '../../isa/insn.js';
import { jumpTarget } from '../../isa/target.js';
import type { Contract } from '../../kernel/contract.js';
import { Refusal } from './refusal.js';

type Ops = readonly (Op | undefined)[];

/** r0 to r5: what a call may change. */
const CALLER_SAVED = 6;

/** A call with the stores and loads around it that Linux removes. */
interface Pattern {
  /** Slot of the call. */
  readonly at: number;
  /** How many stores there are before it, and loads behind it. */
  readonly pairs: number;
  /** Offset in the frame of the innermost store; the others lie above it. */
  readonly lowest: number;
}

/** The patterns of a program. `owner`: first slot of the subprogram of each slot. */
function* patterns(
  ops: Ops,
  contracts: readonly (Contract | undefined)[],
  owner: Int32Array,
): Generator<Pattern> {
  let stores: ReadonlyMap<number, number> | undefined;
  for (const [at, contract] of contracts.entries()) {
    if (contract?.fastcall !== true) continue;
    stores ??= lowestStores(ops, owner);
    const lowest = stores.get(owner[at]!);
    if (lowest === undefined) continue;
    const pairs = countPairs(ops, contract, at, lowest);
    if (pairs > 0) yield { at, pairs, lowest };
  }
}

/** Refuses a jump into the middle of a pattern that Linux may remove. `owner`: first slot of the subprogram of each slot. */
export function checkFastcalls(
  ops: Ops,
  contracts: readonly (Contract | undefined)[],
  owner: Int32Array,
): void {
  let targets: ReadonlyMap<number, number> | undefined;
  for (const { at, pairs } of patterns(ops, contracts, owner)) {
    targets ??= jumpTargets(ops);
    // A jump to the first store is fine: it goes through the whole pattern.
    for (let to = at - pairs + 1; to <= at + pairs; to++) {
      const from = targets.get(to);
      if (from !== undefined)
        throw new Refusal(`jump into the bpf_fastcall pattern of the call at insn ${at}`, 'rejected', from);
    }
  }
}

/**
 * By subprogram (its first slot), bytes of stack that it counts for because of such calls, walked or not: taking the stores and loads out, Linux
 * sets the depth of the function to what lies above them (remove_fastcall_spills_fills), even where no path comes to them.
 */
export function fastcallDepths(
  ops: Ops,
  contracts: readonly (Contract | undefined)[],
  owner: Int32Array,
): ReadonlyMap<number, number> {
  const depths = new Map<number, number>();
  for (const { at, pairs, lowest } of patterns(ops, contracts, owner)) {
    const of = owner[at]!;
    depths.set(of, Math.max(depths.get(of) ?? 0, -(lowest + 8 * pairs)));
  }
  return depths;
}

/** By subprogram: the lowest offset at which it stores a whole register to its frame. */
function lowestStores(ops: Ops, owner: Int32Array): ReadonlyMap<number, number> {
  const lowest = new Map<number, number>();
  ops.forEach((op, at) => {
    if (op?.kind !== 'stx' || op.size !== 8 || op.dst !== FP) return;
    const of = owner[at]!;
    lowest.set(of, Math.min(lowest.get(of) ?? 0, op.off));
  });
  return lowest;
}

/** How many stores before the call at `at` have their load after it: the innermost at `lowest`, the others 8 bytes higher each. */
function countPairs(ops: Ops, contract: Contract, at: number, lowest: number): number {
  const kept = new Set<number>();
  for (let n = contract.args.length + 1; n < CALLER_SAVED; n++) kept.add(n);
  let pairs = 0;
  for (let i = 1; i <= CALLER_SAVED; i++) {
    const store = ops[at - i];
    const load = ops[at + i];
    if (store?.kind !== 'stx' || load?.kind !== 'ldx' || store.size !== 8 || load.size !== 8) break;
    const off = lowest + 8 * (i - 1);
    if (store.dst !== FP || load.src !== FP || store.off !== off || load.off !== off) break;
    if (store.src !== load.dst || !kept.delete(store.src)) break;
    pairs = i;
  }
  return pairs;
}

/** The slots that jumps lead to, each with a jump that does. */
function jumpTargets(ops: Ops): ReadonlyMap<number, number> {
  const targets = new Map<number, number>();
  ops.forEach((op, at) => {
    const to = op === undefined ? undefined : jumpTarget(op, at);
    if (to !== undefined) targets.set(to, at);
  });
  return targets;
}
