/** Does a fact hold for a state? Said again in plain words, apart from the comparison that the verifier prunes by. */
import { constant } from '../../../src/verifier/scalar/scalar.js';
import { BYTE, type Frame, type Reg, type Slot, type State } from '../../../src/verifier/state/state.js';

/** Ids of the fact, and what they stand for in the state: an id, or a constant, which needs none to be equal to another. */
type Ids = Map<string, number | bigint>;

const sameId = (ids: Ids, kind: string, fact: number, state: number): boolean => {
  if (fact === 0) return true;
  if (state === 0) return false;
  const key = `${kind} ${fact}`;
  const before = ids.get(key);
  ids.set(key, before ?? state);
  return before === undefined || before === state;
};

function numberHolds(fact: Reg, state: Reg, ids: Ids): boolean {
  const f = fact.num;
  const s = state.num;
  const bounds =
    f.umin <= s.umin &&
    f.umax >= s.umax &&
    f.smin <= s.smin &&
    f.smax >= s.smax &&
    f.u32min <= s.u32min &&
    f.u32max >= s.u32max &&
    f.s32min <= s.s32min &&
    f.s32max >= s.s32max;
  // A bit that the fact knows is known in the state, and is the same.
  const bits = (s.mask & ~f.mask) === 0n && ((s.value ^ f.value) & ~f.mask) === 0n;
  if (!bounds || !bits) return false;
  if (fact.type !== 'scalar' || fact.id === 0) return true;
  if (state.id === 0 && s.mask === 0n) return sameConstant(ids, fact, s.value);
  return fact.off === state.off && sameId(ids, 'number', fact.id, state.id);
}

/** The number is a constant: all that the fact holds for equal, or a constant apart, are constants that far apart. */
function sameConstant(ids: Ids, fact: Reg, value: bigint): boolean {
  const key = `constant ${fact.id}`;
  const base = BigInt.asUintN(64, value - BigInt(fact.off));
  const before = ids.get(key);
  ids.set(key, before ?? base);
  return before === undefined || before === base;
}

/** The same pointer, as so much past a constant offset of `off`; undefined where its offset is not known. */
function offsetFrom(off: number, pointer: Reg): Reg | undefined {
  const { num } = pointer;
  if (num.mask !== 0n) return undefined;
  return { ...pointer, off, num: constant(BigInt.asUintN(64, num.value + BigInt(pointer.off - off))) };
}

function registerHolds(fact: Reg, state: Reg, ids: Ids): boolean {
  // The whole walk too drops what is dead.
  if (fact.type === 'uninit' || state.type === 'uninit') return true;
  if (fact.type !== state.type) return false;
  if (fact.type === 'scalar') return numberHolds(fact, state, ids);
  if (fact.off !== state.off) {
    const same = offsetFrom(fact.off, state);
    return same !== undefined && registerHolds(fact, same, ids);
  }
  if (fact.range < 0 || state.range < 0 ? fact.range !== state.range : fact.range > state.range) return false;
  for (const member of [
    'nullable',
    'off',
    'map',
    'size',
    'frame',
    'struct',
    'trust',
    'readonly',
    'nonOwning',
    'percpu',
  ] as const)
    if (fact[member] !== state[member]) return false;
  return (
    numberHolds(fact, state, ids) &&
    sameId(ids, 'pointer', fact.id, state.id) &&
    (fact.ref === 0) === (state.ref === 0) &&
    sameId(ids, 'reference', fact.ref, state.ref) &&
    sameId(ids, 'dynptr', fact.dynptr, state.dynptr)
  );
}

function byteHolds(fact: Slot, state: Slot | undefined, i: number): boolean {
  const f = fact.bytes[i]!;
  const s = state?.bytes[i] ?? BYTE.invalid;
  const zero = state?.reg?.type === 'scalar' && state.reg.num.umax === 0n;
  if (f === BYTE.invalid) return true;
  // A loader with capabilities reads what was never written as any number, and so it reads parts of pointers.
  if (f === BYTE.misc) return true;
  if (f === BYTE.zero) return s === BYTE.zero || (s === BYTE.spill && zero);
  return s === f;
}

function slotHolds(fact: Slot | undefined, state: Slot | undefined, ids: Ids): boolean {
  if (fact === undefined || state === undefined) return true;
  if (fact.iter !== undefined)
    return (
      state?.iter !== undefined &&
      fact.iter.type === state.iter.type &&
      fact.iter.state === state.iter.state &&
      fact.iter.first === state.iter.first &&
      fact.iter.rcu === state.iter.rcu &&
      fact.iter.stale === state.iter.stale &&
      sameId(ids, 'reference', fact.iter.ref, state.iter.ref)
    );
  if (fact.dynptr !== undefined)
    return (
      state?.dynptr !== undefined &&
      fact.dynptr.type === state.dynptr.type &&
      fact.dynptr.first === state.dynptr.first &&
      sameId(ids, 'reference', fact.dynptr.ref, state.dynptr.ref) &&
      sameId(ids, 'dynptr', fact.dynptr.id, state.dynptr.id)
    );
  if (fact.irq !== undefined)
    return state?.irq?.by === fact.irq.by && sameId(ids, 'reference', fact.irq.ref, state.irq.ref);
  const anything =
    fact.reg?.type === 'scalar' &&
    fact.reg.num.umax === 0xffff_ffff_ffff_ffffn &&
    fact.reg.num.mask === 0xffff_ffff_ffff_ffffn &&
    fact.reg.id === 0;
  if (anything)
    return state?.reg === undefined || state.reg.type === 'scalar' || fact.bytes[7] !== BYTE.spill;
  for (let i = 0; i < 8; i++) if (!byteHolds(fact, state, i)) return false;
  if (fact.reg === undefined || fact.bytes[0] !== BYTE.spill) return true;
  return state?.reg !== undefined && registerHolds(fact.reg, state.reg, ids);
}

function frameHolds(fact: Frame, state: Frame, ids: Ids): boolean {
  if (fact.subprog !== state.subprog || fact.callsite !== state.callsite) return false;
  for (let n = 0; n < 10; n++) if (!registerHolds(fact.regs[n]!, state.regs[n]!, ids)) return false;
  for (let i = 0; i < fact.stack.length; i++)
    if (!slotHolds(fact.stack[i], state.stack[i], ids)) return false;
  return true;
}

/** Everything that the fact says is so in the state. */
export function holdsIn(fact: State, state: State): boolean {
  if (fact.frames.length !== state.frames.length || fact.refs.length !== state.refs.length) return false;
  if (fact.rcu !== state.rcu || fact.preempt !== state.preempt) return false;
  const ids: Ids = new Map();
  for (const [i, ref] of fact.refs.entries()) {
    const other = state.refs[i]!;
    if (ref.kind !== other.kind || ref.owner !== other.owner) return false;
    if (!sameId(ids, 'reference', ref.id, other.id)) return false;
  }
  if ((fact.irq === 0) !== (state.irq === 0) || !sameId(ids, 'reference', fact.irq, state.irq)) return false;
  return fact.frames.every((frame, depth) => frameHolds(frame, state.frames[depth]!, ids));
}
