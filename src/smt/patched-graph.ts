/**
 * The graph of killed runs: the verifier's visits, with those of patched mode put in where a killed run leaves the normal way. A killed run that is back in a
 * state which a normal visit covers goes on in that visit.
 */
import { BUILT_IN, type KernelProfile } from '../kernel/profile.js';
import { exceptionCallbackOf, type Program } from '../object/program.js';
import type { FastPath } from '../patch/rule.js';
import { landingAt } from '../patch/unwinding.js';
import type { Facts } from '../verifier/result.js';
import { fixedOffset } from '../verifier/state/regs.js';
import { slotOf } from '../verifier/state/stack.js';
import { frameOf } from '../verifier/state/state.js';
import type { Code } from '../verifier/text/code.js';
import type { VisitGraph } from '../verifier/walk/visit-graph.js';
import { type Cost, type CostFrom, NOTHING, plus } from './cost.js';
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

/** What visits add to a run, in place of 1 for each insn. Visits by number. */
export interface Weigh {
  /** One pass of the insn. `stubbed`: the run is killed, and a stub takes the place of the call. */
  pass(visits: VisitGraph, v: number, stubbed: boolean): number;
  /** What starting a helper adds that then runs callbacks. It is passed again after each of them, but started once. */
  start(visits: VisitGraph, v: number): number;
}

/** A part of the longest run: one insn, or a loop with all its rounds. */
export interface RunPart {
  /** Slot of the insn; of a loop that of its first one in the text of the program. */
  readonly slot: number;
  /** What it adds, global subprograms that it calls among that. */
  readonly cost: Cost;
  readonly isLoop: boolean;
  /** What controls the loop, and how many rounds each makes at the most; empty for one insn, and where nothing controls it. */
  readonly loops: readonly { readonly slot: number; readonly by: string; readonly rounds: number }[];
}

const cost = (insns: number): CostFrom => ({ ...NOTHING, insns });
const ONE: CostFrom = cost(1);

/** Visits by number, and what follows each in a killed run. */
export class PatchedGraph {
  /** What a call adds that leads to a global subprogram, which is walked on its own. By its first slot. */
  costOfCall: ReadonlyMap<number, CostFrom> = new Map();
  /** By slot. */
  readonly notes = new Map<number, LoopNote>();
  readonly visits: VisitGraph;
  /** The first visits of each global subprogram, by its first slot. */
  readonly globalEntries = new Map<number, readonly number[]>();
  /** The first visits of the exception callback, if there is one. */
  private readonly onThrow: readonly number[] | undefined;

  constructor(
    private readonly program: Program,
    private readonly code: Code,
    facts: Facts,
    private readonly path: FastPath,
    private readonly patched: Patched,
    private readonly kernel: KernelProfile = BUILT_IN,
    /** Insns are counted unless told. */
    readonly weigh?: Weigh,
  ) {
    this.visits = facts.graph;
    const entriesOf = (start: number): readonly number[] =>
      facts.nodes(start).filter((v) => this.visits.chain(v).depth === 1);
    for (const { linkage, start } of program.subprogs) {
      const entries = linkage === 'global' && start !== 0 ? entriesOf(start) : [];
      if (entries.length > 0) this.globalEntries.set(start, entries);
    }
    const onThrow = exceptionCallbackOf(program);
    this.onThrow = onThrow && entriesOf(onThrow.start);
  }

  /** Slot of a visit's insn. */
  slot(v: number): number {
    return this.visits.slot(v);
  }

  /** Calls `each` with the visits that may follow in a killed run. */
  eachNext(v: number, each: (next: number) => void): void {
    const { onThrow, patched } = this;
    if (onThrow !== undefined && this.throws(v)) {
      onThrow.forEach(each);
      return;
    }
    const entries = patched.entries.get(v);
    if (entries !== undefined) {
      entries.forEach(each);
      if (!this.goesOnNormally(v)) return;
    }
    this.eachNormal(v, each);
  }

  /** Calls `each` with the visits that may follow in a run that is not killed. */
  eachNormal(v: number, each: (next: number) => void): void {
    if (!this.arms(v)) this.visits.eachNext(v, each);
    else
      this.visits.eachNext(v, (next) => {
        if (this.slot(next) === this.slot(v) + 1) each(next);
      });
  }

  /** The call names a callback that runs later. That is a run of its own, which does not follow this one. */
  private arms(v: number): boolean {
    const args = this.code.contracts[this.slot(v)]?.args;
    return args?.some((arg) => arg.kind === 'callback' && arg.callback.async === true) === true;
  }

  /** The visits that may follow in a killed run. */
  next(v: number): number[] {
    const found: number[] = [];
    this.eachNext(v, (next) => found.push(next));
    return found;
  }

  private throws(v: number): boolean {
    return this.code.contracts[this.slot(v)]?.name === 'bpf_throw' && !this.isUnwound(v);
  }

  /**
   * Whether a killed run may also go the normal way, from a visit where it may leave it. So at the end of a callback: if it was running at the kill, its
   * helper stops; if it was called after the kill, by a helper that is kept, the helper goes on.
   */
  private goesOnNormally(v: number): boolean {
    if (this.code.contracts[this.slot(v)] !== undefined) return false;
    const call = this.visits.chain(v).callback?.call;
    return call !== undefined && !this.path.stubs.has(call);
  }

