/**
 * The page of a finding in a browser: keys and buttons go through the steps of its runs, and at every step the page shows what the document says,
 * which is what the VM did. Links lead to steps, lanes light up their insns, and what is copied is what it says.
 */
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import type { PageCase, PageRun } from '../../src/report/page/shape.js';
import { here, scratch } from '../support/cli.js';
import { describeBrowser } from '../support/page/browser.js';
import { type Made, pageOf, SPIN_LOCK } from '../support/page/pages.js';

const folder = scratch();

/** Registers and stack words after the step with this index, by hand. */
function after(run: PageRun, index: number): Record<string, string> {
  const state: Record<string, string> = { ...run.initial };
  run.steps.slice(0, index + 1).forEach(({ changes = {} }) => {
    for (const [place, word] of Object.entries(changes)) {
      if (word === null) delete state[place];
      else state[place] = word;
    }
  });
  return state;
}

/** The same as the page shows it. */
async function shown(page: Page): Promise<Record<string, string>> {
  const rows = await page
    .locator('.state tbody tr')
    .evaluateAll((all) =>
      all.map((row) => [row.querySelector('th')?.textContent ?? '', row.lastElementChild?.textContent ?? '']),
    );
  const plain = rows.map(([place, word]) => [place!.replace(/^• /, ''), word!.replace(/^→ /, '')]);
  return Object.fromEntries(plain.filter(([, word]) => word !== 'may not be read'));
}

const currentSlot = (page: Page): Promise<string | null> =>
  page.locator('.insn.current').getAttribute('data-slot');

/** The name of what has the focus, and how its outline is drawn. */
const FOCUSED = `(() => {
  const at = document.activeElement;
  return at === null || at === document.body ? '' : (at.getAttribute('aria-label') ?? at.textContent ?? '').trim();
})()`;
const OUTLINE = 'getComputedStyle(document.activeElement).outlineStyle';

