/**
 * Rule proof: is a rule right for a function, in every program and at every call site? One formula for each rule and function, decided
 * by Z3.
 *
 * A stub is right iff, in every situation in which the rule applies, the state it leaves lies inside an outcome that is
 * possible there, acquires nothing and takes no time. A call that is kept may have any outcome that is possible there. Keeping it is
 * wrong only if a stub could have refused it, while the call may acquire something or keep the program running.
 *
 * A call that ends in its landing pad is kept where it has none, so that is asked of it too. Where it has one, all depends on the pad, which is
 * code of the program: of that a rule proof can say nothing, and the answer is `unknown` at the best. The program proof judges it.
 *
 * Situations are those of patch/situations.ts: rules see them as call sites with no slot number (-1).
 */
import type { Contract, Outcome } from '../kernel/contract.js';
import type { Action, RuleSet } from '../patch/rule.js';
import type { Decision } from '../patch/select.js';
import { decisionsIn, guardMustBe, guardName, situationsOf } from '../patch/situations.js';
import type { Check } from '../vm/state/trap.js';
import { type Demand, PostState } from './rule/post-state.js';
import { openSolver, type SolverStats } from './solver.js';
import { type Assignment, evaluator } from './term/evaluate.js';
import type { Term } from './term/term.js';
import { Terms } from './term/terms.js';

/** Why a rule is wrong: a situation, and what each outcome demands there that the stub does not deliver. */
export interface RuleWitness {
  /** The check that a program would break. */
  readonly check: Check;
  /** Guards of the contract, by name, as they are at the call site. */
  readonly guards: Readonly<Record<string, boolean>>;
  /** r0 after the stub, signed; `undefined` for a kept call or an unreadable r0. */
  readonly r0: bigint | undefined;
  /** The state after the stub in words; for a kept call, what may happen. */
  readonly state: readonly string[];
  /** Each possible outcome, and its demands that the stub does not meet. */
  readonly missed: readonly { readonly outcome: string; readonly why: readonly string[] }[];
}

/** The verdict on what a rule set does to one function. */
export interface RuleProof {
  readonly name: string;
  readonly kind: 'helper' | 'kfunc';
  readonly action: Action['kind'];
  /** Name of the rule that decides; `undefined` when none matches, so that the call is kept. */
  readonly rule: string | undefined;
  readonly verdict: 'proven' | 'refuted' | 'unknown';
  /** Why it is unknown, where more effort would not help. */
  readonly reason?: string;
  readonly witness?: RuleWitness;
}

/** Verdicts on the functions that were asked about, in that order, and how often the solver was asked. */
export interface RuleProofs {
  readonly functions: readonly RuleProof[];
  readonly stats: SolverStats;
}

/** Which functions to prove, and how hard to try. */
export interface ProofOptions {
  /** Bound of one question in Z3's units; 1,000,000 unless told. */
  readonly rlimit?: number;
  /** Is told of each question and its answer. */
  readonly asked?: (question: RuleQuestion) => void;
}

/** The question that decides whether a rule is right: the rule is wrong where its assertions can be true together. */
export interface RuleQuestion {
  readonly name: string;
  readonly action: Action['kind'];
  readonly rule: string | undefined;
  readonly assertions: readonly Term[];
  readonly verdict: string;
}

/**
 * Proves or refutes a rule set for each of these contracts: one entry for each rule that decides for a function somewhere.
 * Throws InputError when a rule's own code fails or a stub does not fit the function.
 */
export async function proveRules(
  rules: RuleSet,
  contracts: readonly Contract[],
  options: ProofOptions = {},
): Promise<RuleProofs> {
  const terms = new Terms();
  const solver = await openSolver(terms, options);
  try {
    const functions: RuleProof[] = [];
    for (const contract of contracts) {
      const uses = usesOf(rules, contract);
      const alwaysNull = uses.every(({ cases }) => cases.every(returnsNull));
      for (const application of uses) {
        const check: CheckSat = (assertions) => {
          const answer = solver.check(assertions);
          const { action, rule } = application;
          options.asked?.({ name: contract.name, action, rule, assertions, verdict: answer.verdict });
          return answer;
        };
        functions.push(proveOne(terms, check, contract, application, alwaysNull));
      }
    }
    return { functions, stats: solver.stats };
  } finally {
    solver.close();
  }
}

