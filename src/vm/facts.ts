/**
 * Checks whether the verifier's facts cover the state of a run. One visit of the insn must cover registers, stack, frames and what is
 * held. If none does, VM and verifier disagree.
 */
import { STACK_SIZE } from '../isa/insn.js';
import type { Facts } from '../verifier/result.js';
import { admits as scalarAdmits } from '../verifier/scalar/scalar.js';
import {
  type Frame as AbstractFrame,
  BYTE,
  type Reg,
  type Slot,
  type State,
} from '../verifier/state/state.js';
import { offsetOf, regionOf, showAddress } from './address.js';
import { isInSlot, isReference } from './ledger.js';
import { CALLEE_SAVED, type MachineState } from './machine.js';
import type { Region, RegionKind } from './memory.js';

/** True if some visit covers the state. Otherwise the reason why the last one does not: `r3: 7 is not in ...`. */
export function admits(facts: Facts, machine: MachineState): true | string {
  const visits = facts.at(machine.pc);
  if (visits.length === 0) return 'the verifier holds this insn to be unreachable';
  let why = '';
  for (const visit of visits) {
    const answer = stateAdmits(visit.state, machine);
    if (answer === true) return true;
    why = answer;
  }
  return visits.length === 1 ? why : `${visits.length} visits; of the last: ${why}`;
}

/**
 * Whether one verifier state covers the run as it is now. A global function is verified alone, so its states know nothing of its callers'
 * frames and of what the callers hold.
 */
export function stateAdmits(state: State, machine: MachineState): true | string {
  const below = machine.frames.length - state.frames.length;
  const alone = below > 0 && isGlobal(machine, state.frames[0]!.subprog);
  if (below !== 0 && !alone) return `${machine.frames.length} frames are open, not ${state.frames.length}`;
  if ((state.unwound === true) !== machine.unwound)
    return `the function that was called left ${machine.unwound ? 'by unwind_exit' : 'by exit'}`;
  for (let depth = state.frames.length - 1; depth >= 0; depth--) {
    const answer = frameAdmits(state, depth, below, machine);
    if (answer !== true) return state.frames.length === 1 ? answer : `frame ${depth}: ${answer}`;
  }
  const links = linksAdmit(state, below, machine);
  if (links !== true) return links;
  return alone ? true : heldAdmits(state, machine);
}

/**
 * Registers and slots with the same id must agree in the run too. Linked numbers are equal, apart from constants that were added to them.
 * Linked pointers are all NULL or all not NULL. The verifier lets a check of one count for the others.
 */
function linksAdmit(state: State, below: number, machine: MachineState): true | string {
  let numbers: Map<number, bigint> | undefined;
  let nulls: Map<number, boolean> | undefined;
  let answer: true | string = true;
  everyPlace(state, below, machine, (reg, value, place) => {
    if (reg.type === 'scalar') {
      if (reg.id === 0 || reg.size === 32) return;
      numbers ??= new Map();
      const base = BigInt.asUintN(64, value - BigInt(reg.off));
      const other = numbers.get(reg.id);
      if (other === undefined) numbers.set(reg.id, base);
      else if (other !== base) answer = `${placeName(place)} is not equal to what it is linked to`;
    } else if (reg.nullable) {
      nulls ??= new Map();
      if (reg.id === 0) answer = `${placeName(place)} may be NULL and has no id`;
      const other = nulls.get(reg.id);
      if (other === undefined) nulls.set(reg.id, value === 0n);
      else if (other !== (value === 0n))
        answer = `${placeName(place)} is ${other ? 'not ' : ''}NULL, unlike its copies`;
    }
  });
  return answer;
}

function isGlobal(machine: MachineState, start: number): boolean {
  return machine.code.program.subprogs.some((one) => one.start === start && one.linkage === 'global');
}

/** Which registers of an open frame are written, as bits. Registers of callers were saved when they made the call: r6 to r9. */
function readableAt(machine: MachineState, depth: number): number {
  if (depth === machine.depth) return machine.readable;
  return machine.frames[depth + 1]!.savedReadable & CALLEE_SAVED;
}

/** The value of a register of an open frame; it is written. */
function valueAt(machine: MachineState, depth: number, reg: number): bigint {
  return depth === machine.depth ? machine.regs[reg]! : machine.frames[depth + 1]!.saved[reg - 6]!;
}

