/**
 * Where a walk is in the graph of visits. A path that an explored state covers has no visits of its own from there on; it leads to the visit of
 * that state.
 */
import type { Path } from '../state/path.js';
import type { Code } from '../text/code.js';
import { LEAVES_OUT, NO_VISIT, type Target, type VisitGraph } from './visit-graph.js';

/** Where a path is among the visits. */
export interface VisitsPosition {
  /** The visit before the path's next insn. */
  readonly current: number;
}

/** A path that no visit leads to. */
export const NO_VISITS: VisitsPosition = { current: NO_VISIT };

/** Adds the visits of a walk to a graph. */
export class Visits {
  current = NO_VISIT;
  /** The first visit since this was last set to undefined, or what covers the start. */
  first: Target | undefined;

  constructor(
    readonly graph: VisitGraph,
    code: Code,
    /** Keep what is known before this insn. */
    private readonly keeps: (slot: number) => boolean,
    /** States are compared without what is dead, so facts must leave that out. */
    private readonly leaveOutDead: boolean,
  ) {
    graph.code ??= code;
  }

  save(): VisitsPosition {
    return { current: this.current };
  }

  restore({ current }: VisitsPosition): void {
    this.current = current;
  }

  /**
   * The path comes to the insn at `slot`. `meets`: states are compared there.
   */
  add(slot: number, path: Path, meets: boolean): number {
    const state = this.keeps(slot) ? path.snapshot() : undefined;
    const leaves = !this.leaveOutDead ? LEAVES_OUT.nothing : meets ? LEAVES_OUT.places : LEAVES_OUT.asBefore;
    const node = this.graph.add(slot, this.current, path.openFrames, state, leaves);
    this.current = node;
    this.first ??= { node };
    return node;
  }

  /** The path ends because this visit covers it. */
  leadTo(target: Target): void {
    if (this.current !== NO_VISIT) this.graph.link(this.current, target);
    this.first ??= target;
  }
}
