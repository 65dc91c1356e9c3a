/** Hooks and runs that can be counted by hand. */
import type { HookLoad } from '../../../src/policy/load.js';
import type { Limit } from '../../../src/policy/policy.js';
import type { RunProfile } from '../../../src/policy/simulate/profile.js';
import {
  type HookResult,
  type PreparedHook,
  type Setting,
  simulate,
} from '../../../src/policy/simulate/simulate.js';

/** A run of this time; after a kill at any time of it, it takes `toExit`, and leaves `left` resources behind. */
export const runOf = (time: number, toExit = 0, left = 0, rounds = 0): RunProfile => ({
  time,
  rounds,
  kills: [{ at: 0, toExit, left }],
});

export const limitOf = (more: Partial<Limit>): Limit => ({
  hook: '*',
  program: '*',
  time: 1000,
  action: 'kill',
  for: 10_000,
  backOff: 2,
  atMost: 1e9,
  after: 1,
  ...more,
});

export const loadOf = (more: Partial<HookLoad> = {}): HookLoad => ({
  name: 'hook',
  work: 1000,
  runs: 1,
  overhead: 0,
  clients: 1,
  think: 0,
  rate: undefined,
  object: undefined,
  program: undefined,
  worlds: 0,
  maps: new Map(),
  ...more,
});

export const hookOf = (
  profiles: readonly RunProfile[],
  limit?: Limit,
  more: Partial<HookLoad> = {},
  refused = false,
): PreparedHook => ({ load: loadOf(more), profiles, limit, refused });

/** One hook on one CPU for a millisecond, with a watchdog that is there at once and kills in no time. */
export function simulated(
  hook: PreparedHook,
  more: Partial<Omit<Setting, 'stopping'>> = {},
  stopping: Partial<Setting['stopping']> = {},
): HookResult {
  const [result] = simulate({
    seed: 1,
    duration: 1e6,
    cpus: 1,
    hooks: [hook],
    stopping: { by: 'kill', watchdog: 0, kill: 0, clock: 0, ...stopping },
    ...more,
  });
  return result!;
}
