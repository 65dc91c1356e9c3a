/**
 * The two-mode program of a program and a rule set, in plain BPF: whoever verifies it has verified every patched path from every
 * termination point.
 *
 * Each function is there up to four times. `plain` is its text as it was. `patched` is its text with stubs in place of calls.
 * `killed` is both, one behind the other: in front of an insn of the first stands a jump that a verifier takes both ways, to the same
 * insn of the second; and its exits lead to the exits of the second, so that whoever comes back from it was killed in it. `killable`
 * is the same with exits of its own. The program is the `killable` text of its main function.
 *
 * A call in text that runs until the kill is made in two ways: of the plain function, after which that text goes on; or of the killed one,
 * after which the patched text goes on. The choice is made before the call, by a jump that is taken both ways; so nothing need be remembered
 * while it runs. A function that calls back is given the plain callback, or the killable one, after which the patched text goes on. The
 * callback may then be called again after it was killed, which does not happen: this allows more runs than there are.
 */
import { decodeAll } from '../../isa/decode.js';
import type { Op } from '../../isa/insn.js';
import { slots } from '../../isa/insn.js';
import { type Item, type Linked, link, type Reference } from '../../isa/label.js';
import { withinReach } from '../../isa/reach.js';
import { jumpTarget, subprogTarget } from '../../isa/target.js';
import type { Program, Subprog } from '../../object/program.js';
import type { Accepted } from '../../verifier/result.js';
import type { CallSite } from '../fast-path.js';
import { withStaticFunction } from './btf.js';
import { type CallbackArgument, callbackArgument, callbackTargets } from './callbacks.js';
import { goTo, type Line, type Origin, type Switch, switchTo, Text } from './lines.js';
import { type StubText, stubText } from './stub-text.js';
import { BACKING, unwrittenWindows } from './unwritten.js';

/** Seeded defects, for tests. */
export interface TwoModeDefects {
  /** Calls that have a stub are left in the patched text. */
  readonly forgetsStubs?: true;
  /** r1 to r5 keep their values over a stub. */
  readonly keepsRegisters?: true;
  /** A stub leaves output memory alone. */
  readonly fillsNothing?: true;
  /** No kill before any of the calls. */
  readonly neverSwitches?: true;
  /** Functions are not killed while they run. */
  readonly calleesLive?: true;
  /** Patched text calls functions as they were. */
  readonly calleesPlain?: true;
  /** Helpers that run on after the kill call back what they were given before it. */
  readonly callbacksPlain?: true;
  /** Callbacks are not killed while they run. */
  readonly callbacksLive?: true;
  /** After the kill, an exit that was not patched: the function returns at once. */
  readonly patchedReturns?: true;
}

export interface TwoModeOptions {
  /**
   * Where the kill may come. `every`: before each insn that can be reached. `needed`: only before calls that differ after the kill; before
   * any other insn, a killed run does what a run does that is killed behind it.
   */
  readonly points: 'every' | 'needed';
  /** How the kill is written. `compare` needs a loader with CAP_PERFMON; `may_goto` takes 8 or 16 bytes of stack. */
  readonly by: Switch;
  /** Make stack that stubs leave unwritten unreadable, where it is large enough (unwritten.ts). */
  readonly hidesUnwritten?: true;
  /** Slots of calls that are kept though the rule set has a stub for them. */
  readonly keep?: ReadonlySet<number>;
  readonly defects?: TwoModeDefects;
}

/** A call that is kept, because plain BPF has no words for its stub. */
export interface LeftOut {
  readonly slot: number;
  readonly function: string;
  readonly reason: string;
}

export interface TwoMode {
  readonly program: Program;
  /** By slot of the two-mode program. */
  readonly origins: readonly Origin[];
  /** Calls that a stub stands for. */
  readonly stubbed: number;
  readonly leftOut: readonly LeftOut[];
}

type Variant = 'plain' | 'patched' | 'killed' | 'killable';

const UNREADABLE = 'unreadable';

