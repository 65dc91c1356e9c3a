/**
 * How functions that a rule is made of are asked. Each question is put twice, because an answer that changes from call to call would give
 * another verdict the next time; and answers are kept, because campaigns ask the same questions for every call site.
 */
import { InputError } from '../isa/errors.js';
import type { Outcome } from '../kernel/contract.js';
import type { FunctionView, SiteView, Stub } from './rule.js';
import type { Sandbox } from './sandbox.js';

/** A function of a rule: `when` gets a function; `at` a site and its function; `stub` a function and, in site rules, the site. */
export type Part = 'when' | 'at' | 'stub';

/** Wraps a function of a rule. */
export type Guard = <R>(
  part: Part,
  ask: (f: FunctionView, site: SiteView | undefined) => R,
) => (f: FunctionView, site: SiteView | undefined) => R;

/** For the rules that come with swansong: they are asked straight. */
export const TRUSTED: Guard = (_, ask) => ask;

/** For the rules of a person's file, which runs in this sandbox. */
export function guardedBy(sandbox: Sandbox): Guard {
  return <R>(part: Part, ask: (f: FunctionView, site: SiteView | undefined) => R) => {
    const kept = new WeakMap<FunctionView, Map<string, R>>();
    /** Whether it ever looked where in a program the site is: then no answer serves for another site. */
    let looksAtSlot = false;
    const once = (f: FunctionView, site: SiteView | undefined): R => {
      const seen =
        site === undefined
          ? undefined
          : new WatchedSite(site, () => {
              looksAtSlot = true;
            });
      return sandbox.ask(`${part}()`, () => ask(f, seen));
    };
    return (f, site) => {
      const key = looksAtSlot ? undefined : keyOf(f, site);
      const answers = kept.get(f) ?? new Map<string, R>();
      if (key !== undefined && answers.has(key)) return answers.get(key)!;
      const answer = once(f, site);
      if (inWords(once(f, site)) !== inWords(answer))
        throw new InputError(`${part}() answers otherwise when it is asked again`);
      if (key !== undefined) kept.set(f, answers.set(key, answer));
      return answer;
    };
  };
}

/** A site that tells when it is asked for its slot. */
export class WatchedSite implements SiteView {
  readonly enabled: readonly Outcome[];
  readonly canFail: boolean;
  readonly hasPad: boolean;
  readonly #site: SiteView;
  readonly #onSlot: () => void;

  constructor(site: SiteView, onSlot: () => void) {
    this.#site = site;
    this.#onSlot = onSlot;
    this.enabled = site.enabled;
    this.canFail = site.canFail;
    this.hasPad = site.hasPad;
  }

  get slot(): number {
    this.#onSlot();
    return this.#site.slot;
  }

  get failure(): Stub {
    return this.#site.failure;
  }
}

/** Which outcomes are possible at a site, by their places in the contract, and whether it has a pad; undefined where one is of another contract. */
function keyOf(f: FunctionView, site: SiteView | undefined): string | undefined {
  if (site === undefined) return 'anywhere';
  const places = site.enabled.map((outcome) => f.contract.outcomes.indexOf(outcome));
  return places.includes(-1) ? undefined : `${places.join()}${site.hasPad ? ' with a pad' : ''}`;
}

/** An answer in a form that compares: booleans and stubs, and whatever a mistaken rule answers. */
function inWords(answer: unknown): string {
  return (
    JSON.stringify(answer, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : typeof value === 'function' ? 'function' : value,
    ) ?? String(answer)
  );
}
