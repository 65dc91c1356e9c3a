/**
 * Writes the two-mode program of a program and a rule set, in plain BPF. A verifier that accepts it has walked every patched path from
 * every termination point.
 *
 * Each function appears in up to four variants:
 *
 * - `plain`: the function as it was.
 * - `patched`: stubs stand in place of calls.
 * - `killable`: the plain text, followed by the patched text. Before an insn of the plain text stands a switch: a jump to the same insn
 *   of the patched text, which a verifier takes both ways. A run that returns may or may not have been killed.
 * - `killed`: as `killable`, but the exits of the plain text jump to those of the patched text. A run that returns was killed in it.
 *
 * The program is the `killable` variant of its main function.
 *
 * Before the kill, a call is made in one of two ways: of the plain function, and then the normal text goes on; or of the killed one, and
 * then the patched text goes on. A switch before the call chooses, so nothing need be remembered during the call. A helper that calls back is
 * given the plain callback, or the killable one and then the patched text goes on. A helper may then call a callback again after the kill.
 * Real runs do not do that, so the two-mode program has more runs than the real one, never fewer.
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

/** A two-mode program, where each of its insns comes from, and the calls that it does not stub. */
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
    const wanted = [this.functionLabel('killable', 0)];
    // The exception callback does not know whether the program was killed before it threw. So it is killable from its first insn on.
    const onThrow = exceptionCallbackOf(this.plan.program);
    if (onThrow !== undefined) wanted.push(this.functionLabel('killable', onThrow.start));
    const seen = new Set(wanted);
    let program = this.plan.needsBacking
      ? { ...this.plan.program, maps: [...this.plan.program.maps, BACKING] }
      : this.plan.program;
    // The text of a function refers to other functions, which are then written in turn.
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

  /** The label of a function in this variant. A function that is the same in all variants is written once, as `plain`. */
  private functionLabel(variant: Variant, start: number): string {
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
      // Reached only if a stub was written for fewer cases than can happen.
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
      if (kills && reached && callees.length > 0 && this.mayKillDuring(op)) {
        text.add('switch', slot, switchTo(`${scope} killed in ${slot}`, by));
        killedCalls.push([slot, op]);
      }
      if (op.kind === 'exit' && variant === 'killed') {
        text.add('normal', slot, goTo(`${scope} patched ${slot}`));
      } else {
        const later = callbackArgument(this.plan.contractAt(slot));
        if (later?.async === true) this.loadCallback(text, scope, slot, later.reg, 'killable', 'normal');
        text.add('normal', slot, this.relinked(op, slot, 'plain', `${scope} normal`));
      }
    }
    for (const [slot, op] of killedCalls) this.killedCall(text, scope, slot, op);
  }

  /** Whether the kill may come during the call that this insn makes. */
  private mayKillDuring(op: Op): boolean {
    const sub = op.kind === 'call' && op.target === 'subprog';
    return sub || this.plan.options.killsInCallbacks !== false;
  }

  /** A call during which the kill comes: made in normal mode, it returns to the patched text. */
  private killedCall(text: Text, scope: string, slot: number, op: Op): void {
    text.label(`${scope} killed in ${slot}`);
    const callback = this.plan.callsBack(slot);
    if (callback !== undefined) this.loadCallback(text, scope, slot, callback.reg, 'killable', 'normal');
    text.add('normal', slot, this.relinked(op, slot, 'killed', scope));
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
        this.loadCallback(text, `${scope} patched`, slot, callback.reg, variant, 'patched');
      }
      text.add('patched', slot, this.relinked(op, slot, 'patched', `${scope} patched`));
    }
  }

  /** An operation with new targets: jumps stay in the text `scope`; calls and function pointers refer to functions of that variant. */
  private relinked(op: Op, slot: number, variant: Variant, scope: string): Op | Linked {
    const jump = jumpTarget(op, slot);
    if (jump !== undefined) return { kind: 'linked', op: op as Reference, target: `${scope} ${jump}` };
    const start = subprogTarget(op, slot);
    if (start === undefined) return op;
    // The pointer is loaded anew right before the call (`loadCallback`). But Linux walks every function whose address is taken.
    const pointer = this.plan.runLater.has(start) ? 'killable' : 'plain';
    const which = op.kind === 'ld_imm64' ? pointer : variant;
    return { kind: 'linked', op: op as Reference, target: this.functionLabel(which, start) };
  }

  /** Loads the pointer to a callback anew: to one that is patched, or may be. Where it may be one of several, each way is taken. */
  private loadCallback(
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
      text.add(mode, slot, { kind: 'linked', op: load, target: this.functionLabel(variant, start) });
      if (i < targets.length - 1) text.add(mode, slot, goTo(label(targets.length)));
    });
    text.label(label(targets.length));
  }
}

/** The operation refers to a function: a call, or a load of its address. */
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
