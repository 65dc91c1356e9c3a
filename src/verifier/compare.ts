/**
 * Is everything that may happen from one state covered by another that was walked already? Follows states_equal, regsafe,
 * stacksafe and refsafe of kernel/bpf/verifier.c, but with every scalar compared by its range: a state that is found covered
 * really is contained in the other, so that the other's facts hold for it.
 */
import type { VerifierDefects } from './defects.js';
import { contains, equal } from './scalar.js';
import type { Frame, Reg, Slot, State } from './state.js';
import { BYTE } from './state.js';

/** `within`: the old state contains the new one. `exact`: they are the same up to renaming of ids. */
export type Mode = 'within' | 'exact';

/** Pairs up the ids of two states, one to one (check_ids). */
class IdMap {
  private readonly forward = new Map<number, number>();
  private readonly backward = new Map<number, number>();

  pair(old: number, cur: number): boolean {
    if (old === 0 && cur === 0) return true;
    if (old === 0 || cur === 0) return false;
    const known = this.forward.get(old);
    if (known !== undefined) return known === cur;
    if (this.backward.has(cur)) return false;
    this.forward.set(old, cur);
    this.backward.set(cur, old);
    return true;
  }

  /** Links between scalars: what the old state knows to be equal must be equal in the new one; new links do no harm. */
  pairScalar(old: number, cur: number, fresh: () => number): boolean {
    if (old === 0) return true;
    return this.pair(old, cur === 0 ? fresh() : cur);
  }
}

class Comparison {
  private readonly ids = new IdMap();
  private nextFresh = -1;

  constructor(
    private readonly mode: Mode,
    private readonly strict: boolean,
    private readonly defects: VerifierDefects,
  ) {}

  private readonly fresh = (): number => this.nextFresh--;

  state(old: State, cur: State): boolean {
    if (old.frames.length !== cur.frames.length) return false;
    if (!this.defects.coversIgnoresReferences && !this.references(old, cur)) return false;
    if (old.rcu !== cur.rcu || old.preempt !== cur.preempt) return false;
    for (let i = old.frames.length - 1; i >= 0; i--)
      if (!this.frame(old.frames[i]!, cur.frames[i]!)) return false;
    return true;
  }

  private references(old: State, cur: State): boolean {
    if (old.refs.length !== cur.refs.length) return false;
    for (let i = 0; i < old.refs.length; i++) {
      const a = old.refs[i]!;
      const b = cur.refs[i]!;
      if (a.kind !== b.kind || a.owner !== b.owner || !this.ids.pair(a.id, b.id)) return false;
    }
    return this.ids.pair(old.irq, cur.irq);
  }

  private frame(old: Frame, cur: Frame): boolean {
    if (old === cur && this.mode === 'within') return this.sameFrame(old);
    if (old.callsite !== cur.callsite || old.subprog !== cur.subprog) return false;
    if (old.callback?.stops !== cur.callback?.stops) return false;
    if (this.mode === 'exact' && old.callbackDepth !== cur.callbackDepth) return false;
    for (let n = 0; n < 10; n++) if (!this.reg(old.regs[n]!, cur.regs[n]!)) return false;
    // As stacksafe: what lies beyond the old stack does not count, whatever the mode.
    for (let i = 0; i < old.stack.length; i++) if (!this.slot(old.stack[i], cur.stack[i])) return false;
    return true;
  }

  /** A frame that both states share only needs its ids paired with themselves. */
  private sameFrame(frame: Frame): boolean {
    for (const reg of frame.regs) if (!this.sameIds(reg)) return false;
    for (const slot of frame.stack) {
      if (slot === undefined) continue;
      if (slot.reg !== undefined && !this.sameIds(slot.reg)) return false;
      if (slot.dynptr !== undefined && !this.ids.pair(slot.dynptr.id, slot.dynptr.id)) return false;
      const ref = slot.dynptr?.ref ?? slot.iter?.ref ?? slot.irq?.ref ?? 0;
      if (!this.ids.pair(ref, ref)) return false;
    }
    return true;
  }

  private sameIds(reg: Reg): boolean {
    return (
      this.ids.pair(reg.id, reg.id) &&
      this.ids.pair(reg.ref, reg.ref) &&
      this.ids.pair(reg.dynptr, reg.dynptr)
    );
  }

