/**
 * Checks what a rule set does to one function: the rule proof, and for a refutation the smallest program that shows it. Each function is
 * checked by itself, with a solver of its own. So any thread may check any of them, and the answers do not depend on which one does.
 */
import { contractOf } from '../../kernel/catalog.js';
import type { DeclaredFunction } from '../../object/program.js';
import { questionText } from '../../smt/rule/question-text.js';
import { proveRules, type RuleProof, type RuleQuestion } from '../../smt/rule-proof.js';
import type { SolverStats } from '../../smt/solver.js';
import { loadRuleSets, type NamedRules } from '../naming/rules.js';
import { type JobRunner, openPool, type Pool } from '../threads/pool.js';
import { counterexample } from '../witness/counterexample.js';

/** What all functions are checked against. */
export interface RuleCheckSetting {
  /** The rule set, by name or file. */
  readonly rules: string;
  /** Functions that are declared for it, those of the rule file among them. */
  readonly declared: readonly DeclaredFunction[];
  /** Bound of one question to Z3, in Z3's units. */
  readonly rlimit?: number;
  /** Whether each question to Z3 is written down. */
  readonly smt2?: boolean;
}

/** What is checked: one function, by its name. */
export interface FunctionJob {
  readonly name: string;
}

/** The smallest program that shows a refutation. */
export interface ShownBy {
  /** A case, as text. */
  readonly text: string;
  /** Insns, as written. */
  readonly insns: number;
}

/** A rule proof; for a refutation, the program that shows it, or why there is none. */
export interface CheckedRule {
  readonly proof: RuleProof;
  readonly shownBy?: ShownBy;
  readonly unwitnessed?: string;
  /** The question that was asked, in SMT-LIB 2, where that is wanted. */
  readonly question?: string;
}

/** The answer for one function. */
export interface CheckedFunction {
  readonly checked: readonly CheckedRule[];
  readonly stats: SolverStats;
}

/** Checks functions, one after the other. */
export class RuleChecker implements JobRunner<FunctionJob, CheckedFunction> {
  private constructor(
    private readonly rules: NamedRules,
    private readonly setting: RuleCheckSetting,
  ) {}

  /** Loads the rule set, whose types were checked already. Throws InputError for one that cannot be loaded. */
  static async open(setting: RuleCheckSetting): Promise<RuleChecker> {
    const [rules] = await loadRuleSets([setting.rules], setting.declared, true);
    return new RuleChecker(rules!, setting);
  }

  async do({ name }: FunctionJob): Promise<CheckedFunction> {
    const { rules, setting } = this;
    const contract = contractOf(name, setting.declared);
    if (contract === undefined) throw new Error(`no function '${name}'`);
    const questions: string[] = [];
    const options = {
      ...(setting.rlimit === undefined ? {} : { rlimit: setting.rlimit }),
      ...(setting.smt2 === true && {
        asked: (one: RuleQuestion) => {
          questions.push(questionText(rules.rules.name, one));
        },
      }),
    };
    const { functions, stats } = await proveRules(rules.rules, [contract], options);
    const checked = functions.map((proof, i): CheckedRule => {
      const question = questions[i] === undefined ? {} : { question: questions[i] };
      if (proof.verdict !== 'refuted') return { proof, ...question };
      const lasting = proof.action !== 'stub' && proof.witness?.check === 'bound';
      const { small, because } = counterexample(rules, contract, setting.declared, lasting);
      return small === undefined
        ? { proof, unwitnessed: because, ...question }
        : { proof, shownBy: { text: small.text, insns: small.insns }, ...question };
    });
    return { checked, stats };
  }

  close(): void {}
}

/** Threads that check functions. Throws as `RuleChecker.open`. */
export function openRuleCheckers(
  setting: RuleCheckSetting,
  workers: number,
): Promise<Pool<FunctionJob, CheckedFunction>> {
  const entry = new URL('./thread.js', import.meta.url);
  return openPool({ open: () => RuleChecker.open(setting), entry, data: setting, workers });
}
