/**
 * What of a kept state has to hold for every path that it covers. A walk with precision ends a path at a state that may differ in numbers no check relied
 * on, and in stack slots nothing reads. Without these the state is true of all such paths.
 */
import { scalarReg, UNINIT, unknownReg } from '../state/regs.js';
import type { Frame, Reg, Slot, State } from '../state/state.js';
import { BYTE } from '../state/state.js';
import type { Code } from '../text/code.js';
import type { ExploredState } from './history.js';
import { liveRegs, liveSlots } from './live-places.js';

/** The state without registers that are dead at its insn. */
export function withoutDeadRegs(code: Code, slot: number, state: State): State {
  const frames = state.frames.map((frame, depth) => {
    const live = liveRegs(code, state, depth, slot);
    return { ...frame, regs: frame.regs.map((reg, n) => (n < 10 && (live & (1 << n)) === 0 ? UNINIT : reg)) };
  });
  return { ...state, frames };
}

/**
 * The state without what no path from it needs: numbers that no check relied on become any number, stack slots that nothing reads become unknown. To be
 * asked when the walk has ended: by then all marks are set.
 */
export function withoutUnneeded(code: Code, { slot, state, precise, readSlots }: ExploredState): State {
  const alive = liveSlots(code, state, slot);
  const frames = withoutDeadRegs(code, slot, state).frames.map((frame, depth): Frame => {
    const reads = readSlots?.[depth] ?? ALL;
    const counts = (i: number): boolean => isIn(alive[depth]!, i) && isIn(reads, i);
    return {
      ...frame,
      regs: frame.regs.map((reg, n) =>
        reg.type === 'scalar' && !precise.hasReg(depth, n) ? unknownReg : reg,
      ),
      stack: Array.from(frame.stack, (it, i) => {
        if (it === undefined || it.iter !== undefined || it.dynptr !== undefined || it.irq !== undefined)
          return it;
        if (!counts(i)) return undefined;
        return it.reg?.type === 'scalar' && !precise.hasSlot(depth, i) ? withoutNumber(it) : it;
      }),
    };
  });
  return withoutLoneIds({ ...state, frames });
}

const ALL = [-1, -1] as const;

const isIn = ([low, high]: readonly [number, number], i: number): boolean =>
  ((i < 32 ? low >> i : high >> (i - 32)) & 1) !== 0;

/** The slot with any number in place of the one that was spilled there. */
const withoutNumber = ({ bytes }: Slot): Slot => ({
  bytes: bytes.map((b) => (b === BYTE.spill ? BYTE.misc : b)),
});

/** An id that stands in one place only says nothing. It would ask for an id where another state has none. */
function withoutLoneIds(state: State): State {
  const counts = new Map<number, number>();
  const count = (reg: Reg | undefined): void => {
    if (reg !== undefined && reg.id !== 0) counts.set(reg.id, (counts.get(reg.id) ?? 0) + 1);
  };
  for (const { regs, stack } of state.frames) {
    regs.forEach(count);
    for (const slot of stack) count(slot?.reg);
  }
  const alone = (reg: Reg): Reg =>
    reg.type === 'scalar' && reg.id !== 0 && counts.get(reg.id) === 1 ? scalarReg(reg.num) : reg;
  const frames = state.frames.map((frame) => ({
    ...frame,
    regs: frame.regs.map(alone),
    stack: Array.from(frame.stack, (slot) =>
      slot?.reg === undefined || alone(slot.reg) === slot.reg ? slot : { ...slot, reg: alone(slot.reg) },
    ),
  }));
  return { ...state, frames };
}
