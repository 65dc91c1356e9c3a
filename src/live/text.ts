/**
 * Writes the text of a program that polls: each function that can be killed is followed by its patched text, and a poll is a jump from an
 * insn of the one to the same insn of the other.
 *
 * - `killable`: polls, and when the word is set goes on patched.
 * - `callback`: the same for a function that a helper calls. Killed, it tells the helper to stop.
 * - `patched`: called by patched text.
 * - `plain`: as it was. Functions in which nothing differs have only this text.
 */
import type { Insn, Op } from '../isa/insn.js';
import { type Item, type Linked, link, type Reference } from '../isa/label.js';
import { withinReach } from '../isa/reach.js';
import { jumpTarget, subprogTarget } from '../isa/target.js';
import type { Subprog } from '../object/program.js';
import { callbackArgument, callbackTargets } from '../patch/two-mode/callbacks.js';
import { type Origin, Text } from '../patch/two-mode/lines.js';
import type { Plan } from '../patch/two-mode/plan.js';
import type { PollWriter } from './poll-text.js';
import type { Polls } from './polls.js';

/** Which text of a function. */
export type Variant = 'plain' | 'killable' | 'callback' | 'patched';

/** Names one text of one function of a program by where the function starts. */
export interface FunctionName {
  readonly start: number;
  readonly variant: Variant;
}

/** A function as it is to be put into an object. */
export interface FunctionText extends FunctionName {
  readonly subprog: Subprog;
  readonly insns: readonly Insn[];
  /** By slot of this text, what it was written for. */
  readonly origins: readonly Origin[];
  /** By slot of this text, the function that a call or a pointer there means. */
  readonly references: ReadonlyMap<number, FunctionName>;
}

/** Helpers whose callback says with 1 that it is not to be called again. */
const STOPPED_BY_ONE: ReadonlySet<string> = new Set([
  'bpf_loop',
  'bpf_for_each_map_elem',
  'bpf_user_ringbuf_drain',
]);

/** All texts that a program needs, its main function first. Functions that stay plain are not among them. */
export function writeTexts(plan: Plan, polls: Polls, writer: PollWriter): readonly FunctionText[] {
  return new Writer(plan, polls, writer).write();
}

class Writer {
  private readonly wanted: FunctionName[] = [];
  private readonly seen = new Set<string>();
  /** Functions that differ after the kill. */
  private readonly differing: ReadonlySet<number>;
  private readonly stops: ReadonlySet<number>;
  /** Functions that only bpf_loop calls: it counts the rounds for them. */
  private readonly loops: ReadonlySet<number>;
  private readonly raw: readonly (Op | undefined)[];

  constructor(
    private readonly plan: Plan,
    private readonly polls: Polls,
    private readonly writer: PollWriter,
  ) {
    this.raw = writer.ops;
    this.differing = this.findDiffering();
    this.stops = this.calledOnlyBy(STOPPED_BY_ONE);
    this.loops = this.calledOnlyBy(new Set(['bpf_loop']));
  }

  write(): readonly FunctionText[] {
    const texts: FunctionText[] = [];
    this.want({ start: 0, variant: 'killable' });
    for (let name = this.wanted.shift(); name !== undefined; name = this.wanted.shift())
      if (name.variant !== 'plain') texts.push(this.function(name));
    return texts;
  }

  private want(name: FunctionName): FunctionName {
    const variant = this.existing(name);
    const found = { start: name.start, variant };
    const key = `${variant} ${name.start}`;
    if (!this.seen.has(key)) {
      this.seen.add(key);
      this.wanted.push(found);
    }
    return found;
  }

  /** The text that stands for this one where the function has no such text. */
  private existing({ start, variant }: FunctionName): Variant {
    if (variant === 'patched') return this.differing.has(start) ? 'patched' : 'plain';
    return variant === 'plain' || !this.polls.killable.has(start) ? 'plain' : variant;
  }

  private findDiffering(): Set<number> {
    const { plan } = this;
    const found = new Set<number>();
    for (let size = -1; size < found.size; ) {
      size = found.size;
      for (const subprog of plan.program.subprogs)
        for (const [slot, op] of plan.body(subprog))
          if (
            plan.stubs.has(slot) ||
            op.kind === 'may_goto' ||
            plan.callees(slot, op).some((start) => found.has(start))
          )
            found.add(subprog.start);
    }
    return found;
  }

  /** Functions that are called back only by these helpers. */
  private calledOnlyBy(helpers: ReadonlySet<string>): Set<number> {
    const { plan } = this;
    const found = new Set<number>();
    const others = new Set<number>();
    plan.ops.forEach((_, slot) => {
      const contract = plan.contractAt(slot);
      const callback = callbackArgument(contract);
      if (callback === undefined) return;
      for (const start of callbackTargets(plan.ops, slot, callback.reg))
        (helpers.has(contract!.name) ? found : others).add(start);
    });
    return new Set([...found].filter((start) => !others.has(start)));
  }

  private function(name: FunctionName): FunctionText {
    const subprog = this.plan.verified.code.subprogAt(name.start)!;
    const text = new Text();
    const scope = `${name.variant} ${name.start}`;
    text.label(scope);
    if (name.variant !== 'patched') this.normal(text, scope, subprog, name.variant);
    this.patched(text, scope, subprog, name);
    // Reached only if a stub was written for fewer cases than can happen: no verifier takes it.
    text.label(`${scope} guard`);
    text.add('guard', -1, { kind: 'ldx', size: 1, signed: false, dst: 0, src: 10, off: 0 });
    text.add('guard', -1, { kind: 'exit' });
    return this.linked(name, subprog, text);
  }

