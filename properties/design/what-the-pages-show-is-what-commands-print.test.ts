/**
 * The commands that docs/design-space.md and docs/limits.md show print what stands under them; `...` stands for any lines, and times may differ. The
 * tables of docs/design-space.md are those of the run that is kept in reports/design (written anew by `node scripts/design-page.mjs`). In it the
 * sound fast path leaks and faults nowhere, and what is abandoned leaks exactly where something is held. Each strategy has its section.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type DesignRun, designTables, keptRun, withTables } from '../../src/report/design/design-page.js';
import type { DesignDocument } from '../../src/report/documents.js';
import { STRATEGIES } from '../../src/strategies/index.js';
import { here } from '../support/cli.js';
import { DESIGN_CASES } from '../support/strategies/kills.js';

const page = (name: string): string =>
  readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');

interface Shown {
  readonly command: string;
  readonly lines: readonly string[];
}

const shownIn = (text: string): readonly Shown[] =>
  [...text.matchAll(/^```\n(.*?)^```$/gms)].flatMap(([, block]) =>
    block!
      .split(/^\$ npx swansong /m)
      .slice(1)
      .map((part) => {
        const [command, ...lines] = part.split('\n');
        return { command: command!, lines: lines.filter((line) => line.trim() !== '') };
      }),
  );

/** Printed lines, without the column of times and the width of columns. */
function plain(text: string): readonly string[] {
  let time = -1;
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const words = line.trim().split(/\s+/);
      if (words[0] === 'program') time = words.indexOf('ms');
      return words.filter((_, at) => time < 0 || at !== time).join(' ');
    });
}

/** Whether lines are those shown, `...` for any. */
function fits(shown: readonly string[], printed: readonly string[]): boolean {
  const [first, ...rest] = shown;
  if (first === undefined) return printed.length === 0;
  if (first !== '...') return printed[0] === first && fits(rest, printed.slice(1));
  return Array.from({ length: printed.length + 1 }, (_, skip) => skip).some((skip) =>
    fits(rest, printed.slice(skip)),
  );
}

describe.each(['design-space', 'limits'])('%s.md', (name) => {
  const shown = shownIn(page(name));

  it('shows commands', () => {
    expect(shown.length).toBeGreaterThan(9);
  });

  it.each(shown.map(({ command, lines }) => [command, lines] as const))('%s', async (command, lines) => {
    const { out, err } = await here(command.split(' '));
    const printed = plain(`${out}${err}`);
    const told = lines.map((line) => (line === '...' ? line : line.trim().replace(/\s+/g, ' ')));
    if (!fits(told, printed)) expect(printed).toEqual(told);
  });
});

it('a line that is not printed is noticed', () => {
  expect(fits(['a', '...', 'c'], ['a', 'b', 'b', 'c'])).toBe(true);
  expect(fits(['...', 'c'], ['c'])).toBe(true);
  for (const printed of [['a', 'b'], ['a', 'c', 'd'], []])
    expect(fits(['a', '...', 'c'], printed)).toBe(false);
});

describe('the kept run', () => {
  const run = JSON.parse(
    readFileSync(new URL('../../reports/design/generated.json', import.meta.url), 'utf8'),
  ) as DesignRun;

  it('is what the tables say', () => {
    const text = page('design-space');
    expect(withTables(text, designTables(run))).toBe(text);
    for (const name of ['ran', 'costs', 'failures', 'refused']) expect(text).toContain(`<!-- ${name} -->`);
  });

  it('has every strategy; nothing breaks under the sound rules, and abandoned runs leak where something is held', () => {
    expect(run.strategies.map(({ name }) => name)).toEqual(STRATEGIES.map(({ name }) => name));
    const row = (name: string) => run.strategies.find((one) => one.name === name)!;
    expect(run.generated).toBeGreaterThanOrEqual(2000);
    expect(row('sound')).toMatchObject({ points: run.points, leakPoints: 0, faults: 0, broken: {} });
    expect(row('abandon')).toMatchObject({
      points: run.points,
      leakPoints: run.holdingPoints,
      stopsAtOnce: 1,
    });
    for (const name of ['ledger', 'throw', 'object-table', 'unwind-table'])
      expect(row(name).leakPoints).toBe(0);
    for (const name of ['rfc-v1', 'rfc-v2', 'rfc-v3']) expect(row(name).faults).toBeGreaterThan(0);
  });

  it('keeps no cases and no times', async () => {
    const { out } = await here(['design', 'corpus/design/tail-call.bpf', '--worlds', '1', '--json']);
    const kept = keptRun(JSON.parse(out) as DesignDocument);
    expect(JSON.stringify(kept)).not.toMatch(/"(ms|case|failures)"/);
    expect(kept.strategies).toHaveLength(STRATEGIES.length);
  });
});

it('every strategy has its section, and every page names cases that are there', () => {
  const text = page('design-space');
  for (const { name } of STRATEGIES) expect(text).toMatch(new RegExp(`^### .*${name}`, 'm'));
  for (const of of ['design-space', 'limits'])
    for (const [, name] of page(of).matchAll(/corpus\/design\/([\w-]+)\.bpf/g))
      expect([name, DESIGN_CASES.has(name!)]).toEqual([name, true]);
});
