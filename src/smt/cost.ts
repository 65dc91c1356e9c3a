/** The most that a part of a killed run takes: insns, and the time of loops that end by the clock. The two are separate maxima. */

export interface Cost {
  /** Insns, beside those that run within the time. Infinity: there is no bound. */
  readonly insns: number;
  /** Milliseconds in loops that are ended by time. */
  readonly ms: number;
}

/**
 * The cost from some place to the exit. The time of frames that are still open there is kept apart, because all loops of a frame share
 * its time.
 */
export interface CostFrom extends Cost {
  /** By the calls that led to the frame, milliseconds. Not in `ms`. */
  readonly open: ReadonlyMap<string, number>;
}

const NONE: ReadonlyMap<string, number> = new Map();
export const NOTHING: CostFrom = { insns: 0, ms: 0, open: NONE };

/** Whether a frame is the one in which `chain` ends, or one around it. Chains are call sites, outermost first, with blanks between. */
export const isAround = (frame: string, chain: string): boolean =>
  frame === chain || chain.startsWith(`${frame} `);

const larger = (a: CostFrom['open'], b: CostFrom['open']): CostFrom['open'] => {
  if (b.size === 0) return a;
  if (a.size === 0) return b;
  const both = new Map(a);
  for (const [frame, ms] of b) both.set(frame, Math.max(ms, both.get(frame) ?? 0));
  return both;
};

/** One after the other; a frame that is open in both is the same frame. */
export function plus(a: CostFrom, b: CostFrom): CostFrom {
  if (a === NOTHING) return b;
  if (b === NOTHING) return a;
  return { insns: a.insns + b.insns, ms: a.ms + b.ms, open: larger(a.open, b.open) };
}

/** The greater of both, for a choice of two paths. */
export function most(a: CostFrom, b: CostFrom): CostFrom {
  const open = larger(a.open, b.open);
  // Of most pairs one is the greater in everything.
  if (open === a.open && a.insns >= b.insns && a.ms >= b.ms) return a;
  if (open === b.open && b.insns >= a.insns && b.ms >= a.ms) return b;
  return { insns: Math.max(a.insns, b.insns), ms: Math.max(a.ms, b.ms), open };
}

/** The cost repeated `times` times. No frame is open. */
export const times = ({ insns, ms }: Cost, count: number): CostFrom => ({
  insns: insns === 0 ? 0 : insns * count,
  ms: ms === 0 ? 0 : ms * count,
  open: NONE,
});

/** The cost as seen from a place with this chain of calls. Other frames are not entered yet; when they are, they get their own time. */
export function seenFrom(chain: string, cost: CostFrom): CostFrom {
  if (cost.open.size === 0) return cost;
  const open = new Map<string, number>();
  let { ms } = cost;
  for (const [frame, time] of cost.open)
    if (isAround(frame, chain)) open.set(frame, time);
    else ms += time;
  return { insns: cost.insns, ms, open };
}

/** The cost with all its time. */
export function inAll(cost: CostFrom): CostFrom {
  const { insns, ms, open } = cost;
  if (open.size === 0) return cost;
  return { insns, ms: [...open.values()].reduce((sum, time) => sum + time, ms), open: NONE };
}
