/** Registers and stack that a program does not need at some place: polls use them. */
import type { Accepted } from '../verifier/result.js';
import { frameOf } from '../verifier/state/state.js';

/** r0 to r5, the ones that need no saving first; then those that a function has to save for its caller. */
const ORDER = [0, 5, 4, 3, 2, 1, 9, 8, 7, 6];

/** Whether the register holds nothing that is needed before this slot. */
function isFree({ code, facts }: Accepted, slot: number, reg: number): boolean {
  if (((code.live[slot]! >> reg) & 1) === 0) return true;
  const visits = facts.at(slot);
  return visits.length > 0 && visits.every(({ state }) => frameOf(state).regs[reg]!.type === 'uninit');
}

/** A register that nobody reads before it is written again; r6 to r9 only where the function uses them anyway. Undefined: none. */
export function freeRegister(verified: Accepted, slot: number): number | undefined {
  return ORDER.find((reg) => isFree(verified, slot, reg) && (reg < 6 || usesRegister(verified, slot, reg)));
}

/** A register that holds something on every way to this slot, so that it can be saved. Undefined: none, or no way is known. */
export function savedRegister({ facts }: Accepted, slot: number): number | undefined {
  const visits = facts.at(slot);
  if (visits.length === 0) return undefined;
  return [5, 4, 3, 2, 1, 0, 9, 8, 7, 6].find((reg) =>
    visits.every(({ state }) => frameOf(state).regs[reg]!.type !== 'uninit'),
  );
}

/** r0 to r5 that are needed at this slot and hold something on every way there. */
export function neededRegisters({ code, facts }: Accepted, slot: number): readonly number[] {
  const visits = facts.at(slot);
  return [0, 1, 2, 3, 4, 5].filter(
    (reg) =>
      ((code.live[slot]! >> reg) & 1) !== 0 &&
      visits.length > 0 &&
      visits.every(({ state }) => frameOf(state).regs[reg]!.type !== 'uninit'),
  );
}

function usesRegister({ code }: Accepted, slot: number, reg: number): boolean {
  const start = code.subprogStart[slot];
  return code.ops.some(
    (op, at) => op !== undefined && code.subprogStart[at] === start && 'dst' in op && op.dst === reg,
  );
}

/** Bytes of stack that each function of a program uses in its own frame, by its first slot. */
export function stackDepths({ code, facts }: Accepted): ReadonlyMap<number, number> {
  const depths = new Map<number, number>();
  const note = (start: number, off: number): void => {
    if (off < 0) depths.set(start, Math.max(depths.get(start) ?? 0, -off));
  };
  code.ops.forEach((op, slot) => {
    if (op === undefined) return;
    const start = code.subprogStart[slot]!;
    if ((op.kind === 'ldx' || op.kind === 'load_acquire') && op.src === 10) note(start, op.off);
    if ('dst' in op && op.dst === 10 && 'off' in op) note(start, op.off);
    for (const { state } of facts.at(slot)) {
      // A register may point into any frame that is open, and what it points to may be used from there on.
      for (const frame of state.frames)
        for (const reg of frame.regs) {
          if (reg.type !== 'stack') continue;
          const owner = state.frames[reg.frame];
          const least = BigInt.asIntN(64, reg.num.smin);
          if (owner !== undefined) note(owner.subprog, reg.off + Number(least < -512n ? -512n : least));
        }
    }
  });
  return depths;
}
