/**
 * Reads the verifier's level-2 log: what Linux 6.18 knows before each insn on each path.
 *
 * After an insn the log shows only what the insn read or wrote; all of a frame is shown where a path is taken up again (`from X to Y`) and
 * where frames open and close. Values that are not shown may have changed (a copy of a pointer that was checked for NULL or released), so
 * they are forgotten here. What a point says is therefore always something that the kernel knew. Frames that wait for a callee are not
 * described. Locks, RCU and preemption sections are counted along each path, for the log does not show them.
 */
import { decodeAll } from '../../isa/decode.js';
import type { Op } from '../../isa/insn.js';
import { isJump } from '../../isa/target.js';
import { contractOf } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import type { Program } from '../../object/program.js';
import { forgetAfter } from './forget.js';
import { heldAfterCall, heldAsPrinted, kindsTaken, type LogHold, type Origins } from './held.js';
import { type LogSlot, type LogState, parseState } from './state.js';
import type { LogValue } from './value.js';

/** What the log tells of one path right before an insn. */
export interface LogPoint {
  readonly slot: number;
  /** Slot of the insn that led here; -1 where a walk starts. */
  readonly from: number;
  /** Depth of the frame that runs, 0 for the outermost. */
  readonly frame: number;
  /** Slots of the calls that opened the frames above the outermost, outermost first. */
  readonly callsites: readonly number[];
  /** Everything that the frame knows was printed: a register that is not here was never written. */
  readonly complete: boolean;
  readonly regs: ReadonlyMap<number, LogValue>;
  /** By offset from the frame pointer. */
  readonly slots: ReadonlyMap<number, LogSlot>;
  readonly held: readonly LogHold[];
  readonly rcu: number;
  readonly preempt: number;
  /** Runs later, in a context of its own (a timer's callback). */
  readonly async: boolean;
}

/** What is known at the end of a log, beside the points that were seen on the way. */
export interface WalkSummary {
  /** Insns that the kernel walked, as far as the log goes. */
  readonly insns: number;
  /** Words and lines that were not understood; at most the first hundred are kept. */
  readonly unparsed: readonly string[];
  readonly unparsedCount: number;
  /** By slot, the registers that Linux holds to be live before the insn: bit n for register n. */
  readonly live: ReadonlyMap<number, number>;
  /** Call that acquired each reference, by its id. */
  readonly origins: ReadonlyMap<number, Pick<LogHold, 'kind' | 'at'>>;
}

