/**
 * Rule sets that are loaded together: each under the word that it was asked for by, no two of one name, all asked about every function at once, those that any
 * of them declares and those that were given included, and with and without a landing pad. What fails there is told with its place.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { joined, loadDeclared, loadRuleSets } from '../../src/campaign/naming/rules.js';
import { InputError } from '../../src/isa/errors.js';
import { bundleRules } from '../../src/patch/bundle.js';

const folder = mkdtempSync(join(tmpdir(), 'swansong-sets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
/** A rule file: what it declares, then its rules. Its types are taken for checked. */
function file(name: string, rules: string, declares = ''): string {
  const path = join(folder, `r${files++}.js`);
  writeFileSync(
    path,
    `import { kfunc, rule, ruleSet } from 'swansong';\n${declares}\nexport default ruleSet('${name}', [${rules}]);\n`,
  );
  return path;
}
const STUB = "rule('all').stub({ r0: 0 })";
/** A rule that fails where this is true of the function and the site. */
const failing = (when: string): string =>
  `\nrule('picky').at((site, f) => { if (${when}) throw new Error('not this one'); return false; }).keep()`;
const declared = (name: string): string =>
  `kfunc({ proto: 'int ${name}(u64 a)', flags: [], types: ['tc'], returns: 'any', blocks: false });`;

const load = (...names: readonly string[]): Promise<readonly string[]> =>
  loadRuleSets(names, [], true).then((sets) => sets.map(({ name, rules }) => `${name} ${rules.name}`));

it('each by its word, in their order', async () => {
  const [a, b] = [file('a', STUB), file('b', STUB)];
  expect(await load('sound', a, 'naive', b)).toEqual(['sound sound', `${a} a`, 'naive naive', `${b} b`]);
  expect(await load()).toEqual([]);
});

it('no two of one name, whichever they are', async () => {
  const [a, b, again] = [file('a', STUB), file('b', STUB), file('a', STUB)];
  for (const names of [
    ['sound', 'sound'],
    [a, a],
    [a, again],
    [a, b, again],
    [b, a, again],
    ['naive', a, 'naive'],
  ])
    await expect(load(...names), names.join()).rejects.toThrow(/^two rule sets are called '(sound|naive|a)'/);
});

it('rules that fail for one function are told at once, with the place of the rule', async () => {
  for (const when of [
    "f.name === 'bpf_xdp_get_xfrm_state'",
    "f.name === 'bpf_map_lookup_elem'",
    "f.name === 'bpf_ringbuf_reserve' && !site.hasPad",
    "f.name === 'bpf_ringbuf_reserve' && site.hasPad",
  ]) {
    const path = file('picky', failing(when));
    const error = await load(path).then(
      () => undefined,
      (found: unknown) => found,
    );
    expect(error, when).toBeInstanceOf(InputError);
    const { message, place } = error as InputError;
    expect([message.includes('not this one'), place.file, place.line], when).toEqual([true, path, 4]);
  }
});

it('also for a function that another set declares, or that was given', async () => {
  const picky = file('picky', failing("f.name === 'bpf_mine'"));
  const declares = file('declares', STUB, declared('bpf_mine'));
  const other = file('other', STUB, declared('bpf_other'));
  expect(await load(picky, other)).toHaveLength(2);
  await expect(load(picky, declares)).rejects.toThrow('not this one');
  await expect(load(declares, picky)).rejects.toThrow('not this one');
  const given = await loadDeclared([declares]);
  expect(given.map(({ name }) => name)).toEqual(['bpf_mine']);
  await expect(loadRuleSets([picky], given, true)).rejects.toThrow('not this one');
  const [, second] = await loadRuleSets([other, declares], given, true);
  expect(second!.declared!.map(({ name }) => name)).toEqual(['bpf_mine']);
});

it('a declaration that stands in several files is one, unless they differ', async () => {
  const mine = await loadDeclared([file('a', STUB, declared('bpf_mine'))]);
  const other = await loadDeclared([file('b', STUB, declared('bpf_other'))]);
  const differs = await loadDeclared([
    file(
      'c',
      STUB,
      "kfunc({ proto: 'int bpf_mine(u64 a, u64 b)', flags: [], types: ['tc'], returns: 'any', blocks: false });",
    ),
  ]);
  expect(joined([mine, other, mine]).map(({ name }) => name)).toEqual(['bpf_mine', 'bpf_other']);
  expect(() => joined([mine, differs])).toThrow(/^declaration bpf_mine: /);
  expect(() => joined([other, differs, mine])).toThrow(/^declaration bpf_mine: /);
});

it('a file that came as text is taken from there, and only that', async () => {
  const path = file('a', STUB);
  const bundle = (await bundleRules(path, true))!;
  const b = file('b', STUB);
  writeFileSync(path, 'this is no longer a rule file');
  const sets = await loadRuleSets([b, path], [], true, [bundle]);
  expect(sets.map(({ name, rules }) => [name, rules.name])).toEqual([
    [b, 'b'],
    [path, 'a'],
  ]);
});
