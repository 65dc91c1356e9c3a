/**
 * Proves one call site: is the stub an outcome that the function can have at this site? It asks the formula of the rule proof, with the
 * guards of the contract fixed to what the verifier knows at the site. Equal questions are put to Z3 once.
 */
import type { Contract } from '../kernel/contract.js';
import type { CallSite } from '../patch/fast-path.js';
import type { Action } from '../patch/rule.js';
import { guardMustBe, guardName } from '../patch/situations.js';
import { proveOne, type RuleProof, type RuleWitness } from './rule-proof.js';
import { openSolver } from './solver.js';
import { Terms } from './term/terms.js';

/**
 * The answer for one call site.
 *
 * `outcome`: the stub is an outcome that is possible here.
 * `no outcome`: it is not, so the verifier has not walked the code behind it in that state.
 * `kept`: the call is kept, and that is right: no stub could refuse it, or it acquires nothing and takes no time.
 * `refusable`: the call is kept and may acquire something, although a stub could have refused it.
 * `lasting`: the call is kept and may take long, although a stub would return at once.
 * `pad`: no killed run makes the call; it goes to a landing pad, whose code the walk of the fast path has judged. `proveSites`, which sees sites one by
 * one, answers for a call that ends in its pad as for a kept one: so it is where there is no pad.
 * `unknown`: Z3 gave up.
 */
export type SiteAnswer = 'outcome' | 'no outcome' | 'kept' | 'refusable' | 'lasting' | 'pad' | 'unknown';

/**
 * Answers by question, for each contract. A question does not depend on the program, so the answers are shared by all that call the same
 * function; two declared functions may have one name.
 */
const answers = new WeakMap<Contract, Map<string, SiteAnswer>>();

function answersOf({ contract }: CallSite): Map<string, SiteAnswer> {
  const known = answers.get(contract) ?? new Map<string, SiteAnswer>();
  answers.set(contract, known);
  return known;
}

function questionKey(site: CallSite, alwaysNull: boolean): string {
  const { action } = site;
  const stub =
    action.kind === 'stub'
      ? `${action.stub.r0} ${action.stub.writes.join()} ${action.stub.slots.map((s) => `${s.arg}${s.as}`).join()}`
      : 'keep';
  return `${site.contract.name} ${stub} ${site.enabled.map((o) => o.name).join()} ${alwaysNull}`;
}

/**
 * Proves each site. `rlimit`: effort for one question in Z3's units. `queries` counts all questions, whether they went to Z3 or were
 * answered before.
 */
export async function proveSites(
  sites: readonly CallSite[],
  rlimit?: number,
): Promise<{ readonly settled: readonly SiteAnswer[]; readonly queries: number }> {
  const alwaysNull = (site: CallSite): boolean => isAlwaysNull(site, sites);
  const keys = sites.map((site) => questionKey(site, alwaysNull(site)));
  const open = new Map<string, CallSite>();
  sites.forEach((site, i) => {
    if (!answersOf(site).has(keys[i]!)) open.set(keys[i]!, site);
  });
  const given = new Map<string, SiteAnswer>();
  if (open.size > 0) {
    const terms = new Terms();
    const solver = await openSolver(terms, rlimit === undefined ? {} : { rlimit });
    try {
      for (const [shape, site] of open) {
        const settled = answerFor(terms, solver.check.bind(solver), site, alwaysNull(site));
        given.set(shape, settled);
        // A question that was given up may be answered with more effort another time.
        if (settled !== 'unknown') answersOf(site).set(shape, settled);
      }
    } finally {
      solver.close();
    }
  }
  const settled = keys.map(
    (shape, i) => given.get(shape) ?? answersOf(sites[i]!).get(shape) ?? ('unknown' as const),
  );
  return { settled, queries: sites.length };
}

/** The stubs of all calls of this function return NULL. */
const isAlwaysNull = ({ contract }: CallSite, sites: readonly CallSite[]): boolean =>
  sites.every((s) => s.contract !== contract || (s.action.kind === 'stub' && s.action.stub.r0 === 0n));

/** What the rule proof says against each of `asked`, which are among `sites`; undefined where it says nothing, or gave up. */
export async function whyWrong(
  asked: readonly CallSite[],
  sites: readonly CallSite[],
): Promise<readonly (RuleWitness | undefined)[]> {
  if (asked.length === 0) return [];
  const terms = new Terms();
  const solver = await openSolver(terms, {});
  try {
    return asked.map(
      (site) => proofAt(terms, solver.check.bind(solver), site, isAlwaysNull(site, sites)).witness,
    );
  } finally {
    solver.close();
  }
}

function answerFor(
  terms: Terms,
  check: Parameters<typeof proveOne>[1],
  site: CallSite,
  alwaysNull: boolean,
): SiteAnswer {
  const { action } = site;
  const proof = proofAt(terms, check, site, alwaysNull);
  if (proof.verdict === 'unknown') return 'unknown';
  if (proof.verdict === 'proven') return action.kind === 'stub' ? 'outcome' : 'kept';
  if (action.kind === 'stub') return 'no outcome';
  return proof.witness?.check === 'acquire' ? 'refusable' : 'lasting';
}

function proofAt(
  terms: Terms,
  check: Parameters<typeof proveOne>[1],
  site: CallSite,
  alwaysNull: boolean,
): RuleProof {
  const { contract, rule, enabled } = site;
  const action: Action = site.action.kind === 'unwind' ? { kind: 'keep' } : site.action;
  const guards = new Map<string, boolean>();
  for (const outcome of contract.outcomes) {
    const { guard } = outcome;
    if (guard !== undefined) guards.set(guardName(guard), enabled.includes(outcome) === guardMustBe(guard));
  }
  return proveOne(
    terms,
    check,
    contract,
    { rule: rule?.name, action: action.kind, cases: [{ guards, action, hasPad: false }] },
    alwaysNull,
  );
}
