/**
 * The visits of walks as a graph. A visit is an insn on one path; an edge leads to a visit that may follow. Within one path visits follow each other
 * like the nodes of a tree; where a path ends because another visit covers it, a link leads across. There are as many visits as insns were
 * walked, so they are kept as numbers in arrays. States are kept only where somebody needs them.
 */
import type { CallbackFrame, Frame, State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { deadAt, type LeftOut, stillDead, without } from './clean-state.js';
import type { Visit } from './visit.js';

/** Visits that there is room for at first. */
const FIRST = 256;
/** In graphs of more visits what is told of each is made anew each time: it would take as much memory as the walk did. */
const FEW = 20_000;
/** Stands for no visit: nothing leads here. */
export const NO_VISIT = -1;
/** The visit was taken back. */
const TAKEN_BACK = -2;

/** What a visit leaves out of its state. */
export const LEAVES_OUT = {
  nothing: 0,
  /** What the visit before it left out and what is still dead. */
  asBefore: 1,
  /** States are compared here, so dead registers and stack slots are left out. */
  places: 2,
  /** The same, but only registers. */
  registers: 3,
} as const;
/** How much of what was known before its insn a visit does not tell, as a number of `LEAVES_OUT`. */
export type LeavesOut = (typeof LEAVES_OUT)[keyof typeof LEAVES_OUT];
/** What a visit leaves out at which states are compared. */
export type LeftWhereStatesMeet = Exclude<LeavesOut, typeof LEAVES_OUT.asBefore>;

/** The frames of a visit without what they hold: which functions run, and who called them. */
export interface CallChain {
  /** Call sites, outermost first, with blanks between. */
  readonly key: string;
  /** The same, as numbers. */
  readonly callsites: readonly number[];
  /** Frames with their subprograms; two chains with the same name are the same termination points. */
  readonly point: string;
  readonly depth: number;
  /** First slot of the outermost function, and of the one that runs. */
  readonly outermost: number;
  readonly innermost: number;
  /** Set where the outermost or the innermost frame is that of a callback. */
  readonly outerCallback: CallbackFrame | undefined;
  readonly callback: CallbackFrame | undefined;
  /** By depth: the slot of the call that runs the callback in this frame before it returns; -1 for any other frame. */
  readonly calledBackBy: readonly number[];
}

/** A visit that is to be linked to; its number may be given later. */
export interface Target {
  readonly node: number;
}

/** The visits of one or more walks of a program, by number, in the order in which they were walked. */
export class VisitGraph {
  private slots = new Int32Array(FIRST);
  private before = new Int32Array(FIRST);
  private chainOf = new Int32Array(FIRST);
  private readonly states: (State | undefined)[] = [];
  /** What each visit leaves out of its state, and, once somebody wanted to know, which places these are. */
  private leaves = new Uint8Array(FIRST);
  private readonly leftOut: (LeftOut | undefined)[] = [];
  /** What was told of visits that leave something out, so that it is made once. */
  private readonly told: (State | undefined)[] = [];
  /** The program that is walked. */
  code: Code | undefined;
  private readonly linkFrom: number[] = [];
  private readonly linkTo: Target[] = [];
  private readonly chains: CallChain[] = [];
  private readonly chainIds = new Map<string, number>();
  private readonly views = new Map<number, Visit>();
  private lastFrames: readonly Frame[] = [];
  private lastChain = -1;
  private edges: { readonly first: Int32Array; readonly to: Int32Array } | undefined;
  private count = 0;

  /** Visits so far, those that were taken back included. */
  get size(): number {
    return this.count;
  }

  /**
   * A visit of `slot` after the visit `before`, in these frames. `state`: what is known there, if that is to be kept; `leaves`: what of it is no fact.
   */
  add(
    slot: number,
    before: number,
    frames: readonly Frame[],
    state: State | undefined,
    leaves: LeavesOut,
  ): number {
    const node = this.count++;
    if (node === this.slots.length) this.grow();
    this.slots[node] = slot;
    this.before[node] = before;
    this.chainOf[node] = this.chainId(frames);
    this.states.push(state);
    this.leaves[node] = leaves;
    this.edges = undefined;
    return node;
  }

  /** `target` may follow `from`. */
  link(from: number, target: Target): void {
    this.linkFrom.push(from);
    this.linkTo.push(target);
    this.edges = undefined;
  }

  /** Takes back the visits from `first` to the last one before `end`, and all their edges. */
  takeBack(first: number, end: number): void {
    this.before.fill(TAKEN_BACK, first, end);
    this.edges = undefined;
  }

  /** False: it was taken back. */
  isVisit(node: number): boolean {
    return this.before[node] !== TAKEN_BACK;
  }

  slot(node: number): number {
    return this.slots[node]!;
  }

  /** The visit before it on the path that first led there; `NO_VISIT` where a walk started. */
  from(node: number): number {
    return this.before[node]!;
  }

  chain(node: number): CallChain {
    return this.chains[this.chainOf[node]!]!;
  }

  /** A number for the chain of calls; equal chains have equal numbers. */
  chainNumber(node: number): number {
    return this.chainOf[node]!;
  }

  /** What is known before the insn. Throws where the state was not kept. */
  state(node: number): State {
    const state = this.states[node];
    if (state === undefined) throw new Error(`the state before insn ${this.slot(node)} was not kept`);
    if (this.leaves[node] === LEAVES_OUT.nothing) return state;
    const known = this.told[node];
    if (known !== undefined) return known;
    const told = this.factOf(node, state);
    if (this.count <= FEW) this.told[node] = told;
    return told;
  }

  /** A state that is known before the insn of this visit, without what the visit leaves out. */
  factOf(node: number, state: State): State {
    const leftOut = this.leftOutAt(node);
    return leftOut === undefined ? state : without(state, leftOut);
  }

  /** Of all visits so far: where states were compared, this is left out, and not all that is dead. */
  settle(leaves: LeftWhereStatesMeet): void {
    this.leftOut.length = 0;
    this.told.length = 0;
    for (let node = 0; node < this.count; node++) {
      if (leaves === LEAVES_OUT.nothing || this.leaves[node] === LEAVES_OUT.places)
        this.leaves[node] = leaves;
    }
  }

  /** Which places a visit leaves out. Of most visits nobody asks it, so it is found out from the visits before it. */
  private leftOutAt(node: number): LeftOut | undefined {
    const { code, leftOut, leaves } = this;
    if (code === undefined) return undefined;
    const way: number[] = [];
    let at = node;
    while (at >= 0 && leftOut[at] === undefined && leaves[at] === LEAVES_OUT.asBefore) {
      way.push(at);
      at = this.before[at]!;
    }
    let known = at < 0 ? undefined : (leftOut[at] ?? this.leftOutWhereStatesMeet(code, at));
    for (let i = way.length - 1; i >= 0 && known !== undefined; i--) {
      const next = way[i]!;
      known = stillDead(code, known, this.chain(next).depth - 1, this.slot(next));
      leftOut[next] = known;
    }
    return known;
  }

  private leftOutWhereStatesMeet(code: Code, node: number): LeftOut | undefined {
    const leaves = this.leaves[node];
    if (leaves === LEAVES_OUT.nothing) return undefined;
    const { callsites } = this.chain(node);
    const found = deadAt(code, callsites, this.slot(node), leaves === LEAVES_OUT.places);
    this.leftOut[node] = found;
    return found;
  }

  /** Whether the state is kept. */
  hasState(node: number): boolean {
    return this.states[node] !== undefined;
  }

  /** Calls `each` with every visit that may follow. */
  eachNext(node: number, each: (next: number) => void): void {
    const { first, to } = this.forward();
    for (let i = first[node]!; i < first[node + 1]!; i++) each(to[i]!);
  }

  /** The visits that may follow. */
  next(node: number): readonly number[] {
    const { first, to } = this.forward();
    return Array.from(to.subarray(first[node], first[node + 1]));
  }

  /** How many visits may follow, and one of them by its number, from 0 on. */
  countNext(node: number): number {
    const { first } = this.forward();
    return first[node + 1]! - first[node]!;
  }

  nthNext(node: number, nth: number): number {
    const { first, to } = this.forward();
    return to[first[node]! + nth]!;
  }

  /** The visit as an object, the same each time. */
  visit(node: number): Visit {
    const known = this.views.get(node);
    if (known !== undefined) return known;
    const made = new NodeVisit(this, node);
    this.views.set(node, made);
    return made;
  }

  private grow(): void {
    const double = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(from.length * 2);
      to.set(from);
      return to;
    };
    this.slots = double(this.slots);
    this.before = double(this.before);
    this.chainOf = double(this.chainOf);
    const { leaves } = this;
    this.leaves = new Uint8Array(leaves.length * 2);
    this.leaves.set(leaves);
  }

  /** All edges, by the visit that they leave. */
  private forward(): { readonly first: Int32Array; readonly to: Int32Array } {
    if (this.edges !== undefined) return this.edges;
    const { before, count, linkFrom, linkTo } = this;
    const first = new Int32Array(count + 1);
    const each = (edge: (from: number, to: number) => void): void => {
      for (let node = 0; node < count; node++) if (before[node]! >= 0) edge(before[node]!, node);
      for (let i = 0; i < linkFrom.length; i++) {
        const from = linkFrom[i]!;
        const { node } = linkTo[i]!;
        if (from >= 0 && node >= 0 && before[from] !== TAKEN_BACK) edge(from, node);
      }
    };
    each((from) => {
      first[from + 1]!++;
    });
    for (let node = 0; node < count; node++) first[node + 1]! += first[node]!;
    const at = first.slice();
    const to = new Int32Array(first[count]!);
    each((from, next) => {
      to[at[from]!++] = next;
    });
    this.edges = { first, to };
    return this.edges;
  }

  private chainId(frames: readonly Frame[]): number {
    const { lastFrames } = this;
    if (frames.length === lastFrames.length && sameCalls(frames, lastFrames)) return this.lastChain;
    const text = frames
      .map(({ callsite, subprog, callback: c }) =>
        c === undefined ? `${subprog} ${callsite}` : `${subprog} ${callsite} ${c.call} ${c.async} ${c.stops}`,
      )
      .join();
    let id = this.chainIds.get(text);
    if (id === undefined) {
      id = this.chains.length;
      this.chainIds.set(text, id);
      this.chains.push(chainOfFrames(frames));
    }
    this.lastFrames = frames.slice();
    this.lastChain = id;
    return id;
  }
}

