/**
 * Questions to the solver about two contracts of one function: is there a state after a call that only one of them allows, and is it one that
 * a stub can leave?
 */
import type { Contract, Outcome } from '../../../src/kernel/contract.js';
import { isOutput } from '../../../src/kernel/describe.js';
import type { Stub } from '../../../src/patch/rule.js';
import { guardMustBe, guardName, situationsOf } from '../../../src/patch/situations.js';
import { SLOTS } from '../../../src/smt/rule/changes.js';
import { PostState } from '../../../src/smt/rule/post-state.js';
import { proveOne, type RuleUse } from '../../../src/smt/rule-proof.js';
import type { Solver } from '../../../src/smt/solver.js';
import { type Assignment, evaluator } from '../../../src/smt/term/evaluate.js';
import type { Term } from '../../../src/smt/term/term.js';
import type { WrongContract } from './wrong.js';

/** The two contracts over the variables of both. */
class Both {
  private readonly state: PostState;

  constructor(
    private readonly pair: WrongContract,
    private readonly solver: Solver,
  ) {
    const { right, wrong } = pair;
    this.state = new PostState(solver.terms, { ...right, outcomes: [...right.outcomes, ...wrong.outcomes] });
  }

  /** The state is one that the contract allows, by an outcome that passes. */
  private allowed({ outcomes }: Contract, passes: (o: Outcome) => Term): Term {
    const { terms: t } = this.solver;
    const guardOf = ({ guard }: Outcome): Term =>
      guard === undefined ? t.true : t.iff(t.variable(0, guardName(guard)), t.bool(guardMustBe(guard)));
    return t.any(
      outcomes.map((one) =>
        t.all([guardOf(one), passes(one), ...this.state.demands(one).map(({ holds }) => holds)]),
      ),
    );
  }

  /** A state, of those that the assertions leave, that only one of the contracts allows. */
  apart(passes: (o: Outcome) => Term, among: readonly Term[]): Assignment | 'unknown' | undefined {
    const { terms: t } = this.solver;
    const { right, wrong } = this.pair;
    const differ = t.not(t.iff(this.allowed(right, passes), this.allowed(wrong, passes)));
    const answer = this.solver.check([this.state.sizesAreBounded(), ...among, differ]);
    return answer.verdict === 'sat' ? answer.model : answer.verdict === 'unsat' ? undefined : 'unknown';
  }

  /** A state that some call leaves, by one of the contracts only; a call lasts where its outcome says so, and else not. */
  someState(among: readonly Term[] = []): Assignment | 'unknown' | undefined {
    const { terms: t } = this.solver;
    return this.apart(({ blocks }) => t.iff(t.variable(0, 'waited'), t.bool(blocks === true)), among);
  }

  /** A state that a stub leaves, and that is right by one of the contracts only. */
  stubState(): Assignment | 'unknown' | undefined {
    const { terms: t } = this.solver;
    return this.apart((one) => t.not(this.state.acquires(one)), [this.state.afterSomeStub()]);
  }
}

/** Whether some program could tell: some call leaves a state that only one of the contracts allows. Where the solver gives up, it could. */
export const saysOtherwise = (pair: WrongContract, solver: Solver): boolean =>
  new Both(pair, solver).someState() !== undefined;

/** Whether some program without maps of sockets could. */
export const saysOtherwiseOfOtherMaps = (pair: WrongContract, solver: Solver): boolean =>
  new Both(pair, solver).someState([solver.terms.not(solver.terms.variable(0, 'map_of_sockets'))]) !==
  undefined;

/**
 * Whether they say otherwise of what a verifier's state shows: registers, memory, slots, what is held. How long a call takes, whether it ran its
 * callback and whether a dynptr points to anything is in no such state.
 */
export function stateShows({ right, wrong, ...rest }: WrongContract, solver: Solver): boolean {
  const shown = (one: Contract): Contract => ({
    ...one,
    outcomes: one.outcomes.map(({ blocks: _, ...outcome }) => ({
      ...outcome,
      effects: outcome.effects.flatMap((effect) => {
        if (effect.kind === 'callback') return [];
        if (effect.kind !== 'init_dynptr' || effect.acquires !== undefined) return [effect];
        const { null: __, ...view } = effect;
        return [view];
      }),
    })),
  });
  return saysOtherwise({ ...rest, right: shown(right), wrong: shown(wrong) }, solver);
}

/**
 * Whether there is a stub that a rule proof judges otherwise by the two contracts. The solver says which, and it is put to both proofs.
 */
export function stubTells(pair: WrongContract, solver: Solver): boolean {
  const model = new Both(pair, solver).stubState();
  if (model === undefined || model === 'unknown') return false;
  const { terms: t } = solver;
  const value = evaluator(model);
  const is = (name: string): boolean => value(t.variable(0, name)) === 1n;
  const { args } = pair.right;
  const indices = args.map((_, index) => index);
  const stub: Stub = {
    r0: is('r0 written') ? BigInt.asIntN(64, value(t.variable(64, 'r0'))) : 'void',
    writes: indices.filter((index) => isOutput(args[index]!) && is(`wrote ${index}`)),
    slots: indices
      .filter((index) => SLOTS[Number(value(t.variable(4, `slot ${index}`)))] === 'null dynptr')
      .map((arg) => ({ arg, as: 'null_dynptr' })),
  };
  const names = [pair.right, pair.wrong].flatMap((one) =>
    situationsOf(one).flatMap(({ guards }) => [...guards.keys()]),
  );
  const guards = new Map(names.map((name) => [name, is(name)]));
  const use: RuleUse = {
    rule: 'as the solver says',
    action: 'stub',
    cases: [{ guards, hasPad: false, action: { kind: 'stub', stub } }],
  };
  // What an iterator's calls give after the one that is asked about.
  const dry = indices.some((index) => is(`drained ${index}`));
  const verdict = (one: Contract): string =>
    proveOne(t, (assertions) => solver.check(assertions), one, use, dry).verdict;
  return verdict(pair.right) !== verdict(pair.wrong);
}
