/** Which rule of a set decides for a function or a call site, and what it says. */
import { InputError } from '../isa/errors.js';
import type { Contract } from '../kernel/contract.js';
import type { Action, FunctionView, Rule, RuleSet, SiteView, Stub } from './rule.js';

/** The rule that decided, and what it says of the call. */
export interface Decision {
  /** `undefined`: no rule matched, so the call is kept. */
  readonly rule: Rule | undefined;
  readonly action: Action;
}

/** The first rule that matches this call site, and its action. Throws InputError if a rule's own code fails or its stub does not fit. */
export function decide(rules: RuleSet, f: FunctionView, site: SiteView): Decision {
  for (const rule of rules.rules) {
    const action = namingTheRule(rules, rule, f, () => {
      if (!rule.matches(f)) return undefined;
      if (rule.matchesSite !== undefined && !rule.matchesSite(site, f)) return undefined;
      return rule.action(f, site);
    });
    if (action === undefined) continue;
    if (action.kind === 'stub') checkStub(rules, rule, f.contract, action.stub);
    return { rule, action };
  }
  return { rule: undefined, action: { kind: 'keep' } };
}

/** The rules of a set that decide for this function at one site or another, in order: all site rules that match it and the first that needs no site. */
export function rulesFor(rules: RuleSet, f: FunctionView): readonly Rule[] {
  const found: Rule[] = [];
  for (const rule of rules.rules) {
    if (namingTheRule(rules, rule, f, () => rule.matches(f)) !== true) continue;
    found.push(rule);
    if (rule.matchesSite === undefined) break;
  }
  return found;
}

function namingTheRule<T>(rules: RuleSet, rule: Rule, f: FunctionView, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const said = reason.startsWith(`rule '${rule.name}'`) ? reason : `rule '${rule.name}': ${reason}`;
    const place = error instanceof InputError ? error.place : {};
    throw new InputError(`rule set '${rules.name}', ${said} (for ${f.name})`, place);
  }
}

/** A stub may only write where the function has an output argument: anywhere else its size is unknown, or the memory is not the callee's. */
function checkStub(rules: RuleSet, rule: Rule, contract: Contract, stub: Stub): void {
  const refuse = (what: string): never => {
    throw new InputError(`rule set '${rules.name}', rule '${rule.name}': ${what} of ${contract.name}`);
  };
  for (const index of stub.writes) {
    const arg = contract.args[index];
    const output =
      (arg?.kind === 'mem' && arg.access !== 'read') || (arg?.kind === 'map_value' && arg.uninit === true);
    if (!output) refuse(`argument ${index} is no output memory`);
  }
  for (const slot of stub.slots) {
    const arg = contract.args[slot.arg];
    if (arg?.kind !== 'dynptr' || arg.state !== 'uninit') {
      refuse(`argument ${slot.arg} is no uninitialised dynptr slot`);
    }
  }
}
