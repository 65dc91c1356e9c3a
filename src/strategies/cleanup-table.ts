/**
 * Tables that say, for an insn, where in each open frame something lies that must be given back: made from the verifier's facts, used by whoever
 * ends a run there. An entry names a register or a stack slot, so what it releases is whatever lies there at run time.
 */
import { STACK_SIZE } from '../isa/insn.js';
import { fixedOffset, hasFixedOffset, isPointer, ownedRef } from '../verifier/state/regs.js';
import { BYTE, type Frame, type Ref, type Reg, type State } from '../verifier/state/state.js';
import { disown, rootOf } from '../vm/call/effects.js';
import { regionOf } from '../vm/state/address.js';
import type { Code } from '../vm/state/code.js';
import { type HoldKind, isLock } from '../vm/state/ledger.js';
import type { MachineState } from '../vm/state/machine.js';
import { kindOfRef } from './held.js';
import { release } from './release.js';

/** Where something lies in a frame: a register, or a stack slot by its offset from the frame's top (negative, a multiple of 8). */
export type Place = { readonly reg: number } | { readonly stack: number };

/** One thing that must be given back. */
export interface Entry {
  readonly place: Place;
  /** `slot`: a dynptr or an iterator; `lock`: the place holds the address of what the lock is in. */
  readonly as: 'pointer' | 'slot' | 'lock';
  readonly kind: HoldKind;
}

/** Entries by the insn that the frame stands at: the one to be run, or the call that is open. */
export type CleanupTable = ReadonlyMap<number, readonly Entry[]>;

/** Bytes of an entry, and of what is kept for a frame that has entries: measured of the exceptions series, and of KFlex. */
const ENTRY_BYTES = 24;

/** Memory for the whole program, from its load on: each entry, and each frame that has any, costs the same. */
export function tableBytes(table: CleanupTable): number {
  return [...table.values()].reduce(
    (sum, { length }) => sum + (length === 0 ? 0 : ENTRY_BYTES * (1 + length)),
    0,
  );
}

/** A place as a key that equal places share. */
export const placeKey = (place: Place): string => ('reg' in place ? `r${place.reg}` : `fp${place.stack}`);

/** Slot that the frame at a depth stands at, in a state before the insn at `slot`. */
export const standsAt = (state: State, depth: number, slot: number): number =>
  state.frames[depth + 1]?.callsite ?? slot;

/** Where in a state each thing lies that is held; of several copies the first, from the running frame outwards, stack before registers. */
export function locate(
  state: State,
  code: Code,
  registers: readonly number[],
): ReadonlyMap<Ref, { readonly depth: number; readonly entry: Entry } | undefined> {
  return new Map(
    state.refs.filter(({ kind }) => kind !== 'irq').map((ref) => [ref, placeOf(ref, state, code, registers)]),
  );
}

function placeOf(
  ref: Ref,
  { frames }: State,
  code: Code,
  registers: readonly number[],
): { readonly depth: number; readonly entry: Entry } | undefined {
  const kind = kindOfRef(ref, code);
  for (let depth = frames.length - 1; depth >= 0; depth--) {
    const found = inFrame(ref, kind, frames[depth]!, depth === frames.length - 1 ? registers : [6, 7, 8, 9]);
    if (found !== undefined) return { depth, entry: found };
  }
  return undefined;
}

function inFrame(ref: Ref, kind: HoldKind, frame: Frame, registers: readonly number[]): Entry | undefined {
  const inSlots = kind === 'iterator' || kind === 'dynptr' || kind === 'null_dynptr';
  for (const [index, slot] of frame.stack.entries()) {
    if (slot === undefined) continue;
    const place = { stack: -8 * (index + 1) };
    const object = slot.dynptr ?? slot.iter;
    if (inSlots && object?.first === true && object.ref === ref.id) return { place, as: 'slot', kind };
    const spilled = slot.reg !== undefined && slot.bytes[0] === BYTE.spill;
    if (spilled && leadsTo(slot.reg!, ref, inSlots)) return entryOf(place, ref, kind);
  }
  const reg = registers.find((number) => leadsTo(frame.regs[number]!, ref, inSlots));
  return reg === undefined ? undefined : entryOf({ reg }, ref, kind);
}

const entryOf = (place: Place, { kind }: Ref, what: HoldKind): Entry => ({
  place,
  as: kind === 'pointer' ? 'pointer' : 'lock',
  kind: what,
});

/** Whether a register holds the pointer to be given back, or the address of what the lock is in. */
function leadsTo(reg: Reg, ref: Ref, inSlots: boolean): boolean {
  if (inSlots || !isPointer(reg) || !hasFixedOffset(reg)) return false;
  if (ref.kind === 'pointer') return ownedRef(reg) === ref.id && fixedOffset(reg) === 0;
  const owner =
    reg.type === 'map_value' ? `map ${reg.map}` : reg.type === 'object' ? `object ${reg.struct}` : '';
  return owner === ref.owner && reg.id === ref.id;
}

/** Gives back all that the tables say of the open frames, from the running one outwards. `by`: who does it, for messages. */
export function cleanUp(machine: MachineState, table: CleanupTable, by: string): void {
  for (let depth = machine.depth; depth >= 0; depth--) {
    const at = depth === machine.depth ? machine.pc : machine.frames[depth + 1]!.callsite;
    for (const entry of table.get(at) ?? []) cleanUpEntry(machine, depth, entry, by);
  }
}

function cleanUpEntry(machine: MachineState, depth: number, { place, as, kind }: Entry, by: string): void {
  const { ledger } = machine;
  const name = placeKey(place);
  if (as === 'slot') {
    const offset = STACK_SIZE + ('stack' in place ? place.stack : 0);
    const hold = ledger.holds.find((one) => one.region === machine.stackOf(depth) && one.offset === offset);
    // A slot object that was moved on is found by its hold.
    const object = machine.memory.get(machine.stackOf(depth))?.objects?.get(offset);
    const own = hold ?? ledger.holds.find((one) => object?.kind !== 'irq' && one.id === object?.hold);
    if (own !== undefined) release(machine, own);
    else machine.report('misuse', `${by} gives back ${kind} at ${name}, which is not held`);
    return;
  }
  const value = valueAt(machine, depth, place);
  if (value === 0n) return;
  const region = rootOf(machine, regionOf(value));
  const held =
    as === 'lock'
      ? ledger.holds.findLast((one) => isLock(one) && one.region === region)
      : ledger.reference(region);
  if (held === undefined) {
    machine.report('misuse', `${by} takes what is in ${name} for ${kind} and gives it back; it is none`);
    return;
  }
  ledger.drop(held.id);
  if (as === 'pointer') disown(machine, region);
}

function valueAt(machine: MachineState, depth: number, place: Place): bigint {
  if ('stack' in place) {
    const stack = machine.memory.get(machine.stackOf(depth))!;
    return stack.view.getBigUint64(STACK_SIZE + place.stack, true);
  }
  return depth === machine.depth
    ? machine.regs[place.reg]!
    : machine.frames[depth + 1]!.saved[place.reg - 6]!;
}
