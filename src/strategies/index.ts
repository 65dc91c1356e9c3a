/** The strategies that come with swansong, in the order of their tables. */
import { shippedRuleSet } from '../patch/sets/index.js';
import { abandon } from './abandon.js';
import { fastPathUnder } from './fast-path.js';
import { ledger } from './ledger.js';
import { objectTable } from './object-table.js';
import { pads } from './pads.js';
import type { Strategy } from './strategy.js';
import { terminateBit } from './terminate-bit.js';
import { throwsToday } from './throw.js';
import { timedMayGoto } from './timed-may-goto.js';
import { unwindTable } from './unwind-table.js';

/** All of them, the fast path under the posted rule sets and the sound one among them. Any other rule set is a strategy too. */
export const STRATEGIES: readonly Strategy[] = [
  abandon,
  throwsToday,
  unwindTable,
  objectTable,
  pads,
  ledger,
  terminateBit,
  timedMayGoto,
  ...['rfc-v1', 'rfc-v2', 'rfc-v3', 'sound'].map((name) => fastPathUnder(shippedRuleSet(name)!)),
];

/** The strategy of this name, if it comes with swansong: one of the table, or the fast path under a shipped rule set. */
export function shippedStrategy(name: string): Strategy | undefined {
  const rules = shippedRuleSet(name);
  return STRATEGIES.find((one) => one.name === name) ?? (rules && fastPathUnder(rules));
}
