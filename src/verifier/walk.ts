/**
 * The walk over all paths of a program: one insn after the other, both ways at a branch, into subprograms and callbacks, until
 * every path has ended or is covered by one walked before. Follows do_check of kernel/bpf/verifier.c.
 *
 * A walk can also start from states in the middle of a program and replace calls by stubs: that is how the fast path is
 * examined (`smt/program-proof.ts`).
 */
import type { Op } from '../isa/insn.js';
import { slots } from '../isa/insn.js';
import type { Contract } from '../kernel/contract.js';
import type { Program } from '../object/program.js';
import { step } from '../semantics/step.js';
import { iterAt } from './args-slots.js';
import type { Branch } from './branch.js';
import { checkComparison, decide, follow } from './branch.js';
import { Calls } from './calls.js';
import type { Checkpoint, LoopKind } from './checkpoints.js';
import { Checkpoints, lastTimeRound, pathEnded } from './checkpoints.js';
import type { Code } from './code.js';
import { callsBackAtOnce, MEETS } from './code.js';
import type { VerifierDefects } from './defects.js';
import { Globals } from './globals.js';
import { checkReturn, requireNothingHeld, requireRange } from './leaks.js';
import { AbstractMachine } from './machine.js';
import { Path } from './path.js';
import { Refusal, refuse } from './refusal.js';
import { scalarReg, UNINIT, unknownReg } from './regs.js';
import type { Profile, Visit } from './result.js';
import { abstract, split } from './scalar-alu.js';
import type { Reg, State } from './state.js';
import { widen } from './widen.js';

export interface WalkOptions {
  readonly profile: Profile;
  /** Insns to walk at the most (BPF_COMPLEXITY_LIMIT_INSNS: 1,000,000). */
  readonly budget: number;
  /** Keep every visit, not only those at checkpoints. */
  readonly keepVisits: boolean;
  /** Drop what changes from one round of an open-ended loop to the next; without it such a loop is unrolled. */
  readonly widening: boolean;
  /** Forget the values of numbers that nothing depends on but such numbers: a counter that is only counted. */
  readonly forgetting?: boolean;
  /** What to do in place of the call at a slot; undefined: make the call. */
  /** False: no path ends because another covers it, unless that is what ends a loop. */
  readonly pruning?: boolean;
  readonly defects?: VerifierDefects;
  readonly stubAt?: (slot: number) => StubEffect | undefined;
}

/** A stub's work on the path. It leaves r0 and memory as the stub does; argument registers are dropped by the walk. */
export type StubEffect = (p: Path, args: readonly Reg[], contract: Contract) => Reg;

export interface Start {
  readonly slot: number;
  readonly state: State;
}

interface Pending {
  readonly slot: number;
  readonly state: State;
  readonly from: Visit | undefined;
  readonly parent: Checkpoint | undefined;
}

export class Walk {
  readonly path: Path;
  readonly visits: Visit[][] = [];
  /** The visit at which the walk was when it stopped. */
  current: Visit | undefined;
  slot = -1;
  walked = 0;
  /** Something was widened: a refusal may be for want of what was dropped. */
  widened = false;
  readonly globals: Globals;
  private readonly machine: AbstractMachine;
  private readonly calls: Calls;
  private readonly checkpoints: Checkpoints;
  private readonly work: Pending[] = [];
  private parent: Checkpoint | undefined;

  constructor(
    readonly program: Program,
    private readonly code: Code,
    private readonly options: WalkOptions,
    firstId = 0,
  ) {
    this.path = new Path(program, options.profile, { next: firstId }, options.defects);
    this.machine = new AbstractMachine(this.path);
    this.checkpoints = new Checkpoints(
      options.profile === 'strict',
      options.pruning !== false,
      options.defects,
    );
    this.globals = new Globals(program, code);
    this.calls = new Calls(this.path, code, this.globals, (slot) => {
      this.push(slot);
    });
  }

  get states(): number {
    return this.checkpoints.count;
  }

  /** Walks everything that may happen from this state. Throws `Refusal`. Returns the visit that stands for the start. */
  from(start: Start): Visit {
    const first: Visit = { slot: start.slot, state: start.state, next: [], from: undefined };
    this.work.push({ slot: start.slot, state: start.state, from: undefined, parent: undefined });
    let entry: Visit | undefined;
    while (this.work.length > 0) {
      const pending = this.work.pop()!;
      this.path.restore(pending.state);
      this.parent = pending.parent;
      this.current = pending.from;
      const visit = this.run(pending.slot);
      entry ??= visit;
      pathEnded(this.parent);
    }
    return entry ?? first;
  }

  /** Remembers that the path goes on here too, in its present state. */
  private push(slot: number): void {
    if (this.parent !== undefined) this.parent.branches++;
    this.work.push({ slot, state: this.path.snapshot(), from: this.current, parent: this.parent });
  }