/** Whether one frame of the state covers its frame of the run. `below`: how many outer frames the state does not know. */
function frameAdmits(state: State, index: number, below: number, machine: MachineState): true | string {
  const depth = index + below;
  const frame = state.frames[index]!;
  const open = machine.frames[depth]!;
  if (frame.subprog !== open.subprog) return `subprogram ${open.subprog} runs, not ${frame.subprog}`;
  if (frame.callsite !== open.callsite && (below === 0 || index > 0))
    return `called from ${open.callsite}, not from ${frame.callsite}`;
  // In a frame that waits for its callee only r6 to r9 count.
  const readable = readableAt(machine, depth);
  for (let reg = depth === machine.depth ? 0 : 6; reg <= 9; reg++) {
    const known = frame.regs[reg];
    if (known === undefined || known.type === 'uninit') continue;
    if ((readable & (1 << reg)) === 0)
      return `r${reg} was never written, though the verifier holds it to be ${known.type}`;
    const answer = regAdmits(known, valueAt(machine, depth, reg), machine, below);
    if (answer !== true) return `r${reg}: ${answer}`;
  }
  return stackAdmits(frame, depth, below, machine);
}

const REGION_OF: Readonly<Partial<Record<Reg['type'], readonly RegionKind[]>>> = {
  ctx: ['ctx'],
  map_ptr: ['map'],
  map_value: ['map_value'],
  map_key: ['map_key', 'stack'],
  stack: ['stack'],
  packet: ['packet'],
  packet_meta: ['packet'],
  packet_end: ['packet'],
  sock: ['sock', 'btf'],
  sock_common: ['sock', 'btf'],
  tcp_sock: ['sock', 'btf'],
  xdp_sock: ['sock', 'btf'],
  mem: ['mem', 'record', 'packet', 'map_value', 'stack'],
  flow_keys: ['mem'],
  buffer: ['mem'],
  record: ['record'],
  btf: ['btf', 'sock', 'object'],
  object: ['object'],
  func: ['func'],
};

/** Whether a value is one that the verifier expects in this register. */
export function regAdmits(reg: Reg, value: bigint, machine: MachineState, below = 0): true | string {
  if (reg.type === 'uninit') return true;
  if (reg.type === 'scalar')
    return scalarAdmits(reg.num, value) || `${value} is not among the values of ${range(reg)}`;
  if (value === 0n && reg.nullable) return true;
  const kinds = REGION_OF[reg.type];
  const number = regionOf(value);
  const region = machine.memory.get(number);
  if (kinds === undefined) return true;
  // An untrusted pointer may point anywhere.
  if (reg.type === 'btf' && (reg.trust === 'untrusted' || reg.trust === 'none')) return true;
  if (region === undefined || !kinds.includes(region.kind)) {
    return `${showAddress(value)} is ${region === undefined ? 'no region' : `a ${region.kind}`}, not a ${reg.type}`;
  }
  if (!machine.memory.isAlive(number))
    return `the ${region.kind} is gone, though the verifier holds the pointer to be good`;
  return placeAdmits(reg, value, region, machine, below);
}

function placeAdmits(
  reg: Reg,
  value: bigint,
  region: Region,
  machine: MachineState,
  below: number,
): true | string {
  const number = regionOf(value);
  const offset = offsetOf(value);
  if (reg.map >= 0 && region.map >= 0 && reg.map !== region.map)
    return `it points into map ${region.map}, not ${reg.map}`;
  switch (reg.type) {
    case 'stack':
      if (number !== machine.stackOf(reg.frame + below))
        return `it points into another frame's stack than ${reg.frame}`;
      return variable(reg, offset - STACK_SIZE);
    case 'packet':
      return packet(reg, offset - machine.packet.data, machine.packet.end - machine.packet.data);
    case 'packet_meta':
      return packet(reg, offset - machine.packet.meta, machine.packet.data - machine.packet.meta);
    case 'packet_end':
      return offset === machine.packet.end || 'it is not the end of the packet';
    case 'mem':
      // A slice may start anywhere inside its dynptr's memory.
      return true;
    case 'func':
      return true;
    default:
      return variable(reg, offset);
  }
}

/** Whether the offset minus the constant part is a value of the register's variable part. */
function variable(reg: Reg, offset: number): true | string {
  const rest = BigInt.asUintN(64, BigInt(offset - reg.off));
  return scalarAdmits(reg.num, rest) || `its offset ${offset} is not ${reg.off} plus ${range(reg)}`;
}

/** As `variable`. Also, the packet must have all bytes that the verifier counts as checked. */
function packet(reg: Reg, offset: number, length: number): true | string {
  const place = variable(reg, offset);
  // A pointer that was never compared with the packet's end may lie beyond it.
  if (place !== true || reg.range <= 0) return place;
  const checked = offset - reg.off + reg.range;
  return checked <= length || `${checked} bytes of the packet count as checked, it has ${length}`;
}

function range(reg: Reg): string {
  const { smin, smax, umin, umax, value, mask } = reg.num;
  return `[${smin}, ${smax}] / [${umin}, ${umax}] / (0x${value.toString(16)}; 0x${mask.toString(16)})`;
}

