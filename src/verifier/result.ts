/** What a verification answers. */

import type { KernelProfile } from '../kernel/profile.js';
import type { Explanation } from './explain/explanation.js';
import type { Profile } from './state/profile.js';
import type { Code } from './text/code.js';
import type { Heads } from './walk/heads.js';
import type { Visit } from './walk/visit.js';
import type { VisitGraph } from './walk/visit-graph.js';

/** What the verifier knows before every insn, on every path: each state of a real run is covered by one of the visits. */
export interface Facts {
  /** Every visit of this slot. Empty: the insn is not reachable. */
  at(slot: number): readonly Visit[];
  /** Number of visits. */
  readonly size: number;
  /** The visits as a graph, and the numbers of those that are before this slot. */
  readonly graph: VisitGraph;
  nodes(slot: number): readonly number[];
  /** States of facts that a path may end at; none where facts were made without precision. */
  readonly heads?: Heads;
}

/** The visits of a graph from number `first` to the last before `end`, as facts. */
export function factsOf(graph: VisitGraph, first: number, end: number, heads?: Heads): Facts {
  const bySlot: number[][] = [];
  let size = 0;
  for (let node = first; node < end; node++) {
    if (!graph.isVisit(node)) continue;
    size++;
    const slot = graph.slot(node);
    const list = bySlot[slot];
    if (list === undefined) bySlot[slot] = [node];
    else list.push(node);
  }
  const none: readonly number[] = [];
  const visits: (readonly Visit[])[] = [];
  const nodes = (slot: number): readonly number[] => bySlot[slot] ?? none;
  const at = (slot: number): readonly Visit[] => {
    visits[slot] ??= nodes(slot).map((node) => graph.visit(node));
    return visits[slot]!;
  };
  return { at, nodes, size, graph, ...(heads !== undefined && { heads }) };
}

/** The program is safe to load: what is known of it, and what finding that out cost. */
export interface Accepted {
  readonly ok: true;
  readonly profile: Profile;
  /** The kernel that it was verified for. */
  readonly kernel: KernelProfile;
  /** Insns walked, and states kept for pruning, as the kernel's `processed N insns ... total_states`. */
  readonly walked: number;
  readonly states: number;
  /** How often each insn was walked, by slot; only where it was asked for. */
  readonly walkedAt?: Uint32Array;
  readonly facts: Facts;
  /** First slots of the callbacks that run later: each is walked as a start of its own. */
  readonly later: ReadonlySet<number>;
  /** The program as it was prepared, and the last id given out: for a walk that goes on from one of its states. */
  readonly code: Code;
  readonly lastId: number;
}

/** The program is not accepted: why, and at which insn. */
export interface Refused {
  readonly ok: false;
  readonly profile: Profile;
  readonly kernel: KernelProfile;
  /** The kernel's words where we know them. */
  readonly message: string;
  /** All that Linux says of it, line by line; the last is the message, or the end of it. */
  readonly lines: readonly string[];
  /** Where it comes from; only where it was asked for. */
  readonly explanation?: Explanation;
  /** Slot of the insn that is at fault, -1 for the program as a whole. */
  readonly slot: number;
  readonly walked: number;
  readonly states: number;
  readonly walkedAt?: Uint32Array;
  /** `unsupported`: the program uses something that is not modelled; that is no statement about the program. */
  readonly reason: 'rejected' | 'unsupported' | 'budget';
}

/** What a verification ends with, if the input itself is no error. */
export type Verdict = Accepted | Refused;
