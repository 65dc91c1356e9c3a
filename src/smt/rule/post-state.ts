/**
 * The state a call leaves behind, as solver variables, and what each outcome of a contract says about them. A stub is inside an
 * outcome when everything the program could observe after the stub is something it could observe after that outcome.
 *
 *     r0          64 bits, and whether it may be read, and whether it is an object's address
 *     wrote i     output memory of argument i was written
 *     slot i      what the stack slot of argument i holds now
 *     drained i      the iterator of argument i gives no more elements
 *     delta x     change of the ledger at x: a reference, a lock, a section, ...
 *     ran, left, waited    a callback ran; control went elsewhere; the call may have taken long
 */
import { S64_MAX, S64_MIN } from '../../isa/integer.js';
import type { Contract, Outcome, R0 } from '../../kernel/contract.js';
import { isOutput } from '../../kernel/describe.js';
import type { Stub } from '../../patch/rule.js';
import type { Term } from '../term/term.js';
import type { Terms } from '../term/terms.js';
import { deltas, SLOTS, type SlotState, slotAfter } from './changes.js';

/** A named part of what an outcome demands. `kind` says what goes wrong where it is missed. */
export interface Demand {
  readonly kind:
    | 'r0'
    | 'object'
    | 'memory'
    | 'slot'
    | 'taken'
    | 'given back'
    | 'control'
    | 'callback'
    | 'time';
  /** In words: `the lock of argument 0 is taken`. */
  readonly what: string;
  readonly holds: Term;
}

const SLOT_ARGS = new Set(['dynptr', 'iter', 'irq_flag']);

/** The variables of one contract's post-state. */
export class PostState {
  readonly r0: Term;
  private readonly ledgerEntries: readonly string[];
  private readonly slotArgs: readonly number[];
  private readonly memoryArgs: readonly number[];
  private readonly iterArgs: readonly number[];

  constructor(
    private readonly t: Terms,
    readonly contract: Contract,
  ) {
    this.r0 = t.variable(64, 'r0');
    this.ledgerEntries = [...new Set(contract.outcomes.flatMap((outcome) => [...deltas(outcome).keys()]))];
    const indices = contract.args.map((_, index) => index);
    this.slotArgs = indices.filter((index) => SLOT_ARGS.has(contract.args[index]!.kind));
    this.memoryArgs = indices.filter((index) => isOutput(contract.args[index]!));
    this.iterArgs = indices.filter((index) => contract.args[index]!.kind === 'iter');
  }

  private flag(name: string): Term {
    return this.t.variable(0, name);
  }

  private slot(index: number): Term {
    return this.t.variable(4, `slot ${index}`);
  }

  private slotIs(index: number, state: SlotState): Term {
    return this.t.eq(this.slot(index), this.t.constant(4, SLOTS.indexOf(state)));
  }

  private delta(entry: string): Term {
    return this.t.variable(8, `delta ${entry}`);
  }

  /** The largest value of a size argument at the call site, for outcomes whose r0 it bounds. */
  private size(index: number): Term {
    return this.t.variable(64, `size ${index}`);
  }

  /** Every size argument that bounds r0 is below BPF_MAX_VAR_SIZ, as the verifier demands. */
  sizesAreBounded(): Term {
    const bounded = this.contract.outcomes.flatMap(({ r0 }) =>
      r0.kind === 'scalar' && r0.upTo !== undefined
        ? [this.t.ult(this.size(r0.upTo), this.t.constant(64, 1n << 29n))]
        : [],
    );
    return this.t.all(bounded);
  }

  /** Nothing was taken or given back, no callback ran, control stayed here, no time passed. This holds after every stub. */
  private hasNoEffects(): Term {
    const { t } = this;
    return t.all([
      ...['r0 object', 'ran', 'left', 'waited'].map((flag) => t.not(this.flag(flag))),
      ...this.ledgerEntries.map((entry) => t.eq(this.delta(entry), t.constant(8, 0n))),
    ]);
  }

