/**
 * One path of the walk: the state being changed, and the operations on it that everything else in the verifier is built from.
 * States that were handed out (as facts, checkpoints or pending branches) share their frames with the path; a frame is copied
 * the first time it is written after that.
 */
import { BUILT_IN, type KernelProfile } from '../../kernel/profile.js';
import { progType } from '../../kernel/progtypes.js';
import type { Program } from '../../object/program.js';
import { Memo } from '../scalar/memo.js';
import type { Scalar } from '../scalar/scalar.js';
import { refuse } from '../text/refusal.js';
import type { Guard } from './guard.js';
import type { Profile } from './profile.js';
import { pointerReg, UNINIT, unknownReg } from './regs.js';
import type { CallbackFrame, Frame, Ref, Reg, Slot, State } from './state.js';
import { BYTE } from './state.js';
/** The counter that new ids are taken from. All paths of a walk share it, so an id never means two things. */
export interface Ids {
  next: number;
}

/** The two scalars of a comparison after a jump has refined them. */
export type Refined = readonly [left: Scalar, right: Scalar];

/**
 * The current state of a walk, and every operation on it: registers, stack slots, frames, references, locks, sections. `snapshot`
 * hands the state out; from then on frames are copied before they are written.
 */
export class Path {
  private frames: Frame[] = [];
  /** By depth: whether the frame and its registers belong to this path alone and may be written. */
  private readonly owned: boolean[] = [];
  private readonly ownedStack: boolean[] = [];
  refs: readonly Ref[] = [];
  /** RCU sections that are open. */
  rcu = 0;
  preempt = 0;
  irq = 0;
  mayGoto = 0;
  unrolled = 0;
  /** The kernel that the program is for. */
  kernel: KernelProfile = BUILT_IN;
  /** CPUs that the kernel may have at the most, if that is known. */
  cpus: number | undefined;
  /** See `State.unwound`. */
  unwound = false;
  /** The path is speculative: only a processor that guessed a branch wrong takes it. */
  speculative = false;
  /** Checks against speculation, for a loader without CAP_PERFMON only. */
  guard: Guard | undefined;
  /** Slot of the insn at hand. */
  at = 0;
  /** Remembered results of refining scalars at jumps that were taken. */
  readonly taken = new Memo<Refined>();
  readonly notTaken = new Memo<Refined>();
  /** By first slot of a subprogram: how many bytes of its frame some path has touched, from the top. */
  readonly stackDepth = new Map<number, number>();

  constructor(
    readonly program: Program,
    readonly profile: Profile,
    private readonly ids: Ids,
  ) {}

  get strict(): boolean {
    return this.profile === 'strict';
  }

  get lastId(): number {
    return this.ids.next;
  }

  newId(): number {
    this.ids.next += 1;
    return this.ids.next;
  }

  // State in and out.

  restore(state: State): void {
    this.frames = state.frames.slice();
    this.shareFrames();
    this.refs = state.refs;
    this.rcu = state.rcu;
    this.preempt = state.preempt;
    this.irq = state.irq;
    this.mayGoto = state.mayGoto;
    this.unrolled = state.unrolled ?? 0;
    this.unwound = state.unwound === true;
    this.speculative = state.speculative === true;
  }

  /** The state as it is now; later changes to the path do not show in it. */
  snapshot(): State {
    this.shareFrames();
    return this.withFrames(this.frames.slice());
  }

  private shareFrames(): void {
    for (let d = 0; d < this.owned.length; d++) {
      this.owned[d] = false;
      this.ownedStack[d] = false;
    }
  }

  /** The present state without copying it. It is valid only until the path changes. */
  peek(): State {
    return this.withFrames(this.frames);
  }

  /** The open frames, outermost first. Valid only until the path changes. */
  get openFrames(): readonly Frame[] {
    return this.frames;
  }

  private withFrames(frames: Frame[]): State {
    const { refs, rcu, preempt, irq, mayGoto, unrolled } = this;
    const state: State = { frames, refs, rcu, preempt, irq, mayGoto, unrolled };
    if (!this.speculative && !this.unwound) return state;
    return {
      ...state,
      ...(this.unwound && { unwound: true }),
      ...(this.speculative && { speculative: true }),
    };
  }

  /** Notes that the frame at this depth uses its first `bytes` bytes below the top. */
  touchStack(depth: number, bytes: number): void {
    const { subprog } = this.frames[depth]!;
    if (bytes > (this.stackDepth.get(subprog) ?? 0)) this.stackDepth.set(subprog, bytes);
  }

  // Frames.

  get depth(): number {
    return this.frames.length - 1;
  }

  get frame(): Frame {
    return this.frames[this.frames.length - 1]!;
  }

  frameAt(depth: number): Frame {
    return this.frames[depth]!;
  }

  private ownFrame(depth: number): Frame {
    const frame = this.frames[depth]!;
    return this.owned[depth] === true ? frame : this.copyFrame(depth, frame, frame.callbackDepth);
  }

  private copyFrame(depth: number, frame: Frame, callbackDepth: number): Frame {
    const { subprog, callsite, callback } = frame;
    const regs = frame.regs.slice();
    // The stack is shared until it is written.
    const { stack } = frame;
    const copy: Frame =
      callback === undefined
        ? { regs, stack, subprog, callsite, callbackDepth }
        : { regs, stack, subprog, callsite, callbackDepth, callback };
    this.frames[depth] = copy;
    this.owned[depth] = true;
    return copy;
  }

