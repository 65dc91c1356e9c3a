/** Makes a mutant's change to the text of its file. The node is found by the syntax tree, so that lines may move. */
import { Node, Project, type SourceFile } from 'ts-morph';
import type { Mutant } from './mutant.js';

const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** The file's text with the mutant's change. Throws if the declaration or the node is not there, or not there once. */
export function apply(mutant: Mutant, text: string): string {
  const { name, file, inside, node: wanted, becomes } = mutant;
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });
  const source = project.createSourceFile('mutated.ts', text);
  const where = declaration(source, inside.split('.'));
  if (where === undefined) throw new Error(`mutant ${name}: ${file} declares no '${inside}'`);
  const found = outermost(where, squeezed(wanted));
  if (found.length !== 1)
    throw new Error(
      `mutant ${name}: '${wanted}' stands ${found.length} times in '${inside}' of ${file}, not once`,
    );
  const [node] = found;
  const before = text.slice(0, node!.getStart());
  return before + becomes + text.slice(node!.getEnd());
}

/** Nodes with this text, those inside another such node left out. */
function outermost(where: Node, wanted: string): readonly Node[] {
  const found: Node[] = [];
  const visit = (node: Node): void => {
    if (squeezed(node.getText()) === wanted) found.push(node);
    else node.forEachChild(visit);
  };
  visit(where);
  return found;
}

/** The declaration that a path of names leads to. */
function declaration(source: SourceFile, path: readonly string[]): Node | undefined {
  let where: Node = source;
  for (const name of path) {
    const next = named(where, name);
    if (next === undefined) return undefined;
    where = next;
  }
  return where;
}

function named(where: Node, name: string): Node | undefined {
  let found: Node | undefined;
  where.forEachDescendant((node, traversal) => {
    if (!declares(node, name)) return;
    found = node;
    traversal.stop();
  });
  return found;
}

function declares(node: Node, name: string): boolean {
  if (Node.isConstructorDeclaration(node)) return name === 'constructor';
  if (Node.isExportAssignment(node)) return name === 'default';
  if (
    Node.isFunctionDeclaration(node) ||
    Node.isClassDeclaration(node) ||
    Node.isMethodDeclaration(node) ||
    Node.isGetAccessorDeclaration(node) ||
    Node.isPropertyDeclaration(node) ||
    Node.isVariableDeclaration(node) ||
    Node.isPropertyAssignment(node)
  ) {
    const text = node.getName();
    return text === name || text === `'${name}'`;
  }
  return false;
}
