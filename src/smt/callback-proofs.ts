/**
 * What a proof says of callbacks that run later (bpf_timer, bpf_wq). Each is a program of its own: it is started by the kernel, killed by itself, and has a
 * bound of its own.
 */
import type { Program } from '../object/program.js';
import type { Facts } from '../verifier/result.js';
import type { Bounds } from './bound.js';
import { type BoundKind, boundKindOf } from './bound-kind.js';
import type { Cost } from './cost.js';
import { laterCallbackOf } from './later-callback.js';

/** A callback that runs later. */
export interface CallbackProof {
  /** Name of its function, and the first slot of that. */
  readonly callback: string;
  readonly start: number;
  /** The calls that arm it, by slot. */
  readonly armedAt: readonly number[];
  /** Insns that it may run, those of the functions that it calls among them. */
  readonly insns: number;
  readonly points: number;
  readonly verdict: 'proven' | 'unknown';
  /** Why not proven; '' for a proven one. */
  readonly reason: string;
  /** What bounds a killed run of it. Null: that was not worked out. */
  readonly boundKind: BoundKind | null;
  /** The most insns from a kill in it to its end. Null: no number of insns bounds it, or it was not worked out. */
  readonly bound: number | null;
  /** Where it is time that bounds it: milliseconds, and the insns beside them. */
  readonly timeLimit?: Cost;
  /** Where it is worst to be killed: a slot. Null where no bound was worked out. */
  readonly worst: number | null;
}

/** What may be wrong, and the visit or the slot that it is about. */
export interface Concern {
  readonly slot: number;
  readonly message: string;
  /** The visit in which the kill leads there; undefined: any of the slot. */
  readonly node?: number;
}

/** The callbacks of a program that run later, in its order. `found`: the bounds, where nothing is wrong with the program. */
export function callbackProofs(
  program: Program,
  facts: Facts,
  concerns: readonly Concern[],
  found: Bounds | undefined,
): readonly CallbackProof[] {
  const { graph } = facts;
  return seenIn(program, facts).map(({ start, slots, points, armedAt }): CallbackProof => {
    const callback = program.subprogs.find((one) => one.start === start)?.name ?? `sub_${start}`;
    const own = concerns.find(({ slot, node }) =>
      (node === undefined ? facts.nodes(slot) : [node]).some((v) => laterCallbackOf(graph, v) === start),
    );
    const common = {
      callback,
      start,
      armedAt: [...armedAt].sort((a, b) => a - b),
      insns: slots.size,
      points: points.size,
    };
    const worst = found?.byCallback.get(start);
    if (worst === undefined) {
      const reason = own?.message ?? `not worked out, because the proof of ${program.name} failed`;
      return { ...common, verdict: 'unknown', reason, boundKind: null, bound: null, worst: null };
    }
    const boundKind = boundKindOf(worst.cost);
    return {
      ...common,
      verdict: boundKind === 'unbounded' ? 'unknown' : 'proven',
      reason: boundKind === 'unbounded' ? 'a killed run has no bound' : '',
      boundKind,
      bound: boundKind === 'exact' ? worst.cost.insns : null,
      ...(boundKind === 'time-limited' && { timeLimit: worst.cost }),
      worst: graph.slot(worst.visit),
    };
  });
}

/** What was seen of each callback. */
interface Seen {
  readonly start: number;
  readonly slots: Set<number>;
  readonly points: Set<string>;
  readonly armedAt: Set<number>;
}

function seenIn(program: Program, facts: Facts): readonly Seen[] {
  const { graph } = facts;
  const found = new Map<number, Seen>();
  for (let slot = 0; slot < program.insns.length; slot++)
    for (const node of facts.nodes(slot)) {
      const start = laterCallbackOf(graph, node);
      if (start === undefined) continue;
      const seen = found.get(start) ?? { start, slots: new Set(), points: new Set(), armedAt: new Set() };
      found.set(start, seen);
      const { point, outerCallback } = graph.chain(node);
      seen.slots.add(slot);
      // By which call it was armed makes no other point.
      seen.points.add(`${slot} ${point.replace(/^\d+ -?\d+/, '')}`);
      seen.armedAt.add(outerCallback!.call);
    }
  return [...found.values()].sort((a, b) => a.start - b.start);
}