  /** The state that this stub leaves. `alwaysNull`: after the kill every call of the function, at any site, returns NULL. */
  afterStub(stub: Stub, alwaysNull: boolean): Term {
    const { t } = this;
    const is = (flag: string, value: boolean): Term => t.iff(this.flag(flag), t.bool(value));
    return t.all([
      this.hasNoEffects(),
      is('r0 written', stub.r0 !== 'void'),
      // An unreadable r0 may hold anything.
      stub.r0 === 'void' ? t.true : t.eq(this.r0, t.constant(64, stub.r0)),
      ...this.memoryArgs.map((index) => is(`wrote ${index}`, stub.writes.includes(index))),
      ...this.slotArgs.map((index) => {
        const cleared = stub.slots.some((slot) => slot.arg === index);
        return this.slotIs(index, cleared ? 'null dynptr' : 'as before');
      }),
      ...this.iterArgs.map((index) => is(`drained ${index}`, alwaysNull)),
    ]);
  }

  /** The states that any stub can leave. */
  afterSomeStub(): Term {
    const { t } = this;
    return t.all([
      this.hasNoEffects(),
      ...this.slotArgs.map((index) =>
        t.any([this.slotIs(index, 'as before'), this.slotIs(index, 'null dynptr')]),
      ),
    ]);
  }

  /** What must hold of the state for it to be one that this outcome leaves, part by part. */
  demands(outcome: Outcome): readonly Demand[] {
    return [
      ...this.r0Demands(outcome.r0),
      ...this.memoryDemands(outcome),
      ...this.slotDemands(outcome),
      ...this.ledgerDemands(outcome),
      ...this.controlDemands(outcome),
    ];
  }

  private r0Demands(r0: R0): readonly Demand[] {
    const { t } = this;
    const readable = this.flag('r0 written');
    const object = this.flag('r0 object');
    const number = (what: string, holds: Term): Demand => ({
      kind: 'r0',
      what,
      holds: t.all([readable, holds]),
    });
    switch (r0.kind) {
      // After a void function r0 cannot be read, so anything may be in it.
      case 'void':
        return [];
      case 'null':
        return [number('r0 is NULL', t.eq(this.r0, t.constant(64, 0n)))];
      case 'pointer':
        return [{ kind: 'object', what: 'r0 points to an object', holds: object }];
      case 'scalar': {
        const range = t.all([
          t.sle(t.constant(64, r0.min), this.r0),
          t.sle(this.r0, t.constant(64, r0.max)),
          ...(r0.upTo === undefined ? [] : [t.sle(this.r0, this.size(r0.upTo))]),
        ]);
        return [number(`r0 is in ${showRange(r0.min, r0.max)}`, range)];
      }
    }
  }

  /** Output memory must be written if the outcome writes it. If it does not, the program may still know the old contents. */
  private memoryDemands(outcome: Outcome): readonly Demand[] {
    return this.memoryArgs.map((index) => {
      const writes = outcome.effects.some((effect) => effect.kind === 'write' && effect.arg === index);
      const wrote = this.flag(`wrote ${index}`);
      return {
        kind: 'memory',
        what: `the memory of argument ${index} is ${writes ? 'written' : 'as before'}`,
        holds: writes ? wrote : this.t.not(wrote),
      };
    });
  }

  private slotDemands(outcome: Outcome): readonly Demand[] {
    const demands: Demand[] = [];
    for (const index of this.slotArgs) {
      const after = outcome.effects.map(slotAfter).find((slot) => slot?.[0] === index)?.[1] ?? 'as before';
      demands.push({
        kind: 'slot',
        what: `the slot of argument ${index} holds ${slotInWords(after)}`,
        holds: this.slotIs(index, after),
      });
    }
    for (const effect of outcome.effects) {
      if (effect.kind !== 'iter_next' || effect.to !== 'drained') continue;
      const what = `the iterator of argument ${effect.arg} gives no more elements`;
      demands.push({ kind: 'slot', what, holds: this.flag(`drained ${effect.arg}`) });
    }
    return demands;
  }

