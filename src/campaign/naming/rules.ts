/** Rule sets as a campaign, a case or a command line names them. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { InputError } from '../../isa/errors.js';
import { alreadyThere, contracts } from '../../kernel/catalog.js';
import type { DeclaredFunction } from '../../object/program.js';
import { loadBundle, type RuleBundle } from '../../patch/bundle.js';
import { shownPath } from '../../patch/files.js';
import { type Invariants, loadInvariants } from '../../patch/invariants.js';
import { loadFunctions, loadRules } from '../../patch/load.js';
import type { RuleSet } from '../../patch/rule.js';
import { decide } from '../../patch/select.js';
import { shippedRuleSet } from '../../patch/sets/index.js';
import { rulePositions } from '../../patch/sites.js';
import { functionView, siteView } from '../../patch/view.js';
import { shippedStrategy } from '../../strategies/index.js';
import type { GivenFunctions } from '../../vm/case/case.js';

/** A rule set and how it is called: the name of a shipped one, or the path of a rule file. */
export interface NamedRules {
  readonly name: string;
  readonly rules: RuleSet;
  /** Functions that the rule file declares; none for a shipped set. */
  readonly declared?: readonly DeclaredFunction[];
}

/**
 * Loads rule sets by name or file. `given`: functions that are declared elsewhere, which the rules are to decide as well. Throws InputError for
 * a word that is neither, for one that is named twice, and for rules whose code fails. `typed`: the types of rule files were checked already.
 * `bundles`: rule files that came as text.
 */
export async function loadRuleSets(
  names: readonly string[],
  given: readonly DeclaredFunction[] = [],
  typed = false,
  bundles: readonly RuleBundle[] = [],
): Promise<readonly NamedRules[]> {
  const loaded = await Promise.all(
    names.map((name) =>
      namedRules(
        name,
        typed,
        bundles.find((one) => one.name === name),
      ),
    ),
  );
  const declared = joined([given, ...loaded.map((one) => one.declared ?? [])]);
  for (const [i, { rules }] of loaded.entries()) {
    const twin = loaded.slice(0, i).find((other) => other.rules.name === rules.name);
    if (twin !== undefined) throw new InputError(`two rule sets are called '${rules.name}'`);
    await decideEveryFunction(names[i]!, rules, declared);
  }
  return loaded;
}

async function namedRules(name: string, typed = false, bundle?: RuleBundle): Promise<NamedRules> {
  const { rules, declared } = await (bundle === undefined ? loadRules(name, typed) : loadBundle(bundle));
  return declared.length === 0 ? { name, rules } : { name, rules, declared };
}

/** Lists of declared functions as one. Throws InputError where two lists have different functions of one name or number. */
export function joined(lists: readonly (readonly DeclaredFunction[])[]): readonly DeclaredFunction[] {
  const all: DeclaredFunction[] = [];
  for (const one of lists.flat()) {
    if (all.some(({ kind, text }) => kind === one.kind && text === one.text)) continue;
    const why = alreadyThere(one, all);
    if (why !== undefined) throw new InputError(`declaration ${one.name}: ${why}`);
    all.push(one);
  }
  return all;
}

/** The functions that files declare, in the order of the files. Throws InputError. */
export async function loadDeclared(files: readonly string[]): Promise<readonly DeclaredFunction[]> {
  return joined(await Promise.all(files.map(loadFunctions)));
}

/** Asks about every function once, so that a rule that fails does so at once and not in the middle of long work. */
async function decideEveryFunction(
  file: string,
  rules: RuleSet,
  declared: readonly DeclaredFunction[],
): Promise<void> {
  try {
    for (const contract of contracts(declared))
      for (const hasPad of [false, true])
        decide(rules, functionView(contract), siteView(contract, -1, contract.outcomes, hasPad));
  } catch (error) {
    if (!(error instanceof InputError) || error.place.file !== undefined || !existsSync(file)) throw error;
    // What has no place of its own, such as a rule that never ends, has that of its rule.
    const name = /rule '(.*?)': /.exec(error.message)?.[1] ?? '';
    const { line, column } = (await rulePositions(file)).get(name) ?? {};
    throw new InputError(error.message, {
      file: shownPath(resolve(file)),
      ...(line === undefined ? {} : { line, column }),
    });
  }
}

