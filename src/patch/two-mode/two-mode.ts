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
import type { Op } from '../../isa/insn.js';
import { slots } from '../../isa/insn.js';
import { type Item, type Linked, link, type Reference } from '../../isa/label.js';
import { withinReach } from '../../isa/reach.js';
import { jumpTarget, subprogTarget } from '../../isa/target.js';
import { exceptionCallbackOf, type Program, type Subprog } from '../../object/program.js';
import type { Accepted } from '../../verifier/result.js';
import type { CallSite } from '../fast-path.js';
import { withStaticFunction } from './btf.js';
import { callbackArgument, callbackTargets } from './callbacks.js';
import { goTo, type Line, type Origin, switchTo, Text } from './lines.js';
import { type LeftOut, Plan, type TwoModeOptions } from './plan.js';
import { BACKING } from './unwritten.js';

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
  private readonly plan: Plan;
  /** By label, functions that may be called for. */
  private readonly named = new Map<string, { readonly variant: Variant; readonly subprog: Subprog }>();

  constructor(
    program: Program,
    private readonly verified: Accepted,
    sites: readonly CallSite[],
    private readonly options: TwoModeOptions,
  ) {
    this.plan = new Plan(program, verified, sites, options);
  }

  build(): TwoMode {
    const lines: Line[] = [];
    const starts: { readonly label: string; readonly subprog: Subprog }[] = [];
    const wanted = [this.ref('killable', 0)];
    // Where the program is when it throws is not known to what runs then: it may be killed, from its first insn on.
    const onThrow = exceptionCallbackOf(this.plan.program);
    if (onThrow !== undefined) wanted.push(this.ref('killable', onThrow.start));
    const seen = new Set(wanted);
    let program = this.plan.backed
      ? { ...this.plan.program, maps: [...this.plan.program.maps, BACKING] }
      : this.plan.program;
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
    return { ...linked(program, lines, starts), stubbed: this.plan.stubs.size, leftOut: this.plan.leftOut };
  }

  /** The label of a function. One that does the same in all its variants is written once. */
  private ref(variant: Variant, start: number): string {
    const which = this.plan.differing.has(start) ? variant : 'plain';
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
    for (const [slot, op] of this.plan.body(subprog)) {
      text.label(`${scope} normal ${slot}`);
      const callees = this.plan.callees(slot, op).filter((start) => this.plan.differing.has(start));
      const differs =
        this.plan.stubs.has(slot) || (this.plan.callsBack(slot) !== undefined && callees.length > 0);
      const reached = this.verified.facts.at(slot).length > 0;
      if (kills && reached && (points === 'every' || differs)) {
        text.add('switch', slot, switchTo(`${scope} patched ${slot}`, by));
      }
      if (kills && reached && callees.length > 0 && this.killsInside(op)) {
        text.add('switch', slot, switchTo(`${scope} killed in ${slot}`, by));
        killedCalls.push([slot, op]);
      }
      if (op.kind === 'exit' && variant === 'killed') {
        text.add('normal', slot, goTo(`${scope} patched ${slot}`));
      } else {
        const later = callbackArgument(this.plan.contractAt(slot));
        if (later?.async === true) this.giveCallback(text, scope, slot, later.reg, 'killable', 'normal');
        text.add('normal', slot, this.placed(op, slot, 'plain', `${scope} normal`));
      }
    }
    for (const [slot, op] of killedCalls) this.killedCall(text, scope, slot, op);
  }

  /** May the kill come while what this insn calls runs? */
  private killsInside(op: Op): boolean {
    const sub = op.kind === 'call' && op.target === 'subprog';
    return sub || this.plan.options.killsInCallbacks !== false;
  }

  /** A call that is made before the kill and ended after it. */
  private killedCall(text: Text, scope: string, slot: number, op: Op): void {
    text.label(`${scope} killed in ${slot}`);
    const callback = this.plan.callsBack(slot);
    if (callback !== undefined) this.giveCallback(text, scope, slot, callback.reg, 'killable', 'normal');
    text.add('normal', slot, this.placed(op, slot, 'killed', scope));
    text.add('patched', slot, goTo(`${scope} patched ${slot + slots(op)}`));
  }

  /** The text after the kill. */
  private patched(text: Text, scope: string, subprog: Subprog): void {
    for (const [slot, op] of this.plan.body(subprog)) {
      text.label(`${scope} patched ${slot}`);
      const stub = this.plan.stubs.get(slot);
      if (stub !== undefined) {
        stub.write(text, {
          prefix: `${scope} stub ${slot}`,
          guard: `${scope} guard`,
          unreadable: UNREADABLE,
        });
        continue;
      }
      const callback = callbackArgument(this.plan.contractAt(slot));
      if (callback !== undefined) {
        const variant = callback.async ? 'killable' : 'patched';
        this.giveCallback(text, `${scope} patched`, slot, callback.reg, variant, 'patched');
      }
      text.add('patched', slot, this.placed(op, slot, 'patched', `${scope} patched`));
    }
  }

  /** An operation in its new place: jumps stay in the text `scope`, calls and function pointers lead to functions of that variant. */
  private placed(op: Op, slot: number, variant: Variant, scope: string): Op | Linked {
    const jump = jumpTarget(op, slot);
    if (jump !== undefined) return { kind: 'linked', op: op as Reference, target: `${scope} ${jump}` };
    const start = subprogTarget(op, slot);
    if (start === undefined) return op;
    // Which callback a helper is given is settled where it is called. One that is named must be walked, or Linux loses its way.
    const pointer = this.plan.runLater.has(start) ? 'killable' : 'plain';
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
    const targets = callbackTargets(this.plan.ops, slot, reg);
    if (!targets.some((start) => this.plan.differing.has(start))) return;
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