  private ledgerDemands(outcome: Outcome): readonly Demand[] {
    const changed = deltas(outcome);
    return this.ledgerEntries.map((entry) => {
      const by = changed.get(entry) ?? 0;
      return {
        kind: by < 0 ? 'given back' : 'taken',
        what: `${entry} is ${by < 0 ? 'given back' : by > 0 ? 'taken' : 'left alone'}`,
        holds: this.t.eq(this.delta(entry), this.t.constant(8, by)),
      };
    });
  }

  /**
   * Callbacks, control and time. An outcome that runs a callback any number of times may run it zero times, so it demands nothing; an outcome
   * that runs none demands that none ran.
   */
  private controlDemands(outcome: Outcome): readonly Demand[] {
    const { t } = this;
    const runs = outcome.effects.some((effect) => effect.kind === 'callback' && effect.times === 'any');
    const leaves = outcome.effects.some((effect) => effect.kind === 'throw' || effect.kind === 'tail_call');
    const left = this.flag('left');
    const demands: Demand[] = [
      {
        kind: 'control',
        what: `control ${leaves ? 'leaves' : 'returns'}`,
        holds: leaves ? left : t.not(left),
      },
    ];
    if (!runs) demands.push({ kind: 'callback', what: 'no callback runs', holds: t.not(this.flag('ran')) });
    if (outcome.blocks === true) {
      demands.push({ kind: 'time', what: 'the call may take long', holds: this.flag('waited') });
    }
    return demands;
  }

  /** Whether the outcome acquires something that must be given back, as a constant term. */
  acquires(outcome: Outcome): Term {
    const changed = [...deltas(outcome).values()].map((by) =>
      this.t.slt(this.t.constant(8, 0n), this.t.constant(8, by)),
    );
    return this.t.any(changed);
  }

  /** How the outcome may keep the program running; `undefined` if it does not. */
  whyLong(outcome: Outcome): string | undefined {
    const later = this.contract.args.some((arg) => arg.kind === 'callback' && arg.callback.async === true);
    for (const effect of outcome.effects) {
      if (effect.kind === 'callback' && effect.times === 'any' && !later)
        return 'runs its callback any number of times';
      if (effect.kind === 'iter_next' && effect.to === 'active') return 'gives another element';
      if (effect.kind === 'tail_call') return 'runs another program';
    }
    return outcome.blocks === true ? 'may take long' : undefined;
  }

  /** In words, the values that a model gives to this state. */
  describe(value: (term: Term) => bigint): readonly string[] {
    const lines: string[] = [];
    const readable = value(this.flag('r0 written')) === 1n;
    lines.push(readable ? `r0 = ${BigInt.asIntN(64, value(this.r0))}` : 'r0 is not readable');
    for (const index of this.memoryArgs) {
      lines.push(
        `memory of argument ${index} is ${value(this.flag(`wrote ${index}`)) === 1n ? 'zeroed' : 'not written'}`,
      );
    }
    for (const index of this.slotArgs) {
      const state = SLOTS[Number(value(this.slot(index)))] ?? 'nothing';
      lines.push(`slot of argument ${index}: ${state}`);
    }
    for (const { r0 } of this.contract.outcomes) {
      if (r0.kind === 'scalar' && r0.upTo !== undefined) {
        lines.push(`argument ${r0.upTo} = ${value(this.size(r0.upTo))}`);
        break;
      }
    }
    return lines;
  }
}

function slotInWords(state: SlotState): string {
  if (state === 'as before') return 'what it did';
  return state === 'nothing' ? state : `a ${state}`;
}

function showRange(min: bigint, max: bigint): string {
  if (min === max) return `[${min}]`;
  const low = min === S64_MIN ? 'any' : String(min);
  const high = max === S64_MAX ? 'any' : String(max);
  return `[${low}, ${high}]`;
}
