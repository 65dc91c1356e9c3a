/** A program of an object as data of the page: its proof, with the bound of each insn, the worst place to be killed, and what becomes of each call. */
import type { NamedRules } from '../../campaign/naming/rules.js';
import type { Program } from '../../object/program.js';
import { callSites } from '../../patch/fast-path.js';
import { type ProgramProofOptions, proveProgram } from '../../smt/program-proof.js';
import type { ProgramProof } from '../../smt/proof.js';
import { verify } from '../../verifier/verify.js';
import { printCase } from '../../vm/case/print.js';
import { prepare } from '../../vm/state/code.js';
import { explanationInWords } from '../programs/explanations.js';
import { listingOf } from './listing.js';
import { callsOf } from './run-view.js';
import type { PageBound, PageCall, PageObject, PageSite } from './shape.js';

/** The data of a program, and the text of the case that refutes it, if it is refuted. */
export interface ViewedObject {
  readonly view: Omit<PageObject, 'witness'>;
  readonly witness: string | undefined;
}

/** Proves the program under the rules. `id` is unique on the page. */
export async function objectView(
  program: Program,
  { id, file }: { readonly id: string; readonly file: string },
  rules: NamedRules,
  options: Pick<ProgramProofOptions, 'profile' | 'kernel'>,
): Promise<ViewedObject> {
  const proof = await proveProgram(program, rules.rules, { ...options, explain: true });
  const { verdict, reason, advice, points, queries, boundKind, bounds, timeLimits, loops, worstPath } = proof;
  const common = { id, file, name: program.name, type: program.type, rules: rules.rules.name };
  const view = {
    ...common,
    ...{ verdict, reason, advice, points, queries, worstPath },
    refusal: refusalOf(proof, file, program.name),
    insns: program.insns.length,
    boundKind: bounds.size === 0 ? null : boundKind,
    bound: wholeBound(proof),
    bounds: Object.fromEntries(
      [...bounds].map(([slot, insns]): [string, PageBound] => {
        const timed = timeLimits.get(slot);
        return [`${slot}`, timed === undefined ? { insns: insns ?? null, ms: null } : timed];
      }),
    ),
    loops: loops.map(({ slot, by, endless }) => ({ slot, by, endless: endless ?? null })),
    sites: sitesOf(proof, proof.refusal === undefined ? callsAt(program, rules, options) : []),
    listing: listingOf(prepare(program)),
  };
  const witness = proof.witness && printCase({ ...proof.witness, rules: rules.name });
  return { view, witness };
}

/** A program that was not judged, because something that it needs is not modelled. */
export function leftOutView(id: string, file: string, name: string, reason: string): PageObject {
  return {
    ...{ id, file, name, type: '', rules: '', verdict: 'unknown', reason: `left out: ${reason}` },
    advice: 'nothing is said of it: look at it by hand, or ask Linux',
    ...{ refusal: [], insns: 0, points: 0, queries: 0, boundKind: null, bound: null, bounds: {} },
    ...{ worstPath: [], loops: [], sites: [], listing: null, witness: null },
  };
}

function refusalOf({ refusal }: ProgramProof, file: string, name: string): readonly string[] {
  if (refusal === undefined) return [];
  const { message, lines, explanation } = refusal;
  const told = explanationInWords(
    { file, name, message, lines, ...(explanation === undefined ? {} : { explanation }) },
    true,
  );
  return told === '' ? lines : told.trimEnd().split('\n');
}

function wholeBound({ bound, boundKind, timeLimit, bounds }: ProgramProof): PageBound | null {
  if (bounds.size === 0) return null;
  if (timeLimit !== undefined) return { insns: timeLimit.insns, ms: timeLimit.ms };
  return { insns: boundKind === 'exact' ? (bound ?? null) : null, ms: null };
}

function callsAt(
  program: Program,
  { rules }: NamedRules,
  options: Pick<ProgramProofOptions, 'profile' | 'kernel'>,
): readonly PageCall[] {
  const verdict = verify(program, options);
  return verdict.ok ? callsOf(callSites(program, verdict.facts, rules)) : [];
}

function sitesOf({ sites, kept }: ProgramProof, calls: readonly PageCall[]): readonly PageSite[] {
  return sites.map(({ slot, function: name, action, rule, settled }) => ({
    slot,
    function: name,
    action,
    rule: rule ?? null,
    does: calls.find((one) => one.slot === slot)?.does ?? '',
    settled,
    may: kept.find((one) => one.slot === slot)?.may ?? [],
  }));
}
