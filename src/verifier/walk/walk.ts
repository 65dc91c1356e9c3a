/**
 * The walk over all paths of a program: one insn after the other, both ways at a branch, into subprograms and callbacks, until
 * every path has ended or is covered by one walked before. Follows do_check of kernel/bpf/verifier.c.
 *
 * A walk can also start from states in the middle of a program and replace calls by stubs: that is how the fast path is
 * examined (`smt/program-proof.ts`).
 */
import type { Op } from '../../isa/insn.js';
import { slots } from '../../isa/insn.js';
import type { Program } from '../../object/program.js';
import { step as interpret } from '../../semantics/step.js';
import { iterAt } from '../call/args-slots.js';
import { type CalledBack, Calls } from '../call/calls.js';
import { checkOutermostReturn, checkPacketLoad } from '../call/exits.js';
import { Globals } from '../call/globals.js';
import { checkResourceLeak, requireRange } from '../call/leaks.js';
import type { Branch } from '../insn/branch.js';
import { checkComparison, decide, followBranch } from '../insn/branch.js';
import { AbstractMachine } from '../insn/machine.js';
import { Speculation } from '../insn/speculation.js';
import { forkScalar, scalarArithmetic } from '../scalar/alu.js';
import { collectLinked } from '../state/linked-regs.js';
import { Path } from '../state/path.js';
import { nullReg, scalarReg, unknownReg } from '../state/regs.js';
import type { Reg, State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { callsSyncCallback, PRUNE_POINT } from '../text/code.js';
import { TRAIT } from '../text/insn-traits.js';
import { Refusal, refuse } from '../text/refusal.js';
import { cleanDeadSlots, DeadRegs } from './clean-state.js';
import type { LoopKind } from './explored-states.js';
import { ExploredStates, findPrevEntry } from './explored-states.js';
import type { ExploredState } from './history.js';
import { NO_STEP } from './history.js';
import type { ImprecisePrune, Start, WalkOptions } from './options.js';
import { type HistoryPosition, NO_HISTORY, PrecisionTracker } from './precision/tracker.js';
import type { Visit } from './visit.js';
import { widenBounds, widenImpreciseScalars } from './widen.js';

/** A path to be walked later. */
interface Pending {
  readonly slot: number;
  readonly state: State;
  readonly from: Visit | undefined;
  readonly parent: ExploredState | undefined;
  readonly history: HistoryPosition;
  readonly deadRegs: readonly number[];
}

/** BPF_COMPLEXITY_LIMIT_JMP_SEQ: branches that wait to be walked. */
const MOST_PENDING = 8192;
/** Jumps and stack accesses since the last checkpoint, after which another is due (jmp_history_cnt). */
const LONG_HISTORY = 40;

export class Walk {
  readonly path: Path;
  readonly visits: Visit[][] = [];
  readonly imprecisePrunes: ImprecisePrune[] = [];
  /** Subprograms that functions of the kernel call back. */
  get calledBack(): CalledBack {
    return this.calls.calledBack;
  }

  /** Global subprograms that were called. */
  readonly called = new Set<number>();
  /** The visit at which the walk was when it stopped. */
  current: Visit | undefined;
  slot = -1;
  walked = 0;
  /** Something was widened: a refusal may be for want of what was dropped. */
  widened = false;
  readonly globals: Globals;
  private readonly machine: AbstractMachine;
  private readonly calls: Calls;
  private readonly explored: ExploredStates;
  private tracker: PrecisionTracker | undefined;
  private readonly deadRegs: DeadRegs;
  /** For a loader without CAP_PERFMON. */
  private readonly speculation: Speculation | undefined;
  private work: Pending[] = [];
  private parent: ExploredState | undefined;

  constructor(
    readonly program: Program,
    readonly code: Code,
    private readonly options: WalkOptions,
    firstId = 0,
  ) {
    this.path = new Path(program, options.profile, { next: firstId });
    this.path.cpus = options.cpus;
    this.machine = new AbstractMachine(this.path);
    const precise = options.precision === true;
    this.tracker = precise ? new PrecisionTracker(this.path, code) : undefined;
    this.explored = new ExploredStates(
      code,
      options.profile === 'strict',
      options.pruning !== false,
      this.tracker?.backtracker,
      this.tracker?.liveness,
      () => this.loopKind(),
    );
    if (options.profile === 'strict' && options.stubAt === undefined) {
      this.speculation = new Speculation(
        this.path,
        code.ops.length,
        () => this.guess(this.slot + 1),
        () => this.explored.compareExactly(),
      );
      this.path.guard = this.speculation;
    }
    this.deadRegs = new DeadRegs(code);
    this.globals = new Globals(program, code);
    this.calls = new Calls(this.path, code, this.globals, (slot) => {
      this.push(slot);
    });
  }

  get states(): number {
    return this.explored.count;
  }

  /** Walks everything that may happen from this state. Throws `Refusal`. Returns the visit that stands for the start. */
  from(start: Start): Visit {
    const first: Visit = { slot: start.slot, state: start.state, next: [], from: undefined };
    this.work.push({
      ...start,
      from: undefined,
      parent: undefined,
      history: NO_HISTORY,
      deadRegs: [],
    });
    let entry: Visit | undefined;
    while (this.work.length > 0) {
      const pending = this.work.pop()!;
      this.path.restore(pending.state);
      this.parent = pending.parent;
      this.deadRegs.restore(pending.deadRegs);
      this.current = pending.from;
      this.tracker?.restore(pending.history);
      const visit = this.run(pending.slot);
      entry ??= visit;
      this.explored.updateBranchCounts(this.parent);
    }
    return entry ?? first;
  }

  /** Remembers that the path goes on here too, in its present state. */
  private push(slot: number): void {
    if (this.work.length >= MOST_PENDING) refuse(`The sequence of ${MOST_PENDING + 1} jumps is too complex.`);
    const { path } = this;
    // A callback that runs later has nothing to do with what led here.
    const later = this.startsAsyncCallback(slot, path.peek());
    if (this.parent !== undefined && !later) this.parent.branches++;
    this.work.push({
      slot,
      state: path.snapshot(),
      from: this.current,
      parent: later ? undefined : this.parent,
      history: later ? NO_HISTORY : (this.tracker?.save() ?? NO_HISTORY),
      deadRegs: later ? [] : this.deadRegs.save(),
    });
  }

  /** A processor may guess that the path goes on here. */
  private guess(slot: number): void {
    const { path, current } = this;
    const real = !path.speculative;
    path.speculative = true;
    this.current = undefined;
    this.push(slot);
    this.current = current;
    path.speculative = !real;
  }

  /** The other way of a jump whose way is known, with nothing known of what it compares. */
  private guessOtherWay(slot: number, b: Branch): void {
    const { path } = this;
    const before = path.snapshot();
    path.setReg(b.dst, unknownReg);
    if (b.src !== undefined) path.setReg(b.src, unknownReg);
    this.guess(slot);
    path.restore(before);
  }

  /** Is this the start of a callback that the insn at hand has arranged to run later? */
  startsAsyncCallback(slot: number, { frames }: State): boolean {
    const frame = frames[0]!;
    return (
      frames.length === 1 &&
      frame.callback?.async === true &&
      frame.callsite === this.slot &&
      frame.subprog === slot
    );
  }

  /** Follows one path to its end. Returns its first visit. */
  private run(start: number): Visit | undefined {
    const { code, path, explored, options, tracker } = this;
    let slot: number | undefined = start;
    let first: Visit | undefined;
    while (slot !== undefined) {
      this.slot = slot;
      const op: Op | undefined = code.ops[slot];
      if (op === undefined) refuse(`no insn at slot ${slot}`);
      this.walked++;
      if (this.walked > options.budget) {
        throw new Refusal(`BPF program is too large. Processed ${this.walked} insn`, 'budget', -1);
      }
      const how = code.prunePoints[slot]!;
      if (how !== PRUNE_POINT.no) {
        if (tracker === undefined) cleanDeadSlots(path, code, slot);
        const state = path.peek();
        const arrival = {
          slot,
          state,
          step: tracker?.step ?? NO_STEP,
          parent: this.parent,
          instance: tracker?.instance,
        };
        const always = how === PRUNE_POINT.forced || (tracker?.entries ?? 0) > LONG_HISTORY;
        const { by, imprecise } = explored.visit(arrival, this.walked, always);
        if (by !== undefined) {
          if (by.visit !== undefined && !path.speculative) {
            this.current?.next.push(by.visit);
            if (imprecise) this.imprecisePrunes.push({ visit: by.visit, state: path.snapshot() });
          }
          return first ?? by.visit;
        }
        if (explored.keep) {
          const kept = path.snapshot();
          const visit = options.keepVisits && !path.speculative ? this.visit(slot, kept, true) : undefined;
          first ??= visit;
          this.parent = explored.add({ ...arrival, state: kept }, visit, this.walked);
          tracker?.stateKept();
        } else if (options.keepVisits && !path.speculative) {
          const visit = this.visit(slot, path.snapshot(), true);
          first ??= visit;
        }
      } else if (options.keepVisits && !path.speculative) {
        const visit = this.visit(slot, path.snapshot(), false);
        first ??= visit;
      }
      const traits = code.traits[slot]!;
      if ((traits & TRAIT.jumps) !== 0) explored.jumps++;
      slot = path.speculative ? this.guessed(slot, op) : this.insn(slot, op);
      if ((traits & TRAIT.changesFrame) !== 0) tracker?.findInstance();
    }
    return first;
  }

  /** Runs one insn where only a wrong guess leads. What is wrong with it is no refusal: a barrier keeps the guess from coming so far. */
  private guessed(slot: number, op: Op): number | undefined {
    const guard = this.speculation;
    if (guard === undefined || guard.stopsBefore(slot)) return undefined;
    try {
      const next = this.insn(slot, op);
      return guard.stopsAfter(slot) ? undefined : next;
    } catch (error) {
      guard.recover(slot, error);
      return undefined;
    }
  }

  private visit(slot: number, state: State, meets: boolean): Visit {
    const fact = this.deadRegs.withoutDead(state, slot, meets);
    const visit: Visit = { slot, state: fact, next: [], from: this.current };
    this.current?.next.push(visit);
    this.current = visit;
    const list = this.visits[slot];
    if (list === undefined) this.visits[slot] = [visit];
    else list.push(visit);
    return visit;
  }

  /**
   * What the insn at `visit` leads to from another state: each state with the slot it is at. Nothing is pruned, kept or widened. Throws
   * `Refusal`.
   */
  stepFrom(slot: number, state: State): Start[] {
    const { path, code } = this;
    const op = code.ops[slot];
    if (op === undefined) return [];
    const { work, tracker } = this;
    this.work = [];
    this.tracker = undefined;
    path.restore(state);
    this.slot = slot;
    this.parent = undefined;
    this.current = undefined;
    try {
      const next = this.insn(slot, op);
      const found: Start[] = this.work.filter((p) => p.state.speculative !== true);
      if (next !== undefined) found.push({ slot: next, state: path.snapshot() });
      return found;
    } finally {
      this.work = work;
      this.tracker = tracker;
    }
  }

  /** How a loop through the insn at hand ends. */
  private loopKind(): LoopKind {
    const { slot } = this;
    if (this.code.prunePoints[slot] !== PRUNE_POINT.forced) return undefined;
    if (this.code.ops[slot]?.kind === 'may_goto') return 'may_goto';
    const contract = this.code.contracts[slot];
    if (contract === undefined) return undefined;
    if (contract.outcomes.some((o) => o.effects.some((e) => e.kind === 'iter_next'))) {
      return iterAt(this.path, this.path.reg(1))?.state === 'active' ? 'iterator' : 'drained';
    }
    return callsSyncCallback(contract) ? 'callback' : undefined;
  }

  /** Runs one insn. Returns the slot where the path goes on; undefined when it has ended. */
  private insn(slot: number, op: Op): number | undefined {
    const { machine, path } = this;
    path.at = slot;
    if (path.guard !== undefined) path.guard.slot = slot;
    const traits = this.code.traits[slot]!;
    machine.begin(op, traits);
    if ((traits & TRAIT.selects) !== 0) this.splitBySign(slot, op);
    this.tracker?.before(op, slot, this.parent);
    const next = interpret<Reg>(machine, op, slot);
    switch (next.kind) {
      case 'next':
        return slot + slots(op);
      case 'jump':
        return next.slot;
      case 'branch':
        return this.branch(slot, next);
      case 'may_goto':
        return this.mayGoto(slot, next.slot);
      case 'call':
        return this.call(slot);
      case 'subprog':
        if (this.code.subprogAt(next.slot)?.linkage === 'global') this.called.add(next.slot);
        return this.calls.callSubprogram(slot, next.slot);
      case 'packet':
        return this.legacyPacketLoad(slot, next);
      case 'exit':
        return this.exit(path);
    }
  }

  /** Goes on twice where 0 or -1 selects a value (maybe_fork_scalars): now with -1, later with 0. */
  private splitBySign(slot: number, op: Op): void {
    if (op.kind !== 'alu') return;
    const reg = this.path.reg(op.dst);
    const { num } = reg;
    if (!(num.s32min === -1 && num.s32max === 0) && !(num.smin === -1n && num.smax === 0n)) return;
    const by =
      'reg' in op.src ? this.path.reg(op.src.reg) : scalarReg(scalarArithmetic.constant(BigInt(op.src.imm)));
    if (reg.type !== 'scalar' || by.type !== 'scalar') return;
    const parts = forkScalar(op.op, reg.num, by.num);
    if (parts === undefined) return;
    const [minusOne, zero] = parts;
    this.path.setReg(op.dst, scalarReg(zero));
    this.push(slot);
    this.path.setReg(op.dst, scalarReg(minusOne));
  }

  private branch(slot: number, b: Branch): number | undefined {
    const { path } = this;
    checkComparison(path, b);
    const sides = (1 << b.dst) | (b.src === undefined ? 0 : 1 << b.src);
    const known = decide(b);
    if (known !== undefined) {
      this.tracker?.markPrecise(sides, this.parent);
      if (path.guard !== undefined) this.guessOtherWay(known ? slot + 1 : b.slot, b);
      return known ? b.slot : slot + 1;
    }
    if (b.left.id !== 0 || b.right.id !== 0) {
      const linked = collectLinked(path, this.code, slot, b.left, b.right);
      this.tracker?.link(linked);
    }
    const before = path.snapshot();
    if (followBranch(path, b, true)) this.push(b.slot);
    else this.tracker?.markPrecise(sides, this.parent);
    path.restore(before);
    if (followBranch(path, b, false)) return slot + 1;
    path.restore(before);
    this.tracker?.markPrecise(sides, this.parent);
    return undefined;
  }

  /** Both ways; what changed since the last time round is widened on the way that stays in the loop. */
  private mayGoto(slot: number, target: number): number {
    const before = this.path.snapshot();
    const last = findPrevEntry(this.parent?.parent, slot, before);
    this.path.mayGoto++;
    this.widenAgainst(last);
    this.push(slot + 1);
    this.path.restore(before);
    return target;
  }

  private call(slot: number): number | undefined {
    const contract = this.code.contracts[slot];
    const stub = contract === undefined ? undefined : this.options.stubAt?.(slot);
    if (contract !== undefined && stub !== undefined) {
      const r0 = stub(this.path, this.path.frame.regs.slice(1, 6), contract);
      this.calls.setReturned(r0);
      return slot + 1;
    }
    return this.calls.callFunction(slot, this.nextElement);
  }

  /** An iterator gave one more element: what changed since it gave the last is widened. */
  private readonly nextElement = (state: State, iterator: Reg): void => {
    const last = findPrevEntry(this.parent?.parent, this.slot, state);
    // Where bounds are widened only rounds of this very iterator count: in an outer loop it is a new one each time.
    const mine = this.tracker !== undefined || hasIter(last?.state, iterAt(this.path, iterator)?.ref);
    if (mine) this.widenAgainst(last);
  };

  /** BPF_LD_[ABS|IND]: reads the packet, or ends the program with 0 (check_ld_abs). */
  private legacyPacketLoad(slot: number, load: { size: 1 | 2 | 4; src: number }): number {
    const { path } = this;
    checkPacketLoad(path, load.src);
    if (path.depth > 0) this.endEarly(path);
    // Linux does not use that fewer than 8 bytes were loaded.
    this.calls.setReturned(unknownReg);
    return slot + 1;
  }

  private exit(path: Path): number | undefined {
    const { frame } = path;
    if (path.depth === 0) {
      checkResourceLeak(path, 'BPF_EXIT instruction in main prog');
      checkOutermostReturn(path);
      return undefined;
    }
    const r0 = path.reg(0);
    const callback = frame.callback;
    if (r0.type === 'stack' && r0.frame === path.depth) refuse('cannot return stack pointer to the caller');
    if (callback !== undefined) {
      if (r0.type === 'uninit') refuse('R0 !read_ok');
      requireRange(r0, callback.returns, 'At callback return');
    }
    const { depth } = path;
    path.popFrame();
    // Pointers into the frame that is gone are worthless.
    path.mapRegs((r) => (r.type === 'stack' && r.frame >= depth ? path.invalid() : r));
    if (callback === undefined) {
      path.setReg(0, r0);
      return frame.callsite + 1;
    }
    if (callback.stops === true) {
      // The helper that called back stops: it returns as if it had no more to call back for.
      return this.calls.callFunction(frame.callsite, () => {}, false);
    }
    // Back to the call, which may call back once more, or be done.
    const state = path.snapshot();
    this.widenAgainst(findPrevEntry(this.parent, frame.callsite, state));
    return frame.callsite;
  }

  /** What is not in the packet ends the subprogram, which returns 0. */
  private endEarly(path: Path): void {
    const before = path.snapshot();
    path.setReg(0, nullReg);
    const next = this.exit(path);
    if (next !== undefined) this.push(next);
    path.restore(before);
  }

  private widenAgainst(last: ExploredState | undefined): void {
    if (last === undefined || !this.options.widening) return;
    const changed =
      this.tracker === undefined
        ? widenBounds(this.path, last.state)
        : widenImpreciseScalars(this.path, last.state, last.precise);
    if (changed) this.widened = true;
  }
}

/** Is the iterator with this reference open in that state? */
function hasIter(state: State | undefined, ref: number | undefined): boolean {
  return (
    ref !== undefined && state?.frames.some((f) => f.stack.some((slot) => slot?.iter?.ref === ref)) === true
  );
}
