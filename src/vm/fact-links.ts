/**
 * The part of the check of a run against a verifier state that looks at several registers and slots together: those that are linked must
 * agree, and what the state says is held must be held.
 */
import { STACK_SIZE } from '../isa/insn.js';
import { BYTE, type Reg, type Slot, type State } from '../verifier/state/state.js';
import { highOf, joined, lowOf } from './state/address.js';
import { isInSlot, isReference } from './state/ledger.js';
import { CALLEE_SAVED, type MachineState } from './state/machine.js';

/** Which registers of an open frame are written, as bits. Registers of callers were saved when they made the call: r6 to r9. */
export function readableAt(machine: MachineState, depth: number): number {
  if (depth === machine.depth) return machine.readable;
  return machine.frames[depth + 1]!.savedReadable & CALLEE_SAVED;
}

/** The low half of a register of an open frame, signed; it is written. */
export function lowAt(machine: MachineState, depth: number, reg: number): number {
  return depth === machine.depth
    ? machine.words[2 * reg]!
    : lowOf(machine.frames[depth + 1]!.saved[reg - 6]!);
}

/** The high half of a register of an open frame, signed; it is written. */
export function highAt(machine: MachineState, depth: number, reg: number): number {
  return depth === machine.depth
    ? machine.words[2 * reg + 1]!
    : highOf(machine.frames[depth + 1]!.saved[reg - 6]!);
}

/** How many bytes of a slot are those of a spilled register. */
export function spilled({ bytes }: Slot): number {
  let count = 0;
  for (let i = 0; i < 8; i++) if (bytes[i] === BYTE.spill) count++;
  return count;
}

/**
 * Calls `look` for each written register and each spill of all frames of the state which `wanted` asks for, with the halves of its present
 * value. `place`: the number of the register, or of a spill its offset from the frame pointer. `below`: how many outer frames of the run the
 * state does not know.
 */
function everyPlace(
  state: State,
  below: number,
  machine: MachineState,
  wanted: (reg: Reg) => boolean,
  look: (reg: Reg, high: number, low: number, place: number) => void,
): void {
  for (let index = 0; index < state.frames.length; index++) {
    const { regs, stack } = state.frames[index]!;
    const depth = index + below;
    const readable = readableAt(machine, depth);
    for (let number = 0; number < regs.length; number++) {
      const reg = regs[number]!;
      if (reg.type !== 'uninit' && wanted(reg) && (readable & (1 << number)) !== 0)
        look(reg, highAt(machine, depth, number), lowAt(machine, depth, number), number);
    }
    for (let at = 0; at < stack.length; at++) {
      const slot = stack[at];
      if (slot?.reg === undefined || !wanted(slot.reg) || spilled(slot) !== 8) continue;
      const { view } = machine.memory.get(machine.stackOf(depth))!;
      const offset = STACK_SIZE - 8 * (at + 1);
      look(slot.reg, view.getInt32(offset + 4, true), view.getInt32(offset, true), -8 * (at + 1));
    }
  }
}

const placeName = (place: number): string => (place >= 0 ? `r${place}` : `fp${place}`);

const isLinked = (reg: Reg): boolean =>
  reg.type === 'scalar' ? reg.id !== 0 && reg.size !== 32 : reg.nullable;

/**
 * Registers and slots with the same id must agree in the run too. Linked numbers are equal, apart from constants that were added to them.
 * Linked pointers are all NULL or all not NULL. The verifier lets a check of one count for the others.
 */
export function linksAdmit(state: State, below: number, machine: MachineState): true | string {
  let numbers: Map<number, bigint> | undefined;
  let nulls: Map<number, boolean> | undefined;
  let answer: true | string = true;
  everyPlace(state, below, machine, isLinked, (reg, high, low, place) => {
    if (reg.type === 'scalar') {
      numbers ??= new Map();
      const base = BigInt.asUintN(64, joined(high, low) - BigInt(reg.off));
      const other = numbers.get(reg.id);
      if (other === undefined) numbers.set(reg.id, base);
      else if (other !== base) answer = `${placeName(place)} is not equal to what it is linked to`;
    } else {
      nulls ??= new Map();
      const isNull = high === 0 && low === 0;
      if (reg.id === 0) answer = `${placeName(place)} may be NULL and has no id`;
      const other = nulls.get(reg.id);
      if (other === undefined) nulls.set(reg.id, isNull);
      else if (other !== isNull)
        answer = `${placeName(place)} is ${other ? 'not ' : ''}NULL, unlike its copies`;
    }
  });
  return answer;
}

/** Compares what is held, by kind and count. References that turned out to be NULL are not held. */
export function heldAdmits(state: State, machine: MachineState): true | string {
  const { ledger } = machine;
  const { refs } = state;
  const { holds } = ledger;
  if (refs.length + holds.length > 0) {
    for (const kind of COUNTED) {
      let known = 0;
      for (const ref of refs) if (ref.kind === kind) known++;
      const held = ledger.depth(kind);
      if (known === held) continue;
      return kind === 'irq'
        ? `${held} IRQ states are saved, not ${known}`
        : `${held} locks of kind ${kind} are held, not ${known}`;
    }
  }
  let pointers = 0;
  for (const ref of refs) if (ref.kind === 'pointer' && !isNull(state, ref.id, machine)) pointers++;
  let held = 0;
  for (const hold of holds) if (isReference(hold) || isInSlot(hold)) held++;
  if (pointers !== held) return `${held} references are held, not ${pointers}`;
  const rcu = ledger.depth('rcu');
  if (rcu !== state.rcu) return `${rcu} RCU sections are open, not ${state.rcu}`;
  const preempt = ledger.depth('preempt');
  if (preempt !== state.preempt) return `preemption is disabled ${preempt} times, not ${state.preempt}`;
  return true;
}

const COUNTED = ['spin_lock', 'res_spin_lock', 'res_spin_lock_irqsave', 'irq'] as const;

/**
 * Whether the pointers of a reference are NULL in the run. Pointers that only derive from it, by a cast or as a slice, may be NULL while
 * it is held; these have ids of their own.
 */
function isNull(state: State, id: number, machine: MachineState): boolean {
  let isNull = false;
  let isSomewhere = false;
  everyPlace(
    state,
    0,
    machine,
    (reg) => reg.ref === id && (!reg.nullable || reg.id === id),
    (reg, high, low) => {
      if (reg.nullable && high === 0 && low === 0) isNull = true;
      else isSomewhere = true;
    },
  );
  return isNull && !isSomewhere;
}
