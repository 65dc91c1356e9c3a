/** One run of a program under a limit: how long it takes, and what becomes of it. */
import { killAt, type RunProfile } from './profile.js';
import type { Random } from './random.js';

/** How runs are stopped. Times are nanoseconds. */
export interface Stopping {
  /** `none`: nobody stops them. `budget`: the program looks at the time itself. `kill`: a watchdog kills them, and what that does is in their profiles. */
  readonly by: 'none' | 'budget' | 'kill';
  /** The longest that a run may take; Infinity: there is no limit. */
  readonly limit: number;
  readonly watchdog: number;
  /** From the decision to kill until the first patched insn. */
  readonly kill: number;
  /** What asking for the time takes. */
  readonly clock: number;
}

/** What came of a run. */
export interface Stopped {
  /** Nanoseconds that it took. */
  readonly time: number;
  readonly killed: boolean;
  /** Nanoseconds that it took after its limit was over. */
  readonly over: number;
  /** Resources that it left behind. */
  readonly leaked: number;
}

/** A run with this profile. The watchdog looks at the CPU at times that have nothing to do with the run. */
export function stopped(profile: RunProfile, how: Stopping, random: Random): Stopped {
  if (how.by === 'budget' && Number.isFinite(how.limit)) return withBudget(profile, how);
  const { time } = profile;
  const over = Math.max(0, time - how.limit);
  const runsOut: Stopped = { time, killed: false, over, leaked: 0 };
  if (over === 0 || how.by === 'none') return runsOut;
  const seen = how.limit + how.watchdog * random.uniform();
  // The run goes on until the kill has come to its CPU. It may end by itself before.
  const at = seen + how.kill;
  if (at >= time) return runsOut;
  const { toExit, left } = killAt(profile, at);
  const end = at + toExit;
  return { time: end, killed: true, over: end - how.limit, leaked: left };
}

/** The program asks for the time in each round, and returns once its limit is over. */
function withBudget({ time, rounds }: RunProfile, { limit, clock }: Stopping): Stopped {
  const all = time + rounds * clock;
  if (all <= limit || rounds === 0)
    return { time: all, killed: false, over: Math.max(0, all - limit), leaked: 0 };
  const round = all / rounds;
  const end = Math.min(all, Math.ceil(limit / round) * round);
  return { time: end, killed: end < all, over: end - limit, leaked: 0 };
}
