/**
 * Arguments that are objects on the stack: dynptrs, iterators, saved IRQ states. Follows process_dynptr_func,
 * process_iter_arg, process_irq_flag and the mark_stack_slots_* functions of kernel/bpf/verifier.c.
 */
import type { Arg, DynptrType, IterType } from '../../kernel/contract.js';
import { ITER_WORDS } from '../../kernel/structs.js';
import { checkPointerOffset } from '../insn/access.js';
import type { Path } from '../state/path.js';
import { EMPTY_SLOT } from '../state/path.js';
import { fixedOffset, hasFixedOffset, isNull, typeName, UNINIT } from '../state/regs.js';
import { checkFunctionWrite, destroyDynptrAt, slotOf, stackRange } from '../state/stack.js';
import type { ByteKind, DynptrSlot, IrqSlot, IterSlot, Reg, Slot } from '../state/state.js';
import { BYTE } from '../state/state.js';
import { refuse } from '../text/refusal.js';
import type { CallSite } from './call-site.js';

const all = (kind: ByteKind): ByteKind[] => Array.from({ length: 8 }, () => kind);

/**
 * Index of the slot at the lowest address of an object of `words` slots; refused if it does not lie whole in the frame. `so`: what that
 * means for the argument, as Linux says in a line of its own.
 */
function lowestSlot(reg: Reg, what: string, words: number, so: () => string): number {
  // Linux accepts a pointer to the frame's top for an object of one word, and then works on bytes above the frame. We refuse it.
  const wrong = (message: string): never => refuse(so(), message);
  if (hasFixedOffset(reg) && fixedOffset(reg) === 0) {
    const message = `cannot pass in ${what} at an offset=0`;
    if (words > 1) wrong(message);
    refuse(message);
  }
  if (!hasFixedOffset(reg)) wrong(`${what} has to be at a constant offset`);
  const off = fixedOffset(reg);
  if (off % 8 !== 0) wrong(`cannot pass in ${what} at an offset=${off}`);
  const index = slotOf(off);
  if (off < -512 || index - (words - 1) < 0) wrong(`cannot pass in ${what} at an offset=${off}`);
  return index;
}

// Dynptrs.

type DynptrArg = Extract<Arg, { kind: 'dynptr' }>;

/** The dynptr that this argument names; undefined if the slots do not hold one. */
export function dynptrAt(p: Path, reg: Reg): DynptrSlot | undefined {
  if (reg.type !== 'stack' || !hasFixedOffset(reg) || fixedOffset(reg) % 8 !== 0) return undefined;
  const slot = p.slot(reg.frame, slotOf(fixedOffset(reg)));
  return slot?.dynptr?.first === true ? slot.dynptr : undefined;
}

const DYNPTR_NAME: Record<DynptrType, string> = {
  local: 'local',
  ringbuf: 'ringbuf',
  skb: 'skb',
  xdp: 'xdp',
  skb_meta: 'skb_meta',
};

/**
 * Checks that an argument is a dynptr on the stack, or one that the kernel handed to a callback. `uninit`: the call makes it, so the
 * two slots are taken for it. Follows process_dynptr_func.
 */
export function checkDynptr(p: Path, site: CallSite, index: number, arg: DynptrArg): void {
  const reg = site.regs[index]!;
  if (arg.nullable === true && isNull(reg)) return;
  if (reg.type === 'dynptr') {
    checkPointerOffset(reg, index + 1, 'dynptr_ptr');
    if (arg.state === 'uninit') refuse('Dynptr has to be an uninitialized dynptr');
    if (arg.rdonly !== true) refuse('cannot pass pointer to const bpf_dynptr, the helper mutates it');
    return;
  }
  if (reg.type !== 'stack') {
    if (site.contract.kind === 'kfunc')
      refuse(`arg#${index} expected pointer to stack or const struct bpf_dynptr`);
    refuse(`R${index + 1} type=${typeName(reg)} expected=fp, dynptr_ptr`);
  }
  const lowest = lowestSlot(reg, 'dynptr', 2, () => {
    if (arg.state === 'uninit') return 'Dynptr has to be an uninitialized dynptr';
    if (arg.release === true) return `arg ${index + 1} is an unacquired reference`;
    return `Expected an initialized dynptr as arg #${index}`;
  });
  if (arg.state === 'uninit') {
    destroyDynptrAt(p, reg.frame, lowest);
    destroyDynptrAt(p, reg.frame, lowest - 1);
    checkFunctionWrite(p, reg, index + 1, 16);
    return;
  }
  const dynptr = dynptrAt(p, reg);
  if (dynptr === undefined) {
    if (arg.release === true) refuse(`arg ${index + 1} is an unacquired reference`);
    refuse(`Expected an initialized dynptr as arg #${index}`);
  }
  site.dynptrs?.set(index, dynptr);
  if (arg.release === true && dynptr.ref === 0) refuse(`arg ${index + 1} is an unacquired reference`);
  if (arg.type !== undefined && dynptr.type !== arg.type) {
    refuse(`Expected a dynptr of type ${DYNPTR_NAME[arg.type]} as arg #${index}`);
  }
}

