/**
 * How long a killed program runs: the most insns from a termination point to the exit, over all paths of the fast path.
 *
 * It is a longest path in the graph of the verifier's visits, with the visits of patched mode put in. A cycle in this graph is a loop that
 * the rules do not end. Linux limits some kinds of loops (`loop-limits.ts`): to a number of rounds, which bounds the insns, or to a time, in
 * which any number of insns may run. Then the bound is that time, and the insns beside it. Any other cycle has no bound.
 */
import { MOST_FRAMES } from '../isa/insn.js';
import { subprogTarget } from '../isa/target.js';
import { BUILT_IN, type KernelProfile } from '../kernel/profile.js';
import { exceptionCallbackOf, type Program, type Subprog } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import { landingAt } from '../patch/unwinding.js';
import type { Facts } from '../verifier/result.js';
import { fixedOffset } from '../verifier/state/regs.js';
import { slotOf } from '../verifier/state/stack.js';
import { frameOf } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';
import type { Visit } from '../verifier/walk/visit.js';
import { components } from './components.js';
import { type Cost, type CostFrom, inAll, isAround, most, NOTHING, plus, seenFrom, times } from './cost.js';
import { callLimit, type LoopLimit, mayGotoLimit } from './loop-limits.js';
import type { Patched } from './patched.js';

/** A note on a loop that a killed run may be in and that no number of insns bounds. */
export interface LoopNote {
  /** The insn that controls it. */
  readonly slot: number;
  /** What controls it: the name of a function, or `may_goto`; `loop` if nothing does. */
  readonly by: string;
  /** Milliseconds in one frame, for a loop that is ended by time. */
  readonly ms?: number;
  /** Why it has no bound. */
  readonly endless?: string;
}

/** The longest killed runs of a program, in insns and in time. */
export interface Bounds {
  /** Over all termination points. */
  readonly worst: Cost;
  /** The same by slot; slots that are never reached are missing. */
  readonly bySlot: ReadonlyMap<number, Cost>;
  /** The loops for which no number of insns bounds a killed run, by slot. */
  readonly notes: readonly LoopNote[];
}

/**
 * The longest killed run, over all termination points and by slot. `patched` is the walk of `path` that succeeded, `kernel` the kernel that the
 * program is for.
 */
export function bounds(
  program: Program,
  code: Code,
  facts: Facts,
  path: FastPath,
  patched: Patched,
  kernel: KernelProfile = BUILT_IN,
): Bounds {
  const worstOf = new Map<Visit, CostFrom>();
  const globalEntry = new Map<number, Visit>();
  const entryOf = (s: Subprog): Visit | undefined =>
    facts.at(s.start).find((v) => v.state.frames.length === 1 && v.from === undefined);
  const onThrow = exceptionCallbackOf(program);
  const graph = new PatchedGraph(program, code, path, patched, onThrow && entryOf(onThrow), kernel);
  for (const s of program.subprogs) {
    const entry = entryOf(s);
    if (s.linkage === 'global' && s.start !== 0 && entry !== undefined) globalEntry.set(s.start, entry);
  }
  const roots: Visit[] = [];
  for (const entry of globalEntry.values()) roots.push(entry);
  for (let slot = 0; slot < code.ops.length; slot++) roots.push(...facts.at(slot));
  // The cost of a global subprogram depends on those that it calls. Calls nest at most as deep as there are subprograms, so this many
  // rounds are enough.
  for (let round = 0; round <= globalEntry.size; round++) {
    const costs = new Map(
      [...globalEntry].map(([start, entry]) => [start, inAll(worstOf.get(entry) ?? NOTHING)]),
    );
    graph.costOfCall = (v) => callCost(code, v, costs);
    longestPaths(roots, graph, worstOf);
  }
  const bySlot = new Map<number, Cost>();
  let worst = NOTHING;
  for (let slot = 0; slot < code.ops.length; slot++) {
    const visits = facts.at(slot);
    if (visits.length === 0) continue;
    let here: CostFrom = NOTHING;
    for (const v of visits) {
      const after = afterGlobal(v, code, facts, graph, worstOf, 0);
      here = most(here, plus(inAll(worstOf.get(v)!), after));
    }
    bySlot.set(slot, plain(here));
    worst = most(worst, here);
  }
  return { worst: plain(worst), bySlot, notes: [...graph.notes.values()].sort((a, b) => a.slot - b.slot) };
}

