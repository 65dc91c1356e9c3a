/**
 * A program prepared for the walk: decoded, its jumps checked, and per slot which registers are still needed (live) and
 * whether paths meet there. Follows check_subprogs, check_cfg and compute_live_registers of kernel/bpf/verifier.c.
 */
import { decodeAll } from '../../isa/decode.js';
import type { Op } from '../../isa/insn.js';
import { slots } from '../../isa/insn.js';
import { isJump, subprogTarget } from '../../isa/target.js';
import { contractOf } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import type { Program, Subprog } from '../../object/program.js';
import { checkFastcalls } from './fastcall.js';
import { traits } from './insn-traits.js';
import { numberLoops } from './loops.js';
import { Refusal } from './refusal.js';
import { liveRegisters } from './register-liveness.js';
import { liveStack } from './stack-liveness.js';
import { successors } from './successors.js';

/**
 * A program as the walk needs it. All arrays are indexed by slot, and nothing in it changes during a walk, except what is worked out
 * when first asked for.
 */
export interface Code {
  /** Undefined at the second slot of a 64-bit immediate. */
  readonly ops: readonly (Op | undefined)[];
  /** Contract of the function called at a slot. */
  readonly contracts: readonly (Contract | undefined)[];
  /** First slot of the subprogram that is called at a slot; undefined where none is. */
  readonly callees: readonly (number | undefined)[];
  /** Bit n: register n is read on some path from this slot before it is written. */
  readonly live: Uint16Array;
  /** What kind of insn is at each slot; see `TRAIT`. */
  readonly traits: Uint8Array;
  /** Slots that may run after each one, in the same subprogram. */
  readonly next: readonly (readonly number[])[];
  /**
   * Stack slots of the running frame that are read on some path from this slot before they are written: bit n of the first for the
   * slot at fp - 8(n + 1), of the second for the one at fp - 8(n + 33). Worked out when it is asked for.
   */
  readonly liveStack: readonly [Int32Array, Int32Array];
  /** Where states are compared and kept for pruning; see `PRUNE_POINT`. */
  readonly prunePoints: Uint8Array;
  /** 1 where jumps and calls lead (jmp_point). A path may come here from other slots than the one before. */
  readonly jumpPoints: Uint8Array;
  /** Number of the loop that a slot lies on, 0 for none; see `loops.ts`. */
  readonly scc: Int32Array;
  /** First slot of the subprogram that each slot belongs to. */
  readonly subprogStart: Int32Array;
  subprogAt(start: number): Subprog | undefined;
}

/**
 * `point`: states are compared here, and kept now and then. `forced`: every state is kept, because a loop can end here
 * (force_checkpoint).
 */
export const PRUNE_POINT = { no: 0, point: 1, forced: 2 } as const;

function fail(slot: number, message: string): never {
  throw new Refusal(message, 'rejected', slot);
}

/** Whether the function runs a callback before it returns. The walk then comes back to the call (is_sync_callback_calling_insn). */
export function callsSyncCallback(c: Contract): boolean {
  return c.args.some((arg) => arg.kind === 'callback' && arg.callback.async !== true);
}

const callsBack = (c: Contract | undefined): boolean => c !== undefined && callsSyncCallback(c);

/** Decodes and checks the shape of a program. Throws `Refusal`; throws InputError for an undefined encoding. */
export function prepare(program: Program): Code {
  const { insns, subprogs } = program;
  if (insns.length === 0) fail(-1, 'empty program');
  const ops = decodeAll(insns);
  const owner = new Int32Array(insns.length);
  for (const [i, s] of subprogs.entries())
    owner.fill(s.start, s.start, subprogs[i + 1]?.start ?? insns.length);
  const contracts = ops.map((op) => (op === undefined ? undefined : contractOf(program, op)));
  checkJumps(ops, owner, subprogs);
  checkFastcalls(ops, contracts, owner);
  const starts = new Map(subprogs.map((s) => [s.start, s]));
  const reached = checkReach(ops, starts);
  for (let at = 0; at < ops.length; at++) {
    if (ops[at] !== undefined && reached[at] === 0) fail(at, `unreachable insn ${at}`);
  }
  const next = ops.map((op, at) => (op === undefined ? [] : successors(op, at)));
  const live = liveRegisters(ops, contracts, next);
  const [prunePoints, jumpPoints] = findPrunePoints(ops, contracts, starts);
  return new Prepared(program, ops, {
    contracts,
    callees: ops.map((op, at) =>
      op?.kind === 'call' && op.target === 'subprog' ? subprogTarget(op, at) : undefined,
    ),
    live,
    traits: Uint8Array.from(ops, traits),
    next,
    prunePoints,
    jumpPoints,
    scc: numberLoops(next.map((after, at) => (callsBack(contracts[at]) ? [...after, at] : after))),
    subprogStart: owner,
    starts,
  });
}

/** A class, and no literal with a getter: V8 gives each object of such a literal a type of its own, and keeps what it refers to. */
class Prepared implements Code {
  readonly contracts: Code['contracts'];
  readonly callees: Code['callees'];
  readonly live: Uint16Array;
  readonly traits: Uint8Array;
  readonly next: Code['next'];
  readonly prunePoints: Uint8Array;
  readonly jumpPoints: Uint8Array;
  readonly scc: Int32Array;
  readonly subprogStart: Int32Array;
  private readonly starts: ReadonlyMap<number, Subprog>;
  private slotsLive: Code['liveStack'] | undefined;

