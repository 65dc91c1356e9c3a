/**
 * The state of one run: registers, frames, memory, ledger, maps, choices. Both tiers and all models of kernel functions work on it.
 * Nothing about a run is kept anywhere else, so copying a MachineState forks the run.
 */
import { FP, MAX_FRAMES, MOST_FRAMES, REGISTERS, STACK_SIZE } from '../../isa/insn.js';
import type { CallbackSpec } from '../../kernel/contract.js';
import type { Program } from '../../object/program.js';
import type { FastPath } from '../../patch/rule.js';
import type { Facts } from '../../verifier/result.js';
import { address, highOf, lowOf, offsetOf } from './address.js';
import type { Code } from './code.js';
import type { Choices, Environment } from './environment.js';
import { Graph } from './graph.js';
import { describeHold, Ledger } from './ledger.js';
import { Maps } from './maps.js';
import { Memory } from './memory.js';
import { newWords } from './slab.js';
import { type Check, fault, type Trap, type Violation } from './trap.js';

/** A helper that runs a callback of the program and has not returned yet. Immutable: each step makes a new one. */
export interface CallbackHelper {
  /** The slot of the helper's call. */
  readonly slot: number;
  readonly name: string;
  /** First slot of the callback. */
  readonly callback: number;
  readonly spec: CallbackSpec;
  /**
   * The next step after the callback returned `returned` (undefined: before its first call). `stop`: the program was killed while the
   * callback ran, so the helper must not call it again.
   */
  next(machine: MachineState, returned: bigint | undefined, stop: boolean): HelperStep;
}

/** What a helper does next: it calls its callback with these arguments (r1 and up), or returns `r0`. */
export type HelperStep =
  | { readonly kind: 'call'; readonly args: readonly bigint[]; readonly helper: CallbackHelper }
  | { readonly kind: 'done'; readonly r0: bigint };

/** One open frame. Immutable. */
export interface Frame {
  /** First slot of the subprogram. */
  readonly subprog: number;
  /** Slot of the call that opened it; -1 for the main program. */
  readonly callsite: number;
  /** The caller's r6 to r9 and which of its registers were written. */
  readonly saved: BigUint64Array;
  readonly savedReadable: number;
  /** Of the frame of a callback: the helper that called it. */
  readonly helper?: CallbackHelper;
  /** Of a callback that runs after the program, in the outermost frame: what is known of it. */
  readonly later?: CallbackSpec;
}

/** A timer or work queue in a map value, whose callback is set. Immutable. */
export interface Later {
  /** Address of the timer or work queue. */
  readonly at: bigint;
  /** Slot of the call that set the callback. */
  readonly slot: number;
  /** Name of the function that set it. */
  readonly name: string;
  /** First slot of the callback. */
  readonly callback: number;
  readonly spec: CallbackSpec;
  /** Started: it runs after the program. */
  readonly armed: boolean;
}

/** Where the packet lies: its region, which changes each time the packet moves, and offsets in the region. */
export interface PacketPlace {
  readonly region: number;
  readonly meta: number;
  readonly data: number;
  readonly end: number;
  /** Bytes from the start of the data to the network header: after the Ethernet header, if the program sees one. */
  readonly network: number;
}

/** What a kill reaches besides call sites. A fast path stops every helper that calls back, and no may_goto. */
export interface Sampling {
  /** may_goto no longer goes on after the kill: in all frames, or in those that were open at the kill. */
  readonly mayGoto?: 'all' | 'open';
  /** Helpers that the kill stops when their callback returns; all of them unless told. */
  readonly helpers?: ReadonlySet<string>;
}