function sameCalls(a: readonly Frame[], b: readonly Frame[]): boolean {
  for (let d = a.length - 1; d >= 0; d--) {
    const f = a[d]!;
    const g = b[d]!;
    if (f !== g && (f.callsite !== g.callsite || f.subprog !== g.subprog || f.callback !== g.callback))
      return false;
  }
  return true;
}

function chainOfFrames(frames: readonly Frame[]): CallChain {
  const outer = frames[0]!;
  const inner = frames[frames.length - 1]!;
  return {
    key: frames.map((f) => f.callsite).join(' '),
    callsites: frames.map((f) => f.callsite),
    point: frames.map((f) => `${f.subprog} ${f.callsite}`).join(),
    depth: frames.length,
    outermost: outer.subprog,
    innermost: inner.subprog,
    outerCallback: outer.callback,
    callback: inner.callback,
    calledBackBy: frames.map(({ callback: c }) => (c === undefined || c.async ? -1 : c.call)),
  };
}

class NodeVisit implements Visit {
  constructor(
    private readonly graph: VisitGraph,
    readonly node: number,
  ) {}

  get slot(): number {
    return this.graph.slot(this.node);
  }

  get state(): State {
    return this.graph.state(this.node);
  }

  get next(): readonly Visit[] {
    return this.graph.next(this.node).map((node) => this.graph.visit(node));
  }

  get from(): Visit | undefined {
    const from = this.graph.from(this.node);
    return from < 0 ? undefined : this.graph.visit(from);
  }
}
