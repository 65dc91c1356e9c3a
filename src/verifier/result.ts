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
  /** What others worked out from these facts; see `KeptWithFacts`. */
  readonly kept: Map<unknown, unknown>;
}

/**
 * Answers that follow from facts, kept as long as the facts are. They are kept in the facts and not in a WeakMap: V8's collector of young objects takes
 * the values of an old WeakMap for reachable, so that the facts of every program that is done with would be copied, and grow old.
 */
export class KeptWithFacts<K, V> {
  /** The answer for this key, which is made the first time. */
  of(facts: Facts, key: K, make: () => V): V {
    // Only this object puts a map under itself.
    let mine = facts.kept.get(this) as Map<K, V> | undefined;
    if (mine === undefined) {
      mine = new Map();
      facts.kept.set(this, mine);
    }
    const known = mine.get(key);
    if (known !== undefined) return known;
    const made = make();
    mine.set(key, made);
    return made;
  }
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
  return new GraphFacts(graph, bySlot, size, heads);
}

const NONE: readonly number[] = [];

class GraphFacts implements Facts {
  readonly kept = new Map<unknown, unknown>();
  /** The visits of each slot, made when they are first asked for. */
  private readonly visits: (readonly Visit[] | undefined)[];
  declare readonly heads?: Heads;

  constructor(
    readonly graph: VisitGraph,
    private readonly bySlot: readonly (readonly number[] | undefined)[],
    readonly size: number,
    heads: Heads | undefined,
  ) {
    this.visits = new Array(bySlot.length);
    if (heads !== undefined) this.heads = heads;
  }

  nodes(slot: number): readonly number[] {
    return this.bySlot[slot] ?? NONE;
  }

  at(slot: number): readonly Visit[] {
    let made = this.visits[slot];
    if (made === undefined) {
      made = this.nodes(slot).map((node) => this.graph.visit(node));
      this.visits[slot] = made;
    }
    return made;
  }
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
