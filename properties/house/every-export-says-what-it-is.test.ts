/** Every exported function, class, interface and type has a doc comment, and the comment says more than the name. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { declarations, ownWords, saysSomething } from '../support/doc-comments.js';

const ROOT = resolve(import.meta.dirname, '../..');

/** What `declarations` finds in one small file. */
function found(text: string): readonly string[] {
  return declarations('one.ts', text).map(({ kind, name, comment }) => `${kind} ${name}: ${comment}`);
}

/** The sources of the product, from the root of the tree. */
function sources(): readonly string[] {
  return ['src', 'generators'].flatMap((folder) =>
    readdirSync(resolve(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file))
      .map((file) => `${folder}/${file}`),
  );
}

describe('every export says what it is', () => {
  it('in this tree', () => {
    const all = sources().flatMap((file) => declarations(file, readFileSync(resolve(ROOT, file), 'utf8')));
    expect(all.length).toBeGreaterThan(1300);
    for (const kind of ['function', 'class', 'interface', 'type'])
      expect(all.filter((one) => one.kind === kind).length).toBeGreaterThan(50);
    const mute = all.filter(({ name, comment }) => !saysSomething(name, comment));
    expect(mute.map(({ file, line, kind, name }) => `${file}:${line}: ${kind} ${name}`)).toEqual([]);
  });
});

describe('a comment that says nothing is seen', () => {
  it.each([
    ['countInsns', ''],
    ['countInsns', 'Counts insns.'],
    ['countInsns', 'Returns the count of the insn.'],
    ['PlaceSet', 'A set of places.'],
    ['tnumAnd', 'The tnum, and.'],
    ['takeLock', 'Takes the lock for it.'],
    ['neg', '`dst`'],
  ])('%s: %s', (name, comment) => {
    expect(saysSomething(name, comment)).toBe(false);
  });

  it.each([
    ['countInsns', 'How many slots a program takes.'],
    ['takeLock', 'Takes the lock. Refuses a second one.'],
    ['PlaceSet', 'Registers and stack slots, one bit each.'],
  ])('and %s: %s does', (name, comment) => {
    expect(saysSomething(name, comment)).toBe(true);
  });

  it('for words of the name do not count, nor those that say nothing', () => {
    expect([...ownWords('readBTFIds', 'Reads the ids of BTF, and of maps.')]).toEqual(['map']);
  });
});

describe('the comments of all exports are found', () => {
  it('of functions, also constants that are functions, classes, interfaces and types', () => {
    expect(
      found(`
        /** One. */
        export function f() {}
        export const g = () => 1, h = 2;
        /** Two. */
        export class C {}
        /** Three. */
        export interface I {}
        export type T = { a: 1 } | undefined;
        function hidden() {}
        interface Hidden {}
      `).toSorted(),
    ).toEqual(['class C: Two.', 'function f: One.', 'function g: ', 'interface I: Three.', 'type T: ']);
  });

  it('but not of unions of literals, whose members speak for themselves', () => {
    expect(found(`export type T = 'a' | 'b' | 1 | undefined; export type U = null;`)).toEqual([]);
  });

  it('and one comment does for all overloads', () => {
    expect(
      found(
        '/** One. */ export function f(a: 1): 1; export function f(a: 2): 2; export function f(a: 1 | 2) {}',
      ),
    ).toEqual(['function f: One.']);
  });
});
