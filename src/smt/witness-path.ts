/**
 * The way of a run that refutes a program: what was acquired where, where the run was killed, what the calls on the way did after that, and
 * which checks broke. Read from the witness by running it again, so that nothing is told that did not happen.
 */
import type { FastPath } from '../patch/rule.js';
import { type Place, Places } from '../verifier/explain/place.js';
import type { Facts } from '../verifier/result.js';
import type { Code } from '../verifier/text/code.js';
import type { Case } from '../vm/case/case.js';
import { describeHold, type Hold } from '../vm/state/ledger.js';
import type { Check } from '../vm/state/trap.js';
import { DEFAULT_LIMIT, Vm } from '../vm/vm.js';

/** One thing that happened on the way. */
export type Happened =
  /** `what`: in the words of the ledger. */
  | { readonly event: 'acquired' | 'released'; readonly what: string }
  /** The run is killed before this insn. `calls`: open there, outermost first. */
  | { readonly event: 'killed'; readonly calls: readonly Place[]; readonly held: readonly string[] }
  /**
   * A call after the kill was replaced, by the rule of this name. `r0`: as hex; null where it may not be read. `zeroed`, `nullDynptrs`: arguments
   * (1 is r1) whose memory was filled with zeros, or left as a null dynptr.
   */
  | {
      readonly event: 'stubbed';
      readonly rule: string | null;
      readonly r0: string | null;
      readonly zeroed: readonly number[];
      readonly nullDynptrs: readonly number[];
    }
  /** A call after the kill ended in the landing pad of the function that made it. */
  | { readonly event: 'unwound'; readonly rule: string | null }
  /** A call after the kill ran as it is. */
  | { readonly event: 'kept'; readonly rule: string | null; readonly r0: string | null }
  /** The helper that was running a callback when the kill came calls it no more. */
  | { readonly event: 'stopped' }
  /** A jump after the kill. */
  | { readonly event: 'branch'; readonly taken: boolean; readonly to: number }
  | { readonly event: 'broken'; readonly check: Check; readonly message: string };

/** Something that happened, with when and where: the insn, its text and the line of its source. */
export type WitnessEvent = {
  /** Insns that ran before. */
  readonly step: number;
  readonly at: Place;
} & Happened;

/** All that is told of a run that breaks a check. */
export interface WitnessPath {
  /** In the order in which they happened. */
  readonly events: readonly WitnessEvent[];
  /** Events after those, of a run that is too long to be told; what broke is told all the same. */
  readonly eventsLeftOut: number;
}

/** Events that are told at the most. */
const MOST_EVENTS = 1000;

/** The verified program and the decisions of the rules, which the run depends on besides the case. */
export interface WitnessRun {
  readonly code: Code;
  readonly facts: Facts;
  readonly path: FastPath;
  /** By slot: the name of the rule that decides there. */
  readonly ruleAt: ReadonlyMap<number, string>;
}

/** Runs the witness and takes down what matters of it. */
export function witnessPath(witness: Case, run: WitnessRun): WitnessPath {
  return new Teller(witness, run).told();
}

class Teller {
  private readonly vm: Vm;
  private readonly places: Places;
  private readonly events: WitnessEvent[] = [];
  private readonly broken: WitnessEvent[] = [];
  private leftOut = 0;

  constructor(
    private readonly witness: Case,
    private readonly run: WitnessRun,
  ) {
    const { program, env, profile } = witness;
    this.places = new Places(program, run.code);
    this.vm = new Vm(program, { env, fastPath: run.path, facts: run.facts, strict: profile === 'strict' });
  }

  told(): WitnessPath {
    const { vm, witness } = this;
    const { machine } = vm;
    const limit = (witness.kill ?? 0) + DEFAULT_LIMIT;
    while (vm.running && machine.steps < limit) this.step();
    // A killed run that does not end breaks its bound where it is given up.
    if (vm.running) {
      const { steps, pc, violations } = machine;
      vm.run();
      this.tellBroken(steps, pc, violations.length);
    }
    const { events, broken, leftOut } = this;
    return { events: [...events, ...broken].sort((a, b) => a.step - b.step), eventsLeftOut: leftOut };
  }

  private step(): void {
    const { vm, places } = this;
    const { machine } = vm;
    const [step, slot] = [machine.steps, machine.pc];
    if (step === this.witness.kill && !machine.killed) {
      vm.kill();
      this.tell(step, slot, {
        event: 'killed',
        calls: machine.frames.slice(1).map(({ callsite }) => places.at(callsite)),
        held: machine.ledger.holds.map(describeHold),
      });
    }
    const { frames, interrupted, violations } = machine;
    const { holds } = machine.ledger;
    vm.step();
    const helper = frames.length <= interrupted ? frames.at(-1)?.helper : undefined;
    const stopped = helper !== undefined && machine.frames.length < frames.length;
    if (stopped && machine.end !== 'trap') this.tell(step, helper.slot, { event: 'stopped' });
    else if (machine.killed && machine.end !== 'trap') this.tellInsn(step, slot);
    for (const one of missing(holds, machine.ledger.holds))
      this.tell(step, slot, { event: 'released', what: describeHold(one) });
    for (const one of missing(machine.ledger.holds, holds))
      this.tell(step, slot, { event: 'acquired', what: describeHold(one) });
    this.tellBroken(step, slot, violations.length);
  }

  /** An insn that has run after the kill: a jump that may go two ways, or a call. */
  private tellInsn(step: number, slot: number): void {
    const { code, path, ruleAt } = this.run;
    const { machine } = this.vm;
    const kind = code.ops[slot]?.kind;
    if (kind === 'jmp' || kind === 'may_goto' || kind === 'unwind_goto')
      this.tell(step, slot, { event: 'branch', taken: machine.pc !== slot + 1, to: machine.pc });
    if (code.contracts[slot] === undefined) return;
    const rule = ruleAt.get(slot) ?? null;
    if (machine.unwound) {
      this.tell(step, slot, { event: 'unwound', rule });
      return;
    }
    const r0 = (machine.readable & 1) === 0 ? null : `0x${machine.regs[0]!.toString(16)}`;
    const stub = path.stubs.get(slot);
    if (stub === undefined) {
      this.tell(step, slot, { event: 'kept', rule, r0 });
      return;
    }
    const zeroed = stub.writes.map((arg) => arg + 1);
    const nullDynptrs = stub.slots.map(({ arg }) => arg + 1);
    this.tell(step, slot, { event: 'stubbed', rule, r0, zeroed, nullDynptrs });
  }

  private tell(step: number, slot: number, happened: Happened): void {
    if (this.events.length < MOST_EVENTS) this.events.push({ step, at: this.places.at(slot), ...happened });
    else this.leftOut++;
  }

  /** What broke is told however much was told before. */
  private tellBroken(step: number, slot: number, before: number): void {
    for (const { check, message } of this.vm.machine.violations.slice(before))
      this.broken.push({ step, at: this.places.at(slot), event: 'broken', check, message });
  }
}

/** What was held and is not any more. */
function missing(before: readonly Hold[], after: readonly Hold[]): readonly Hold[] {
  if (before === after) return [];
  const ids = new Set(after.map(({ id }) => id));
  return before.filter(({ id }) => !ids.has(id));
}