  private ownStack(depth: number): (Slot | undefined)[] {
    const frame = this.ownFrame(depth);
    if (this.ownedStack[depth] === true) return frame.stack;
    const stack = frame.stack.slice();
    (frame as { stack: (Slot | undefined)[] }).stack = stack;
    this.ownedStack[depth] = true;
    return stack;
  }

  pushFrame(subprog: number, callsite: number, args: readonly Reg[], callback?: CallbackFrame): void {
    const { frames } = this.kernel.behaviour;
    if (this.frames.length >= frames) refuse(`the call stack of ${frames + 1} frames is too deep`);
    const regs: Reg[] = Array.from({ length: 11 }, () => UNINIT);
    args.forEach((arg, i) => {
      regs[i + 1] = arg;
    });
    regs[10] = pointerReg('stack', { frame: this.frames.length });
    const frame: Frame = {
      regs,
      stack: [],
      subprog,
      callsite,
      callbackDepth: 0,
      ...(callback ? { callback } : {}),
    };
    this.owned[this.frames.length] = true;
    this.ownedStack[this.frames.length] = true;
    this.frames.push(frame);
  }

  popFrame(): Frame {
    this.owned[this.frames.length - 1] = false;
    this.ownedStack[this.frames.length - 1] = false;
    return this.frames.pop()!;
  }

  setCallbackDepth(depth: number, count: number): void {
    const frame = this.frames[depth]!;
    if (frame.callbackDepth !== count) this.copyFrame(depth, frame, count);
  }

  // Registers.

  reg(n: number): Reg {
    return this.frame.regs[n]!;
  }

  setReg(n: number, reg: Reg): void {
    this.ownFrame(this.depth).regs[n] = reg;
  }

  setRegAt(depth: number, n: number, reg: Reg): void {
    this.ownFrame(depth).regs[n] = reg;
  }

  slot(depth: number, index: number): Slot | undefined {
    return this.frames[depth]!.stack[index];
  }

  setSlot(depth: number, index: number, slot: Slot | undefined): void {
    this.ownStack(depth)[index] = slot;
  }

  /**
   * Replaces every register and every register spilled to a stack, in all frames, for which `change` returns another one.
   * As bpf_for_each_reg_in_vstate.
   */
  mapRegs(change: (reg: Reg) => Reg): void {
    for (let depth = 0; depth < this.frames.length; depth++) {
      const { regs, stack } = this.frames[depth]!;
      for (let n = 0; n < 10; n++) {
        const before = regs[n]!;
        if (before.type === 'uninit') continue;
        const after = change(before);
        if (after !== before) this.ownFrame(depth).regs[n] = after;
      }
      for (let i = 0; i < stack.length; i++) {
        const slot = stack[i];
        if (slot?.reg === undefined) continue;
        const after = change(slot.reg);
        if (after !== slot.reg) this.ownStack(depth)[i] = { ...slot, reg: after };
      }
    }
  }

  // References.

  acquire(ref: Ref): void {
    this.refs = [...this.refs, ref];
  }

  /** The reference with this id. Locks have ids of their own kind. */
  findRef(id: number): Ref | undefined {
    return id === 0 ? undefined : this.refs.find((r) => r.id === id && !isLock(r));
  }

  dropRef(id: number): void {
    this.refs = this.refs.filter((r) => r.id !== id || isLock(r));
  }

  dropLock(lock: Ref): void {
    this.refs = this.refs.filter((r) => r !== lock);
  }

  /**
   * Releases a reference: every pointer that derives from it becomes invalid (release_reference). Linux still takes one that was added to a
   * number for a pointer: here it is not valid any more, and no number either.
   */
  releaseReference(id: number): void {
    this.dropRef(id);
    this.mapRegs((r) => (r.ref !== id ? r : r.unowned ? UNINIT : this.invalid()));
  }

  /** What an invalidated register becomes (mark_reg_invalid): a privileged loader may still use it as a number. */
  invalid(): Reg {
    return this.strict ? UNINIT : unknownReg;
  }

  get lockHeld(): Ref | undefined {
    return this.refs.findLast(isLock);
  }

  /**
   * Whether the path is in an RCU read section. The program may have opened one; a lock, or a program type that cannot sleep, implies
   * one.
   */
  get inRcu(): boolean {
    return this.rcu > 0 || this.lockHeld !== undefined || !this.sleepable;
  }

  /** Whether the program may sleep here. For a callback that runs later this may differ from the program (is_async_cb_sleepable). */
  get sleepable(): boolean {
    const root = this.frames[0]?.callback;
    if (root?.async === true) return root.sleepable === true;
    return this.program.sleepable === true || progType(this.program.type).sleepable;
  }
}

/** Whether a held reference is a spin lock or a resilient lock, and neither a pointer nor a saved IRQ state. */
export const isLock = (r: Ref): boolean => r.kind !== 'pointer' && r.kind !== 'irq';

export const EMPTY_SLOT: Slot = { bytes: Array.from({ length: 8 }, () => BYTE.invalid) };