/** The rules of a run, which stay the same until its end and in all its forks. */
export interface MachineOptions {
  /** The program was accepted by the strict profile: reading stack that was never written is a fault. */
  readonly strict?: boolean;
  readonly fastPath?: FastPath;
  /** The verifier's facts, to evaluate guards with. */
  readonly facts?: Facts;
  /** Memory that a stub leaves unwritten may be read. Linux's verifier does not check for that either. */
  readonly readsUnwritten?: true;
  /** After the kill no call may take long that a stub could have refused: that breaks `bound`. */
  readonly prompt?: true;
  /** A killed run ends at the first check that breaks by what an insn does, though Linux would go on. */
  readonly stopsAtFirst?: true;
  /** What a kill reaches besides call sites. */
  readonly sampled?: Sampling;
  /** What is broken of the program's maps, in words: asked when the run ends, if all held when it began. */
  readonly invariant?: (machine: MachineState) => string | undefined;
  /** Is told of every call site that is run after the kill, and whether a stub takes the call's place. The run does not depend on it. */
  readonly onPatchedCall?: (slot: number, stubbed: boolean) => void;
}

/** A record of a ring buffer, in the order in which records were reserved. Immutable. */
export interface RingRecord {
  /** Index of the ring buffer. */
  readonly map: number;
  /** Region of the record's bytes; 0 for one that was put there in one piece. */
  readonly region: number;
  readonly size: number;
  /** The bytes that the consumer sees: those at the time of submitting. */
  readonly sent?: Uint8Array;
}

/** How a run ended. `limit`: it was given up because it took too many steps. `stopped`: it was ended where it stood, see src/strategies. */
export type End = 'exit' | 'throw' | 'tail_call' | 'trap' | 'limit' | 'stopped';

/** Why registers r1 to r5 are no longer readable. */
export const CALLER_SAVED = 0b111110;
/** The registers that a call puts away: r6 to r9. */
export const CALLEE_SAVED = 0b1111000000;

const NO_PACKET: PacketPlace = { region: 0, meta: 0, data: 0, end: 0, network: 0 };
const NOT_FOLLOWED: ReadonlyMap<string, bigint> = new Map();
const ONE_CPU: NonNullable<Environment['cpu']> = { current: 0, count: 1 };

/** The most frames that a run may open: as many as any kernel allows. */
export function mostFrames({ subprogs }: Program): number {
  return subprogs.length > MAX_FRAMES ? MOST_FRAMES : MAX_FRAMES;
}

/** All of a run that can change. `fork` copies it, and the two go on independently; memory is shared until one of them writes. */
export class MachineState {
  readonly regs: BigUint64Array;
  readonly signed: BigInt64Array;
  readonly words: Int32Array;
  /** Bit r is set when register r was written. */
  readable = 0;
  pc = 0;
  /** Insns executed. */
  steps = 0;
  /** Steps executed before the kill; -1 while the run is not killed. */
  killedAt = -1;
  /** How many of the open frames were open when the kill came: callbacks among them are not called again. */
  interrupted = 0;
  /** Steps executed before the first insn that did something else because of the kill; -1 while there was none. */
  tookEffect = -1;
  end: End | undefined;
  frames: readonly Frame[] = [];
  memory: Memory;
  ledger: Ledger;
  maps: Maps;
  graph: Graph;
  choices: Choices;
  packet: PacketPlace = NO_PACKET;
  ctx = 0;
  /** Region of the program's functions: an address in it is a slot. */
  functions = 0;
  /** Pointers that were loaded from kernel structs, by `region:offset`. */
  followed: ReadonlyMap<string, bigint> = NOT_FOLLOWED;
  /** The CPU that the program runs on, and how many there are. */
  cpu: NonNullable<Environment['cpu']> = ONE_CPU;
  /** Times that may_goto still goes on; undefined until it is met. */
  mayGoto: bigint | undefined;
  /** The function that was called last left by unwind_exit, and the insn at pc is the unwind_goto behind its call. */
  unwound = false;
  /** Timers and work queues whose callback is set, in this order. */
  later: readonly Later[] = [];
  /** Records of ring buffers that were reserved, those discarded included. */
  records: readonly RingRecord[] = [];
  /** Checks that broke, in this order; the last one may be what stopped the run. */
  violations: readonly Violation[] = [];
  /** The maps were in order when the run began, and are looked at when it ends. */
  inOrder = false;
  /** A check broke at which the run could have been stopped: what breaks from now on follows from that. */
  wentOn = false;