/**
 * Builds it. `verified` is an accepted verification of `program`, and `sites` its call sites under the rule set. Throws InputError where insns do
 * not encode.
 */
export function twoMode(
  program: Program,
  verified: Accepted,
  sites: readonly CallSite[],
  options: TwoModeOptions,
): TwoMode {
  return new Builder(program, verified, sites, options).build();
}

class Builder {
  private readonly ops: readonly (Op | undefined)[];
  private readonly stubs = new Map<number, Extract<StubText, { ok: true }>>();
  private readonly leftOut: LeftOut[] = [];
  /** First slots of functions that do something else after the kill. */
  private readonly differing: ReadonlySet<number>;
  /** First slots of functions that are called back only later. */
  private readonly runLater: ReadonlySet<number>;
  /** Some stub needs the map that is added. */
  private backed = false;
  /** By label, functions that may be called for. */
  private readonly named = new Map<string, { readonly variant: Variant; readonly subprog: Subprog }>();

  constructor(
    private readonly program: Program,
    private readonly verified: Accepted,
    sites: readonly CallSite[],
    private readonly options: TwoModeOptions,
  ) {
    this.ops = decodeAll(program.insns);
    for (const site of sites) this.writeStub(site);
    this.differing = this.findDiffering();
    this.runLater = this.findLater();
  }

  build(): TwoMode {
    const lines: Line[] = [];
    const starts: { readonly label: string; readonly subprog: Subprog }[] = [];
    const wanted = [this.ref('killable', 0)];
    const seen = new Set(wanted);
    let program = this.backed ? { ...this.program, maps: [...this.program.maps, BACKING] } : this.program;
    // Text that is written names functions that are still to be written.
    for (let label = wanted.shift(); label !== undefined; label = wanted.shift()) {
      const named = this.named.get(label);
      let text: Text;
      if (named === undefined) {
        const made = withStaticFunction(program, UNREADABLE);
        program = made.program;
        starts.push({ label, subprog: made.subprog });
        text = new Text();
        text.label(UNREADABLE);
        text.add('stub', -1, { kind: 'exit' });
      } else {
        const { variant, subprog } = named;
        starts.push({ label, subprog: { ...subprog, name: nameOf(variant, subprog) } });
        text = this.function(variant, subprog);
      }
      const reached = text.reachable();
      for (const line of reached) {
        const { item } = line;
        lines.push(line);
        if (item.kind !== 'linked' || !isReference(item.op) || seen.has(item.target)) continue;
        seen.add(item.target);
        wanted.push(item.target);
      }
    }
    return { ...linked(program, lines, starts), stubbed: this.stubs.size, leftOut: this.leftOut };
  }

  private get defects(): TwoModeDefects {
    return this.options.defects ?? {};
  }

  private writeStub({ slot, contract, action }: CallSite): void {
    if (action.kind !== 'stub' || this.defects.forgetsStubs) return;
    const leave = (reason: string): void => {
      this.leftOut.push({ slot, function: contract.name, reason });
    };
    if (this.options.keep?.has(slot)) {
      leave('what it would fill is not the same in every killed run');
      return;
    }
    const { keepsRegisters, fillsNothing } = this.defects;
    const { code, facts } = this.verified;
    const site = {
      program: this.program,
      slot,
      contract,
      stub: fillsNothing ? { ...action.stub, writes: [] } : action.stub,
      call: this.ops[slot]!,
      visits: facts.at(slot),
      live: keepsRegisters ? 0 : (code.live[slot + 1] ?? 0),
    };
    const windows = this.options.hidesUnwritten ? unwrittenWindows(site, slotsLive(code, slot + 1)) : [];
    if (windows.length > 0) this.backed = true;
    const unreadable = { windows, map: this.program.maps.length };
    const text = stubText(windows.length > 0 ? { ...site, unreadable } : site);
    if (text.ok) this.stubs.set(slot, text);
    else leave(text.reason);
  }

  private contractAt(slot: number) {
    return this.verified.code.contracts[slot];
  }