/** A valuation of the guards, and what the rule does there. */
export interface DecidedSituation {
  readonly guards: ReadonlyMap<string, boolean>;
  /** At call sites with a landing pad; else at those without one. */
  readonly hasPad: boolean;
  readonly action: Action;
}

/** One rule with one kind of action, and the situations of a function in which it decides. */
export interface RuleUse {
  readonly rule: string | undefined;
  readonly action: Action['kind'];
  readonly cases: readonly DecidedSituation[];
}

const returnsNull = ({ action }: DecidedSituation): boolean =>
  action.kind === 'stub' && action.stub.r0 === 0n;

function usesOf(rules: RuleSet, contract: Contract): readonly RuleUse[] {
  const found = new Map<
    string,
    { rule: string | undefined; action: Action['kind']; cases: DecidedSituation[] }
  >();
  for (const situation of situationsOf(contract)) {
    const [without, within] = decisionsIn(rules, contract, situation);
    // Most rules do not look at landing pads. For those that unwind, it matters in any case.
    const same = inWords(without!) === inWords(within!) && without!.action.kind !== 'unwind';
    for (const { rule, action, hasPad } of same ? [without!] : [without!, within!]) {
      const key = `${action.kind} ${rule?.name ?? ''}`;
      const application = found.get(key) ?? { rule: rule?.name, action: action.kind, cases: [] };
      application.cases.push({ guards: situation.guards, hasPad, action });
      found.set(key, application);
    }
  }
  return [...found.values()];
}

/** A decision in a form that compares. */
const inWords = ({ rule, action }: Decision): string =>
  JSON.stringify([rule?.name, action], (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));

/** Asks a solver whether assertions can be true together. `verdict` is `sat`, `unsat` or `unknown`. */
export type CheckSat = (assertions: readonly Term[]) => {
  readonly verdict: string;
  readonly model?: Assignment;
};

/**
 * Proves one rule for one function, in the situations given. `alwaysNull`: the iterators of this function's calls are never asked again for
 * more than NULL.
 */
export function proveOne(
  t: Terms,
  checkSat: CheckSat,
  contract: Contract,
  use: RuleUse,
  alwaysNull: boolean,
): RuleProof {
  const state = new PostState(t, contract);
  const guardOf = ({ guard }: Outcome): Term =>
    guard === undefined ? t.true : t.iff(t.variable(0, guardName(guard)), t.bool(guardMustBe(guard)));
  const { rule, action } = use;
  const head = { name: contract.name, kind: contract.kind, action, rule };
  const unwinds = action === 'unwind';
  const cases = unwinds ? use.cases.filter(({ hasPad }) => !hasPad) : use.cases;
  if (cases.length === 0) return { ...head, verdict: 'unknown', reason: PAD_DECIDES };
  const wrong = action === 'stub' ? someStubMissesAll : someCallWasRefusable;
  const answer = checkSat(wrong(t, state, contract, cases, alwaysNull, guardOf));
  if (answer.verdict === 'unsat')
    return unwinds ? { ...head, verdict: 'unknown', reason: PAD_DECIDES } : { ...head, verdict: 'proven' };
  if (answer.verdict !== 'sat') return { ...head, verdict: 'unknown' };
  return {
    ...head,
    verdict: 'refuted',
    witness: buildWitness(t, state, contract, use, guardOf, answer.model!),
  };
}

const PAD_DECIDES = 'it depends on the landing pads of a program: prove says what becomes of one';

/** The guards have one of these valuations. */
function valuation(t: Terms, guards: ReadonlyMap<string, boolean>): Term {
  return t.all([...guards].map(([name, value]) => t.iff(t.variable(0, name), t.bool(value))));
}

type Question = (
  t: Terms,
  state: PostState,
  contract: Contract,
  cases: readonly DecidedSituation[],
  alwaysNull: boolean,
  guardOf: (outcome: Outcome) => Term,
) => readonly Term[];

/**
 * The state meets all demands of an outcome that is possible and acquires nothing. That the outcome takes no time is one of the demands,
 * because a stub takes none.
 */
