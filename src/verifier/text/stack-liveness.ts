/**
 * Which stack slots are live: read on some path from an insn before they are written in full. Where paths meet the walk forgets dead slots,
 * so that two states that differ only in dead slots are equal. Plays the part of kernel/bpf/liveness.c, but is computed before the walk,
 * so that facts do not mention dead slots either.
 */
import type { Program } from '../../object/program.js';
import { type Shape, stackAccesses } from './stack-accesses.js';

/** The slots that are live before the insn at each slot of the program, in the frame that runs it: slots 0 to 31, and 32 to 63, one bit each. */
export function liveStack(program: Program, shape: Shape): readonly [Int32Array, Int32Array] {
  const { ops, subprogStart, next } = shape;
  const { reads, writes, escaped } = stackAccesses(program, shape);
  const lows = new Int32Array(ops.length);
  const highs = new Int32Array(ops.length);
  for (let changed = true; changed; ) {
    changed = false;
    for (let at = ops.length - 1; at >= 0; at--) {
      if (ops[at] === undefined) continue;
      let low = -1;
      let high = -1;
      if (!escaped.has(subprogStart[at]!)) {
        [low, high] = [0, 0];
        for (const after of next[at]!) {
          low |= lows[after] ?? 0;
          high |= highs[after] ?? 0;
        }
        low = (low & ~writes[2 * at]!) | reads[2 * at]!;
        high = (high & ~writes[2 * at + 1]!) | reads[2 * at + 1]!;
      }
      if (low === lows[at] && high === highs[at]) continue;
      lows[at] = low;
      highs[at] = high;
      changed = true;
    }
  }
  return [lows, highs];
}