/** The slots become a dynptr (mark_stack_slots_dynptr). */
export function makeDynptr(p: Path, reg: Reg, type: DynptrType, ref: number, id: number): void {
  const lowest = slotOf(fixedOffset(reg));
  p.setSlot(reg.frame, lowest, { bytes: all(BYTE.dynptr), dynptr: { type, id, ref, first: true } });
  p.setSlot(reg.frame, lowest - 1, { bytes: all(BYTE.dynptr), dynptr: { type, id, ref, first: false } });
}

/** Gives a dynptr back. Its clones, and all slices of it and of them, become invalid (unmark_stack_slots_dynptr). */
export function destroyDynptr(p: Path, reg: Reg): void {
  const { ref } = dynptrAt(p, reg)!;
  const ids = new Set<number>();
  for (let depth = 0; depth <= p.depth; depth++) {
    p.frameAt(depth).stack.forEach((slot, i) => {
      if (slot?.dynptr?.ref !== ref) return;
      ids.add(slot.dynptr.id);
      p.setSlot(depth, i, EMPTY_SLOT);
    });
  }
  p.releaseReference(ref);
  // Linux 6.18 forgets slices that kfuncs made, and still takes them for memory. Here they can no longer be used, not even as numbers.
  p.mapRegs((r) => (ids.has(r.dynptr) ? UNINIT : r));
}

// Iterators.

type IterArg = Extract<Arg, { kind: 'iter' }>;

/** The iterator's state as its lowest slot has it. */
export function iterAt(p: Path, reg: Reg): IterSlot | undefined {
  if (reg.type !== 'stack' || !hasFixedOffset(reg)) return undefined;
  const slot = p.slot(reg.frame, slotOf(fixedOffset(reg)));
  return slot?.iter?.first === true ? slot.iter : undefined;
}

/**
 * Checks that an argument is an iterator of the right type on the stack; for a constructor, that there is room for one and none yet.
 * Follows process_iter_arg.
 */
export function checkIter(p: Path, site: CallSite, index: number, arg: IterArg): void {
  const reg = site.regs[index]!;
  if (reg.type !== 'stack') refuse(`arg#${index} expected pointer to an iterator on stack`);
  const words = ITER_WORDS[arg.type];
  const lowest = lowestSlot(reg, 'iter', words, () => {
    const state = arg.state === 'uninit' ? 'uninitialized' : 'an initialized';
    return `expected ${state} iter_${arg.type} as arg #${index}`;
  });
  if (arg.state === 'uninit') {
    for (let i = lowest; i > lowest - words; i--) {
      if (p.slot(reg.frame, i)?.iter !== undefined)
        refuse(`expected uninitialized iter_${arg.type} as arg #${index}`);
    }
    checkFunctionWrite(p, reg, index + 1, words * 8);
    return;
  }
  const iter = iterAt(p, reg);
  let whole = iter !== undefined && iter.type === arg.type;
  for (let i = lowest; whole && i > lowest - words; i--)
    whole = p.slot(reg.frame, i)?.iter?.ref === iter?.ref;
  if (iter === undefined || !whole) refuse(`expected an initialized iter_${arg.type} as arg #${index}`);
  if (iter.stale || (iter.rcu && !p.inRcu)) refuse(`expected an RCU CS when using ${site.contract.name}`);
}

/** The slots become an iterator that must be destroyed (mark_stack_slots_iter). */
export function makeIter(p: Path, reg: Reg, type: IterType, at: number, rcu: boolean): void {
  const ref = p.newId();
  p.acquire({ id: ref, kind: 'pointer', at });
  const lowest = slotOf(fixedOffset(reg));
  const words = ITER_WORDS[type];
  for (let i = 0; i < words; i++) {
    const iter: IterSlot = { type, state: 'active', ref, depth: 0, first: i === 0, rcu };
    p.setSlot(reg.frame, lowest - i, { bytes: all(BYTE.iter), iter });
  }
}

