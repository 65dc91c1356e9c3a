/** `rules check`: what a rule set does to each function, proven, or refuted by the smallest program. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { pathOf, prepareProgram, runOptions } from '../../campaign/kill/prepared-program.js';
import {
  joined,
  loadDeclared,
  loadRuleSets,
  type NamedRules,
  withRulesFrom,
} from '../../campaign/naming/rules.js';
import {
  type CheckedFunction,
  type CheckedRule,
  openRuleCheckers,
} from '../../campaign/rule-check/rule-checker.js';
import { packageFolder } from '../../campaign/shards/version.js';
import { InputError } from '../../isa/errors.js';
import { contractOf, contracts, unmodelled } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import { delaysOf } from '../../kernel/delays.js';
import { acquires, callsBack } from '../../kernel/describe.js';
import type { DeclaredFunction } from '../../object/program.js';
import { KernelJudge } from '../../oracle/bulk.js';
import { changedSince } from '../../patch/changed.js';
import { rulesThatDecideNothing, unknownNames, type Warning } from '../../patch/lint.js';
import { whyNoStub } from '../../patch/no-stub.js';
import { Revision } from '../../patch/revision.js';
import { shippedRuleSet } from '../../patch/sets/index.js';
import { rulePositions, shippedFile } from '../../patch/sites.js';
import { situationsOf } from '../../patch/situations.js';
import type { RulesCheckDocument } from '../../report/documents.js';
import { rulesExit } from '../../report/exit.js';
import {
  comparisonInWords,
  type RuleExample,
  type RulesSince,
  ruleProofsInWords,
  warningsInWords,
} from '../../report/rules/rules.js';
import { decidedSince } from '../../smt/rule/decided-since.js';
import type { RuleProof } from '../../smt/rule-proof.js';
import type { SolverStats } from '../../smt/solver.js';
import { boundOf, parseCase } from '../../vm/case/case.js';
import { replay } from '../../vm/replay.js';
import { worstFirst } from '../../vm/state/trap.js';
import { type Act, withFormats } from '../command.js';
import { FUNCTIONS_HELP, integer, list, type WithFunctions } from '../input/options.js';
import type { Common, Outcome } from '../output/outcome.js';
import { countBar } from '../output/progress.js';
import { traced } from '../output/trace.js';

/** A rule set, and the functions that are declared for it: on the command line first. */
export async function loadSet(
  name: string,
  { functions }: WithFunctions,
): Promise<{ readonly set: NamedRules; readonly declared: readonly DeclaredFunction[] }> {
  const given = await loadDeclared(functions ?? []);
  const [set] = await loadRuleSets([name], given);
  return { set: set!, declared: joined([given, set!.declared ?? []]) };
}

/** What is checked of a set, and how. */
export interface CheckOptions extends WithFunctions {
  readonly changedSince?: string;
  readonly function?: string;
  readonly rlimit?: number;
  readonly strict?: true;
  readonly all?: true;
  readonly workers?: number;
  readonly out?: string;
  readonly smt2?: string;
  readonly kernel?: true;
}

/** Adds `check` to the command `rules`. */
export function defineCheck(command: Command, act: Act): void {
  withFormats(command.command('check'))
    .description('prove the rules of a set, or refute them with the smallest program')
    .argument('SET', 'rule set, by name or file')
    .option(
      '--changed-since <REV>',
      'only functions whose contract, or what the rules decide for them, changed since a git revision',
    )
    .option('--function <NAME>', 'only this function')
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .option('--strict', 'exit 2 for rules that decide nothing and for names of functions that do not exist')
    .option('--rlimit <N>', "bound of one question to Z3, in Z3's units", integer(1))
    .option('--all', 'list every function, also those for which the rules are right')
    .option('--out <DIR>', 'write the program of each refutation there, as a case')
    .option('--smt2 <DIR>', 'write each question to Z3 there, as SMT-LIB 2')
    .option('--kernel', 'load the program of each refutation into the running kernel as well')
    .option('--workers <N>', 'threads; one for each processor unless told', integer(1, 256))
    .action((name: string, options: CheckOptions) =>
      act(options, (common) => checkSet(name, options, common)),
    );
}

async function checkSet(name: string, options: CheckOptions, common: Common): Promise<Outcome> {
  const { set, functions, summary, since, warnings, solver } = await checkedSet(name, options, common);
  const json = {
    rules: set.rules.name,
    functions,
    summary,
    ...since,
    warnings,
    solver,
  } satisfies RulesCheckDocument;
  const compared = since === undefined ? '' : comparisonInWords(since);
  const told = ruleProofsInWords(functions, summary, {
    all: options.all === true || options.function !== undefined,
  });
  const exit = options.strict === true && warnings.length > 0 ? 2 : rulesExit(summary);
  return { exit, json, text: `${told}${compared}${warningsInWords(warnings)}` };
}

