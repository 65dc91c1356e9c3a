/**
 * Every way in which generated programs used something often (a pointer of a kind read, compared or passed to a function, a call while this or that
 * is held) they still use it in: a generator that loses one is noticed, whichever it is. The list is rewritten by `SWANSONG_RECORD=1` and grows with the
 * generators; read the difference.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { sample } from '../../generators/sample.js';
import { verify } from '../../src/verifier/verify.js';
import { usesOf } from '../support/generators/uses.js';
import { seeded } from '../support/seed.js';

const FILE = new URL('../support/generators/uses.txt', import.meta.url);
const SEED = seeded(1).seed ?? 0;
const PROGRAMS = 3000;
/** A use that so many of the programs make is missing by chance in one seed of a million. */
const OFTEN = 14;

it('programs use things in every way that they did', () => {
  const seen = new Map<string, number>();
  for (let index = 0; index < PROGRAMS; index++) {
    const { program } = sample(SEED, index);
    const verdict = verify(program, { budget: 20_000 });
    if (!verdict.ok) continue;
    for (const use of usesOf(program, verdict.facts)) seen.set(use, (seen.get(use) ?? 0) + 1);
  }
  const often = [...seen].flatMap(([use, count]) => (count >= OFTEN ? [use] : [])).sort();
  if (process.env.SWANSONG_RECORD === '1') writeFileSync(FILE, `${often.join('\n')}\n`);
  const known = readFileSync(FILE, 'utf8').trimEnd().split('\n');
  expect(known.length).toBeGreaterThan(500);
  expect(known.filter((use) => !seen.has(use))).toEqual([]);
});