function stackAdmits(
  frame: AbstractFrame,
  depth: number,
  below: number,
  machine: MachineState,
): true | string {
  const region = machine.memory.get(machine.stackOf(depth))!;
  for (let index = 0; index < frame.stack.length; index++) {
    const slot = frame.stack[index];
    if (slot === undefined) continue;
    const answer = slotAdmits(slot, STACK_SIZE - 8 * (index + 1), region, machine, below);
    if (answer !== true) return `fp-${8 * (index + 1)}: ${answer}`;
  }
  return true;
}

function slotAdmits(
  slot: Slot,
  at: number,
  region: Region,
  machine: MachineState,
  below: number,
): true | string {
  for (let i = 0; i < 8; i++) {
    const kind = slot.bytes[i];
    if (kind === BYTE.zero && region.bytes[at + i] !== 0) return `byte ${i} is not zero`;
    // Only the strict profile tells bytes that were never written from bytes with unknown contents.
    const any = kind === BYTE.invalid || (kind === BYTE.misc && !machine.memory.strict);
    if (!any && region.shadow?.[at + i] === 0) return `byte ${i} was never written`;
  }
  const count = slot.reg === undefined ? 0 : spilled(slot);
  if (slot.reg !== undefined && count > 0) {
    if (count === 8) return regAdmits(slot.reg, region.view.getBigUint64(at, true), machine, below);
    const first = slot.bytes.indexOf(BYTE.spill);
    if (slot.reg.type === 'scalar' && (count === 4 || count === 2 || count === 1)) {
      let value = 0n;
      for (let i = count - 1; i >= 0; i--) value = (value << 8n) | BigInt(region.bytes[at + first + i]!);
      return regAdmits(slot.reg, value, machine, below);
    }
    return true;
  }
  const object = region.objects?.get(at);
  if (slot.dynptr?.first && object?.kind !== 'dynptr') return 'there is no dynptr';
  if (slot.iter?.first) {
    if (object?.kind !== 'iter') return 'there is no iterator';
    if (object.type !== slot.iter.type) return `the iterator is over ${object.type}, not ${slot.iter.type}`;
    if (slot.iter.state === 'drained' && object.state !== 'drained') return 'the iterator has more to come';
  }
  if (slot.irq !== undefined && object?.kind !== 'irq') return 'there is no saved IRQ state';
  return true;
}

/** How many bytes of a slot are those of a spilled register. */
function spilled({ bytes }: Slot): number {
  let count = 0;
  for (let i = 0; i < 8; i++) if (bytes[i] === BYTE.spill) count++;
  return count;
}

/** Compares what is held, by kind and count. References that turned out to be NULL are not held. */
function heldAdmits(state: State, machine: MachineState): true | string {
  const { ledger } = machine;
  const { refs } = state;
  for (const kind of refs.length + ledger.holds.length === 0 ? [] : COUNTED) {
    let known = 0;
    for (const ref of refs) if (ref.kind === kind) known++;
    const held = ledger.depth(kind);
    if (known === held) continue;
    return kind === 'irq'
      ? `${held} IRQ states are saved, not ${known}`
      : `${held} locks of kind ${kind} are held, not ${known}`;
  }
  let pointers = 0;
  for (const ref of refs) if (ref.kind === 'pointer' && !isNull(state, ref.id, machine)) pointers++;
  let held = 0;
  for (const hold of ledger.holds) if (isReference(hold) || isInSlot(hold)) held++;
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
  everyPlace(state, 0, machine, (reg, value) => {
    if (reg.ref !== id || (reg.nullable && reg.id !== id)) return;
    if (reg.nullable && value === 0n) isNull = true;
    else isSomewhere = true;
  });
  return isNull && !isSomewhere;
}

/**
 * Calls `look` for each written register and each spill of all frames of the state, with its present value. `place`: the number of the
 * register, or of a spill its offset from the frame pointer. `below` as for `frameAdmits`.
 */
function everyPlace(
  state: State,
  below: number,
  machine: MachineState,
  look: (reg: Reg, value: bigint, place: number) => void,
): void {
  for (let index = 0; index < state.frames.length; index++) {
    const { regs, stack } = state.frames[index]!;
    const depth = index + below;
    const readable = readableAt(machine, depth);
    for (let number = 0; number < regs.length; number++) {
      const reg = regs[number]!;
      if (reg.type !== 'uninit' && (readable & (1 << number)) !== 0)
        look(reg, valueAt(machine, depth, number), number);
    }
    const region = machine.memory.get(machine.stackOf(depth))!;
    for (let at = 0; at < stack.length; at++) {
      const slot = stack[at];
      if (slot?.reg === undefined || spilled(slot) !== 8) continue;
      look(slot.reg, region.view.getBigUint64(STACK_SIZE - 8 * (at + 1), true), -8 * (at + 1));
    }
  }
}

const placeName = (place: number): string => (place >= 0 ? `r${place}` : `fp${place}`);
