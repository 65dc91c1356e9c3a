/**
 * The syntax trees of rule files, read with the TypeScript parser that ts-morph carries. Parsing only: nothing is type-checked
 * or run here. The parser is heavy, so it is loaded when the first rule file is.
 */
import { dirname, resolve } from 'node:path';
import type { ts } from 'ts-morph';
import { InputError } from '../isa/errors.js';
import { type Files, resolveFile } from './files.js';

/** The TypeScript compiler's own interface, as ts-morph hands it on. */
export type Ts = typeof ts;

let parser: Promise<Ts> | undefined;

/** The TypeScript compiler's own module. */
export function typescript(): Promise<Ts> {
  parser ??= import('ts-morph').then((module) => module.ts);
  return parser;
}

/** Parses TypeScript or JavaScript text; throws InputError at the first syntax error. `file` is only a name. */
export function parse(compiler: Ts, file: string, text: string): ts.SourceFile {
  const source = compiler.createSourceFile(file, text, compiler.ScriptTarget.ES2022, true);
  const { diagnostics } = compiler.transpileModule(text, {
    fileName: file,
    reportDiagnostics: true,
    compilerOptions: { allowJs: true, target: compiler.ScriptTarget.ES2022 },
  });
  const first = diagnostics?.[0];
  if (first !== undefined) {
    const message = compiler.flattenDiagnosticMessageText(first.messageText, ' ');
    const { line, character } = source.getLineAndCharacterOfPosition(first.start ?? 0);
    throw new InputError(message, { file, line: line + 1, column: character + 1 });
  }
  return source;
}

/** What a file imports or exports from elsewhere, as written; imports of types only, which leave nothing to run, are not among them. */
export function importsOf(compiler: Ts, source: ts.SourceFile): readonly string[] {
  return source.statements.flatMap((statement) => {
    if (compiler.isImportDeclaration(statement)) {
      if (statement.importClause?.isTypeOnly === true) return [];
      return compiler.isStringLiteral(statement.moduleSpecifier) ? [statement.moduleSpecifier.text] : [];
    }
    if (!compiler.isExportDeclaration(statement) || statement.isTypeOnly) return [];
    const from = statement.moduleSpecifier;
    return from !== undefined && compiler.isStringLiteral(from) ? [from.text] : [];
  });
}

/** A file and all files of the same tree that it imports, straight or through others. */
export function filesImportedBy(compiler: Ts, file: string, files: Files): readonly string[] {
  const found = new Set<string>();
  const queue = [resolve(file)];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const text = files.read(path);
    if (text === undefined || found.has(path)) continue;
    found.add(path);
    for (const specifier of importsOf(compiler, parse(compiler, path, text))) {
      const next = specifier.startsWith('.')
        ? resolveFile(resolve(dirname(path), specifier), files)
        : undefined;
      if (next !== undefined) queue.push(next);
    }
  }
  return [...found];
}

/** A rule in a file: its name and the whole chain `rule('…').when(…).stub(…)`. */
export interface RuleSyntax {
  readonly name: string;
  readonly node: ts.Node;
  /** Position of the word `rule`, counting from 1. */
  readonly line: number;
  readonly column: number;
}

/** All rules of a file whose name is written out as a string, in order of appearance. */
export function rulesIn(compiler: Ts, source: ts.SourceFile): readonly RuleSyntax[] {
  const found: RuleSyntax[] = [];
  const visit = (node: ts.Node): void => {
    const name = ruleName(compiler, node);
    if (name !== undefined) {
      const { line, character } = source.getLineAndCharacterOfPosition(node.getStart(source));
      found.push({ name, node: chainOf(compiler, node), line: line + 1, column: character + 1 });
    }
    compiler.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function ruleName(compiler: Ts, node: ts.Node): string | undefined {
  if (!compiler.isCallExpression(node) || !compiler.isIdentifier(node.expression)) return undefined;
  const first = node.arguments[0];
  if (node.expression.text !== 'rule' || first === undefined) return undefined;
  return compiler.isStringLiteralLike(first) ? first.text : undefined;
}

/** From `rule('…')` outwards over `.when(…)`, `.at(…)`, `.stub(…)`, `.keep()`. */
function chainOf(compiler: Ts, start: ts.Node): ts.Node {
  let node = start;
  while (true) {
    const access = node.parent;
    if (!compiler.isPropertyAccessExpression(access) || access.expression !== node) return node;
    const call = access.parent;
    if (!compiler.isCallExpression(call) || call.expression !== access) return node;
    node = call;
  }
}

/**
 * A text that two syntax trees share iff they differ in comments, white space, quotes, trailing commas and redundant
 * parentheses only.
 */
export function canonical(compiler: Ts, node: ts.Node): string {
  if (compiler.isParenthesizedExpression(node)) return canonical(compiler, node.expression);
  if (compiler.isStringLiteralLike(node)) return JSON.stringify(node.text);
  const children: string[] = [];
  compiler.forEachChild(node, (child) => {
    children.push(canonical(compiler, child));
  });
  if (children.length === 0) {
    const leaf = 'text' in node && typeof node.text === 'string' ? node.text : '';
    return `${node.kind}:${leaf}`;
  }
  // Flags tell const from let and the like; the operator of a prefix or postfix expression is no child node.
  const operator = 'operator' in node ? String(node.operator) : '';
  const flags = node.flags & (compiler.NodeFlags.Const | compiler.NodeFlags.Let);
  return `(${node.kind} ${operator} ${flags} ${children.join(' ')})`;
}