const INSN = /^(\d+): \([0-9a-f]{2}\) /;
const OWN_LINE = /^(\d+):( .*)?$/;
const FROM = /^from (\d+) to (\d+)( \(speculative execution\))?:(.*)$/;
const LIVE = /^ *(?:\d+ +)?(\d+): ([.0-9]{10}) \(/;
/** Lines that tell nothing of a state: source lines, precision, live stack, loops, statistics, the result. */
const NOISE =
  /^(;|mark_precise|force_precise|arg#\d+ |\(\d|SCC |(?:frame \d+: )?propagating|func#\d+ @|Live regs before|processed \d|verification time|stack depth|Func#\d+ |Validating |frame\d+ bpf_loop iteration limit|\s*$)/;
const UNPARSED_KEPT = 100;

type Known = Omit<LogPoint, 'slot' | 'from'>;

/** An insn at which Linux may have pushed a path to walk later: an ordinary one, and a speculative one. */
interface Pending {
  readonly slot: number;
  readonly known: Known;
  takenUp: boolean;
  speculatedOn: boolean;
}

const START: Known = {
  frame: 0,
  callsites: [],
  complete: false,
  regs: new Map(),
  slots: new Map(),
  held: [],
  rcu: 0,
  preempt: 0,
  async: false,
};

/** Reads the log of `program`, and tells `visit` of every insn that was come to. Never throws for a log that is cut or strange. */
export function readWalk(log: string, program: Program, visit: (point: LogPoint) => void): WalkSummary {
  const walk = new LogWalk(program, visit);
  let start = 0;
  while (start < log.length) {
    let end = log.indexOf('\n', start);
    if (end < 0) end = log.length;
    walk.line(log.slice(start, end));
    start = end + 1;
  }
  return walk;
}

class LogWalk implements WalkSummary {
  insns = 0;
  readonly unparsed: string[] = [];
  unparsedCount = 0;
  readonly live = new Map<number, number>();
  readonly origins: Origins = new Map();

  private readonly ops: readonly (Op | undefined)[];
  private readonly contracts = new Map<number, Contract | undefined>();
  private now: Known = START;
  /** The insn that was walked last, and what it took, until the state after it has been read. */
  private at = -1;
  private taken: readonly LogHold['kind'][] = [];
  /** What was known before insns that may have left a path to be taken up later, latest last. */
  private pending: Pending[] = [];
  /** The frame whose state comes on the next line. */
  private next: 'callee' | 'left' | 'caller' | 'ignored' | undefined;
  private returned = false;
  /** The path is speculative (loaders without CAP_PERFMON), so it is not reported. */
  private speculative = false;

  constructor(
    private readonly program: Program,
    private readonly visit: (point: LogPoint) => void,
  ) {
    this.ops = decodeAll(program.insns);
  }

  line(text: string): void {
    if (this.next !== undefined) {
      this.framed(text);
      return;
    }
    const insn = INSN.exec(text);
    if (insn !== null) {
      this.insn(Number(insn[1]), text);
      return;
    }
    if (text.startsWith('from ')) {
      const from = FROM.exec(text);
      if (from === null) this.strange(text);
      else this.from(Number(from[1]), Number(from[2]), from[4]!, from[3] !== undefined);
      return;
    }
    if (text === 'caller:') this.next = 'ignored';
    else if (text === 'callee:') this.next = 'callee';
    else if (text === 'returning from callee:') this.next = 'left';
    else if (text.startsWith('to caller at ')) this.next = 'caller';
    else if (text.startsWith('Validating ')) this.restart();
    else if (!NOISE.test(text)) this.other(text);
  }

  private other(text: string): void {
    const live = LIVE.exec(text);
    if (live !== null) {
      let mask = 0;
      for (const c of live[2]!) if (c !== '.') mask |= 1 << Number(c);
      this.live.set(Number(live[1]), mask);
      return;
    }
    const own = OWN_LINE.exec(text);
    if (own === null) {
      // What goes wrong on a path that is only speculated on ends that path and no more; the complaint is printed all the same.
      if (!this.speculative) this.strange(text);
    } else if (own[2] !== ' safe') this.shown(parseState(own[2] ?? ''), false);
  }

  private strange(text: string): void {
    this.unparsedCount++;
    if (this.unparsed.length < UNPARSED_KEPT) this.unparsed.push(text);
  }

  private restart(): void {
    this.now = START;
    this.pending = [];
    this.at = -1;
    this.taken = [];
    this.returned = false;
    this.speculative = false;
  }

  private contractAt(slot: number): Contract | undefined {
    if (!this.contracts.has(slot)) {
      const op = this.ops[slot];
      this.contracts.set(slot, op === undefined ? undefined : contractOf(this.program, op));
    }
    return this.contracts.get(slot);
  }

  private insn(slot: number, text: string): void {
    this.insns++;
    this.returned = false;
    this.settle();
    if (!this.speculative) this.visit({ slot, from: this.at, ...this.now });
    const op = this.ops[slot];
    if (op === undefined) {
      this.strange(text);
      return;
    }
    if (mayFork(op)) this.pending.push({ slot, known: this.now, takenUp: false, speculatedOn: false });
    this.at = slot;
    const contract = this.contractAt(slot);
    const outcomes = contract === undefined ? [] : [contract.outcomes.at(-1)!];
    this.now = forgetAfter(op, this.now);
    if (contract !== undefined) this.call(contract);
    this.taken = kindsTaken(outcomes);
    const comment = text.indexOf(';');
    if (comment >= 0) this.shown(parseState(text.slice(comment + 1)), false);
  }

  /** The log shows a state after every insn that takes something; a lock that it does not show is taken all the same. */
  private settle(): void {
    const locks = this.taken.filter((kind) => kind !== 'irq');
    this.taken = [];
    if (locks.length === 0) return;
    const held = [...this.now.held, ...locks.map((kind) => ({ id: 0, kind, at: this.at }))];
    this.now = { ...this.now, held };
  }

  private call({ outcomes }: Contract): void {
    let { rcu, preempt } = this.now;
    for (const effect of outcomes.at(-1)!.effects) {
      if (effect.kind !== 'enter' && effect.kind !== 'leave') continue;
      const enters = effect.kind === 'enter';
      if (effect.section === 'rcu') rcu += enters ? 1 : -1;
      else preempt += enters ? 1 : -1;
    }
    const held = heldAfterCall(this.now.held, outcomes.slice(-1));
    this.now = { ...this.now, rcu, preempt, held };
  }

  /** A printed state of the frame that runs; `whole`: nothing else is known in it. */
  private shown(state: LogState, whole: boolean): void {
    if (!this.speculative) for (const word of state.unparsed) this.strange(word);
    for (const { ref } of state.regs.values()) this.note(ref);
    for (const { reg, iter, dynptr } of state.slots.values())
      this.note(reg?.ref ?? iter?.ref ?? dynptr?.ref ?? 0);
    const held = heldAsPrinted(this.now.held, state.refs, this.at, this.taken, this.origins);
    this.taken = [];
    if (whole) {
      const { regs, slots } = state;
      this.now = { ...this.now, held, regs, slots, complete: true };
      return;
    }
    const regs = new Map(this.now.regs);
    for (const [n, value] of state.regs) regs.set(n, value);
    const slots = new Map(this.now.slots);
    for (const [off, slot] of state.slots) slots.set(off, slot);
    this.now = { ...this.now, held, regs, slots };
  }

  /** A reference that is not listed, because a lock hides it, first shows in the register or slot that it came in. */
  private note(ref: number): void {
    if (ref !== 0 && !this.origins.has(ref)) this.origins.set(ref, { kind: 'pointer', at: this.at });
  }

  private from(slot: number, to: number, text: string, speculative: boolean): void {
    this.settle();
    const safe = text === ' safe';
    const state = parseState(safe ? '' : text);
    if (this.returned) {
      // The same path, back from a callee.
      this.returned = false;
      if (!safe) this.shown(state, true);
      return;
    }
    this.at = slot;
    this.speculative = speculative;
    const base = this.takeUp(slot, safe ? undefined : state);
    const later = this.contractAt(slot)?.args.some((arg) => arg.kind === 'callback' && arg.callback.async);
    if (later === true && to !== slot + 1) this.now = { ...START, async: true, callsites: [] };
    else if (state.frame > base.frame) {
      const callsites = [...base.callsites, slot];
      this.now = { ...base, frame: state.frame, callsites };
    } else this.now = base;
    if (!safe) this.shown(state, true);
  }

  /**
   * What was known at the insn where a path was left to be taken up: the latest that fits what is printed. Linux takes them up last in,
   * first out, but not every insn that may fork does.
   */
  private takeUp(slot: number, state: LogState | undefined): Known {
    for (let i = this.pending.length - 1; i >= 0; i--) {
      const pending = this.pending[i]!;
      const { known } = pending;
      if (pending.slot !== slot || (this.speculative ? pending.speculatedOn : pending.takenUp)) continue;
      if (state !== undefined && !fits(state, known, this.kept(slot, known))) continue;
      if (this.speculative) pending.speculatedOn = true;
      else pending.takenUp = true;
      this.pending.length = i + 1;
      return known;
    }
    return this.now;
  }

  /**
   * Registers of the frame that a jump leaves as they were, or tells more of: none after another insn. Where the jump guesses wrong, what
   * it compares is unknown (sanitize_speculative_path).
   */
  private kept(slot: number, { regs }: Known): ReadonlyMap<number, LogValue> {
    const op = this.ops[slot];
    if (op?.kind !== 'jmp') return new Map();
    if (!this.speculative) return regs;
    const compared = [op.dst, 'reg' in op.src ? op.src.reg : op.dst];
    return new Map([...regs].filter(([n]) => !compared.includes(n)));
  }

  /** A state after `caller:`, `callee:`, `returning from callee:` and `to caller at N:`. */
  private framed(text: string): void {
    const { next } = this;
    this.next = undefined;
    const state = parseState(text);
    if (next === 'callee') {
      const { callsites, frame } = this.now;
      this.now = { ...this.now, frame: frame + 1, callsites: [...callsites, this.at] };
      this.shown(state, true);
    } else if (next === 'caller') {
      const { callsites, frame } = this.now;
      this.now = { ...this.now, frame: Math.max(0, frame - 1), callsites: callsites.slice(0, -1) };
      this.shown(state, true);
      this.returned = true;
    }
  }
}

/** `kept`: registers of which nothing but more may be known in the state. */
function fits(state: LogState, known: Known, kept: ReadonlyMap<number, LogValue>): boolean {
  if (state.callback === 'async' && !known.async) return true;
  if (state.frame !== known.frame && state.frame !== known.frame + 1) return false;
  for (const [n, value] of kept) if (!mayBecome(value, state.regs.get(n))) return false;
  if (known.held[0]?.id === 0) return true;
  const before = known.held.filter((hold) => hold.id !== 0).map((hold) => hold.id);
  return before.every((id, i) => state.refs[i] === id) || state.refs.every((id) => before.includes(id));
}

/** A number stays a number, a constant the same one, and linked to what it is linked to as long as it is linked at all. */
function mayBecome(before: LogValue, after: LogValue | undefined): boolean {
  if (after === undefined || before.type !== 'scalar') return true;
  if (after.type !== 'scalar') return false;
  if (before.num.mask === 0n) return after.num.mask === 0n && after.num.value === before.num.value;
  return before.id === 0 || after.id === 0 || before.id === after.id;
}

/** Linux may leave a path to be taken up later here: at branches, calls that call back or may fail, selections by sign. */
function mayFork(op: Op): boolean {
  if (op.kind === 'alu') return op.op === 'and' || op.op === 'or';
  return (isJump(op) && op.kind !== 'ja') || op.kind === 'call';
}
