/** Which outcomes of a function can happen at a call: guards over the situation at hand, or over the verifier's facts for the site. */
import type { Contract, Guard, Outcome } from '../kernel/contract.js';
import type { Program } from '../object/program.js';
import type { Facts } from '../verifier/result.js';
import { isConst } from '../verifier/scalar.js';
import { BYTE, type Frame, frameOf, type Reg, type State } from '../verifier/state.js';
import { regionOf } from './address.js';
import type { Call } from './call.js';

/** The outcomes whose guard holds right now. A key in range of an array is found, an owned object can be had once more. */
export function possible(call: Call): readonly Outcome[] {
  return call.contract.outcomes.filter(
    (outcome) => outcome.guard === undefined || holdsNow(call, outcome.guard),
  );
}

function holdsNow(call: Call, guard: Guard): boolean {
  if (guard.kind === 'not_owning') {
    return call.world.ledger.reference(regionOf(call.arg(guard.arg))) === undefined;
  }
  const index = call.map(0);
  const map = call.world.code.program.maps[index]!;
  if (map.type !== 'array' && map.type !== 'percpu_array') return true;
  const key = call.world.bytesAt(call.arg(1), 4);
  return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, true) >= map.maxEntries;
}

/**
 * Names of the outcomes that are possible in every state that reaches a site; undefined when no state does. Follows
 * check_helper_call and get_constant_map_key of kernel/bpf/verifier.c.
 */
export function enabledBy(
  program: Program,
  facts: Facts,
  contract: Contract,
  slot: number,
): readonly string[] | undefined {
  const visits = facts.at(slot);
  if (visits.length === 0) return undefined;
  return contract.outcomes
    .filter((outcome) => {
      const guard = outcome.guard;
      return guard === undefined || visits.every((visit) => holdsIn(program, visit.state, guard));
    })
    .map((outcome) => outcome.name);
}

function holdsIn(program: Program, state: State, guard: Guard): boolean {
  const frame = frameOf(state);
  if (guard.kind === 'not_owning') {
    const reg = frame.regs[guard.arg + 1];
    return reg === undefined || reg.ref === 0 || reg.nonOwning;
  }
  const map = program.maps[frame.regs[1]?.map ?? -1];
  if (map === undefined || (map.type !== 'array' && map.type !== 'percpu_array')) return true;
  const key = constantKey(state, frame.regs[2]);
  return key === undefined || key >= map.maxEntries;
}

/** The 32-bit number that is known to lie where a stack pointer points. */
function constantKey(state: State, pointer: Reg | undefined): number | undefined {
  if (pointer?.type !== 'stack' || !isConst(pointer.num)) return undefined;
  const at = pointer.off + Number(BigInt.asIntN(64, pointer.num.value));
  const frame: Frame | undefined = state.frames[pointer.frame];
  const slot = frame?.stack[Math.floor((-at - 1) / 8)];
  if (slot === undefined) return undefined;
  const start = ((at % 8) + 8) % 8;
  const kinds = slot.bytes.slice(start, start + 4);
  if (kinds.length === 4 && kinds.every((kind) => kind === BYTE.zero)) return 0;
  if (slot.reg?.type !== 'scalar' || !isConst(slot.reg.num) || !kinds.every((kind) => kind === BYTE.spill))
    return undefined;
  const shift = BigInt(spillShift(slot.bytes, start)) * 8n;
  return Number((slot.reg.num.value >> shift) & 0xffff_ffffn);
}

/** How many bytes into the spilled value a byte of the slot lies. A narrow spill lies at the slot's high end. */
function spillShift(bytes: readonly number[], start: number): number {
  return start - bytes.indexOf(BYTE.spill);
}