  /** Follows one path to its end. Returns its first visit. */
  private run(start: number): Visit | undefined {
    let slot: number | undefined = start;
    let first: Visit | undefined;
    while (slot !== undefined) {
      this.slot = slot;
      const op: Op | undefined = this.code.ops[slot];
      if (op === undefined) refuse(`no insn at slot ${slot}`);
      this.walked++;
      if (this.walked > this.options.budget) {
        throw new Refusal(`BPF program is too large. Processed ${this.walked} insn`, 'budget', -1);
      }
      const how = this.code.meets[slot]!;
      const meets = how !== MEETS.no;
      if (meets) this.dropDead(slot);
      const state = this.options.keepVisits || meets ? this.path.snapshot() : undefined;
      let keep = false;
      if (meets) {
        const always = how === MEETS.always;
        keep = always || this.checkpoints.isTime(this.walked);
        const { covered, looping } = this.checkpoints.covering(
          slot,
          state!,
          this.loopKind(slot, op),
          keep,
          always,
        );
        // A loop that is being unrolled is not filled with states.
        if (looping && !always && this.checkpoints.isSoon(this.walked)) keep = false;
        if (covered !== undefined) {
          this.current?.next.push(covered.visit);
          return first ?? covered.visit;
        }
      }
      if (state !== undefined) {
        const visit: Visit = { slot, state, next: [], from: this.current };
        this.current?.next.push(visit);
        this.current = visit;
        first ??= visit;
        if (this.options.keepVisits) {
          const list = this.visits[slot];
          if (list === undefined) this.visits[slot] = [visit];
          else list.push(visit);
        }
        if (keep) this.parent = this.checkpoints.add(slot, state, visit, this.parent, this.walked);
      }
      if (jumps(op)) this.checkpoints.jumps++;
      slot = this.one(slot, op);
    }
    return first;
  }

  private loopKind(slot: number, op: Op): LoopKind {
    if (op.kind === 'may_goto') return 'may_goto';
    const contract = this.code.contracts[slot];
    if (contract === undefined) return undefined;
    if (contract.outcomes.some((o) => o.effects.some((e) => e.kind === 'iter_next'))) {
      return iterAt(this.path, this.path.reg(1))?.state === 'active' ? 'iterator' : 'drained';
    }
    return callsBackAtOnce(contract) ? 'callback' : undefined;
  }

  /** Forgets registers that are written before they are read again, so that states that differ only in them are the same. */
  private dropDead(slot: number): void {
    const { path, code } = this;
    const ids = new Map<number, number>();
    for (let depth = 0; depth <= path.depth; depth++) {
      const frame = path.frameAt(depth);
      const top = depth === path.depth;
      const site = top ? slot : path.frameAt(depth + 1).callsite;
      const live = top ? code.live[slot]! : code.live[site]! | (code.live[site + 1] ?? 0);
      for (let n = 0; n < 10; n++) {
        if ((live & (1 << n)) === 0) {
          if (frame.regs[n]!.type !== 'uninit') path.setRegAt(depth, n, UNINIT);
        } else if (top && this.options.forgetting && (code.needed[slot]! & (1 << n)) === 0) {
          if (frame.regs[n]!.type === 'scalar') path.setRegAt(depth, n, unknownReg);
        } else {
          const { id, type } = frame.regs[n]!;
          if (id !== 0 && type === 'scalar') ids.set(id, (ids.get(id) ?? 0) + 1);
        }
      }
      const slotsLive = top
        ? code.liveStack[slot]!
        : code.liveStack[site]! | (code.liveStack[site + 1] ?? 0n);
      frame.stack.forEach((s, i) => {
        // What must be given back stays, whoever reads it.
        if (s === undefined || s.iter !== undefined || s.irq !== undefined || s.dynptr !== undefined) return;
        if (((slotsLive >> BigInt(i)) & 1n) === 0n) path.setSlot(depth, i, undefined);
      });
      for (const s of path.frameAt(depth).stack) {
        if (s?.reg?.type === 'scalar' && s.reg.id !== 0) ids.set(s.reg.id, (ids.get(s.reg.id) ?? 0) + 1);
      }
    }
    if (![...ids.values()].includes(1)) return;
    // A link with one end only says nothing (clear_singular_ids).
    path.mapRegs((r) => (r.type === 'scalar' && r.id !== 0 && ids.get(r.id) === 1 ? { ...r, id: 0 } : r));
  }

