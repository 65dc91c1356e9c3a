/**
 * Which stack slots are live: read on some path from an insn before they are written in full. Where paths meet the walk forgets dead slots,
 * so that two states that differ only in dead slots are equal. Plays the part of kernel/bpf/liveness.c, but is computed before the walk,
 * so that facts do not mention dead slots either.
 */
import type { Program } from '../../object/program.js';
import { type Shape, type SlotSet, stackAccesses } from './stack-accesses.js';
import { successors } from './successors.js';

const ALL_SLOTS: SlotSet = (1n << 64n) - 1n;

/** The slots that are live before the insn at each slot of the program, in the frame that runs it. */
export function liveStack(program: Program, shape: Shape): readonly SlotSet[] {
  const { ops, subprogStart } = shape;
  const { at: accesses, escaped } = stackAccesses(program, shape);
  const live: SlotSet[] = ops.map(() => 0n);
  for (let changed = true; changed; ) {
    changed = false;
    for (let at = ops.length - 1; at >= 0; at--) {
      const op = ops[at];
      if (op === undefined) continue;
      let out = 0n;
      for (const next of successors(op, at)) out |= live[next] ?? 0n;
      const access = accesses.get(at);
      const now = escaped.has(subprogStart[at]!)
        ? ALL_SLOTS
        : access === undefined
          ? out
          : (out & ~access.writes) | access.reads;
      if (now !== live[at]) {
        live[at] = now;
        changed = true;
      }
    }
  }
  return live;
}
