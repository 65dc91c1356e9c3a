/** The rule sets that come with swansong, by name. */
import type { RuleSet } from '../rule.js';
import naive from './naive.js';
import rfcV1 from './rfc-v1.js';
import rfcV2 from './rfc-v2.js';
import rfcV3 from './rfc-v3.js';
import sound from './sound.js';

/** In the order in which they are listed to people: ours first, then the kernel series, then the naive idea. */
export const RULE_SETS: readonly RuleSet[] = [sound, rfcV1, rfcV2, rfcV3, naive];

/** The shipped rule set of this name, if there is one. */
export function shippedRuleSet(name: string): RuleSet | undefined {
  return RULE_SETS.find((rules) => rules.name === name);
}
