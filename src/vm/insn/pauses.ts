/** Insns before which a run stops on its way. Only insns that the fast tier leaves to the definitional one can be among them: calls, exits. */
import type { MachineState } from '../state/machine.js';

/**
 * When a run pauses before an insn; `inCallback`: when the running frame is that of a callback of a kernel function, or a callback may run after
 * the program, which none does after a killed one.
 */
export const PAUSE = { never: 0, always: 1, inCallback: 2 } as const;

/** By slot: one of `PAUSE`. */
export type Pauses = Uint8Array;

/** Whether the run, which stands before the insn at `slot`, pauses there. */
export function pausesAt(machine: MachineState, slot: number, pauses: Pauses): boolean {
  const when = pauses[slot];
  if (when !== PAUSE.inCallback) return when === PAUSE.always;
  return machine.frame.helper !== undefined || machine.later.length > 0;
}
