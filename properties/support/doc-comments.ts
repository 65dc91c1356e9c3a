/** The doc comments of exported declarations: which declarations need one, and whether it says more than the name does. */
import { ts } from 'ts-morph';

/** What is declared: `function` also for a constant that is a function. */
export type Kind = 'function' | 'class' | 'interface' | 'type';

/** An exported declaration that needs a doc comment. */
export interface Declared {
  /** The file, from the root of the tree. */
  readonly file: string;
  readonly kind: Kind;
  readonly name: string;
  /** The text of its doc comments, joined; empty if it has none. */
  readonly comment: string;
  /** Line of the declaration, from 1. */
  readonly line: number;
}

/** Words that say nothing by themselves. */
const EMPTY = new Set(
  (
    'a an and are as at be by for from has in is it its of on or that the this these those to which with ' +
    'class function interface type object return returns get gets set sets'
  ).split(' '),
);

/** Words of a text in small letters; `camelCase` is two words. A plural and its singular are one word. */
function words(text: string): string[] {
  const apart = text.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1 $2');
  return (apart.toLowerCase().match(/[a-z0-9]+/g) ?? []).map((word) => word.replace(/(?<=..)s$/, ''));
}

/** The words of a comment that are neither empty nor in the name, each once. */
export function ownWords(name: string, comment: string): ReadonlySet<string> {
  const known = new Set([...words(name), ...EMPTY]);
  return new Set(words(comment).filter((word) => !known.has(word) && !EMPTY.has(word)));
}

/** Whether a comment says something: at least two words that the name does not have. */
export function saysSomething(name: string, comment: string): boolean {
  return ownWords(name, comment).size >= 2;
}

/** Every exported function, class, interface and type of a file. */
export function declarations(file: string, text: string): readonly Declared[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const found: Declared[] = [];
  const add = (kind: Kind, name: string | undefined, node: ts.Statement): void => {
    const comments = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
    const comment = comments.map((doc) => ts.getTextOfJSDocComment(doc.comment)?.trim() ?? '').join('\n');
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    // One comment does for all overloads.
    const before = found.findIndex((one) => kind === 'function' && one.kind === kind && one.name === name);
    if (before < 0) found.push({ file, kind, name: name ?? 'default', comment, line });
    else found[before] = { ...found[before]!, comment: `${found[before]!.comment}\n${comment}`.trim() };
  };
  for (const node of source.statements) {
    if (!isExported(node)) continue;
    if (ts.isFunctionDeclaration(node)) add('function', node.name?.text, node);
    if (ts.isClassDeclaration(node)) add('class', node.name?.text, node);
    if (ts.isInterfaceDeclaration(node)) add('interface', node.name.text, node);
    if (ts.isTypeAliasDeclaration(node) && !isLiterals(node.type)) add('type', node.name.text, node);
    if (ts.isVariableStatement(node))
      for (const { name, initializer } of node.declarationList.declarations)
        if (
          initializer !== undefined &&
          (ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer))
        )
          add('function', name.getText(source), node);
  }
  return found;
}

function isExported(node: ts.Statement): boolean {
  return (
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

/** Whether a type is a literal or a union of them: its members speak for themselves. */
function isLiterals(type: ts.TypeNode): boolean {
  if (ts.isUnionTypeNode(type)) return type.types.every(isLiterals);
  return ts.isLiteralTypeNode(type) || type.kind === ts.SyntaxKind.UndefinedKeyword;
}
