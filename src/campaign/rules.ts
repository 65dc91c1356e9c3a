/** Rule sets as a campaign, a case or a command line names them. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { InputError } from '../isa/errors.js';
import { contracts } from '../kernel/catalog.js';
import { loadRules } from '../patch/load.js';
import type { RuleSet } from '../patch/rule.js';
import { decide } from '../patch/select.js';
import { shippedRuleSet } from '../patch/sets/index.js';
import { functionView, siteView } from '../patch/view.js';

/** A rule set and how it is called: the name of a shipped one, or the path of a rule file. */
export interface NamedRules {
  readonly name: string;
  readonly rules: RuleSet;
}

/**
 * Loads rule sets by name or file. Throws InputError for a word that is neither, for one that is named twice, and for rules whose code
 * fails.
 */
export async function loadRuleSets(names: readonly string[]): Promise<readonly NamedRules[]> {
  const loaded = await Promise.all(
    names.map(async (name) => ({ name, rules: (await loadRules(name)).rules })),
  );
  for (const [i, { rules }] of loaded.entries()) {
    const twin = loaded.slice(0, i).find((other) => other.rules.name === rules.name);
    if (twin !== undefined) throw new InputError(`two rule sets are called '${rules.name}'`);
    decideEveryFunction(rules);
  }
  return loaded;
}

/** Asks about every function once, so that a rule that fails does so at once and not in the middle of long work. */
function decideEveryFunction(rules: RuleSet): void {
  for (const contract of contracts()) {
    decide(rules, functionView(contract), siteView(contract, -1, contract.outcomes));
  }
}

/**
 * The rule set that a case names: a shipped one, or a rule file whose path is taken from the case's own folder first, and then
 * from the current one. A case that names none is under `sound`. Throws InputError.
 */
export async function rulesOfCase(name = 'sound', file?: string): Promise<NamedRules> {
  const beside = file === undefined || isAbsolute(name) ? name : join(dirname(file), name);
  const found = shippedRuleSet(name) === undefined && existsSync(beside) ? beside : name;
  return { name, rules: (await loadRules(found)).rules };
}
