/** What the tests skip is counted by its reason, and no test is skipped without being asked about its reason. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { skipsInWords } from '../support/skips.js';

const PROPERTIES = resolve(import.meta.dirname, '..');

describe('what is skipped', () => {
  it('is counted by its reason, the most frequent first', () => {
    expect(skipsInWords([])).toEqual([]);
    expect(skipsInWords(['b', 'a', 'c', 'c', 'c'])).toEqual([
      'skipped 3: c',
      'skipped 1: a',
      'skipped 1: b',
      'skipped in all: 5',
    ]);
  });

  it('says why: only where a kernel is asked, whose answer is the reason', () => {
    const files = readdirSync(PROPERTIES, { recursive: true, encoding: 'utf8' }).filter((file) =>
      file.endsWith('.test.ts'),
    );
    expect(files.length).toBeGreaterThan(100);
    for (const file of files) {
      const text = readFileSync(join(PROPERTIES, file), 'utf8');
      const skips = [...text.matchAll(/\b(?:it|test|describe)\.(?:skip|todo|skipIf)\(([^']*?)\)/g)];
      for (const [all, condition] of skips)
        expect([file, all, condition?.startsWith('!messagesKnown(')]).toEqual([file, all, true]);
      // That gives a reason to what stands in such a block alone.
      if (skips.length > 0)
        expect([file, text.includes('describeKernel(') || text.includes('describeKnownKernel(')]).toEqual([
          file,
          true,
        ]);
    }
  });
});