  /** Whether the visit stands for an insn that is run. The entries of a call stand for the same insn, so they count in its place. */
  isRun(v: number): boolean {
    return !(this.patched.entries.has(v) && this.code.contracts[this.slot(v)] !== undefined);
  }

  /** First slot of the subprogram that the insn calls; undefined for other insns. */
  callee(v: number): number | undefined {
    return this.code.callees[this.slot(v)];
  }

  /** What the insn itself takes, with the global subprogram that it calls. */
  cost(v: number): CostFrom {
    if (!this.isRun(v)) return NOTHING;
    const callee = this.callee(v);
    const called = callee === undefined ? undefined : this.costOfCall.get(callee);
    const own = this.weigh === undefined ? ONE : cost(this.pass(v, this.weigh));
    return called === undefined ? own : plus(own, called);
  }

  /** What one pass of a visit weighs. The entries of a call stand for the same insn, so they count in its place. */
  pass(v: number, weigh: Weigh): number {
    return this.isRun(v) ? weigh.pass(this.visits, v, this.path.stubs.has(this.slot(v))) : 0;
  }

  /** What starting a helper that runs callbacks adds to its passes. */
  start(v: number): number {
    const slot = this.slot(v);
    if (this.weigh === undefined || this.code.contracts[slot] === undefined) return 0;
    if (this.path.stubs.has(slot) || !this.isRun(v) || !this.isStart(v)) return 0;
    return this.weigh.start(this.visits, v);
  }

  /** What the function at a call still weighs that is in flight at the kill: it completes as without the kill. Undefined for other insns. */
  inFlight(v: number): CostFrom | undefined {
    if (this.weigh === undefined || this.code.contracts[this.slot(v)] === undefined) return undefined;
    return cost(this.weigh.pass(this.visits, v, false) + this.weigh.start(this.visits, v));
  }

  /** The insns that control the loops of a component, each once, in the order of the program. */
  loopsOf(component: readonly number[]): RunPart['loops'] {
    const found = new Map<number, RunPart['loops'][number]>();
    for (const v of component) {
      const most = this.limit(v)?.rounds;
      if (most === undefined) continue;
      const slot = this.slot(v);
      const by = this.code.contracts[slot]?.name ?? 'may_goto';
      found.set(slot, { slot, by, rounds: Math.max(most, found.get(slot)?.rounds ?? 0) });
    }
    return [...found.values()].sort((a, b) => a.slot - b.slot);
  }

  /** The limit of a loop that this insn controls; undefined if it controls none. */
  limit(v: number): LoopLimit | undefined {
    if (this.isMayGoto(v)) return mayGotoLimit(this.kernel);
    const contract = this.code.contracts[this.slot(v)];
    // A stub ends no loop by itself, and neither does a call that is left for a landing pad.
    if (contract === undefined || this.path.stubs.has(this.slot(v)) || this.isUnwound(v)) return undefined;
    return callLimit(this.program, contract, frameOf(this.visits.state(v)).regs);
  }

  /** Visits with the same key control the same loop: same insn, same chain of calls. The may_gotos of a frame share one limit. */
  loopKey(v: number): string {
    return `${this.chain(v)}: ${this.isMayGoto(v) ? 'may_goto' : this.slot(v)}`;
  }

  /** The loop that this insn controls is started here, not gone on with. */
  isStart(v: number): boolean {
    const contract = this.code.contracts[this.slot(v)];
    if (contract === undefined) return false;
    const state = this.visits.state(v);
    const { regs, callbackDepth } = frameOf(state);
    const at = contract.args.findIndex(({ kind }) => kind === 'iter');
    if (at < 0) return callbackDepth === 0;
    const reg = regs[at + 1]!;
    const slot = state.frames[reg.frame]?.stack[slotOf(fixedOffset(reg))];
    return slot?.iter === undefined || (slot.iter.state === 'active' && slot.iter.depth === 0);
  }

  /** A frame of a called function or callback begins here. */
  isEntry(v: number): boolean {
    const { depth, innermost } = this.visits.chain(v);
    return depth > 1 && innermost === this.slot(v);
  }

  /** The calls that led to the frame of a visit. */
  chain(v: number): string {
    return this.visits.chain(v).key;
  }

  /** Notes that a killed run may be in a loop that no number of rounds limits. */
  note(v: number, { ms, endless }: Pick<LoopLimit, 'ms' | 'endless'>): void {
    if (ms === 0 && endless === '') return;
    const slot = this.slot(v);
    const name = this.code.contracts[slot]?.name;
    this.notes.set(slot, {
      slot,
      by: name ?? (this.isMayGoto(v) ? 'may_goto' : 'loop'),
      ...(ms > 0 && { ms }),
      ...(endless !== '' && { endless }),
    });
  }

  /** In every killed run the call is left for a landing pad. */
  private isUnwound(v: number): boolean {
    if (this.path.unwinds === undefined) return false;
    return landingAt(this.path, this.code.ops, this.slot(v), this.visits.state(v)) === 'pad';
  }

  private isMayGoto(v: number): boolean {
    return this.code.ops[this.slot(v)]?.kind === 'may_goto';
  }
}