  private normal(text: Text, scope: string, subprog: Subprog, variant: Variant): void {
    const { polls, plan } = this;
    const frame = {
      subprog,
      begins: this.begins(subprog.start),
      countsRounds: variant === 'callback' && this.loops.has(subprog.start),
    };
    const polled = [...polls.chosen, ...polls.returns];
    const own = polled.filter((slot) => plan.verified.code.subprogStart[slot] === subprog.start);
    this.writer.enter(text, frame, own);
    for (const [slot, op] of plan.body(subprog)) {
      text.label(`${scope} normal ${slot}`);
      const at = polls.returns.has(slot) ? 'return' : polls.chosen.has(slot) ? 'chosen' : undefined;
      if (at !== undefined) this.writer.poll(text, scope, slot, at);
      if (op.kind === 'exit' && frame.begins) this.writer.exit(text, slot);
      text.add('normal', slot, this.relinked(op, slot, `${scope} normal`, 'killable'));
    }
    this.writer.leave(text);
  }

  private begins(start: number): boolean {
    return start === 0 || this.plan.runLater.has(start);
  }

  private patched(
    text: Text,
    scope: string,
    subprog: Subprog,
    { start: first, variant }: FunctionName,
  ): void {
    const { plan } = this;
    const stop = variant === 'callback' && this.stops.has(first);
    const ends = variant !== 'patched' && this.begins(first);
    for (const [slot, op] of plan.body(subprog)) {
      text.label(`${scope} patched ${slot}`);
      const stub = plan.stubs.get(slot);
      if (stub !== undefined) {
        stub.write(text, { prefix: `${scope} stub ${slot}`, guard: `${scope} guard` });
        continue;
      }
      const callback = callbackArgument(plan.contractAt(slot));
      if (callback !== undefined && !callback.async) this.loadPatched(text, slot, callback.reg);
      if (op.kind === 'exit' && stop) {
        text.add('patched', slot, { kind: 'mov', width: 64, dst: 0, src: { imm: 1 } });
      }
      if (op.kind === 'exit' && ends) this.writer.exit(text, slot);
      text.add('patched', slot, this.relinked(op, slot, `${scope} patched`, 'patched'));
    }
  }

  /** The pointer may have been loaded before the kill. If it is known, the helper is given the patched function. */
  private loadPatched(text: Text, slot: number, reg: number): void {
    const targets = callbackTargets(this.plan.ops, slot, reg);
    const [start] = targets;
    if (start === undefined || targets.length > 1) return;
    if (!this.differing.has(start) && !this.polls.killable.has(start)) return;
    const op: Reference = { kind: 'ld_imm64', dst: reg, as: 'func', imm: 0, hi: 0 };
    text.add('stub', slot, { kind: 'linked', op, target: this.reference({ start, variant: 'patched' }) });
  }

  private reference(name: FunctionName): string {
    return `${REFERENCE}${this.existing(name)} ${name.start}`;
  }

  /** An insn as it is in the object, with new targets. A `may_goto` of a killed run finds its budget spent. */
  private relinked(op: Op, slot: number, scope: string, variant: 'killable' | 'patched'): Op | Linked {
    const jump = jumpTarget(op, slot);
    if (op.kind === 'may_goto' && variant === 'patched')
      return { kind: 'linked', op: { kind: 'ja', off: 0, long: false }, target: `${scope} ${jump}` };
    if (jump !== undefined) return { kind: 'linked', op: op as Reference, target: `${scope} ${jump}` };
    const start = subprogTarget(op, slot);
    if (start === undefined) return this.raw[slot] ?? op;
    return {
      kind: 'linked',
      op: op as Reference,
      target: this.reference({ start, variant: this.called(op, start, variant) }),
    };
  }

  /**
   * Which text of a function is meant. A pointer means the same in both modes: what is loaded before the kill may be used after it. Where a
   * patched helper is to have patched functions, they are loaded anew.
   */
  private called(op: Op, start: number, variant: 'killable' | 'patched'): Variant {
    if (op.kind !== 'ld_imm64') return variant;
    return this.plan.runLater.has(start) ? 'killable' : 'callback';
  }

  private linked(name: FunctionName, subprog: Subprog, text: Text): FunctionText {
    const lines = text.reachable();
    const named = new Map<number, FunctionName>();
    const items = lines.map(({ item }, i): Item => {
      if (item.kind !== 'linked' || !item.target.startsWith(REFERENCE)) return item;
      const [variant, start] = item.target.slice(REFERENCE.length).split(' ');
      // Only what can be reached: a function that nothing calls is none to a kernel.
      named.set(i, this.want({ variant: variant as Variant, start: Number(start) }));
      return item.op;
    });
    const reaching = withinReach(items);
    const { insns, items: itemOf } = link(reaching.items);
    const lineOf = itemOf.map((item) => reaching.from[item]!);
    const references = new Map<number, FunctionName>();
    lineOf.forEach((line, slot) => {
      const target = named.get(line);
      if (target !== undefined && lineOf[slot - 1] !== line) references.set(slot, target);
    });
    return { ...name, subprog, insns, origins: lineOf.map((line) => lines[line]!.origin), references };
  }
}

/** Starts the labels of functions, which are not in the same text. */
const REFERENCE = 'function ';