/** A rule set, checked: what is proven and refuted of each function, with programs and the places of rules. */
export async function checkedSet(name: string, options: CheckOptions, common: Common) {
  const { set, declared } = await loadSet(name, options);
  const file = fileOf(name);
  const positions = existsSync(file) ? await rulePositions(file) : new Map<string, { line: number }>();
  const asked = wanted(options.function, declared);
  const since =
    options.changedSince === undefined
      ? undefined
      : await compareWith(options.changedSince, set, file, asked, declared);
  const left = new Set(since?.compared.same);
  const names = asked.map((contract) => contract.name).filter((each) => !left.has(each));
  for (const folder of [options.out, options.smt2])
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const warnings = await warningsOf(set, file, declared);
  // Says at once, and before long work, when there is no kernel to ask.
  const judge = options.kernel === true ? new KernelJudge() : undefined;
  const answers = await checkAll(name, names, declared, options, common);
  if (options.smt2 !== undefined) storeQuestions(options.smt2, set.rules.name, answers);
  const where = relative(process.cwd(), file);
  const functions = answers
    .flatMap(({ checked }) => checked)
    .map((one) => {
      const { proof } = one;
      const line = proof.rule === undefined ? undefined : positions.get(proof.rule)?.line;
      const place = line === undefined ? {} : { file: where, line };
      if (proof.verdict !== 'refuted') return { ...proof, ...place, ...noStubFor(proof, declared) };
      const shown = exampleFor(set, one, declared, options.out);
      return {
        ...proof,
        ...place,
        witness: { ...proof.witness!, ...shown, ...inLinux(shown, declared, judge) },
      };
    });
  judge?.close();
  const count = (verdict: RuleProof['verdict']) => functions.filter((one) => one.verdict === verdict).length;
  const summary = {
    proven: count('proven'),
    refuted: count('refuted'),
    unknown: count('unknown'),
    unwitnessed: answers.flatMap(({ checked }) => checked).filter(({ unwitnessed }) => unwitnessed).length,
  };
  return { set, declared, functions, summary, since, warnings, solver: total(answers) };
}

/** Why no stub is possible, for a call that is kept rightly although it acquires or may last. */
function noStubFor(
  { name, action, verdict }: RuleProof,
  declared: readonly DeclaredFunction[],
): { readonly noStub?: string } {
  const contract = contractOf(name, declared);
  if (action === 'stub' || verdict !== 'proven' || contract === undefined) return {};
  const lasts = acquires(contract) || callsBack(contract) || delaysOf(contract, undefined).length > 0;
  if (!lasts) return {};
  const whys = situationsOf(contract).map(({ enabled }) => whyNoStub(contract, enabled));
  const noStub = whys.find((why) => why !== undefined);
  return noStub === undefined ? {} : { noStub };
}

/** What is probably a mistake in a set: none is in those that come with swansong. */
async function warningsOf(
  { rules, name }: NamedRules,
  file: string,
  declared: readonly DeclaredFunction[],
): Promise<readonly Warning[]> {
  if (shippedRuleSet(name) !== undefined) return [];
  const names = declared.map((one) => one.name);
  return [
    ...(await rulesThatDecideNothing(rules, contracts(declared), file)),
    ...(await unknownNames(file, names)),
  ];
}

/** Checks these functions in threads, in order. */
async function checkAll(
  rules: string,
  names: readonly string[],
  declared: readonly DeclaredFunction[],
  { rlimit, smt2, workers = availableParallelism() }: CheckOptions,
  common: Common,
): Promise<readonly CheckedFunction[]> {
  const setting = {
    ...{ rules, declared, smt2: smt2 !== undefined },
    ...(rlimit === undefined ? {} : { rlimit }),
  };
  // For a few functions starting threads costs more than it saves.
  const pool = await openRuleCheckers(setting, names.length < FEW ? 1 : workers);
  const bar = countBar(common, 'functions', names.length);
  const answers: CheckedFunction[] = [];
  let next = 0;
  let done = 0;
  const work = async (): Promise<void> => {
    while (next < names.length) {
      const at = next++;
      answers[at] = await pool.run({ name: names[at]! });
      bar.show(++done);
    }
  };
  try {
    // No more at once than there are threads: a job that waits in this thread would hold a solver meanwhile.
    await Promise.all(Array.from({ length: pool.width }, work));
    return answers;
  } finally {
    bar.close();
    await pool.close();
  }
}

