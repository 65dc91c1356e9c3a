/**
 * A rule file that was taken along as text decides as the file did, on a machine that has none of its files; and its digest is another one
 * exactly if one of the texts is that it is made of.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { contracts } from '../../src/kernel/catalog.js';
import { bundleDigest, bundleRules, loadBundle, type RuleBundle } from '../../src/patch/bundle.js';
import { loadRules } from '../../src/patch/load.js';
import type { RuleSet } from '../../src/patch/rule.js';
import { decide } from '../../src/patch/select.js';
import { functionView, siteView } from '../../src/patch/view.js';
import { scratch } from '../support/cli.js';
import { seeded } from '../support/seed.js';

const base = scratch();
let made = 0;

/** A rule file and others in a chain of imports: where each lies, how it is imported, and what the last one says. */
interface Tree {
  readonly folders: readonly ('' | 'deep/' | '../beside/' | 'deep/er/')[];
  readonly endings: readonly ('.ts' | '.mts' | '.js')[];
  readonly spelled: readonly ('as it is' | 'as .js' | 'without')[];
  readonly reexported: boolean;
  readonly prefix: string;
}

const links = 3;
const trees: fc.Arbitrary<Tree> = fc.record({
  folders: fc.array(fc.constantFrom('', 'deep/', '../beside/', 'deep/er/'), {
    minLength: links,
    maxLength: links,
  }),
  endings: fc.array(fc.constantFrom('.ts', '.mts', '.js'), { minLength: links, maxLength: links }),
  spelled: fc.array(fc.constantFrom('as it is', 'as .js', 'without'), {
    minLength: links,
    maxLength: links,
  }),
  reexported: fc.boolean(),
  prefix: fc.constantFrom('bpf_map', 'bpf_', 'bpf_s', 'bpf_ringbuf', 'bpf_get'),
});

/** Writes the files and answers the rule file, the files that it is made of, and one that nobody imports. */
function write({ folders, endings, spelled, reexported, prefix }: Tree) {
  const root = join(base, `${made++}`, 'rules');
  const names = folders.map((folder, i) => join(root, folder, `part${i}`));
  const entry = join(root, 'mine.ts');
  const spell = (from: string, i: number): string => {
    const stem = relative(dirname(from), names[i]!);
    const end = { 'as it is': endings[i]!, 'as .js': '.js', without: '' }[spelled[i]!];
    return `${stem.startsWith('.') ? '' : './'}${stem}${end}`;
  };
  const put = (file: string, text: string): string => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const files = names.map((name, i) => {
    const file = `${name}${endings[i]}`;
    const last = i === names.length - 1;
    const text = last
      ? `export const prefix = '${prefix}';\n`
      : reexported
        ? `export { prefix } from '${spell(file, i + 1)}';\n`
        : `import { prefix as given } from '${spell(file, i + 1)}';\nexport const prefix = given;\n`;
    return put(file, text);
  });
  put(
    entry,
    [
      "import { NULL, rule, ruleSet } from 'swansong';",
      `import { prefix } from '${spell(entry, 0)}';`,
      "export default ruleSet('mine', [",
      "  rule('by name').when((f) => f.name.startsWith(prefix) && f.mayReturnNull).stub({ r0: NULL }),",
      "  rule('others').when((f) => f.name.startsWith(prefix)).stub({ r0: 3 }),",
      ']);',
    ].join('\n'),
  );
  return { root, entry, files: [entry, ...files], alone: put(join(root, 'alone.ts'), 'export {};\n') };
}

/** What a rule set does with each function. */
const decisions = (rules: RuleSet): unknown =>
  contracts([]).map((contract) => {
    const { rule, action } = decide(rules, functionView(contract), siteView(contract, 0, contract.outcomes));
    return [
      contract.name,
      rule?.name,
      JSON.stringify(action, (_, one) => (typeof one === 'bigint' ? `${one}n` : one)),
    ];
  });

