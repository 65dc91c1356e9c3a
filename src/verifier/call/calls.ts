/**
 * Calls: of helpers and kfuncs by their contracts, of subprograms by entering them. Follows check_helper_call, check_kfunc_call,
 * check_func_call and push_callback_call of kernel/bpf/verifier.c.
 *
 * Outcomes that differ only in r0 are walked together, as the kernel does: NULL or a pointer becomes a pointer that may be NULL.
 * Outcomes that differ in what they do are walked apart.
 */

import type { Arg, Outcome } from '../../kernel/contract.js';
import { exceptionCallbackOf } from '../../object/program.js';
import type { Path } from '../state/path.js';
import { UNINIT, unknownReg } from '../state/regs.js';
import type { Reg, Slot, State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { padOf, unwindingSubprogs } from '../text/pads.js';
import { refuse } from '../text/refusal.js';
import { AllowedCalls } from './allowed.js';
import { checkArgs } from './args.js';
import type { CallSite } from './call-site.js';
import { callbackArgs } from './callbacks.js';
import { applyEffect, invalidatePackets } from './effects.js';
import type { Globals } from './globals.js';
import { type Group, givesElement, groupsOf, shapeOf } from './groups.js';
import { checkResourceLeak, checkReturn, requireRange } from './leaks.js';
import { enabledIn } from './outcomes.js';
import { returned } from './returns.js';

/** Why a subprogram that was called at this slot may not leave by unwind_exit. */
export const noPad = (slot: number): string =>
  `unwind_exit, but no unwind_goto follows the call at insn ${slot}`;

type Push = (slot: number) => void;
/** Called when an iterator gave one more element. `iterator` points to the iterator; `state` is the state before the call. */
type WidenLoop = (state: State, iterator: Reg) => void;
/** Subprograms that functions of the kernel call back: all, and those that are called later. */
export interface CalledBack {
  readonly callbacks: Set<number>;
  readonly async: Set<number>;
}

type CallbackArgument = Extract<Arg, { kind: 'callback' }>;

/**
 * Walks calls: `callFunction` for helpers and kfuncs, the others for subprograms. Where outcomes must be walked apart, all but one are
 * pushed to be walked later.
 */
export class Calls {
  private readonly allowed: AllowedCalls;
  private readonly unwinding: ReadonlySet<number>;
  private readonly slotAt = (reg: Reg, index: number): Slot | undefined => this.p.slot(reg.frame, index);

  readonly calledBack: CalledBack = { callbacks: new Set(), async: new Set() };

  constructor(
    private readonly p: Path,
    private readonly code: Code,
    private readonly globals: Globals,
    private readonly push: Push,
  ) {
    this.allowed = new AllowedCalls(p, code);
    this.unwinding = unwindingSubprogs(code);
  }

  /** After a call: r0 is what it returned, r1 to r5 are lost. */
  setReturned(r0: Reg): void {
    for (let n = 1; n <= 5; n++) this.p.setReg(n, UNINIT);
    this.p.setReg(0, r0);
  }

  /**
   * The helper or kfunc call at this slot. Returns where the path goes on; undefined when it ends here. `callsBack`: false for a
   * helper that is done with its callback.
   */
  callFunction(slot: number, widenLoop: WidenLoop, callsBack = true): number | undefined {
    const { p, code } = this;
    const contract = code.contracts[slot];
    if (contract === undefined) return this.allowed.refuseUnknown(slot);
    this.allowed.check(contract);
    const { callback, dynptrs } = shapeOf(contract);
    const regs = p.frame.regs.slice(1, 6);
    const site: CallSite = dynptrs
      ? { contract, at: slot, regs, dynptrs: new Map() }
      : { contract, at: slot, regs };
    // Guards are about the state before the call: checking the arguments marks output memory as written.
    const enabled = enabledIn(contract, p.program, regs, this.slotAt);
    checkArgs(p, site);
    if (callback >= 0) return this.withCallback(site, callback, enabled, callsBack);
    const { groups, throws, tailCalls } = groupsOf(enabled);
    if (throws) {
      // The number that is thrown becomes the program's return value, unless the program has an exception callback. A subprogram's own
      // return value is not checked.
      if (p.frame.subprog === 0 && exceptionCallbackOf(p.program) === undefined) checkReturn(p, 1);
      checkResourceLeak(p, 'bpf_throw');
      return undefined;
    }
    if (tailCalls) {
      checkResourceLeak(p, 'tail_call');
      if (p.depth > 0) this.leaveByTailCall();
    }
    return this.walkGroups(site, groups, widenLoop);
  }

  /** The program called in place of a subprogram returns to the subprogram's caller, with any value, and may have moved the packet. */
  private leaveByTailCall(): void {
    const { p } = this;
    const before = p.snapshot();
    const { depth, frame } = p;
    if (frame.callback !== undefined) requireRange(unknownReg, frame.callback.returns, 'At callback return');
    p.popFrame();
    p.mapRegs((r) => (r.type === 'stack' && r.frame >= depth ? p.invalid() : r));
    invalidatePackets(p);
    p.setReg(0, unknownReg);
    this.push(frame.callsite + 1);
    p.restore(before);
  }

  /** Each group of outcomes is a path of its own; the first goes on at once. */
  private walkGroups(site: CallSite, groups: readonly Group[], widenLoop: WidenLoop): number | undefined {
    const { p } = this;
    if (groups.length === 0) return undefined;
    const before = groups.length > 1 ? p.snapshot() : undefined;
    for (let i = groups.length - 1; i >= 0; i--) {
      if (before !== undefined) p.restore(before);
      const group = groups[i]!;
      this.apply(site, group);
      if (givesElement(group)) widenLoop(before ?? p.snapshot(), site.regs[0]!);
      if (i > 0) this.push(site.at + 1);
    }
    return site.at + 1;
  }

  private apply(site: CallSite, group: Group): void {
    for (const effect of group[0]!.effects) applyEffect(this.p, site, effect);
    this.setReturned(returned(this.p, site, group));
  }

  /** Two ways: the callback runs once more and the path comes back to this call, or the callback is done and the path goes on. */
  private withCallback(
    site: CallSite,
    index: number,
    enabled: readonly Outcome[],
    callsBack: boolean,
  ): number {
    const { p } = this;
    const spec = (site.contract.args[index] as CallbackArgument).callback;
    const target = site.regs[index]!.frame;
    const subprog = this.code.subprogAt(target);
    if (subprog === undefined) refuse('callback is not the start of a subprogram');
    const before = p.snapshot();
    this.calledBack.callbacks.add(target);
    if (spec.async === true) this.calledBack.async.add(target);
    if (spec.async === true) this.pushAsync(site, spec.returns, callbackArgs(p, site, spec), target);
    else if (callsBack && this.mayRunAgain(site, spec.countArg)) {
      const depth = p.depth;
      p.setCallbackDepth(depth, p.frame.callbackDepth + 1);
      p.unrolled++;
      p.pushFrame(target, site.at, callbackArgs(p, site, spec), {
        call: site.at,
        returns: spec.returns,
        async: false,
      });
      this.push(target);
    }
    p.restore(before);
    p.setCallbackDepth(p.depth, 0);
    this.apply(
      site,
      enabled.filter((o) => !o.effects.some((e) => e.kind === 'callback' && e.times === 'any')),
    );
    return site.at + 1;
  }

  private mayRunAgain(site: CallSite, countArg: number | undefined): boolean {
    if (countArg === undefined) return true;
    const { umax } = site.regs[countArg]!.num;
    return BigInt(this.p.frame.callbackDepth) < umax;
  }

  /** A callback that runs later starts with a frame and a state of its own (push_async_cb). */
  private pushAsync(
    site: CallSite,
    returns: readonly [number, number],
    args: readonly Reg[],
    target: number,
  ): void {
    const { p } = this;
    const before = p.snapshot();
    p.restore({ frames: [], refs: [], rcu: 0, preempt: 0, irq: 0, mayGoto: 0 });
    const sleepable = site.contract.name !== 'bpf_timer_set_callback';
    p.pushFrame(target, site.at, args, {
      call: site.at,
      returns,
      async: true,
      ...(sleepable ? { sleepable: true } : {}),
    });
    this.push(target);
    p.restore(before);
  }

  /**
   * After a call of a global subprogram: it is verified alone, so whether it leaves by unwind_exit is not known. The call's landing pad is
   * walked in any case, with any number in r0; a call without one is refused where the subprogram has an unwind_exit.
   */
  private pushUnwound(slot: number, target: number): void {
    const { p, code } = this;
    if (padOf(code.ops, slot) !== undefined) {
      p.unwound = true;
      this.push(slot + 1);
      p.unwound = false;
    } else if (this.unwinding.has(target)) refuse(noPad(slot));
  }

  /** Calls a subprogram: a static one is walked into, a global one stands for any number (check_func_call). */
  callSubprogram(slot: number, target: number): number {
    const { p } = this;
    const subprog = this.code.subprogAt(target);
    if (subprog === undefined) refuse(`call to invalid destination, slot ${target} starts no subprogram`);
    if (subprog.linkage === 'global') {
      if (p.lockHeld !== undefined) {
        refuse('global function calls are not allowed while holding a lock, use static function instead');
      }
      // The callee may sleep only if nothing that the caller holds forbids it. A global function is verified alone and does not know of
      // that.
      if (this.globals.mightSleep(target) && (p.rcu > 0 || p.preempt > 0 || p.irq !== 0 || !p.sleepable))
        refuse('global functions that may sleep are not allowed in a non-sleepable BPF program context');
      this.globals.check(p, target);
      if (this.globals.movesPacket(target)) invalidatePackets(p);
      this.setReturned(unknownReg);
      this.pushUnwound(slot, target);
      return slot + 1;
    }
    const args = p.frame.regs.slice(1, 6);
    this.setReturned(UNINIT);
    p.pushFrame(target, slot, args);
    return target;
  }
}
