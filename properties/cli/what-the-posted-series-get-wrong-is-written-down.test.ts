/**
 * reports/rules/ tells kernel developers what the posted rule sets get wrong. The texts are those that `rules report` writes (some functions are
 * written again here, others with another seed), name every function that the pinned proofs refute, and fit a mail.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Refutation, rulesReport } from '../../src/report/rules/rules-report.js';
import { here } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const ROOT = join(import.meta.dirname, '../..');
const committed = (set: string, form: string): string =>
  readFileSync(join(ROOT, 'reports/rules', `${set}.${form}`), 'utf8');
/** In the texts lines are broken at spaces, so names are looked for among words. */
const words = (text: string): ReadonlySet<string> => new Set(text.split(/[\s,]+/));

/** Functions that a set is refuted for, from the pinned proofs. */
function refuted(set: string): readonly string[] {
  const pinned = readFileSync(join(ROOT, 'properties/support/smt/rule-proofs.txt'), 'utf8');
  const part = pinned.split('\n\n').find((one) => one.startsWith(`${set}: `))!;
  return [...part.matchAll(/^(\w+) \((?:helper|kfunc)\): .* refuted:/gm)].map(([, name]) => name!);
}

const kept = (name: string, check: 'bound' | 'acquire'): Refutation => ({
  name,
  kind: 'kfunc',
  action: 'keep',
  rule: 'kfuncs run',
  verdict: 'refuted',
  witness: { check, guards: {}, r0: undefined, state: [`it may ${check}`], missed: [] },
});

it('functions that are wrong for one reason are told together, and none is left out', () => {
  const refuted = [
    kept('one', 'bound'),
    kept('two', 'bound'),
    kept('three', 'acquire'),
    kept('four', 'bound'),
  ];
  for (const form of ['text', 'markdown'] as const) {
    const report = { rules: 'mine', refuted, proven: 7, unknown: 2, right: () => 'a stub.' };
    const text = rulesReport(report, form);
    expect(text).toMatch(/3 functions\n(?:\n)?one, two, four\n/);
    expect(text).toMatch(/\n(?:### )?three\n/);
    expect(text.indexOf('three')).toBeLessThan(text.indexOf('one, two'));
    expect(text.replace(/\s+/g, ' ')).toContain(
      'right for 7 functions and wrong for 4; for 2 it is not known.',
    );
  }
});

describe.each(['rfc-v1', 'rfc-v2', 'rfc-v3', 'naive'])('%s', (set) => {
  it('names every function that is refuted, and counts them', () => {
    const names = [...new Set(refuted(set))];
    expect(names.length).toBeGreaterThan(20);
    for (const form of ['txt', 'md']) {
      const said = words(committed(set, form));
      expect(names.filter((name) => !said.has(name))).toEqual([]);
      expect(committed(set, form).replace(/\s+/g, ' ')).toContain(`wrong for ${names.length}.`);
    }
  });

  it('fits a mail: only cases, which are there to be pasted, may be wider', () => {
    const lines = committed(set, 'txt').split('\n');
    expect(lines.filter((line) => line.length > 72 && !line.startsWith('    '))).toEqual([]);
  });

  it('is what is written today', { timeout: 120_000 }, async () => {
    const text = committed(set, 'txt');
    const shown = [...text.matchAll(/^\n(\w+)\n\n(?:Rule|No rule)/gm)].map(([, name]) => name!);
    expect(shown.length).toBeGreaterThan(3);
    const some = fc.sample(fc.constantFrom(...shown), { ...seeded(3), numRuns: 3 });
    for (const name of new Set(some)) {
      const { exit, out } = await here(['rules', 'report', set, '--function', name]);
      expect(exit).toBe(1);
      const section = out.slice(out.indexOf(`\n${name}\n`)).trimEnd();
      expect(text).toContain(section);
    }
  });
});