  /** Runs one insn. Returns the slot where the path goes on; undefined when it has ended. */
  private one(slot: number, op: Op): number | undefined {
    const { machine, path } = this;
    machine.begin(op);
    if (op.kind === 'alu') this.splitBySign(slot, op);
    const next = step<Reg>(machine, op, slot);
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
        return this.calls.enter(slot, next.slot);
      case 'packet':
        return this.legacyPacketLoad(slot, next);
      case 'exit':
        return this.exit(path);
    }
  }

  /** Goes on twice where 0 or -1 selects a value (maybe_fork_scalars): now with -1, later with 0. */
  private splitBySign(slot: number, op: Extract<Op, { kind: 'alu' }>): void {
    if (op.op !== 'and' && op.op !== 'or') return;
    const reg = this.path.reg(op.dst);
    const by = 'reg' in op.src ? this.path.reg(op.src.reg) : scalarReg(abstract.constant(BigInt(op.src.imm)));
    if (reg.type !== 'scalar' || by.type !== 'scalar') return;
    const parts = split(op.op, reg.num, by.num);
    if (parts === undefined) return;
    const [minusOne, zero] = parts;
    this.path.setReg(op.dst, scalarReg(zero));
    this.push(slot);
    this.path.setReg(op.dst, scalarReg(minusOne));
  }

  private branch(slot: number, b: Branch): number | undefined {
    checkComparison(this.path, b);
    const known = decide(b);
    if (known !== undefined) {
      if (b.left.type === 'scalar' && !follow(this.path, b, known)) return undefined;
      return known ? b.slot : slot + 1;
    }
    const before = this.path.snapshot();
    if (follow(this.path, b, true)) this.push(b.slot);
    this.path.restore(before);
    return follow(this.path, b, false) ? slot + 1 : undefined;
  }

  /** Both ways; what changed since the last time round is widened on the way that stays in the loop. */
  private mayGoto(slot: number, target: number): number {
    const before = this.path.snapshot();
    const last = lastTimeRound(this.parent?.parent, slot, before);
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
      this.calls.clobber(r0);
      return slot + 1;
    }
    // Only rounds of this very iterator count: in an outer loop it is a new one each time.
    const iter = iterAt(this.path, this.path.reg(1))?.ref;
    const widenLoop = (state: State): void => {
      const last = lastTimeRound(this.parent?.parent, slot, state);
      if (last !== undefined && iterRefs(last.state).has(iter)) this.widenAgainst(last);
    };
    return this.calls.make(slot, widenLoop);
  }

  /** BPF_LD_[ABS|IND]: reads the packet, or ends the program with 0 (check_ld_abs). */
  private legacyPacketLoad(slot: number, load: { size: 1 | 2 | 4; src: number }): number {
    const { path } = this;
    const type = this.program.type;
    if (type !== 'socket_filter' && type !== 'tc')
      refuse('BPF_LD_[ABS|IND] instructions not allowed for this program type');
    requireNothingHeld(path, 'BPF_LD_[ABS|IND]');
    if (path.reg(6).type !== 'ctx') refuse('at the time of BPF_LD_ABS|IND R6 != pointer to skb');
    if (load.src >= 0 && path.reg(load.src).type === 'uninit') refuse(`R${load.src} !read_ok`);
    // Linux does not use that fewer than 8 bytes were loaded.
    this.calls.clobber(unknownReg);
    return slot + 1;
  }

  private exit(path: Path): number | undefined {
    const { frame } = path;
    if (path.depth === 0) {
      requireNothingHeld(path, 'BPF_EXIT instruction in main prog');
      this.checkOutermostReturn();
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
      return this.calls.make(frame.callsite, () => {}, false);
    }
    // Back to the call, which may call back once more, or be done.
    const state = path.snapshot();
    this.widenAgainst(lastTimeRound(this.parent, frame.callsite, state));
    return frame.callsite;
  }

  private widenAgainst(last: Checkpoint | undefined): void {
    if (last === undefined || !this.options.widening) return;
    if (widen(this.path, last.state)) this.widened = true;
  }

  private checkOutermostReturn(): void {
    const { path } = this;
    const { frame } = path;
    if (frame.callback !== undefined) {
      if (path.reg(0).type === 'uninit') refuse('R0 !read_ok');
      requireRange(path.reg(0), frame.callback.returns, 'At async callback return');
    } else if (frame.subprog !== 0) {
      const r0 = path.reg(0);
      if (r0.type === 'uninit') refuse('R0 !read_ok');
      if (r0.type !== 'scalar') refuse('At subprogram exit the register R0 is not a scalar value');
    } else checkReturn(path);
  }
}

/** Insns that count as a jump where the kernel decides whether to keep a state (jmps_processed). */
const jumps = (op: Op): boolean =>
  op.kind === 'jmp' || op.kind === 'ja' || op.kind === 'call' || op.kind === 'exit' || op.kind === 'may_goto';

/** References of the iterators that are open. */
function iterRefs(state: State): ReadonlySet<number | undefined> {
  return new Set(
    state.frames.flatMap((f) => f.stack.map((slot) => slot?.iter?.ref)).filter((ref) => ref !== undefined),
  );
}
