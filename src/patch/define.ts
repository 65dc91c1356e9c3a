/**
 * The words rule files are written with:
 *
 *     export default ruleSet('my-rules', [
 *       rule('acquirers that may fail, fail').when((f) => f.canFailWithoutEffect).stub((f) => f.failure),
 *       rule('so do those that may fail only here').at((site) => site.canFail).stub((f, site) => site.failure),
 *       rule('everything else runs').keep(),
 *     ]);
 *
 * `.unwind()` lets a call end in its landing pad, on kernels that have them. The first rule that matches decides; a call that no rule matches is kept. Functions that no kernel has yet are declared beside the rules:
 *
 *     kfunc({ proto: 'struct bpf_foo *bpf_foo_get(u64 id)', flags: 'KF_ACQUIRE | KF_RET_NULL', types: ['xdp'] });
 */
import { InputError } from '../isa/errors.js';
import { S64_MAX, S64_MIN } from '../isa/integer.js';
import { declare } from '../kernel/declare/declare.js';
import type { HelperSpec, KfuncSpec } from '../kernel/declare/spec.js';
import type { DeclaredFunction } from '../object/program.js';
import { type Guard, TRUSTED } from './guard.js';
import type { Action, FunctionView, Rule, RuleSet, SiteView, Stub, StubSlot } from './rule.js';

export type { MapsView, MapView } from './map-view.js';
export type { FunctionView, Rule, RuleSet, SiteView, Stub, StubSlot } from './rule.js';

/** r0 of a function that returns no object. */
export const NULL = 0n;

/** A stub as people write it: numbers may be plain, and what is left out is empty. */
export interface StubSpec {
  /** Signed 64-bit; `void` leaves r0 unreadable. */
  readonly r0: bigint | number | 'void';
  readonly writes?: readonly number[];
  readonly slots?: readonly StubSlot[];
}

type FunctionTest = (f: FunctionView) => boolean;
type SiteTest = (site: SiteView, f: FunctionView) => boolean;

/** A rule that still needs its action. */
export interface RuleStart {
  /** Narrows the rule to functions that pass; several tests must all pass. */
  when(test: FunctionTest): RuleStart;
  /** Narrows the rule to call sites that pass. */
  at(test: SiteTest): SiteRuleStart;
  /** The call is replaced. Throws InputError if the stub is malformed. */
  stub(spec: StubSpec | ((f: FunctionView) => StubSpec)): Rule;
  /** The call runs as it is. */
  keep(): Rule;
  /** The call ends in its landing pad: the function that makes it is left early. Where it has no pad, the call runs as it is. */
  unwind(): Rule;
}

/** As RuleStart, for a rule that looks at call sites. */
export interface SiteRuleStart {
  when(test: FunctionTest): SiteRuleStart;
  at(test: SiteTest): SiteRuleStart;
  stub(spec: StubSpec | ((f: FunctionView, site: SiteView) => StubSpec)): Rule;
  keep(): Rule;
  unwind(): Rule;
}

const KEEP: Action = { kind: 'keep' };
const UNWIND: Action = { kind: 'unwind' };

function value(r0: unknown, rule: string): bigint | 'void' {
  if (r0 === 'void') return r0;
  if (typeof r0 === 'number' && Number.isSafeInteger(r0)) return BigInt(r0);
  if (typeof r0 === 'bigint' && r0 >= S64_MIN && r0 <= S64_MAX) return r0;
  throw new InputError(`rule '${rule}': r0 must be a signed 64-bit integer or 'void', not ${String(r0)}`);
}

const isIndex = (arg: unknown): arg is number =>
  typeof arg === 'number' && Number.isInteger(arg) && arg >= 0 && arg < 5;

/** Checks the form of a stub and fills in what was left out; throws InputError naming the rule. */
export function makeStub(spec: unknown, rule: string): Stub {
  if (typeof spec !== 'object' || spec === null || !('r0' in spec)) {
    throw new InputError(`rule '${rule}': a stub is an object with at least r0`);
  }
  const { r0, writes = [], slots = [], ...other } = spec as Record<string, unknown>;
  const unknown = Object.keys(other)[0];
  if (unknown !== undefined) throw new InputError(`rule '${rule}': a stub has no '${unknown}'`);
  if (!Array.isArray(writes) || !writes.every(isIndex) || new Set(writes).size !== writes.length) {
    throw new InputError(`rule '${rule}': writes must list different argument indices from 0 to 4`);
  }
  if (!Array.isArray(slots)) throw new InputError(`rule '${rule}': slots must be a list`);
  const made = Array.from(slots, (slot: unknown): StubSlot => {
    const { arg, as } = (slot ?? {}) as Partial<StubSlot>;
    if (!isIndex(arg) || as !== 'null_dynptr') {
      throw new InputError(`rule '${rule}': a slot is { arg: 0 to 4, as: 'null_dynptr' }`);
    }
    return { arg, as };
  });
  return { r0: value(r0, rule), writes: Array.from(writes), slots: made };
}

