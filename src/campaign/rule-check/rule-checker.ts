/**
 * Checks what a rule set does to one function: the rule proof, and for a refutation the smallest program that shows it. Each function is
 * checked by itself, with a solver of its own. So any thread may check any of them, and the answers do not depend on which one does.
 */
import { contractOf } from '../../kernel/catalog.js';
import type { DeclaredFunction } from '../../object/program.js';
import { proveRules, type RuleProof } from '../../smt/rule-proof.js';
import type { SolverStats } from '../../smt/solver.js';
import { counterexample } from '../counterexample.js';
import { type JobRunner, openPool, type Pool } from '../pool.js';
import { loadRuleSets, type NamedRules } from '../rules.js';

/** What all functions are checked against. */
export interface RuleCheckSetting {
  /** The rule set, by name or file. */
  readonly rules: string;
  /** Functions that are declared for it, those of the rule file among them. */
  readonly declared: readonly DeclaredFunction[];
  /** Bound of one question to Z3, in Z3's units. */
  readonly rlimit?: number;
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
    const options = setting.rlimit === undefined ? {} : { rlimit: setting.rlimit };
    const { functions, stats } = await proveRules(rules.rules, [contract], options);
    const checked = functions.map((proof): CheckedRule => {
      if (proof.verdict !== 'refuted') return { proof };
      const lasting = proof.action === 'keep' && proof.witness?.check === 'bound';
      const { small, because } = counterexample(rules, contract, setting.declared, lasting);
      return small === undefined
        ? { proof, unwitnessed: because }
        : { proof, shownBy: { text: small.text, insns: small.insns } };
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
