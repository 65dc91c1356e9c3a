/** The registry of mutants: each finds its node in the source as it is, and changes it; each names properties that there are. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { apply } from '../mutants/apply.js';
import type { Mutant } from '../mutants/mutant.js';
import { MUTANTS } from '../mutants/registry.js';

const ROOT = resolve(import.meta.dirname, '../..');

describe('every mutant finds its node', () => {
  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', (_, mutant) => {
    const text = readFileSync(resolve(ROOT, mutant.file), 'utf8');
    expect(apply(mutant, text)).not.toBe(text);
    expect(mutant.wrong).toMatch(/^[A-Z].*\.$/);
    expect(mutant.noticedBy.length).toBeGreaterThan(0);
    for (const name of mutant.noticedBy)
      expect([name, existsSync(resolve(ROOT, `properties/${name}.test.ts`))]).toEqual([name, true]);
  });

  it('under a name of its own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });
});

describe('the node is found by name and shape', () => {
  const text = `
    const limit = 3;
    class Walk { step(n: number) { return n + 1; } back(n: number) { return n + 1; } }
    function outer() { const inner = () => limit  +  1; return inner() + limit; }
  `;
  const one = (inside: string, node: string, becomes: string): Mutant => ({
    name: 'one',
    file: 'one.ts',
    inside,
    node,
    becomes,
    wrong: '',
    noticedBy: [],
  });

  it('in a constant, a method, a function in a function', () => {
    expect(apply(one('limit', '3', '4'), text)).toContain('limit = 4');
    expect(apply(one('Walk.back', 'n + 1', 'n'), text)).toContain('back(n: number) { return n; }');
    expect(apply(one('outer.inner', 'limit + 1', 'limit'), text)).toContain('() => limit; return');
  });

  it('or the mutant is refused', () => {
    expect(() => apply(one('Walk', 'n + 1', 'n'), text)).toThrow(/stands 2 times/);
    expect(() => apply(one('Walk.step', 'n + 2', 'n'), text)).toThrow(/stands 0 times/);
    expect(() => apply(one('Walk.leap', 'n', 'm'), text)).toThrow(/declares no 'Walk.leap'/);
  });
});
