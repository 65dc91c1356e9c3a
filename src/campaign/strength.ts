/**
 * How strong a rule set is: how many of the calls that a stub could take the place of it stubs, and stubs rightly. Counted over functions, and
 * over the call sites of programs.
 */
import { contracts } from '../kernel/catalog.js';
import type { Program } from '../object/program.js';
import { callSites } from '../patch/fast-path.js';
import { firstRefusal } from '../patch/imitate.js';
import type { RuleSet } from '../patch/rule.js';
import { situationsOf } from '../patch/situations.js';
import { proveRules, type RuleProof } from '../smt/rule-proof.js';
import { proveSites } from '../smt/site-proof.js';
import type { Accepted } from '../verifier/result.js';

/** Calls counted: of those that a stub could replace, how many are stubbed rightly; and how many calls are stubbed wrongly. */
export interface Tally {
  readonly could: number;
  readonly stubbed: number;
  /** Stubbed in a way that is none of the function's outcomes. */
  readonly wrong: number;
  /** Kept, though the call may acquire something or take long, and a stub could have refused it. */
  readonly refusable: number;
}

/** The strength of one rule set. */
export interface Strength {
  readonly rules: string;
  readonly functions: Tally;
  readonly sites: Tally;
}

/** Measures a rule set over all functions, and over the call sites of these programs, which were verified. */
export async function strengthOf(
  rules: RuleSet,
  programs: readonly { readonly program: Program; readonly verified: Accepted }[],
): Promise<Strength> {
  const sites = { ...NONE };
  for (const { program, verified } of programs) {
    const found = callSites(program, verified.facts, rules);
    const { settled } = await proveSites(found);
    found.forEach(({ contract, enabled, action, hasPad }, i) => {
      // No killed run makes the call.
      if (action.kind === 'unwind' && hasPad) return;
      const could = firstRefusal(contract, enabled) !== undefined;
      sites.could += Number(could);
      sites.stubbed += Number(could && action.kind === 'stub' && settled[i] === 'outcome');
      sites.wrong += Number(action.kind === 'stub' && settled[i] !== 'outcome');
      sites.refusable += Number(settled[i] === 'refusable' || settled[i] === 'lasting');
    });
  }
  return { rules: rules.name, functions: await overFunctions(rules), sites };
}

const NONE = { could: 0, stubbed: 0, wrong: 0, refusable: 0 };

/** A function counts as one: stubbed if it is in some situation and rightly in all where it is, wrong or refusable if it is so in one. */
async function overFunctions(rules: RuleSet): Promise<Tally> {
  const tally = { ...NONE };
  const proofs = new Map<string, RuleProof[]>();
  for (const proof of (await proveRules(rules, contracts())).functions)
    proofs.set(proof.name, [...(proofs.get(proof.name) ?? []), proof]);
  for (const contract of contracts()) {
    const functions = proofs.get(contract.name) ?? [];
    const stubs = functions.filter(({ action }) => action === 'stub');
    const right = stubs.every(({ verdict }) => verdict === 'proven');
    const could = situationsOf(contract).some(({ enabled }) => firstRefusal(contract, enabled) !== undefined);
    tally.could += Number(could);
    tally.stubbed += Number(could && stubs.length > 0 && right);
    tally.wrong += Number(!right);
    tally.refusable += Number(
      functions.some(({ action, verdict }) => action !== 'stub' && verdict === 'refuted'),
    );
  }
  return tally;
}