/** So many functions are checked in this thread: starting others would take longer than it saves. */
const FEW = 4;

/** What all solvers did together. */
function total(answers: readonly CheckedFunction[]): SolverStats {
  const sum: SolverStats = { asked: 0, simplified: 0, guessed: 0, repeated: 0, checks: 0, unknown: 0 };
  for (const { stats } of answers)
    for (const key of Object.keys(sum) as (keyof SolverStats)[]) sum[key] += stats[key];
  return sum;
}

/** Which rules of the file changed, and what the set decides otherwise, since a git revision. */
async function compareWith(
  name: string,
  { rules }: NamedRules,
  file: string,
  asked: readonly Contract[],
  declared: readonly DeclaredFunction[],
): Promise<RulesSince> {
  const revision = Revision.of(file, name);
  const { changed, below } = await changedSince(file, revision);
  const compared = await decidedSince(rules, resolve(file), revision, asked, { declared });
  return { changed, below, compared: { revision: name, ...compared } };
}

/** The function of this name, or all of them. Throws InputError for one that is not modelled. */
export function wanted(name: string | undefined, declared: readonly DeclaredFunction[]): readonly Contract[] {
  if (name === undefined) return contracts(declared);
  const contract = contractOf(name, declared);
  if (contract === undefined) throw new InputError(unmodelled(name));
  return [contract];
}

/** The file of a rule set: its TypeScript source where the repository is at hand. */
function fileOf(name: string): string {
  if (shippedRuleSet(name) === undefined) return name;
  const source = join(packageFolder(), 'src', 'patch', 'sets', `${name}.ts`);
  return existsSync(source) ? source : shippedFile(name);
}

/** What shows that a rule is wrong: the program and its run, or why there is none. With `folder` the program is written there. */
function exampleFor(
  set: NamedRules,
  { shownBy, unwitnessed, proof }: CheckedRule,
  declared: readonly DeclaredFunction[],
  folder: string | undefined,
): RuleExample {
  if (shownBy === undefined) return { unwitnessed: unwitnessed ?? 'no program was looked for' };
  const { text, insns } = shownBy;
  const one = parseCase(text, undefined, { first: declared, last: [] });
  const prepared = prepareProgram(one.program, one.profile);
  if (typeof prepared === 'string') throw new Error(`the program for ${proof.name} is refused: ${prepared}`);
  const steps = traced(
    prepared.code,
    { ...runOptions(prepared, pathOf(prepared, set.rules)), ...boundOf(one), env: one.env },
    one.kill,
  );
  const { violations } = replay(one, pathOf(prepared, set.rules), { facts: prepared.verdict.facts }).result;
  const file = folder === undefined ? {} : { file: storeExample(folder, set.rules.name, proof.name, text) };
  return { case: text, insns, trace: steps.map(({ text }) => text), breaks: worstFirst(violations), ...file };
}

/** What the running kernel says of the program that shows a refutation; nothing where there is none, or no kernel is asked. */
function inLinux(
  { case: text }: RuleExample,
  declared: readonly DeclaredFunction[],
  judge: KernelJudge | undefined,
): Pick<RuleExample, 'kernel'> {
  if (text === undefined || judge === undefined) return {};
  const { program } = parseCase(text, undefined, { first: declared, last: [] });
  if (program.declared !== undefined)
    return { kernel: { verdict: 'not judged', message: 'no kernel has a declared function' } };
  const { accepted, judged, message = '' } = judge.judge(program);
  return { kernel: { verdict: accepted ? 'accepted' : judged ? 'rejected' : 'not judged', message } };
}

/** Writes the questions: one file for each rule that decides for a function somewhere. */
function storeQuestions(folder: string, rules: string, answers: readonly CheckedFunction[]): void {
  for (const { checked } of answers)
    checked.forEach(({ proof, question }, i) => {
      if (question === undefined) return;
      writeFileSync(join(folder, `${rules}-${proof.name}${i === 0 ? '' : `-${i + 1}`}.smt2`), question);
    });
}

/** Writes the program of a refutation; one of an earlier check is replaced. Answers its path. */
function storeExample(folder: string, rules: string, name: string, text: string): string {
  const file = join(folder, `${rules}-${name}.bpf`);
  writeFileSync(file, withRulesFrom(text, folder));
  return file;
}
