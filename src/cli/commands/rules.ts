/** `rules list | show | check`: rule sets, what they do to each function, and whether that is right. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { counterexample } from '../../campaign/counterexample.js';
import { pathOf, prepareProgram, runOptions } from '../../campaign/prepared-program.js';
import { joined, loadDeclared, loadRuleSets, type NamedRules } from '../../campaign/rules.js';
import { packageFolder } from '../../campaign/version.js';
import { InputError } from '../../isa/errors.js';
import { contractOf, contracts, unmodelled } from '../../kernel/catalog.js';
import type { Contract } from '../../kernel/contract.js';
import type { DeclaredFunction } from '../../object/program.js';
import { changedSince } from '../../patch/changed.js';
import { rulesThatDecideNothing, unknownNames, type Warning } from '../../patch/lint.js';
import { Revision } from '../../patch/revision.js';
import type { RuleSet } from '../../patch/rule.js';
import { rulesFor } from '../../patch/select.js';
import { RULE_SETS, shippedRuleSet } from '../../patch/sets/index.js';
import { rulePositions, shippedFile } from '../../patch/sites.js';
import { type Skeleton, skeletonFrom } from '../../patch/skeleton.js';
import { functionView } from '../../patch/view.js';
import { rulesExit } from '../../report/exit.js';
import {
  comparisonInWords,
  type RuleAction,
  type RuleExample,
  type RulesSince,
  ruleActionsInWords,
  ruleProofsInWords,
  warningsInWords,
} from '../../report/rules.js';
import { decidedSince } from '../../smt/rule/decided-since.js';
import { proveRules, type RuleProof } from '../../smt/rule-proof.js';
import { parseCase } from '../../vm/case.js';
import { type Act, type Define, withCommon } from '../command.js';
import { readText } from '../files.js';
import { FUNCTIONS_HELP, integer, list, type WithFunctions } from '../options.js';
import type { Outcome } from '../outcome.js';
import { traced } from '../trace.js';

/** Adds `rules` with its subcommands `list`, `show` and `check` to the command line. */
export const rules: Define = (program, act) => {
  const command = program
    .command('rules')
    .description('list, show and prove rule sets')
    .action(() => {
      throw new InputError('rules: choose one of list, show, check, new');
    });
  defineList(command, act);
  defineShow(command, act);
  defineCheck(command, act);
  defineNew(command, act);
};

function defineList(command: Command, act: Act): void {
  withCommon(command.command('list'))
    .description('the rule sets that come with swansong')
    .action((options) => act(options, listSets));
}

function listSets(): Outcome {
  const sets = RULE_SETS.map(({ name, rules: all }) => ({ name, rules: all.map((rule) => rule.name) }));
  const text = sets
    .map((set) => `${set.name}\n${set.rules.map((rule) => `    ${rule}\n`).join('')}`)
    .join('');
  return { exit: 0, json: { sets }, text };
}

function defineShow(command: Command, act: Act): void {
  withCommon(command.command('show'))
    .description('what a rule set does to each function')
    .argument('SET', 'rule set, by name or file')
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .action((name: string, options) => act(options, () => showSet(name, options)));
}

async function showSet(name: string, options: WithFunctions): Promise<Outcome> {
  const { set, declared } = await loadSet(name, options);
  const functions = contracts(declared).flatMap((contract) => shownOf(set.rules, contract));
  return { exit: 0, json: { rules: set.rules.name, functions }, text: ruleActionsInWords(functions) };
}

function shownOf(set: RuleSet, contract: Contract): readonly RuleAction[] {
  const view = functionView(contract);
  const matching = rulesFor(set, view);
  if (matching.length === 0)
    return [{ name: contract.name, kind: contract.kind, rule: undefined, action: 'keep' }];
  return matching.map((rule): RuleAction => {
    const head = { name: contract.name, kind: contract.kind, rule: rule.name };
    if (rule.matchesSite !== undefined) return { ...head, action: null };
    const action = rule.action(view, undefined);
    return action.kind === 'stub'
      ? { ...head, action: 'stub', stub: action.stub }
      : { ...head, action: 'keep' };
  });
}

/** A rule set, and the functions that are declared for it: on the command line first. */
async function loadSet(
  name: string,
  { functions }: WithFunctions,
): Promise<{ readonly set: NamedRules; readonly declared: readonly DeclaredFunction[] }> {
  const given = await loadDeclared(functions ?? []);
  const [set] = await loadRuleSets([name], given);
  return { set: set!, declared: joined([given, set!.declared ?? []]) };
}

interface CheckOptions extends WithFunctions {
  readonly changedSince?: string;
  readonly function?: string;
  readonly rlimit?: number;
  readonly strict?: true;
}

