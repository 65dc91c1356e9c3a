/**
 * The page in a real browser: Chromium as the distribution has it, driven without a window. Properties that need it are skipped where there is
 * none, and say so. SWANSONG_BROWSER names one that is not in the PATH.
 */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Why this test is skipped, if it is. */
    unless?: string;
  }
}

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The browser's program; undefined where there is none. */
function program(): string | undefined {
  const named = process.env.SWANSONG_BROWSER;
  if (named !== undefined) return existsSync(named) ? named : undefined;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) =>
    existsSync(path),
  );
}

const PROGRAM = program();
const REASON = `no Chromium in the PATH (${NAMES.join(', ')}), and none in SWANSONG_BROWSER`;

/** A browser that tests share. */
export interface Opened {
  /**
   * Opens a page from disk and waits until it is drawn. What was opened before is left for it, unless it has options of its own. Throws for errors of
   * the page, and for anything that it loads besides itself.
   */
  open(file: string, hash?: string, options?: BrowserContextOptions): Promise<Page>;
  /** The same in a window of its own. */
  openBeside(file: string, hash?: string, options?: BrowserContextOptions): Promise<Page>;
}

/** `describe` with a browser; where there is none it is skipped, and says why. */
export function describeBrowser(name: string, body: (browser: Opened) => void): void {
  const options = PROGRAM === undefined ? { meta: { unless: REASON } } : {};
  describe.skipIf(PROGRAM === undefined)(name, options, () => {
    let browser: Browser | undefined;
    const troubles: string[] = [];
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: PROGRAM!, args: ['--no-sandbox'] });
    });
    afterAll(async () => {
      await browser?.close();
      if (troubles.length > 0) throw new Error(troubles.join('\n'));
    });
    let shared: Page | undefined;
    const openBeside: Opened['openBeside'] = async (file, hash = '', options = {}) =>
      show(await newPage(browser!, troubles, options), file, hash);
    body({
      openBeside,
      open: async (file, hash = '', options) => {
        if (options !== undefined) return openBeside(file, hash, options);
        shared ??= await newPage(browser!, troubles, {});
        await shared.emulateMedia({ media: null, colorScheme: null });
        await shared.setViewportSize({ width: 1280, height: 720 });
        return show(shared, file, hash);
      },
    });
  });
}

async function newPage(browser: Browser, troubles: string[], options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.on('pageerror', (error) => troubles.push(`the page throws: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`the page complains: ${message.text()}`);
  });
  page.on('request', (request) => {
    const asked = request.url().split('#')[0]!;
    if (!request.isNavigationRequest() && asked !== page.url().split('#')[0] && !asked.startsWith('data:'))
      troubles.push(`the page loads ${asked}`);
  });
  return page;
}

async function show(page: Page, file: string, hash: string): Promise<Page> {
  // From one part of a page to another nothing would be loaded.
  await page.goto('about:blank');
  await page.goto(`${pathToFileURL(file).href}${hash}`);
  await page.waitForSelector('html[data-ready]');
  return page;
}
