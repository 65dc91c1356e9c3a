/** A page of a thousand findings is under 5 MB and opens in under 2 seconds: each finding with its runs, not only its name. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { pageAssets, pageHtml } from '../../src/report/page/html.js';
import { PageMaker } from '../../src/report/page/maker.js';
import type { PageCase } from '../../src/report/page/shape.js';
import { CORPUS, scratch } from '../support/cli.js';
import { describeBrowser } from '../support/page/browser.js';

const folder = scratch();
const COUNT = 1000;
const FILE = join(folder, 'thousand.html');
const FEW = join(folder, 'ten.html');
/** Milliseconds that a page of ten findings takes at most on a machine of which anything is asked here. */
const QUICK = 1000;

/** A copy of a finding that is another one: other names, numbers and steps, so that a page cannot pack it away as the same. */
function another(one: PageCase, n: number): PageCase {
  const id = `${one.id}-${n}`;
  const text = JSON.stringify({ ...one, id }).replace(
    /\b(map|value of map) (\w+)/g,
    `$1 $2_${(n * 7919) % 1009}`,
  );
  return { ...(JSON.parse(text) as PageCase), hits: (n * 31) % 977 };
}

beforeAll(async () => {
  const maker = new PageMaker();
  const names = readdirSync(CORPUS).filter((name) => name.endsWith('.bpf'));
  for (const name of names)
    await maker.addCase(readFileSync(join(CORPUS, name), 'utf8'), join(CORPUS, name), {
      file: name,
      status: 'new',
    });
  const cases = Array.from({ length: COUNT }, (_, n) => another(maker.cases[n % names.length]!, n));
  for (const [file, shown] of [
    [FILE, cases],
    [FEW, cases.slice(0, 10)],
  ] as const)
    writeFileSync(
      file,
      pageHtml('a thousand', JSON.stringify({ ...maker.data('a thousand'), cases: shown }), pageAssets()),
    );
});

it('it is small', () => {
  expect(statSync(FILE).size).toBeLessThan(5 << 20);
});

describeBrowser('it opens', ({ open, openBeside }) => {
  it('in under 2 seconds, and a finding of it in an instant', async ({ skip }) => {
    const few = await openBeside(FEW, '#/findings');
    await few.waitForFunction("document.querySelectorAll('tbody tr').length === 10");
    const slow = await few.evaluate<number>('performance.now()');
    await few.context().close();
    if (slow > QUICK) skip(`the browser of this machine takes more than ${QUICK} ms to open ten findings`);
    const times: number[] = [];
    // Other work on the machine makes one opening slow, not all of them.
    for (let i = 0; i < 5 && !times.some((time) => time < 2000); i++) {
      const page = await openBeside(FILE, '#/findings');
      await page.waitForFunction(`document.querySelectorAll('tbody tr').length === ${COUNT}`);
      times.push(await page.evaluate<number>('performance.now()'));
      await page.context().close();
    }
    expect(Math.min(...times)).toBeLessThan(2000);
    const page = await open(FILE, '#/findings');
    await page.locator('tbody tr a').nth(500).click();
    await page.waitForSelector('.finding .insn.current');
    expect(await page.locator('.run').count()).toBeGreaterThan(1);
  });
});
