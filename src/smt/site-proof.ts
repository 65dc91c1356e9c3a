/**
 * Is what happens at a call site of the fast path an outcome of the function that is possible there? The formula of the rule proof,
 * with the guards of the contract settled by what the verifier knows at the site. Sites of the same shape are asked about once.
 */
import type { CallSite } from '../patch/fast-path.js';
import { guardName, isWanted, proveOne } from './rule-proof.js';
import { openSolver } from './solver.js';
import { Terms } from './term/terms.js';

/**
 * `outcome`: the stub is an outcome that is possible here. `no outcome`: it is not, so what follows was not verified. `kept`: the call
 * runs as before, and could not have been refused, or takes nothing. `refusable`: it is kept, but may acquire what a stub would have
 * refused. `lasting`: it is kept, and may take long, though a stub would not. `unknown`: Z3 gave up.
 */
export type SiteSettled = 'outcome' | 'no outcome' | 'kept' | 'refusable' | 'lasting' | 'unknown';

/** Answers by shape of the question; the same in every program. */
const answers = new Map<string, SiteSettled>();

function shapeOf(site: CallSite, dry: boolean): string {
  const { action } = site;
  const stub =
    action.kind === 'stub'
      ? `${action.stub.r0} ${action.stub.writes.join()} ${action.stub.slots.map((s) => `${s.arg}${s.as}`).join()}`
      : 'keep';
  return `${site.contract.name} ${stub} ${site.enabled.map((o) => o.name).join()} ${dry}`;
}

/** Asks about each site; `queries` counts all questions, whether they went to Z3 or were answered before. */
export async function proveSites(
  sites: readonly CallSite[],
  rlimit?: number,
): Promise<{ readonly settled: readonly SiteSettled[]; readonly queries: number }> {
  const dryOf = (site: CallSite): boolean =>
    sites.every((s) => s.contract !== site.contract || (s.action.kind === 'stub' && s.action.stub.r0 === 0n));
  const shapes = sites.map((site) => shapeOf(site, dryOf(site)));
  const open = new Map<string, CallSite>();
  sites.forEach((site, i) => {
    if (!answers.has(shapes[i]!)) open.set(shapes[i]!, site);
  });
  const given = new Map<string, SiteSettled>();
  if (open.size > 0) {
    const terms = new Terms();
    const solver = await openSolver(terms, rlimit === undefined ? {} : { rlimit });
    try {
      for (const [shape, site] of open) {
        const settled = ask(terms, solver.check.bind(solver), site, dryOf(site));
        given.set(shape, settled);
        // A question that was given up may be answered with more effort another time.
        if (settled !== 'unknown') answers.set(shape, settled);
      }
    } finally {
      solver.close();
    }
  }
  const settled = shapes.map((shape) => given.get(shape) ?? answers.get(shape) ?? 'unknown');
  return { settled, queries: sites.length };
}

function ask(terms: Terms, check: Parameters<typeof proveOne>[1], site: CallSite, dry: boolean): SiteSettled {
  const { contract, action, rule, enabled } = site;
  const guards = new Map<string, boolean>();
  for (const outcome of contract.outcomes) {
    const { guard } = outcome;
    if (guard !== undefined) guards.set(guardName(guard), enabled.includes(outcome) === isWanted(guard));
  }
  const proof = proveOne(
    terms,
    check,
    contract,
    { rule: rule?.name, action: action.kind, cases: [{ guards, action }] },
    dry,
  );
  if (proof.verdict === 'unknown') return 'unknown';
  if (proof.verdict === 'proven') return action.kind === 'stub' ? 'outcome' : 'kept';
  if (action.kind === 'stub') return 'no outcome';
  return proof.witness?.check === 'acquire' ? 'refusable' : 'lasting';
}
