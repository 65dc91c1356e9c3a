/**
 * People are told of a finding with the functions and numbers of its smallest case: the message is what the run of the stored case says, and no placeholder
 * stands in it. Findings are still grouped by kind.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { kindOf } from '../../src/campaign/kill/cause.js';
import { replayed } from '../../src/campaign/kill/prepared-program.js';
import { loadRules } from '../../src/patch/load.js';
import type { Summary } from '../../src/report/campaign/summary.js';
import { inWords } from '../../src/report/campaign/summary-words.js';
import { parseCase } from '../../src/vm/case/case.js';
import { here, scratch } from '../support/cli.js';

const folder = scratch();

interface Told {
  readonly check: string;
  readonly rules: string;
  readonly message: string;
  readonly file: string;
  readonly also: readonly Told[];
}

it('in the document, in the text and in the case', { timeout: 60_000 }, async () => {
  const args = ['fuzz', '--seed', '3', '--programs', '3', '--rules', 'naive'];
  const { exit, out } = await here([...args, '--out', join(folder, 'out'), '--json']);
  expect(exit).toBe(1);
  const document = JSON.parse(out) as Summary & { readonly findings: readonly Told[] };
  const { findings } = document;
  const words = inWords(document);
  let named = 0;
  for (const { check, rules, also, ...first } of findings) {
    for (const { message, file } of [first, ...also]) {
      const one = parseCase(readFileSync(file, 'utf8'), file);
      const answer = replayed(one, (await loadRules(rules)).rules);
      if (typeof answer === 'string') throw new Error(answer);
      const said = answer.result.violations.filter((each) => each.check === check);
      expect(said.map((each) => each.message)).toContain(message);
      if (kindOf(said.find((each) => each.message === message)!) !== message) named++;
      expect(message).not.toMatch(/\ba function\b|\ba register\b|\bN\b|\bfpN\b/);
    }
    expect(words).toContain(`: ${first.message}: `);
  }
  expect(named).toBeGreaterThan(1);
});