/** Makes rules. `guard` wraps the functions that they are made of. */
class Builder implements RuleStart, SiteRuleStart {
  constructor(
    private readonly name: string,
    private readonly tests: readonly FunctionTest[],
    private readonly siteTests: readonly SiteTest[],
    private readonly guard: Guard,
  ) {}

  when(test: FunctionTest): Builder {
    const guarded = this.guard('when', (f) => test(f));
    return new Builder(this.name, [...this.tests, (f) => guarded(f, undefined)], this.siteTests, this.guard);
  }

  at(test: SiteTest): Builder {
    const guarded = this.guard('at', (f, site) => test(site!, f));
    return new Builder(this.name, this.tests, [...this.siteTests, (site, f) => guarded(f, site)], this.guard);
  }

  stub(spec: StubSpec | ((f: FunctionView, site: SiteView) => StubSpec)): Rule {
    const name = this.name;
    if (typeof spec === 'function') {
      // Only rules made with at() can ask for a site, and those are never applied without one.
      const guarded = this.guard('stub', spec as (f: FunctionView, site: SiteView | undefined) => StubSpec);
      return this.finish((f, site) => ({ kind: 'stub', stub: makeStub(guarded(f, site), name) }));
    }
    const action: Action = { kind: 'stub', stub: makeStub(spec, name) };
    return this.finish(() => action);
  }

  keep(): Rule {
    return this.finish(() => KEEP);
  }

  unwind(): Rule {
    return this.finish(() => UNWIND);
  }

  private finish(action: Rule['action']): Rule {
    const { name, tests, siteTests } = this;
    const matches: Rule['matches'] = (f) => tests.every((test) => answer(test(f), name, 'when'));
    if (siteTests.length === 0) return { name, matches, action };
    const matchesSite: NonNullable<Rule['matchesSite']> = (site, f) =>
      siteTests.every((test) => answer(test(site, f), name, 'at'));
    return { name, matches, matchesSite, action };
  }
}

/** In JavaScript a misspelt property gives `undefined`. If that counted as false, the rule would silently never apply. */
function answer(result: unknown, rule: string, where: string): boolean {
  if (typeof result === 'boolean') return result;
  throw new InputError(`rule '${rule}': ${where}() must answer true or false, not ${String(result)}`);
}

/** Starts a rule. The name says what it does, and is what reports call it by. */
export function rule(name: string): RuleStart {
  return guardedRule(name, TRUSTED);
}

/** Starts a rule whose functions are asked by this guard. */
export function guardedRule(name: string, guard: Guard): RuleStart {
  if (typeof name !== 'string' || name.trim() === '') throw new InputError('a rule needs a name');
  return new Builder(name, [], [], guard);
}

/** A rule set. Throws InputError unless it has a name and rules of different names, each with an action. */
export function ruleSet(name: string, rules: readonly Rule[]): RuleSet {
  if (typeof name !== 'string' || !/^[\w.-]+$/.test(name)) {
    throw new InputError(
      `a rule set's name is made of letters, digits, '.', '_' and '-', not '${String(name)}'`,
    );
  }
  if (!Array.isArray(rules)) throw new InputError(`rule set '${name}': its rules must be a list`);
  const seen = new Set<string>();
  for (const one of rules as readonly unknown[]) {
    if (!isRule(one))
      throw new InputError(`rule set '${name}': a rule ends in .stub(...), .keep() or .unwind()`);
    if (seen.has(one.name)) throw new InputError(`rule set '${name}': two rules are called '${one.name}'`);
    seen.add(one.name);
  }
  return { name, rules: Array.from(rules) };
}

function isRule(one: unknown): one is Rule {
  if (typeof one !== 'object' || one === null) return false;
  const { name, matches, action } = one as Partial<Rule>;
  return typeof name === 'string' && typeof matches === 'function' && typeof action === 'function';
}

/** Declares a kfunc that no kernel has yet. Throws InputError that says what is wrong, or what is still to be said. */
export function kfunc(spec: KfuncSpec): DeclaredFunction {
  return declare('kfunc', spec);
}

/** Declares a helper that no kernel has yet. Throws InputError that says what is wrong, or what is still to be said. */
export function helper(spec: HelperSpec): DeclaredFunction {
  return declare('helper', spec);
}