  /** The state of a run that begins, or of one that goes on from where `from` is. */
  constructor(
    readonly code: Code,
    choices: Choices,
    readonly options: MachineOptions,
    from?: MachineState,
  ) {
    const { buffer, at } = newWords(REGISTERS);
    this.regs = new BigUint64Array(buffer, at, REGISTERS);
    this.signed = new BigInt64Array(buffer, at, REGISTERS);
    this.words = new Int32Array(buffer, at, 2 * REGISTERS);
    this.memory = from === undefined ? new Memory(options.strict ?? false) : from.memory.fork();
    this.ledger = from === undefined ? new Ledger() : from.ledger.fork();
    this.maps = from === undefined ? new Maps(code.program) : from.maps.fork();
    this.graph = from === undefined ? new Graph() : from.graph.fork();
    this.choices = choices;
  }

  fork(): MachineState {
    const copy = new MachineState(this.code, this.choices.fork(), this.options, this);
    copy.regs.set(this.regs);
    copy.readable = this.readable;
    copy.pc = this.pc;
    copy.steps = this.steps;
    copy.killedAt = this.killedAt;
    copy.interrupted = this.interrupted;
    copy.tookEffect = this.tookEffect;
    copy.end = this.end;
    copy.frames = this.frames;
    copy.packet = this.packet;
    copy.ctx = this.ctx;
    copy.functions = this.functions;
    copy.mayGoto = this.mayGoto;
    copy.unwound = this.unwound;
    copy.followed = this.followed;
    copy.records = this.records;
    copy.later = this.later;
    copy.cpu = this.cpu;
    copy.violations = this.violations;
    copy.wentOn = this.wentOn;
    copy.inOrder = this.inOrder;
    return copy;
  }

  /** The main program's frame is open, on a stack that nobody has written to; r1 is the context. */
  begin(): void {
    this.outermost(0);
    this.write(1, address(this.ctx, 0));
  }

  /** All frames are closed, and this function's is the only one; its r1 is still to be written. */
  unwind(subprog: number): void {
    for (let depth = 0; depth <= this.depth; depth++) this.memory.closeStack(this.stackOf(depth));
    this.clobber((1 << FP) - 1);
    // No callback that was open at a kill is left.
    this.interrupted = 0;
    this.outermost(subprog);
    this.pc = subprog;
  }

  /** The program has ended: a callback that it set goes on after it, in a frame of its own. Its r1 to r5 are still to be written. */
  beginLater({ callback, slot, spec }: Later): void {
    this.unwind(callback);
    this.frames = [{ ...this.frame, callsite: slot, later: spec }];
    // It is an invocation of its own.
    this.mayGoto = undefined;
  }

  private outermost(subprog: number): void {
    this.memory.openStack(this.stackOf(0), STACK_SIZE);
    this.frames = [{ subprog, callsite: -1, saved: new BigUint64Array(4), savedReadable: 0 }];
    this.write(FP, address(this.stackOf(0), STACK_SIZE));
  }

  /** Reads a register (unsigned); it must have been written. */
  read(reg: number): bigint {
    if ((this.readable & (1 << reg)) === 0) throw unwritten(reg);
    return this.regs[reg]!;
  }

  write(reg: number, value: bigint): void {
    this.regs[reg] = value;
    this.readable |= 1 << reg;
  }

  /** Makes registers unreadable. Their values are cleared, so that no run can depend on them. */
  clobber(mask: number): void {
    this.readable &= ~mask;
    for (let reg = 0; reg < FP; reg++) if ((mask & (1 << reg)) !== 0) this.regs[reg] = 0n;
  }

  /** Depth of the running frame, from 0. */
  get depth(): number {
    return this.frames.length - 1;
  }

  get frame(): Frame {
    return this.frames[this.frames.length - 1]!;
  }

  /** Region of the stack of the frame at this depth. */
  stackOf(depth: number): number {
    return 1 + depth;
  }

