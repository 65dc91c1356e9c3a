/**
 * Tells which rules of a file changed since a git revision, to show people the place. A rule has changed if its syntax tree has, or a
 * declaration of the same file or an imported file that it uses. Comments and formatting do not count. What has to be proven again is
 * not told by syntax (a rule may be removed, computed or made by a function): see smt/rule/decided-since.ts.
 */
import { dirname, resolve } from 'node:path';
import type { ts } from 'ts-morph';
import { type Files, resolveFile, WORKING_TREE } from './files.js';
import type { Revision } from './revision.js';
import { canonical, filesImportedBy, parse, rulesIn, type Ts, typescript } from './syntax.js';

/** The rules that a change touches directly, and those that it may touch because the first match wins. */
export interface ChangedRules {
  /** Names of rules that are new or whose tree differs, in file order. */
  readonly changed: readonly string[];
  /**
   * Unchanged rules below a rule that changed, was removed or moved. The first match wins, so they may now decide for other
   * functions.
   */
  readonly below: readonly string[];
}

/**
 * Compares a rule file in the working tree with the same file at `revision`. A file that did not exist then is new as a whole.
 * Throws InputError for a syntax error.
 */
export async function changedSince(file: string, revision: Revision): Promise<ChangedRules> {
  const compiler = await typescript();
  const now = digests(compiler, resolve(file), WORKING_TREE);
  const then = digests(compiler, resolve(file), revision);
  const changed: string[] = [];
  const below: string[] = [];
  let orderChanged = false;
  const order = [...then.keys()];
  let expected = 0;
  for (const [name, digest] of now) {
    if (then.get(name) !== digest) {
      changed.push(name);
      orderChanged = true;
    } else {
      if (order[expected] !== name) orderChanged = true;
      if (orderChanged) below.push(name);
    }
    if (order[expected] === name) expected += 1;
  }
  return { changed, below };
}

function digests(compiler: Ts, file: string, files: Files): ReadonlyMap<string, string> {
  const text = files.read(file);
  if (text === undefined) return new Map();
  const source = parse(compiler, file, text);
  const declared = declarations(compiler, source);
  const found = new Map<string, string>();
  for (const { name, node } of rulesIn(compiler, source)) {
    const parts = [canonical(compiler, node)];
    const seen = new Set<ts.Node>();
    const addDependencies = (from: ts.Node): void => {
      for (const word of identifiers(compiler, from)) {
        const declaration = declared.get(word);
        if (declaration === undefined || seen.has(declaration)) continue;
        seen.add(declaration);
        parts.push(
          compiler.isImportDeclaration(declaration)
            ? imported(compiler, file, declaration, files)
            : canonical(compiler, declaration),
        );
        if (!compiler.isImportDeclaration(declaration)) addDependencies(declaration);
      }
    };
    addDependencies(node);
    found.set(name, parts.join('\n'));
  }
  return found;
}

/** Top-level names of a file and what declares them. */
function declarations(compiler: Ts, source: ts.SourceFile): ReadonlyMap<string, ts.Node> {
  const found = new Map<string, ts.Node>();
  for (const statement of source.statements) {
    if (compiler.isVariableStatement(statement)) {
      for (const declaration of statement.declarationList.declarations) {
        for (const word of identifiers(compiler, declaration.name)) found.set(word, declaration);
      }
    } else if (compiler.isFunctionDeclaration(statement) || compiler.isClassDeclaration(statement)) {
      if (statement.name !== undefined) found.set(statement.name.text, statement);
    } else if (compiler.isImportDeclaration(statement) && statement.importClause !== undefined) {
      for (const word of identifiers(compiler, statement.importClause)) found.set(word, statement);
    }
  }
  return found;
}

function identifiers(compiler: Ts, node: ts.Node): readonly string[] {
  const found: string[] = [];
  const visit = (child: ts.Node): void => {
    if (compiler.isIdentifier(child)) found.push(child.text);
    compiler.forEachChild(child, visit);
  };
  visit(node);
  return found;
}

/** What an import brings in: for a file beside the rules, that whole file and those that it leans on in turn. */
function imported(compiler: Ts, from: string, declaration: ts.ImportDeclaration, files: Files): string {
  if (!compiler.isStringLiteral(declaration.moduleSpecifier)) return '';
  const specifier = declaration.moduleSpecifier.text;
  const path = specifier.startsWith('.') ? resolveFile(resolve(dirname(from), specifier), files) : undefined;
  if (path === undefined) return specifier;
  return filesImportedBy(compiler, path, files)
    .map((file) => canonical(compiler, parse(compiler, file, files.read(file) ?? '')))
    .join('\n');
}
