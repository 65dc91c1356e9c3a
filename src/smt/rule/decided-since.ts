/**
 * Tells for which functions a rule set has to be proven again since a git revision. A rule proof (../rule-proof.ts) depends on the contract
 * of the function and on what the rule set decides in each situation of it, and on nothing else. So a function is left out only where
 * both are what they were at the revision. Where that cannot be told, every function is proven, and the reason is said.
 */
import { InputError } from '../../isa/errors.js';
import type { Contract } from '../../kernel/contract.js';
import { contractOfDeclared } from '../../kernel/declare/declare.js';
import type { DeclaredFunction } from '../../object/program.js';
import { asRuleSet } from '../../patch/load.js';
import { Modules } from '../../patch/modules.js';
import type { Revision } from '../../patch/revision.js';
import type { RuleSet } from '../../patch/rule.js';
import { decisionsIn, situationsOf } from '../../patch/situations.js';
import { typescript } from '../../patch/syntax.js';
import { contractsAt } from './tool-revision.js';

/** What was compared with a revision. */
export interface Compared {
  /** Functions that are decided otherwise than at the revision. */
  readonly decisions: readonly string[];
  /** Functions whose contract is another one, or is new. */
  readonly contracts: readonly string[];
  /** Functions with the same contract and decisions: they need no new proof. */
  readonly same: readonly string[];
  /** What is taken for granted of the revision, as its repository does not tell it. */
  readonly assumed?: string;
  /** Why nothing could be compared, so that every function is in need of a proof; absent where all was compared. */
  readonly because?: string;
}

/** What a comparison with a revision may be told besides. */
export interface SinceOptions {
  /** As for contractsAt. */
  readonly sources?: string;
  /** Functions that are declared today, whose contracts are among those to compare. */
  readonly declared?: readonly DeclaredFunction[];
}

/**
 * Compares what `now`, the rule set of `file`, decides for each of these contracts with what the file at `revision` decided. Throws
 * InputError where the rules of today fail.
 */
export async function decidedSince(
  now: RuleSet,
  file: string,
  revision: Revision,
  contracts: readonly Contract[],
  { sources, declared = [] }: SinceOptions = {},
): Promise<Compared> {
  const then = await rulesAt(file, revision);
  if (typeof then === 'string') return uncompared(then);
  const before = await contractsAt(file, revision, sources);
  if ('because' in before) return uncompared(before.because);
  const { assumed } = before;
  // What the rule file of today declares is held against what that of the revision declared.
  const declaredThen = new Map(then.declared.map((one) => [one.name, contractOfDeclared(one)]));
  const declaredNow = new Set(declared.map((one) => one.name));
  const old = (contract: Contract): Contract | undefined => {
    if (declaredNow.has(contract.name)) return declaredThen.get(contract.name);
    return before.contracts === 'as now' ? contract : before.contracts.get(contract.name);
  };
  return {
    ...compare(now, then.rules, old, contracts),
    ...(assumed === undefined ? {} : { assumed }),
  };
}

function compare(
  now: RuleSet,
  then: RuleSet,
  before: (contract: Contract) => Contract | undefined,
  contracts: readonly Contract[],
): Compared {
  const decisions: string[] = [];
  const changed: string[] = [];
  const same: string[] = [];
  for (const contract of contracts) {
    if (!alike(before(contract), contract)) changed.push(contract.name);
    else if (!alike(decisionsOf(now, contract), decisionsThen(then, contract))) decisions.push(contract.name);
    else same.push(contract.name);
  }
  return { decisions, contracts: changed, same };
}

/** Whether two values say the same. What comes out of a sandbox has prototypes of its own, so that Node's own comparison does not do. */
const alike = (a: unknown, b: unknown): boolean => inWords(a) === inWords(b);

const inWords = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));

const uncompared = (because: string): Compared => ({ decisions: [], contracts: [], same: [], because });

/** Rule and action in each situation, in a form that compares. */
function decisionsOf(rules: RuleSet, contract: Contract): readonly unknown[] {
  return situationsOf(contract).flatMap((situation) =>
    decisionsIn(rules, contract, situation).map(({ rule, action }) => [rule?.name, action]),
  );
}

/** The decisions of the old rules; `undefined`, which compares with nothing, where they fail. */
function decisionsThen(rules: RuleSet, contract: Contract): readonly unknown[] | undefined {
  try {
    return decisionsOf(rules, contract);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** The rule set as it was, or why that cannot be told. */
async function rulesAt(
  file: string,
  revision: Revision,
): Promise<{ readonly rules: RuleSet; readonly declared: readonly DeclaredFunction[] } | string> {
  if (revision.read(file) === undefined) return `${revision.name} has no such rule file`;
  const modules = new Modules(await typescript(), revision);
  let rules: RuleSet;
  try {
    rules = asRuleSet(modules.load(file).default, file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return `the rule file of ${revision.name} cannot be loaded: ${error.message}`;
  }
  return { rules, declared: modules.declared };
}