function defineCheck(command: Command, act: Act): void {
  withCommon(command.command('check'))
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
    .action((name: string, options: CheckOptions) => act(options, () => checkSet(name, options)));
}

async function checkSet(name: string, options: CheckOptions): Promise<Outcome> {
  const { set, declared } = await loadSet(name, options);
  const file = fileOf(name);
  const positions = existsSync(file) ? await rulePositions(file) : new Map<string, { line: number }>();
  const asked = wanted(options.function, declared);
  const since =
    options.changedSince === undefined
      ? undefined
      : await compareWith(options.changedSince, set, file, asked, declared);
  const left = new Set(since?.compared.same);
  const proofs = await proveRules(
    set.rules,
    asked.filter(({ name }) => !left.has(name)),
    options.rlimit === undefined ? {} : { rlimit: options.rlimit },
  );
  const warnings = await warningsOf(set, file, declared);
  const where = relative(process.cwd(), file);
  const functions = proofs.functions.map((proof) => {
    const line = proof.rule === undefined ? undefined : positions.get(proof.rule)?.line;
    const place = line === undefined ? {} : { file: where, line };
    if (proof.verdict !== 'refuted') return { ...proof, ...place };
    return { ...proof, ...place, witness: { ...proof.witness, ...exampleFor(set, proof, declared) } };
  });
  const count = (verdict: RuleProof['verdict']) => functions.filter((one) => one.verdict === verdict).length;
  const summary = { proven: count('proven'), refuted: count('refuted'), unknown: count('unknown') };
  const json = {
    rules: set.rules.name,
    functions,
    summary,
    ...since,
    warnings,
    solver: proofs.stats,
  };
  const compared = since === undefined ? '' : comparisonInWords(since);
  const text = `${ruleProofsInWords(functions, summary)}${compared}${warningsInWords(warnings)}`;
  const exit = options.strict === true && warnings.length > 0 ? 2 : rulesExit(summary);
  return { exit, json, text };
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

function wanted(name: string | undefined, declared: readonly DeclaredFunction[]): readonly Contract[] {
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

function exampleFor(set: NamedRules, proof: RuleProof, declared: readonly DeclaredFunction[]): RuleExample {
  const contract = contractOf(proof.name, declared);
  const small = contract && counterexample(set, contract, declared);
  if (small === undefined) return {};
  const one = parseCase(small.text);
  const prepared = prepareProgram(one.program, one.profile);
  if (typeof prepared === 'string') return {};
  const steps = traced(
    prepared.code,
    { ...runOptions(prepared, pathOf(prepared, set.rules)), env: one.env },
    one.kill,
  );
  return { case: small.text, insns: small.insns, trace: steps.map(({ text }) => text) };
}

interface NewOptions {
  readonly fromC: string;
  readonly name: string;
  readonly output?: string;
}

function defineNew(command: Command, act: Act): void {
  withCommon(command.command('new'))
    .description('begin a rule file for the functions that a patch adds')
    .requiredOption('--from-c <FILE>', 'C source or a unified diff; - for standard input')
    .option('--name <NAME>', 'name of the rule set', ruleSetName, 'new-functions')
    .option('-o, --output <FILE>', 'where to write it; standard output unless told')
    .action((options: NewOptions) => act(options, () => beginRules(options)));
}

function ruleSetName(text: string): string {
  if (/^[\w.-]+$/.test(text) && shippedRuleSet(text) === undefined) return text;
  throw new InvalidArgumentError(
    "It must be made of letters, digits, '.', '_' and '-', and not be a shipped set's.",
  );
}

function beginRules({ fromC, name, output }: NewOptions): Outcome {
  const input = fromC === '-';
  const text = input ? readFileSync(0, 'utf8') : readText(fromC);
  const skeleton = skeletonFrom(text, name, input ? 'standard input' : fromC);
  const json = { ...skeleton, ...(output === undefined ? {} : { file: output }) };
  if (output === undefined) return { exit: 0, json, text: skeleton.text };
  if (existsSync(output)) throw new InputError('there is a file already', { file: output });
  writeFileSync(output, skeleton.text);
  return { exit: 0, json, text: begunInWords(skeleton, output) };
}

function begunInWords({ functions, notes }: Skeleton, file: string): string {
  const lines = functions.map(({ kind, name, missing, wrong }) => {
    const said = wrong ?? (missing.length === 0 ? 'all is said' : `still to be said: ${missing.join('; ')}`);
    return `${kind} ${name}: ${said}`;
  });
  return [...lines, ...notes.map((note) => `left out: ${note}`), `written to ${file}`, ''].join('\n');
}
