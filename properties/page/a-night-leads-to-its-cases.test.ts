/**
 * The page of a campaign in a browser: its figures are those of the document, each link leads to something, filters say what they hide and can be
 * cleared, and all of it is in the URL.
 */
import { beforeAll, expect, it } from 'vitest';
import { describeBrowser } from '../support/page/browser.js';
import { type Made, night } from '../support/page/pages.js';

describeBrowser('a night leads to its cases', ({ open, openBeside }) => {
  let made: Made;
  beforeAll(async () => {
    made = await night();
  }, 300_000);

  it('it begins with figures, and all findings are new', async () => {
    const page = await open(made.file);
    const { night: told, cases } = made.data;
    const figures = await page.locator('.figures').first().textContent();
    expect(figures).toContain(`findings${cases.length}${cases.length} new`);
    expect(figures).toContain(`programs${told!.programs}`);
    expect(figures).toContain(told!.points.toLocaleString('en-US'));
    expect(cases.every(({ status }) => status === 'new')).toBe(true);
    expect(await page.locator('.fresh li').count()).toBe(Math.min(12, cases.length));
    // Everything that is told over time is drawn, and has its figures beside it.
    const charts = page.locator('figure.chart');
    expect(await charts.count()).toBeGreaterThan(0);
    for (const chart of await charts.all()) {
      expect(await chart.locator('canvas').count()).toBe(1);
      expect(await chart.locator('details tbody tr').count()).toBeGreaterThan(1);
    }
  });

  it('every link on it leads somewhere, and those of the matrix to cases that blame the function', async () => {
    const page = await open(made.file, '#/night');
    await page.getByRole('button', { name: /^show all/ }).click();
    const links = await page
      .locator('main a')
      .evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''));
    const ids = new Set(made.data.cases.map(({ id }) => id));
    expect(links.length).toBeGreaterThan(20);
    for (const link of links) {
      const [, view = '', id = ''] = /^#\/(\w+)(?:\/([^?]*))?/.exec(link) ?? [];
      expect([link, view === 'case' ? ids.has(decodeURIComponent(id)) : ['findings'].includes(view)]).toEqual(
        [link, true],
      );
    }
    const cells = made.data.night!.matrix.filter((cell) => cell.cases.length > 0);
    expect(new Set(cells.flatMap((cell) => cell.cases))).toEqual(ids);
    for (const { function: name, rules, cases } of cells)
      for (const id of cases) {
        const one = made.data.cases.find((each) => each.id === id)!;
        expect([one.rules, one.function!.split('+').includes(name)]).toEqual([rules, true]);
      }
    const row = page
      .locator('.matrix tbody tr')
      .filter({ has: page.locator('a') })
      .first();
    const blamed = await row.locator('th').textContent();
    await row.locator('a').first().click();
    await page.waitForSelector('.finding');
    expect(page.url()).toMatch(/#\/case\//);
    expect(await page.locator('.facts').textContent()).toContain(blamed);
    // And back, with the browser's own key.
    await page.goBack();
    await page.waitForSelector('.matrix');
  });

  it('the matrix knows what ran after a kill, what is proven, and what was found', async () => {
    const { matrix, rules } = made.data.night!;
    expect(new Set(matrix.map((cell) => cell.rules))).toEqual(new Set(rules));
    const of = (name: string, set: string) =>
      matrix.filter((cell) => cell.function === name && cell.rules === set);
    expect(of('bpf_spin_lock', 'sound')).toMatchObject([{ action: 'keep', verdict: 'proven', cases: [] }]);
    expect(of('bpf_spin_lock', 'rfc-v1')).toMatchObject([{ action: 'stub', verdict: 'refuted' }]);
    expect(matrix.filter((cell) => cell.rules === 'sound' && cell.verdict !== 'proven')).toEqual([]);
    expect(matrix.some(({ ran }) => ran > 0)).toBe(true);
  });

  it('filters say what they hide, are in the URL, and can be cleared', async () => {
    const page = await open(made.file, '#/findings');
    const { cases } = made.data;
    const rows = page.locator('table.list tbody tr');
    const counted = (): Promise<string | null> => page.locator('.counted').textContent();
    expect(await rows.count()).toBe(cases.length);
    expect(await counted()).toBe(`${cases.length} findings`);
    expect(await page.locator('.clear').count()).toBe(0);
    const acquires = cases.filter(({ check }) => check === 'acquire').length;
    expect(acquires).toBeGreaterThan(0);
    expect(acquires).toBeLessThan(cases.length);
    await page.locator('select[name=check]').selectOption('acquire');
    await expect.poll(() => rows.count()).toBe(acquires);
    expect(await counted()).toBe(
      `${acquires} of ${cases.length} findings; hidden: ${cases.length - acquires} by check ‘acquire’`,
    );
    expect(page.url()).toContain('check=acquire');
    await page.getByRole('searchbox').fill('no such thing');
    await expect.poll(() => rows.count()).toBe(0);
    expect(await counted()).toContain(`${cases.length} by text ‘no such thing’`);
    const link = page.url();
    const again = await openBeside(made.file, new URL(link).hash);
    expect(await again.locator('.counted').textContent()).toBe(await counted());
    await page.locator('.clear').focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => rows.count()).toBe(cases.length);
    expect(page.url()).toMatch(/#\/findings$/);
    // The gravest come first.
    const checks = await page.locator('tbody td:first-child').allTextContents();
    const order = ['leak', 'misuse', 'fault', 'disclosure', 'return', 'acquire', 'bound'];
    const ranks = checks.map((text) => order.findIndex((check) => text.includes(check)));
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  });
});
