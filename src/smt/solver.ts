/**
 * Asks Z3 as seldom as possible. Terms are simplified when they are made, earlier models are tried first, and equal questions are
 * answered once. Products and quotients of unknowns are hard for Z3: they are left uninterpreted at first, and facts about them are added
 * until the answer no longer depends on the rest.
 */
import { type Assignment, apply, evaluator } from './term/evaluate.js';
import { inOrder, isConst, type Term } from './term/term.js';
import type { Terms } from './term/terms.js';
import { type CheckResult, Z3Context } from './z3/context.js';
import { z3Module } from './z3/module.js';

/** How hard to try one question before it is answered `unknown`. */
export interface SolverOptions {
  /** Bound of one question in Z3's deterministic units; 1,000,000 (about a third of a second) unless told. */
  readonly rlimit?: number;
}

/** How questions were answered. `asked` = `simplified` + `guessed` + `repeated` + those that went to Z3. */
export interface SolverStats {
  asked: number;
  simplified: number;
  guessed: number;
  repeated: number;
  /** Checks that Z3 made; more than one for a question whose products had to be refined. */
  checks: number;
  unknown: number;
}

const MAX_MODELS = 8;
/** Rounds of refinement before a question is put to Z3 in full. */
const REFINEMENTS = 6;

/**
 * Answers whether assertions can be true together. Use one for one proof or exploration: what it learned of earlier questions makes
 * later ones cheap. Beyond `rlimit` the answer is unknown.
 */
export class Solver {
  readonly stats: SolverStats = { asked: 0, simplified: 0, guessed: 0, repeated: 0, checks: 0, unknown: 0 };
  private readonly answers = new Map<string, CheckResult>();
  private models: readonly Assignment[] = [new Map()];
  private readonly rlimit: number;

  /** `terms` is the table that all assertions come from. */
  constructor(
    readonly terms: Terms,
    private readonly context: Z3Context,
    options: SolverOptions = {},
  ) {
    this.rlimit = options.rlimit ?? 1_000_000;
  }

  /** Whether all assertions can be true together; if so, values of all their variables. */
  check(assertions: readonly Term[]): CheckResult {
    this.stats.asked += 1;
    const question = this.terms.all(assertions);
    if (isConst(question)) {
      this.stats.simplified += 1;
      return question.value === 1n ? { verdict: 'sat', model: new Map() } : { verdict: 'unsat' };
    }
    const parts = question.op === 'all' ? question.args : [question];
    const key = parts.map((part) => part.id).join();
    const known = this.answers.get(key);
    if (known !== undefined) {
      this.stats.repeated += 1;
      return known;
    }
    const guess = this.models.find((model) => satisfies(parts, model));
    if (guess !== undefined) {
      this.stats.guessed += 1;
      return { verdict: 'sat', model: restrict(guess, parts) };
    }
    const found = this.solve(parts);
    const answer = found.verdict === 'sat' ? { ...found, model: restrict(found.model, parts) } : found;
    if (answer.verdict === 'unknown') this.stats.unknown += 1;
    if (answer.verdict === 'sat') this.models = [answer.model, ...this.models].slice(0, MAX_MODELS);
    this.answers.set(key, answer);
    return answer;
  }

  /** Frees what Z3 holds for this solver. */
  close(): void {
    this.context.close();
  }

  private solve(parts: readonly Term[]): CheckResult {
    const hard = inOrder(parts).filter(isHardToBlast);
    const opaque = new Set(hard);
    const learnt: Term[] = hard.flatMap((term) => knownFacts(this.terms, term));
    for (let round = 0; hard.length > 0 && round < REFINEMENTS; round++) {
      const answer = this.askZ3([...parts, ...learnt], opaque);
      if (answer.verdict !== 'sat') return answer;
      // Z3 treated the hard terms as free variables. The model may still be right with their real values.
      if (satisfies(parts, answer.model)) return answer;
      const value = evaluator(answer.model);
      for (const term of hard)
        learnt.push(factAt(this.terms, term, value(term.args[0]!), value(term.args[1]!)));
    }
    const answer = this.askZ3(parts, new Set());
    if (answer.verdict === 'sat' && !satisfies(parts, answer.model)) {
      throw new Error('Z3 and the meaning of terms disagree about a model');
    }
    return answer;
  }

  private askZ3(parts: readonly Term[], opaque: ReadonlySet<Term>): CheckResult {
    this.stats.checks += 1;
    return this.context.check(parts, this.rlimit, opaque);
  }
}

/** A solver for the terms of this table, with a Z3 context of its own. Close it when done. */
export async function openSolver(terms: Terms, options: SolverOptions = {}): Promise<Solver> {
  return new Solver(terms, new Z3Context(await z3Module()), options);
}

/** Values for just the variables of these terms, all of them. A variable that a model leaves out is 0. */
function restrict(model: Assignment, parts: readonly Term[]): Assignment {
  const values = new Map<string, bigint>();
  for (const term of inOrder(parts)) {
    if (term.op === 'var') values.set(term.name, model.get(term.name) ?? 0n);
  }
  return values;
}

function satisfies(parts: readonly Term[], model: Assignment): boolean {
  const value = evaluator(model);
  return parts.every((part) => value(part) === 1n);
}

/** Operations that bit-blasting makes large: products of two unknowns, and all division that is not a shift. */
function isHardToBlast(term: Term): boolean {
  switch (term.op) {
    case 'mul':
      return !isConst(term.args[1]!) && term.width > 8;
    case 'udiv':
    case 'urem':
    case 'sdiv':
    case 'srem':
      return term.width > 8;
    default:
      return false;
  }
}

/** Facts that hold for a hard term whatever its operands are. */
function knownFacts(t: Terms, term: Term): readonly Term[] {
  const [a, b] = term.args as readonly [Term, Term];
  const zero = t.constant(term.width, 0n);
  const one = t.constant(term.width, 1n);
  switch (term.op) {
    case 'mul':
      return [
        t.implies(t.any([t.eq(a, zero), t.eq(b, zero)]), t.eq(term, zero)),
        t.implies(t.eq(a, one), t.eq(term, b)),
        t.implies(t.eq(b, one), t.eq(term, a)),
      ];
    case 'udiv':
      return [
        t.any([t.ule(term, a), t.eq(b, zero)]),
        t.implies(t.eq(b, one), t.eq(term, a)),
        t.implies(t.ult(a, b), t.eq(term, zero)),
      ];
    case 'urem':
      return [t.any([t.ult(term, b), t.eq(b, zero)]), t.ule(term, a), t.implies(t.ult(a, b), t.eq(term, a))];
    default:
      return [];
  }
}

/** The fact that the term has its real value where its operands have these values. */
function factAt(t: Terms, term: Term, a: bigint, b: bigint): Term {
  const [x, y] = term.args as readonly [Term, Term];
  const at = t.all([t.eq(x, t.constant(x.width, a)), t.eq(y, t.constant(y.width, b))]);
  return t.implies(at, t.eq(term, t.constant(term.width, apply(term.op, term.width, a, b))));
}
