/** Loads a rule set: a shipped one by its name, or a person's own rule file, in TypeScript or JavaScript. */
import { existsSync, statSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { InputError } from '../isa/errors.js';
import type { DeclaredFunction } from '../object/program.js';
import * as language from './define.js';
import { EXTENSIONS, type Files, WORKING_TREE } from './files.js';
import { Modules } from './modules.js';
import type { Rule, RuleSet } from './rule.js';
import { RULE_SETS, shippedRuleSet } from './sets/index.js';
import { shippedFile } from './sites.js';
import { typescript } from './syntax.js';
import { checkTypes } from './types.js';

/** A rule set and the file that it came from. */
export interface LoadedRules {
  readonly rules: RuleSet;
  /** The rule file; `undefined` for a shipped set. */
  readonly file: string | undefined;
  /** Functions that the file, or one that it imports, declares with helper() and kfunc(). */
  readonly declared: readonly DeclaredFunction[];
}

/**
 * The shipped rule set of this name, or the default export of this rule file. `typed`: the types of the file were checked already; `files`: what
 * its text is read from. Throws InputError when it is neither, for an error of types, and for a file whose set is called as one that is shipped.
 */
export async function loadRules(
  nameOrFile: string,
  typed = false,
  files: Files = WORKING_TREE,
): Promise<LoadedRules> {
  const shipped = shippedRuleSet(nameOrFile);
  if (shipped !== undefined) return { rules: shipped, file: undefined, declared: [] };
  if (!EXTENSIONS.includes(extname(nameOrFile))) {
    const names = RULE_SETS.map((rules) => rules.name).join(', ');
    throw new InputError(`no rule set '${nameOrFile}': neither one of ${names} nor a .ts or .js file`);
  }
  const file = resolve(nameOrFile);
  if (!existsSync(file) || !statSync(file).isFile()) {
    throw new InputError('no such rule file', { file: nameOrFile });
  }
  const modules = new Modules(await typescript(), files);
  const exported = await loadedTyped(modules, file, typed);
  const rules = asRuleSet(exported, nameOrFile);
  if (shippedRuleSet(rules.name) !== undefined && file !== shippedFile(rules.name))
    throw new InputError(`a rule set called '${rules.name}' comes with swansong: choose another name`, {
      file: nameOrFile,
    });
  return { rules, file, declared: modules.declared };
}

/** What is said when a name or property is not there: then an error of types says more. */
const FROM_TYPES = /\bundefined\b|is not a function|is not defined|is not iterable/;

/** What a module exports, its types checked. */
async function loadedTyped(modules: Modules, file: string, typed: boolean): Promise<unknown> {
  try {
    const exported = modules.load(file).default;
    if (!typed) await checkTypes(file);
    return exported;
  } catch (error) {
    if (!typed && error instanceof InputError && FROM_TYPES.test(error.message)) await checkTypes(file);
    throw error;
  }
}

/** The functions that a file declares, whether it exports a rule set or not. Throws InputError for a file that declares none. */
export async function loadFunctions(nameOrFile: string): Promise<readonly DeclaredFunction[]> {
  const file = resolve(nameOrFile);
  if (!EXTENSIONS.includes(extname(file)))
    throw new InputError('expected a .ts or .js file that declares functions', { file: nameOrFile });
  if (!existsSync(file) || !statSync(file).isFile())
    throw new InputError('no such file of declarations', { file: nameOrFile });
  const modules = new Modules(await typescript(), WORKING_TREE);
  await loadedTyped(modules, file, false);
  if (modules.declared.length === 0)
    throw new InputError('it declares no function: expected kfunc({...}) or helper({...})', {
      file: nameOrFile,
    });
  return modules.declared;
}

/** The rule set that a rule file exports. Throws InputError if `exported` is none. */
export function asRuleSet(exported: unknown, file: string): RuleSet {
  const { name, rules } = (exported ?? {}) as { name?: unknown; rules?: unknown };
  if (typeof name !== 'string' || !Array.isArray(rules)) {
    throw new InputError('a rule file exports a ruleSet(...) as its default', { file });
  }
  return language.ruleSet(name, rules as Rule[]);
}