  /** Region that stands for a map itself. */
  mapHandle(index: number): number {
    return this.functions + 1 + index;
  }

  /** Opens a frame: r6 to r9 are put away and unreadable, r10 is the new frame's. The caller has set r1 to r5. */
  push(subprog: number, callsite: number, helper?: CallbackHelper): void {
    const most = mostFrames(this.code.program);
    if (this.frames.length === most) throw fault(`more than ${most} frames`);
    const frame = { subprog, callsite, saved: this.regs.slice(6, 10), savedReadable: this.readable };
    this.frames = [...this.frames, helper === undefined ? frame : { ...frame, helper }];
    this.memory.openStack(this.stackOf(this.depth), STACK_SIZE);
    this.clobber(CALLEE_SAVED | 1);
    this.write(FP, address(this.stackOf(this.depth), STACK_SIZE));
    this.pc = subprog;
  }

  /** Closes the frame: r6 to r9 come back, r1 to r5 are gone, r0 stays; goes on after the call. */
  pop(): Frame {
    const frame = this.frame;
    this.memory.closeStack(this.stackOf(this.depth));
    this.frames = this.frames.slice(0, -1);
    if (this.interrupted > this.frames.length) this.interrupted = this.frames.length;
    this.regs.set(frame.saved, 6);
    this.readable = (frame.savedReadable & (CALLEE_SAVED | (1 << FP))) | (this.readable & 1);
    this.clobber(CALLER_SAVED);
    this.write(FP, address(this.stackOf(this.depth), STACK_SIZE));
    this.pc = frame.callsite + 1;
    return frame;
  }

  get killed(): boolean {
    return this.killedAt >= 0;
  }

  /** The insn at hand does something else than it would do in a run that is not killed. */
  takesEffect(): void {
    if (this.tookEffect < 0) this.tookEffect = this.steps;
  }

  /** Notes a broken check; the run goes on. */
  report(check: Check, message: string, function_?: string, slot = this.pc): void {
    const violation: Violation = {
      ...{ check, message, slot, step: this.steps },
      ...(function_ === undefined ? {} : { function: function_ }),
      ...(this.wentOn ? { after: true } : {}),
    };
    this.violations = [...this.violations, violation];
  }

  /**
   * A call has broken a check in a way at which Linux does not stop: it gives back what is not held, or passes on bytes that nobody wrote. A killed
   * run notes it and goes on; the caller then does what the function does in that case. Any other run traps: a verified program does no such thing.
   */
  goOnBehind(trap: Trap): void {
    if (!this.killed || this.options.stopsAtFirst) throw trap;
    this.reportTrap(trap);
    this.wentOn = true;
  }

  /** Notes the check that a trap has broken at the insn that runs. */
  reportTrap({ check, message, function_ }: Trap): void {
    this.report(check, message, function_ ?? this.code.contracts[this.pc]?.name);
  }

  /** The run ends; what is still held is leaked. */
  finish(end: End): void {
    this.end = end;
    if (end === 'trap' || end === 'limit') return;
    for (const hold of this.ledger.holds) {
      this.report('leak', `${describeHold(hold)} is not given back`, hold.by);
    }
    const broken = this.inOrder ? this.options.invariant?.(this) : undefined;
    if (broken !== undefined) this.report('invariant', broken);
  }

  /** `size` bytes at an address, to be read; a view that must not be kept. Traps as Memory.forRead. */
  bytesAt(at: bigint, size: number): Uint8Array {
    const region = this.memory.forRead(highOf(at), lowOf(at), 0, size);
    const offset = offsetOf(at);
    return region.bytes.subarray(offset, offset + size);
  }

  /** Writes bytes at an address. Traps as Memory.forWrite. */
  writeBytes(at: bigint, bytes: Uint8Array): void {
    const region = this.memory.forWrite(highOf(at), lowOf(at), 0, bytes.length);
    region.bytes.set(bytes, offsetOf(at));
  }
}

/** The fault of reading a register that nothing has written yet. */
export function unwritten(reg: number): Trap {
  return fault(`read of r${reg}, which was not written`);
}
