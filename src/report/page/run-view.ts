/** A traced run as data of the page. */
import type { CallSite } from '../../patch/fast-path.js';
import type { FastPath, Stub } from '../../patch/rule.js';
import type { Code } from '../../vm/state/code.js';
import { type Violation, worstFirst } from '../../vm/state/trap.js';
import { neverTaken, type Trace, type TracedStep } from '../../vm/trace.js';
import { describeStub } from '../rules/rules.js';
import type { PageBroken, PageCall, PageRun, PageStep } from './shape.js';

/** `r0 = -12, zeroes r2`: what a stub does, with arguments by their registers. */
const doesInWords = (stub: Stub): string =>
  describeStub(stub)
    .replace(/^stub: /, '')
    .replace(/\bargument (\d)/g, 'memory of r$1')
    .replace(/^nothing$/, 'does nothing');

/** What a rule set does at each reachable call. */
export function callsOf(sites: readonly CallSite[]): readonly PageCall[] {
  return sites.map(({ slot, contract, action, rule }) => ({
    slot,
    function: contract.name,
    action: action.kind,
    rule: rule?.name ?? null,
    does: action.kind === 'stub' ? doesInWords(action.stub) : '',
  }));
}

/** What a fast path that is no rule set's does at the calls of a program. */
export function stubsOf({ stubs }: FastPath, { contracts }: Code): readonly PageCall[] {
  return contracts.flatMap((contract, slot): PageCall[] => {
    if (contract === undefined) return [];
    const stub = stubs.get(slot);
    const does = stub === undefined ? '' : doesInWords(stub);
    const action = stub === undefined ? 'keep' : 'stub';
    return [{ slot, function: contract.name, action, rule: null, does }];
  });
}

/** The gravest of these, by its index. */
function aboutOf(all: readonly Violation[]): number | null {
  const [worst] = worstFirst(all);
  return worst === undefined ? null : all.indexOf(worst);
}

/** The run, and `calls` of the rule set that it was killed under. `about`: the broken check that the case is about; the gravest unless told. */
export function runView(
  kind: PageRun['kind'],
  trace: Trace,
  code: Code,
  rules: string | null,
  calls: readonly PageCall[],
  about?: number,
): PageRun {
  const { result, killed } = trace;
  const broken = result.violations.map(brokenView);
  const isKilled = result.killedAt >= 0;
  return {
    kind,
    rules,
    kill: killed ?? null,
    initial: Object.fromEntries(trace.initial),
    steps: trace.steps.map((step) => stepView(step, result.violations)),
    length: result.steps,
    afterKill: isKilled ? result.steps - result.killedAt : 0,
    lanes: trace.holds.map(({ id, what, by, from, slot, to, toSlot }) => ({
      ...{ id, what, by, from, slot },
      to: to ?? null,
      toSlot: toSlot ?? null,
    })),
    neverTaken: neverTaken(code, trace),
    broken,
    about: about ?? aboutOf(result.violations),
    end: result.end,
    r0: `${BigInt.asIntN(64, result.r0)}`,
    calls,
  };
}

function brokenView({ check, message, slot, step, function: name, after }: Violation): PageBroken {
  return { check, message, slot, step, function: name ?? null, after: after === true };
}

function stepView(one: TracedStep, all: readonly Violation[]): PageStep {
  const { step, count, slot, ended, depth, killed, changes, taken, given, patched, broken } = one;
  return {
    step,
    ...(count <= 1 ? {} : { count }),
    slot,
    ...(ended ? { ended } : {}),
    ...(depth === 0 ? {} : { depth }),
    ...(killed ? { killed: true as const } : {}),
    ...(changes.size === 0 ? {} : { changes: Object.fromEntries(changes) }),
    ...(taken.length === 0 ? {} : { taken }),
    ...(given.length === 0 ? {} : { given }),
    ...(patched === undefined ? {} : { patched }),
    ...(broken.length === 0 ? {} : { broken: broken.map((violation) => all.indexOf(violation)) }),
  };
}
