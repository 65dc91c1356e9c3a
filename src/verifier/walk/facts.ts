/**
 * Makes facts of a walk with precision. Such a walk ends a path at an earlier state that may differ in numbers no check relied on, and in stack slots
 * nothing reads; what it saw behind that state need not be true for the path that ended.
 *
 * So the states at which paths ended (heads) are taken without what no path from them needs (`weaken.ts`), and the program is walked once more: from its
 * start, and from each head, to where a head covers the state. In the end the visits are closed: from every state that a visit covers, the next insn leads
 * to a state that a following visit covers. That does not rely on the marks of `precision/backtrack.ts`, and not on what was found dead. If these missed
 * something that matters, a state is covered by no head, and the walk just goes on from there, or an insn is refused, and there are no facts.
 *
 * A head that was not widened at first, because it covered all that ended there, may have to be: then it is walked from again.
 */
import type { State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { Refusal } from '../text/refusal.js';
import { Head, Heads } from './heads.js';
import type { Closing, WalkOptions } from './options.js';
import { LEAVES_OUT, NO_VISIT, type Target, VisitGraph } from './visit-graph.js';
import { Walk } from './walk.js';
import { withoutUnneeded } from './weaken.js';

/** Insns that closing may walk: those of the walk times this, and a few. As a rule it walks fewer than the walk did. */
const TIMES = 3;
const AND_A_FEW = 10_000;
/**
 * Behind so many times the insns of the walk, and some, states that no head covers become heads themselves. A path that missed its head would otherwise go on
 * through all that follows, for each way there: behind so little that a long program is walked about once, and behind so much that a short one, which is
 * walked in no time, has the heads of its walk only.
 */
const SURPRISED = 0.25;
const AND_SOME = 100;
/** Insns between two heads that are added this way. */
const APART = 8;

/** Facts as a graph, with the heads that killed paths may end at. */
export interface Closed {
  readonly graph: VisitGraph;
  readonly heads: Heads;
  /** Insns walked to make them. */
  readonly walked: number;
  readonly lastId: number;
}

/**
 * The facts of a walk with precision that has ended. `start` walks from the starts of the program, with the walk that it is given, and calls the function
 * it is given after each. Undefined: they cannot be made this way.
 */
export function closeFacts(
  precise: Walk,
  options: Omit<WalkOptions, 'precision' | 'budget'>,
  start: (walk: Walk, then: () => void) => void,
): Closed | undefined {
  const { program, code } = precise;
  const closure = new Closure(code, options.profile === 'strict');
  for (const one of precise.covering) {
    const head = new Head(one.slot, one.state, () => withoutUnneeded(code, one));
    if (one.coversLoosely) head.widen();
    closure.heads.add(head);
  }
  const graph = new VisitGraph();
  const budget = precise.walked * TIMES + AND_A_FEW;
  const closing: WalkOptions = { ...options, visits: graph, closing: closure, precision: false, budget };
  const walk = new Walk(program, code, closing, precise.path.lastId);
  closure.expected = precise.walked * SURPRISED + AND_SOME;
  closure.walk = walk;
  try {
    start(walk, () => {
      closure.drain(graph);
    });
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
  return { graph, heads: closure.heads, walked: walk.walked, lastId: walk.path.lastId };
}

/**
 * The states of a walk with precision that killed paths may end at, where its visits are facts (`Walk.makesFacts`) and no second walk is needed. From now on the
 * visits leave out no more than they must.
 */
export function headsOfWalk({ code, kept, path, leavesOut }: Walk, graph: VisitGraph): Heads {
  if (leavesOut !== LEAVES_OUT.places) graph.settle(leavesOut);
  const heads = new Heads(code, path.strict);
  for (const { slot, state, node, hits } of kept) {
    if (node === NO_VISIT || hits === 0) continue;
    const head = new Head(slot, () => graph.factOf(node, state), undefined);
    head.node = node;
    heads.add(head);
  }
  return heads;
}

/** The heads, and which of them are still to be walked from. */
class Closure implements Closing {
  readonly heads: Heads;
  walk: Walk | undefined;
  expected = 0;
  private waiting: Head[] = [];
  private lastAdded = 0;
  private walking: Head | undefined;
  /** The visits that were walked from each head: the first, and the first behind them. */
  private readonly visits = new Map<Head, readonly [number, number]>();

  constructor(code: Code, strict: boolean) {
    this.heads = new Heads(code, strict);
  }

  meet(slot: number, state: State): Target | undefined {
    const found = this.heads.find(slot, state) ?? this.widened(slot, state);
    if (found !== undefined) {
      this.want(found);
      return found;
    }
    const { walked } = this.walk!;
    if (walked > this.expected && walked - this.lastAdded >= APART) {
      this.lastAdded = walked;
      const head = new Head(slot, this.walk!.path.snapshot(), undefined, false);
      this.heads.add(head);
      this.want(head);
      return head;
    }
    return undefined;
  }

  /** A head that covers the state after it was widened for it. What was walked from it before is taken back. */
  private widened(slot: number, state: State): Head | undefined {
    const head = this.heads.findWidest(slot, state);
    if (head === undefined) return undefined;
    head.widen();
    if (this.visits.has(head) || head === this.walking) this.waiting.push(head);
    return head;
  }

  private want(head: Head): void {
    if (head.wanted) return;
    head.wanted = true;
    this.waiting.push(head);
  }

  /** Walks from every head that a path ended at. */
  drain(graph: VisitGraph): void {
    for (;;) {
      const head = this.waiting.pop();
      if (head === undefined) return;
      const before = this.visits.get(head);
      if (before !== undefined) graph.takeBack(...before);
      const first = graph.size;
      head.node = first;
      this.walking = head;
      this.walk!.from({ slot: head.slot, state: head.state });
      this.walking = undefined;
      this.visits.set(head, [first, graph.size]);
    }
  }
}