/**
 * Sets the state of an iterator after a call of its next function. An `active` one is one round further (`depth`), which tells states
 * of different rounds apart.
 */
export function setIter(p: Path, reg: Reg, state: 'active' | 'drained'): void {
  const lowest = slotOf(fixedOffset(reg));
  const { type } = iterAt(p, reg)!;
  for (let i = lowest; i > lowest - ITER_WORDS[type]; i--) {
    const slot = p.slot(reg.frame, i)!;
    const iter = slot.iter!;
    p.setSlot(reg.frame, i, {
      ...slot,
      iter: { ...iter, state, depth: iter.depth + (state === 'active' ? 1 : 0) },
    });
  }
}

/** Empties the stack slots of an iterator and releases its reference. Follows unmark_stack_slots_iter. */
export function destroyIter(p: Path, reg: Reg): void {
  const { ref, type } = iterAt(p, reg)!;
  const lowest = slotOf(fixedOffset(reg));
  for (let i = lowest; i > lowest - ITER_WORDS[type]; i--) p.setSlot(reg.frame, i, EMPTY_SLOT);
  p.releaseReference(ref);
}

// Saved IRQ states.

/** The saved IRQ state that a register points at, undefined if there is none at that stack slot. */
export function irqAt(p: Path, reg: Reg): IrqSlot | undefined {
  if (reg.type !== 'stack' || !hasFixedOffset(reg)) return undefined;
  return p.slot(reg.frame, slotOf(fixedOffset(reg)))?.irq;
}

/**
 * Checks that an argument points to a stack slot with a saved IRQ state, or to one where the call may save one. Follows
 * process_irq_flag.
 */
export function checkIrqFlag(p: Path, site: CallSite, index: number, state: 'uninit' | 'init'): void {
  const reg = site.regs[index]!;
  if (reg.nullable || isNull(reg)) refuse(`Possibly NULL pointer passed to trusted arg${index}`);
  if (reg.type !== 'stack') refuse(`arg#${index} doesn't point to an irq flag on stack`);
  const lowest = lowestSlot(reg, 'irq_flag', 1, () => {
    const wanted = state === 'uninit' ? 'uninitialized' : 'an initialized';
    return `expected ${wanted} irq flag as arg#${index}`;
  });
  if (state === 'uninit') {
    if (p.slot(reg.frame, lowest)?.irq !== undefined)
      refuse(`expected uninitialized irq flag as arg#${index}`);
    // The slot is written only if flags are saved. If the lock cannot be taken, the slot stays as it was.
    stackRange(p, reg, index + 1, 0, 8, 'write to');
    return;
  }
  if (irqAt(p, reg) === undefined) refuse(`expected an initialized irq flag as arg#${index}`);
}

/**
 * Interrupts are off from here on, and the stack slot holds the saved state. `by`: a lock's state must be restored by that lock's
 * unlock. Follows mark_stack_slot_irq_flag.
 */
export function saveIrq(p: Path, reg: Reg, by: 'native' | 'lock', at: number): void {
  const ref = p.newId();
  p.acquire({ id: ref, kind: 'irq', at });
  p.irq = ref;
  const index = slotOf(fixedOffset(reg));
  destroyDynptrAt(p, reg.frame, index);
  const slot: Slot = { bytes: all(BYTE.irq), irq: { ref, by } };
  p.setSlot(reg.frame, index, slot);
}

/** Saved states are restored innermost first (release_irq_state). */
export function restoreIrq(p: Path, reg: Reg, by: 'native' | 'lock'): void {
  const { ref, by: savedBy } = irqAt(p, reg)!;
  if (savedBy !== by) {
    const name = { native: 'native', lock: 'lock' } as const;
    refuse(`irq flag acquired by ${name[savedBy]} kfuncs cannot be restored with ${name[by]} kfuncs`);
  }
  if (ref !== p.irq) {
    const innermost = p.findRef(p.irq);
    refuse(
      `cannot restore irq state out of order, expected id=${p.irq} acquired at insn_idx=${innermost?.at ?? -1}`,
    );
  }
  p.dropRef(ref);
  p.irq = p.refs.findLast((r) => r.kind === 'irq')?.id ?? 0;
  p.setSlot(reg.frame, slotOf(fixedOffset(reg)), EMPTY_SLOT);
}