  constructor(
    private readonly program: Program,
    readonly ops: Code['ops'],
    made: Omit<Code, 'ops' | 'liveStack' | 'subprogAt'> & { readonly starts: ReadonlyMap<number, Subprog> },
  ) {
    this.contracts = made.contracts;
    this.callees = made.callees;
    this.live = made.live;
    this.traits = made.traits;
    this.next = made.next;
    this.prunePoints = made.prunePoints;
    this.jumpPoints = made.jumpPoints;
    this.scc = made.scc;
    this.subprogStart = made.subprogStart;
    this.starts = made.starts;
    this.slotsLive = undefined;
  }

  get liveStack(): Code['liveStack'] {
    this.slotsLive ??= liveStack(this.program, this);
    return this.slotsLive;
  }

  subprogAt(start: number): Subprog | undefined {
    return this.starts.get(start);
  }
}

function checkJumps(ops: readonly (Op | undefined)[], owner: Int32Array, subprogs: readonly Subprog[]): void {
  ops.forEach((op, at) => {
    if (op === undefined) return;
    if (isJump(op)) {
      const target = at + slots(op) + op.off;
      if (target < 0 || target >= ops.length || owner[target] !== owner[at]) {
        fail(at, `jump out of range from insn ${at} to ${target}`);
      }
      if (ops[target] === undefined) fail(at, `jump into the middle of ldimm64 insn ${target}`);
    }
    const last = at + slots(op);
    if (last === ops.length || (last < ops.length && owner[last] !== owner[at])) {
      if (op.kind !== 'exit' && op.kind !== 'unwind_exit' && op.kind !== 'ja')
        fail(at, 'last insn is not an exit or jmp');
    }
    if (op.kind === 'call' && op.target === 'subprog') {
      const target = at + 1 + op.imm;
      if (!subprogs.some((s) => s.start === target))
        fail(at, `call to invalid destination, slot ${target} starts no subprogram`);
    }
    if (op.kind === 'ld_imm64' && op.as === 'func') {
      const target = at + 1 + op.imm;
      // The main program cannot be a callback: it saves no registers for a caller, and expects its own context in r1.
      if (target === 0) fail(at, 'callback address is that of the main program');
      if (!subprogs.some((s) => s.start === target))
        fail(at, `callback address is not the start of a subprogram, slot ${target}`);
    }
  });
}

function checkReach(ops: readonly (Op | undefined)[], starts: ReadonlyMap<number, Subprog>): Uint8Array {
  const reached = new Uint8Array(ops.length);
  const work = [...starts.keys()];
  while (work.length > 0) {
    const at = work.pop()!;
    if (reached[at] === 1) continue;
    reached[at] = 1;
    const op = ops[at];
    if (op === undefined) continue;
    for (const next of successors(op, at)) if (next < ops.length) work.push(next);
  }
  return reached;
}

/** The pruning points of visit_insn: jumps and where they lead, what follows a call, where callees start, calls that loop. */
function findPrunePoints(
  ops: readonly (Op | undefined)[],
  contracts: readonly (Contract | undefined)[],
  starts: ReadonlyMap<number, Subprog>,
): readonly [prunePoints: Uint8Array, jumpPoints: Uint8Array] {
  const prunePoints = new Uint8Array(ops.length);
  const jumpPoints = new Uint8Array(ops.length);
  const mark = (at: number, how: number): void => {
    if (at < prunePoints.length && prunePoints[at]! < how) prunePoints[at] = how;
  };
  const land = (at: number): void => {
    mark(at, PRUNE_POINT.point);
    if (at < jumpPoints.length) jumpPoints[at] = 1;
  };
  ops.forEach((op, at) => {
    if (op === undefined) return;
    const after = at + slots(op);
    switch (op.kind) {
      case 'ja':
      case 'unwind_goto':
        land(after + op.off);
        break;
      case 'jmp':
        mark(at, PRUNE_POINT.point);
        land(after + op.off);
        break;
      case 'may_goto':
        mark(at, PRUNE_POINT.forced);
        land(after + op.off);
        break;
      case 'ld_imm64':
        if (op.as === 'func') {
          mark(at, PRUNE_POINT.point);
          land(after);
        }
        break;
      case 'call': {
        land(after);
        const contract = contracts[at];
        if (op.target === 'subprog') mark(at, PRUNE_POINT.point);
        if (contract === undefined) break;
        if (mayLoopAt(contract)) mark(at, PRUNE_POINT.forced);
        if (contract.args.some((arg) => arg.kind === 'callback')) mark(at, PRUNE_POINT.point);
        if (callsSyncCallback(contract)) land(at);
        break;
      }
      default:
    }
  });
  for (const at of starts.keys()) if (at !== 0) land(at);
  return [prunePoints, jumpPoints];
}

/** Whether a loop may go through a call of this function: an iterator's next function, or a function that calls back. */
function mayLoopAt(c: Contract): boolean {
  return callsSyncCallback(c) || c.outcomes.some((o) => o.effects.some((e) => e.kind === 'iter_next'));
}
