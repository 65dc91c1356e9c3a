/**
 * Every view, light and dark, from 360 pixels to 4K: axe finds nothing, and nothing is wider than the window. With SWANSONG_PICTURES=1 the pictures
 * of README are made anew (`npm run pictures`).
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { STRATEGIES } from '../../src/strategies/index.js';
import { scratch } from '../support/cli.js';
import { describeBrowser } from '../support/page/browser.js';
import { design, policies, printed } from '../support/page/documents.js';
import { type Made, night, nightIn, pageOf, SPIN_LOCK } from '../support/page/pages.js';

const folder = scratch();
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const OBJECTS = ['lock_counter', 'loop_lookup', 'iter_num'].map((name) => `corpus/objects/${name}.o`);

/** What axe finds: a rule, and where it is broken. */
interface Found {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** What axe has against a page, one line each. */
async function axe(page: Page): Promise<readonly string[]> {
  // The page's own policy keeps scripts out; the driver's own world is not bound by it.
  await page.evaluate(AXE);
  const violations = await page.evaluate<readonly Found[]>('axe.run().then(({ violations }) => violations)');
  return violations.flatMap(({ id, nodes }) =>
    nodes.slice(0, 3).map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)}: ${failureSummary}`),
  );
}

const SIZES = [
  { width: 360, height: 740 },
  { width: 1280, height: 900 },
  { width: 3840, height: 2160 },
];

describeBrowser('the page is for everybody', ({ open }) => {
  let campaign: Made;
  let objects: Made;
  let spin: Made;
  let documents: Made;
  let real: Made;
  beforeAll(async () => {
    campaign = await night();
    objects = await pageOf(folder, 'objects', ...OBJECTS);
    spin = await pageOf(folder, 'spin', SPIN_LOCK);
    documents = await pageOf(folder, 'documents', design(folder), ...policies(folder));
    real = await pageOf(folder, 'real', ...(await printed(folder)));
  }, 300_000);

  const views: readonly (readonly [name: string, made: () => Made, hash: () => string])[] = [
    ['night', () => campaign, () => '#/night'],
    ['findings', () => campaign, () => '#/findings?check=acquire'],
    ['finding', () => spin, () => ''],
    ['objects', () => objects, () => '#/objects'],
    ['object', () => objects, () => `#/object/${objects.data.objects[0]!.id}`],
    ['documents', () => documents, () => ''],
    ['documents that commands printed', () => real, () => ''],
    ['nothing', () => spin, () => '#/no/such'],
  ];

  for (const [name, made, hash] of views)
    it(`${name}: light and dark, narrow and wide`, async () => {
      const page = await open(made().file, hash());
      // What hides folded parts hides them from axe, too.
      await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
      for (const colorScheme of ['light', 'dark'] as const)
        for (const viewport of SIZES) {
          const where = `${name} ${colorScheme} ${viewport.width}`;
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize(viewport);
          await page.waitForSelector(`html[data-theme=${colorScheme}]`);
          const width = await page.evaluate<number>('document.documentElement.scrollWidth');
          expect([where, width]).toEqual([where, viewport.width]);
          const back = await page.evaluate<string>(
            'getComputedStyle(document.documentElement).backgroundColor',
          );
          expect([where, Number(/\d+/.exec(back)?.[0]) > 128]).toEqual([where, colorScheme === 'light']);
          const asked = colorScheme === 'light' ? viewport.width === 360 : viewport.width === 1280;
          if (asked) expect([where, await axe(page)]).toEqual([where, []]);
        }
    });

  it('documents of other commands are shown with their charts, whatever they are', async () => {
    const page = await open(documents.file);
    const titles = await page.locator('.document h1').allTextContents();
    expect(titles).toEqual([
      'Ways to stop a program, side by side',
      'Hooks under load',
      'Programs and their limits',
      'costs',
    ]);
    expect(await page.locator('.document').nth(0).locator('canvas').count()).toBe(2);
    expect(await page.locator('.document').nth(1).locator('canvas').count()).toBe(2);
    const rows = await page
      .locator('.document')
      .nth(1)
      .locator('figure')
      .first()
      .locator('details tbody tr')
      .allTextContents();
    expect(rows).toEqual(['11,000,0001,000,000', '2500,000500,000', '3333,333.33333,333.33']);
    expect(await page.locator('.document').nth(2).textContent()).toMatch(/too long.*10 µs.*2 ms/);
  });

  it('what design and policy simulate print is shown whole', async () => {
    const page = await open(real.file);
    const [compared, simulated] = [page.locator('.document').nth(0), page.locator('.document').nth(1)];
    const rows = compared.locator('table').first().locator('tbody tr');
    expect(await rows.count()).toBe(STRATEGIES.length);
    for (const [i, { name }] of STRATEGIES.entries())
      expect(await rows.nth(i).locator('th').textContent()).toContain(name);
    expect(await compared.locator('canvas').count()).toBe(2);
    expect(await simulated.locator('canvas').count()).toBe(2);
    // A row for each way to stop runs and each rate.
    const told = await simulated.textContent();
    for (const name of ['none', 'abandon', 'fast-path', 'budget']) expect(told).toContain(name);
  });

  it('the switch changes from light to dark, and back to what the system says', async () => {
    const page = await open(spin.file, '', { colorScheme: 'light' });
    const theme = (): Promise<string | null> => page.locator('html').getAttribute('data-theme');
    const looks: (string | null)[] = [await theme()];
    for (let i = 0; i < 3; i++) {
      await page.locator('[data-theme-switch]').click();
      looks.push(await theme());
    }
    expect(looks).toEqual(['light', 'light', 'dark', 'light']);
  });

  it('printed, everything that is folded away by height is there', async () => {
    const page = await open(spin.file);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.controls').isVisible()).toBe(false);
    expect(await page.locator('.story').isVisible()).toBe(true);
    const cut = await page.locator('.insns').evaluate((list) => list.scrollHeight > list.clientHeight + 1);
    expect(cut).toBe(false);
  });

  // The whole campaign takes minutes where other work is done beside.
  it.runIf(process.env.SWANSONG_PICTURES === '1')('pictures of README', { timeout: 900_000 }, async () => {
    const to = resolve(import.meta.dirname, '../../docs/pictures');
    mkdirSync(to, { recursive: true });
    const take = async (made: Made, hash: string, name: string, height: number): Promise<void> => {
      const page = await open(made.file, hash, { viewport: { width: 1200, height } });
      await page.screenshot({ path: join(to, `${name}.png`) });
    };
    await take(spin, '', 'finding', 1090);
    await take(objects, `#/object/${objects.data.objects[0]!.id}`, 'object', 900);
    await take(await nightIn(join(folder, 'picture'), true), '#/night', 'night', 1000);
  });
});
