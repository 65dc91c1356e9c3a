/** The words of policies: what limits do, and how runs are stopped. */

import { STRATEGIES } from '../strategies/index.js';

/**
 * What becomes of a program that takes longer. `refuse`: it is not loaded if its worst is above the limit. `kill`: its run is killed. `throttle`: its run is
 * killed, and the hook is left alone for a while. `detach`: its runs are killed, and after so many it is taken off the hook.
 */
export const ACTIONS = ['refuse', 'kill', 'throttle', 'detach'] as const;
/** One of the things that a limit may do. */
export type Action = (typeof ACTIONS)[number];

/**
 * How runs are stopped. `none`: not at all. `budget`: nobody kills them; each program asks for the time itself at every jump back and in every callback,
 * and returns. `fast-path`: by the rules of the policy. All others are the strategies that come with swansong, by name.
 */
export const WAYS: readonly string[] = ['none', 'fast-path', 'budget', ...STRATEGIES.map(({ name }) => name)];
