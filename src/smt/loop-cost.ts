/**
 * What a cycle in the graph of killed runs takes: a loop that the rules do not end. Linux limits some kinds of loops (`loop-limits.ts`): to a number of
 * rounds, which bounds the insns, or to a time, in which any number of insns may run. Then the bound is that time, and the insns beside it. Any other cycle
 * has no bound.
 */
import { components } from './components.js';
import { type CostFrom, isAround, most, NOTHING, plus, times } from './cost.js';
import type { LoopLimit } from './loop-limits.js';
import type { PatchedGraph } from './patched-graph.js';

/** The insn that controls a loop in a component. */
interface Control {
  readonly chain: string;
  readonly limit: LoopLimit;
  /** How often the loop may be started between two passes of the loops around it: a loop of known rounds is walked round by round. */
  readonly starts: number;
  /** What each start adds to the passes. */
  readonly start: number;
}

/** Passes of the controlling insn between two passes of the loops around it. */
const passesOf = ({ limit, starts }: Control): number => starts * (limit.rounds + 1);

/**
 * The most that is run inside a cycle: the longest round, times the number of rounds. n rounds take n + 1 passes of the insn that
 * controls the loop, because the last pass ends it. Infinite if some cycle inside is controlled by nothing.
 */
export function loopCost(
  component: readonly number[],
  inside: ReadonlySet<number>,
  outermost: string,
  graph: PatchedGraph,
): CostFrom {
  const loops = new Map<string, Control>();
  const controls = new Set<number>();
  let round = NOTHING;
  for (const v of component) {
    const limit = graph.limit(v);
    if (limit === undefined) continue;
    graph.note(v, limit);
    controls.add(v);
    round = plus(round, graph.cost(v));
    const key = graph.loopKey(v);
    const before = loops.get(key);
    const larger = before === undefined || before.limit.rounds < limit.rounds ? limit : before.limit;
    const starts = (before?.starts ?? 0) + (graph.isStart(v) ? 1 : 0);
    const start = Math.max(before?.start ?? 0, graph.start(v));
    loops.set(key, { chain: graph.chain(v), limit: larger, starts, start });
  }
  for (const [key, loop] of loops) {
    // Where all loops of a frame share a limit, the limit starts anew with the frame.
    const entries = component.filter((v) => graph.isEntry(v) && graph.chain(v) === loop.chain).length;
    loops.set(key, { ...loop, starts: Math.max(1, loop.starts, entries) });
  }
  const longest = longestRound(component, inside, controls, graph);
  const passes = (which: (loop: Control) => boolean): number =>
    [...loops.values()].filter(which).reduce((product, loop) => product * passesOf(loop), 1);
  const total = passes(() => true);
  const rounds = plus(times(round, total), times(longest, stretches([...loops.values()])));
  const counted = [...loops.values()].reduce((sum, loop) => {
    const often = loop.starts * passes((other) => other !== loop);
    return plus(sum, times({ insns: loop.start, ms: 0 }, often));
  }, rounds);
  // Each time a frame is entered it gets its time anew. Loops of outer frames enter it again and again.
  let { ms } = counted;
  const open = new Map<string, number>();
  for (const { chain, limit, starts } of loops.values()) {
    if (limit.ms === 0) continue;
    if (isAround(chain, outermost)) open.set(chain, limit.ms);
    else ms += limit.ms * starts * passes((loop) => loop.chain !== chain && isAround(loop.chain, chain));
  }
  return { insns: counted.insns, ms, open };
}

/**
 * How many stretches between passes of controlling insns there are at the most. Behind each pass comes one, and one comes before the first; behind
 * the last pass of a single loop comes none. Loops that are nested make the most passes where the one with the most rounds is the outermost:
 * the second is passed in each round of the first, and so on.
 */
function stretches(loops: readonly Control[]): number {
  if (loops.length === 1 && loops[0]!.starts === 1) return passesOf(loops[0]!);
  let product = 1;
  let all = 1;
  for (const rounds of loops.map(passesOf).sort((a, b) => b - a)) {
    product *= rounds;
    all += product;
  }
  return all;
}

/** The longest path from one pass of the controlling insn to the next. Infinite if there is a cycle on it. */
function longestRound(
  component: readonly number[],
  inside: ReadonlySet<number>,
  controls: ReadonlySet<number>,
  graph: PatchedGraph,
): CostFrom {
  const within = (v: number): number[] => graph.next(v).filter((n) => inside.has(n) && !controls.has(n));
  const longest = new Map<number, CostFrom>();
  let worst = NOTHING;
  for (const part of components(
    component.filter((v) => !controls.has(v)),
    within,
  )) {
    const v = part[0]!;
    const next = within(v);
    if (part.length > 1 || next.includes(v)) {
      const first = part.reduce((low, one) => (graph.slot(one) < graph.slot(low) ? one : low));
      graph.note(first, { ms: 0, endless: 'a loop is neither ended by the rules nor bounded by Linux' });
      return { ...NOTHING, insns: Number.POSITIVE_INFINITY };
    }
    const cost = next.reduce((rest, n) => most(rest, longest.get(n)!), NOTHING);
    longest.set(v, plus(cost, graph.cost(v)));
    worst = most(worst, longest.get(v)!);
  }
  return worst;
}
