/** What a loop without an end leaves as it is: the values that were the same at two visits of one insn, so that it would go on for ever. */
import { statesMaybeLooping } from '../walk/looping.js';
import { sameCallsites } from '../walk/states-equal.js';
import type { Walk } from '../walk/walk.js';
import { valueInWords } from './value.js';

/** A register, or a stack slot with a spilled value, and its value at both visits. */
export interface SameValue {
  /** `R1`, `fp-8`. */
  readonly place: string;
  readonly value: string;
}

/** The values of the running frame where a path has come to the same insn in the same state. Empty where it has not. */
export function sameAtBothVisits(walk: Walk): SameValue[] {
  const now = walk.path.peek();
  for (let old = walk.parent; old !== undefined; old = old.parent) {
    const { slot, state } = old;
    if (slot !== walk.slot || !sameCallsites(state, now) || !statesMaybeLooping(state, now)) continue;
    const { regs, stack } = walk.path.frame;
    const { program } = walk;
    const inRegs = regs.slice(0, 10).flatMap((reg, n): SameValue[] => {
      if (reg.type === 'uninit') return [];
      return [{ place: `R${n}`, value: valueInWords(reg, program) }];
    });
    const spilled = stack.flatMap((one, index): SameValue[] => {
      if (one?.reg === undefined || one.reg.type === 'uninit') return [];
      return [{ place: `fp-${8 * (index + 1)}`, value: valueInWords(one.reg, program) }];
    });
    return [...inRegs, ...spilled];
  }
  return [];
}
