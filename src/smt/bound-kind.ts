/** What bounds a killed run: a number of insns, a time, or nothing. */
import type { Cost } from './cost.js';

export type BoundKind = 'exact' | 'time-limited' | 'unbounded';

/** What bounds a run of this cost: time, as soon as there is any; nothing, where insns or milliseconds are without end. */
export function boundKindOf({ insns, ms }: Cost): BoundKind {
  if (!Number.isFinite(insns) || !Number.isFinite(ms)) return 'unbounded';
  return ms > 0 ? 'time-limited' : 'exact';
}
