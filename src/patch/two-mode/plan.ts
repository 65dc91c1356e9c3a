/** Plans a two-mode program: which stubs can be written as insns, and which functions behave differently after the kill. */
import { decodeAll } from '../../isa/decode.js';
import type { Op } from '../../isa/insn.js';
import { subprogTarget } from '../../isa/target.js';
import type { Contract } from '../../kernel/contract.js';
import type { Program, Subprog } from '../../object/program.js';
import type { Accepted } from '../../verifier/result.js';
import type { CallSite } from '../fast-path.js';
import { type CallbackArgument, callbackArgument, callbackTargets } from './callbacks.js';
import type { Switch } from './lines.js';
import { type StubText, stubText } from './stub-text.js';
import { unwrittenWindows } from './unwritten.js';

/** In which form the two-mode program is written. */
export interface TwoModeOptions {
  /**
   * Where the kill may come. `every`: before each insn that can be reached. `needed`: only before calls that differ after the kill. A run that is
   * killed before any other insn does the same as one that is killed behind it.
   */
  readonly points: 'every' | 'needed';
  /** How the kill is written. `compare` needs a loader with CAP_PERFMON; `may_goto` takes 8 or 16 bytes of stack. */
  readonly by: Switch;
  /** Make stack that stubs leave unwritten unreadable, where it is large enough (unwritten.ts). */
  readonly hidesUnwritten?: true;
  /** Slots of calls that are kept though the rule set has a stub for them. */
  readonly keep?: ReadonlySet<number>;
  /** False: the kill does not come while a callback runs. Tells whether a refusal comes from kills in callbacks. */
  readonly killsInCallbacks?: false;
}

/** A call that is kept, because plain BPF has no words for its stub. */
export interface LeftOut {
  readonly slot: number;
  readonly function: string;
  readonly reason: string;
}

/**
 * What has to be written for a two-mode program: the stubs that can be written as insns, the calls that are left out with the reason,
 * and the functions that need a patched copy.
 */
export class Plan {
  readonly ops: readonly (Op | undefined)[];
  /** By slot, the stubs that can be written. */
  readonly stubs = new Map<number, Extract<StubText, { ok: true }>>();
  readonly leftOut: LeftOut[] = [];
  /** First slots of functions that behave differently after the kill: they, or functions that they call, have a stub. */
  readonly differing: ReadonlySet<number>;
  /** First slots of functions that are only called back later, in a context of their own (timers, work queues). */
  readonly runLater: ReadonlySet<number>;
  /** Some stub needs the map that is added (`BACKING`). */
  needsBacking = false;

  constructor(
    readonly program: Program,
    readonly verified: Accepted,
    sites: readonly CallSite[],
    readonly options: TwoModeOptions,
  ) {
    this.ops = decodeAll(program.insns);
    for (const site of sites) this.writeStub(site);
    this.differing = this.findDiffering();
    this.runLater = this.findLater();
  }

  private writeStub({ slot, contract, action }: CallSite): void {
    if (action.kind !== 'stub') return;
    const leave = (reason: string): void => {
      this.leftOut.push({ slot, function: contract.name, reason });
    };
    if (this.options.keep?.has(slot)) {
      leave('what it would fill is not the same in every killed run');
      return;
    }
    const { code, facts } = this.verified;
    const site = {
      program: this.program,
      slot,
      contract,
      stub: action.stub,
      call: this.ops[slot]!,
      visits: facts.at(slot),
      live: code.live[slot + 1] ?? 0,
    };
    const windows = this.options.hidesUnwritten ? unwrittenWindows(site, liveStackSlots(code, slot + 1)) : [];
    if (windows.length > 0) this.needsBacking = true;
    const unreadable = { windows, map: this.program.maps.length };
    const text = stubText(windows.length > 0 ? { ...site, unreadable } : site);
    if (text.ok) this.stubs.set(slot, text);
    else leave(text.reason);
  }

  contractAt(slot: number): Contract | undefined {
    return this.verified.code.contracts[slot];
  }

  /** Slots of a function with their operations. */
  *body({ start }: Subprog): Iterable<readonly [slot: number, op: Op]> {
    const { subprogStart } = this.verified.code;
    for (let slot = start; slot < this.ops.length && subprogStart[slot] === start; slot++) {
      const op = this.ops[slot];
      if (op !== undefined) yield [slot, op];
    }
  }

  /** A callback that the call at a slot makes while it runs. */
  callsBack(slot: number): CallbackArgument | undefined {
    const callback = callbackArgument(this.contractAt(slot));
    return callback?.async === true ? undefined : callback;
  }

  /** Functions that run while an insn does. */
  callees(slot: number, op: Op): readonly number[] {
    if (op.kind === 'call' && op.target === 'subprog') return [subprogTarget(op, slot)!];
    const callback = this.callsBack(slot);
    return callback === undefined ? [] : callbackTargets(this.ops, slot, callback.reg);
  }

  private findDiffering(): Set<number> {
    const { subprogs } = this.program;
    if (this.options.points === 'every') return new Set(subprogs.map(({ start }) => start));
    const found = new Set<number>();
    for (let size = -1; size < found.size; ) {
      size = found.size;
      for (const subprog of subprogs) {
        for (const [slot, op] of this.body(subprog)) {
          if (this.stubs.has(slot) || this.callees(slot, op).some((start) => found.has(start)))
            found.add(subprog.start);
        }
      }
    }
    return found;
  }

  private findLater(): Set<number> {
    const later = new Set<number>();
    const atOnce = new Set<number>();
    this.ops.forEach((_, slot) => {
      const callback = callbackArgument(this.contractAt(slot));
      if (callback === undefined) return;
      for (const start of callbackTargets(this.ops, slot, callback.reg)) {
        (callback.async ? later : atOnce).add(start);
      }
    });
    return new Set([...later].filter((start) => !atOnce.has(start)));
  }
}

/** Bit n: the slot at fp - 8(n + 1) may be read from this insn on. */
function liveStackSlots({ liveStack: [low, high] }: Accepted['code'], slot: number): bigint {
  return (BigInt((high[slot] ?? 0) >>> 0) << 32n) | BigInt((low[slot] ?? 0) >>> 0);
}