it('it decides the same, without any of the files', async () => {
  await fc.assert(
    fc.asyncProperty(trees, async (tree) => {
      const { root, entry, files } = write(tree);
      const { rules } = await loadRules(entry, true);
      const bundle = (await bundleRules(entry, true))!;
      expect(Object.keys(bundle.files)).toHaveLength(files.length);
      rmSync(root, { recursive: true });
      const sent = JSON.parse(JSON.stringify(bundle)) as RuleBundle;
      const there = await loadBundle(sent);
      expect(there.rules.name).toBe('mine');
      expect(decisions(there.rules)).toEqual(decisions(rules));
      expect(decisions(there.rules)).toContainEqual(expect.arrayContaining([expect.anything(), 'others']));
    }),
    seeded(6),
  );
});

it('its digest is that of all its texts, wherever the files lie', async () => {
  await fc.assert(
    fc.asyncProperty(trees, fc.nat(), async (tree, which) => {
      const { root, entry, files, alone } = write(tree);
      const digest = async (file = entry): Promise<string> => bundleDigest((await bundleRules(file, true))!);
      const before = await digest();
      writeFileSync(alone, 'export const x = 1;\n');
      expect(await digest()).toBe(before);
      const elsewhere = `${dirname(root)}-moved`;
      renameSync(dirname(root), elsewhere);
      const there = (file: string): string => join(elsewhere, relative(dirname(root), file));
      expect(await digest(there(entry))).toBe(before);
      const changed = there(files[which % files.length]!);
      writeFileSync(changed, `${readFileSync(changed, 'utf8')}// more\n`);
      expect(await digest(there(entry))).not.toBe(before);
    }),
    seeded(4),
  );
});

it('a file that imports the rule language by its path is taken along without it', async () => {
  const folder = join(base, 'by-path');
  mkdirSync(folder);
  const language = relative(folder, join(import.meta.dirname, '../../src/patch/define.js'));
  const file = join(folder, 'mine.ts');
  writeFileSync(
    file,
    `import { rule, ruleSet } from '${language}';\nexport default ruleSet('m', [rule('all').stub({ r0: 7 })]);\n`,
  );
  const bundle = (await bundleRules(file, true))!;
  expect(Object.keys(bundle.files)).toHaveLength(1);
  expect(JSON.stringify(bundle)).not.toContain('guardedRule');
  rmSync(file);
  expect(decisions((await loadBundle(bundle)).rules)).toContainEqual(['bpf_loop', 'all', expect.any(String)]);
});

it('declared functions come along, and a rule set that is shipped needs no bundle', async () => {
  expect(await bundleRules('sound')).toBeUndefined();
  const file = join(base, 'own.ts');
  writeFileSync(
    file,
    "import { kfunc, rule, ruleSet } from 'swansong';\nkfunc({ proto: 'int bpf_mine(u64 a)', flags: [], types: ['tc'], returns: 'any', blocks: false });\nexport default ruleSet('m', [rule('all').keep()]);\n",
  );
  const { declared } = await loadRules(file, true);
  expect(declared.map(({ name }) => name)).toEqual(['bpf_mine']);
  const bundle = (await bundleRules(file, true))!;
  expect((await loadBundle(bundle)).declared).toEqual(declared);
});

it('a bundle without its rule file is refused in one line, and reads nothing from disk', async () => {
  const { entry } = write({
    folders: ['', '', ''],
    endings: ['.ts', '.ts', '.ts'],
    spelled: ['as .js', 'as .js', 'as .js'],
    reexported: true,
    prefix: 'bpf_',
  });
  const bundle = (await bundleRules(entry, true))!;
  await expect(loadBundle({ ...bundle, entry: 'other.ts' })).rejects.toThrow(/did not come with it/);
  await expect(loadBundle({ ...bundle, entry: '../../etc/passwd' })).rejects.toThrow(/did not come with it/);
  const { 'part1.ts': _, ...fewer } = bundle.files;
  await expect(loadBundle({ ...bundle, files: fewer })).rejects.toThrow(/cannot find '.\/part1.js'/);
});
