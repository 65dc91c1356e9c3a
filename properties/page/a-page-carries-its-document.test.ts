/**
 * A page carries the document that `report --json` prints, whatever texts are in it; it is one file of its own, small, and says which paths it was
 * made of in no place.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { documentIn, pageAssets, pageHtml } from '../../src/report/page/html.js';
import { here, scratch } from '../support/cli.js';
import { design } from '../support/page/documents.js';
import { pageOf, SPIN_LOCK } from '../support/page/pages.js';
import { seeded } from '../support/seed.js';

const folder = scratch();
const LOCK = 'corpus/objects/lock_counter.o';

it('what is printed is what the page carries, but for the place of the page', async () => {
  const page = join(folder, 'some.html');
  const { exit, out } = await here(['report', SPIN_LOCK, LOCK, design(folder), '-o', page, '--json']);
  expect(exit).toBe(0);
  const printed = JSON.parse(out) as Record<string, unknown>;
  const carried = JSON.parse(documentIn(readFileSync(page, 'utf8'))) as Record<string, unknown>;
  expect(printed).toMatchObject({ schema: 'swansong/report/1', file: page, findings: 1, programs: 1 });
  expect(carried).toEqual({ ...printed, file: 'some.html' });
});

it('any text comes back out of a page as it went in, and stays text in it', () => {
  const assets = { script: 'void 0 </script><!-- ', style: '' };
  const awkward = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('</script>', '<!--', ']]>', '<script>', '&amp;', '\u2028', '"><b>'),
  );
  fc.assert(
    fc.property(fc.array(awkward), awkward, (texts, title) => {
      const json = JSON.stringify(texts);
      const html = pageHtml(title, json, assets);
      expect(documentIn(html)).toBe(json);
      // Two scripts: the data and the page's own; nothing ends them early, and the title brings no tag of its own.
      expect(html.match(/<script\b/g)).toHaveLength(2);
      expect(html.match(/<\/script>/g)).toHaveLength(2);
      expect(html).not.toContain('<!--');
      expect(/<title>([^<]*)<\/title>/.test(html)).toBe(true);
    }),
    seeded(200),
  );
});

it('a page names nothing that would have to be loaded', async () => {
  const { file } = await pageOf(folder, 'alone', SPIN_LOCK);
  const html = readFileSync(file, 'utf8');
  expect(html).toContain("default-src 'none'");
  expect(html).not.toMatch(/<(link|img|iframe|script)[^>]*\b(src|href)=/);
  const { script, style } = pageAssets();
  expect(style).not.toMatch(/@import|url\((?!data:)/);
  // The whole page, with nothing on it, is smaller than a photograph.
  expect(script.length + style.length).toBeLessThan(200_000);
});

it('a plain program is proven, a case is run, a folder is looked through, and bad input is one line', async () => {
  const plain = join(folder, 'plain.bpf');
  writeFileSync(plain, '.type xdp\n    r0 = 2\n    exit\n');
  const { data } = await pageOf(folder, 'plain', plain);
  expect(data).toMatchObject({ cases: [], objects: [{ verdict: 'proven', bound: { insns: 2, ms: null } }] });
  const bad = join(folder, 'bad.bpf');
  writeFileSync(bad, '.type xdp\n.kill step=0\n    r0 = \n');
  for (const args of [[bad], ['no-such'], [folder, '--rules', 'no-such'], ['package.json']]) {
    const { exit, err } = await here(['report', ...args, '-o', join(folder, 'no.html')]);
    expect([args, exit, err.trim().split('\n').length]).toEqual([args, 2, 1]);
  }
  // In a folder a bad file does not keep the others from their page.
  const some = readdirSync('corpus').filter((name) => /^rfc-v3-leak/.test(name));
  for (const name of some) writeFileSync(join(folder, name), readFileSync(join('corpus', name)));
  const whole = await here(['report', folder, '-o', join(folder, 'whole.html'), '--json']);
  const shown = JSON.parse(whole.out) as { cases: { file: string; trouble: string | null }[] };
  expect(shown.cases.map(({ file, trouble }) => [file.endsWith('bad.bpf'), trouble === null])).toEqual(
    expect.arrayContaining([
      [true, false],
      [false, true],
    ]),
  );
});

it('a refuted program leads to the run that refutes it', async () => {
  const file = join(folder, 'refuted.html');
  const { out } = await here(['report', LOCK, '--rules', 'rfc-v1', '-o', file, '--json']);
  const { objects, cases } = JSON.parse(out) as {
    objects: { verdict: string; witness: string }[];
    cases: { id: string; check: string; runs: { kind: string }[]; listing: { lines: unknown[] } }[];
  };
  expect(objects).toMatchObject([{ verdict: 'refuted', witness: cases[0]!.id }]);
  expect(cases).toMatchObject([
    { check: 'misuse', runs: [{ kind: 'killed' }, { kind: 'unkilled' }, { kind: 'sound' }] },
  ]);
});
