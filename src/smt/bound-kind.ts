/** What bounds a killed run: a number of insns, a time, or nothing. */
import type { Cost } from './cost.js';

export type BoundKind = 'exact' | 'time-limited' | 'unbounded';

/** The kind of a cost. */
export function boundKindOf({ insns, ms }: Cost): BoundKind {
  if (!Number.isFinite(insns) || !Number.isFinite(ms)) return 'unbounded';
  return ms > 0 ? 'time-limited' : 'exact';
}
