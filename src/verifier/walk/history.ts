/** The history of a path: the insns since its last explored state, the explored states before that, and the loops that these lie on. */

import { MOST_FRAMES } from '../../isa/insn.js';
import type { PlaceSet } from '../state/places.js';
import type { State } from '../state/state.js';
import type { SlotWords } from './live-places.js';

/** Marks a step that is a jump which refined several linked places. */
export const LINKED = -2;

/** Stands for no step. */
export const NO_STEP = -1;
/** Insns that there is room for at first: most walks are short, and large arrays cost more than the walk. */
const FIRST = 128;
/** A step that lies beyond a kept state is written as this number less the step, so that it is negative. */
const BEYOND = -2;

/**
 * The insns that paths have walked, each with the one before it on its path. It is a tree, kept in arrays because it has one entry for
 * every insn walked. A step is the number of an entry.
 */
export class JumpHistory {
  /** Slot * MOST_FRAMES + frame that ran it. */
  private places = new Int32Array(FIRST);
  private before = new Int32Array(FIRST);
  private accesses = new Int16Array(FIRST);
  private readonly links = new Map<number, readonly number[]>();
  private count = 0;

  /**
   * The insn at `slot`, run by the frame at `depth`, after `prev`. If it is the first one since a state was kept, `prev` is `NO_STEP` and
   * `origin` the insn before that state.
   */
  add(slot: number, depth: number, prev: number, origin: number = NO_STEP): number {
    const step = this.count++;
    if (step === this.places.length) this.grow();
    this.places[step] = slot * MOST_FRAMES + depth;
    this.before[step] = prev !== NO_STEP ? prev : BEYOND - origin;
    this.accesses[step] = -1;
    return step;
  }

  private grow(): void {
    const size = this.places.length * 2;
    const { places, before, accesses } = this;
    this.places = new Int32Array(size);
    this.before = new Int32Array(size);
    this.accesses = new Int16Array(size);
    this.places.set(places);
    this.before.set(before);
    this.accesses.set(accesses);
  }

  /** Insns taken down so far. */
  get size(): number {
    return this.count;
  }

  slot(step: number): number {
    return Math.floor(this.places[step]! / MOST_FRAMES);
  }

  /** Frame that ran it, 0 is the outermost. */
  depth(step: number): number {
    return this.places[step]! % MOST_FRAMES;
  }

  /** The insn before it on its path, as far back as the state that was kept last. */
  prev(step: number): number {
    const before = this.before[step]!;
    return before < 0 ? NO_STEP : before;
  }

  /** The insn before it on its path, whether a state was kept between them or not. */
  origin(step: number): number {
    const before = this.before[step]!;
    return before < 0 ? BEYOND - before : before;
  }

  /** Stack slot that it read or wrote in full, as frame * 64 + index; -1: none. `LINKED` for a jump with places linked. */
  access(step: number): number {
    return this.accesses[step]!;
  }

  setAccess(step: number, access: number): void {
    this.accesses[step] = access;
  }

  /** Places whose numbers a jump learned about together, because they are known to be equal: see `regPlace` in `state/places.ts`. */
  linked(step: number): readonly number[] | undefined {
    return this.links.get(step);
  }

  link(step: number, places: readonly number[]): void {
    this.links.set(step, places);
    this.accesses[step] = LINKED;
  }
}

/** A state kept for pruning. */
export interface ExploredState {
  readonly slot: number;
  readonly state: State;
  /** The visit that stands for it; `NO_VISIT` where no visits are kept. */
  readonly node: number;
  /** Paths that started here and have not ended. While there are any, the state is not known to be safe. */
  branches: number;
  /** How often it covered a state, and how often it did not. */
  hits: number;
  /** It covered a state that differs in numbers no check relied on, or in stack slots nothing reads. */
  coversLoosely: boolean;
  misses: number;
  readonly parent: ExploredState | undefined;
  /** The insns walked from the parent to here, last first. */
  readonly history: number;
  /** Numbers that checks below relied on. */
  readonly precise: PlaceSet;
  /** Stack slots that paths from here have read, by frame; undefined until that is known. */
  readSlots: readonly SlotWords[] | undefined;
  /** The loop that the state lies on. */
  readonly sccVisit: SccVisit | undefined;
}

/** A loop that is being walked, with the calls that lead to it (struct bpf_scc_visit). */
export interface SccVisit {
  /** The first state in it; when all its paths have ended the loop is done with. */
  entry: ExploredState | undefined;
  /** Paths that ended at a state whose own paths had not all ended. At that time it was not known which numbers that state relies on. */
  backedges: Backedge[];
}

/**
 * A path that ended inside a loop because an explored state covers it. Marks that this state gets later must be carried back along the
 * path (struct bpf_scc_backedge).
 */
export interface Backedge {
  readonly covered: ExploredState;
  readonly step: number;
  readonly parent: ExploredState | undefined;
  readonly depth: number;
}
