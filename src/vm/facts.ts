/**
 * Checks whether the verifier's facts cover the state of a run. One visit of the insn must cover registers, stack, frames and what is
 * held. If none does, VM and verifier disagree.
 */
import { STACK_SIZE } from '../isa/insn.js';
import type { Facts } from '../verifier/result.js';
import { constant, admits as scalarAdmits, unknown } from '../verifier/scalar/scalar.js';
import {
  type Frame as AbstractFrame,
  BYTE,
  type Reg,
  type Slot,
  type State,
} from '../verifier/state/state.js';
import type { Visit } from '../verifier/walk/visit.js';
import { heldAdmits, highAt, linksAdmit, lowAt, readableAt, spilled } from './fact-links.js';
import { joined, offsetAt, regionAt, showAddress } from './state/address.js';
import type { MachineState } from './state/machine.js';
import type { Region, RegionKind } from './state/memory.js';

/**
 * Checks one run after the other insn against facts. The visit that covers a state leads, as a rule, to the one that covers the next state, so that
 * one is tried first.
 */
export class FactCheck {
  private last: Visit | undefined;

  constructor(private readonly facts: Facts) {}

  /** True if some visit covers the state. Otherwise the reason why the last one does not: `r3: 7 is not in ...`. */
  admits(machine: MachineState): true | string {
    const visits = this.facts.at(machine.pc);
    if (visits.length === 0) return 'the verifier holds this insn to be unreachable';
    const first = visits.length === 1 ? undefined : this.following(visits);
    const ofFirst = first === undefined ? '' : stateAdmits(first.state, machine);
    if (ofFirst === true) {
      this.last = first;
      return true;
    }
    let why = '';
    for (const visit of visits) {
      const answer = visit === first ? ofFirst : stateAdmits(visit.state, machine);
      if (answer === true) {
        this.last = visit;
        return true;
      }
      why = answer;
    }
    return visits.length === 1 ? why : `${visits.length} visits; of the last: ${why}`;
  }

  /** The first of these visits that may follow the last one. */
  private following(visits: readonly Visit[]): Visit | undefined {
    const { last } = this;
    if (last === undefined) return undefined;
    const { graph } = this.facts;
    const count = graph.countNext(last.node);
    for (let nth = 0; nth < count; nth++) {
      const next = graph.visit(graph.nthNext(last.node, nth));
      if (visits.includes(next)) return next;
    }
    return undefined;
  }
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

function isGlobal(machine: MachineState, start: number): boolean {
  return machine.code.program.subprogs.some((one) => one.start === start && one.linkage === 'global');
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
    const answer = regAdmits(known, highAt(machine, depth, reg), lowAt(machine, depth, reg), machine, below);
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

/** Whether a value, by its halves, is one that the verifier expects in this register. */
function regAdmits(reg: Reg, high: number, low: number, machine: MachineState, below: number): true | string {
  if (reg.type === 'uninit') return true;
  if (reg.type === 'scalar') {
    if (reg.num === unknown) return true;
    const value = joined(high, low);
    return scalarAdmits(reg.num, value) || `${value} is not among the values of ${range(reg)}`;
  }
  if (reg.nullable && low === 0 && high === 0) return true;
  const kinds = REGION_OF[reg.type];
  if (kinds === undefined) return true;
  // An untrusted pointer may point anywhere.
  if (reg.type === 'btf' && (reg.trust === 'untrusted' || reg.trust === 'none')) return true;
  const number = regionAt(high, low);
  const region = machine.memory.get(number);
  if (region === undefined || !kinds.includes(region.kind)) {
    return `${showAddress(joined(high, low))} is ${region === undefined ? 'no region' : `a ${region.kind}`}, not a ${reg.type}`;
  }
  if (!machine.memory.isAlive(number))
    return `the ${region.kind} is gone, though the verifier holds the pointer to be good`;
  return placeAdmits(reg, number, offsetAt(high, low), region, machine, below);
}

function placeAdmits(
  reg: Reg,
  number: number,
  offset: number,
  region: Region,
  machine: MachineState,
  below: number,
): true | string {
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

/** Nearly all pointers have no variable part. */
const NO_VARIABLE_PART = constant(0n);

/** Whether the offset minus the constant part is a value of the register's variable part. */
function variable(reg: Reg, offset: number): true | string {
  if (reg.num === NO_VARIABLE_PART && offset === reg.off) return true;
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
    if (count === 8) {
      const { view } = region;
      return regAdmits(slot.reg, view.getInt32(at + 4, true), view.getInt32(at, true), machine, below);
    }
    const first = slot.bytes.indexOf(BYTE.spill);
    if (slot.reg.type === 'scalar' && (count === 4 || count === 2 || count === 1)) {
      let value = 0;
      for (let i = count - 1; i >= 0; i--) value = (value << 8) | region.bytes[at + first + i]!;
      return regAdmits(slot.reg, 0, value, machine, below);
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