const plain = ({ insns, ms }: Cost): Cost => ({ insns, ms });

/** What a call of a global subprogram adds to the call itself; nothing for any other insn. */
function callCost(code: Code, v: Visit, costs: ReadonlyMap<number, CostFrom>): CostFrom {
  const op = code.ops[v.slot];
  const target = op?.kind === 'call' && op.target === 'subprog' ? subprogTarget(op, v.slot) : undefined;
  return (target === undefined ? undefined : costs.get(target)) ?? NOTHING;
}

/**
 * What a run killed inside a global subprogram still takes in the callers. The verifier walks a global subprogram on its own, so its visits do
 * not lead back to them.
 */
function afterGlobal(
  v: Visit,
  code: Code,
  facts: Facts,
  graph: PatchedGraph,
  worstOf: ReadonlyMap<Visit, CostFrom>,
  depth: number,
): CostFrom {
  const outer = v.state.frames[0]!;
  if (outer.subprog === 0 || outer.callback !== undefined || depth > MOST_FRAMES) return NOTHING;
  let after = NOTHING;
  code.ops.forEach((op, slot) => {
    if (op?.kind !== 'call' || op.target !== 'subprog' || subprogTarget(op, slot) !== outer.subprog) return;
    for (const call of facts.at(slot)) {
      const rest = graph.next(call).reduce((cost, n) => most(cost, worstOf.get(n) ?? NOTHING), NOTHING);
      after = most(after, plus(inAll(rest), afterGlobal(call, code, facts, graph, worstOf, depth + 1)));
    }
  });
  return after;
}

const ONE: CostFrom = { ...NOTHING, insns: 1 };

class PatchedGraph {
  costOfCall: (v: Visit) => CostFrom = () => NOTHING;
  /** By slot. */
  readonly notes = new Map<number, LoopNote>();

  constructor(
    private readonly program: Program,
    private readonly code: Code,
    private readonly path: FastPath,
    private readonly patched: Patched,
    /** The first visit of the exception callback, if there is one. */
    private readonly onThrow: Visit | undefined,
    private readonly kernel: KernelProfile,
  ) {}

  next(v: Visit): readonly Visit[] {
    const throws = this.onThrow !== undefined && this.code.contracts[v.slot]?.name === 'bpf_throw';
    if (throws && !this.isUnwound(v)) return [this.onThrow!];
    const entries = this.patched.entries.get(v);
    if (entries === undefined) return v.next;
    if (this.code.contracts[v.slot] !== undefined) return entries;
    // The end of a callback. If the callback was running at the kill, its helper stops. If it was called after the kill, by a helper that
    // is kept, the helper goes on.
    const call = frameOf(v.state).callback?.call;
    return call !== undefined && !this.path.stubs.has(call) ? [...entries, ...v.next] : entries;
  }

  cost(v: Visit): CostFrom {
    // The entries stand for the same insn.
    if (this.patched.entries.has(v) && this.code.contracts[v.slot] !== undefined) return NOTHING;
    return plus(ONE, this.costOfCall(v));
  }

  /** The limit of a loop that this insn controls; undefined if it controls none. */
  limit(v: Visit): LoopLimit | undefined {
    if (this.isMayGoto(v)) return mayGotoLimit(this.kernel);
    const contract = this.code.contracts[v.slot];
    // A stub ends no loop by itself, and neither does a call that is left for a landing pad.
    if (contract === undefined || this.path.stubs.has(v.slot) || this.isUnwound(v)) return undefined;
    return callLimit(this.program, contract, frameOf(v.state).regs);
  }

  /** Visits with the same key control the same loop: same insn, same chain of calls. The may_gotos of a frame share one limit. */
  loopKey(v: Visit): string {
    return `${this.chain(v)}: ${this.isMayGoto(v) ? 'may_goto' : v.slot}`;
  }

  /** The loop that this insn controls is started here, not gone on with. */
  isStart(v: Visit): boolean {
    const contract = this.code.contracts[v.slot];
    if (contract === undefined) return false;
    const { regs, callbackDepth } = frameOf(v.state);
    const at = contract.args.findIndex(({ kind }) => kind === 'iter');
    if (at < 0) return callbackDepth === 0;
    const reg = regs[at + 1]!;
    const slot = v.state.frames[reg.frame]?.stack[slotOf(fixedOffset(reg))];
    return slot?.iter === undefined || (slot.iter.state === 'active' && slot.iter.depth === 0);
  }