describeBrowser('a finding is stepped through by keys', ({ open }) => {
  let made: Made;
  let one: PageCase;
  beforeAll(async () => {
    made = await pageOf(folder, 'spin', SPIN_LOCK);
    one = made.data.cases[0]!;
  });

  it('each step of each run shows its insn and its state', async () => {
    const page = await open(made.file);
    for (const [i, run] of one.runs.entries()) {
      await page.keyboard.press(`${i + 1}`);
      await page.keyboard.press('Home');
      for (const [at, step] of run.steps.entries()) {
        expect(await currentSlot(page)).toBe(`${step.slot}`);
        expect(await shown(page)).toEqual(after(run, at));
        expect(page.url()).toContain(`step=${step.step}`);
        expect(await page.locator('.run.active').getAttribute('data-run')).toBe(run.kind);
        await page.keyboard.press('ArrowRight');
      }
      // Nothing is behind the last step.
      expect(await currentSlot(page)).toBe(`${run.steps.at(-1)!.slot}`);
      await page.keyboard.press('ArrowLeft');
      expect(await currentSlot(page)).toBe(`${run.steps.at(-2)!.slot}`);
    }
  });

  it('it opens where the check breaks, and keys lead to kill, acquire and break', async () => {
    const page = await open(made.file);
    expect(await currentSlot(page)).toBe('5');
    await page.keyboard.press('k');
    expect(await currentSlot(page)).toBe('0');
    await page.keyboard.press('b');
    expect(await currentSlot(page)).toBe('5');
    await page.keyboard.press('2');
    await page.keyboard.press('a');
    expect(await currentSlot(page)).toBe('2');
    expect(await page.locator('.held').textContent()).toContain('spin_lock');
    // There is no kill in that run.
    expect(await page.locator('[data-go=kill]').isDisabled()).toBe(true);
  });

  it('a link to a step shows that step', async () => {
    const page = await open(made.file, `#/case/${one.id}?run=sound&step=1`);
    expect(await page.locator('.run.active').getAttribute('data-run')).toBe('sound');
    expect(await currentSlot(page)).toBe('2');
    await page.getByRole('button', { name: /^forward one step/ }).click();
    const link = page.url();
    await page.reload();
    await page.waitForSelector('html[data-ready]');
    expect(page.url()).toBe(link);
    expect(await currentSlot(page)).toBe('3');
  });

  it('lanes light up their insns, and lead to where something is taken', async () => {
    const page = await open(made.file, `#/case/${one.id}?run=unkilled&step=0`);
    await page.locator('[data-run=unkilled] .lane').hover();
    const lit = await page
      .locator('.insn.lit')
      .evaluateAll((all) => all.map((insn) => insn.getAttribute('data-slot')));
    expect(lit).toEqual(['2', '5']);
    await page.locator('[data-run=unkilled] .lane-name').focus();
    await page.keyboard.press('Enter');
    expect(await currentSlot(page)).toBe('2');
    // A click on the picture of another run goes to that run.
    const tracks = page.locator('[data-tracks=sound]');
    const box = (await tracks.boundingBox())!;
    await tracks.click({ position: { x: box.width - 4, y: 4 } });
    expect(await page.locator('.run.active').getAttribute('data-run')).toBe('sound');
    expect(await currentSlot(page)).toBe('7');
  });

  it('the kill cuts through, what broke is marked, patched calls say what they did', async () => {
    const page = await open(made.file);
    expect(await page.locator('li.kill').textContent()).toContain('before step 0');
    expect(await page.locator('[data-run=killed] .kill-line').count()).toBe(1);
    expect(await page.locator('[data-run=unkilled] .kill-line').count()).toBe(0);
    expect(await page.locator('[data-run=killed] .mark').textContent()).toContain('misuse');
    expect(await page.locator('[data-slot="2"] .tag').textContent()).toMatch(
      /replaced: r0 = 0.*void helpers become 0/,
    );
    expect(await page.locator('[data-slot="5"] .tag').textContent()).toMatch(
      /kept.*releases on the skip list run/,
    );
    expect(await page.locator('li.broken').textContent()).toContain('bpf_spin_unlock without taking a lock');
  });

  it('somebody who reads only the sentences knows what was held, where it was killed, what was patched, and why that is wrong', async () => {
    const page = await open(made.file);
    const told = (part: string): Promise<string | null> =>
      page.locator(`[data-story="${part}"]`).textContent();
    expect(await told('Held at the kill')).toMatch(
      /Nothing yet.*go on to take: spin_lock, by bpf_spin_lock at insn 2/,
    );
    expect(await told('Killed')).toMatch(/Before step 0, insn 0 .* in main: before anything has run/);
    expect(await told('Patched calls')).toMatch(/bpf_spin_lock#93\) was replaced by a stub/);
    expect(await told('What broke')).toMatch(/bpf_spin_unlock without taking a lock.*does not hold/);
    expect(await told('Why that is wrong')).toMatch(/only one way: taken .*the spin_lock in r1 is taken/);
    expect(await told('What is right')).toMatch(/sound keeps it/);
  });

  it('what is copied is the case, the mail and the command', async () => {
    const permissions = ['clipboard-read', 'clipboard-write'];
    const page = await open(made.file, '', { permissions });
    const copied = async (what: string): Promise<string> => {
      await page.locator(`[data-copy=${what}]`).click();
      await page.getByText(`${what} copied`).waitFor();
      return page.evaluate<string>('navigator.clipboard.readText()');
    };
    expect(await copied('case')).toBe(one.text);
    expect(await copied('mail')).toBe(one.mail);
    const [, ...args] = (await copied('command')).split(' ');
    expect((await here(args)).exit).toBe(0);
  });

  it('all of it is done with the keyboard alone', async () => {
    const page = await open(made.file);
    const names = new Set<string>();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press('Tab');
      const name = await page.evaluate<string>(FOCUSED);
      names.add(name);
      // Where the focus is can be seen.
      if (name !== '') expect([name, await page.evaluate(OUTLINE)]).not.toEqual([name, 'none']);
    }
    for (const name of [
      'to the content',
      'Copy mail',
      'Killed, under rfc-v1',
      'back one step',
      'kill, where it is',
      'Registers and stack',
    ])
      expect(
        [...names].some((one) => one.includes(name)),
        `${name} is not reached`,
      ).toBe(true);
    await page.locator('[data-slot="3"] button').focus();
    await page.keyboard.press('Enter');
    expect(await currentSlot(page)).toBe('3');
  });
});