  /** Slots of a function with their operations. */
  private *body({ start }: Subprog): Iterable<readonly [slot: number, op: Op]> {
    const { owner } = this.verified.code;
    for (let slot = start; slot < this.ops.length && owner[slot] === start; slot++) {
      const op = this.ops[slot];
      if (op !== undefined) yield [slot, op];
    }
  }

  /** A callback that the call at a slot makes while it runs. */
  private callsBack(slot: number): CallbackArgument | undefined {
    const callback = callbackArgument(this.contractAt(slot));
    return callback?.async === true ? undefined : callback;
  }

  /** Functions that run while an insn does. */
  private callees(slot: number, op: Op): readonly number[] {
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

  /** The label of a function. One that does the same in all its variants is written once. */
  private ref(variant: Variant, start: number): string {
    const which = this.differing.has(start) ? variant : 'plain';
    const label = startLabel(which, start);
    this.named.set(label, { variant: which, subprog: this.verified.code.subprogAt(start)! });
    return label;
  }

  private function(variant: Variant, subprog: Subprog): Text {
    const text = new Text();
    const scope = startLabel(variant, subprog.start);
    text.label(scope);
    if (variant !== 'patched') this.normal(text, scope, variant, subprog);
    if (variant !== 'plain') {
      this.patched(text, scope, subprog);
      // Reachable only from a stub that was written for less than can happen.
      text.label(`${scope} guard`);
      text.add('guard', -1, { kind: 'ldx', size: 1, signed: false, dst: 0, src: 10, off: 0 });
      text.add('guard', -1, { kind: 'exit' });
    }
    return text;
  }

  /** The text until the kill. */
  private normal(text: Text, scope: string, variant: Variant, subprog: Subprog): void {
    const kills = variant === 'killed' || variant === 'killable';
    const killedCalls: [slot: number, op: Op][] = [];
    const { points, by } = this.options;
    for (const [slot, op] of this.body(subprog)) {
      text.label(`${scope} normal ${slot}`);
      const callees = this.callees(slot, op).filter((start) => this.differing.has(start));
      const differs = this.stubs.has(slot) || (this.callsBack(slot) !== undefined && callees.length > 0);
      const reached = this.verified.facts.at(slot).length > 0;
      if (kills && reached && (points === 'every' || differs) && !this.defects.neverSwitches) {
        text.add('switch', slot, switchTo(`${scope} patched ${slot}`, by));
      }
      if (kills && reached && callees.length > 0 && !this.calleesLive(op)) {
        text.add('switch', slot, switchTo(`${scope} killed in ${slot}`, by));
        killedCalls.push([slot, op]);
      }
      if (op.kind === 'exit' && variant === 'killed') {
        text.add('normal', slot, goTo(`${scope} patched ${slot}`));
      } else {
        const later = callbackArgument(this.contractAt(slot));
        if (later?.async === true) this.giveCallback(text, scope, slot, later.reg, 'killable', 'normal');
        text.add('normal', slot, this.placed(op, slot, 'plain', `${scope} normal`));
      }
    }
    for (const [slot, op] of killedCalls) this.killedCall(text, scope, slot, op);
  }

  private calleesLive(op: Op): boolean {
    const sub = op.kind === 'call' && op.target === 'subprog';
    return (sub ? this.defects.calleesLive : this.defects.callbacksLive) === true;
  }

  /** A call that is made before the kill and ended after it. */
  private killedCall(text: Text, scope: string, slot: number, op: Op): void {
    text.label(`${scope} killed in ${slot}`);
    const callback = this.callsBack(slot);
    if (callback !== undefined) this.giveCallback(text, scope, slot, callback.reg, 'killable', 'normal');
    text.add('normal', slot, this.placed(op, slot, 'killed', scope));
    text.add('patched', slot, goTo(`${scope} patched ${slot + slots(op)}`));
  }

  /** The text after the kill. */
  private patched(text: Text, scope: string, subprog: Subprog): void {
    const callees: Variant = this.defects.calleesPlain ? 'plain' : 'patched';
    for (const [slot, op] of this.body(subprog)) {
      text.label(`${scope} patched ${slot}`);
      const stub = this.stubs.get(slot);
      if (stub !== undefined) {
        stub.write(text, {
          prefix: `${scope} stub ${slot}`,
          guard: `${scope} guard`,
          unreadable: UNREADABLE,
        });
        if (this.defects.patchedReturns) text.add('patched', slot, { kind: 'exit' });
        continue;
      }
      const callback = callbackArgument(this.contractAt(slot));
      if (callback !== undefined && !this.defects.callbacksPlain) {
        const variant = callback.async ? 'killable' : 'patched';
        this.giveCallback(text, `${scope} patched`, slot, callback.reg, variant, 'patched');
      }
      text.add('patched', slot, this.placed(op, slot, callees, `${scope} patched`));
    }
  }

  /** An operation in its new place: jumps stay in the text `scope`, calls and function pointers lead to functions of that variant. */
  private placed(op: Op, slot: number, variant: Variant, scope: string): Op | Linked {
    const jump = jumpTarget(op, slot);
    if (jump !== undefined) return { kind: 'linked', op: op as Reference, target: `${scope} ${jump}` };
    const start = subprogTarget(op, slot);
    if (start === undefined) return op;
    // Which callback a helper is given is settled where it is called. One that is named must be walked, or Linux loses its way.
    const pointer = this.runLater.has(start) ? 'killable' : 'plain';
    const which = op.kind === 'ld_imm64' ? pointer : variant;
    return { kind: 'linked', op: op as Reference, target: this.ref(which, start) };
  }

  /** Loads the pointer to a callback anew: to one that is patched, or may be. Where it may be one of several, each way is taken. */
  private giveCallback(
    text: Text,
    scope: string,
    slot: number,
    reg: number,
    variant: Variant,
    mode: Origin['mode'],
  ): void {
    const targets = callbackTargets(this.ops, slot, reg);
    if (!targets.some((start) => this.differing.has(start))) return;
    const label = (i: number): string => `${scope} callback ${slot} ${variant} ${i}`;
    targets.slice(1).forEach((_, i) => {
      text.add('switch', slot, switchTo(label(i + 1), this.options.by));
    });
    targets.forEach((start, i) => {
      if (i > 0) text.label(label(i));
      const load: Reference = { kind: 'ld_imm64', dst: reg, as: 'func', imm: 0, hi: 0 };
      text.add(mode, slot, { kind: 'linked', op: load, target: this.ref(variant, start) });
      if (i < targets.length - 1) text.add(mode, slot, goTo(label(targets.length)));
    });
    text.label(label(targets.length));
  }
}

/** Bit n: the slot at fp - 8(n + 1) may be read from this insn on. */
function slotsLive({ liveStack: [low, high] }: Accepted['code'], slot: number): bigint {
  return (BigInt((high[slot] ?? 0) >>> 0) << 32n) | BigInt((low[slot] ?? 0) >>> 0);
}

/** The operation names a function. */
function isReference(op: Reference): boolean {
  return op.kind === 'call' || op.kind === 'ld_imm64';
}

function startLabel(variant: Variant, start: number): string {
  return `${variant} ${start}`;
}

function nameOf(variant: Variant, { name, start }: Subprog): string {
  return variant === 'plain' || start === 0 ? name : `${name}_${variant}`;
}

function linked(
  program: Program,
  lines: readonly Line[],
  starts: readonly { readonly label: string; readonly subprog: Subprog }[],
): Pick<TwoMode, 'program' | 'origins'> {
  const reaching = withinReach(lines.map(({ item }): Item => item));
  const { insns, labels, items } = link(reaching.items);
  const subprogs = starts
    .map(({ label, subprog }) => ({ ...subprog, start: labels.get(label)! }))
    .sort((a, b) => a.start - b.start);
  const { lines: _lines, ...rest } = program;
  const origins = items.map((item) => lines[reaching.from[item]!]!.origin);
  return { program: { ...rest, insns, subprogs }, origins };
}
