/**
 * Calls: of helpers and kfuncs by their contracts, of subprograms by entering them. Follows check_helper_call, check_kfunc_call,
 * check_func_call and push_callback_call of kernel/bpf/verifier.c.
 *
 * Outcomes that differ only in r0 are walked together, as the kernel does: NULL or a pointer becomes a pointer that may be NULL.
 * Outcomes that differ in what they do are walked apart.
 */

import { refusedAttached } from '../../kernel/attached.js';
import { narrowedFor, refusedFor, unmodelled } from '../../kernel/catalog.js';
import type { Arg, Contract, Outcome } from '../../kernel/contract.js';
import { isGplCompatible } from '../../kernel/license.js';
import { exceptionCallbackOf, type ProgType } from '../../object/program.js';
import type { Path } from '../state/path.js';
import { UNINIT, unknownReg } from '../state/regs.js';
import type { Reg, Slot, State } from '../state/state.js';
import type { Code } from '../text/code.js';
import { refuse, TRAPPED, unsupported } from '../text/refusal.js';
import { checkArgs } from './args.js';
import type { CallSite } from './call-site.js';
import { functionName } from './call-site.js';
import { callbackArgs } from './callbacks.js';
import { applyEffect, invalidatePackets } from './effects.js';
import type { Globals } from './globals.js';
import { type Group, givesElement, groupsOf, shapeOf } from './groups.js';
import { checkResourceLeak, checkReturn, requireRange } from './leaks.js';
import { enabledIn } from './outcomes.js';
import { returned } from './returns.js';

/** Helpers for CAP_PERFMON only (bpf_base_func_proto, bpf_sk_base_func_proto). */
const FOR_PERFMON =
  /^bpf_(trace_v?printk|get_current_task(_btf)?|get_task_stack|task_pt_regs|probe_read_(user|kernel)(_str)?|get_current_comm|snprintf(_btf)?|skc_to_.*|find_vma|send_signal(_thread)?|perf_event_read(_value)?|copy_from_user(_task)?|get_branch_snapshot|sys_bpf)$/;

/** Types whose contracts are complete: a function that is not made for them cannot be called there whatever the arguments. */
const GIVEN_TO_ALL: ReadonlySet<ProgType> = new Set(['xdp', 'tc', 'socket_filter', 'tracepoint', 'syscall']);

/** Types of which some programs may sleep. What sleeps and is given to all of these is given to the others too, for their work queues. */
const SLEEPERS: readonly ProgType[] = ['syscall', 'kprobe', 'iter', 'fentry', 'lsm'];

/** The function may be named in programs of the type: whether they may sleep where they call it is another question. */
const mayName = ({ sleeps, types }: Contract, type: ProgType): boolean =>
  types.includes(type) || (sleeps === true && SLEEPERS.every((t) => types.includes(t)));

type Push = (slot: number) => void;
/** An iterator gave one more element: `iterator` points to it, `state` is that before the call. */
type WidenLoop = (state: State, iterator: Reg) => void;
/** Subprograms that functions of the kernel call back: all, and those that are called later. */
export interface CalledBack {
  readonly callbacks: Set<number>;
  readonly async: Set<number>;
}

type CallbackArgument = Extract<Arg, { kind: 'callback' }>;

export class Calls {
  /** Functions that this program may call at all. */
  private readonly allowed = new Set<Contract>();
  private readonly slotAt = (reg: Reg, index: number): Slot | undefined => this.p.slot(reg.frame, index);

  readonly calledBack: CalledBack = { callbacks: new Set(), async: new Set() };

  constructor(
    private readonly p: Path,
    private readonly code: Code,
    private readonly globals: Globals,
    private readonly push: Push,
  ) {}

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
    if (contract === undefined) return this.unknownFunction(slot);
    this.checkContext(contract);
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
      // What is thrown is what the program returns, unless the program says what to do with it; a subprogram's own value is not looked at.
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

