/** Tells which outcomes a call may have in a given state. The guards of the contract are evaluated on that state. */
import type { Contract, Guard, Outcome } from '../../kernel/contract.js';
import { isMapOfSockets } from '../../kernel/maptypes.js';
import type { Program } from '../../object/program.js';
import { isConst } from '../scalar/scalar.js';
import { fixedOffset, hasFixedOffset } from '../state/regs.js';
import { slotOf } from '../state/stack.js';
import type { Frame, Reg, Slot, State } from '../state/state.js';
import { BYTE, frameOf } from '../state/state.js';

/** The slot at `index` of the frame a stack pointer points into. */
type SlotAt = (reg: Reg, index: number) => Slot | undefined;

/**
 * Outcomes of `contract` that may happen when it is called in `state` (the state before the call insn). Never empty for a
 * state from an accepted program.
 */
export function enabledOutcomes(contract: Contract, program: Program, state: State): readonly Outcome[] {
  const frame: Frame = frameOf(state);
  return enabledIn(
    contract,
    program,
    frame.regs.slice(1, 6),
    (reg, index) => state.frames[reg.frame]?.stack[index],
  );
}

/** The same from argument registers. */
export function enabledIn(
  contract: Contract,
  program: Program,
  args: readonly Reg[],
  slotAt: SlotAt,
): readonly Outcome[] {
  const { outcomes } = contract;
  const left: number[] = [];
  for (let i = 0; i < outcomes.length; i++) {
    if (!isEnabled(outcomes[i]!, program, args, slotAt)) left.push(i);
  }
  return left.length === 0 ? outcomes : without(outcomes, left);
}

/** Sublists of each list of outcomes. The same choice always gives the same object, so that what follows from it is worked out once. */
const CHOSEN = new WeakMap<readonly Outcome[], Map<string, readonly Outcome[]>>();

function without(outcomes: readonly Outcome[], left: readonly number[]): readonly Outcome[] {
  let lists = CHOSEN.get(outcomes);
  if (lists === undefined) {
    lists = new Map();
    CHOSEN.set(outcomes, lists);
  }
  const key = left.join();
  let chosen = lists.get(key);
  if (chosen === undefined) {
    chosen = outcomes.filter((_, i) => !left.includes(i));
    lists.set(key, chosen);
  }
  return chosen;
}

function isEnabled(outcome: Outcome, program: Program, args: readonly Reg[], slotAt: SlotAt): boolean {
  if (outcome.guard !== undefined && !holds(outcome.guard, program, args, slotAt)) return false;
  for (const effect of outcome.effects) {
    // A drained iterator stays drained.
    if (effect.kind !== 'iter_next' || effect.to !== 'active') continue;
    const reg = args[effect.arg]!;
    if (reg.type !== 'stack' || !hasFixedOffset(reg)) continue;
    if (slotAt(reg, slotOf(fixedOffset(reg)))?.iter?.state === 'drained') return false;
  }
  return true;
}

function holds(guard: Guard, program: Program, args: readonly Reg[], slotAt: SlotAt): boolean {
  switch (guard.kind) {
    case 'key_may_miss': {
      const key = keyOfArray(program, args, slotAt);
      return key === undefined || key >= BigInt(program.maps[args[0]!.map]!.maxEntries);
    }
    case 'map_of_sockets':
      return isMapOfSockets(program.maps[args[0]!.map]) === guard.is;
    case 'not_owning':
      return args[guard.arg]!.ref === 0;
  }
}

/** The key of a lookup, if it is a constant and the map is an array. Such a key decides whether the lookup can miss. */
export function keyOfArray(program: Program, args: readonly Reg[], slotAt: SlotAt): bigint | undefined {
  const map = program.maps[args[0]!.map];
  if (map === undefined || (map.type !== 'array' && map.type !== 'percpu_array')) return undefined;
  return constantKey(args[1]!, map.keySize, slotAt);
}

/** The key, if it is a constant that the verifier tracks on the stack (get_constant_map_key of kernel/bpf/verifier.c). */
function constantKey(reg: Reg, keySize: number, slotAt: SlotAt): bigint | undefined {
  if (reg.type !== 'stack' || !hasFixedOffset(reg)) return undefined;
  const off = fixedOffset(reg);
  const slot = slotAt(reg, slotOf(off));
  if (slot === undefined) return undefined;
  const run = (kind: number): number => {
    let count = 0;
    while ((off & 7) + count < 8 && slot.bytes[(off & 7) + count] === kind) count++;
    return count;
  };
  if (run(BYTE.zero) >= keySize) return 0n;
  if (slot.reg?.type !== 'scalar' || run(BYTE.spill) !== keySize || !isConst(slot.reg.num)) return undefined;
  if (slot.cut === true) return undefined;
  return slot.reg.num.value;
}
