/**
 * The situations of a function: valuations of the guards of its contract. At a call site one of them holds, and it says which outcomes are
 * possible there. What a rule set decides for a function is what it decides in each of them.
 */
import type { Contract, Guard, Outcome } from '../kernel/contract.js';
import type { RuleSet } from './rule.js';
import { type Decision, decide } from './select.js';
import { functionView, siteView } from './view.js';

/** One way in which the guards of a function can stand. */
export interface Situation {
  /** Guards by name, as they are at the call site. */
  readonly guards: ReadonlyMap<string, boolean>;
  /** The outcomes that are possible there. */
  readonly enabled: readonly Outcome[];
}

/** `key_may_miss`, `not_owning argument 0`: the name of a guard. */
export function guardName(guard: Guard): string {
  return 'arg' in guard ? `${guard.kind} argument ${guard.arg}` : guard.kind;
}

/** The value that a guard must have for its outcome to be possible. */
export function guardMustBe(guard: Guard): boolean {
  return !('is' in guard) || guard.is;
}

/** All situations of a function that can be. */
export function situationsOf(contract: Contract): readonly Situation[] {
  const names = [
    ...new Set(contract.outcomes.flatMap(({ guard }) => (guard === undefined ? [] : [guardName(guard)]))),
  ];
  const found: Situation[] = [];
  for (let bits = 0; bits < 1 << names.length; bits++) {
    const guards = new Map(names.map((name, index) => [name, (bits & (1 << index)) !== 0]));
    // A key is known to be there only in an array, and no array is a map of sockets.
    if (guards.get('map_of_sockets') === true && guards.get('key_may_miss') === false) continue;
    const enabled = contract.outcomes.filter(
      ({ guard }) => guard === undefined || guards.get(guardName(guard)) === guardMustBe(guard),
    );
    found.push({ guards, enabled });
  }
  return found;
}

/**
 * What a rule set decides for a function in this situation, at a call site with no slot number (-1), which has a landing pad or (unless told) has
 * none. Throws InputError when a rule's own code fails or a stub does not fit the function.
 */
export function decideIn(
  rules: RuleSet,
  contract: Contract,
  { enabled }: Situation,
  hasPad = false,
): Decision {
  return decide(rules, functionView(contract), siteView(contract, -1, enabled, hasPad));
}

/** All that a rule set decides in a situation: at call sites without a landing pad first, then at those with one. Throws as `decideIn`. */
export function decisionsIn(
  rules: RuleSet,
  contract: Contract,
  situation: Situation,
): readonly (Decision & { readonly hasPad: boolean })[] {
  return [false, true].map((hasPad) => ({ ...decideIn(rules, contract, situation, hasPad), hasPad }));
}