const insideAnOutcome = (
  t: Terms,
  state: PostState,
  contract: Contract,
  guardOf: (outcome: Outcome) => Term,
): Term =>
  t.any(
    contract.outcomes.map((outcome) =>
      t.all([
        guardOf(outcome),
        t.not(state.acquires(outcome)),
        ...state.demands(outcome).map((demand) => demand.holds),
      ]),
    ),
  );

/** There is a situation in which the stub's state is inside no such outcome. */
const someStubMissesAll: Question = (t, state, contract, cases, alwaysNull, guardOf) => [
  state.sizesAreBounded(),
  t.any(
    cases.map(({ guards, action }) =>
      t.all([
        valuation(t, guards),
        action.kind === 'stub' ? state.afterStub(action.stub, alwaysNull) : t.false,
      ]),
    ),
  ),
  t.not(insideAnOutcome(t, state, contract, guardOf)),
];

const OUTCOME_BITS = 8;
const outcomeIs = (t: Terms, index: number): Term =>
  t.eq(t.variable(OUTCOME_BITS, 'outcome'), t.constant(OUTCOME_BITS, index));

/** There is a situation in which some stub would be right, but the kept call may acquire something or take long. */
const someCallWasRefusable: Question = (t, state, contract, cases, _alwaysNull, guardOf) => [
  state.sizesAreBounded(),
  t.any(cases.map(({ guards }) => valuation(t, guards))),
  state.afterSomeStub(),
  insideAnOutcome(t, state, contract, guardOf),
  t.any(
    contract.outcomes.map((outcome, index) =>
      t.all([
        outcomeIs(t, index),
        guardOf(outcome),
        t.any([state.acquires(outcome), t.bool(state.whyLong(outcome) !== undefined)]),
      ]),
    ),
  ),
];

function buildWitness(
  t: Terms,
  state: PostState,
  contract: Contract,
  application: RuleUse,
  guardOf: (outcome: Outcome) => Term,
  model: Assignment,
): RuleWitness {
  const value = evaluator(model);
  const names = application.cases[0]!.guards.keys();
  const guards = Object.fromEntries([...names].map((name) => [name, value(t.variable(0, name)) === 1n]));
  const possible = contract.outcomes.filter((outcome) => value(guardOf(outcome)) === 1n);
  if (application.action !== 'stub') {
    const index = Number(value(t.variable(OUTCOME_BITS, 'outcome')));
    const outcome = contract.outcomes[index]!;
    const takes = value(state.acquires(outcome)) === 1n;
    const verb = takes ? 'acquires' : state.whyLong(outcome);
    return {
      check: takes ? 'acquire' : 'bound',
      guards,
      r0: undefined,
      state: [
        `the call could be refused, but is kept${application.action === 'unwind' ? ' where it has no landing pad' : ''}; its outcome '${outcome.name}' ${verb}`,
      ],
      missed: [],
    };
  }
  const missed = possible.map((outcome) => ({
    outcome: outcome.name,
    demands: state.demands(outcome).filter((demand) => value(demand.holds) !== 1n),
  }));
  const nearest = [...missed].sort((a, b) => penalty(a.demands) - penalty(b.demands))[0];
  const readable = value(t.variable(0, 'r0 written')) === 1n;
  return {
    check: checkOf(nearest?.demands ?? []),
    guards,
    r0: readable ? BigInt.asIntN(64, value(state.r0)) : undefined,
    state: state.describe(value),
    missed: missed.map(({ outcome, demands }) => ({ outcome, why: demands.map(({ what }) => what) })),
  };
}

/**
 * How far a stub is from an outcome. A program tells outcomes apart by r0, so an outcome whose r0 does not fit is the farthest; otherwise
 * the number of missed demands counts.
 */
const penalty = (demands: readonly Demand[]): number =>
  demands.length + (demands.some(({ kind }) => kind === 'r0' || kind === 'object') ? 100 : 0);

/** The check that a program would break if it relies on these demands. The gravest demand decides. */
function checkOf(demands: readonly Demand[]): Check {
  const kinds = new Set(demands.map(({ kind }) => kind));
  if (kinds.has('given back')) return 'leak';
  if (kinds.has('taken') || kinds.has('slot')) return 'misuse';
  if (kinds.has('object') || kinds.has('memory') || kinds.has('r0')) return 'fault';
  return kinds.has('control') ? 'fault' : 'bound';
}