  private reg(old: Reg, cur: Reg): boolean {
    if (old.type === 'uninit') return this.mode === 'within' || cur.type === 'uninit';
    if (old.type !== cur.type) return false;
    if (old.type === 'scalar') {
      const covered = this.mode === 'within' ? contains(old.num, cur.num) : equal(old.num, cur.num);
      return (
        (covered || this.defects.coversIgnoresRanges === true) &&
        this.ids.pairScalar(old.id, cur.id, this.fresh)
      );
    }
    if (
      old.nullable !== cur.nullable ||
      old.off !== cur.off ||
      old.map !== cur.map ||
      old.size !== cur.size ||
      old.frame !== cur.frame ||
      old.struct !== cur.struct ||
      old.trust !== cur.trust ||
      old.readonly !== cur.readonly ||
      old.nonOwning !== cur.nonOwning ||
      old.percpu !== cur.percpu
    ) {
      return false;
    }
    if (this.mode === 'exact' ? old.range !== cur.range : old.range > cur.range) return false;
    if (!(this.mode === 'within' ? contains(old.num, cur.num) : equal(old.num, cur.num))) return false;
    return (
      this.ids.pair(old.id, cur.id) &&
      this.ids.pair(old.ref, cur.ref) &&
      this.ids.pair(old.dynptr, cur.dynptr)
    );
  }

  private slot(old: Slot | undefined, cur: Slot | undefined): boolean {
    if (old === undefined) return this.mode === 'within' || cur === undefined;
    if (cur === undefined)
      return (
        this.mode === 'within' &&
        old.bytes.every((b) => b === BYTE.invalid || (b === BYTE.misc && !this.strict))
      );
    if (old.dynptr !== undefined || cur.dynptr !== undefined) return this.dynptr(old, cur);
    if (old.iter !== undefined || cur.iter !== undefined) return this.iter(old, cur);
    if (old.irq !== undefined || cur.irq !== undefined) return this.irq(old, cur);
    for (let i = 0; i < 8; i++) {
      const a = old.bytes[i]!;
      const b = cur.bytes[i]!;
      if (this.mode === 'exact') {
        if (a !== b) return false;
      } else if (!this.byte(a, b, cur)) return false;
    }
    if (old.reg === undefined) return this.mode === 'within' || cur.reg === undefined;
    return cur.reg !== undefined && this.reg(old.reg, cur.reg);
  }

  private byte(a: number, b: number, cur: Slot): boolean {
    switch (a) {
      case BYTE.invalid:
        return true;
      case BYTE.misc:
        return (
          b === BYTE.misc ||
          b === BYTE.zero ||
          (b === BYTE.invalid && !this.strict) ||
          (b === BYTE.spill && (cur.reg?.type === 'scalar' || !this.strict))
        );
      case BYTE.zero:
        return b === BYTE.zero || (b === BYTE.spill && isZeroSpill(cur));
      default:
        return a === b;
    }
  }

  private dynptr(old: Slot, cur: Slot): boolean {
    const a = old.dynptr;
    const b = cur.dynptr;
    // A dynptr that needs no destroying is no loss if the old state did not count on it.
    if (a === undefined)
      return this.mode === 'within' && b!.ref === 0 && old.bytes.every((x) => x === BYTE.invalid);
    if (b === undefined) return false;
    return (
      a.type === b.type && a.first === b.first && this.ids.pair(a.ref, b.ref) && this.ids.pair(a.id, b.id)
    );
  }

  private iter(old: Slot, cur: Slot): boolean {
    const a = old.iter;
    const b = cur.iter;
    if (a === undefined || b === undefined) return false;
    if (this.mode === 'exact' && a.depth !== b.depth) return false;
    return (
      a.type === b.type &&
      (a.state === b.state || this.defects.coversIgnoresIterators === true) &&
      a.first === b.first &&
      a.rcu === b.rcu &&
      a.stale === b.stale &&
      this.ids.pair(a.ref, b.ref)
    );
  }

  private irq(old: Slot, cur: Slot): boolean {
    const a = old.irq;
    const b = cur.irq;
    if (a === undefined || b === undefined) return false;
    return a.by === b.by && this.ids.pair(a.ref, b.ref);
  }
}

const isZeroSpill = (slot: Slot): boolean =>
  slot.reg?.type === 'scalar' && slot.reg.num.mask === 0n && slot.reg.num.value === 0n;

/** Does `old`, a state walked before at the same slot, cover `cur`? `exact`: are they the same, may_goto depth included? */
export function covers(
  old: State,
  cur: State,
  mode: Mode,
  strict: boolean,
  defects: VerifierDefects = {},
): boolean {
  if (mode === 'exact' && old.mayGoto !== cur.mayGoto) return false;
  return new Comparison(mode, strict, defects).state(old, cur);
}

/** The calls that lead to this state, outermost first: states are only compared where these agree. */
export function sameCalls(a: State, b: State): boolean {
  if (a.frames.length !== b.frames.length) return false;
  return a.frames.every((f, i) => f.callsite === b.frames[i]!.callsite && f.subprog === b.frames[i]!.subprog);
}