  /** A frame of a called function or callback begins here. */
  isEntry(v: Visit): boolean {
    return v.state.frames.length > 1 && frameOf(v.state).subprog === v.slot;
  }

  /** The calls that led to the frame of a visit. */
  chain(v: Visit): string {
    return v.state.frames.map((f) => f.callsite).join(' ');
  }

  /** Notes that a killed run may be in a loop that no number of rounds limits. */
  note(v: Visit, { ms, endless }: Pick<LoopLimit, 'ms' | 'endless'>): void {
    if (ms === 0 && endless === '') return;
    const name = this.code.contracts[v.slot]?.name;
    this.notes.set(v.slot, {
      slot: v.slot,
      by: name ?? (this.isMayGoto(v) ? 'may_goto' : 'loop'),
      ...(ms > 0 && { ms }),
      ...(endless !== '' && { endless }),
    });
  }

  /** In every killed run the call is left for a landing pad. */
  private isUnwound(v: Visit): boolean {
    return landingAt(this.path, this.code.ops, v.slot, v.state) === 'pad';
  }

  private isMayGoto(v: Visit): boolean {
    return this.code.ops[v.slot]?.kind === 'may_goto';
  }
}

/** Computes, for every visit that can be reached from the roots, the most that a run takes from there to the exit. */
function longestPaths(roots: readonly Visit[], graph: PatchedGraph, worstOf: Map<Visit, CostFrom>): void {
  worstOf.clear();
  // Components come in an order with successors first.
  for (const component of components(roots, (v) => graph.next(v))) {
    const inside = new Set(component);
    let after = NOTHING;
    for (const v of component) {
      for (const n of graph.next(v)) if (!inside.has(n)) after = most(after, worstOf.get(n)!);
    }
    const first = component[0]!;
    const loops = component.length > 1 || graph.next(first).includes(first);
    // A cycle never leaves the frame of its outermost visit.
    const chain = component.map((v) => graph.chain(v)).reduce((a, b) => (a.length <= b.length ? a : b));
    const cost = loops ? loopCost(component, inside, chain, graph) : graph.cost(first);
    const all = plus(cost, seenFrom(chain, after));
    for (const v of component) worstOf.set(v, all);
  }
}

/** The insn that controls a loop in a component. */
interface Control {
  readonly chain: string;
  readonly limit: LoopLimit;
  /** How often the loop may be started between two passes of the loops around it: a loop of known rounds is walked round by round. */
  readonly starts: number;
}

/** Passes of the controlling insn between two passes of the loops around it. */
const passesOf = ({ limit, starts }: Control): number => starts * (limit.rounds + 1);

/**
 * The most that is run inside a cycle: the longest round, times the number of rounds. n rounds take n + 1 passes of the insn that
 * controls the loop, because the last pass ends it. Infinite if some cycle inside is controlled by nothing.
 */
function loopCost(
  component: readonly Visit[],
  inside: ReadonlySet<Visit>,
  outermost: string,
  graph: PatchedGraph,
): CostFrom {
  const loops = new Map<string, Control>();
  const controls = new Set<Visit>();
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
    loops.set(key, { chain: graph.chain(v), limit: larger, starts });
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
  const counted = plus(times(round, total), times(longest, stretches([...loops.values()])));
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
  component: readonly Visit[],
  inside: ReadonlySet<Visit>,
  controls: ReadonlySet<Visit>,
  graph: PatchedGraph,
): CostFrom {
  const within = (v: Visit): Visit[] => graph.next(v).filter((n) => inside.has(n) && !controls.has(n));
  const longest = new Map<Visit, CostFrom>();
  let worst = NOTHING;
  for (const part of components(
    component.filter((v) => !controls.has(v)),
    within,
  )) {
    const v = part[0]!;
    const next = within(v);
    if (part.length > 1 || next.includes(v)) {
      const first = part.reduce((low, one) => (one.slot < low.slot ? one : low));
      graph.note(first, { ms: 0, endless: 'a loop is neither ended by the rules nor bounded by Linux' });
      return { ...NOTHING, insns: Number.POSITIVE_INFINITY };
    }
    const cost = next.reduce((rest, n) => most(rest, longest.get(n)!), NOTHING);
    longest.set(v, plus(cost, graph.cost(v)));
    worst = most(worst, longest.get(v)!);
  }
  return worst;
}