/** Functions from files that come before what programs declare, and those of a rule file, which come behind; and `more` behind those. */
export async function givenFunctions(
  files: readonly string[] = [],
  rules?: NamedRules,
  more: readonly DeclaredFunction[] = [],
): Promise<GivenFunctions> {
  return { first: await loadDeclared(files), last: joined([rules?.declared ?? [], more]) };
}

/**
 * The rule set that the text of a case names, if any: it is wanted before the case is read, for its file may declare what the case calls. A strategy
 * that does not come with swansong is a rule set too.
 */
export function rulesNamed(text: string): string | undefined {
  const strategy = strategyNamedIn(text);
  if (strategy !== undefined) return shippedStrategy(strategy) === undefined ? strategy : undefined;
  return /^\s*\.rules\s+(\S+)\s*$/m.exec(text)?.[1];
}

/** The strategy that the text of a case names, if any. */
export function strategyNamedIn(text: string): string | undefined {
  return /^\s*\.strategy\s+(\S+)\s*$/m.exec(text)?.[1];
}

/** The rule set of a case, from the case's text. Throws as `rulesOfCase`. */
export async function rulesOfText(text: string, file: string): Promise<NamedRules> {
  return rulesOfCase(rulesNamed(text), file);
}

/**
 * The rule set that a case names: a shipped one, or a rule file whose path is taken from the case's own folder first, and then
 * from the current one. A case that names none is under `sound`. Throws InputError.
 */
export async function rulesOfCase(name = 'sound', file?: string): Promise<NamedRules> {
  const beside = file === undefined || isAbsolute(name) ? name : join(dirname(file), name);
  const found = shippedRuleSet(name) === undefined && existsSync(beside) ? beside : name;
  return { ...(await namedRules(found)), name };
}

/** The folder that the paths of a case's rule file and invariants are taken from: the case's own, or the current one. */
export function rulesBase(file: string, text: string): string {
  const names = [rulesNamed(text), invariantsNamed(text)];
  return names.some((name) => name !== undefined && existsSync(join(dirname(file), name)))
    ? dirname(file)
    : '.';
}

/** The file of invariants that the text of a case names, if any. */
export function invariantsNamed(text: string): string | undefined {
  return /^\s*\.invariants\s+(\S+)\s*$/m.exec(text)?.[1];
}

/**
 * The invariants that the text of a case names, if any; the path is taken from the case's own folder first, and then from the current one. Throws
 * InputError as `loadInvariants`.
 */
export async function invariantsOfText(text: string, file: string): Promise<Invariants | undefined> {
  const name = invariantsNamed(text);
  if (name === undefined) return undefined;
  const beside = isAbsolute(name) ? name : join(dirname(file), name);
  return loadInvariants(existsSync(beside) ? beside : name, name);
}

/**
 * The text of a case that is written to another folder: the path of its rule file is taken from the case's own folder. `from`: the folder that
 * the path was taken from until now; the current one unless told. A whole path becomes one from that folder, too. Names of shipped sets, and of
 * files that are not there, stay.
 */
export function withRulesFrom(text: string, to: string, from = '.'): string {
  return text.replace(
    /^(\s*\.(?:rules|strategy|invariants)\s+)(\S+)(?=\s*$)/gm,
    (whole, word: string, name: string) => {
      if (shippedStrategy(name) !== undefined) return whole;
      const file = resolve(from, name);
      if (!existsSync(file)) return whole;
      const path = relative(resolve(to), file);
      // A blank would end the path.
      return /\s/.test(path) ? whole : `${word}${path}`;
    },
  );
}
