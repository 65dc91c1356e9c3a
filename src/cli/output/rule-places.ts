/** Where the rules that findings blame are written. */
import { existsSync } from 'node:fs';
import type { RulesIdentity } from '../../campaign/shards/identity.js';
import { shippedRuleSet } from '../../patch/sets/index.js';
import { rulePositions } from '../../patch/sites.js';
import type { Finding } from '../../report/campaign/summary.js';

/** Findings with the place of the rule that each is about, where its set is a file of a person's own. */
export async function withRulePlaces(
  findings: readonly Finding[],
  sets: readonly Pick<RulesIdentity, 'name' | 'set'>[],
): Promise<readonly Finding[]> {
  const places = new Map<string, { readonly file: string; readonly line: number }>();
  for (const { name, set } of sets) {
    if (shippedRuleSet(name) !== undefined || !existsSync(name)) continue;
    for (const [rule, { line }] of await rulePositions(name))
      places.set(`${set}\n${rule}`, { file: name, line });
  }
  return findings.map((one) => {
    // Several rules may be to blame together: the first of them is shown.
    const at = one.rule.split('+').map((rule) => places.get(`${one.rules}\n${rule}`))[0];
    return at === undefined ? one : { ...one, at };
  });
}
