/**
 * What is probably a mistake in a rule set although it loads: rules that decide nothing, because they match no function or because rules before
 * them always do, and names of functions that do not exist.
 */
import { resolve } from 'node:path';
import type { ts } from 'ts-morph';
import { didYouMean } from '../isa/nearest.js';
import { knownFunctions } from '../kernel/catalog.js';
import type { Contract } from '../kernel/contract.js';
import { type Files, shownPath, WORKING_TREE } from './files.js';
import type { Rule, RuleSet } from './rule.js';
import { rulePositions } from './sites.js';
import { decisionsIn, situationsOf } from './situations.js';
import { filesImportedBy, parse, type Ts, typescript } from './syntax.js';
import { functionView, siteView } from './view.js';

/** Something to be looked at, and its place in the file of the rules; no line where the rule's name is computed. */
export interface Warning {
  readonly message: string;
  readonly file?: string;
  /** Both count from 1. */
  readonly line?: number;
  readonly column?: number;
}

/** Rules of a set that decide for none of these functions in any situation. `file`: where the rules are written, if they are. */
export async function rulesThatDecideNothing(
  rules: RuleSet,
  contracts: readonly Contract[],
  file?: string,
): Promise<readonly Warning[]> {
  const deciding = new Set<string>();
  for (const contract of contracts) {
    for (const situation of situationsOf(contract)) {
      for (const { rule } of decisionsIn(rules, contract, situation))
        if (rule !== undefined) deciding.add(rule.name);
    }
  }
  const idle = rules.rules.filter(({ name }) => !deciding.has(name));
  if (idle.length === 0) return [];
  const positions = file === undefined ? new Map() : await rulePositions(file);
  return idle.map((rule) => {
    const { line, column } = positions.get(rule.name) ?? {};
    const before = shadowing(rules, rule, contracts);
    const why =
      before.length === 0
        ? 'matches no function'
        : `never decides: ${before.map((name) => `'${name}'`).join(', ')} ${before.length === 1 ? 'matches' : 'match'} first`;
    return {
      message: `rule '${rule.name}' ${why}`,
      ...(file === undefined ? {} : { file: shownPath(resolve(file)) }),
      ...(line === undefined ? {} : { line, column }),
    };
  });
}

/** The rules that decide wherever this one, which decides nothing, would. Empty: it matches nowhere. */
function shadowing(rules: RuleSet, rule: Rule, contracts: readonly Contract[]): readonly string[] {
  const before = new Set<string>();
  for (const contract of contracts) {
    const f = functionView(contract);
    if (!rule.matches(f)) continue;
    for (const situation of situationsOf(contract)) {
      for (const { rule: first, hasPad } of decisionsIn(rules, contract, situation)) {
        const site = siteView(contract, -1, situation.enabled, hasPad);
        if (rule.matchesSite !== undefined && !rule.matchesSite(site, f)) continue;
        if (first !== undefined) before.add(first.name);
      }
    }
  }
  return rules.rules.flatMap(({ name }) => (before.has(name) ? [name] : []));
}

/** Strings in a rule file, and in the files that it imports, that look like names of functions and are none. `declared`: names that are declared beside. */
export async function unknownNames(
  file: string,
  declared: readonly string[],
  files: Files = WORKING_TREE,
): Promise<readonly Warning[]> {
  const compiler = await typescript();
  const known = new Set([...knownFunctions().map(({ name }) => name), ...declared]);
  const found: Warning[] = [];
  for (const path of filesImportedBy(compiler, file, files)) {
    const source = parse(compiler, path, files.read(path) ?? '');
    const visit = (node: ts.Node): void => {
      if (compiler.isStringLiteralLike(node) && isFunctionName(compiler, node) && !known.has(node.text)) {
        const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
        const message = `no helper or kfunc is called '${node.text}'${didYouMean(node.text, known)}`;
        found.push({ message, file: shownPath(path), line: line + 1, column: character + 1 });
      }
      compiler.forEachChild(node, visit);
    };
    visit(source);
  }
  return found;
}

/** Whether a string stands for a function: by its form, or because a name is compared with it. The names of rules are not meant. */
function isFunctionName(compiler: Ts, node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  if (compiler.isCallExpression(parent) && compiler.isIdentifier(parent.expression)) {
    if (['rule', 'ruleSet'].includes(parent.expression.text)) return false;
  }
  if (compiler.isImportDeclaration(parent) || compiler.isPropertyAssignment(parent)) return false;
  if (/^bpf_[a-z0-9_]+$/.test(node.text)) return true;
  if (!compiler.isBinaryExpression(parent)) return false;
  const other = parent.left === node ? parent.right : parent.left;
  return compiler.isPropertyAccessExpression(other) && other.name.text === 'name';
}