  private unknownFunction(slot: number): never {
    const op = this.code.ops[slot];
    if (op?.kind !== 'call') return refuse(`no call at slot ${slot}`);
    const { program } = this.p;
    if (op.target === 'kfunc') {
      const name = program.kfuncs[op.imm] ?? refuse(`kfunc ${op.imm} has no name`);
      if (name === '__bpf_trap') refuse(TRAPPED);
      if (refusedFor(name, program)) refuse(`calling kernel function ${name} is not allowed`);
      return unsupported(unmodelled(name));
    }
    const why = unmodelled(op.imm);
    if (why.includes('does not exist')) refuse(`invalid func unknown#${op.imm}`);
    if (refusedFor(op.imm, program)) refuse(`program of this type cannot use helper ${op.imm}`);
    return unsupported(why);
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

  /** The callback may run, after which the path is back at this call; or not (any more), and the path goes on. */
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
    p.restore({ frames: [], refs: [], rcu: false, preempt: 0, irq: 0, mayGoto: 0 });
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

  /** Calls a subprogram: a static one is walked into, a global one stands for any number (check_func_call). */
  callSubprogram(slot: number, target: number): number {
    const { p } = this;
    const subprog = this.code.subprogAt(target);
    if (subprog === undefined) refuse(`call to invalid destination, slot ${target} starts no subprogram`);
    if (subprog.linkage === 'global') {
      if (p.lockHeld !== undefined) {
        refuse('global function calls are not allowed while holding a lock, use static function instead');
      }
      // Whoever is called may sleep only where nothing that is held forbids it; what a function of its own does not know of.
      if (this.globals.mightSleep(target) && (p.rcu || p.preempt > 0 || p.irq !== 0 || !p.sleepable))
        refuse('global functions that may sleep are not allowed in a non-sleepable BPF program context');
      this.globals.check(p, target);
      if (this.globals.movesPacket(target)) invalidatePackets(p);
      this.setReturned(unknownReg);
      return slot + 1;
    }
    const args = p.frame.regs.slice(1, 6);
    this.setReturned(UNINIT);
    p.pushFrame(target, slot, args);
    return target;
  }

  /** What the program forbids wherever the call is. */
  private checkAllowed(c: Contract): void {
    if (this.allowed.has(c)) return;
    const { p } = this;
    const helper = c.kind === 'helper';
    if (
      !mayName(c, p.program.type) ||
      refusedAttached(c.name, p.program) ||
      (p.strict && helper && FOR_PERFMON.test(c.name))
    ) {
      if (!GIVEN_TO_ALL.has(p.program.type) && narrowedFor(c, p.program.type))
        unsupported(`${functionName(c)} takes other arguments in programs of type ${p.program.type}`);
      refuse(
        helper
          ? `program of this type cannot use helper ${functionName(c)}`
          : `calling kernel function ${c.name} is not allowed`,
      );
    }
    if (c.gpl === true && !isGplCompatible(p.program.license)) {
      refuse(
        helper
          ? 'cannot call GPL-restricted function from non-GPL compatible program'
          : `cannot call kernel function from non-GPL compatible program`,
      );
    }
    this.allowed.add(c);
  }

  /** What the place of the call forbids, whatever the arguments. */
  private checkContext(c: Contract): void {
    this.checkAllowed(c);
    const { p } = this;
    const helper = c.kind === 'helper';
    if (p.lockHeld !== undefined && c.underLock !== true)
      refuse('function calls are not allowed while holding a lock');
    if (c.needsRcu === true && !p.inRcu)
      refuse(`kernel func ${c.name} requires RCU critical section protection`);
    if (c.sleeps !== true) return;
    const what = helper
      ? `sleepable helper ${functionName(c)} in`
      : `kernel func ${c.name} is sleepable within`;
    if (!p.sleepable) {
      refuse(
        helper
          ? 'helper call might sleep in a non-sleepable prog'
          : `program must be sleepable to call sleepable kfunc ${c.name}`,
      );
    }
    if (p.rcu) refuse(`${what} rcu_read_lock region`);
    if (p.preempt > 0) refuse(`${what} non-preemptible region`);
    if (p.irq !== 0) refuse(`${what} IRQ-disabled region`);
  }
}
