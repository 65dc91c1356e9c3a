/**
 * No object literal of what a campaign runs for each program has a getter or a setter. V8 gives each object of such a literal a type of its own: code that
 * meets them is never fast, and the type keeps all that the getter can see, as long as the next full collection is away. Classes have neither fault.
 */
import { resolve } from 'node:path';
import { Project, type SourceFile, SyntaxKind } from 'ts-morph';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const FOLDERS = 'isa,object,kernel,semantics,verifier,patch,vm,strategies,smt,campaign,design';

/** Where the getters and setters of literals stand. */
function ofLiterals(file: SourceFile): readonly string[] {
  return [SyntaxKind.GetAccessor, SyntaxKind.SetAccessor]
    .flatMap((kind) => file.getDescendantsOfKind(kind))
    .filter((one) => one.getParentIfKind(SyntaxKind.ObjectLiteralExpression) !== undefined)
    .map((one) => `${file.getBaseName()}:${one.getStartLineNumber()}: ${one.getText().split('\n')[0]}`);
}

describe('no literal has a getter', () => {
  it('in what a campaign runs', () => {
    const project = new Project({ skipAddingFilesFromTsConfig: true, skipFileDependencyResolution: true });
    project.addSourceFilesAtPaths([`${ROOT}/src/{${FOLDERS}}/**/*.ts`, `${ROOT}/generators/**/*.ts`]);
    const files = project.getSourceFiles();
    expect(files.length).toBeGreaterThan(300);
    expect(files.flatMap(ofLiterals)).toEqual([]);
  });

  it('and one would be seen', () => {
    const project = new Project({ useInMemoryFileSystem: true });
    const text =
      'const a = {\n  b: 1,\n  get c() { return this.b; },\n  set c(d) { this.b = d; },\n};\nclass E { get f() { return a; } }\n';
    expect(ofLiterals(project.createSourceFile('g.ts', text))).toEqual([
      'g.ts:3: get c() { return this.b; },'.slice(0, -1),
      'g.ts:4: set c(d) { this.b = d; },'.slice(0, -1),
    ]);
  });
});
