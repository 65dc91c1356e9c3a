/** A program's fast path: the rule set applied to every call site, with what the verifier knows there. */
import { decodeAll } from '../isa/decode.js';
import { contractOf } from '../kernel/catalog.js';
import type { Contract, Outcome } from '../kernel/contract.js';
import { outcomeAcquires } from '../kernel/describe.js';
import type { Program } from '../object/program.js';
import { enabledOutcomes } from '../verifier/call/outcomes.js';
import { type Facts, KeptWithFacts } from '../verifier/result.js';
import type { FastPath, RuleSet, Stub } from './rule.js';
import { type Decision, decide } from './select.js';
import { landingOf, livePads } from './unwinding.js';
import { functionView, siteView } from './view.js';

/** A call of a helper or kfunc that the verifier reached, and what the rule set says about it. */
export interface CallSite extends Decision {
  readonly slot: number;
  readonly contract: Contract;
  /**
   * Outcomes that are possible in every state that reaches the site. An outcome that acquires counts if it is possible in any of them.
   */
  readonly enabled: readonly Outcome[];
  /** In every state that reaches the site the function that makes the call has a landing pad. */
  readonly hasPad: boolean;
}

/**
 * The outcomes that count as possible at this slot. An outcome that acquires counts if some state that reaches the slot allows it; any other
 * only if all of them do. If no state reaches the slot, all outcomes of the contract count.
 */
export function enabledAt(
  contract: Contract,
  program: Program,
  facts: Pick<Facts, 'at'>,
  slot: number,
): readonly Outcome[] {
  const ways: (readonly Outcome[])[] = [];
  for (const { state } of facts.at(slot)) {
    const way = enabledOutcomes(contract, program, state);
    // The same choice of outcomes is the same list.
    if (!ways.includes(way)) ways.push(way);
  }
  if (ways.length === 0) return contract.outcomes;
  if (ways.length === 1) return ways[0]!;
  return contract.outcomes.filter((outcome) =>
    // Outcomes that acquire are only asked about for kept calls: there one state is enough to do harm.
    outcomeAcquires(outcome)
      ? ways.some((way) => way.includes(outcome))
      : ways.every((way) => way.includes(outcome)),
  );
}

/** Sites by facts and rule set: who runs a program, proves it and explains it asks for the same. */
const SITES = new KeptWithFacts<RuleSet, readonly CallSite[]>();

/**
 * The reachable call sites of helpers and kfuncs, in program order, each with the rule that decides it. `facts` are those of an
 * accepted verification of the same program. Throws InputError if a rule's own code fails or its stub does not fit.
 */
export function callSites(program: Program, facts: Facts, rules: RuleSet): readonly CallSite[] {
  return SITES.of(facts, rules, () => findSites(program, facts, rules));
}

function findSites(program: Program, facts: Facts, rules: RuleSet): readonly CallSite[] {
  const sites: CallSite[] = [];
  // The verification has decoded the program, and looked its calls up.
  const { code } = facts.graph;
  const ops = code?.ops ?? decodeAll(program.insns);
  const pads = livePads(ops, facts);
  ops.forEach((op, slot) => {
    if (op?.kind !== 'call') return;
    const contract = code === undefined ? contractOf(program, op) : code.contracts[slot];
    if (contract === undefined) return;
    const visits = facts.at(slot);
    if (visits.length === 0) return;
    const enabled = enabledAt(contract, program, facts, slot);
    const hasPad = pads.size > 0 && visits.every(({ state }) => landingOf(state, ops, pads) === 'pad');
    const decision = decide(rules, functionView(contract), siteView(contract, slot, enabled, hasPad));
    sites.push({ slot, contract, enabled, hasPad, ...decision });
  });
  return sites;
}

/** The fast path: which call sites are replaced, and by what. Sites that the verifier never reached are kept. */
export function fastPath(program: Program, facts: Facts, rules: RuleSet): FastPath {
  return pathOfSites(rules, callSites(program, facts, rules), program, facts);
}

/** The fast path that these decisions make. */
export function pathOfSites(
  rules: RuleSet,
  sites: readonly CallSite[],
  program: Program,
  facts: Facts,
): FastPath {
  const stubs = new Map<number, Stub>();
  const calls = new Set<number>();
  for (const { slot, action } of sites) {
    switch (action.kind) {
      case 'stub':
        stubs.set(slot, action.stub);
        break;
      case 'unwind':
        calls.add(slot);
        break;
      case 'keep':
    }
  }
  const path = { rules: rules.name, stubs };
  return calls.size === 0
    ? path
    : { ...path, unwinds: { calls, pads: livePads(decodeAll(program.insns), facts) } };
}
