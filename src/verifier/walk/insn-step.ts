/**
 * One insn of the walk: runs it on the path's present state and says where the path goes on. A branch goes both ways, a call goes into the
 * subprogram or callback, an exit goes back to the caller. Follows do_check_insn, check_cond_jmp_op and prepare_func_exit of
 * kernel/bpf/verifier.c.
 */
import type { Op } from '../../isa/insn.js';
import { slots } from '../../isa/insn.js';
import type { Program } from '../../object/program.js';
import { step as interpret } from '../../semantics/step.js';
import { iterAt } from '../call/args-slots.js';
import { type CalledBack, Calls, noPad } from '../call/calls.js';
import { checkOutermostReturn, checkPacketLoad } from '../call/exits.js';
import { Globals } from '../call/globals.js';
import { checkResourceLeak, requireRange } from '../call/leaks.js';
import type { Branch } from '../insn/branch.js';
import { checkComparison, decide, followBranch } from '../insn/branch.js';
import { AbstractMachine } from '../insn/machine.js';
import { forkScalar, scalarArithmetic } from '../scalar/alu.js';
import { collectLinked } from '../state/linked-regs.js';
import type { Path } from '../state/path.js';
import { nullReg, scalarReg, unknownReg } from '../state/regs.js';
import type { Reg, State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { TRAIT } from '../text/insn-traits.js';
import { padOf } from '../text/pads.js';
import { refuse } from '../text/refusal.js';
import { findPrevEntry } from './explored-states.js';
import type { ExploredState } from './history.js';
import type { WalkOptions } from './options.js';
import type { PrecisionTracker } from './precision/tracker.js';
import { widenBounds, widenImpreciseScalars } from './widen.js';

/** The paths of a walk, as an insn sees them. */
export interface Paths {
  /** The state that was kept last on the present path. */
  readonly parent: ExploredState | undefined;
  /** Undefined in a walk without precision. */
  readonly tracker: PrecisionTracker | undefined;
  /** Walks later from `slot`, in the present state (push_stack). */
  push(slot: number): void;
  /** The same, where only a processor that guessed wrong goes on (sanitize_speculative_path). */
  guess(slot: number): void;
}

/** Runs the insns of a walk one at a time. A path that must be walked later is pushed to `paths`. */
export class InsnStep {
  readonly globals: Globals;
  /** First slots of the global subprograms that were called. */
  readonly called = new Set<number>();
  /** Whether something was widened. A refusal may then come from the lost precision. */
  widened = false;
  private readonly machine: AbstractMachine;
  private readonly calls: Calls;

  constructor(
    private readonly paths: Paths,
    private readonly path: Path,
    program: Program,
    private readonly code: Code,
    private readonly options: WalkOptions,
  ) {
    this.machine = new AbstractMachine(path);
    this.globals = new Globals(program, code);
    this.calls = new Calls(path, code, this.globals, (slot) => {
      paths.push(slot);
    });
  }

  /** Subprograms that functions of the kernel call back. */
  get calledBack(): CalledBack {
    return this.calls.calledBack;
  }

  /** Runs the insn at `slot`. Throws `Refusal`. Returns the slot where the path goes on; undefined when it has ended. */
  run(slot: number, op: Op): number | undefined {
    const { machine, path } = this;
    path.at = slot;
    if (path.guard !== undefined) path.guard.slot = slot;
    const traits = this.code.traits[slot]!;
    machine.begin(op, traits);
    if ((traits & TRAIT.selects) !== 0) this.splitBySign(slot, op);
    this.paths.tracker?.before(op, slot, this.paths.parent);
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
      case 'unwind_goto':
        return this.unwindGoto(slot, next.slot);
      case 'call':
        return this.call(slot);
      case 'subprog':
        if (this.code.subprogAt(next.slot)?.linkage === 'global') this.called.add(next.slot);
        return this.calls.callSubprogram(slot, next.slot);
      case 'packet':
        return this.legacyPacketLoad(slot, next);
      case 'exit':
        return this.exit(path);
      case 'unwind_exit':
        return this.unwindExit(path);
    }
  }

  /** Splits the path where a number that is 0 or -1 selects a value (maybe_fork_scalars): now with -1, later with 0. */
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
    this.paths.push(slot);
    this.path.setReg(op.dst, scalarReg(minusOne));
  }

  private branch(slot: number, b: Branch): number | undefined {
    const { path } = this;
    checkComparison(path, b);
    const sides = (1 << b.dst) | (b.src === undefined ? 0 : 1 << b.src);
    const known = decide(b);
    if (known !== undefined) {
      this.paths.tracker?.markPrecise(sides, this.paths.parent);
      if (path.guard !== undefined) this.guessOtherWay(known ? slot + 1 : b.slot, b);
      return known ? b.slot : slot + 1;
    }
    if (b.left.id !== 0 || b.right.id !== 0) {
      const linked = collectLinked(path, this.code, slot, b.left, b.right);
      this.paths.tracker?.link(linked);
    }
    const before = path.snapshot();
    if (followBranch(path, b, true)) this.paths.push(b.slot);
    else this.paths.tracker?.markPrecise(sides, this.paths.parent);
    path.restore(before);
    if (followBranch(path, b, false)) return slot + 1;
    path.restore(before);
    this.paths.tracker?.markPrecise(sides, this.paths.parent);
    return undefined;
  }

  /** Pushes the other way of a jump whose way is known, as a speculative path. Nothing is known of the compared registers on it. */
  private guessOtherWay(slot: number, b: Branch): void {
    const { path } = this;
    const before = path.snapshot();
    path.setReg(b.dst, unknownReg);
    if (b.src !== undefined) path.setReg(b.src, unknownReg);
    this.paths.guess(slot);
    path.restore(before);
  }

  /** Walks both ways. On the way that stays in the loop, what changed since the last round is widened. */
  private mayGoto(slot: number, target: number): number {
    const before = this.path.snapshot();
    const last = findPrevEntry(this.paths.parent?.parent, slot, before);
    this.path.mayGoto++;
    this.widenAgainst(last);
    this.paths.push(slot + 1);
    this.path.restore(before);
    return target;
  }

  /** To the landing pad if the function that was called left by unwind_exit, else past it. */
  private unwindGoto(slot: number, pad: number): number {
    const { unwound } = this.path;
    this.path.unwound = false;
    return unwound ? pad : slot + 1;
  }

  /** Leaves the frame for the landing pad of its call. Of the main program, and of a callback that runs later, it is `exit`. */
  private unwindExit(path: Path): number | undefined {
    if (path.depth > 0) {
      const { callback, callsite } = path.frame;
      if (callback !== undefined) refuse('unwind_exit in a callback');
      if (padOf(this.code.ops, callsite) === undefined) refuse(noPad(callsite));
    }
    const next = this.exit(path);
    path.unwound = next !== undefined;
    return next;
  }

  /** Leaves the frame as unwind_exit does, with 0 in r0. */
  private leaveEarly(path: Path): number | undefined {
    path.setReg(0, nullReg);
    const next = this.exit(path);
    path.unwound = next !== undefined;
    return next;
  }

  private call(slot: number): number | undefined {
    const contract = this.code.contracts[slot];
    const stub = contract === undefined ? undefined : this.options.stubAt?.(slot);
    if (contract !== undefined && stub !== undefined) {
      const r0 = stub(this.path, this.path.frame.regs.slice(1, 6), contract);
      this.calls.setReturned(r0);
      return slot + 1;
    }
    const landing = contract === undefined ? 'none' : this.options.landingAt?.(slot, this.path.peek());
    if (landing === 'pad' || landing === 'some') {
      const before = this.path.snapshot();
      const next = this.leaveEarly(this.path);
      if (landing === 'pad') return next;
      // A call of this global function has no pad: there the call is made.
      this.path.restore(before);
    }
    return this.calls.callFunction(slot, this.nextElement);
  }

  /** An iterator gave one more element: what changed since it gave the last is widened. */
  private readonly nextElement = (state: State, iterator: Reg): void => {
    const last = findPrevEntry(this.paths.parent?.parent, this.path.at, state);
    // Without precision, only rounds of this same iterator are compared. In an outer loop there is a new iterator each time.
    const mine = this.paths.tracker !== undefined || hasIter(last?.state, iterAt(this.path, iterator)?.ref);
    if (mine) this.widenAgainst(last);
  };

  /** BPF_LD_[ABS|IND]: reads the packet, or ends the program with 0 (check_ld_abs). */
  private legacyPacketLoad(slot: number, load: { size: 1 | 2 | 4; src: number }): number {
    const { path } = this;
    checkPacketLoad(path, load.src);
    if (path.depth > 0) this.endEarly(path);
    // Linux takes the result for any number, though fewer than 8 bytes were loaded.
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
    // Pointers into the frame that ended become invalid.
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
    this.widenAgainst(findPrevEntry(this.paths.parent, frame.callsite, state));
    return frame.callsite;
  }

  /** A load beyond the packet ends the subprogram with the return value 0. */
  private endEarly(path: Path): void {
    const before = path.snapshot();
    path.setReg(0, nullReg);
    const next = this.exit(path);
    if (next !== undefined) this.paths.push(next);
    path.restore(before);
  }

  private widenAgainst(last: ExploredState | undefined): void {
    if (last === undefined || !this.options.widening) return;
    const changed =
      this.paths.tracker === undefined
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
