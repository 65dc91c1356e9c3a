/** The arrows of the house, over the source itself: no import goes upwards, none goes in a circle. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Project } from 'ts-morph';
import { describe, expect, it } from 'vitest';
import { circles, importsOf, strangers, upwards } from '../support/imports.js';

const ROOT = resolve(import.meta.dirname, '../..');

function house(): Project {
  const project = new Project({ skipAddingFilesFromTsConfig: true, skipFileDependencyResolution: true });
  project.addSourceFilesAtPaths([`${ROOT}/src/**/*.{ts,tsx}`, `${ROOT}/generators/**/*.ts`]);
  return project;
}

/** A small tree with the given files. */
function tree(files: Readonly<Record<string, string>>): ReturnType<typeof importsOf> {
  const project = new Project({ useInMemoryFileSystem: true });
  for (const [path, text] of Object.entries(files)) project.createSourceFile(`/t/${path}`, text);
  return importsOf(project, '/t');
}

describe('nothing imports upwards', () => {
  const edges = importsOf(house(), ROOT);

  it('in this tree', () => {
    expect(edges.length).toBeGreaterThan(100);
    expect(upwards(edges)).toEqual([]);
    expect(circles(edges)).toEqual([]);
  });

  it('and only declared dependencies are imported', () => {
    const manifest = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8')) as {
      dependencies: Record<string, string>;
      devDependencies: Record<string, string>;
      peerDependencies: Record<string, string>;
    };
    expect(
      strangers(
        edges,
        new Set(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })),
        new Set(Object.keys(manifest.devDependencies)),
      ),
    ).toEqual([]);
  });
});

describe('a bad import is seen', () => {
  const seeded: readonly [what: string, files: Record<string, string>, message: RegExp][] = [
    ['upwards', { 'src/vm/a.ts': "import { b } from '../smt/b.js';" }, /src\/smt\/b, which lies above/],
    ['a type', { 'src/isa/a.ts': "import type { B } from '../object/b.js';" }, /lies above/],
    ['a re-export', { 'src/patch/a.ts': "export * from '../cli/b.js';" }, /lies above/],
    ['a dynamic import', { 'src/object/a.ts': "void import('../kernel/b.js');" }, /lies above/],
    ['an import type', { 'src/object/a.ts': "export type B = import('../vm/b.js').B;" }, /lies above/],
    ['generators from below', { 'src/oracle/a.ts': "import '../../generators/b.js';" }, /lies above/],
    ['properties', { 'src/cli/a.ts': "import '../../properties/b.js';" }, /no folder of the house/],
    ['a new folder', { 'src/util/a.ts': "import '../isa/b.js';" }, /src\/util\/a lies in no folder/],
    ['from one wing to a higher one', { 'src/verifier/state/a.ts': "import '../call/b.js';" }, /lies above/],
    ['from a wing to the face', { 'src/verifier/walk/a.ts': "import '../verify.js';" }, /lies above/],
    ['the page', { 'src/cli/a.ts': "import '../page/b.js';" }, /runs in a browser/],
    ['by the page', { 'src/page/a.tsx': "import type { A } from '../report/run.js';" }, /is not the page's/],
    ['a package in isa', { 'src/isa/a.ts': "import 'node:fs';" }, /src\/isa imports nothing/],
  ];

  it.each(seeded)('%s', (_what, files, message) => {
    const found = upwards(tree(files));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
  });

  it('a circle, also over three files and back to the file itself', () => {
    const three = tree({
      'src/vm/a.ts': "import './b.js';",
      'src/vm/b.ts': "export * from './c.js';",
      'src/vm/c.ts': "import type { A } from './a.js';",
    });
    expect(circles(three)).toEqual([['src/vm/a', 'src/vm/b', 'src/vm/c', 'src/vm/a']]);
    expect(circles(tree({ 'src/vm/a.ts': "import './a.js';" }))).toHaveLength(1);
  });

  it('a package that is not declared', () => {
    const edges = tree({ 'src/vm/a.ts': "import 'left/pad'; import '@a/b/c'; import 'node:fs';" });
    expect(strangers(edges, new Set(['@a/b']))).toEqual(['src/vm/a imports left, which is no dependency']);
    const page = tree({ 'src/page/a.tsx': "import 'one'; import 'two'; import 'node:fs';" });
    expect(strangers(page, new Set(['one']), new Set(['two']))).toEqual([
      'src/page/a imports one, which is no dependency',
      'src/page/a imports node:fs, which is no dependency',
    ]);
  });

  it('and a sound tree is left alone', () => {
    const edges = tree({ 'src/vm/a.ts': "import '../isa/b.js'; import 'node:fs'; import './c.js';" });
    expect(upwards(edges)).toEqual([]);
    expect(circles(edges)).toEqual([]);
  });
});
