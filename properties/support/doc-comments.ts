/** The doc comments of exported declarations: which declarations need one, and whether it says more than the name does. */
import { type JSDocableNode, Node, type Project, SyntaxKind, type TypeNode } from 'ts-morph';

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

/** Every exported function, class, interface and type of the project in which `root` is the root of the tree. */
export function declarations(project: Project, root: string): readonly Declared[] {
  return project.getSourceFiles().flatMap((source) => {
    const file = source.getFilePath().slice(root.length + 1);
    const found: Declared[] = [];
    const functions = new Map<string, Declared>();
    const add = (kind: Kind, name: string, node: JSDocableNode & Node): void => {
      const comment = node
        .getJsDocs()
        .map((doc) => doc.getDescription().trim())
        .join('\n');
      found.push({ file, kind, name, comment, line: node.getStartLineNumber() });
    };
    for (const statement of source.getStatements()) {
      if (Node.isFunctionDeclaration(statement) && statement.isExported()) {
        const name = statement.getName() ?? 'default';
        // One comment does for all overloads.
        const before = functions.get(name);
        add('function', name, statement);
        const one = found.pop()!;
        functions.set(
          name,
          before === undefined ? one : { ...before, comment: `${before.comment}\n${one.comment}` },
        );
      }
      if (Node.isVariableStatement(statement) && statement.isExported())
        for (const declaration of statement.getDeclarations()) {
          const value = declaration.getInitializer();
          if (Node.isArrowFunction(value) || Node.isFunctionExpression(value))
            add('function', declaration.getName(), statement);
        }
      if (Node.isClassDeclaration(statement) && statement.isExported())
        add('class', statement.getName() ?? 'default', statement);
      if (Node.isInterfaceDeclaration(statement) && statement.isExported())
        add('interface', statement.getName(), statement);
      if (Node.isTypeAliasDeclaration(statement) && statement.isExported())
        if (!isLiterals(statement.getTypeNodeOrThrow())) add('type', statement.getName(), statement);
    }
    return [...found, ...functions.values()];
  });
}

/** Whether a type is a literal or a union of them: its members speak for themselves. */
function isLiterals(type: TypeNode): boolean {
  if (Node.isUnionTypeNode(type)) return type.getTypeNodes().every(isLiterals);
  return Node.isLiteralTypeNode(type) || type.getKind() === SyntaxKind.UndefinedKeyword;
}
