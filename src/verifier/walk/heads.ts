/**
 * The states that paths of a walk may end at, because the state covers them: where facts begin. Each is walked from once, up to the next ones. They are
 * sought by what must be equal, because a loop that is walked round by round leaves thousands of them at one insn.
 */
import { isConst } from '../scalar/scalar.js';
import type { Reg, State } from '../state/state.js';
import { frameOf } from '../state/state.js';
import type { Code } from '../text/code.js';
import { StateComparison, sameCallsites } from './states-equal.js';
import { NO_VISIT } from './visit-graph.js';

/** A state that covers paths. */
export class Head {
  /** The visit that it is; `NO_VISIT` until it was walked from. */
  node = NO_VISIT;
  /** A path ended here, so it must be walked from. */
  wanted = false;

  constructor(
    readonly slot: number,
    /** What is known; asked for once, when it is needed. It may become less: see `widen`. */
    private known: State | (() => State),
    /** What is still known where numbers that no check relied on are left out; undefined where that was done, or must not be done. */
    private weaker: (() => State) | undefined,
    /**
     * Killed paths may end here. They do not where a path of the second walk missed its head by chance: behind that the facts tell of fewer paths, but what a
     * killed path that ended there is taken to do next is then what the longest of them do, and bounds would be looser.
     */
    readonly endsKilled = true,
  ) {}

  private made: State | undefined;

  /** What is known. */
  get state(): State {
    const { known } = this;
    if (typeof known !== 'function') return known;
    const state = known();
    this.known = state;
    return state;
  }

  /** The state that `widen` would leave; undefined if it would leave it as it is. */
  get widest(): State | undefined {
    if (this.weaker !== undefined && this.made === undefined) this.made = this.weaker();
    return this.made;
  }

  /** From now on the head covers as much as it can. */
  widen(): void {
    this.known = this.widest ?? this.known;
    this.weaker = undefined;
    this.made = undefined;
  }
}

/** Heads at one insn, if they are few. */
const FEW = 6;

/** All heads of a program, by slot. */
export class Heads {
  private readonly bySlot = new Map<number, SlotHeads>();
  private readonly comparison: StateComparison;

  constructor(code: Code, strict: boolean) {
    this.comparison = new StateComparison(code, strict, false);
  }

  add(head: Head): void {
    let at = this.bySlot.get(head.slot);
    if (at === undefined) {
      at = new SlotHeads();
      this.bySlot.set(head.slot, at);
    }
    at.add(head);
  }

  /** A head that covers this state. */
  find(slot: number, state: State): Head | undefined {
    const at = this.bySlot.get(slot);
    if (at === undefined) return undefined;
    const few = at.near(state);
    for (let i = few.length - 1; i >= 0; i--) if (this.covers(few[i]!.state, state)) return few[i];
    return undefined;
  }

  /**
   * A head that was walked from and that covers this state of a killed program. In which callbacks the program was killed does not count: from a fact, the
   * walk of the fast path takes every callback both for one that was running at the kill, and for one that a kept helper called later.
   */
  findFact(slot: number, state: State): Head | undefined {
    const at = this.bySlot.get(slot);
    if (at === undefined) return undefined;
    const before = beforeKill(state);
    const few = at.near(before);
    for (let i = few.length - 1; i >= 0; i--) {
      const head = few[i]!;
      if (head.node !== NO_VISIT && head.endsKilled && this.covers(head.state, before)) return head;
    }
    return undefined;
  }

  /** A head that would cover this state once it is widened. */
  findWidest(slot: number, state: State): Head | undefined {
    const few = this.bySlot.get(slot)?.near(state) ?? [];
    for (let i = few.length - 1; i >= 0; i--) {
      const { widest } = few[i]!;
      if (widest !== undefined && this.covers(widest, state)) return few[i];
    }
    return undefined;
  }

  private covers(old: State, cur: State): boolean {
    return sameCallsites(old, cur) && this.comparison.covers(old, cur, 'range_within', {});
  }
}

/** The state without its kill. */
function beforeKill(state: State): State {
  if (state.frames.every((f) => f.callback?.stops !== true)) return state;
  const frames = state.frames.map((f) => {
    if (f.callback?.stops !== true) return f;
    const { stops: _, ...callback } = f.callback;
    return { ...f, callback };
  });
  return { ...state, frames };
}

/** A place of the running frame whose value tells heads apart. */
interface Telling {
  readonly place: number;
  readonly byValue: Map<string, Head[]>;
}

/** The heads at one slot. */
class SlotHeads {
  private readonly all: Head[] = [];
  /** Undefined: not looked for yet. Null: there is none. */
  private telling: Telling | null | undefined;
  private indexed = 0;

  add(head: Head): void {
    this.all.push(head);
  }

  /** The heads that may cover this state, all others surely do not. */
  near(state: State): readonly Head[] {
    if (this.all.length <= FEW) return this.all;
    if (this.telling === undefined || this.indexed * 2 < this.all.length) this.index();
    const { telling } = this;
    if (!telling) return this.all;
    const value = telling && valueAt(state, telling.place);
    const found = value === undefined ? [] : (telling.byValue.get(value) ?? []);
    return this.indexed === this.all.length ? found : [...found, ...this.all.slice(this.indexed)];
  }

  /** Looks for the place that tells most heads apart, and has a known value in all of them, however wide. */
  private index(): void {
    this.indexed = this.all.length;
    this.telling = null;
    const widest = this.all.map((head) => head.widest ?? head.state);
    let most = 1;
    for (let place = 0; place < PLACES; place++) {
      const values = new Set<string>();
      for (const state of widest) {
        const value = valueAt(state, place);
        if (value === undefined) {
          values.clear();
          break;
        }
        values.add(value);
      }
      if (values.size <= most) continue;
      most = values.size;
      this.telling = { place, byValue: new Map() };
    }
    if (this.telling === null) return;
    const { place, byValue } = this.telling;
    this.all.forEach((head, i) => {
      const value = valueAt(widest[i]!, place)!;
      const list = byValue.get(value);
      if (list === undefined) byValue.set(value, [head]);
      else list.push(head);
    });
  }
}

/** Registers first, then stack slots. */
const PLACES = 10 + 64;

/** The value of a place, if it is known so well that a state covers another only if both have the same. */
function valueAt(state: State, place: number): string | undefined {
  const { regs, stack } = frameOf(state);
  const reg: Reg | undefined = place < 10 ? regs[place] : stack[place - 10]?.reg;
  if (reg === undefined || reg.type === 'uninit' || !isConst(reg.num)) return undefined;
  return reg.type === 'scalar' ? `${reg.num.value}` : `${reg.type} ${reg.off} ${reg.num.value}`;
}
