/** `rules list | show | check`: rule sets, what they do to each function, and whether that is right. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { InputError } from '../../isa/errors.js';
import type { Contract } from '../../kernel/contract.js';
import { WatchedSite } from '../../patch/guard.js';
import type { Action, RuleSet } from '../../patch/rule.js';
import { decide, rulesFor } from '../../patch/select.js';
import { RULE_SETS, shippedRuleSet } from '../../patch/sets/index.js';
import { situationsOf } from '../../patch/situations.js';
import { type Skeleton, skeletonFrom } from '../../patch/skeleton.js';
import { functionView, siteView } from '../../patch/view.js';
import type { RulesListDocument, RulesNewDocument, RulesShowDocument } from '../../report/documents.js';
import { type RuleAction, ruleActionsInWords } from '../../report/rules/rules.js';
import { type Act, commandOfCommands, type Define, withCommon } from '../command.js';
import { readText } from '../input/files.js';
import { FUNCTIONS_HELP, list, type WithFunctions } from '../input/options.js';
import type { Outcome } from '../output/outcome.js';
import { defineCheck, loadSet, wanted } from './rules-check.js';
import { defineReport } from './rules-report.js';
import { defineStrength } from './rules-strength.js';

/** Adds `rules` with its subcommands `list`, `show` and `check` to the command line. */
export const rules: Define = (program, act) => {
  const command = commandOfCommands(program, 'rules', 'list, show and prove rule sets');
  defineList(command, act);
  defineShow(command, act);
  defineCheck(command, act);
  defineNew(command, act);
  defineStrength(command, act);
  defineReport(command, act);
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
  return { exit: 0, json: { sets } satisfies RulesListDocument, text };
}

function defineShow(command: Command, act: Act): void {
  withCommon(command.command('show'))
    .description('what a rule set does to each function')
    .argument('SET', 'rule set, by name or file')
    .option('--function <NAME>', 'only this function')
    .option('--functions <FILES>', FUNCTIONS_HELP, list)
    .action((name: string, options: ShowOptions) => act(options, () => showSet(name, options)));
}

interface ShowOptions extends WithFunctions {
  readonly function?: string;
}

async function showSet(name: string, options: ShowOptions): Promise<Outcome> {
  const { set, declared } = await loadSet(name, options);
  const functions = wanted(options.function, declared).flatMap((contract) => shownOf(set.rules, contract));
  return {
    exit: 0,
    json: { rules: set.rules.name, functions } satisfies RulesShowDocument,
    text: ruleActionsInWords(functions),
  };
}

/** What decides for a function: one row where it is the same at every call site. */
function shownOf(set: RuleSet, contract: Contract): readonly RuleAction[] {
  const head = { name: contract.name, kind: contract.kind };
  const action = decidedEverywhere(set, contract);
  if (action !== undefined) return [{ ...head, ...action }];
  return rulesFor(set, functionView(contract)).map((rule): RuleAction => {
    if (rule.matchesSite !== undefined) return { ...head, rule: rule.name, action: null };
    return { ...head, rule: rule.name, ...shownAction(rule.action(functionView(contract), undefined)) };
  });
}

/** The decision that is the same in every situation of a function; undefined where it depends on the call site or on its slot. */
function decidedEverywhere(
  set: RuleSet,
  contract: Contract,
): Pick<RuleAction, 'rule' | 'action' | 'stub'> | undefined {
  let looksAtSlot = false;
  const sites = situationsOf(contract).flatMap(({ enabled }) =>
    [false, true].map((hasPad) => siteView(contract, -1, enabled, hasPad)),
  );
  const decisions = sites.map((site) => {
    const watched = new WatchedSite(site, () => {
      looksAtSlot = true;
    });
    const { rule, action } = decide(set, functionView(contract), watched);
    return { rule: rule?.name, ...shownAction(action) };
  });
  const words = (value: unknown): string =>
    JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
  const same = decisions.every((one) => words(one) === words(decisions[0]));
  return same && !looksAtSlot ? decisions[0] : undefined;
}

const shownAction = (action: Action): Pick<RuleAction, 'action' | 'stub'> =>
  action.kind === 'stub' ? { action: 'stub', stub: action.stub } : { action: action.kind };

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
  const json = { ...skeleton, ...(output === undefined ? {} : { file: output }) } satisfies RulesNewDocument;
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
